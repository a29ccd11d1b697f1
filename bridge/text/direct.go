package text

// CannotRead is said once in an encrypted direct chat.
func CannotRead() Words {
	return Say("This room is encrypted, and I cannot read encrypted messages. I have opened another room for us: please write to me there.")
}

// ReadsHere is the first word in the room opened instead.
func ReadsHere() Words {
	return Say("Here I can read what you write. Write help to see what I can do.")
}

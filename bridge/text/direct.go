package text

// CannotRead is said once in an encrypted direct chat.
func CannotRead() Words {
	return Say("This room is encrypted, and I cannot read encrypted messages. I have opened another room for us: please write to me there.")
}

// ReadsHere is the first word in the room opened instead.
func ReadsHere() Words {
	return Say("Here I can read what you write. Write help to see what I can do.")
}

// CannotReadAnywhere is said once in a direct chat that the homeserver encrypted
// though the bot made it.
func CannotReadAnywhere() Words {
	return Say("This homeserver encrypts every room, and I cannot read encrypted messages. You can read what I write here, but I cannot read you. The operators were told.")
}

// EncryptedForSuperAdmins says that people cannot talk to the bot, and what to do.
func EncryptedForSuperAdmins() Words {
	return Say("The homeserver encrypts direct chats that I open, so I cannot read what people write to me there. Set encryption_enabled_by_default_for_room_type to off in homeserver.yaml and restart it; then people open a new chat with me.")
}

// UnsaidForStaff tells staff of words of the bot that the homeserver does not take.
func UnsaidForStaff(where, why string) Words {
	return Say("Something that I had to say in %s was not said: the homeserver refuses it (%s). I try again with the next thing; what was refused is not repeated.", where, why)
}

// KeptForSuperAdmins tells of something that should be gone and is not.
func KeptForSuperAdmins(where, why string) Words {
	return Say("I could not delete a message in %s that does not belong there: the homeserver refuses it (%s). Whoever is in that room can still read it.", where, why)
}

// LateForStaff tells of something that waits for long; why may be empty.
func LateForStaff(where, why string) Words {
	if why == "" {
		why = "there is no answer yet, or the room does not exist yet"
	}
	return Say("Something of mine for %s has been waiting for more than five minutes: %s. I keep trying; nothing else waits for it.", where, why)
}

// LateOverForStaff tells that what LateForStaff told of is over.
func LateOverForStaff(where string) Words {
	return Say("What waited for %s does not wait any more.", where)
}

// RateLimited tells that the homeserver lets everything wait.
func RateLimited() Words {
	return Say("The homeserver has been limiting how much I may send for more than five minutes (HTTP 429), so messages are late. Put rate_limited: false into the registration and restart the homeserver. Nothing is lost.")
}

// RateLimitOver tells that what RateLimited told of is over.
func RateLimitOver() Words { return Say("The homeserver does not limit me any more.") }

// NoDirectChat is the last word in a room that is for more than one person.
func NoDirectChat() Words {
	return Say("I talk with one person at a time, and others can be in this room or read it. So I leave it: please write to me in a chat with me alone.")
}

// EnoughRooms says that the bot comes to no more rooms of a person.
func EnoughRooms(n int) Words {
	return Say("You have invited me to %d rooms already; I do not come to more. Write to me here, or remove me from one of the others first.", n)
}

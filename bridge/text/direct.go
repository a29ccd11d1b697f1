package text

// CannotRead is said once in an encrypted direct chat.
func CannotRead() Words {
	return Say("This chat is encrypted and I can't read it. Please accept my invitation to our new chat and write to me there.")
}

// ReadsHere is the first word in the room opened instead.
func ReadsHere() Words {
	return Say("Hi! I can read this chat. %s shows what I can do; 🙋 on a message of yours brings a person.", Code("help"))
}

// CannotReadAnywhere is said once in a direct chat that the homeserver encrypted
// though the bot made it.
func CannotReadAnywhere() Words {
	return Say("This server encrypts every room, so I can't read you here, though you can read me. I've told the operators.")
}

// EncryptedForSuperAdmins says that people cannot talk to the bot, and what to do.
func EncryptedForSuperAdmins() Words {
	return Say("The homeserver encrypts the direct chats that I open, so I can't read what people write to me. Set encryption_enabled_by_default_for_room_type to off in homeserver.yaml and restart it; then people can open a new chat with me.")
}

// UnsaidForStaff tells staff of words of the bot that the homeserver does not take.
func UnsaidForStaff(where, why string) Words {
	return Say("I couldn't post a message in %s: the homeserver refused it (%s). I won't retry that one.", where, why)
}

// KeptForSuperAdmins tells of something that should be gone and is not.
func KeptForSuperAdmins(where, why string) Words {
	return Say("A message in %s should be gone, but the homeserver refused (%s). Everyone there can still read it: please remove it by hand.", where, why)
}

// LateForStaff tells of something that waits for long; why may be empty.
func LateForStaff(where, why string) Words {
	if why == "" {
		why = "no answer yet, or the room doesn't exist yet"
	}
	return Say("Something I have to do in %s has been waiting for more than five minutes: %s. I'll keep trying; nothing else waits for it.", where, why)
}

// LateOverForStaff tells that what LateForStaff told of is over.
func LateOverForStaff(where string) Words {
	return Say("What was waiting in %s is done.", where)
}

// RateLimited tells that the homeserver lets everything wait.
func RateLimited() Words {
	return Say("For more than five minutes the homeserver has limited how much I may send (HTTP 429), so messages are late. Nothing is lost. To end this, put rate_limited: false into the registration and restart the homeserver.")
}

// RateLimitOver tells that what RateLimited told of is over.
func RateLimitOver() Words { return Say("The homeserver no longer limits me.") }

// NoDirectChat is the last word in a room that is for more than one person.
func NoDirectChat() Words {
	return Say("I can only talk with one person at a time, and others can read this room, so I'm leaving it. Please start a chat with me alone.")
}

// EnoughRooms says that the bot comes to no more rooms of a person.
func EnoughRooms(n int) Words {
	return Say("You've already invited me to %d rooms, and that's as many as I can join. Write to me here, or remove me from one of the others first.", n)
}

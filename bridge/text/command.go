package text

import "time"

// Elsewhere says in a room that what comes of a command is told to its sender alone;
// here is what the room reads of it.
func Elsewhere(here Words) Words {
	if here.Plain == "" {
		return Say("📨 I've answered in our direct chat.")
	}
	return Join(here, Say("📨 I've sent you the rest in our direct chat."))
}

// Pending is said under an answer whose change Matrix does not show yet.
// why is the homeserver's reason, if there is one to be told here.
func Pending(why string) Words {
	if why != "" {
		return Say("Still working on it: the homeserver refuses (%s). I'll keep trying and update this message when it's done.", why)
	}
	return Say("Still working on it. I'll update this message when it's done.")
}

// Parked is for staff: something could not be handled and was set aside.
func Parked(job int64, queue, reason string) Words {
	return Say("I couldn't process one item and set it aside (%s #%d): %s. Everything else keeps running. Details, and more of the same in the next minutes, are in the log.", queue, job, reason)
}

// StaleReaction says that a reaction on a request's card came too late to decide it.
func StaleReaction(key string, n int64) Words {
	return Say("Your %s reached me more than 15 minutes late, so I didn't act on it. If you still want it, take it off and add it again. (#%d)", key, n)
}

// GapWaits is for staff: a room cannot be read on.
func GapWaits(where string, since time.Time) Words {
	return Say("I can't read what was written in %s while I was away: since %s the homeserver hasn't given it to me. What people write there now waits for it; everything else keeps running.", where, since.UTC().Format("15:04 UTC"))
}

// GapLost is for staff: what was said in a room while we were away is lost to us.
func GapLost(where string, since time.Time) Words {
	return Say("The homeserver can't give me what was written in %s while I was away, before %s. I'm carrying on without it: please check whether somebody there is still waiting for an answer.", where, since.UTC().Format("15:04 UTC"))
}

// GapInParts is for staff: what was said in a room while we were away may come in with
// holes.
func GapInParts(where string, since time.Time) Words {
	return Say("So much was written in %s while I was away, before %s, that the homeserver gives it to me only in parts, and may leave some out: please check whether somebody there is still waiting for an answer.", where, since.UTC().Format("15:04 UTC"))
}

// TwilioBrokenForStaff says that Twilio refuses the account.
func TwilioBrokenForStaff(why string, probe time.Duration) Words {
	return Say("WhatsApp has stopped: %s. Nothing is lost: everything waits, and I try one message every %d minutes until it works. Agents there read nothing until then, so please look after the open questions here.", why, int(probe.Minutes()))
}

// TwilioMendedForStaff says that it does not any more.
func TwilioMendedForStaff() Words {
	return Say("WhatsApp works again. What waited goes out now.")
}

// TwilioStuck is for staff: nothing goes to WhatsApp at the moment.
func TwilioStuck(why string) Words {
	return Say("WhatsApp is paused: %s. Nothing is lost; messages go out once it works again.", why)
}

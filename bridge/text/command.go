package text

import "time"

// Elsewhere says in a room that what comes of a command is told to its sender alone.
func Elsewhere() Words { return Say("📨 The rest is in your direct chat with me.") }

// Pending is said under an answer whose change Matrix does not show yet.
// why is the homeserver's reason, if there is one to be told here.
func Pending(why string) Words {
	if why != "" {
		return Say("Matrix does not show it yet: the homeserver refuses (%s). I keep at it and edit this message when it stands.", why)
	}
	return Say("Matrix does not show it yet. I keep at it and edit this message when it stands.")
}

// Parked is for staff: something could not be handled and was set aside.
func Parked(job int64, queue, reason string) Words {
	return Say("I set something aside that I could not handle (%s #%d): %s. Everything else goes on. The log has the details, and alone tells of others in the next minutes.", queue, job, reason)
}

// StaleReaction says that a reaction on a request's card came too late to decide it.
func StaleReaction(key string, n int64) Words {
	return Say("Your %s on #%d reached me more than 15 minutes after you put it, so I left it. Take it off and put it again if you still mean it.", key, n)
}

// GapWaits is for staff: a room cannot be read on.
func GapWaits(where string, since time.Time) Words {
	return Say("I cannot read what was written in %s while I was away: the homeserver does not give it to me since %s. What is written there now waits until it does; everything else goes on.", where, since.UTC().Format("15:04 UTC"))
}

// GapLost is for staff: what was said in a room while we were away is lost to us.
func GapLost(where string, since time.Time) Words {
	return Say("The homeserver does not give me what was written in %s while I was away, before %s. I go on without it: please look there whether somebody still waits for an answer.", where, since.UTC().Format("15:04 UTC"))
}

// GapInParts is for staff: what was said in a room while we were away may come in with
// holes.
func GapInParts(where string, since time.Time) Words {
	return Say("So much was written in %s while I was away, before %s, that the homeserver does not give it to me in one piece. I read it in parts, and this homeserver may leave some of it out: please look there whether somebody still waits for an answer.", where, since.UTC().Format("15:04 UTC"))
}

// TwilioStuck is for staff: nothing goes to WhatsApp at the moment.
func TwilioStuck(why string) Words {
	return Say("WhatsApp messages wait: %s. Nothing is lost; they go out when it works again.", why)
}

package text

import (
	"time"

	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/project"
)

// May says what a rung lets somebody do: "write in".
func May(a project.Access) string {
	switch a {
	case project.None:
		return "not read"
	case project.Read:
		return "read"
	case project.Text:
		return "write in"
	}
	return "write and send files in"
}

// Date is a moment as people write it, in UTC: "3 May", with the year when that is
// another one, and with the time when it is within two days.
func Date(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	switch {
	case t.Sub(now) < 48*time.Hour:
		return t.Format("2 January, 15:04 UTC")
	case t.Year() != now.Year():
		return t.Format("2 January 2006")
	}
	return t.Format("2 January")
}

// RequestCard is for those who decide: staff.
func RequestCard(q project.Request, user, by Pill, lane string) Words {
	head := Say("#%d · %s asks to %s %s.", q.Number, user, May(q.Access), lane)
	if q.Reason != "" {
		head = Join(head, quoted(q.Reason))
	}
	var tail Words
	switch q.State {
	case project.Open:
		tail = Say("✅ lets them in, ❌ declines.")
	case project.Approved:
		tail = Say("Approved by %s.", by)
	case project.Denied:
		tail = Say("Declined by %s.", by)
	default:
		tail = Say("Withdrawn. Nothing to decide.")
	}
	if q.Because != "" {
		tail = Join(tail, quoted(q.Because))
	}
	return Join(head, tail)
}

// DecidedCard is what the card of a request becomes for somebody who may not decide
// such things any more.
func DecidedCard(q project.Request) Words {
	return Say("#%d · This is decided. There is nothing left for you to do.", q.Number)
}

// DecidedInLane says in the thread where somebody asked that it is decided; they read
// more in their direct chat.
func DecidedInLane(q project.Request) Words {
	switch q.State {
	case project.Approved:
		return Say("#%d · Approved. The link is in your direct chat with me.", q.Number)
	case project.Denied:
		return Say("#%d · Declined. You read more in your direct chat with me.", q.Number)
	}
	return Say("#%d · Withdrawn.", q.Number)
}

// SignsOfCard answers another reaction on a request's card.
func SignsOfCard(n int64) Words {
	return Say("#%d · Only two reactions count on that card: ✅ lets them in, ❌ declines.", n)
}

// Approved is for the person who was let in, in their direct chat.
func Approved(by Pill, lane string, a project.Access, until *time.Time, now time.Time, link, reason string) Words {
	w := Say("%s let you %s %s", by, May(a), lane)
	if until != nil {
		w = Say("%s let you %s %s until %s", by, May(a), lane, Date(*until, now))
	}
	if link != "" {
		w = Say("%s: %s", w, link)
	} else {
		w = Say("%s.", w)
	}
	return because(w, reason)
}

// DeniedTo is for the person who asked, in their direct chat.
func DeniedTo(by Pill, lane, reason string) Words {
	if reason == "" {
		return Say("%s declined your request for %s. Ask them if you want to know why.", by, lane)
	}
	return Join(Say("%s declined your request for %s:", by, lane), quoted(reason))
}

// Revoked is for the person who had it, in their direct chat.
func Revoked(by Pill, lane string, left project.Access, reason string) Words {
	w := Say("%s took your access back: you can no longer read %s.", by, lane)
	if left > project.None {
		w = Say("%s changed what you may do: you may %s %s.", by, May(left), lane)
	}
	return because(w, reason)
}

// Expired is for the person whose time is over, in their direct chat.
func Expired(lane string, left project.Access) Words {
	if left > project.None {
		return Say("Your time is over: from now on you may %s %s.", May(left), lane)
	}
	return Say("Your time in %s is over. Ask for more with request.", lane)
}

func because(w Words, reason string) Words {
	if reason == "" {
		return w
	}
	return Join(w, quoted(reason))
}

// quoted is what somebody wrote as their reason.
func quoted(reason string) Words { return markup.Quote(Say("%s", markup.Visible(reason))) }

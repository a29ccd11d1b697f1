package text

import (
	"html"
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
	head := Say("%s would like to %s %s. (#%d)", user, May(q.Access), lane, q.Number)
	if q.Reason != "" {
		head = Join(head, quoted(q.Reason))
	}
	var tail Words
	switch q.State {
	case project.Open:
		tail = Say("React ✅ to approve, ❌ to decline.")
	case project.Approved:
		tail = Say("Approved by %s.", by)
	case project.Denied:
		tail = Say("Declined by %s.", by)
	default:
		tail = Say("Withdrawn – nothing left to decide.")
	}
	if q.Because != "" {
		tail = Join(tail, quoted(q.Because))
	}
	return Join(head, tail)
}

// DecidedCard is what the card of a request becomes for somebody who may not decide
// such things any more.
func DecidedCard(q project.Request) Words {
	return Say("This request has been decided; there's nothing left for you to do. (#%d)", q.Number)
}

// DecidedInLane says in the thread where somebody asked that it is decided; they read
// more in their direct chat.
func DecidedInLane(q project.Request) Words {
	switch q.State {
	case project.Approved:
		return Say("Approved! You'll find the link in our direct chat. (#%d)", q.Number)
	case project.Denied:
		return Say("Declined. You'll find more in our direct chat. (#%d)", q.Number)
	}
	return Say("Your request is withdrawn. (#%d)", q.Number)
}

// DecidedInDirect is what the answer to a request becomes in the direct chat: what was
// decided stands there, too.
func DecidedInDirect(q project.Request) Words {
	switch q.State {
	case project.Approved:
		return Say("Your request was approved: see my message below. (#%d)", q.Number)
	case project.Denied:
		return Say("Your request was declined: see my message below. (#%d)", q.Number)
	}
	return Say("Your request is withdrawn. (#%d)", q.Number)
}

// SignsOfCard answers another reaction on a request's card.
func SignsOfCard(n int64) Words {
	return Say("That card takes two reactions: ✅ approves, ❌ declines. (#%d)", n)
}

// Approved is for the person who was let in, in their direct chat.
func Approved(by Pill, lane string, a project.Access, until *time.Time, now time.Time, link, reason string) Words {
	w := Say("You can now %s %s", May(a), linked(lane, link))
	if until != nil {
		w = Say("%s until %s", w, Date(*until, now))
	}
	return because(Say("%s. Approved by %s.", w, by), reason)
}

// DeniedTo is for the person who asked, in their direct chat.
func DeniedTo(by Pill, lane, reason string) Words {
	if reason == "" {
		return Say("%s declined your request for %s without giving a reason.", by, lane)
	}
	return Join(Say("%s declined your request for %s:", by, lane), quoted(reason))
}

// Revoked is for the person who had it, in their direct chat.
func Revoked(by Pill, lane string, left project.Access, reason string) Words {
	w := Say("%s has ended your access to %s.", by, lane)
	if left > project.None {
		w = Say("%s changed your access: you can now only %s %s.", by, May(left), lane)
	}
	return because(w, reason)
}

// Expired is for the person whose time is over, in their direct chat.
func Expired(lane string, left project.Access) Words {
	if left > project.None {
		return Say("Your extra access to %s has ended, as planned. You can still %s it.", lane, May(left))
	}
	return Say("Your access to %s has ended, as planned. For more time: %s", lane, Code("request"))
}

// linked is a room's name that leads there: as a link where clients show such, with the
// address behind it where they do not.
func linked(name, link string) Words {
	if link == "" {
		return Say("%s", name)
	}
	return Words{Plain: name + " (" + link + ")", HTML: `<a href="` + html.EscapeString(link) + `">` + html.EscapeString(name) + `</a>`}
}

func because(w Words, reason string) Words {
	if reason == "" {
		return w
	}
	return Join(w, quoted(reason))
}

// quoted is what somebody wrote as their reason.
func quoted(reason string) Words { return markup.Quote(Say("%s", markup.Visible(reason))) }

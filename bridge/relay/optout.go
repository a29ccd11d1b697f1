package relay

import (
	"context"
	"regexp"
	"strings"
	"time"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
	"lanekeeper/bridge/whatsapp"
)

// Words by which somebody wants no messages any more, or wants them again. Twilio names
// them where its opt-out is on
// (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out). Elsewhere we read
// those that nobody means for an answer: not "end", "cancel" and "yes", which Twilio
// counts, too.
var (
	stopWord  = regexp.MustCompile(`(?i)^(?:stop|stop ?all|unsubscribe|opt ?out)$`)
	startWord = regexp.MustCompile(`(?i)^(?:start|unstop|opt ?in)$`)
)

// optOut reads such a word, "" if there is none: STOP, START or HELP. Only who stopped
// means START by that word.
func optOut(in whatsapp.Inbound, stopped bool) string {
	body := strings.Trim(strings.TrimSpace(in.Body), ".!")
	switch {
	case in.OptOut != "":
		return strings.ToUpper(in.OptOut)
	case in.Quoted != "" || in.ButtonPayload != "" || in.NumMedia > 0:
		return ""
	case stopWord.MatchString(body):
		return "STOP"
	case stopped && startWord.MatchString(body):
		return "START"
	}
	return ""
}

// optedOut takes a message that is such a word, and is never an answer. Who stopped gets
// nothing from then on, whatever else they write, until they send START; what is theirs
// waits, and staff are told once.
func (r *Relay) optedOut(ctx context.Context, a *handoff.Agent, in whatsapp.Inbound) (done bool, err error) {
	p, err := r.Store.Phone(ctx, a.Phone)
	if err != nil {
		return false, err
	}
	was := !p.Stopped.IsZero()
	switch optOut(in, was) {
	case "":
		return false, nil
	case "STOP":
		if was {
			return true, nil
		}
		p.Stopped = r.Store.Now()
		if err := r.Store.SavePhone(ctx, p); err != nil {
			return true, err
		}
		return true, r.tellStaff(ctx, text.OptedOutForStaff(a.Name))
	case "START":
		if !was {
			return true, nil
		}
		p.Stopped = time.Time{}
		if err := r.Store.SavePhone(ctx, p); err != nil {
			return true, err
		}
		queue.AfterCommit(ctx, r.Store.DB, func() { r.Store.Queue.Wake(store.QueueWhatsApp, a.Phone) })
		if err := r.tell(ctx, a, text.OptedInForAgent()); err != nil {
			return true, err
		}
		return true, r.tellStaff(ctx, text.OptedInForStaff(a.Name))
	}
	return true, nil // Twilio answers HELP itself
}

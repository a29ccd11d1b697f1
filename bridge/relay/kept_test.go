package relay_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/whatsapp"
)

// HAND-04: what an agent can choose from says who asks, since when, and how the question
// begins; of what waits in Matrix it says nothing.
func TestListWithWords(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "customer", "The preview link shows an error 502 since this morning, and nobody can see the page\n#9 CANARY")
		w.asks(xena, "internal", "CANARY is the client solvent?")
		w.now = w.now.Add(4 * time.Minute)
		w.phone(dana, "take 1")
		w.asks(xena, "direct"+xena, "When is *lunch*?")
		w.outs = nil
		w.phone(dana, "list")
		w.phoneGot(dana, "*#1* Carl, 4 min (yours): The preview link shows an error 502 since this morning, and…\n"+
			"*#2* A staff question is waiting in Matrix.\n*#3* Xena, just now: When is ⁠*⁠lunch*?")
	})
}

// With consent wanted the list names who agreed, and shows no words of who did not.
func TestListWithoutConsent(t *testing.T) {
	each(t, asking, func(w *world) {
		w.wake()
		_, cmd := w.asks(carl, "customer", "CANARY of carl")
		q := w.says(mia, "customer", in(cmd, "I wonder, too"))
		w.hands(mia, "customer", q, cmd)
		w.reacts(mia, "customer", w.must("customer", "already has this").id, "✅")
		w.outs = nil
		w.phone(dana, "list")
		w.phoneGot(dana, "*#1* Mia, just now")
	})
}

// two are questions that words of Dana's could be for.
func (w *world) two() (a, b int64) {
	w.t.Helper()
	w.wake()
	a, _ = w.asks(carl, "customer", "alpha")
	b, _ = w.asks(xena, "direct"+xena, "beta")
	w.outs = nil
	return a, b
}

// reads checks that a phone got each of some words, and forgets what it got.
func (w *world) reads(phone string, want ...string) {
	w.t.Helper()
	said := strings.Join(w.got(phone), "\n")
	for _, words := range want {
		if !strings.Contains(said, words) {
			w.t.Errorf("%s reads\n%s\nwithout %q", phone, said, words)
		}
	}
	w.outs = slices.DeleteFunc(w.outs, func(o out) bool { return o.phone == phone })
}

// nowhere checks that no asker reads some words.
func (w *world) nowhere(words string) {
	w.t.Helper()
	for _, room := range []string{"customer", "internal", "direct" + carl, "direct" + xena} {
		w.none(room, words)
	}
}

// bare checks that no asker reads a number alone.
func (w *world) bare(number string) {
	w.t.Helper()
	for _, room := range []string{"customer", "direct" + xena} {
		if said := w.in(room); slices.ContainsFunc(said, func(s string) bool { return strings.TrimPrefix(s, "**Dana:** ") == number }) {
			w.t.Errorf("%s reads the number: %q", room, said)
		}
	}
}

func came(at time.Time) func(*whatsapp.Inbound) {
	return func(m *whatsapp.Inbound) { m.Came = at }
}

func listed(m *whatsapp.Inbound) { m.Listed = true }

// HAND-04: an answer that could be for several is kept, in a row of the database; the number alone sends it, once.
// The bridge may start anew in between.
func TestKeptAnswer(t *testing.T) {
	each(t, nil, func(w *world) {
		a, _ := w.two()
		w.phone(dana, "Tomorrow at *noon*.")
		w.none("customer", "noon")
		w.reads(dana, "the number alone", "*#2* Xena, just now: beta")
		r := w.r // a process that starts anew
		w.r = &relay.Relay{
			Store: r.Store, Prefix: r.Prefix, Ghost: r.Ghost, May: r.May, Access: r.Access, Staff: r.Staff,
			WhatsApp: r.WhatsApp, Template: r.Template, Agents: r.Agents, Reveal: r.Reveal, Consent: r.Consent, Context: r.Context, Limits: r.Limits,
		}
		w.phone(dana, "1")
		if p := w.must("customer", "Tomorrow at"); !strings.Contains(p.html, "<strong>noon</strong>") {
			t.Errorf("answer: %+v", p)
		}
		w.phoneGot(dana, "*#1* ✓ sent.")
		if c := w.card(a); c["state"] != "taken" {
			t.Errorf("card: %v", c)
		}
	})
}

// The number may quote the question for it, or the words themselves.
func TestKeptAnswerByQuote(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.phone(dana, "Tomorrow")
		w.phone(dana, "1", quoting(w.last(dana).sid))
		w.must("customer", "Tomorrow")
		w.bare("1")
		w.phone(eli, "And today", func(m *whatsapp.Inbound) { m.MessageSID = "SMown" })
		w.must("direct"+xena, "And today") // the only free one
		w.asks(mia, "customer", "gamma")
		w.asks(carl, "customer", "delta")
		w.phone(dana, "done 1")
		w.now = w.now.Add(time.Hour)
		w.phone(dana, "Never", func(m *whatsapp.Inbound) { m.MessageSID = "SMwords" })
		w.phone(dana, "#3", quoting("SMwords"))
		w.must("customer", "Never")
		w.bare("3")
	})
}

// A number quoting the question for other words, which are over, chooses nothing.
func TestKeptAnswerByFormerQuote(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.phone(dana, "Yes, Friday")
		former := w.last(dana).sid
		w.now = w.now.Add(time.Hour)
		w.settle()
		w.phone(dana, "CANARY no")
		w.phone(dana, "1", quoting(former))
		w.nowhere("CANARY")
		w.reads(dana, "I still keep “CANARY no”")
	})
}

// A clock that was ahead leaves no words for ever.
func TestKeptAnswerAfterAWrongClock(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.now = w.now.Add(1000 * time.Hour)
		w.phone(dana, "?")
		w.phone(dana, "CANARY words")
		w.now = w.now.Add(-1000 * time.Hour)
		w.phone(dana, "1")
		w.nowhere("CANARY")
		w.reads(dana, "“CANARY words” went to nobody, and I no longer keep it")
	})
}

// A number quoting something that nobody knows chooses nothing, and loses nothing.
func TestKeptAnswerUnknownQuote(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.phone(dana, "Tomorrow")
		w.phone(dana, "1", quoting("SMnone"))
		w.nowhere("Tomorrow")
		w.reads(dana, "I still keep “Tomorrow”")
		w.phone(dana, "1")
		w.must("customer", "Tomorrow")
	})
}

// A number that was written before the question for it was out, or that may have been,
// as what was found by listing, sends nothing: it may be the rest of the answer.
func TestKeptAnswerEarly(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		wrote := w.now
		w.phone(dana, "CANARY we need this many:")
		w.phone(dana, "2", came(wrote.Add(500*time.Millisecond)))
		w.nowhere("CANARY")
		w.bare("2")
		w.reads(dana, "can't be sure that your 2 answers my question", "I still keep “CANARY we need this many:”")
		w.phone(dana, "2", listed, func(m *whatsapp.Inbound) { m.Sent = w.now })
		w.nowhere("CANARY")
		w.reads(dana, "can't be sure")
		w.phone(dana, "2")
		w.must("direct"+xena, "CANARY we need this many:")
	})
}

// The question for the number may be on its way when the agent writes it: that is looked
// at again when Twilio has answered.
func TestKeptAnswerFast(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		number := whatsapp.Inbound{MessageSID: "SMfast", From: dana, Body: "1", Type: "text"}
		write := func() error {
			return w.s.Tx(w.ctx, func(ctx context.Context) error { return w.r.Inbound(ctx, number) })
		}
		var early error
		w.sending = func(o out) {
			if strings.Contains(o.body, "Which one") {
				w.now = w.now.Add(time.Second)
				number.Came = w.now
				early = write()
			}
		}
		w.phone(dana, "Tomorrow")
		if early == nil {
			t.Error("it was taken while the question was being sent")
		}
		if err := write(); err != nil {
			t.Fatal(err)
		}
		w.settle()
		w.must("customer", "Tomorrow")
	})
}

// A number that was offered is no answer after it was used either: neither the same one
// nor another.
func TestKeptAnswerTwice(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.phone(dana, "Tomorrow")
		w.phone(dana, "1")
		w.outs = nil
		for _, number := range []string{"1", "#2"} {
			w.phone(dana, number)
			w.reads(dana, "already went to #1", "`#1 "+strings.Trim(number, "#")+"`")
		}
		w.phone(dana, "2", listed, func(m *whatsapp.Inbound) { m.Sent = w.now })
		w.reads(dana, "already went to #1")
		w.bare("1")
		w.bare("2")
		if n := w.times("customer", "Tomorrow"); n != 1 {
			t.Errorf("sent %d times", n)
		}
		w.phone(dana, "17") // was never offered: an answer to the one that she owns
		w.must("customer", "17")
		w.phone(dana, "#1 1")
		w.now = w.now.Add(11 * time.Minute)
		w.phone(dana, "2")
		w.must("customer", "2")
	})
}

// What asks for no answer, or cannot be read, ends nothing. The list then says that it
// is kept.
func TestKeptAnswerStays(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.phone(dana, "Tomorrow")
		w.outs = nil
		for _, other := range []func(){
			func() { w.phone(dana, "list"); w.reads(dana, "*#1* Carl", "I still keep “Tomorrow”") },
			func() { w.phone(dana, "done 2 thanks"); w.reads(dana, "On its own", "I still keep “Tomorrow”") },
			func() {
				w.phone(dana, "", func(m *whatsapp.Inbound) { m.NumMedia = 1 })
				w.reads(dana, "Which one is that for?", "I still keep “Tomorrow”")
			},
			func() { w.phone(dana, "?"); w.reads(dana, "`list` what's open") },
			func() { w.phone(dana, ""); w.phoneGot(dana) }, // a reaction
			func() { w.phone(dana, "#99 who?"); w.reads(dana, "no open #99") },
			func() { w.phone(dana, "pass 99"); w.reads(dana, "no open #99") },
			func() { w.phone(dana, "", tapping("take:1")); w.reads(dana, "is yours") },
		} {
			other()
			w.nowhere("Tomorrow")
		}
		w.phone(dana, "2")
		w.must("direct"+xena, "Tomorrow")
		w.none("customer", "Tomorrow")
	})
}

// What is written after what is kept goes with it, in order.
func TestKeptAnswerInParts(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.phone(dana, "Hello Carl", func(m *whatsapp.Inbound) { m.MessageSID = "SMfirst" })
		w.phone(dana, "noon works", func(m *whatsapp.Inbound) { m.MessageSID = "SMsecond" })
		w.reads(dana, "Added", "I keep “Hello Carl …”", "*#2* Xena")
		w.phone(dana, "for me, too", quoting("SMsecond"))
		w.outs = nil
		w.phone(dana, "1")
		w.phoneGot(dana, "*#1* ✓ sent.")
		if p := w.must("customer", "Hello Carl"); p.body != "Hello Carl\nnoon works\nfor me, too" {
			t.Errorf("answer: %q", p.body)
		}
		w.phone(eli, "take 2")
		w.phone(dana, "quoting", quoting("SMsecond")) // it is about the same
		w.must("customer", "quoting")
		w.none("direct"+xena, "noon")
	})
}

// As much is kept as one message on WhatsApp can have. What is too much is said to be.
func TestKeptAnswerTooLong(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.phone(dana, "first "+strings.Repeat("ä", 1500))
		w.phone(dana, strings.Repeat("b", 1500))
		w.outs = nil
		w.phone(dana, "CANARY "+strings.Repeat("ö", 1500))
		w.reads(dana, "more than I can keep", "I still keep “first")
		w.phone(dana, "1")
		w.must("customer", "first ä")
		w.nowhere("CANARY")
	})
}

// Who answers another way reads that what was kept is not; not so who only repeats it.
func TestKeptAnswerReplaced(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.phone(dana, "CANARY words, and\nmore")
		w.outs = nil
		w.phone(dana, "#2 by number")
		w.phoneGot(dana, "“CANARY words, and …” went to nobody, and I no longer keep it. To send it, write it again after its number: `#12 your answer`")
		w.must("direct"+xena, "by number")
		w.phone(dana, "1")
		w.reads(dana, "I no longer keep your answer, so this 1 went to nobody")
		w.bare("1")
		w.phone(eli, "Tomorrow, or")
		w.phone(eli, "today")
		w.phone(eli, "#1 Tomorrow, or\ntoday")
		if said := strings.Join(w.got(eli), "\n"); strings.Contains(said, "to nobody") {
			t.Errorf("Eli reads %q", said)
		}
		w.nowhere("CANARY")
	})
}

// After a while nothing is kept, and its agent reads that, whether they write or not. A
// number that comes too late is told, and is no answer either: the question for it still
// stands on the phone.
func TestKeptAnswerEnds(t *testing.T) {
	for name, writes := range map[string]bool{"by itself": false, "before the timer": true} {
		t.Run(name, func(t *testing.T) {
			each(t, nil, func(w *world) {
				w.two()
				w.phone(dana, "CANARY words")
				w.phone(eli, "take 2")
				w.outs = nil
				w.now = w.now.Add(11 * time.Minute)
				if writes {
					w.phone(dana, "1")
				}
				w.settle()
				if end, late := "“CANARY words” went to nobody, and I no longer keep it", "`#1 your answer`"; writes {
					w.reads(dana, end, "I no longer keep your answer", late)
				} else {
					w.reads(dana, end)
					w.now = w.now.Add(20 * time.Minute)
					w.phone(dana, "1")
					w.reads(dana, "I no longer keep your answer", late)
				}
				w.bare("1")
				w.nowhere("CANARY")
				w.settle()
				w.phoneGot(dana)
				w.phone(dana, "1") // she has read it: this one is meant
				w.must("customer", "1")
			})
		})
	}
}

// A number that names none, or one that another answers, or that is closed, sends
// nothing and loses nothing.
func TestKeptAnswerForNobody(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.asks(xena, "internal", "gamma")
		w.asks(mia, "customer", "delta")
		w.phone(dana, "CANARY one")
		w.phone(eli, "#1 mine")
		w.phone(eli, "take 2")
		w.phone(eli, "done 2")
		w.outs = nil
		for number, why := range map[string]string{
			"99": "There's no open #99 for you.",
			"#3": "#3 can only be answered in Matrix.",
			"1":  "Eli is answering #1.",
			"2":  "#2 is closed; `take 2` opens it again.",
		} {
			w.phone(dana, number)
			w.reads(dana, why+" I still keep “CANARY one”: reply with the number alone", "*#4* Mia")
		}
		w.nowhere("CANARY")
		w.none("super_admin", "CANARY")
		w.phone(dana, "4")
		w.must("customer", "CANARY one")
	})
}

// One that is not on a long list, or came after it, is offered when it is written.
func TestKeptAnswerNotListed(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.phone(dana, "Tomorrow")
		w.asks(mia, "customer", "gamma")
		w.outs = nil
		w.phone(dana, "3")
		w.reads(dana, "#3 wasn't on my list: if it's for that one, send 3 once more. I still keep “Tomorrow”")
		w.none("customer", "Tomorrow")
		for i := range 25 {
			w.asks(carl, "customer", fmt.Sprint("question ", i))
		}
		w.phone(dana, "28")
		w.reads(dana, "#28 wasn't on my list")
		w.phone(dana, "28")
		w.reads(dana, "*#28* ✓ sent.")
	})
}

// With none left to choose from, what is kept waits for its end.
func TestKeptAnswerForNoneLeft(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.phone(dana, "CANARY one")
		w.phone(eli, "take 1")
		w.phone(eli, "take 2")
		w.outs = nil
		w.phone(dana, "1")
		w.reads(dana, "Eli is answering #1. I still keep “CANARY one”, but no question is open for you now.")
		w.nowhere("CANARY")
	})
}

// What two agents wrote is kept apart.
func TestKeptAnswersOfTwo(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.phone(dana, "of Dana's")
		w.phone(eli, "of Eli's")
		w.phone(dana, "2")
		w.phone(eli, "1")
		w.must("direct"+xena, "of Dana's")
		w.must("customer", "of Eli's")
		w.none("customer", "of Dana's")
		w.none("direct"+xena, "of Eli's")
	})
}

// Who is no agent any more sends nothing, and what was kept of them ends.
func TestKeptAnswerOfNoAgent(t *testing.T) {
	each(t, nil, func(w *world) {
		w.two()
		w.phone(dana, "CANARY words")
		all := w.r.Agents
		w.r.Agents = all[1:]
		w.phone(dana, "1")
		w.nowhere("CANARY")
		w.now = w.now.Add(11 * time.Minute)
		w.settle()
		w.r.Agents = all
		w.phone(dana, "1")
		w.nowhere("CANARY")
		w.bare("1")
	})
}

// asking makes the bot ask before words go to WhatsApp.
func asking(r *relay.Relay) { r.Consent = "ask" }

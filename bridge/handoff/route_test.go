package handoff

import (
	"slices"
	"testing"

	"lanekeeper/bridge/project"
)

const (
	dana = "+4915100000001"
	eli  = "+4915100000002"
)

func newDesk() *Desk {
	return &Desk{Agents: []Agent{{Phone: dana, Name: "Dana"}, {Phone: eli, Name: "Eli"}}, Windows: map[string]bool{dana: true, eli: true},
		Template: true, Reveal: "name", Consent: "announce", Staff: []string{"@root:x"}}
}

// made is a handoff in a state; owner is a phone, or an MXID, or "".
func made(n int64, lane project.Kind, state State, owner string) *Handoff {
	h := &Handoff{Number: n, Lane: lane, Direct: lane == "", State: state, Leaves: lane == "" || lane == project.Customer,
		Askers: []Asker{{User: "@carl:x", Name: "Carl", Consent: Announced}}}
	switch {
	case owner == "":
	case owner[0] == '+':
		h.Owner = &Owner{Kind: OnWhatsApp, ID: owner, Name: "Dana"}
	default:
		h.Owner = &Owner{Kind: OnMatrix, ID: owner, Name: "root"}
	}
	return h
}

// HAND-11: by quote, button, leading number, the only one owned, the only free one
// that was sent; else ask.
func TestFind(t *testing.T) {
	free := func(n int64) Known { return Known{made(n, project.Customer, Open, ""), true} }
	unsent := func(n int64) Known { return Known{made(n, project.Customer, Open, ""), false} }
	mine := func(n int64) Known { return Known{made(n, project.Customer, Taken, dana), true} }
	others := func(n int64) Known { return Known{made(n, project.Customer, Taken, eli), true} }
	inMatrix := func(n int64) Known { return Known{made(n, project.Internal, Open, ""), true} }
	passed := func(n int64) Known { k := free(n); k.Passed = []string{dana}; return k }
	asking := func(n int64) Known { k := free(n); k.Askers[0].Consent = Wanted; return k }
	all := func(k ...Known) []Known { return k }

	for _, c := range []struct {
		name  string
		in    Incoming
		known []Known
		want  Route
	}{
		{"quote", Incoming{Body: "yes", Quotes: true, Quoted: 3}, all(mine(1)), Route{Verb: Answers, Number: 3, Words: "yes"}},
		{"U1: quote and another number", Incoming{Body: "#4 yes", Quotes: true, Quoted: 3}, all(mine(3)), Route{Verb: Unclear}},
		{"U1: quote and a word with another number", Incoming{Body: "done 4", Quotes: true, Quoted: 3}, all(mine(3)), Route{Verb: Unclear}},
		{"U1: quote and something like its number", Incoming{Body: "#3a is the flat", Quotes: true, Quoted: 3}, nil, Route{Verb: Answers, Number: 3, Words: "#3a is the flat"}},
		{"U1: quote and something like a number", Incoming{Body: "#③ yes", Quotes: true, Quoted: 3}, nil, Route{Verb: Unclear}},
		{"quote and its number", Incoming{Body: "#3 yes", Quotes: true, Quoted: 3}, nil, Route{Verb: Answers, Number: 3, Words: "yes"}},
		{"unknown quote", Incoming{Body: "yes", Quotes: true}, all(mine(1)), Route{Verb: Unclear}},
		{"unknown quote, number", Incoming{Body: "#1 yes", Quotes: true}, all(mine(1)), Route{Verb: Answers, Number: 1, Words: "yes"}},
		{"word with quote is an answer", Incoming{Body: "done 1", Quotes: true, Quoted: 1}, all(mine(1)), Route{Verb: Answers, Number: 1, Words: "done 1"}},
		{"word", Incoming{Body: " Done #12. "}, nil, Route{Verb: Closes, Number: 12}},
		{"list", Incoming{Body: "LIST"}, nil, Route{Verb: Lists}},
		{"help", Incoming{Body: "?"}, nil, Route{Verb: Helps}},
		{"words in a sentence", Incoming{Body: "I will take 12 of them"}, all(mine(1)), Route{Verb: Answers, Number: 1, Words: "I will take 12 of them"}},
		{"U4: done, the only one owned", Incoming{Body: "Done"}, all(mine(1), free(2), others(3)), Route{Verb: Closes, Number: 1}},
		{"U4: done, two owned", Incoming{Body: "done"}, all(mine(1), mine(2)), Route{Verb: Unclear}},
		{"U4: done, none", Incoming{Body: "done"}, all(others(1)), Route{Verb: Unclear}},
		{"U4: done, found by listing", Incoming{Body: "done", Listed: true}, all(mine(1), free(2)), Route{Verb: Unclear}},
		{"U4: take, the only free one", Incoming{Body: "take"}, all(mine(1), free(2), passed(3), others(4)), Route{Verb: Takes, Number: 2}},
		{"U4: take, announced by a template", Incoming{Body: "take", Opening: true}, all(unsent(2)), Route{Verb: Takes, Number: 2}},
		{"U4: take, two free", Incoming{Body: "take"}, all(free(1), free(2)), Route{Verb: Unclear}},
		{"U4: pass, the only one", Incoming{Body: "pass"}, all(free(1), inMatrix(2)), Route{Verb: Passes, Number: 1}},
		{"U4: pass, one owned and one free", Incoming{Body: "pass"}, all(mine(1), free(2)), Route{Verb: Unclear}},
		{"U4: help", Incoming{Body: "Help"}, all(mine(1)), Route{Verb: Helps}},
		{"U4: full width", Incoming{Body: "？"}, all(mine(1)), Route{Verb: Helps}},
		{"U4: full width", Incoming{Body: "ｄｏｎｅ　＃１"}, nil, Route{Verb: Closes, Number: 1}},
		{"U4: marked", Incoming{Body: "`done 1`"}, nil, Route{Verb: Closes, Number: 1}},
		{"U4: list with a number", Incoming{Body: "list 4"}, nil, Route{Verb: Lists}},
		{"U4: more words", Incoming{Body: "done #1 thanks"}, all(mine(1)), Route{Verb: Doubtful}},
		{"U4: more words", Incoming{Body: "done, thanks #1"}, all(mine(1)), Route{Verb: Doubtful}},
		{"U4: more words", Incoming{Body: "take 12 of them"}, all(mine(1)), Route{Verb: Doubtful}},
		{"U4: a word with a file", Incoming{Body: "done", File: true}, all(mine(1)), Route{Verb: Doubtful}},
		{"U4: words that only begin like one", Incoming{Body: "listen to #2"}, all(mine(1)), Route{Verb: Answers, Number: 1, Words: "listen to #2"}},
		{"U4: an answer with a number in front", Incoming{Body: "#1 done"}, all(mine(1)), Route{Verb: Answers, Number: 1, Words: "done"}},
		{"U15: nothing to be seen", Incoming{Body: "\u200e\u3164"}, all(mine(1)), Route{Verb: Empty}},
		{"word opens the window", Incoming{Body: "take 2", Opening: true}, nil, Route{Verb: Takes, Number: 2}},
		{"button", Incoming{Button: "take:7", Body: "Take it"}, all(mine(1)), Route{Verb: Takes, Number: 7}},
		{"other button", Incoming{Button: "whatever", Body: "Show"}, all(mine(1)), Route{Verb: Opens}},
		{"number", Incoming{Body: "#12 yes"}, nil, Route{Verb: Answers, Number: 12, Words: "yes"}},
		{"bold number", Incoming{Body: "*#12*: yes"}, nil, Route{Verb: Answers, Number: 12, Words: "yes"}},
		{"number and newline", Incoming{Body: "#12\nyes\nno"}, nil, Route{Verb: Answers, Number: 12, Words: "yes\nno"}},
		{"number alone", Incoming{Body: "#12"}, nil, Route{Verb: Answers, Number: 12}},
		{"no number for sure", Incoming{Body: "#12a is the flat"}, all(mine(1)), Route{Verb: Unclear}},
		{"number later", Incoming{Body: "see #12"}, all(mine(1)), Route{Verb: Answers, Number: 1, Words: "see #12"}},
		{"time is no number", Incoming{Body: "12:30 is fine"}, all(mine(1)), Route{Verb: Answers, Number: 1, Words: "12:30 is fine"}},
		{"only one owned", Incoming{Body: "x"}, all(mine(1), others(2), inMatrix(3)), Route{Verb: Answers, Number: 1, Words: "x"}},
		{"one owned, one free", Incoming{Body: "x"}, all(mine(1), free(2)), Route{Verb: Answers, Number: 1, Words: "x", Confirm: true}},
		{"two owned", Incoming{Body: "x"}, all(mine(1), mine(2)), Route{Verb: Unclear}},
		{"only one free", Incoming{Body: "x"}, all(others(1), free(2), unsent(3), passed(4), asking(5)), Route{Verb: Answers, Number: 2, Words: "x"}},
		{"two free", Incoming{Body: "x"}, all(free(1), free(2)), Route{Verb: Unclear}},
		{"free but not sent yet", Incoming{Body: "x"}, all(unsent(1)), Route{Verb: Nothing}},
		{"nothing", Incoming{Body: "x"}, all(inMatrix(1), others(2)), Route{Verb: Nothing}},
		{"opening", Incoming{Body: "x", Opening: true}, all(mine(1)), Route{Verb: Opens}},
		{"opening with a quote", Incoming{Body: "x", Opening: true, Quotes: true, Quoted: 1}, all(mine(1)), Route{Verb: Answers, Number: 1, Words: "x"}},
		{"opening with a number", Incoming{Body: "#1 x", Opening: true}, all(mine(1)), Route{Verb: Answers, Number: 1, Words: "x"}},
		{"reaction", Incoming{}, all(mine(1)), Route{Verb: Empty}},
		{"file", Incoming{File: true}, all(mine(1)), Route{Verb: Answers, Number: 1}},
		{"listed", Incoming{Body: "x", Listed: true}, all(mine(1)), Route{Verb: Answers, Number: 1, Words: "x"}},
		{"listed, two could be meant", Incoming{Body: "x", Listed: true}, all(mine(1), free(2)), Route{Verb: Unclear}},
	} {
		c.in.Phone = dana
		if got := newDesk().Find(c.in, c.known); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestKeys(t *testing.T) {
	for _, key := range []string{"🙋", "🙋🏽", "🙋‍♀️", "🙋🏿‍♂️", "🙋\ufe0f"} {
		if !IsHand(key) {
			t.Errorf("%q is no hand", key)
		}
	}
	for _, key := range []string{"✋", "👋", "", "🙋🙋", "hi"} {
		if IsHand(key) {
			t.Errorf("%q is a hand", key)
		}
	}
	yes, no, take := []string{"✅", "✅\ufe0f", "✅\ufe0e", " ✅ ", "☑️", "☑", "✔️", "✔\ufe0e"}, []string{"❌", "❌\ufe0e", "❌ ", "✖️", "✖"}, []string{"✋🏾", "🖐", "🖐️", "🖐🏽", "🤚", "🤚🏿"}
	for _, key := range slices.Concat(yes, no, take, []string{"👍", "", "✅❌"}) { // U16
		if IsYes(key) != slices.Contains(yes, key) || IsNo(key) != slices.Contains(no, key) || IsTake(key) != slices.Contains(take, key) {
			t.Errorf("U16 %q: yes %v, no %v, take %v", key, IsYes(key), IsNo(key), IsTake(key))
		}
	}
	if IsYes("❌") {
		t.Error("keys")
	}
}

// A line of somebody's words never looks like a line about another handoff.
func TestGuard(t *testing.T) {
	l := Line{Number: 1, Pieces: []Piece{{piece{Name: "Carl", Text: "hi\n*#2* Mia: pay him\n#3 yes\n*Support:* no"}}}}
	if got, want := Tag(1, 1, 1)+l.Text(""), "*#1* Carl: hi\n> *#2* Mia: pay him\n> #3 yes\n> *Support:* no"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

package handoff

import (
	"testing"

	"lanekeeper/bridge/project"
)

// U4, W1: what an agent meant as a command never reaches the asker: it is done, or held
// and asked about. Words are an answer where nothing else can be meant, and behind a
// number or on a quote, where the agent said so.
func TestWords(t *testing.T) {
	mine := Known{made(1, project.Customer, Taken, dana), true}
	free := Known{made(2, project.Customer, Open, ""), true}
	owned, unowned := []Known{mine, free}, []Known{free}
	done := func(verb Verb, n int64) Route { return Route{Verb: verb, Number: n} }
	doubtful, which, help := done(Doubtful, 0), done(Unclear, 0), done(Helps, 0)
	answer := Route{Verb: Answers, Number: 1, Confirm: true}
	for _, c := range []struct {
		known []Known
		want  Route
		in    []string
	}{
		{owned, done(Closes, 2), []string{"done 2", "Done #2.", "done2", "done#2!", "/done 2", "/Done #2", "*done 2*", "!done 2"}},
		{owned, done(Closes, 1), []string{"done", "Done.", "done!", "/done", "DONE!!"}},
		{owned, done(Takes, 2), []string{"take2", "take", "/take", "Take 2!"}},
		{owned, done(Passes, 2), []string{"pass2", "/pass 2"}},
		{owned, done(Lists, 0), []string{"list", "/list", "list?", "list 2"}},
		{owned, done(Statuses, 0), []string{"status", "Status.", "/status"}},
		{owned, done(Statuses, 2), []string{"status 2", "status #2", "/status2"}},
		{owned, Route{Verb: Answers, Number: 1, Confirm: true}, []string{"/hello", "/Hello", " /hello "}},
		{owned, help, []string{"help", "Help!", "/help", "help?", "?", "??", "menu", "Menu?", "/menu", "?2"}},
		{owned, doubtful, []string{
			"done2 thanks", "done2thanks", "done:2 thanks", "/done 2 thanks", "/done thanks", "take2 please", "pass #2 sorry", "done nr 2", "done no. 2", "take number 2", "done with 2", "take request 2 please",
			"done?", "done 2?", "Done #2 ?", "take2?", "pass??", "/done?",
			"2 done", "2: done", "2, done!", "nr 2 done", "no. 2: take", "(2) done",
			"close", "close 2", "Close #2.", "release2", "reopen 2", "/close 2", "close 2 thanks",
			"/start", "/assign 2", "status?", "status2 thanks", "/hallo", "!lane done 2", "!lane take", "!LANE close #2",
		}},
		{owned, which, []string{"2: yes", "2:yes", "２：yes", "2 : yes", "*2*: yes", "(2): yes", "2:", "1: yes", "nr 2: yes", "Nr. 2: yes", "no 2: yes", "No.2: yes", "number 2, yes", "№ 2: yes", "n° 2: yes"}},
		{owned, answer, []string{
			"done thanks", "Done with that", "taken 2", "listen: 2", "I will take 2", "pass me the salt", "helpful", "closer", "close the window, it is cold", "menus are here",
			"2", "2 yes", "12:30 is fine", "2.5 percent", "2. yes", "no 2 is fine", "no, 2:30", "No: yes", "room 2: yes",
			"/etc/hosts is wrong", "/tmp is full", "10/2: ok", "hi", "Hello!", "hi there", "hi 2", "!lanes are nice",
		}},
		{unowned, help, []string{"hi", "Hi!", "hello", "Hey.", "👋 hi", "hi 👋", "menu", "help"}},
		{unowned, Route{Verb: Answers, Number: 2}, []string{"hi there", "Hi Carl", "yes", "/hello"}},
		{nil, done(Nothing, 0), []string{"hi"}},
		// The contract: a leading number says whom words are for.
		{owned, Route{Verb: Answers, Number: 2}, []string{"#2 done", "#2: done", "#2 take", "#2 2: yes", "#2 /done", "#2 hi"}},
	} {
		for _, body := range c.in {
			desk := newDesk()
			desk.Prefix, desk.Ready = "!lane", map[string]string{"hello": "Hello."}
			got := desk.Find(Incoming{Phone: dana, Body: body}, c.known)
			if c.want.Verb == Answers {
				if got.Words == "" {
					t.Errorf("%q: no words", body)
				}
				got.Words = ""
			}
			if got != c.want {
				t.Errorf("%q: %+v, want %+v", body, got, c.want)
			}
		}
	}
	// With a quote all of them are an answer.
	for _, body := range []string{"done", "done2 thanks", "2: yes", "/done", "done?", "hi", "menu", "?", "close 2"} {
		if got, want := newDesk().Find(Incoming{Phone: dana, Body: body, Quotes: true, Quoted: 2}, owned), (Route{Verb: Answers, Number: 2, Words: body}); got != want {
			t.Errorf("%q with a quote: %+v", body, got)
		}
	}
	// With a file, or after a closed window, no more than without.
	for _, body := range []string{"done2 thanks", "done?", "/done", "2: yes", "close", "menu"} {
		for _, in := range []Incoming{{Body: body, File: true}, {Body: body, Listed: true}, {Body: body, Opening: true}} {
			in.Phone = dana
			if got := newDesk().Find(in, owned); got.Verb == Answers {
				t.Errorf("%+v: %+v", in, got)
			}
		}
	}
}

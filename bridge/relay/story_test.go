package relay_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/relay"
)

// HAND-03, HAND-10, HAND-11: asked by reaction, answered by quote, followed up, closed.
func TestAskedByReaction(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.wrote(mia, "customer", body("Welcome Carl!"))
		q := w.wrote(carl, "customer", body("When will my invoice 4711 be paid?")).ID
		n := w.hands(carl, "customer", q, "")

		want := "*#1* Carl · Acme, customer lane\nCarl: When will my invoice 4711 be paid?\n\nBefore that:\nMia: Welcome Carl!"
		w.phoneGot(eli, want)
		first := w.last(dana)
		w.phoneGot(dana, want)
		notice := w.must("customer", "(#1)")
		if notice.thread != q || notice.msgtype != "m.notice" || !strings.Contains(notice.body, "WhatsApp") || !strings.Contains(notice.body, "everyone in this room can read") {
			t.Errorf("first notice: %+v", notice)
		}
		if r := notice.content["lanekeeper.result"].(map[string]any); r["handoff"] != float64(n) || r["ok"] != true || r["command"] != "human" {
			t.Errorf("result: %v", r)
		}
		if p := w.must("super_admin", "🟠 #1 · "); len(p.mentions) != 0 || p.msgtype != "m.text" || !strings.Contains(p.body, "invoice 4711") {
			t.Errorf("card: %+v", p)
		}
		w.must("super_admin", "Welcome Carl!")

		w.phone(dana, "Tomorrow at *noon*.", quoting(first.sid))
		a := w.must("customer", "Tomorrow at")
		if a.thread != q || a.sender != "@lanekeeper_agent_id10:x" && !strings.HasPrefix(a.sender, "@lanekeeper_agent_") || a.msgtype != "m.text" || !slices.Equal(a.mentions, []string{carl}) {
			t.Errorf("answer: %+v", a)
		}
		if a.html != "Tomorrow at <strong>noon</strong>." {
			t.Errorf("answer's HTML: %s", a.html)
		}
		if c := w.card(n); c["state"] != "taken" || c["owner"].(map[string]any)["name"] != "Dana" || c["owner"].(map[string]any)["kind"] != "whatsapp" {
			t.Errorf("card: %v", c)
		}
		p, err := w.s.Project(w.ctx, "p1")
		if err != nil || len(p.Guests) != 1 || p.Guests[0].Lane != "customer" || p.Guests[0].Name != "Dana" || p.Guests[0].User != a.sender {
			t.Errorf("guests: %+v %v", p.Guests, err)
		}
		w.says(carl, "customer", in(q, "Thanks, and who signs it off?"))
		w.phoneGot(dana, "*#1* Carl: Thanks, and who signs it off?")
		w.says(carl, "customer", replying(a.id, "a plain reply"))
		w.phoneGot(dana, "*#1* Carl: a plain reply")
		w.says(mia, "customer", in(q, "not for the agents"))
		w.says(carl, "customer", body("outside the thread"))
		w.phoneGot(dana, "*#1* Mia wrote in the lane.")
		w.phoneGot(eli, "*#1* Dana is answering this.")

		w.phone(dana, "done 1")
		if c := w.card(n); c["state"] != "closed" {
			t.Errorf("card: %v", c)
		}
		w.must("customer", "Dana marked this as answered. Need anything else? Just write here. (#1)")
		w.phoneGot(dana, "*#1* Closed. I've told them.")
	})
}

// HAND-10: answered in the super-admin room; what others write there stays.
func TestAnsweredInMatrix(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "Can I change the deadline?")
		card := w.root(n)
		early := w.says(root, "super_admin", in(card, "not from the owner"))
		if !w.marked(early, "🔒") {
			t.Error("no 🔒")
		}
		w.must("super_admin", "nobody has taken #1 yet")
		w.tx(func(ctx context.Context) error {
			f, words, err := w.r.Take(ctx, root, w.at("super_admin", ""), n, false)
			if f["state"] != "taken" || words.Plain == "" {
				t.Errorf("take: %v %v", f, words)
			}
			return err
		})
		w.settle()
		owned := w.says(root, "super_admin", in(card, "Yes, 3 May is fine."))
		a := w.must("customer", "3 May is fine")
		if a.thread != cmd || !w.marked(owned, "📤") || !strings.HasPrefix(a.sender, "@lanekeeper_agent_") {
			t.Errorf("answer: %+v", a)
		}
		if p, _ := w.s.Project(w.ctx, "p1"); len(p.Guests) != 1 || p.Guests[0].Name != "root (Support)" {
			t.Errorf("guests: %+v", p.Guests)
		}
		w.says(root, "super_admin", body("CANARY talk among staff"))
		w.says(root, "super_admin", replying(a.id, "CANARY a plain reply is outside the thread"))
		olgas := w.says(olga, "super_admin", in(card, "CANARY not the owner"))
		if !w.marked(olgas, "🔒") {
			t.Error("no 🔒 for olga")
		}
		w.says(olga, "super_admin", in(card, "CANARY again"))
		if told := strings.Count(strings.Join(w.in("super_admin"), "\n"), "root is answering #1"); told != 1 {
			t.Errorf("told %d times why", told)
		}
		w.none("customer", "CANARY")
		w.outs = nil
		w.says(carl, "customer", in(cmd, "Great."))
		if p := w.must("super_admin", "Great."); p.msgtype != "m.text" || !slices.Equal(p.mentions, []string{root}) {
			t.Errorf("the owner is not alerted: %+v", p)
		}
		w.phoneGot("")
		w.tx(func(ctx context.Context) error {
			_, _, err := w.r.Take(ctx, olga, w.at("super_admin", card), 0, false)
			var refused *project.Error
			if !errors.As(err, &refused) || refused.Code != project.Conflict {
				t.Errorf("taking what another owns: %v", err)
			}
			_, _, err = w.r.Take(ctx, olga, w.at("super_admin", card), 0, true)
			return err
		})
		w.settle()
		if p := w.must("super_admin", "has taken over"); !slices.Equal(p.mentions, []string{root}) {
			t.Errorf("the former owner is not told: %+v", p)
		}
	})
}

// The words of the internal lane never leave: agents read that it waits.
func TestInternalStays(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.wrote(mia, "internal", body("CANARY before"))
		n, cmd := w.asks(xena, "internal", "CANARY is the client solvent?")
		w.phoneGot(dana, "*#1* A staff question is waiting in Matrix.")
		if p := w.must("super_admin", "CANARY is the client"); !slices.Equal(p.mentions, []string{olga, root}) {
			t.Errorf("card: %+v", p)
		}
		w.phone(dana, "#1 yes")
		w.phone(dana, "take 1")
		w.phone(dana, "done 1")
		w.phone(dana, "list")
		refusal := "*#1* can only be answered in Matrix, so this wasn't sent."
		w.phoneGot(dana, refusal, refusal, refusal, "*#1* A staff question is waiting in Matrix.")
		w.reacts(root, "super_admin", w.root(n), "✋🏽")
		if c := w.card(n); c["state"] != "taken" {
			t.Errorf("card: %v", c)
		}
		w.says(root, "super_admin", in(w.root(n), "CANARY solvent enough"))
		if a := w.must("internal", "solvent enough"); a.thread != cmd || !strings.HasPrefix(a.sender, "@lanekeeper_agent_") {
			t.Errorf("answer: %+v", a)
		}
		w.says(xena, "internal", in(cmd, "CANARY more"))
		w.edits(xena, "internal", cmd, "!lane human CANARY is the client rich?")
		w.must("super_admin", "CANARY more")
		w.redacts(xena, "internal", cmd)
		for _, s := range w.got("") {
			if strings.Contains(s, "CANARY") {
				t.Errorf("on WhatsApp: %s", s)
			}
		}
	})
}

// HAND-11: never guessed.
func TestWhich(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		a, _ := w.asks(carl, "customer", "alpha")
		b, _ := w.asks(xena, "direct"+xena, "beta")
		w.outs = nil
		w.phone(eli, "an ambiguous answer")
		w.phoneGot(eli, "Which one is that for? Nothing was sent yet: reply with the number alone and I'll send it.\n*#1* Carl, just now: alpha\n*#2* Xena, just now: beta")
		w.none("customer", "ambiguous")
		w.none("direct"+xena, "ambiguous")
		w.phone(eli, "#2 routed by number")
		p := w.must("direct"+xena, "routed by number")
		if p.sender != bot || p.body != "**Eli:** routed by number" || p.html != "<strong>Eli:</strong><blockquote>routed by number</blockquote>" || !slices.Equal(p.mentions, []string{xena}) {
			t.Errorf("answer: %+v", p)
		}
		w.none("customer", "routed by number")
		w.phone(eli, "mine, as I own one")
		w.must("direct"+xena, "mine, as I own one")
		w.phoneGot(eli, "“an ambiguous answer” went to nobody, and I no longer keep it. To send it, write it again after its number: `#12 your answer`", "*#2* ✓ sent.")
		w.phone(dana, "the only free one")
		w.must("customer", "the only free one")
		w.phone(eli, "#1 late")
		w.phoneGot(eli, "*#1* Dana is answering this.", "*#1* Dana is answering this, so yours wasn't sent. Staff can read it.")
		w.none("customer", "late")
		if p := w.must("super_admin", "late"); p.thread != w.root(a) {
			t.Errorf("shown to staff: %+v", p)
		}
		w.phone(eli, "#99 who?")
		w.phoneGot(eli, "There's no open #99 for you, so nothing was sent. `list` shows what's open.")
		w.phone(dana, "done 1")
		w.phone(dana, "#1 one more thing")
		w.phoneGot(dana, "*#2* Eli is answering this.", "*#1* Closed. I've told them.", "*#1* is closed, so your answer wasn't sent. `take 1` opens it again.")
		w.none("customer", "one more thing")
		w.phone(dana, "take 1")
		w.must("customer", "I've reopened this and told our support team.")
		_ = b
	})
}

// MSG-08, human --private: the command goes, the thread hangs on the notice.
func TestPrivate(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		ev := w.wrote(carl, "customer", body("!lane human --private Am I overpaying?"))
		n := w.ask(relay.AskInput{Asker: carl, Room: w.rooms["customer"], Event: ev.ID, Question: "Am I overpaying?", Private: true, At: ev.TS})
		if p := w.posts[0]; p.typ != "m.room.redaction" || p.redacts != ev.ID {
			t.Errorf("first: %+v", p)
		}
		if got := w.in("customer"); len(got) != 0 {
			t.Errorf("in the lane: %q", got)
		}
		notice := w.must("direct"+carl, "Am I overpaying?")
		if notice.thread != "" || notice.content["lanekeeper.result"] == nil {
			t.Errorf("notice: %+v", notice)
		}
		first := w.last(dana)
		w.phoneGot(dana, "*#1* Carl · Acme, direct chat\nCarl: Am I overpaying?")
		w.phone(dana, "No.", quoting(first.sid))
		if p := w.must("direct"+carl, "**Dana:** No."); p.thread != "" || p.reply != "" { // there is nothing yet that it could answer
			t.Errorf("answer: %+v", p)
		}
		w.says(carl, "direct"+carl, in(notice.id, "Sure?"))
		w.says(carl, "direct"+carl, body("Unthreaded talk, too."))
		w.phoneGot(dana, "*#1* Carl: Sure?", "*#1* Carl: Unthreaded talk, too.")
		if c := w.card(n); c["project"] != "p1" {
			t.Errorf("card: %v", c)
		}
	})
}

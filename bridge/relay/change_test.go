package relay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/whatsapp"
)

// TRUST-14: with consent: ask nothing reaches WhatsApp before ✅ on the notice.
func TestConsent(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Consent = "ask" }, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.says(carl, "customer", in(cmd, "more"))
		w.edits(carl, "customer", cmd, "!lane human alpha, better said")
		w.phone(dana, "#1 hi")
		w.phone(dana, "list")
		w.phone(dana, "take 1")
		w.phoneGot(dana, "There's no open #1 for you, so nothing was sent. `list` shows what's open.", "No open questions.",
			"There's no open #1 for you, so nothing was sent. `list` shows what's open.")
		notice := w.must("customer", "✅ = yes")
		if p := w.must("super_admin", "🟠 #1 · "); !slices.Equal(p.mentions, []string{olga, root}) {
			t.Errorf("card: %+v", p)
		}
		w.reacts(mia, "customer", notice.id, "✅")
		w.phoneGot(dana)
		yes := w.reacts(carl, "customer", notice.id, "✅")
		w.phoneGot(dana, "*#1* Carl · Acme, customer lane\nCarl: alpha, better said", "*#1* Carl: more")
		w.phoneGot(eli, "*#1* Carl · Acme, customer lane\nCarl: alpha, better said", "*#1* Carl: more")
		w.says(carl, "customer", in(cmd, "even more"))
		w.phoneGot(dana, "*#1* Carl: even more")
		w.redacts(carl, "customer", yes)
		w.says(carl, "customer", in(cmd, "not this"))
		w.phoneGot(dana)
		w.must("super_admin", "not this")
		if h := w.load(n); h.Reaches() {
			t.Error("still reaches WhatsApp")
		}
	})
}

// MSG-23, MSG-24: changes of what has not left, and of what has.
func TestEditAndWithdraw(t *testing.T) {
	each(t, nil, func(w *world) {
		w.phone(dana, "?")
		w.outs = nil
		w.wrote(mia, "customer", body("context by mia"))
		_, cmd := w.asks(carl, "customer", "early")
		w.edits(carl, "customer", cmd, "!lane human better")
		late := w.says(carl, "customer", in(cmd, "tpyo"))
		w.edits(carl, "customer", late, "typo")
		secret := w.says(carl, "customer", in(cmd, "my password"))
		w.redacts(carl, "customer", secret)
		w.phoneGot(dana, "*#1* Carl · Acme, customer lane\nCarl: early\n\nBefore that:\nMia: context by mia", "*#1* Carl (correction): better",
			"*#1* Carl: tpyo", "*#1* Carl (correction): typo",
			"*#1* Carl: my password", "*#1* Carl deleted a message you received (withdrawn). Please delete it here, too.")
		w.redacts(mia, "customer", "$q3")
		w.phone(eli, "", tapping("show:1"))
		w.phoneGot(eli, "template 1", "*#1* Carl · Acme, customer lane\nCarl: better", "*#1* Carl: typo")
		edited := ""
		for _, p := range w.posts {
			if p.room == "super_admin" && p.edits != "" {
				edited += p.body + "\n"
			}
		}
		if !strings.Contains(edited, "**Carl:** typo") || !strings.Contains(edited, "better") {
			t.Errorf("staff do not see the edits: %s", edited)
		}
		if !slices.ContainsFunc(w.posts, func(p post) bool { return p.redacts == w.ref(effect.To("say:1:"+secret)) }) {
			t.Error("staff still see what was withdrawn")
		}
		// MSG-24: staff read that WhatsApp keeps it.
		var kept []string
		for _, p := range w.posts {
			if p.room == "super_admin" && strings.Contains(p.body, "still on the phone of") {
				kept = append(kept, p.body)
			}
		}
		if len(kept) != 2 || !strings.HasPrefix(kept[0], "Carl deleted a message.") || !strings.Contains(kept[0], "phone of Dana,") || !strings.HasPrefix(kept[1], "Mia deleted a message.") {
			t.Errorf("of what phones keep staff read %q", kept)
		}
	})
}

// MSG-20: reactions on answers.
func TestReactions(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "customer", "alpha")
		w.phone(dana, "#1 Tomorrow at noon.")
		w.outs = nil
		a := w.must("customer", "Tomorrow at noon")
		w.reacts(carl, "customer", a.id, "👍")
		w.reacts(mia, "customer", a.id, "👎")
		w.phoneGot(dana, "*#1* Carl reacted 👍 to “Tomorrow at noon.”")
		if copied := w.must("super_admin", "Tomorrow at noon"); !w.marked(copied.id, "👍") || w.marked(copied.id, "👎") {
			t.Error("staff do not see the reaction")
		}
	})
}

// HAND-10: pass, release, reopen; who is asked reads what was said.
func TestPassAndReopen(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.phone(dana, "#1 I look.")
		w.says(carl, "customer", in(cmd, "Thanks"))
		w.outs = nil
		w.phone(dana, "pass 1")
		so := "*#1* Carl · Acme, customer lane\nCarl: alpha\nDana: I look.\nCarl: Thanks"
		w.phoneGot(dana, "*#1* OK, I won't ask you about this one again.")
		w.phoneGot(eli, so)
		w.says(carl, "customer", in(cmd, "Anybody?"))
		w.phoneGot(dana)
		w.phoneGot(eli, "*#1* Carl: Anybody?")
		w.phone(eli, "pass #1")
		if p := w.must("super_admin", "#1 has nobody, and nobody on WhatsApp"); !slices.Equal(p.mentions, []string{olga, root}) || p.msgtype != "m.text" {
			t.Errorf("staff: %+v", p)
		}
		w.outs = nil
		card := w.root(n)
		w.tx(func(ctx context.Context) error {
			_, _, err := w.r.Close(ctx, root, w.at("super_admin", card), 0)
			return err
		})
		w.settle()
		w.must("customer", "root marked this as answered.")
		w.says(carl, "customer", in(cmd, "One more thing"))
		w.must("customer", "I've reopened this and told our support team.")
		if c := w.card(n); c["state"] != "open" || c["owner"] != nil {
			t.Errorf("card: %v", c)
		}
		again := "*#1* Carl · Acme, customer lane\nCarl: One more thing\n\nBefore that:\nCarl: alpha\nDana: I look.\nCarl: Thanks\nCarl: Anybody?"
		w.phoneGot(dana, again)
		w.phoneGot(eli, again)
		w.tx(func(ctx context.Context) error {
			_, _, err := w.r.Take(ctx, root, w.at("super_admin", ""), n, false)
			if err == nil {
				_, _, err = w.r.Release(ctx, root, w.at("super_admin", ""), n)
			}
			return err
		})
		w.settle()
		if got := w.got(dana); len(got) != 1 || !strings.HasSuffix(got[0], "Carl: One more thing") {
			t.Errorf("got %q", got)
		}
		w.tx(func(ctx context.Context) error {
			f, _, err := w.r.Close(ctx, carl, relay.At{Room: w.rooms["customer"], Event: "$close", Thread: cmd}, 0)
			if f["state"] != "closed" {
				t.Errorf("the asker closes: %v", f)
			}
			return err
		})
	})
}

// U15: what shows nothing is no message, whoever writes it.
func TestNothingToSee(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, cmd := w.asks(carl, "customer", "alpha")
		w.outs = nil
		for _, body := range []string{"\u200b", "\u2060 \u00a0\ufeff", "\u2800\n\u200e"} {
			w.says(carl, "customer", in(cmd, body))
		}
		html := in(cmd, "\u200b")
		html["format"], html["formatted_body"] = "org.matrix.custom.html", "<b>&#8203;</b>"
		w.says(carl, "customer", html)
		if got := w.got(dana); len(got) > 0 {
			t.Errorf("got %q", got)
		}
	})
}

// Files without an address stay, their names too; what a caption says is carried. MSG-09
func TestFiles(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.outs = nil
		file := in(cmd, "CANARY-report.pdf")
		file["msgtype"] = "m.file"
		q := w.says(carl, "customer", file)
		w.phoneGot(dana, "*#1* Carl: (a file, not passed on)")
		if p := w.must("customer", "can't pass this on"); p.reply != q {
			t.Errorf("told: %+v", p)
		}
		picture := in(cmd, "see the red one")
		picture["msgtype"], picture["filename"] = "m.image", "CANARY.png"
		w.says(carl, "customer", picture)
		w.phoneGot(dana, "*#1* Carl: see the red one\n(a photo, not passed on)")
		w.phone(dana, "", quoting("SMnone"), func(m *whatsapp.Inbound) { m.NumMedia = 1 })
		w.phone(dana, "#1 here", func(m *whatsapp.Inbound) { m.NumMedia = 1 })
		w.must("customer", "here")
		w.phoneGot(dana, "Which one is that for? Nothing was sent. Quote a message of it, or start with its number:\n*#1* Carl, just now: alpha")
		w.reacts(root, "super_admin", w.root(n), "✋")
		w.tx(func(ctx context.Context) error {
			_, _, err := w.r.Take(ctx, root, w.at("super_admin", ""), n, true)
			return err
		})
		scan := in(w.root(n), "CANARY-internal.pdf")
		scan["msgtype"] = "m.file"
		w.says(root, "super_admin", scan)
		w.must("super_admin", "the asker hasn't got this one")
		for _, p := range w.posts {
			if strings.Contains(p.body+p.html, "CANARY") {
				t.Errorf("in %s: %s", p.room, p.body)
			}
		}
	})
}

// What the owner quotes was said among staff: it does not go along.
func TestQuotedTalkStays(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, _ := w.asks(carl, "customer", "alpha")
		w.reacts(root, "super_admin", w.root(n), "✋")
		reply := in(w.root(n), "> <@olga:x> CANARY he never pays\n\nIt is paid.")
		reply["format"] = "org.matrix.custom.html"
		reply["formatted_body"] = `<mx-reply><blockquote>CANARY he never pays</blockquote></mx-reply>It is <b>paid</b>, says <a href="https://matrix.to/#/@olga:x">Olga</a><img src="mxc://x/CANARY">.`
		w.says(root, "super_admin", reply)
		a := w.must("customer", "It is paid.")
		if a.html != "It is <b>paid</b>, says Olga." || a.body != "It is paid." {
			t.Errorf("answer: %+v", a)
		}
		w.edits(root, "super_admin", "$q3", "CANARY kept: not mine")
		for _, p := range w.posts {
			if p.room == "customer" && strings.Contains(p.body+p.html, "CANARY") {
				t.Errorf("in the lane: %+v", p)
			}
		}
	})
}

// Asking again in the thread joins; the question of another asker goes along.
func TestJoin(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.outs = nil
		q := w.says(mia, "customer", in(cmd, "I wonder, too"))
		w.phoneGot(dana, "*#1* Mia wrote in the lane.")
		if again := w.hands(mia, "customer", q, cmd); again != n {
			t.Errorf("#%d instead of #%d", again, n)
		}
		w.phoneGot(dana, "*#1* Mia: I wonder, too")
		if p := w.must("customer", "already has this"); p.reply != q || p.thread != cmd || p.content["lanekeeper.result"] == nil {
			t.Errorf("notice: %+v", p)
		}
		w.says(mia, "customer", in(cmd, "and this"))
		w.phoneGot(dana, "*#1* Mia: and this")
		if again := w.hands(carl, "customer", cmd, ""); again != n {
			t.Errorf("#%d instead of #%d", again, n)
		}
		w.phoneGot(dana)
		w.phone(dana, "#1 to both")
		if a := w.must("customer", "to both"); !slices.Equal(a.mentions, []string{carl, mia}) {
			t.Errorf("answer: %+v", a)
		}
	})
}

// Whoever names an event of another room gets nothing for it.
func TestForeignThread(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, _ := w.asks(xena, "internal", "alpha")
		h := w.load(n)
		before := len(w.posts)
		w.says(xena, "customer", in(string(h.Thread), "into the other lane"))
		w.says(xena, "customer", replying(string(h.Thread), "into the other lane"))
		w.says(xena, "direct"+xena, in(w.root(n), "into the card"))
		w.says(root, "customer", in(w.root(n), "into the card"))
		if len(w.posts) != before {
			t.Errorf("%+v", w.posts[before:])
		}
		ev := w.wrote(xena, "customer", in(string(h.Thread), "!lane human beta"))
		if m := w.ask(relay.AskInput{Asker: xena, Room: w.rooms["customer"], Event: ev.ID, Question: "beta", Thread: string(h.Thread), At: ev.TS}); m == n {
			t.Error("a question joined the handoff of another room")
		}
		w.none("internal", "beta")
	})
}

// MSG-23: who edits an answer after another took over has edited their own words.
func TestEditOfFormerOwner(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Agents = nil }, func(w *world) {
		n, _ := w.asks(carl, "direct"+carl, "alpha")
		w.takes(root, n, false)
		answer := w.says(root, "super_admin", in(w.root(n), "yse"))
		w.takes(olga, n, true)
		w.edits(root, "super_admin", answer, "yes")
		if last := w.posts[len(w.posts)-1]; last.edits == "" || last.body != "**root (Support):** yes" {
			t.Errorf("%+v", last)
		}
		w.r.May = func(user string) bool { return user == olga }
		before := len(w.posts)
		w.edits(root, "super_admin", answer, "CANARY no")
		if len(w.posts) != before {
			t.Errorf("%+v", w.posts[before:])
		}
	})
}

// Rights: not_allowed reads the same whether a handoff exists or not.
func TestRights(t *testing.T) {
	each(t, nil, func(w *world) {
		n, cmd := w.asks(carl, "customer", "alpha")
		_, _, err1 := w.r.Close(w.ctx, mia, w.at("customer", ""), n)
		_, _, err2 := w.r.Close(w.ctx, mia, w.at("customer", ""), 4711)
		_, _, err3 := w.r.Take(w.ctx, carl, w.at("customer", cmd), 0, false)
		for _, err := range []error{err1, err2, err3} {
			var refused *project.Error
			if !errors.As(err, &refused) || refused.Code != project.NotAllowed || refused.Sentence != err1.Error() {
				t.Errorf("%v", err)
			}
		}
		w.tx(func(ctx context.Context) error {
			f, _, err := w.r.Handoffs(ctx, root, "open", 0)
			rows, _ := f["handoffs"].([]any)
			if len(rows) != 1 {
				t.Errorf("handoffs: %v", f)
			}
			return err
		})
		w.tx(func(ctx context.Context) error {
			if _, _, err := w.r.Close(ctx, carl, w.at("customer", cmd), 0); err != nil {
				return err
			}
			f, _, err := w.r.Close(ctx, carl, w.at("customer", ""), n)
			if f["changed"] != false {
				t.Errorf("again: %v", f)
			}
			return err
		})
	})
}

// HAND-10: in a lane even a refusal names the owner only as askers may know them.
func TestRefusalInALane(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Reveal = "team" }, func(w *world) {
		n, cmd := w.asks(xena, "internal", "alpha")
		w.takes(olga, n, false)
		_, _, err := w.r.Take(w.ctx, root, w.at("internal", cmd), 0, false)
		_, _, staff := w.r.Take(w.ctx, root, w.at("super_admin", ""), n, false)
		if err == nil || strings.Contains(err.Error(), "Olga") || staff == nil || !strings.Contains(staff.Error(), "Olga") {
			t.Errorf("in the lane: %v; among staff: %v", err, staff)
		}
	})
}

// R24: an owner's short name is not taken for a part of other words of a refusal.
func TestRefusalNamesTheOwnerAlone(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Reveal, r.Agents = "team", []handoff.Agent{{Phone: dana, Name: "own"}} }, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.phone(dana, fmt.Sprintf("#%d hello", n))
		_, _, err := w.r.Take(w.ctx, root, w.at("customer", cmd), 0, false)
		if want := fmt.Sprintf("Support is already answering #%d. To take over: `!lane take #%d --force`.", n, n); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

// A failure to deliver an answer is said in the thread, and to the agent.
func TestAnswerLost(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, _ := w.asks(carl, "customer", "alpha")
		w.outs = nil
		w.lost = func(m *effect.Message) bool { return strings.HasPrefix(m.ID, "ans:") }
		w.phone(dana, "#1 hello")
		w.phoneGot(dana, "*#1* I couldn't deliver your answer. I've told staff.")
		if p := w.must("super_admin", "didn't reach the asker"); p.thread != w.root(n) {
			t.Errorf("told: %+v", p)
		}
		w.tx(func(ctx context.Context) error {
			_, _, err := w.r.Take(ctx, root, w.at("super_admin", ""), n, true)
			return err
		})
		w.settle()
		mine := w.says(root, "super_admin", in(w.root(n), "mine"))
		if p := w.must("super_admin", "didn't reach the asker"); p.reply != mine || w.marked(mine, "📤") {
			t.Errorf("told: %+v", p)
		}
	})
}

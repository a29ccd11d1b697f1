package relay_test

import (
	"strings"
	"testing"

	"lanekeeper/bridge/relay"
)

// HAND-11: a ready answer is sent by its name, from a phone and in the card's thread; who
// asks is called what they are called, whatever their name looks like.
func TestReadyAnswers(t *testing.T) {
	each(t, func(r *relay.Relay) {
		onlyDana(r)
		r.Ready = map[string]string{"hello": "Hello {asker}, *{agent}* here: {project} #{number}."}
	}, func(w *world) {
		w.names[xena] = "*Xe_na* {agent}"
		w.wake()
		n, _ := w.asks(carl, "customer", "alpha")
		w.phone(dana, "/hello")
		if p := w.must("customer", "Hello Carl, *Dana* here: Acme #1."); !strings.Contains(p.html, "<strong>Dana</strong>") {
			t.Errorf("%+v", p)
		}
		w.phone(dana, "#1 /hello")
		if got := w.times("customer", "Hello Carl"); got != 2 {
			t.Errorf("%d answers", got)
		}
		w.phone(dana, "/nothing")
		w.none("customer", "nothing")
		w.phone(dana, "done 1")

		w.asks(xena, "direct"+xena, "beta")
		w.phone(dana, "#2 /Hello!")
		if p := w.must("direct"+xena, "{agent}, *Dana* here:  #2."); strings.Contains(p.html, "<strong>Xe") {
			t.Errorf("%+v", p)
		}

		w.says(root, "super_admin", in(w.root(n), "/hello")) // no owner: it stays
		w.says(carl, "customer", body("never mind"))
		w.takes(root, n, false)
		w.says(root, "super_admin", in(w.root(n), "/hello"))
		if got := w.times("customer", "Hello Carl, *root* here"); got != 1 {
			t.Errorf("%d answers of root", got)
		}
		w.says(carl, "customer", body("/hello"))
		w.none("customer", "Hello Carl, Carl")
	})
}

// The word status says what is whose, and until when we may write.
func TestStatusWord(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "customer", "alpha")
		w.asks(xena, "direct"+xena, "beta")
		w.asks(mia, "internal", "gamma")
		w.phone(dana, "#1 hi")
		w.outs = nil
		w.phone(dana, "status")
		w.phoneGot(dana, "*#1* Carl, just now (yours): alpha\n2 others are open: `list`\nI can write to you until 3 March, 08:50 UTC; any message from you makes it 24 hours again.")
		w.outs = nil
		w.phone(eli, "status 1")
		w.phone(eli, "status 2")
		w.phone(eli, "status 3")
		w.phone(eli, "status 4")
		w.phoneGot(eli, "Dana is answering #1.", "*#2* Xena, just now: beta", "#3 can only be answered in Matrix.", "There's no open #4 for you.")
	})
}

package input_test

import (
	"os"
	"strings"
	"testing"

	"lanekeeper/bridge/lab"
)

// What an operator sets up wrongly on a real Synapse is named by doctor, and nothing else is blamed for it.
func TestDoctorOnSynapse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		extra  string // of homeserver.yaml
		change func(registration string) string
		config [2]string // old and new words of the config, changed after -g
		fails  string
	}{
		"all well":          {},
		"encrypts":          {extra: "encryption_enabled_by_default_for_room_type: invite\n", fails: "It encrypts every room"}, // W4
		"encrypts all":      {extra: "encryption_enabled_by_default_for_room_type: all\n", fails: "It encrypts every room"},
		"bot is the sender": {change: func(r string) string { return strings.Replace(r, "lanekeeper_sender", "lanekeeper", 1) }, fails: "The bot @lanekeeper:"}, // U12
		"other ghosts": {config: [2]string{`username_template: "lanekeeper_{{.}}"`, `username_template: "support_{{.}}"`}, // W5
			fails: "The registration that the homeserver has read does not hold the names that appservice.username_template gives (support_…)"},
		"no aliases": {change: withoutAliases, fails: "The registration that the homeserver has read does not hold the aliases of our rooms (#lanekeeper_…)"}, // W5
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hs, b := prepared(t, c.extra, c.change)
			hs.Start()
			if c.config[0] != "" {
				change(t, b.Config, c.config[0], c.config[1])
			}
			said, code := b.Run("doctor", "-c", b.Config)
			var fails []string
			for line := range strings.Lines(said) {
				if rest, ok := strings.CutPrefix(line, "FAIL  "); ok {
					fails = append(fails, rest)
				}
			}
			switch {
			case c.fails == "" && (code != 0 || len(fails) > 0), c.fails != "" && (code != 1 || len(fails) != 1 || !strings.HasPrefix(fails[0], c.fails)):
				t.Errorf("want the failure %q alone; exit %d:\n%s", c.fails, code, said)
			}
		})
	}
}

// 15: asked again and again, doctor gives no false alarm: Synapse cannot call for a moment where a listener has just gone.
func TestDoctorAgain(t *testing.T) {
	t.Parallel()
	hs, b := prepared(t, "", nil)
	hs.Start()
	for i := range 10 {
		if said, code := b.Run("doctor", "-c", b.Config); code != 0 || !strings.Contains(said, "It can reach Lanekeeper") {
			t.Fatalf("run %d ends with %d:\n%s", i, code, said)
		}
	}
	b.Start()
	if said, code := b.Run("doctor", "-c", b.Config); code != 0 || !strings.Contains(said, "Lanekeeper is running") {
		t.Errorf("while it runs: exit %d:\n%s", code, said)
	}
	b.Stop()
	if said, code := b.Run("doctor", "-c", b.Config); code != 0 || !strings.Contains(said, "Lanekeeper is not running") {
		t.Errorf("after it ran: exit %d:\n%s", code, said)
	}
}

// 15: the log of the first start says that there is a super-admin room now, and who was invited; that of the second is quiet.
func TestStartSaysWhoIsInvited(t *testing.T) {
	t.Parallel()
	w := lab.NewWorld(t, lab.WorldOptions{})
	said := func(words string) int { return strings.Count(w.Bridge.Log(), words) }
	w.Bridge.Until("everybody's invitation in the log", func() bool { return said("Invited to the super-admin room") == 2 })
	for _, words := range []string{"The super-admin room is made", w.ID("root"), w.ID("olga")} {
		if said(words) != 1 {
			t.Errorf("%q: %d times in\n%s", words, said(words), w.Bridge.Log())
		}
	}
	w.Bridge.Restart()
	w.Must("root", w.SuperAdmin(), "ping")
	if n := said("super-admin room"); n != 3 {
		t.Errorf("%d lines after another start:\n%s", n, w.Bridge.Log())
	}
}

// W4: on a homeserver that encrypts every room no project is said to stand, staff read
// why once, and the bot does not promise anybody to read them in another chat.
func TestHomeserverThatEncrypts(t *testing.T) {
	t.Parallel()
	w := lab.NewWorld(t, lab.WorldOptions{Server: lab.KindSynapse, Homeserver: lab.Options{Extra: "encryption_enabled_by_default_for_room_type: invite\n"}})
	root, carl := w.Person("root"), w.Person("carl")
	root.Text(w.SuperAdmin(), `project create acme "Acme" --customer `+w.ID("carl"))
	root.Wait("why it does not stand", lab.Says("encryption_enabled_by_default_for_room_type"), lab.Says("acme"))
	carl.CreateRoom(map[string]any{"invite": []string{w.Bot()}, "is_direct": true, "preset": "trusted_private_chat"})
	carl.Wait("that nothing can be read", lab.Says("I can't read you"))
	for _, c := range []*lab.Client{root, carl} {
		for _, promise := range []string{"is ready", "I can read this chat"} {
			if e, found := c.Saw(lab.Says(promise)); found {
				t.Errorf("somebody reads %q", e.Body())
			}
		}
	}
}

// prepared is a Synapse that is not started yet, and a bridge whose registration it will read.
func prepared(t *testing.T, extra string, change func(string) string) (*lab.Homeserver, *lab.Bridge) {
	t.Helper()
	hs := lab.Prepare(t, lab.KindSynapse, lab.Options{Extra: extra})
	b := lab.PrepareBridge(t, hs, lab.BridgeOptions{})
	registration := b.Generate()
	if change != nil {
		registration = change(registration)
	}
	hs.SetRegistration(registration)
	return hs, b
}

// withoutAliases is a registration of which somebody took the aliases out.
func withoutAliases(registration string) string {
	before, rest, _ := strings.Cut(registration, "  aliases:\n")
	_, after, _ := strings.Cut(rest, "  rooms:")
	return before + "  aliases: []\n  rooms:" + after
}

func change(t *testing.T, path, old, now string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), old) {
		t.Fatalf("%s does not hold %q", path, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(raw), old, now, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

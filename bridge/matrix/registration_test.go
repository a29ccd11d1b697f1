package matrix_test

import (
	"regexp"
	"testing"

	"gopkg.in/yaml.v3"
	"maunium.net/go/mautrix/appservice"

	"lanekeeper/bridge/matrix"
)

const wantRegistration = `id: lanekeeper
url: http://localhost:29340
as_token: as-secret
hs_token: hs-secret
sender_localpart: lanekeeper_sender
rate_limited: false
receive_ephemeral: true
org.matrix.msc3202: true
io.element.msc4190: true
namespaces:
  users:
    - exclusive: true
      regex: ^@lanekeeper(_.*)?:lanes\.test$
  aliases:
    - exclusive: true
      regex: ^#lanekeeper_.*:lanes\.test$
  rooms: []
`

func TestRegistration(t *testing.T) {
	got, err := matrix.Registration(config("", "lanes.test"), "http://localhost:29340", true)
	if err != nil || string(got) != wantRegistration {
		t.Errorf("%s\n%v", got, err)
	}
}

// The namespaces hold the bot and its ghosts, and nobody else.
func TestNamespaces(t *testing.T) {
	for name, c := range map[string]struct {
		bot, prefix string
		in, out     []string
	}{
		"one expression":  {"lanekeeper", "lanekeeper_", []string{"lanekeeper", "lanekeeper_agent_1"}, []string{"lanekeeper2", "lane", "xlanekeeper", "carl"}},
		"two expressions": {"lane.bot", "lk-", []string{"lane.bot", "lk-1"}, []string{"laneXbot", "lane.bot1", "lk", "xlk-1"}},
	} {
		cfg := config("", "lanes.test")
		cfg.BotLocalpart, cfg.GhostPrefix = c.bot, c.prefix
		text, err := matrix.Registration(cfg, "http://localhost:29340", true)
		if err != nil {
			t.Fatal(err)
		}
		var r appservice.Registration
		if err := yaml.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		matches := func(user string) bool {
			for _, n := range r.Namespaces.UserIDs {
				if !n.Exclusive {
					t.Errorf("%s: %s is not exclusive", name, n.Regex)
				}
				if regexp.MustCompile(n.Regex).MatchString(user) {
					return true
				}
			}
			return false
		}
		for _, localpart := range c.in {
			if !matches("@" + localpart + ":lanes.test") {
				t.Errorf("%s: %s is outside", name, localpart)
			}
		}
		for _, localpart := range c.out {
			if matches("@"+localpart+":lanes.test") || matches("@"+c.bot+":lanesXtest") || matches("@"+c.bot+":lanes.test.evil") {
				t.Errorf("%s: %s is inside", name, localpart)
			}
		}
	}
}

package matrix

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// registration is the file that the homeserver reads, keys in the order in which
// a person wants to read them (Application Service API, "Registration").
type registration struct {
	ID              string     `yaml:"id"`
	URL             string     `yaml:"url"`
	ASToken         string     `yaml:"as_token"`
	HSToken         string     `yaml:"hs_token"`
	SenderLocalpart string     `yaml:"sender_localpart"`
	RateLimited     bool       `yaml:"rate_limited"`
	Ephemeral       bool       `yaml:"receive_ephemeral"`
	MSC3202         bool       `yaml:"org.matrix.msc3202"`
	MSC4190         bool       `yaml:"io.element.msc4190"`
	Namespaces      namespaces `yaml:"namespaces"`
}

type namespaces struct {
	Users   []namespace `yaml:"users"`
	Aliases []namespace `yaml:"aliases"`
	Rooms   []namespace `yaml:"rooms"` // must exist, Dendrite panics without
}

type namespace struct {
	Exclusive bool   `yaml:"exclusive"`
	Regex     string `yaml:"regex"`
}

// Registration writes the registration for the homeserver at the address where it
// reaches us. The sender_localpart is a name that nobody uses: the homeserver
// reserves it, and refuses it a /sync, so the bot is another user.
func Registration(cfg Config, address string, ephemeral bool) ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	err := enc.Encode(registration{
		ID: cfg.ID, URL: address, ASToken: cfg.ASToken, HSToken: cfg.HSToken,
		SenderLocalpart: cfg.ID + "_sender",
		Ephemeral:       ephemeral, MSC3202: true, MSC4190: true,
		Namespaces: namespaces{
			Users:   users(cfg),
			Aliases: []namespace{{true, "^#" + regexp.QuoteMeta(cfg.GhostPrefix) + ".*:" + regexp.QuoteMeta(cfg.Domain) + "$"}},
			Rooms:   []namespace{},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("registration: %w", err)
	}
	return out.Bytes(), nil
}

// users covers the bot and its ghosts and nobody else. Dendrite does not anchor.
func users(cfg Config) []namespace {
	bot, ghost, domain := regexp.QuoteMeta(cfg.BotLocalpart), regexp.QuoteMeta(cfg.GhostPrefix), regexp.QuoteMeta(cfg.Domain)
	if rest, ok := strings.CutPrefix(ghost, bot); ok {
		return []namespace{{true, "^@" + bot + "(" + rest + ".*)?:" + domain + "$"}}
	}
	return []namespace{
		{true, "^@" + bot + ":" + domain + "$"},
		{true, "^@" + ghost + ".*:" + domain + "$"},
	}
}

// Package config is the operator's side of Lanekeeper: one documented YAML file,
// its defaults, what can be wrong with it in words that name the fix, and the
// registration that the homeserver reads.
package config

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/zeroconfig"

	"lanekeeper/bridge/policy"
)

// Config is the whole file. Every key has a default (see Default); those that
// only the operator can know are empty there and reported when missing.
type Config struct {
	Homeserver     Homeserver         `yaml:"homeserver"`
	AppService     AppService         `yaml:"appservice"`
	Database       Database           `yaml:"database"`
	Permissions    policy.Permissions `yaml:"permissions"`
	Rooms          Rooms              `yaml:"rooms"`
	CommandPrefix  string             `yaml:"command_prefix"`
	Roles          policy.Roles       `yaml:"roles"`    // those of the file over the shipped ones
	Profiles       policy.Profiles    `yaml:"profiles"` // those of the file over the shipped ones
	DefaultProfile string             `yaml:"default_profile"`
	WhatsApp       WhatsApp           `yaml:"whatsapp"`
	Handoff        Handoff            `yaml:"handoff"`
	Limits         Limits             `yaml:"limits"`
	Gate           Gate               `yaml:"gate"`
	Media          Media              `yaml:"media"`
	Metrics        Metrics            `yaml:"metrics"`
	Retention      Retention          `yaml:"retention"`
	Logging        zeroconfig.Config  `yaml:"logging"`
}

// Homeserver is where and what the Matrix server is.
type Homeserver struct {
	Address  string `yaml:"address"`  // http(s) URL, no slash at the end
	Domain   string `yaml:"domain"`   // the part after the colon in MXIDs
	Software string `yaml:"software"` // auto, synapse, dendrite, other
	Intake   string `yaml:"intake"`   // auto, sync, transactions
}

// AppService is how the homeserver and the world reach Lanekeeper, and who it is
// on Matrix.
type AppService struct {
	Address          string `yaml:"address"`        // http(s) URL for the homeserver
	PublicAddress    string `yaml:"public_address"` // https URL for Twilio and browsers; may be empty without WhatsApp
	Hostname         string `yaml:"hostname"`       // where to listen
	Port             int    `yaml:"port"`
	ID               string `yaml:"id"`
	Bot              Bot    `yaml:"bot"`
	UsernameTemplate string `yaml:"username_template"` // ghosts; {{.}} at its end is the opaque part
	EphemeralEvents  bool   `yaml:"ephemeral_events"`
	ASToken          string `yaml:"as_token"`
	HSToken          string `yaml:"hs_token"`
}

// Here is where Lanekeeper answers on the computer that it runs on, as a URL without
// a slash at the end.
func (a AppService) Here() string {
	host := a.Hostname
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(a.Port))
}

// Bot is the Matrix user that speaks for Lanekeeper.
type Bot struct {
	Username    string `yaml:"username"` // localpart
	Displayname string `yaml:"displayname"`
	Avatar      string `yaml:"avatar"` // mxc:// or empty
}

// Database says where the record is kept.
type Database struct {
	Type string `yaml:"type"` // sqlite3 or postgres
	URI  string `yaml:"uri"`  // a file name, or a postgres:// URL
}

// Rooms are choices for rooms that Lanekeeper makes.
type Rooms struct {
	Version    string `yaml:"version"`     // empty: 12 where offered, else the homeserver's default
	SuperAdmin string `yaml:"super_admin"` // room id; empty: created, and remembered
}

// WhatsApp is the Twilio account and the people who answer there.
type WhatsApp struct {
	Enabled             bool    `yaml:"enabled"`
	AccountSID          string  `yaml:"account_sid"`
	AuthToken           string  `yaml:"auth_token"`          // signs webhooks, so it is needed even with an API key
	AuthTokenPrevious   string  `yaml:"auth_token_previous"` // while the token is changed; empty: none
	APIKey              string  `yaml:"api_key"`
	APISecret           string  `yaml:"api_secret"`
	From                string  `yaml:"from"` // whatsapp:+E.164
	MessagingServiceSID string  `yaml:"messaging_service_sid"`
	TemplateSID         string  `yaml:"template_sid"`
	APIBaseURL          string  `yaml:"api_base_url"` // empty: Twilio
	Pace                Pace    `yaml:"pace"`
	Agents              []Agent `yaml:"agents"`
}

// Pace limits what one phone is sent: Burst messages at once, then one Every so often.
type Pace struct {
	Burst int           `yaml:"burst"`
	Every time.Duration `yaml:"every"`
}

// Agent is a person who answers on WhatsApp.
type Agent struct {
	Number string `yaml:"number"` // E.164, with +
	Name   string `yaml:"name"`
	MXID   string `yaml:"mxid"` // empty: not on Matrix
}

// Handoff is how the human on the other side is shown.
type Handoff struct {
	RevealAgent     string `yaml:"reveal_agent"`     // name or team
	Consent         string `yaml:"consent"`          // announce or ask
	ContextMessages int    `yaml:"context_messages"` // of the same room, at most
	// ReadyAnswers are what agents send by /name, in WhatsApp's markup.
	ReadyAnswers map[string]string `yaml:"ready_answers"`
}

// Limits are how much one person can have and do. Beyond a limit a sentence says
// so once; what was accepted before is not touched.
type Limits struct {
	OpenHandoffs      int `yaml:"open_handoffs"`       // a further question joins the newest one
	CommandsPerMinute int `yaml:"commands_per_minute"` // further ones are not carried out
	WordsPerMinute    int `yaml:"words_per_minute"`    // messages to somebody in a handoff; further ones are not carried
	Parts             int `yaml:"parts"`               // WhatsApp messages that one text becomes; the rest stands in Matrix
	DirectChats       int `yaml:"direct_chats"`        // rooms with the bot; the bot leaves the others
}

// Gate is the check that Synapse asks for before it delivers an event.
type Gate struct {
	Enabled bool   `yaml:"enabled"`
	Token   string `yaml:"token"`
}

// Media is about the signed links under which recipients fetch files.
type Media struct {
	SigningKey string        `yaml:"signing_key"`
	LinkTTL    time.Duration `yaml:"link_ttl"`
}

// Metrics is the Prometheus listener.
type Metrics struct {
	Enabled  bool   `yaml:"enabled"`
	Hostname string `yaml:"hostname"`
	Port     int    `yaml:"port"`
}

// Retention is how long what is over is kept. Projects, people and decisions are
// kept for good.
type Retention struct {
	Messages time.Duration `yaml:"messages"` // what was said in rooms
	Handoffs time.Duration `yaml:"handoffs"` // since they were closed
	Parked   time.Duration `yaml:"parked"`   // work that was set aside
}

// Generate is the value of a secret that Lanekeeper shall make up.
const Generate = "generate"

const day = 24 * time.Hour

// Default is the configuration of an empty file. What only the operator knows
// (the domain, the public address, who may do what) is empty.
func Default() *Config {
	info, shipped := zerolog.InfoLevel, policy.Default()
	return &Config{
		Homeserver: Homeserver{Address: "http://localhost:8008", Software: "auto", Intake: "auto"},
		AppService: AppService{
			Address:          "http://localhost:29340",
			Hostname:         "127.0.0.1",
			Port:             29340,
			ID:               "lanekeeper",
			Bot:              Bot{Username: "lanekeeper", Displayname: "Lanekeeper"},
			UsernameTemplate: "lanekeeper_{{.}}",
			EphemeralEvents:  true,
			ASToken:          Generate,
			HSToken:          Generate,
		},
		Database:       Database{Type: "sqlite3", URI: "lanekeeper.db"},
		Permissions:    policy.Permissions{"*": policy.Nobody},
		CommandPrefix:  "!lane",
		Roles:          shipped.Roles,
		Profiles:       shipped.Profiles,
		DefaultProfile: shipped.Default,
		WhatsApp: WhatsApp{
			From: "whatsapp:+14155238886",
			Pace: Pace{Burst: 40, Every: 6 * time.Second},
		},
		Handoff:   Handoff{RevealAgent: "name", Consent: "announce", ContextMessages: 10, ReadyAnswers: map[string]string{}},
		Limits:    Limits{OpenHandoffs: 5, CommandsPerMinute: 20, WordsPerMinute: 40, Parts: 5, DirectChats: 3},
		Gate:      Gate{Token: Generate},
		Media:     Media{SigningKey: Generate, LinkTTL: 24 * time.Hour},
		Metrics:   Metrics{Hostname: "127.0.0.1", Port: 29341},
		Retention: Retention{Messages: 90 * day, Handoffs: 365 * day, Parked: 90 * day},
		Logging: zeroconfig.Config{
			MinLevel: &info,
			Writers:  []zeroconfig.WriterConfig{{Type: zeroconfig.WriterTypeStdout, Format: zeroconfig.LogFormatPretty}},
		},
	}
}

// BotMXID is the full Matrix id of the bot.
func (c *Config) BotMXID() string {
	return "@" + c.AppService.Bot.Username + ":" + c.Homeserver.Domain
}

// Policy is the part that says who may do what.
func (c *Config) Policy() *policy.Policy {
	return &policy.Policy{
		Roles:       c.Roles,
		Profiles:    c.Profiles,
		Permissions: c.Permissions,
		Default:     c.DefaultProfile,
		Bot:         c.BotMXID(),
		Ours:        c.Ours,
	}
}

// Ours reports whether a user is the bot or one of the ghosts.
func (c *Config) Ours(user string) bool {
	localpart, ok := strings.CutSuffix(user, ":"+c.Homeserver.Domain)
	return ok && (localpart == "@"+c.AppService.Bot.Username || strings.HasPrefix(localpart, "@"+c.GhostPrefix()))
}

// GhostPrefix is what the localparts of all ghosts and aliases begin with.
func (c *Config) GhostPrefix() string {
	prefix, _, _ := strings.Cut(c.AppService.UsernameTemplate, "{{.}}")
	return prefix
}

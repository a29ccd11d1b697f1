package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/whatsapp"
)

var (
	serverName = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$`) // spec appendices, "Server name"
	localpart  = regexp.MustCompile(`^[a-z0-9._=/+-]+$`)                                // spec appendices, "User identifiers"
	mxid       = regexp.MustCompile(`^@[^:\s]+:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$`)
	e164       = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)
	credential = regexp.MustCompile(`^[0-9A-Za-z]+$`) // Twilio's errors 21222 and 21224
	sid        = map[string]*regexp.Regexp{}
)

func init() {
	for _, kind := range []string{"AC", "SK", "MG", "HX"} {
		sid[kind] = regexp.MustCompile("^" + kind + "[0-9a-f]{32}$")
	}
}

// maxLimit is the most that each of limits can be: as good as none.
const maxLimit = 1_000_000_000

// What the example config shows and nobody can mean.
const (
	exampleDomain = "example.org"
	examplePublic = "https://lanes.example.org"
	exampleNumber = "+4915112345678"
	exampleSID    = "AC…"
)

// Validate gives everything that would not work, each with the fix.
func (c *Config) Validate() []Problem {
	p := &Problems{}
	c.checkHomeserver(p)
	c.checkAppService(p)
	c.checkDatabase(p)
	c.checkPolicy(p)
	c.checkRooms(p)
	if c.WhatsApp.Enabled {
		c.checkTwilio(p)
	}
	c.checkAgents(p)
	c.checkRest(p)
	return p.List
}

func (c *Config) checkHomeserver(p *Problems) {
	if p.address("homeserver.address", c.Homeserver.Address, "http://localhost:8008") && strings.Contains(c.Homeserver.Address+"/", "/_matrix/") {
		p.add("homeserver.address", "is %q, but must end before /_matrix: Lanekeeper adds that itself.", c.Homeserver.Address)
	}
	switch domain := c.Homeserver.Domain; {
	case domain == "":
		p.add("homeserver.domain", "is missing: give the part after the colon in your users' Matrix ids.")
	case domain == exampleDomain:
		p.add("homeserver.domain", "is still %q as in the example: give the part after the colon in your users' Matrix ids.", exampleDomain)
	case !serverName.MatchString(domain):
		p.add("homeserver.domain", "is %q, but must be a server name without http:// and path, such as matrix-users.net.", domain)
	}
	p.oneOf("homeserver.software", c.Homeserver.Software, "auto", "synapse", "dendrite", "other")
	p.oneOf("homeserver.intake", c.Homeserver.Intake, "auto", "sync", "transactions")
}

func (c *Config) checkAppService(p *Problems) {
	a := c.AppService
	p.address("appservice.address", a.Address, "http://localhost:29340")
	c.checkPublicAddress(p)
	p.listener("appservice", a.Hostname, a.Port)
	if a.ID == "" || strings.ContainsAny(a.ID, " \t\r\n") {
		p.add("appservice.id", "must be one word, such as lanekeeper; it names this bridge to the homeserver.")
	}
	if prefix, rest, found := strings.Cut(a.UsernameTemplate, "{{.}}"); !found || rest != "" || !localpart.MatchString(prefix) {
		p.add("appservice.username_template", "is %q, but must be small letters, digits or one of ._=/+- with {{.}} at the end, such as lanekeeper_{{.}}.", a.UsernameTemplate)
	} else if len(prefix) < 4 || !strings.HasSuffix(prefix, "_") && !strings.HasSuffix(prefix, "-") && !strings.HasSuffix(prefix, ".") {
		p.add("appservice.username_template", "is %q, so every user whose name begins with %q would be Lanekeeper's: take a word of its own and a sign that ends it, such as lanekeeper_{{.}}.", a.UsernameTemplate, prefix)
	}
	if !localpart.MatchString(a.Bot.Username) {
		p.add("appservice.bot.username", "is %q, but must be a user name of small letters, digits or one of ._=/+-, without @ and domain.", a.Bot.Username)
	}
	if a.Bot.Avatar != "" && !strings.HasPrefix(a.Bot.Avatar, "mxc://") {
		p.add("appservice.bot.avatar", "must be empty or the address of an uploaded image that begins with mxc://.")
	}
	if a.ASToken != "" && a.ASToken != Generate && a.ASToken == a.HSToken {
		p.add("appservice.hs_token", "is the same as appservice.as_token: set both to %q and run `lanekeeper -g` again.", Generate)
	}
	for key, token := range map[string]string{"as_token": a.ASToken, "hs_token": a.HSToken} {
		if strings.ContainsAny(token, " \t\r\n") {
			p.add("appservice."+key, "holds a space or a line break: remove it, or set it to %q and run `lanekeeper -g` again.", Generate)
		}
	}
}

func (c *Config) checkPublicAddress(p *Problems) {
	const key = "appservice.public_address"
	public := c.AppService.PublicAddress
	if public == "" {
		if c.WhatsApp.Enabled {
			p.add(key, "is missing: give the https address under which Twilio reaches Lanekeeper, or set whatsapp.enabled to false.")
		}
		return
	}
	if public == examplePublic {
		p.add(key, "is still %q as in the example: give the https address under which Twilio reaches Lanekeeper, or leave it empty if you do not use WhatsApp.", examplePublic)
		return
	}
	if p.address(key, public, "https://lanes.my-company.net") && strings.HasPrefix(public, "http:") && c.WhatsApp.APIBaseURL == "" && !loopback(public) {
		p.add(key, "must begin with https://, because Twilio and browsers send private words there.")
	}
}

func (c *Config) checkDatabase(p *Problems) {
	p.oneOf("database.type", c.Database.Type, "sqlite3", "postgres")
	switch uri := c.Database.URI; {
	case c.Database.Type == "sqlite3" && (strings.Contains(uri, ":memory:") || strings.Contains(uri, "mode=memory")):
		p.add("database.uri", "is %q, so everything would be lost at every stop: give a file name.", uri)
	case uri == "":
		p.add("database.uri", "is missing: give a file name for sqlite3, or postgres://user:password@host/database.")
	case c.Database.Type == "postgres" && !strings.HasPrefix(uri, "postgres://") && !strings.HasPrefix(uri, "postgresql://") && !strings.Contains(uri, "="):
		p.add("database.uri", "must be an address such as postgres://user:password@host/database?sslmode=disable, because database.type is postgres.")
	case c.Database.Type == "postgres" && strings.Contains(uri, "://") && badURL(uri):
		// The error would show the password.
		p.add("database.uri", "cannot be read as an address: write characters such as # %% / ? @ in the password as %%23 %%25 %%2F %%3F %%40.")
	case c.Database.Type == "sqlite3" && strings.HasPrefix(uri, "postgres"):
		p.add("database.uri", "is the address of a PostgreSQL database: set database.type to postgres, or give a file name.")
	}
}

func badURL(address string) bool {
	_, err := url.Parse(address)
	return err != nil
}

// checkPolicy checks permissions, roles and profiles.
func (c *Config) checkPolicy(p *Problems) {
	somebody := false
	for _, who := range slices.Sorted(maps.Keys(c.Permissions)) {
		_, domain, isUser := strings.Cut(who, ":")
		if who == exampleDomain || isUser && domain == exampleDomain {
			p.add("permissions."+who, "is still there as in the example: name your own server and your own people, or remove the line.")
		}
		somebody = somebody || c.Permissions[who] != policy.Nobody
	}
	if !somebody {
		p.add("permissions", "gives nobody a right: name at least yourself, such as \"@you:your-server\": superadmin.")
	}
	for _, wrong := range c.Policy().Validate() {
		p.List = append(p.List, Problem{Key: wrong.Key, Sentence: wrong.Key + ": " + wrong.Sentence})
	}
}

func (c *Config) checkRooms(p *Problems) {
	if strings.ContainsAny(c.Rooms.Version, " \t\r\n") {
		p.add("rooms.version", "is %q, but must be empty or a room version such as \"12\".", c.Rooms.Version)
	}
	if id := c.Rooms.SuperAdmin; id != "" && (!strings.HasPrefix(id, "!") || strings.ContainsAny(id, " \t\r\n")) {
		p.add("rooms.super_admin", "is %q, but must be empty or a room id that begins with \"!\".", id)
	}
	if strings.ContainsAny(c.CommandPrefix, " \t\r\n") || c.CommandPrefix == "" {
		p.add("command_prefix", "must be one word, such as !lane.")
	} else if strings.HasPrefix(c.CommandPrefix, "/") {
		p.add("command_prefix", "must not begin with \"/\", because Matrix clients keep such words for themselves; take !lane.")
	}
}

func (c *Config) checkTwilio(p *Problems) {
	w := c.WhatsApp
	if w.AccountSID == exampleSID || w.AccountSID == "" {
		p.add("whatsapp.account_sid", "is missing: copy the Account SID from the first page of the Twilio console, or set whatsapp.enabled to false.")
	} else {
		p.sid("whatsapp.account_sid", w.AccountSID, "AC")
	}
	if w.AuthToken == "" {
		p.add("whatsapp.auth_token", "is missing: copy the Auth Token from the first page of the Twilio console; webhooks are signed with it, so an API key does not replace it.")
	} else if !credential.MatchString(w.AuthToken) {
		p.add("whatsapp.auth_token", "may hold letters and digits only: copy the Auth Token again from the first page of the Twilio console.")
	}
	switch {
	case w.AuthTokenPrevious == "":
	case !credential.MatchString(w.AuthTokenPrevious):
		p.add("whatsapp.auth_token_previous", "may hold letters and digits only: copy the former Auth Token again, or leave it empty.")
	case w.AuthTokenPrevious == w.AuthToken:
		p.add("whatsapp.auth_token_previous", "is the same as whatsapp.auth_token: give the token that was there before, or leave it empty.")
	}
	p.sid("whatsapp.api_key", w.APIKey, "SK")
	if w.APIKey != "" && w.APISecret == "" {
		p.add("whatsapp.api_secret", "is missing, but whatsapp.api_key is set: give both or neither.")
	} else if w.APIKey == "" && w.APISecret != "" {
		p.add("whatsapp.api_key", "is missing, but whatsapp.api_secret is set: give both or neither.")
	}
	if w.APISecret != "" && !credential.MatchString(w.APISecret) {
		p.add("whatsapp.api_secret", "may hold letters and digits only: copy it again from where the API key was made.")
	}
	p.sid("whatsapp.messaging_service_sid", w.MessagingServiceSID, "MG")
	p.sid("whatsapp.template_sid", w.TemplateSID, "HX")
	if w.From == "" && w.MessagingServiceSID == "" {
		p.add("whatsapp.from", "is missing: give your WhatsApp sender, such as \"whatsapp:+14155238886\", or whatsapp.messaging_service_sid.")
	} else if number, ok := strings.CutPrefix(w.From, "whatsapp:"); w.From != "" && (!ok || !e164.MatchString(number)) {
		p.add("whatsapp.from", "must be \"whatsapp:\" and a number with + and country code, such as \"whatsapp:+14155238886\".")
	}
	if w.APIBaseURL != "" {
		p.address("whatsapp.api_base_url", w.APIBaseURL, "http://localhost:8080")
	}
}

func (c *Config) checkAgents(p *Problems) {
	if c.WhatsApp.Pace.Burst < 1 {
		p.add("whatsapp.pace.burst", "is %d, but must be at least 1.", c.WhatsApp.Pace.Burst)
	}
	p.atLeast("whatsapp.pace.every", c.WhatsApp.Pace.Every, time.Millisecond)
	people := map[string]int{}
	for i, agent := range c.WhatsApp.Agents {
		key := fmt.Sprintf("whatsapp.agents[%d]", i)
		// WhatsApp writes mobile numbers of some countries in two ways: one phone all the same.
		first := slices.IndexFunc(c.WhatsApp.Agents, func(a Agent) bool { return whatsapp.SameNumber(a.Number, agent.Number) })
		switch {
		case !e164.MatchString(agent.Number):
			p.add(key+".number", "must be a phone number with + and country code and without spaces, such as \"+4930901820\".")
		case agent.Number == exampleNumber && c.WhatsApp.Enabled:
			p.add(key+".number", "is still %q as in the example: give the number of a person who answers, or remove the line.", exampleNumber)
		case first < i:
			p.add(key+".number", "is the same as that of whatsapp.agents[%d]: remove one of them.", first)
		case whatsapp.SameNumber(agent.Number, c.WhatsApp.From):
			p.add(key+".number", "is the number that Lanekeeper itself sends from: give the number of a person who answers.")
		}
		if strings.TrimSpace(agent.Name) == "" {
			p.add(key+".name", "is missing: give the name that askers shall read.")
		}
		if agent.MXID == "" {
			continue
		}
		if first, twice := people[agent.MXID]; twice {
			p.add(key+".mxid", "is the same as that of whatsapp.agents[%d]: remove one of them.", first)
		}
		people[agent.MXID] = i
		if !mxid.MatchString(agent.MXID) {
			p.add(key+".mxid", "is %q, but must be empty or a Matrix id such as @name:server.", agent.MXID)
		}
	}
}

func (c *Config) checkRest(p *Problems) {
	p.oneOf("handoff.reveal_agent", c.Handoff.RevealAgent, "name", "team")
	p.oneOf("handoff.consent", c.Handoff.Consent, "announce", "ask")
	if n := c.Handoff.ContextMessages; n < 0 || n > 100 {
		p.add("handoff.context_messages", "is %d, but must be 0 to 100.", n)
	}
	c.checkReadyAnswers(p)
	p.limit("open_handoffs", c.Limits.OpenHandoffs)
	p.limit("commands_per_minute", c.Limits.CommandsPerMinute)
	p.limit("words_per_minute", c.Limits.WordsPerMinute)
	p.limit("parts", c.Limits.Parts)
	p.limit("direct_chats", c.Limits.DirectChats)
	if c.Gate.Enabled && (c.Gate.Token == "" || strings.ContainsAny(c.Gate.Token, " \t\r\n")) {
		p.add("gate.token", "must be a secret without spaces: set it to %q to have one made.", Generate)
	}
	if c.Media.SigningKey == "" {
		p.add("media.signing_key", "must not be empty: set it to %q to have one made.", Generate)
	}
	p.atLeast("media.link_ttl", c.Media.LinkTTL, time.Minute)
	p.atLeast("retention.messages", c.Retention.Messages, day)
	p.atLeast("retention.handoffs", c.Retention.Handoffs, day)
	p.atLeast("retention.parked", c.Retention.Parked, day)
	if c.Metrics.Enabled {
		p.listener("metrics", c.Metrics.Hostname, c.Metrics.Port)
		if c.Metrics.Port == c.AppService.Port {
			p.add("metrics.port", "is the same as appservice.port: give metrics a port of their own.")
		}
	}
	if _, err := c.Logging.Compile(); err != nil {
		p.add("logging", "cannot be used (%v): correct it, or remove the group for the default.", err)
	}
}

// maxReadyAnswer is how many characters one has at most: it is one message on WhatsApp.
const maxReadyAnswer = 1500

var (
	readyName   = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)
	agentWords  = []string{"list", "take", "pass", "done", "status", "help", "menu", "close", "release", "reopen"}
	placeholder = regexp.MustCompile(`\{[^{}]*\}`)
	filled      = []string{"{asker}", "{agent}", "{number}", "{project}"}
)

func (c *Config) checkReadyAnswers(p *Problems) {
	for _, name := range slices.Sorted(maps.Keys(c.Handoff.ReadyAnswers)) {
		key, words := "handoff.ready_answers."+name, c.Handoff.ReadyAnswers[name]
		switch {
		case !readyName.MatchString(name):
			p.add(key, "must be named by small letters, digits, - and _, such as hello: agents send it by /hello.")
		case slices.Contains(agentWords, name):
			p.add(key, "is a word of agents already: give the answer another name.")
		case strings.TrimSpace(words) == "":
			p.add(key, "is empty: give the words of the answer, or remove the line.")
		case utf8.RuneCountInString(words) > maxReadyAnswer:
			p.add(key, "has %d characters, but must be one message of at most %d.", utf8.RuneCountInString(words), maxReadyAnswer)
		}
		for _, mark := range placeholder.FindAllString(words, -1) {
			if !slices.Contains(filled, mark) {
				p.add(key, "holds %s, but only %s are filled in.", mark, strings.Join(filled, ", "))
			}
		}
	}
}

// address checks for an absolute http(s) URL and reports whether it is one.
func (p *Problems) address(key, value, example string) bool {
	u, err := url.Parse(value)
	switch {
	case value == "":
		p.add(key, "is missing: give a full address such as %s.", example)
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "", strings.ContainsAny(value, " \t"):
		p.add(key, "is %q, but must be a full address such as %s.", value, example)
	case u.RawQuery != "", u.Fragment != "", u.User != nil:
		p.add(key, "must be an address without user, ? and #, such as %s.", example)
	default:
		return true
	}
	return false
}

// loopback reports whether an address leads to this computer.
func loopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func (p *Problems) listener(group, hostname string, port int) {
	if hostname == "" {
		p.add(group+".hostname", "is empty, which would listen on every address of this computer: give 127.0.0.1, or 0.0.0.0 if that is meant.")
	} else if strings.ContainsAny(hostname, "/ \t") {
		p.add(group+".hostname", "is %q, but must be an address of this computer to listen on, such as 127.0.0.1, or 0.0.0.0 for all.", hostname)
	}
	if port < 1 || port > 65535 {
		p.add(group+".port", "is %d, but must be a port from 1 to 65535.", port)
	}
}

func (p *Problems) oneOf(key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		p.add(key, "is %q, but must be %s%s.", value, orList(allowed), Suggest(value, allowed))
	}
}

func (p *Problems) sid(key, value, kind string) {
	if value != "" && !sid[kind].MatchString(value) {
		p.add(key, "must be %s and 32 of the characters 0-9 and a-f, as the Twilio console shows it.", kind)
	}
}

func (p *Problems) limit(key string, n int) {
	if n < 1 || n > maxLimit {
		p.add("limits."+key, "is %d, but must be 1 to %d.", n, maxLimit)
	}
}

func (p *Problems) atLeast(key string, value, least time.Duration) {
	if value < least {
		p.add(key, "is %s, but must be at least %s.", value, least)
	}
}

// orList joins words for a sentence: "a, b or c".
func orList(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

package config

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// file makes a config that is right but for what is given.
func file(given string) []byte {
	for key, rest := range map[string]string{
		"homeserver":  "homeserver: {domain: lab.test}\n",
		"permissions": "permissions: {\"@root:lab.test\": superadmin}\n",
	} {
		if !strings.Contains("\n"+given, "\n"+key+":") {
			given += "\n" + rest
		}
	}
	return []byte(given)
}

// twilio is an enabled and right account with more keys.
func twilio(more string) string {
	return `
appservice: {public_address: "https://lanes.lab.test"}
whatsapp:
  enabled: true
  auth_token: secret
  ` + more + "\n"
}

const account = "account_sid: AC0123456789abcdef0123456789abcdef"

func TestEveryProblemIsASentence(t *testing.T) {
	for name, c := range map[string]struct {
		given string
		want  []string
	}{
		"nothing wrong": {"", nil},
		"no domain, nobody": {"homeserver: {}\npermissions: {}", []string{
			"homeserver.domain is missing: give the part after the colon in your users' Matrix ids.",
			`permissions gives nobody a right: name at least yourself, such as "@you:your-server": superadmin.`,
		}},
		"no URL": {"homeserver: {address: localhost:8008, domain: 'https://lab.test/'}", []string{
			`homeserver.address is "localhost:8008", but must be a full address such as http://localhost:8008.`,
			`homeserver.domain is "https://lab.test/", but must be a server name without http:// and path, such as matrix-users.net.`,
		}},
		"words": {"homeserver: {domain: lab.test, software: synaps, intake: push}", []string{
			`homeserver.software is "synaps", but must be auto, synapse, dendrite or other (did you mean "synapse"?).`,
			`homeserver.intake is "push", but must be auto, sync or transactions.`,
		}},
		"U19: address of the API": {"homeserver: {address: 'http://localhost:8008/_matrix/client/v3', domain: lab.test}", []string{
			`homeserver.address is "http://localhost:8008/_matrix/client/v3", but must end before /_matrix: Lanekeeper adds that itself.`,
		}},
		"U18: database in memory": {"database: {uri: ':memory:'}", []string{
			`database.uri is ":memory:", so everything would be lost at every stop: give a file name.`,
		}},
		"U18: memory by its address": {"database: {uri: 'file:lane?mode=memory&cache=shared'}", []string{
			`database.uri is "file:lane?mode=memory&cache=shared", so everything would be lost at every stop: give a file name.`,
		}},
		"U18: every address": {"appservice: {hostname: ''}\nmetrics: {enabled: true, hostname: ''}", []string{
			"appservice.hostname is empty, which would listen on every address of this computer: give 127.0.0.1, or 0.0.0.0 if that is meant.",
			"metrics.hostname is empty, which would listen on every address of this computer: give 127.0.0.1, or 0.0.0.0 if that is meant.",
		}},
		"R16: ghosts of a letter": {"appservice: {username_template: 'a{{.}}'}", []string{
			`appservice.username_template is "a{{.}}", so every user whose name begins with "a" would be Lanekeeper's: take a word of its own and a sign that ends it, such as lanekeeper_{{.}}.`,
		}},
		"R16: ghosts without an end": {"appservice: {username_template: 'support{{.}}'}", []string{
			`appservice.username_template is "support{{.}}", so every user whose name begins with "support" would be Lanekeeper's: take a word of its own and a sign that ends it, such as lanekeeper_{{.}}.`,
		}},
		"W10: one phone in two ways": {twilio(account + "\n  agents: [{number: '+5521987654321', name: Dana}, {number: '+552187654321', name: Eli}]"), []string{
			"whatsapp.agents[1].number is the same as that of whatsapp.agents[0]: remove one of them.",
		}},
		"W10: our own number in another way": {twilio(account + "\n  from: 'whatsapp:+5491123456789'\n  agents: [{number: '+541123456789', name: Dana}]"), []string{
			"whatsapp.agents[0].number is the number that Lanekeeper itself sends from: give the number of a person who answers.",
		}},
		"ready answers": {"handoff: {ready_answers: {Hello: hi, done: hi, empty: ' ', odd: 'Hi {name}', hours: 'We, {agent}, are here from 9, {asker}.'}}", []string{
			"handoff.ready_answers.Hello must be named by small letters, digits, - and _, such as hello: agents send it by /hello.",
			"handoff.ready_answers.done is a word of agents already: give the answer another name.",
			"handoff.ready_answers.empty is empty: give the words of the answer, or remove the line.",
			"handoff.ready_answers.odd holds {name}, but only {asker}, {agent}, {number}, {project} are filled in.",
		}},
		"two tokens that are one": {twilio(account + "\n  auth_token_previous: secret"), []string{
			"whatsapp.auth_token_previous is the same as whatsapp.auth_token: give the token that was there before, or leave it empty.",
		}},
		"W11: a forgotten @": {"permissions: {'lab.test': user, 'root:lab.test': superadmin}", []string{
			`permissions.root:lab.test: this looks like a user without the @. Write it as "@root:lab.test".`,
		}},
		"ports": {"appservice: {port: 0}\nmetrics: {enabled: true, port: 70000}", []string{
			"appservice.port is 0, but must be a port from 1 to 65535.",
			"metrics.port is 70000, but must be a port from 1 to 65535.",
		}},
		"one port for two": {"metrics: {enabled: true, port: 29340}", []string{
			"metrics.port is the same as appservice.port: give metrics a port of their own.",
		}},
		"names": {`appservice: {id: "my bridge", username_template: "@lane", bot: {username: "@Bot", avatar: "http://x"}, hostname: "http://0.0.0.0"}`, []string{
			`appservice.hostname is "http://0.0.0.0", but must be an address of this computer to listen on, such as 127.0.0.1, or 0.0.0.0 for all.`,
			"appservice.id must be one word, such as lanekeeper; it names this bridge to the homeserver.",
			`appservice.username_template is "@lane", but must be small letters, digits or one of ._=/+- with {{.}} at the end, such as lanekeeper_{{.}}.`,
			`appservice.bot.username is "@Bot", but must be a user name of small letters, digits or one of ._=/+-, without @ and domain.`,
			"appservice.bot.avatar must be empty or the address of an uploaded image that begins with mxc://.",
		}},
		"tokens": {"appservice: {as_token: same, hs_token: same}\ngate: {enabled: true, token: ''}\nmedia: {signing_key: ''}", []string{
			"appservice.hs_token is the same as appservice.as_token: set both to \"generate\" and run `lanekeeper -g` again.",
			`gate.token must be a secret without spaces: set it to "generate" to have one made.`,
			`media.signing_key must not be empty: set it to "generate" to have one made.`,
		}},
		"public address": {"appservice: {public_address: 'http://lanes.lab.test'}", []string{
			"appservice.public_address must begin with https://, because Twilio and browsers send private words there.",
		}},
		"public address here":      {"appservice: {public_address: 'http://127.0.0.1:29340'}", nil},
		"public address, emulator": {"appservice: {public_address: 'http://lanes.lab.test'}\nwhatsapp: {api_base_url: 'http://emulator:8080'}", nil},
		"database": {"database: {type: mysql, uri: ''}", []string{
			`database.type is "mysql", but must be sqlite3 or postgres.`,
			"database.uri is missing: give a file name for sqlite3, or postgres://user:password@host/database.",
		}},
		"file for postgres": {"database: {type: postgres, uri: lane.db}", []string{
			"database.uri must be an address such as postgres://user:password@host/database?sslmode=disable, because database.type is postgres.",
		}},
		"sign in a password": {"database: {type: postgres, uri: 'postgres://lane:se#cret@db/lane'}", []string{
			"database.uri cannot be read as an address: write characters such as # % / ? @ in the password as %23 %25 %2F %3F %40.",
		}},
		"socket of postgres": {"database: {type: postgres, uri: 'postgres:///lane?host=/run/postgresql'}", nil},
		"postgres for sqlite3": {"database: {uri: 'postgres://lane@db/lane'}", []string{
			"database.uri is the address of a PostgreSQL database: set database.type to postgres, or give a file name.",
		}},
		"wrong types": {"appservice: {port: [1], ephemeral_events: 1, bot: me}\ncommand_prefix: {a: b}\nwhatsapp: {agents: Dana, pace: {every: 6}}\nmedia: {link_ttl: soon}", []string{
			"appservice.port is a list, but must be a whole number.",
			`appservice.ephemeral_events is "1", but must be true or false.`,
			`appservice.bot is the text "me", but must be a group of keys.`,
			"command_prefix is a group of keys, but must be a text.",
			`whatsapp.agents is the text "Dana", but must be a list.`,
			`whatsapp.pace.every is "6", but must be a duration with its unit, such as 500ms, 6s or 24h.`,
			`media.link_ttl is the text "soon", but must be a duration with its unit, such as 500ms, 6s or 24h.`,
		}},
		"unknown keys": {"surprise: 1\nhandoff: {concent: ask}", []string{
			"surprise is no key of the configuration: correct or remove it.",
			`handoff.concent is no key of the configuration (did you mean "consent"?): correct or remove it.`,
		}},
		"twice": {"command_prefix: a\ncommand_prefix: b", []string{
			"command_prefix stands there twice: remove one.",
		}},
		"permissions": {"permissions: {'@root:lab.test': boss, 'lab test': user}", []string{
			`permissions.@root:lab.test: there is no platform role "boss". Use one of none, user, ops, admin or superadmin.`,
			`permissions.lab test: this is neither a user (@name:example.org) nor a server (example.org) nor "*". Write one of these.`,
		}},
		"people of the example": {"permissions: {'@olga:example.org': ops, '@root:lab.test': superadmin}", []string{
			"permissions.@olga:example.org is still there as in the example: name your own server and your own people, or remove the line.",
		}},
		"rooms": {"rooms: {version: 'a b', super_admin: '#room:lab.test'}\ncommand_prefix: /lane", []string{
			`rooms.version is "a b", but must be empty or a room version such as "12".`,
			`rooms.super_admin is "#room:lab.test", but must be empty or a room id that begins with "!".`,
			`command_prefix must not begin with "/", because Matrix clients keep such words for themselves; take !lane.`,
		}},
		"profile": {"default_profile: nosuch\nroles: {guest: [fly]}", []string{
			`default_profile: there is no profile "nosuch". Name one of agency, managed or open.`,
			`roles.guest: there is no ability "fly". Use some of human, request, accept, people, approve or project.`,
		}},
		"Twilio, nothing": {"whatsapp: {enabled: true, account_sid: AC…, from: ''}", []string{
			"appservice.public_address is missing: give the https address under which Twilio reaches Lanekeeper, or set whatsapp.enabled to false.",
			"whatsapp.account_sid is missing: copy the Account SID from the first page of the Twilio console, or set whatsapp.enabled to false.",
			"whatsapp.auth_token is missing: copy the Auth Token from the first page of the Twilio console; webhooks are signed with it, so an API key does not replace it.",
			"whatsapp.from is missing: give your WhatsApp sender, such as \"whatsapp:+14155238886\", or whatsapp.messaging_service_sid.",
		}},
		"Twilio, right":             {twilio(account), nil},
		"Twilio, messaging service": {twilio(account + "\n  from: ''\n  messaging_service_sid: MG0123456789abcdef0123456789abcdef"), nil},
		"Twilio, wrong": {twilio("account_sid: XX\n  from: 'whatsapp:abc'\n  api_key: SK1\n  messaging_service_sid: MG\n  template_sid: hello\n  api_base_url: here"), []string{
			"whatsapp.api_secret is missing, but whatsapp.api_key is set: give both or neither.",
			"whatsapp.account_sid must be AC and 32 of the characters 0-9 and a-f, as the Twilio console shows it.",
			`whatsapp.from must be "whatsapp:" and a number with + and country code, such as "whatsapp:+14155238886".`,
			"whatsapp.api_key must be SK and 32 of the characters 0-9 and a-f, as the Twilio console shows it.",
			"whatsapp.messaging_service_sid must be MG and 32 of the characters 0-9 and a-f, as the Twilio console shows it.",
			"whatsapp.template_sid must be HX and 32 of the characters 0-9 and a-f, as the Twilio console shows it.",
			`whatsapp.api_base_url is "here", but must be a full address such as http://localhost:8080.`,
		}},
		"Twilio, placeholders": {"appservice: {public_address: 'https://lanes.lab.test'}\nwhatsapp: {enabled: true, account_sid: AC0123456789abcdef0123456789abcdef, auth_token: …, api_key: SK0123456789abcdef0123456789abcdef, api_secret: 'a b'}", []string{
			"whatsapp.auth_token may hold letters and digits only: copy the Auth Token again from the first page of the Twilio console.",
			"whatsapp.api_secret may hold letters and digits only: copy it again from where the API key was made.",
		}},
		"agents": {twilio(account + `
  pace: {burst: 0, every: 0s}
  agents:
    - {number: "0151 2345", name: Dana}
    - {number: "+4915100000001", name: "", mxid: dana}
    - {number: "+4915100000001", name: Dana}
    - {number: "+14155238886", name: Self}
    - {number: "+4915112345678", name: Dana}`), []string{
			"whatsapp.pace.burst is 0, but must be at least 1.",
			"whatsapp.pace.every is 0s, but must be at least 1ms.",
			`whatsapp.agents[0].number must be a phone number with + and country code and without spaces, such as "+4930901820".`,
			"whatsapp.agents[1].name is missing: give the name that askers shall read.",
			`whatsapp.agents[1].mxid is "dana", but must be empty or a Matrix id such as @name:server.`,
			"whatsapp.agents[2].number is the same as that of whatsapp.agents[1]: remove one of them.",
			"whatsapp.agents[3].number is the number that Lanekeeper itself sends from: give the number of a person who answers.",
			`whatsapp.agents[4].number is still "+4915112345678" as in the example: give the number of a person who answers, or remove the line.`,
		}},
		"limits": {"limits: {open_handoffs: 0, parts: -1, direct_chats: 1000000001, words_per_minute: many}", []string{
			`limits.words_per_minute is the text "many", but must be a whole number.`,
			"limits.open_handoffs is 0, but must be 1 to 1000000000.",
			"limits.parts is -1, but must be 1 to 1000000000.",
			"limits.direct_chats is 1000000001, but must be 1 to 1000000000.",
		}},
		"handoff": {"handoff: {reveal_agent: nick, consent: tell, context_messages: -1}\nmedia: {link_ttl: 1s}", []string{
			`handoff.reveal_agent is "nick", but must be name or team.`,
			`handoff.consent is "tell", but must be announce or ask.`,
			"handoff.context_messages is -1, but must be 0 to 100.",
			"media.link_ttl is 1s, but must be at least 1m0s.",
		}},
		"logging": {"logging: {min_level: loud, writers: [{type: stdout, colour: yes}]}", []string{
			`logging.min_level is the text "loud", but must be trace, debug, info, warn, error, fatal, panic or disabled.`,
			"logging.writers[0].colour is no key of the configuration: correct or remove it.",
		}},
		"log writer": {"logging: {writers: [{type: pigeon}]}", []string{
			`logging cannot be used (failed to parse config for writer #1: unknown writer type "pigeon"): correct it, or remove the group for the default.`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse("config.yaml", file(c.given), nil)
			var problems *Problems
			errors.As(err, &problems)
			if got := sentences(problems); got != strings.Join(c.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, strings.Join(c.want, "\n"))
			}
		})
	}
}

// sentences are those of all problems, in the order of the keys' checks.
func sentences(p *Problems) string {
	if p == nil {
		return ""
	}
	var all []string
	for _, one := range p.List {
		all = append(all, one.Sentence)
	}
	return strings.Join(all, "\n")
}

// The example must be changed before it can be used.
func TestExampleAsItIs(t *testing.T) {
	_, err := parse("config.yaml", Example, nil)
	got := err.Error()
	for _, key := range []string{"homeserver.domain", "appservice.public_address", "permissions.example.org", "permissions.@olga:example.org", "permissions.@root:example.org"} {
		if !strings.Contains(got, key+" is still") {
			t.Errorf("nothing about %s in\n%s", key, got)
		}
	}
	if n := strings.Count(got, "\n") + 1; n != 5 {
		t.Errorf("%d problems, want 5:\n%s", n, got)
	}
}

// Somebody who reads a problem is led to the place.
func TestProblemsSayWhere(t *testing.T) {
	_, err := parse("config.yaml", []byte("permissions: {'*': user}\n\nhomeserver:\n  address: x\n  domain: lab.test\n"), []string{"LANEKEEPER_APPSERVICE_PORT=0"})
	want := `LANEKEEPER_APPSERVICE_PORT: appservice.port is 0, but must be a port from 1 to 65535.
config.yaml:4: homeserver.address is "x", but must be a full address such as http://localhost:8008.`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestNoYAML(t *testing.T) {
	for text, want := range map[string]string{
		"a: b: c":        "config.yaml: The file is not valid YAML here (mapping values are not allowed in this context): correct it there; often it is indentation, or a missing quote.",
		"x: {a: b\ny: c": "config.yaml:1: The file is not valid YAML here",
		"- a\n- b":       "config.yaml:1: The file is not valid YAML here (the file must hold keys with values",
		"#\n# f\xfcr":    "config.yaml: The file is not valid YAML here (invalid leading UTF-8 octet)",
		"\tx: y":         "The file is not valid YAML here",
	} {
		if _, err := parse("config.yaml", []byte(text), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func TestNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nosuch.yaml")
	_, err := Load(path, nil)
	want := path + ": The config file cannot be read (" + path + ": no such file or directory): write an example with `lanekeeper -e -c " + path + "`, or name the right file with -c."
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Secrets in the wrong place are not repeated in a message.
func TestProblemsTellNoSecrets(t *testing.T) {
	const token = "0123456789abcdef0123456789abcdef"
	_, err := parse("config.yaml", file("appservice: {port: "+token+"}\nwhatsapp: {enabled: true, account_sid: "+token+", template_sid: "+token+"}"), nil)
	if err == nil || strings.Contains(err.Error(), token) {
		t.Errorf("got %v", err)
	}
}

// The bot and the ghosts are nobody's persons.
func TestOurs(t *testing.T) {
	c := Default()
	c.Homeserver.Domain = "example.org"
	for user, want := range map[string]bool{
		"@lanekeeper:example.org": true, "@lanekeeper_agent_x:example.org": true,
		"@lanekeeper:else.org": false, "@lanekeepers:example.org": false, "@anna:example.org": false, "": false,
	} {
		if got := c.Policy().IsOurs(user); got != want {
			t.Errorf("%q: %v", user, got)
		}
	}
}

package privacy_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// TestPrivacy fills every lane with words that may not leave it, and then reads all that customers, experts and Twilio can get.
// LANE-03, LANE-04, MSG-16, HAND-04, TRUST-15, TRUST-16.
func TestPrivacy(t *testing.T) { labtest.Both(t, lab.WorldOptions{WhatsApp: true}, privacy) }

// secrets is a world with words that begin with CANARY and say where they belong.
type secrets struct {
	*lab.World
	rooms map[string]string
}

func privacy(t *testing.T, w *lab.World) {
	s := &secrets{World: w}
	s.fill(t)
	for _, name := range []string{"carl", "cleo", "xena"} {
		s.snoop(t, name)
	}
	customers := []string{
		"CANARY-INTERNAL", "CANARY-NOTES", "CANARY-STAFF", "CANARY-DIRECT-xena", "CANARY-DIRECT-mia", "CANARY-REASON", "CANARY-DENIED", "CANARY-NICK", "CANARY-FILE",
		s.rooms["internal"], s.rooms["notes"], s.rooms["space"], s.SuperAdmin(), s.Direct("xena"), s.Direct("mia"), s.Direct("root"),
		s.ID("xena"), s.ID("xavi"), s.ID("olga"), "Internal ·", "Notes ·", "Project ·", "Super-admin",
	}
	s.absent(t, "carl", customers...)
	s.absent(t, "cleo", customers...)
	s.absent(t, "xena", "CANARY-CUSTOMER", "CANARY-NOTES", "CANARY-STAFF", "CANARY-DIRECT-carl", "CANARY-DIRECT-mia",
		s.rooms["customer"], s.rooms["notes"], s.rooms["space"], s.SuperAdmin(), s.Direct("carl"), s.ID("cleo"), s.ID("olga"), "Notes ·", "Project ·", "\"notes\"", "Super-admin")
	for _, name := range []string{"carl", "cleo", "xena"} {
		s.absent(t, name, "15100000001", "15100000002", s.Bridge.ASToken, s.Bridge.HSToken)
	}
	s.twilio(t)
	s.levels(t)
	s.log(t)
}

// fill lets everybody say something secret where it belongs, ask, decide, come and go.
func (s *secrets) fill(t *testing.T) {
	s.rooms = s.Project("vault", "--tier", "gold", "--customer "+s.ID("cleo"))
	internal, notes, customer := s.rooms["internal"], s.rooms["notes"], s.rooms["customer"]
	mia, xena, carl, root := s.Person("mia"), s.Person("xena"), s.Person("carl"), s.Person("root")
	s.Person("cleo").WaitIn("the customer lane", customer)
	s.Must("mia", internal, "!lane accept "+s.ID("xena"))
	s.Must("mia", internal, "!lane accept "+s.ID("xavi"))
	for _, name := range []string{"xena", "xavi"} {
		s.Person(name).WaitIn("the internal lane", internal)
	}
	carl.Text(customer, "CANARY-CUSTOMER: this stays between us")
	first := xena.Text(internal, "CANARY-INTERNAL: the customer pays late")
	mia.InThread(internal, first, "CANARY-INTERNAL: I know")
	mia.React(internal, first, "CANARY-INTERNAL")
	mxc, up := mia.Upload("CANARY-FILE.txt", "text/plain", []byte("CANARY-FILE"))
	if !up.OK() {
		t.Fatal(up)
	}
	mia.Send(internal, "m.room.message", map[string]any{"msgtype": "m.file", "body": "CANARY-FILE.txt", "url": mxc})
	mia.Text(notes, "CANARY-NOTES: raise the price")
	mia.PutState(notes, "m.room.name", "", map[string]any{"name": "Notes · CANARY-NOTES"})
	mia.PutState(notes, "m.room.pinned_events", "", map[string]any{"pinned": []string{first}})
	xena.PutState(internal, "m.room.member", xena.ID, map[string]any{"membership": "join", "displayname": "CANARY-NICK"})
	root.Text(s.SuperAdmin(), "CANARY-STAFF: who knows this customer?")

	// Requests, decisions, their reasons; somebody comes and goes.
	n := s.Must("xena", internal, "!lane request customer CANARY-REASON").Number("request")
	card := s.Card("mia", lab.RequestCard, n)
	mia.React(card.Room, card.ID, "❌")
	s.WaitCard("mia", lab.RequestCard, n, "denied")
	n = s.Must("xena", internal, "!lane request customer CANARY-REASON").Number("request")
	s.Must("mia", internal, fmt.Sprintf("!lane deny #%d CANARY-DENIED", n))
	s.Must("mia", notes, "!lane remove "+s.ID("xavi"))
	mia.Text(customer, "!lane requests") // in the wrong lane: redacted
	mia.Wait("that it is the wrong room", lab.NotIn(customer), func(e lab.Event) bool {
		return e.Object("lanekeeper.result")["error"] == "wrong_room"
	})
	s.questions(t)
	s.vandals(t)
}

// questions asks in every lane and direct chat, on WhatsApp and in Matrix.
func (s *secrets) questions(t *testing.T) {
	customer, internal, notes := s.rooms["customer"], s.rooms["internal"], s.rooms["notes"]
	carl, root := s.Person("carl"), s.Person("root")
	public := s.Must("carl", customer, "!lane human PUBLIC: when is it done?")
	n := public.Number("handoff")
	line := s.Phones.WaitSent(lab.Dana, "the question", "PUBLIC")
	card := s.Card("root", lab.HandoffCard, n)
	root.InThread(card.Room, card.ID, "CANARY-STAFF: let me see")
	s.Phones.Answer(lab.Dana, "PUBLIC: on Friday", emulator.Reply{Quoted: line.SID})
	answer := carl.Wait("the answer", lab.In(customer), lab.Says("on Friday"))
	if name := carl.Do("GET", "/profile/"+answer.Sender, nil); strings.Contains(string(name.Raw), "+49") || strings.Contains(answer.Sender, "dana") {
		t.Errorf("the ghost is %s, %s", answer.Sender, name)
	}
	s.Must("root", card.Room, fmt.Sprintf("take #%d --force", n))
	root.InThread(card.Room, card.ID, "PUBLIC: I take it from here")
	carl.Wait("root's answer", lab.Says("I take it from here"))

	for person, at := range map[string]string{"xena": internal, "mia": notes} {
		lane := map[string]string{internal: "INTERNAL", notes: "NOTES"}[at]
		inside := s.Must(person, at, "!lane human CANARY-"+lane+": is this customer solvent?")
		number := inside.Number("handoff")
		s.Phones.WaitSent(lab.Eli, "that something waits", fmt.Sprintf("#%d", number))
		inner := s.Card("root", lab.HandoffCard, number)
		root.React(inner.Room, inner.ID, "✋")
		s.WaitCard("root", lab.HandoffCard, number, "taken")
		root.InThread(inner.Room, inner.ID, "CANARY-"+lane+": ask finance")
		s.Person(person).Wait("the answer", lab.In(at), lab.Says("ask finance"))
		s.Phones.Write(lab.Eli, fmt.Sprintf("#%d CANARY-STAFF from a phone", number)) // refused: it waits in Matrix
	}
	// Asked in private from a lane: the question leaves no trace there.
	private := carl.Text(customer, "!lane human --private CANARY-DIRECT-carl: I want to cancel")
	s.Person("mia").Wait("that it is taken away", lab.In(customer), lab.OfType("m.room.redaction"), func(e lab.Event) bool {
		return strings.Contains(string(e.Raw), private)
	})
	s.Phones.WaitSent(lab.Dana, "what was asked in private", "I want to cancel")
	s.Must("xena", s.Direct("xena"), "human CANARY-DIRECT-xena: is my contract signed?")
	s.Phones.WaitSent(lab.Dana, "what xena asks", "contract signed")
	s.Must("xena", s.Direct("xena"), "!lane close") // with two open that differ in what may leave, the bot asks which
	s.innerTalk(t)
	s.Must("mia", s.Direct("mia"), "project show vault")
	s.Must("mia", s.Direct("mia"), "human CANARY-DIRECT-mia: may I raise the price?")
}

// innerTalk: what was asked in private from the internal lane stays in Matrix, and so
// does what follows in the direct chat, also once that talk is closed and another one
// begins there that does leave. R1
func (s *secrets) innerTalk(t *testing.T) {
	t.Helper()
	xena, root, direct := s.Person("xena"), s.Person("root"), s.Direct("xena")
	xena.Text(s.rooms["internal"], "!lane human --private CANARY-INTERNAL: does he pay?")
	xena.Wait("that her question goes on in the direct chat", lab.In(direct), lab.Says("CANARY-INTERNAL: does he pay?"))
	xena.Text(direct, "CANARY-INTERNAL: the margin is 60 percent")
	root.Wait("her words", lab.In(s.SuperAdmin()), lab.Says("the margin is 60 percent"))
	s.Must("xena", direct, "!lane close")
	s.Must("xena", direct, "!lane human How do I change my password?")
	s.Phones.WaitSent(lab.Dana, "the next question", "change my password")
}

// vandals try to bring words across by what the homeserver lets them do.
func (s *secrets) vandals(t *testing.T) {
	internal, customer := s.rooms["internal"], s.rooms["customer"]
	carl, mia, xena := s.probe(t, "carl"), s.probe(t, "mia"), s.probe(t, "xena")
	for what, r := range map[string]lab.Response{
		"carl joins the internal lane":  carl.Join(internal),
		"carl knocks":                   carl.Do("POST", "/knock/"+url.PathEscape(internal), map[string]any{"reason": "let me in"}),
		"carl reads its state":          carl.State(internal, "m.room.name", ""),
		"mia links it for carl":         mia.PutState(customer, "m.space.child", internal, map[string]any{"via": []string{lab.Domain}}),
		"mia sets the customer's topic": mia.PutState(customer, "m.room.topic", "", map[string]any{"topic": "CANARY-INTERNAL"}),
		"mia sets a widget":             mia.PutState(customer, "im.vector.modular.widgets", "x", map[string]any{"url": "https://x"}),
		"mia names the customer's lane": mia.PutState(customer, "m.room.canonical_alias", "", map[string]any{"alias": "#vault:" + lab.Domain}),
		"mia encrypts the lane":         mia.PutState(customer, "m.room.encryption", "", map[string]any{"algorithm": "m.megolm.v1.aes-sha2"}),
		"carl sets somebody's mark":     carl.PutState(customer, "lanekeeper.lane", "", map[string]any{"kind": "internal"}),
		"xena reads the notes lane":     xena.State(s.rooms["notes"], "m.room.name", ""),
		"xena joins the Space":          xena.Join(s.rooms["space"]),
	} {
		if r.OK() {
			t.Errorf("%s: %s", what, r)
		}
	}
}

// snoop asks the homeserver for everything that a client can ask for. What is answered is kept in Heard.
func (s *secrets) snoop(t *testing.T, name string) {
	t.Helper()
	c := s.Person(name)
	joined := c.Do("GET", "/joined_rooms", nil)
	rooms, _ := joined.Body["joined_rooms"].([]any)
	for _, r := range rooms {
		room := "/rooms/" + url.PathEscape(r.(string))
		for _, path := range []string{"/state", "/members", "/joined_members", "/messages?dir=b&limit=1000", "/messages?dir=f&limit=1000", "/aliases"} {
			c.Do("GET", room+path, nil)
		}
		c.Do("GET", "/_matrix/client/v1"+room+"/hierarchy?limit=50", nil)
		c.Do("GET", "/_matrix/client/v1"+room+"/threads", nil)
	}
	filter := url.QueryEscape(`{"room":{"include_leave":true,"timeline":{"limit":1000}}}`)
	c.Do("GET", "/sync?full_state=true&filter="+filter, nil)
	c.Do("GET", "/publicRooms", nil)
	c.Do("GET", "/notifications?limit=100", nil)
	c.Do("POST", "/search", map[string]any{"search_categories": map[string]any{"room_events": map[string]any{"search_term": "CANARY"}}})
	probe := s.probe(t, name)
	for kind, room := range s.rooms {
		if c.Membership(room) == "join" {
			continue
		}
		for _, path := range []string{"/state", "/members", "/messages?dir=b", "/joined_members", "/initialSync"} {
			if r := probe.Do("GET", "/rooms/"+url.PathEscape(room)+path, nil); r.OK() && strings.Contains(string(r.Raw), "event_id") { // Dendrite gives an empty list
				t.Errorf("%s reads %s of the %s room: %s", name, path, kind, r)
			}
		}
		probe.Do("GET", "/_matrix/client/v1/room_summary/"+url.PathEscape(room), nil)
	}
	if len(rooms) == 0 {
		t.Errorf("%s is nowhere: %s", name, joined)
	}
}

// probe is another client of somebody: homeservers repeat what they are asked for, which is no news to who named it.
func (s *secrets) probe(t *testing.T, name string) *lab.Client {
	return lab.NewClient(t, s.Homeserver.URL, s.ID(name), s.Person(name).Token)
}

// absent is unheard with what stands around it.
func (s *secrets) absent(t *testing.T, person string, words ...string) {
	t.Helper()
	heard := s.Person(person).Heard()
	for _, w := range words {
		i := strings.Index(heard, w)
		if i < 0 {
			continue
		}
		t.Errorf("%s heard %q: …%s…", person, w, strings.ReplaceAll(heard[max(0, i-300):min(len(heard), i+100)], "\n", " "))
	}
}

// twilio: nothing of staff, internal lanes and notes, no room id and no MXID was ever sent there.
func (s *secrets) twilio(t *testing.T) {
	for _, m := range s.Phones.Messages("") {
		if m.Inbound {
			continue
		}
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		all := string(raw)
		if params, err := s.Phones.Params(m.SID); err == nil {
			all += params.Encode()
		}
		for _, w := range []string{"CANARY-INTERNAL", "CANARY-NOTES", "CANARY-STAFF", "CANARY-REASON", "CANARY-DENIED", "CANARY-NICK", "CANARY-FILE", "matrix.to", s.ID("carl"), s.ID("xena"), s.ID("mia"), ":" + lab.Domain, "!", "vault"} {
			if w == "!" {
				for _, room := range s.rooms {
					if strings.Contains(all, room) {
						t.Errorf("a room id was sent to Twilio: %s", m.Body)
					}
				}
				continue
			}
			if strings.Contains(all, w) {
				t.Errorf("%q was sent to Twilio: %s", w, all)
			}
		}
	}
}

var (
	reasons = regexp.MustCompile(`"reason":\s*"([^"]*)"`)
	neutral = regexp.MustCompile(`^(You've been added to|You're no longer part of) [^:]*$`)
)

// levels: whose level a room shows is in it or invited.
func (s *secrets) levels(t *testing.T) {
	bot := s.Bridge.AsBot()
	for kind, room := range s.rooms {
		members := bot.Members(room)
		users, _ := bot.State(room, "m.room.power_levels", "").Body["users"].(map[string]any)
		for user := range users {
			if m := members[user]; m != "join" && m != "invite" {
				t.Errorf("the levels of the %s room name %s, who is %q there", kind, user, m)
			}
		}
		state := bot.Do("GET", "/rooms/"+url.PathEscape(room)+"/state", nil)
		for _, w := range []string{"CANARY-REASON", "CANARY-DENIED"} {
			if strings.Contains(string(state.Raw), w) {
				t.Errorf("the state of the %s room holds %q", kind, w)
			}
		}
		for _, why := range reasons.FindAllStringSubmatch(string(state.Raw), -1) { // neutral ones, which name no decision
			if !neutral.MatchString(why[1]) {
				t.Errorf("the state of the %s room holds the reason %q", kind, why[1])
			}
		}
		if kind == "customer" || kind == "internal" {
			for _, w := range []string{`"vault"`, `"gold"`, `"agency"`, `"type":"m.space.parent"`, `"type":"lanekeeper.project"`} {
				if strings.Contains(string(state.Raw), w) {
					t.Errorf("the state of the %s lane holds %q", kind, w)
				}
			}
		}
	}
}

// log: at info and above there are no words of anybody, no phone numbers and no tokens.
func (s *secrets) log(t *testing.T) {
	log := s.Bridge.Log()
	for _, w := range []string{"CANARY", "PUBLIC", "solvent", "15100000001", "15100000002", s.Bridge.ASToken, s.Bridge.HSToken, "0123456789abcdef0123456789abcdef", "whatsapp:+"} {
		if i := strings.Index(log, w); i >= 0 {
			t.Errorf("the log holds %q: %s", w, log[max(0, i-200):min(len(log), i+50)])
		}
	}
	if m := regexp.MustCompile(`\+\d{8,}`).FindString(log); m != "" {
		t.Errorf("the log holds a number: %s", m)
	}
}

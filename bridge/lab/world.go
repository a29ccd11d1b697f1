package lab

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/store"
)

// People of every world: root is superadmin, olga is ops; mia manages; abe is an agency's man; carl and cleo are customers;
// xena and xavi are experts; eve belongs to nothing; stranger is nobody whom the platform knows. What they are in a project is
// up to the test.
var People = []string{"root", "olga", "mia", "abe", "carl", "cleo", "xena", "xavi", "eve", "stranger"}

// WorldOptions choose the servers; the zero value is Dendrite, the bridge on SQLite, and all People.
type WorldOptions struct {
	Server     Kind
	Homeserver Options
	Bridge     BridgeOptions
	Proxy      bool // a Proxy between the bridge and the homeserver
	WhatsApp   bool // agents' phones, which have written to the bridge already
	Contract   bool // their Twilio behind Prism: see CheckContract
	People     []string
	Shared     bool // on a homeserver with other Worlds, which nobody may stop
}

// World is a homeserver, the bridge, and people who accept every invitation.
type World struct {
	Homeserver *Homeserver
	Bridge     *Bridge
	Proxy      *Proxy  // nil unless asked for
	Phones     *Phones // nil unless asked for

	t, base  T      // who plays now, and who began
	suffix   string // of the people's names
	expected []string
	version  string // of rooms that people make
	made     int    // projects

	mu     sync.Mutex
	people map[string]*Client
	direct map[string]string
	asked  []asked
}

// asked is a command that somebody gave.
type asked struct{ person, room, command, event string }

// NewWorld starts everything and returns when the bridge is ready. People come when they are first spoken of, but those with a role
// on the platform are there from the start.
func NewWorld(t T, o WorldOptions) *World {
	t.Helper()
	if o.Server == "" {
		o.Server = KindDendrite
	}
	w := &World{t: t, base: t, version: "10", expected: o.People, people: map[string]*Client{}, direct: map[string]string{}}
	if o.People == nil {
		w.expected = People
	}
	if o.Homeserver.RoomVersion != "" {
		w.version = o.Homeserver.RoomVersion
	}
	at := seat{name: "lanekeeper", asToken: "generate", hsToken: "generate"}
	if o.Shared {
		w.Homeserver, at = share(t, o.Server, o.Homeserver)
	} else {
		w.Homeserver, at.port = Prepare(t, o.Server, o.Homeserver), freePort(t)
	}
	w.suffix = at.suffix
	w.startBridge(o, at)
	for _, name := range []string{"root", "olga"} {
		if slices.Contains(w.expected, name) {
			w.Person(name)
		}
	}
	if w.Phones != nil {
		w.Phones.open()
	}
	return w
}

// startBridge configures the bridge, has the homeserver know it, and starts what does not run yet.
func (w *World) startBridge(o WorldOptions, at seat) {
	w.t.Helper()
	if o.Proxy {
		w.Proxy = NewProxy(w.t, w.Homeserver.URL)
		o.Bridge.Proxy = w.Proxy
	}
	if o.WhatsApp {
		o.Bridge.WhatsApp = func(b *Bridge) (config string) {
			w.Phones, config = startPhones(w.t, b, o.Contract)
			return config
		}
	}
	w.Bridge = prepareBridge(w.t, w.Homeserver, o.Bridge, at)
	if !o.Shared {
		w.Homeserver.SetRegistration(w.Bridge.Generate())
		w.Homeserver.Start()
	}
	w.Bridge.Start()
}

// During lets a subtest use the world as its own: what fails in it ends it alone.
func (w *World) During(t T) {
	was := w.t
	w.bind(t)
	t.Cleanup(func() { w.bind(was) })
}

func (w *World) bind(t T) {
	w.t, w.Homeserver.t, w.Bridge.t = t, t, t
	if w.Phones != nil {
		w.Phones.t = t
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.people {
		c.t = t
	}
}

// Person is the client of somebody.
func (w *World) Person(name string) *Client {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.people[name]
	if c == nil {
		if !slices.Contains(w.expected, name) {
			w.t.Fatalf("nobody is called %q", name)
		}
		c = w.Homeserver.register(w.base, name+w.suffix, name)
		c.Name, c.AutoJoin = name, true
		c.Sync()
		c.t = w.t
		w.people[name] = c
	}
	return c
}

// ID is the Matrix id of somebody.
func (w *World) ID(name string) string {
	if slices.Contains(w.expected, name) {
		return w.Person(name).ID
	}
	return w.Homeserver.ID(name + w.suffix)
}

// Bot is the Matrix id of the bot.
func (w *World) Bot() string { return w.Bridge.Bot() }

// Direct is a person's direct chat with the bot. It is the one that the bot opened, if it did; else the person opens one.
func (w *World) Direct(name string) string {
	w.t.Helper()
	c := w.Person(name)
	w.mu.Lock()
	defer w.mu.Unlock()
	if room := w.direct[name]; room != "" {
		return room
	}
	for _, room := range c.Rooms("join") {
		if _, lane := c.Saw(In(room), OfType("lanekeeper.lane")); lane {
			continue
		}
		if m := c.Members(room); len(m) == 2 && m[w.Bot()] == "join" {
			w.direct[name] = room
			return room
		}
	}
	room := c.CreateRoom(map[string]any{
		"room_version": w.version, "is_direct": true, "preset": "trusted_private_chat", "invite": []string{w.Bot()},
	})
	c.Wait("the bot in the direct chat", In(room), OfType("m.room.member"), func(e Event) bool {
		return e.StateKey != nil && *e.StateKey == w.Bot() && e.field("membership") == "join"
	})
	w.direct[name] = room
	return room
}

// Result is the answer to a command: the content of lanekeeper.result, and the words.
type Result struct {
	OK      bool
	Code    string // why not
	Fields  map[string]any
	Text    string
	Command string // the event of the command
	Answer  Event
}

func (r Result) String() string {
	raw, _ := json.Marshal(r.Fields)
	return fmt.Sprintf("%q %s", r.Text, raw)
}

// Number is a whole number among the fields, or -1.
func (r Result) Number(field string) int { return number(r.Fields[field]) }

func number(value any) int {
	if n, ok := value.(float64); ok {
		return int(n)
	}
	return -1
}

// Object is an object among the fields, or nil.
func (r Result) Object(field string) map[string]any {
	o, _ := r.Fields[field].(map[string]any)
	return o
}

// Rooms are the rooms among the fields, kind → room id.
func (r Result) Rooms() map[string]string {
	rooms := map[string]string{}
	for kind, id := range r.Object("rooms") {
		rooms[kind], _ = id.(string)
	}
	return rooms
}

// Do says a command in a room and waits for its answer; one that is pending is waited for until it stands.
func (w *World) Do(person, room, command string) Result {
	w.t.Helper()
	return w.ResultOf(person, w.ask(person, room, command))
}

// ask says a command that has to have one answer in the end.
func (w *World) ask(person, room, command string) (event string) {
	w.t.Helper()
	event = w.Person(person).Text(room, command)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, asked{person, room, command, event})
	return event
}

// DoAll says several commands, one right after the other, and then waits for the answers, which come in the same order.
func (w *World) DoAll(person, room string, commands ...string) (results []Result) {
	w.t.Helper()
	var events []string
	for _, command := range commands {
		events = append(events, w.ask(person, room, command))
	}
	for _, event := range events {
		results = append(results, w.ResultOf(person, event))
	}
	return results
}

// ResultOf waits for the answer to a command that was said already.
func (w *World) ResultOf(person, command string) Result {
	w.t.Helper()
	c := w.Person(person)
	answer := c.Wait("the answer to "+w.said(command), func(e Event) bool {
		return NotEdit(e) && e.Sender == w.Bot() && e.Object("lanekeeper.result") != nil &&
			(e.Thread() == command || e.ReplyTo() == command)
	})
	latest := answer
	if answer.Object("lanekeeper.result")["pending"] == true {
		latest = c.Wait("the end of what was pending", From(w.Bot()), func(e Event) bool {
			result := e.Object("lanekeeper.result")
			return e.Replaces() == answer.ID && result != nil && result["pending"] != true
		})
	}
	fields := latest.Object("lanekeeper.result")
	ok, _ := fields["ok"].(bool)
	code, _ := fields["error"].(string)
	body, _ := latest.Current()["body"].(string)
	return Result{OK: ok, Code: code, Fields: fields, Text: body, Command: command, Answer: answer}
}

func (w *World) said(event string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.asked {
		if a.event == event {
			return fmt.Sprintf("%q", a.command)
		}
	}
	return "a command"
}

// Must is Do for a command that has to succeed.
func (w *World) Must(person, room, command string) Result {
	w.t.Helper()
	r := w.Do(person, room, command)
	if !r.OK {
		w.t.Fatalf("%s: %q is refused: %s", person, command, r)
	}
	return r
}

// Refuse is Do for a command that has to be refused with this code.
func (w *World) Refuse(code, person, room, command string) Result {
	w.t.Helper()
	r := w.Do(person, room, command)
	if r.OK || r.Code != code {
		w.t.Errorf("%s: %q should be refused as %s, not answered %s", person, command, code, r)
	}
	return r
}

// Project lets root make a project of the profile "agency", named after its slug, with mia as manager and carl as customer,
// and waits until both are in their lanes. It gives the rooms by kind.
func (w *World) Project(slug string, flags ...string) map[string]string {
	w.t.Helper()
	name := strings.ToUpper(slug[:1]) + slug[1:]
	command := fmt.Sprintf("project create %s %q --profile agency --manager %s --customer %s", slug, name, w.ID("mia"), w.ID("carl"))
	rooms := w.Must("root", w.Direct("root"), strings.Join(append([]string{command}, flags...), " ")).Rooms()
	for _, kind := range []string{"space", "customer", "internal", "notes"} {
		if rooms[kind] == "" {
			w.t.Fatalf("%s has no %s: %v", slug, kind, rooms)
		}
	}
	w.Person("carl").WaitIn("the customer lane", rooms["customer"])
	for _, kind := range []string{"customer", "internal", "notes"} {
		w.Person("mia").WaitIn("the "+kind+" lane", rooms[kind])
	}
	return rooms
}

// SuperAdmin is the super-admin room, as root sees it.
func (w *World) SuperAdmin() string {
	w.t.Helper()
	return w.Person("root").Wait("the super-admin room", OfType("lanekeeper.lane"), func(e Event) bool {
		return e.field("kind") == "super_admin"
	}).Room
}

// Kinds of cards, by the field of their content.
const (
	RequestCard = "lanekeeper.request"
	HandoffCard = "lanekeeper.handoff"
)

// Card waits for the card of a request or handoff, as this person sees it.
func (w *World) Card(person, kind string, n int) Event {
	w.t.Helper()
	return w.Person(person).Wait(fmt.Sprintf("the %s card #%d", kind, n), NotEdit, From(w.Bot()), func(e Event) bool {
		card := e.Object(kind)
		return card != nil && number(card["number"]) == n
	})
}

// WaitCard waits until the newest version of a card says this state.
func (w *World) WaitCard(person, kind string, n int, state string) {
	w.t.Helper()
	c := w.Person(person)
	last := "none"
	if !c.patiently(func() bool {
		for _, e := range c.Events(From(w.Bot())) {
			if card := e.Object(kind); card != nil && number(card["number"]) == n {
				last, _ = card["state"].(string)
			}
		}
		return last == state
	}) {
		w.t.Fatalf("%s sees the %s card #%d as %q, not %q", person, kind, n, last, state)
	}
}

// Membership is somebody's membership of a room as the homeserver has it now, or "".
func (w *World) Membership(room, name string) string {
	return w.Bridge.AsBot().State(room, "m.room.member", w.ID(name)).Field("membership")
}

// Out reports an error if somebody is in a room or invited.
func (w *World) Out(what, room, name string) {
	w.t.Helper()
	if m := w.Membership(room, name); m == "join" || m == "invite" {
		w.t.Errorf("%s's membership of %s is %q", name, what, m)
	}
}

// CheckAnswers reports every command that has not exactly one answer.
func (w *World) CheckAnswers() {
	w.t.Helper()
	w.mu.Lock()
	commands := slices.Clone(w.asked)
	w.mu.Unlock()
	for _, a := range commands {
		answers := w.Person(a.person).Events(From(w.Bot()), NotEdit, func(e Event) bool {
			return e.Object("lanekeeper.result") != nil && (e.Thread() == a.event || e.ReplyTo() == a.event)
		})
		if len(answers) != 1 {
			w.t.Errorf("%s: %q has %d answers", a.person, a.command, len(answers))
		}
	}
}

// CheckSettled reports an error unless the homeserver is as the projects want it (`plan` finds nothing to do), and for each
// line that waits for a phone there is a job. What no command waited for may be under way still: the invitations to the
// super-admin room of a bridge that has just started.
func (w *World) CheckSettled(when string) {
	w.t.Helper()
	w.checkPhones(when)
	for end := time.Now().Add(Patience); ; {
		out, code := w.Bridge.Plan()
		if code == 0 {
			return
		}
		if code != 2 || time.Now().After(end) {
			w.t.Errorf("%s: plan ends with %d:\n%s", when, code, out)
			return
		}
	}
}

// checkPhones checks the invariant of bridge/phone in the bridge's database.
func (w *World) checkPhones(when string) {
	w.t.Helper()
	db, err := store.Open(w.t.Context(), w.Bridge.DatabaseType, w.Bridge.Database, zerolog.Nop())
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	stranded, err := (&store.Store{DB: db}).Stranded(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if len(stranded) > 0 {
		w.t.Errorf("%s: lines wait for %q, and no job of these phones is left to send them", when, stranded)
	}
}

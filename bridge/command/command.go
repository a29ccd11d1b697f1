// Package command is the door for what people type and the reactions they put: it
// reads their words, calls the action they mean, and answers: one notice for each
// command. What is done, and whether they may, package action decides.
package command

import (
	"context"
	"errors"
	"strings"
	"time"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// TooOld is the age at which a command is no longer executed: who typed it has
// moved on.
const TooOld = 15 * time.Minute

// Step is one change that a plan names.
type Step struct {
	Room string `json:"room"`
	Op   string `json:"op"`
	Text string `json:"text"`
}

// Commands executes what people type.
type Commands struct {
	Store   *store.Store
	Policy  *policy.Policy
	Actions *action.Actions
	Relay   *relay.Relay
	Prefix  string // "!lane"
	Version string

	PerMinute int // commands of one person; below 1: any number

	// Plan names what apply would change in a project, by what events told us.
	Plan func(ctx context.Context, projectID string) ([]Step, error)
}

// call is one command on its way.
type call struct {
	*Commands
	line
	ev     *matrix.Event
	room   *store.Room
	sender string
	now    time.Time
	name   string // as results name it
	whole  string // all that was typed, without the prefix
	// private: what comes of it is for the sender alone, since it is about a lane that
	// not everybody here may know of.
	private bool
	alone   bool // what is being built is read by the sender alone; see apart
	// aside: it may have been meant as a private question, so that nothing of it stays
	// in the lane.
	aside bool
}

// reply is what a command has to say.
type reply struct {
	fields map[string]any
	words  text.Words
	// when is the project that Matrix must show before this is said; nil: at once.
	when  *project.Project
	rooms bool           // the result lists the project's rooms then
	rest  *reply         // what not every member of the room may see: goes to the sender alone
	names []project.Kind // lanes that it speaks of; for answers that wait for Matrix
	user  string         // whom the change is about; "": the project
	quiet bool           // the command has spoken for itself
}

// Message executes a message if it is a command. inThread says that it stands in
// a conversation, where only prefixed text is one.
func (c *Commands) Message(ctx context.Context, ev *matrix.Event, room *store.Room, talk relay.Talk) (handled bool, err error) {
	if ev.MsgType() != "m.text" || ev.Replaces() != "" {
		return c.slipped(ctx, ev, room)
	}
	words, prefixed := c.cut(typed(ev.Content))
	if !prefixed && !talk.In() && (room.IsLane() || room.Kind == string(project.Space)) {
		return false, nil
	}
	k := &call{Commands: c, line: line{rest: words}, whole: words, ev: ev, room: room, sender: ev.Sender, now: c.Store.Now()}
	cmd := k.find()
	k.aside = k.discreet(cmd)
	if !prefixed && talk.In() {
		return k.inTalk(ctx, cmd, talk)
	}
	if !prefixed && room.Kind == store.SuperAdmin && !k.meant(cmd) {
		return false, nil // talk among staff
	}
	misplaced := room.Kind == string(project.Customer) && !k.aside && (cmd == nil || !cmd.customer)
	over, first, err := c.Store.Spend(ctx, ev.Sender, store.MeterCommands, ev.TS, time.Minute, c.PerMinute)
	switch {
	case err != nil:
		return true, err
	case misplaced: // the customer shall not read it, answered or not
		return true, k.misplaced(ctx, over)
	case over && !first && k.aside:
		return true, k.redact(ctx, ev.ID)
	case over && !first:
		return true, nil
	case over:
		return true, k.answer(ctx, nil, project.Refuse(project.Unavailable, "%s", text.TooManyForSender(c.PerMinute)))
	}
	r, err := k.execute(ctx, cmd)
	return true, k.answer(ctx, r, err)
}

// cut takes the prefix off.
func (c *Commands) cut(words string) (rest string, prefixed bool) {
	return markup.Command(c.Prefix, words)
}

// find takes the command's name off the line.
func (k *call) find() *command {
	saved := k.rest
	first, _ := k.next()
	if first = unpointed(first); first == "" {
		first = "help"
	}
	two := first + " " + unpointed(k.peek())
	for _, cmd := range table {
		if strings.EqualFold(cmd.name, two) {
			k.next()
			k.name = cmd.name
			return cmd
		}
	}
	for _, cmd := range table {
		if strings.EqualFold(cmd.name, first) {
			k.name = cmd.name
			return cmd
		}
	}
	k.rest, k.name = saved, short(first)
	return nil
}

// meant reports whether what follows the name of a command looks like one, so that
// it is no talk; who writes --flags means a command.
func (k *call) meant(cmd *command) bool {
	if cmd == nil || cmd.alone == nil {
		return false
	}
	l := line{rest: k.rest}
	refused := l.readFlags(k.takes(cmd), cmd.bare, cmd.literal)
	return refused != nil || cmd.alone.MatchString(strings.TrimSpace(l.rest))
}

// takes lists the flags with a value that a command takes.
func (k *call) takes(cmd *command) []string { return append(cmd.flags(k.Policy), "project") }

func (k *call) execute(ctx context.Context, cmd *command) (*reply, error) {
	if k.now.Sub(k.ev.TS) > TooOld {
		return nil, project.Refuse(project.Stale, "%s", text.StaleForSender())
	}
	if cmd == nil {
		return nil, project.Refuse(project.UnknownCommand, "%s", k.unknown())
	}
	if may, err := k.might(ctx, cmd); err != nil {
		return nil, err
	} else if !may {
		return nil, project.Forbidden()
	}
	if err := k.readFlags(k.takes(cmd), cmd.bare, cmd.literal); err != nil {
		return nil, err
	}
	return cmd.run(k, ctx)
}

// might reports whether the sender has what a command needs, here or in any project:
// who has not reads that, and nothing about arguments.
func (k *call) might(ctx context.Context, cmd *command) (bool, error) {
	switch {
	case len(cmd.needs) == 0:
		return true, nil
	case cmd.platform:
		return k.Policy.Can(k.sender, cmd.needs[0], nil), nil
	case cmd.needs[0] == policy.Human:
		return k.Actions.MayAsk(ctx, k.sender, k.room.Project)
	}
	return k.Actions.Might(ctx, k.sender, k.room.Project, cmd.needs...)
}

// unknown answers what is no command: in a direct chat it was most likely meant for a
// person.
func (k *call) unknown() string {
	if k.room.Kind == store.Direct {
		return text.UnknownForPerson()
	}
	return text.UnknownCommandForSender(k.name, k.spell("help"))
}

// spell writes a command as it has to be typed here.
func (k *call) spell(command string) string {
	return strings.TrimSpace(k.before() + " " + command)
}

// before is what a command needs before it here.
func (k *call) before() string {
	if k.room.IsLane() {
		return k.Prefix
	}
	return ""
}

// slipped takes a command of staff out of the customer lane that is none, since it
// came as an edit, a notice or an emote: everybody there can read it all the same.
func (c *Commands) slipped(ctx context.Context, ev *matrix.Event, room *store.Room) (handled bool, err error) {
	content := ev.Content
	if ev.Replaces() != "" {
		content = ev.NewContent()
	}
	words, prefixed := c.cut(typed(content))
	if !prefixed || !room.IsLane() {
		return false, nil
	}
	k := &call{Commands: c, line: line{rest: words}, whole: words, ev: ev, room: room, sender: ev.Sender, now: c.Store.Now()}
	cmd := k.find()
	if k.aside = k.discreet(cmd); k.aside {
		return true, k.answer(ctx, nil, project.Refuse(project.BadArgument, "%s", text.NotAskedForSender()))
	}
	if room.Kind != string(project.Customer) || cmd != nil && cmd.customer {
		return false, nil
	}
	p, err := c.Store.Project(ctx, room.Project)
	if err != nil || !c.Policy.Works(ev.Sender, p) {
		return false, err
	}
	return true, k.takeOut(ctx, p, project.WrongRoom)
}

// misplaced answers a command that has no place in the customer lane. Who could use
// it elsewhere is told so elsewhere; all others meant something else, and are helped
// where they are.
func (k *call) misplaced(ctx context.Context, quiet bool) error {
	p, err := k.Store.Project(ctx, k.room.Project)
	if err != nil {
		return err
	}
	works := k.Policy.Works(k.sender, p)
	switch {
	case works && quiet:
		return k.redact(ctx, k.ev.ID)
	case quiet:
		return nil
	case !works:
		return k.answer(ctx, nil, project.Refuse(project.WrongRoom, "%s", text.NotHereForCustomer(k.name, k.spell("human"))))
	}
	return k.takeOut(ctx, p, project.WrongRoom)
}

// takeOut redacts a command in the customer lane, and tells its sender alone, with
// the command as it can be pasted where it works.
func (k *call) takeOut(ctx context.Context, p *project.Project, why project.Code) error {
	again := k.Prefix + " " + strings.Join(strings.Fields(clean(k.whole)), " ")
	if p != nil && !strings.Contains(again, "--project") {
		again += " --project " + p.Slug
	}
	lane := text.LaneWord(project.Customer)
	if p != nil {
		lane = title(p, project.Customer)
	}
	a := store.Answer{Command: k.ev.ID, To: effect.Place{Person: k.sender}, Words: fitting(text.CommandTakenOutForStaff(text.CommandTakenOut{Lane: lane, Again: again, Broken: why == project.InternalError})),
		Result: map[string]any{"ok": false, "command": k.name, "error": why}}
	if err := k.redact(ctx, k.ev.ID); err != nil {
		return err
	}
	return k.Store.Do(ctx, a.Message())
}

// redact takes a message away. Until that comes back it is no context for anybody.
func (k *call) redact(ctx context.Context, event string) error {
	if err := k.Store.RedactMessage(ctx, event); err != nil {
		return err
	}
	return k.Store.Do(ctx, effect.Effect{Redact: &effect.Redact{In: effect.Place{Room: k.room.ID}, Target: effect.Ref(event), Reason: "commands work elsewhere"}})
}

// answer sends the one notice that every command gets.
func (k *call) answer(ctx context.Context, r *reply, err error) error {
	var refused *project.Error
	switch {
	case errors.As(err, &refused) && k.aside:
		return k.hush(ctx, refused)
	case errors.As(err, &refused):
		r = &reply{fields: map[string]any{"error": refused.Code}, words: text.Sentence(refused.Sentence)}
	case err != nil:
		return err
	case r.quiet: // Relay.Ask has said it
		return nil
	}
	if k.private {
		whole := r
		if r.rest != nil {
			whole = r.rest
		}
		r = &reply{fields: store.Outline(r.fields), when: r.when, user: r.user, rest: whole}
	}
	a := store.Answer{Command: k.ev.ID, To: effect.Place{Room: k.room.ID}, Words: fitting(r.words), Rooms: r.rooms}
	a.Thread, a.ReplyTo = k.standing()
	if r.user != "" {
		a.About = []string{r.user}
	}
	a.Result = result(k.name, refused == nil, r.fields)
	if k.room.IsLane() {
		a.Lane, a.Names, a.For = project.Kind(k.room.Kind), r.names, k.sender
	}
	if k.room.Kind == store.Direct { // what the room may be when this is said is no matter
		a.To = effect.Place{Person: k.sender}
	}
	if r.rest != nil {
		a.Words = text.Elsewhere(a.Words)
		private := store.Answer{Command: k.ev.ID + ":rest", To: effect.Place{Person: k.sender}, Words: fitting(r.rest.words), Result: result(k.name, refused == nil, r.rest.fields)}
		a.Then = append(a.Then, private.Message())
	}
	unchanged := r.fields["changed"] == false && !r.rooms
	if r.when != nil && refused == nil && !unchanged {
		return k.Store.AnswerWhen(ctx, &a, r.when.ID, r.when.Revision)
	}
	return k.Store.Do(ctx, append([]effect.Effect{a.Message()}, a.Then...)...)
}

// standing is where an answer stands: in a thread on the command, or in the one that
// the command stands in. In a direct chat a thread would hide it.
func (k *call) standing() (thread, replyTo string) {
	switch t := k.ev.Thread(); {
	case t != "":
		return t, k.ev.ID
	case k.room.Kind == store.Direct:
		return "", k.ev.ID
	}
	return k.ev.ID, ""
}

// act is what the sender wants, for package action.
func (k *call) act() action.Act {
	act := action.Act{By: k.sender, Door: action.Command, At: k.ev.TS, Event: k.ev.ID}
	if k.room.IsLane() {
		act.Lane, act.Thread = k.room.ID, k.ev.Thread()
	}
	return act
}

// person is somebody in an answer. Clients show the raw id of who is not in the room in
// place of a pill's name, so that they are named with it small behind.
func (k *call) person(ctx context.Context, user string) text.Words {
	p := text.Pill{ID: user, Name: k.Store.NameIn(ctx, user, k.room.ID)}
	if user == k.sender {
		return text.Say("%s", p)
	}
	if m, err := k.Store.Member(ctx, k.room.ID, user); k.alone || k.private || err != nil || m == nil || m.Membership() != "join" && m.Membership() != "invite" {
		return text.Named(p)
	}
	return text.Say("%s", p)
}

// apart builds what goes to the sender's direct chat alone.
func (k *call) apart(build func() (*reply, error)) (*reply, error) {
	was := k.alone
	k.alone = true
	r, err := build()
	k.alone = was
	return r, err
}

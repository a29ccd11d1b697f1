// Package command is the door for what people type and the reactions they put: it
// reads their words, calls the action they mean, and answers: one notice for each
// command. What is done, and whether they may, package action decides.
package command

import (
	"context"
	"errors"
	"fmt"
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
	Bot     string // MXID
	Ghosts  string // what the MXIDs of ghosts begin with
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
		return true, k.answer(ctx, nil, project.Refuse(project.Unavailable, "%s", tooMany(c.PerMinute)))
	}
	r, err := k.execute(ctx, cmd)
	return true, k.answer(ctx, r, err)
}

// tooMany says that commands are not carried out, as they are too many.
func tooMany(limit int) string {
	return fmt.Sprintf("That is more than %d commands in a minute: I did not carry out this one, and I answer no more of them in the rest of that minute. Please wait a minute and send it again.", limit)
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
		return nil, project.Refuse(project.Stale, "This reached me more than 15 minutes after you sent it, so I left it. Please send it again if you still mean it.")
	}
	if cmd == nil {
		return nil, project.Refuse(project.UnknownCommand, "I do not know that command. Write %s to see what I can do%s.", k.spell("help"), k.askHint())
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

// askHint tells people in a direct chat how to reach a human.
func (k *call) askHint() string {
	if k.room.Kind != store.Direct {
		return ""
	}
	return ", or human and your question to reach a person"
}

// spell writes a command as it has to be typed here.
func (k *call) spell(command string) string {
	if k.room.IsLane() {
		return "`" + k.Prefix + " " + command + "`"
	}
	return "`" + command + "`"
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
		return true, k.answer(ctx, nil, project.Refuse(project.BadArgument, "That asks nobody: an edit, a notice and an emote are no commands. Only a message of its own is one."))
	}
	if room.Kind != string(project.Customer) || cmd != nil && cmd.customer {
		return false, nil
	}
	p, err := c.Store.Project(ctx, room.Project)
	if err != nil || !c.Policy.Works(ev.Sender, p) {
		return false, err
	}
	return true, k.takeOut(ctx, p, misplacedHere)
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
		return k.answer(ctx, nil, project.Refuse(project.WrongRoom, "I don't know that one here. To reach a person, write %s and your question; %s shows what else I can do.", k.spell("human"), k.spell("help")))
	}
	return k.takeOut(ctx, p, misplacedHere)
}

// misplacedHere is why a command of staff is taken out that would work elsewhere.
var misplacedHere = project.Refuse(project.WrongRoom, "It was not executed. Please write it here or in a staff lane:")

// takeOut redacts a command in the customer lane, and tells its sender alone, with
// the command as it can be pasted where it works.
func (k *call) takeOut(ctx context.Context, p *project.Project, why *project.Error) error {
	again := k.Prefix + " " + strings.Join(strings.Fields(clean(k.whole)), " ")
	if p != nil && !strings.Contains(again, "--project") {
		again += " --project " + p.Slug
	}
	w := text.Say("%s", "I took your command out of the customer lane: the customer reads along there. "+why.Sentence)
	a := store.Answer{Command: k.ev.ID, To: effect.Place{Person: k.sender}, Words: fitting(text.Join(w, text.Say("%s", text.Code(again)))),
		Result: map[string]any{"ok": false, "command": k.name, "error": why.Code}}
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
		a.Words = text.Join(a.Words, text.Elsewhere())
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

// pill makes a person as clients show them in this room.
func (k *call) pill(ctx context.Context, user string) text.Pill {
	return text.Pill{ID: user, Name: k.Store.NameIn(ctx, user, k.room.ID)}
}

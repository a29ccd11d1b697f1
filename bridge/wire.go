package bridge

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/bulkhead"
	"lanekeeper/bridge/command"
	"lanekeeper/bridge/handle"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/intake"
	"lanekeeper/bridge/link"
	"lanekeeper/bridge/outbox"
	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/reconcile"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
	"lanekeeper/config"
)

// newID gives 26 letters and digits, 130 bits, in lower case: aliases and user
// ids are.
func newID() string { return strings.ToLower(rand.Text()) }

// wire connects the stages.
func (b *Bridge) wire(ctx context.Context) error {
	b.rooms = &reconcile.Reconciler{
		Store: b.store, HS: b.hs, Policy: b.policy, Log: b.log,
		Version: b.cfg.Rooms.Version, SuperAdmin: b.cfg.Rooms.SuperAdmin, Drift: b.metrics.driftUndone,
		Away: bulkheadFor(b.cfg.Homeserver.Domain),
	}
	if err := b.staffRoom(ctx); err != nil {
		return err
	}
	b.store.Keeper = b.hs.Bot()
	if err := b.store.AdoptProjects(ctx); err != nil {
		return b.databaseError(ctx, err)
	}
	prefix, err := b.instance(ctx)
	if err != nil {
		return err
	}
	r := b.relay()
	actions := &action.Actions{Store: b.store, Policy: b.policy, Relay: r}
	b.files = b.fileServer()
	b.phones = &phone.Queue{
		Store: b.store, Relay: r, Parts: b.cfg.Limits.Parts, Link: b.files.Signer.To,
		Breaker: whatsapp.NewBreaker(phone.ProbeEvery, time.Now), Took: b.metrics.billed("out"),
	}
	commands := &command.Commands{
		Store: b.store, Policy: b.policy, Actions: actions, Relay: r,
		Prefix: b.cfg.CommandPrefix, Version: b.version, Plan: b.plan, PerMinute: b.cfg.Limits.CommandsPerMinute,
	}
	b.handler = &handle.Handler{
		Store: b.store, Commands: commands, Actions: actions, Relay: r, Phones: b.phones, Policy: b.policy,
		Bot: b.hs.Bot(), Ours: b.hs.Ours, Dirty: reconcile.Dirty, Encrypts: b.hs.EncryptsRooms, Look: b.hs.Look, Prefix: prefix, Log: b.log,
		SuperAdmin: b.cfg.Rooms.SuperAdmin, DirectChats: b.cfg.Limits.DirectChats,
	}
	b.sync = intake.NewSync(b.hs, b.store, b.log)
	b.sync.Events, b.sync.Alive = b.metrics.eventsIn, b.alive
	b.gaps = &intake.Gaps{HS: b.hs, Store: b.store, Log: b.log, Events: b.metrics.eventsIn, Exact: b.caps.Devices}
	before, err := b.store.Queue.Last(ctx)
	if err != nil {
		return b.databaseError(ctx, err)
	}
	b.outbox = &outbox.Matrix{
		Store: b.store, HS: b.hs, Rooms: b.rooms, Log: b.log, Prefix: prefix,
		Idempotent: b.caps.Devices, Began: time.Now(), Before: before, Sent: b.metrics.sent("matrix"),
		Away: bulkheadFor(b.cfg.Homeserver.Domain), Up: b.health.up,
	}
	if b.cfg.WhatsApp.Enabled {
		return b.wireTwilio(ctx, r)
	}
	b.health.ready(b)
	return nil
}

func (b *Bridge) wireTwilio(ctx context.Context, r *relay.Relay) error {
	client, err := whatsapp.New(TwilioConfig(b.cfg))
	if err != nil {
		return exit(ExitConfig, "%v.", err)
	}
	if standIn := b.cfg.WhatsApp.APIBaseURL; standIn != "" {
		b.log.Warn().Str("whatsapp.api_base_url", standIn).Msg("WhatsApp goes to a stand-in: nobody gets a message on a real phone")
	}
	pace := b.cfg.WhatsApp.Pace
	b.whatsapp = &outbox.WhatsApp{
		Store: b.store, Phones: b.phones, Twilio: client, Files: b.files, Link: b.files.Signer.To, Log: b.log, Sent: b.metrics.sent("whatsapp"),
		Template: b.cfg.WhatsApp.TemplateSID, Pace: whatsapp.NewPace(pace.Burst, pace.Every, time.Now),
	}
	b.carrier = &outbox.Carrier{Store: b.store, Twilio: client, HS: b.hs, Log: b.log}
	if err := r.LoadPeople(ctx); err != nil {
		return b.databaseError(ctx, err)
	}
	var agents []string
	for _, a := range r.People() {
		agents = append(agents, a.Phone)
	}
	if err := b.phones.Start(ctx, agents); err != nil {
		return b.databaseError(ctx, err)
	}
	b.listing = intake.NewListing(client, b.store, b.log, listEvery)
	b.outcomes = &intake.Outcomes{Twilio: client, Store: b.store, Log: b.log, Every: listEvery}
	b.health.twilio(client, b.listing)
	b.health.ready(b)
	return nil
}

// fileServer serves the files of messages that stand, under the public address.
func (b *Bridge) fileServer() *link.Server {
	signer := link.NewSigner(b.cfg.Media.SigningKey, b.cfg.AppService.PublicAddress, b.cfg.Media.LinkTTL, time.Now)
	return link.NewServer(signer, func(ctx context.Context, event string) (mxc, name string, err error) {
		m, err := b.store.Message(ctx, event)
		switch {
		case err != nil:
			return "", "", err
		case m == nil || m.Redacted:
			return "", "", link.ErrGone
		case m.File == nil || m.File.MXC == "":
			return "", "", link.ErrNone
		}
		return m.File.MXC, m.File.Name, nil
	}, b.hs.Download)
}

// TwilioConfig is what the Twilio client takes from the configuration.
func TwilioConfig(c *config.Config) whatsapp.Config {
	w := c.WhatsApp
	return whatsapp.Config{
		AccountSID: w.AccountSID, AuthToken: w.AuthToken, PreviousToken: w.AuthTokenPrevious, APIKey: w.APIKey, APISecret: w.APISecret,
		From: w.From, MessagingServiceSID: w.MessagingServiceSID, TemplateSID: w.TemplateSID,
		APIBaseURL: w.APIBaseURL, PublicAddress: c.AppService.PublicAddress,
	}
}

func (b *Bridge) relay() *relay.Relay {
	r := &relay.Relay{
		Store: b.store, Prefix: b.cfg.CommandPrefix,
		Ghost: func(opaque string) string { return b.hs.User(b.cfg.GhostPrefix() + "agent_" + opaque) },
		May:   func(user string) bool { return b.policy.Can(user, "handoff", nil) },
		Access: func(p *project.Project, user string, lane project.Kind) project.Access {
			return b.policy.Access(p, user, lane, b.store.Now())
		},
		Staff:    func() []string { return b.policy.Exact("handoff") },
		WhatsApp: b.cfg.WhatsApp.Enabled, Template: b.cfg.WhatsApp.TemplateSID != "",
		From:   b.cfg.WhatsApp.From,
		Ready:  b.cfg.Handoff.ReadyAnswers,
		Came:   b.metrics.billed("in"),
		Reveal: b.cfg.Handoff.RevealAgent, Consent: b.cfg.Handoff.Consent, Context: b.cfg.Handoff.ContextMessages,
		Limits: relay.Limits{Open: b.cfg.Limits.OpenHandoffs, Words: b.cfg.Limits.WordsPerMinute, Commands: b.cfg.Limits.CommandsPerMinute},
	}
	for _, a := range b.cfg.WhatsApp.Agents {
		r.Agents = append(r.Agents, handoff.Agent{Phone: a.Number, Name: a.Name, User: a.MXID})
	}
	return r
}

// plan names what apply would change, by what events told us.
func (b *Bridge) plan(ctx context.Context, id string) ([]command.Step, error) {
	p, err := b.store.Project(ctx, id)
	if err != nil || p == nil {
		return nil, err
	}
	steps, err := b.rooms.Plan(ctx, []*project.Project{p}, false)
	var out []command.Step
	for _, s := range steps {
		out = append(out, command.Step{Room: s.Room, Op: s.Op, Text: s.Text})
	}
	return out, err
}

// staffRoom refuses a room of ours as the super-admin room: all words of handoffs
// would stand in a lane or a direct chat.
func (b *Bridge) staffRoom(ctx context.Context) error {
	id := b.cfg.Rooms.SuperAdmin
	if id == "" {
		return nil
	}
	room, err := b.store.RoomByID(ctx, id)
	switch {
	case err != nil:
		return b.databaseError(ctx, err)
	case room == nil || room.Kind == store.SuperAdmin:
		return nil
	case room.Kind == store.Direct:
		return exit(ExitConfig, "rooms.super_admin is %s, which is the direct chat with %s: name a room of its own for staff, or leave it empty.", id, room.User)
	}
	return exit(ExitConfig, "rooms.super_admin is %s, which is the room %q of a project: name a room of its own for staff, or leave it empty.", id, room.Kind)
}

// bulkheadFor has the calls that servers other than our own may hold up.
func bulkheadFor(home string) *bulkhead.Pool {
	return &bulkhead.Pool{Slots: 16, PerServer: 2, Home: home, Linger: 2 * time.Second}
}

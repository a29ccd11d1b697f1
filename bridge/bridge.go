// Package bridge wires the stages in the order in which data flows: intake →
// queue → handle → reconcile and outbox → Matrix and WhatsApp.
package bridge

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/bulkhead"
	"lanekeeper/bridge/command"
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handle"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/intake"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/outbox"
	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/reconcile"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
	"lanekeeper/bridge/whatsapp"
	"lanekeeper/config"
)

// Exit codes of the process, by the contract.
const (
	ExitConfig     = 10
	ExitDatabase   = 12
	ExitHomeserver = 13
	ExitListen     = 14
)

// ExitError ends the process with a code and one sentence that names the fix.
type ExitError struct {
	Code     int
	Sentence string
}

func (e *ExitError) Error() string { return e.Sentence }

// ExitCode is what the process exits with.
func (e *ExitError) ExitCode() int { return e.Code }

func exit(code int, format string, args ...any) error {
	return &ExitError{code, fmt.Sprintf(format, args...)}
}

// Workers of each queue: how much happens at the same time, never more than one
// thing for one key.
const (
	handlers    = 8
	senders     = 8
	reconcilers = 4
	phones      = 4
	readers     = 3 // of gaps
)

// listEvery is how often Twilio is asked for what it could not deliver to us.
const listEvery = 3 * time.Minute

// Bridge is one running Lanekeeper.
type Bridge struct {
	cfg     *config.Config
	log     zerolog.Logger
	version string
	health  *health
	metrics *metrics

	hs       *matrix.Client
	caps     matrix.Capabilities
	policy   *policy.Policy
	store    *store.Store
	sync     *intake.Sync
	gaps     *intake.Gaps
	handler  *handle.Handler
	rooms    *reconcile.Reconciler
	outbox   *outbox.Matrix
	phones   *phone.Queue
	whatsapp *outbox.WhatsApp // nil: not enabled
	listing  *intake.Listing
	outcomes *intake.Outcomes
}

// Unbuilt says what the configuration asks for and this version does not have: an
// operator shall not believe that it works.
func Unbuilt(cfg *config.Config) (sentences []string) {
	if cfg.Gate.Enabled {
		sentences = append(sentences, "gate.enabled is true, but this version has no gate yet: set it to false. Nothing is refused before it is delivered.")
	}
	if cfg.Homeserver.Intake == "transactions" {
		sentences = append(sentences, `homeserver.intake is "transactions", but this version reads events by the bot's own sync only: set it to auto.`)
	}
	return sentences
}

// Run runs until ctx ends. Errors of type *ExitError say what the process shall
// exit with.
func Run(ctx context.Context, cfg *config.Config, log zerolog.Logger, version string) error {
	if missing := Unbuilt(cfg); len(missing) > 0 {
		return exit(ExitConfig, "%s", strings.Join(missing, "\n"))
	}
	b := &Bridge{cfg: cfg, log: log, version: version, policy: cfg.Policy(), metrics: newMetrics(), health: newHealth()}
	listener, listenErr := b.listen()
	group, running := errgroup.WithContext(ctx)
	if listenErr == nil {
		group.Go(func() error { return b.serve(running, listener) })
	}
	group.Go(func() error {
		for {
			err := b.term(running, func() error {
				if listener != nil {
					return nil
				}
				// The address may have belonged to the process that owned the database.
				if listener, listenErr = b.listen(); listenErr != nil {
					return exit(ExitListen, "Cannot listen on %s: %v. Change appservice.hostname and appservice.port, or stop what listens there.", b.address(), listenErr)
				}
				group.Go(func() error { return b.serve(running, listener) })
				return nil
			})
			if running.Err() != nil || !errors.Is(err, errAway) && !errors.Is(err, store.ErrLockLost) {
				return err
			}
			b.health.reset()
			log.Warn().Err(err).Msg("Everything has stopped and begins again as soon as the database is there")
			if err := pause(running, ownPause); err != nil {
				return err
			}
		}
	})
	err := group.Wait()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		log.Info().Msg("Lanekeeper has stopped")
		return nil
	}
	return err
}

func (b *Bridge) address() string {
	return net.JoinHostPort(b.cfg.AppService.Hostname, fmt.Sprint(b.cfg.AppService.Port))
}

func (b *Bridge) listen() (net.Listener, error) { return net.Listen("tcp", b.address()) }

// errAway: the database does not answer, and is waited for.
var errAway = errors.New("the database does not answer")

// databaseError ends the start if the database refuses us.
func (b *Bridge) databaseError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if store.Away(err) {
		return fmt.Errorf("%w: %w", errAway, err)
	}
	return exit(ExitDatabase, "%s", DatabaseSentence(b.cfg, err))
}

// DatabaseSentence says that the database cannot be used, and what to do.
func DatabaseSentence(cfg *config.Config, err error) string {
	check := "it runs, that the address and the password are right, and that Lanekeeper may make tables there"
	if cfg.Database.Type == store.SQLite {
		check = "its directory exists and that Lanekeeper may write there"
	}
	return fmt.Sprintf("Cannot use the database (database.uri): %v. Check that %s.", err, check)
}

// ownPause is how long nothing happens after the database was lost: it may come and go.
const ownPause = 250 * time.Millisecond

// pause waits, or gives ctx's error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// term is one time as the owner of the database: from the lock to its end. Every
// stage is made anew for it, so nothing of an earlier term goes on.
func (b *Bridge) term(ctx context.Context, begin func() error) error {
	owner, release, err := store.Lock(ctx, b.cfg.Database.Type, b.cfg.Database.URI, b.log)
	if err != nil {
		return b.databaseError(ctx, err)
	}
	defer release()
	if err := begin(); err != nil {
		return err
	}
	fresh := &Bridge{cfg: b.cfg, log: b.log, version: b.version, policy: b.policy, metrics: b.metrics, health: b.health}
	err = fresh.own(owner)
	if errors.Is(context.Cause(owner), store.ErrLockLost) {
		return store.ErrLockLost
	}
	return err
}

// own works on the database that this process owns now.
func (b *Bridge) own(ctx context.Context) error {
	db, err := store.Open(ctx, b.cfg.Database.Type, b.cfg.Database.URI, b.log)
	if err != nil {
		return b.databaseError(ctx, err)
	}
	defer db.Close()
	epoch, err := store.TakeOver(ctx, db)
	if err != nil {
		return b.databaseError(ctx, err)
	}
	ctx, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	q := queue.New(db, queue.System{}, b.log)
	fence := store.Fence(db, epoch)
	q.Fence(func(ctx context.Context) error {
		err := fence(ctx)
		if errors.Is(err, queue.ErrFenced) {
			lost(store.ErrLockLost)
		}
		return err
	})
	b.store = &store.Store{DB: db, Queue: q, Domain: b.cfg.Homeserver.Domain, Aliases: b.cfg.GhostPrefix(), NewID: newID, Now: time.Now}
	if err = b.stages(ctx); errors.Is(context.Cause(ctx), store.ErrLockLost) {
		return store.ErrLockLost
	}
	return err
}

// stages runs everything that works on the database.
func (b *Bridge) stages(ctx context.Context) error {
	q := b.store.Queue
	q.OnPark(b.parked)
	group, ctx := errgroup.WithContext(ctx)
	if b.cfg.Metrics.Enabled {
		listener, err := b.listenMetrics()
		if err != nil {
			return err
		}
		group.Go(func() error { return b.serveMetrics(ctx, listener) })
	}
	group.Go(func() error {
		if err := b.connect(ctx); err != nil {
			return err
		}
		if err := b.wire(ctx); err != nil {
			return err
		}
		return b.work(ctx)
	})
	return group.Wait()
}

// newID gives 26 letters and digits, 130 bits, in lower case: aliases and user
// ids are.
func newID() string { return strings.ToLower(rand.Text()) }

// connect waits for the homeserver and makes the bot.
func (b *Bridge) connect(ctx context.Context) (err error) {
	if b.hs, err = matrix.New(MatrixConfig(b.cfg), b.log); err != nil {
		return exit(ExitHomeserver, "%v", err)
	}
	b.health.client(b.hs)
	pause := 250 * time.Millisecond
	for told := false; ; {
		if b.caps, err = b.hs.Probe(ctx); err == nil {
			err = b.hs.EnsureBot(ctx)
		}
		if v := b.cfg.Rooms.Version; err == nil && v != "" && !slices.Contains(b.caps.RoomVersions, v) {
			return exit(ExitConfig, "rooms.version is %q, but the homeserver offers %s as stable: leave it empty.", v, strings.Join(b.caps.RoomVersions, ", "))
		}
		if err == nil && b.caps.RoomVersion() == "" {
			return exit(ExitHomeserver, "The homeserver %s is too old: it names no stable room version. Update it.", b.cfg.Homeserver.Address)
		}
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, matrix.ErrNoHomeserver):
			return exit(ExitHomeserver, "What answers at %s (homeserver.address) is no homeserver: %v. Correct the address; if a proxy stands there, let it pass /_matrix/ on to the homeserver.", b.cfg.Homeserver.Address, err)
		case !matrix.Temporary(err) || matrix.IsCode(err, "M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_EXCLUSIVE"):
			return exit(ExitHomeserver, "The homeserver %s refuses us: %v. Check that it has read the registration (lanekeeper -g) and was restarted since, and that homeserver.domain is right; `lanekeeper doctor` tells which.", b.cfg.Homeserver.Address, err)
		}
		if !told {
			b.log.Warn().Err(err).Str("homeserver", b.cfg.Homeserver.Address).Msg("The homeserver does not answer; waiting for it")
			told = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// MatrixConfig is what the homeserver client takes from the configuration.
func MatrixConfig(c *config.Config) matrix.Config {
	return matrix.Config{
		Address: c.Homeserver.Address, Domain: c.Homeserver.Domain, Software: c.Homeserver.Software,
		ASToken: c.AppService.ASToken, HSToken: c.AppService.HSToken, ID: c.AppService.ID,
		BotLocalpart: c.AppService.Bot.Username, BotName: c.AppService.Bot.Displayname, BotAvatar: c.AppService.Bot.Avatar,
		GhostPrefix: c.GhostPrefix(),
	}
}

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
	b.phones = &phone.Queue{Store: b.store, Relay: r, Parts: b.cfg.Limits.Parts}
	commands := &command.Commands{
		Store: b.store, Policy: b.policy, Actions: actions, Relay: r, Bot: b.hs.Bot(), Ghosts: "@" + b.cfg.GhostPrefix(),
		Prefix: b.cfg.CommandPrefix, Version: b.version, Plan: b.plan, PerMinute: b.cfg.Limits.CommandsPerMinute,
	}
	b.handler = &handle.Handler{
		Store: b.store, Commands: commands, Actions: actions, Relay: r, Phones: b.phones, Policy: b.policy,
		Bot: b.hs.Bot(), Ours: b.hs.Ours, Dirty: reconcile.Dirty, Encrypts: b.hs.EncryptsRooms, Prefix: prefix, Log: b.log,
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
	pace := b.cfg.WhatsApp.Pace
	b.whatsapp = &outbox.WhatsApp{
		Store: b.store, Phones: b.phones, Twilio: client, Log: b.log, Sent: b.metrics.sent("whatsapp"),
		Template: b.cfg.WhatsApp.TemplateSID, Pace: whatsapp.NewPace(pace.Burst, pace.Every, time.Now),
	}
	var agents []string
	for _, a := range r.Agents {
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

// TwilioConfig is what the Twilio client takes from the configuration.
func TwilioConfig(c *config.Config) whatsapp.Config {
	w := c.WhatsApp
	return whatsapp.Config{
		AccountSID: w.AccountSID, AuthToken: w.AuthToken, APIKey: w.APIKey, APISecret: w.APISecret,
		From: w.From, MessagingServiceSID: w.MessagingServiceSID, TemplateSID: w.TemplateSID,
		APIBaseURL: w.APIBaseURL, PublicAddress: c.AppService.PublicAddress,
	}
}

func (b *Bridge) relay() *relay.Relay {
	r := &relay.Relay{
		Store: b.store, Bot: b.hs.Bot(), Prefix: b.cfg.CommandPrefix,
		Ghost:    func(opaque string) string { return b.hs.User(b.cfg.GhostPrefix() + "agent_" + opaque) },
		May:      func(user string) bool { return b.policy.Can(user, "handoff", nil) },
		Staff:    func() []string { return b.policy.Exact("handoff") },
		WhatsApp: b.cfg.WhatsApp.Enabled, Template: b.cfg.WhatsApp.TemplateSID != "",
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

// instance is a random name of this database: transaction ids begin with it, so
// that another database on the same homeserver repeats none of them.
func (b *Bridge) instance(ctx context.Context) (string, error) {
	id, err := b.store.Meta(ctx, "instance")
	if err == nil && id == "" {
		id = newID()[:12]
		err = b.store.SetMeta(ctx, "instance", id)
	}
	if err != nil {
		return "", b.databaseError(ctx, err)
	}
	return id, nil
}

// alive is told whether the homeserver answers. When it is back nothing waits any
// longer, however long it was away.
func (b *Bridge) alive(ok bool) {
	if b.health.synced(ok) {
		b.store.Queue.WakeAll(store.QueueMatrix)
		b.store.Queue.WakeAll(store.QueueReconcile)
		b.store.Queue.WakeAll(store.QueueGap)
	}
}

// work runs every stage until ctx ends.
func (b *Bridge) work(ctx context.Context) error {
	defer b.outbox.Away.Wait()
	group, ctx := errgroup.WithContext(ctx)
	run := func(name string, workers int, do func(context.Context, queue.Job) queue.Result) {
		group.Go(func() error { return b.store.Queue.Run(ctx, name, workers, do) })
	}
	group.Go(func() error { return b.sync.Run(ctx) })
	keep := b.cfg.Retention
	forgetting := &intake.Forgetting{
		Store: b.store, Log: b.log, Ready: b.health.caughtUp, Bot: b.hs.Bot(),
		Keep: store.Retention{Messages: keep.Messages, Handoffs: keep.Handoffs, Parked: keep.Parked},
	}
	group.Go(func() error { return forgetting.Run(ctx) })
	run(store.QueueGap, readers, b.gaps.Do)
	run(store.QueueIn, handlers, b.handler.Do)
	group.Go(func() error { return b.databaseError(ctx, b.rooms.Run(ctx, reconcilers)) })
	run(store.QueueMatrix, senders, b.outbox.Do)
	if b.whatsapp != nil {
		run(store.QueueWhatsApp, phones, b.whatsapp.Do)
		group.Go(func() error { return b.listing.Run(ctx) })
		group.Go(func() error { return b.outcomes.Run(ctx) })
	}
	b.log.Info().Str("version", b.version).Str("homeserver", b.caps.Software).Msg("Lanekeeper is up")
	return group.Wait()
}

// parkedEvery is how often staff is told at most that something was set aside: many
// things that are set aside have one reason, and the log has all of them.
const parkedEvery = 10 * time.Minute

// parked says in the super-admin room that something was set aside, and answers the
// command if it was one.
func (b *Bridge) parked(ctx context.Context, job queue.Job, reason string) error {
	if job.Queue == store.QueueIn && b.handler != nil {
		if err := b.handler.Parked(ctx, job); err != nil {
			return err
		}
	}
	if job.Queue == store.QueueGap && b.gaps != nil {
		if err := b.gaps.Parked(ctx, job); err != nil {
			return err
		}
	}
	if job.Queue == store.QueueWhatsApp && b.phones != nil {
		if err := b.phones.Parked(ctx, job.Key); err != nil {
			return err
		}
	}
	if told, err := b.store.Lately(ctx, "parked", parkedEvery); told || err != nil {
		return err
	}
	return b.store.Do(ctx, effect.Effect{Message: &effect.Message{
		To: effect.Place{SuperAdmin: true}, Content: text.Parked(job.ID, job.Queue, reason).Notice(),
	}})
}

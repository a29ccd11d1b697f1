// Package bridge wires the stages in the order in which data flows: intake →
// queue → handle → reconcile and outbox → Matrix and WhatsApp.
package bridge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"lanekeeper/bridge/handle"
	"lanekeeper/bridge/intake"
	"lanekeeper/bridge/link"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/outbox"
	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/reconcile"
	"lanekeeper/bridge/store"
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
	files    *link.Server
	whatsapp *outbox.WhatsApp // nil: not enabled
	carrier  *outbox.Carrier
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

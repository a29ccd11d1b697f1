package bridge

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
	"lanekeeper/config"
)

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

// alive is told whether the homeserver answers. When it is back nothing waits any
// longer, however long it was away.
func (b *Bridge) alive(ok bool) {
	if b.health.synced(ok) {
		b.store.Queue.WakeAll(store.QueueMatrix)
		b.store.Queue.WakeAll(store.QueueReconcile)
		b.store.Queue.WakeAll(store.QueueGap)
	}
}

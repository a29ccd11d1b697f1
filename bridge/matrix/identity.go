package matrix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// maxGhosts bounds the memory of ghosts that stand; beyond it all are forgotten,
// which costs a few calls and nothing else.
const maxGhosts = 4096

// EnsureBot registers the bot, makes its device, and sets its display name and
// avatar where they differ (each change is an event in every room).
func (c *Client) EnsureBot(ctx context.Context) error {
	if _, err := c.capabilities(ctx); err != nil {
		return err
	}
	return c.setProfile(ctx, c.Bot(), c.cfg.BotName, c.cfg.BotAvatar)
}

// EnsureGhost registers a ghost, makes its device and sets its display name. What
// stands is remembered, so it may be called before every message.
func (c *Client) EnsureGhost(ctx context.Context, mxid, name string) error {
	c.mu.Lock()
	have, ok := c.ghosts[mxid]
	c.mu.Unlock()
	if ok && have == name {
		return nil
	}
	localpart, ok := c.localpart(mxid)
	if !ok || !c.Ours(mxid) {
		// As the homeserver would say.
		return fmt.Errorf("ghost %s: %w", mxid, &Error{Status: http.StatusBadRequest, Code: "M_EXCLUSIVE", Message: "outside the namespace of the application service"})
	}
	caps, err := c.capabilities(ctx)
	if err != nil {
		return err
	}
	if err := c.register(ctx, localpart); err != nil {
		return err
	}
	if caps.Devices {
		if _, err := c.makeDevice(ctx, mxid); err != nil {
			return err
		}
	}
	if err := c.setProfile(ctx, mxid, name, ""); err != nil {
		return err
	}
	c.remember(mxid, name)
	return nil
}

func (c *Client) remember(mxid, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ghosts) >= maxGhosts {
		clear(c.ghosts)
	}
	c.ghosts[mxid] = name
}

// forget makes the next call, or the next EnsureGhost, register the user again
// and make its device.
func (c *Client) forget(mxid string) {
	if mxid == c.Bot() {
		c.caps.Store(nil)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ghosts, mxid)
}

// stands tells, from memory, whether a user of ours was registered by us.
func (c *Client) stands(mxid string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.ghosts[mxid]
	return ok || mxid == c.Bot()
}

// register makes a user; one that exists is fine. inhibit_login is needed where
// MSC4190 is on: there application services cannot log in.
func (c *Client) register(ctx context.Context, localpart string) error {
	_, err := c.do(ctx, request{
		op: "register " + c.User(localpart), method: http.MethodPost, path: []any{"client", "v3", "register"}, nobody: true,
		body: map[string]any{"type": "m.login.application_service", "username": localpart, "inhibit_login": true},
	})
	if IsCode(err, "M_USER_IN_USE") {
		return nil
	}
	return err
}

// makeDevice creates the device of a user as in MSC4190, or finds that the
// homeserver has no such thing.
func (c *Client) makeDevice(ctx context.Context, user string) (bool, error) {
	_, err := c.do(ctx, request{
		op: "device of " + user, method: http.MethodPut, path: []any{"client", "v3", "devices", deviceID}, as: user, noDevice: true,
		body: map[string]any{"display_name": "Lanekeeper"},
	})
	if absent(err) {
		return false, nil
	}
	return err == nil, err
}

// setProfile writes what is given and differs.
func (c *Client) setProfile(ctx context.Context, user, name, avatar string) error {
	haveName, haveAvatar, err := c.profile(ctx, user)
	if err != nil {
		return err
	}
	for _, field := range []struct{ key, have, want string }{
		{"displayname", haveName, name},
		{"avatar_url", haveAvatar, avatar},
	} {
		if field.want == "" || field.want == field.have {
			continue
		}
		if _, err := c.do(ctx, request{
			op: field.key + " of " + user, method: http.MethodPut, path: []any{"client", "v3", "profile", user, field.key}, as: user,
			body: map[string]any{field.key: field.want},
		}); err != nil {
			return err
		}
	}
	return nil
}

// Profile gives the display name of somebody; empty if they have none.
func (c *Client) Profile(ctx context.Context, user string) (string, error) {
	name, _, err := c.profile(ctx, user)
	return name, err
}

// Look asks our homeserver about one of its users: their display name, or that there is
// no such user. That is said only where it is clear. For 404 of a profile Synapse says
// M_UNKNOWN if there is no such user, and M_NOT_FOUND of one whose profile is empty;
// Dendrite says M_NOT_FOUND of both. So that is taken for the first only where the name is
// free to be registered.
func (c *Client) Look(ctx context.Context, user string) (name string, missing bool, err error) {
	var answer struct {
		Name string `json:"displayname"`
	}
	_, err = c.do(ctx, request{op: "profile of " + user, method: http.MethodGet, path: []any{"client", "v3", "profile", user}, out: &answer, timeout: lookTime})
	if !absent(err) || !IsCode(err, "M_NOT_FOUND", "M_UNKNOWN") {
		return answer.Name, false, err
	}
	local, _, _ := strings.Cut(strings.TrimPrefix(user, "@"), ":")
	_, free := c.do(ctx, request{
		op: "name of " + user, method: http.MethodGet, path: []any{"client", "v3", "register", "available"}, query: map[string]string{"username": local},
		nobody: true, timeout: lookTime,
	})
	switch {
	case free == nil:
		return "", true, nil
	case Temporary(free):
		return "", false, free
	}
	return "", IsCode(err, "M_UNKNOWN") && !IsCode(free, "M_USER_IN_USE"), nil
}

// lookTime is how long somebody who typed a command waits for that.
const lookTime = 3 * time.Second

func (c *Client) profile(ctx context.Context, user string) (name, avatar string, err error) {
	var answer struct {
		Name   string `json:"displayname"`
		Avatar string `json:"avatar_url"`
	}
	_, err = c.do(ctx, request{op: "profile of " + user, method: http.MethodGet, path: []any{"client", "v3", "profile", user}, out: &answer})
	if absent(err) { // M_NOT_FOUND; Synapse says M_UNKNOWN
		return "", "", nil
	}
	return answer.Name, answer.Avatar, err
}

// absent recognises a path that the homeserver does not have, or a thing there
// that it does not know.
func absent(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed)
}

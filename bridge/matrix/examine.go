package matrix

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// Questions that only an examination asks: they change nothing that anybody sees.

// ClockAhead is how far the homeserver's clock is ahead of ours, by the Date of an
// answer (RFC 9110, section 6.6.1: whole seconds); 0 if it does not tell.
func (c *Client) ClockAhead(ctx context.Context) (time.Duration, error) {
	header, err := c.do(ctx, request{op: "versions of the homeserver", method: http.MethodGet, path: []any{"client", "versions"}, nobody: true})
	if err != nil {
		return 0, err
	}
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0, nil
	}
	return time.Until(date), nil
}

// TrySync asks for the smallest possible sync as the bot: of no room. Synapse
// refuses it to the sender_localpart of a registration.
func (c *Client) TrySync(ctx context.Context) error {
	const nothing = `{"types": [], "not_types": ["*"]}`
	_, err := c.do(ctx, request{
		op: "sync", method: http.MethodGet, path: []any{"client", "v3", "sync"}, limit: answerLimitSync, out: &struct{}{},
		query: map[string]string{"timeout": "0", "set_presence": "offline", "filter": `{"presence": ` + nothing + `, "account_data": ` + nothing + `, "room": {"rooms": []}}`},
	})
	return err
}

// ErrForeignGhosts and ErrForeignAliases say that the homeserver's registration
// does not give us the names that our configuration gives our users and rooms.
var (
	ErrForeignGhosts  = errors.New("the names of our users are not ours")
	ErrForeignAliases = errors.New("the names of our rooms are not ours")
)

// TryNames asks whether the namespaces of the registration hold our ghosts and
// aliases. It registers one ghost, which is only ever used here, and deletes an
// alias that nobody has.
func (c *Client) TryNames(ctx context.Context) error {
	if err := c.register(ctx, c.cfg.GhostPrefix+"doctor"); IsCode(err, "M_EXCLUSIVE") {
		return ErrForeignGhosts
	} else if err != nil {
		return err
	}
	err := c.DeleteAlias(ctx, c.Alias(c.cfg.GhostPrefix+"doctor"))
	var refused *Error
	switch {
	case err == nil, absent(err), IsCode(err, "M_NOT_FOUND"):
		return nil
	case IsCode(err, "M_EXCLUSIVE"), errors.As(err, &refused) && refused.Status == http.StatusForbidden && strings.Contains(refused.Message, "alias"):
		return ErrForeignAliases
	}
	return err
}

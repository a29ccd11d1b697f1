package matrix

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

type silent struct{}

// RoundTrip takes the request and never answers.
func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A homeserver that takes a request and says nothing: 30 s, a sync its own time
// on top, and the outcome is unknown.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{
			Address: "http://localhost", Domain: "lanes.test", ASToken: "a", HSToken: "h",
			BotLocalpart: "lanekeeper", GhostPrefix: "lanekeeper_", ID: "lanekeeper",
		}, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		c.http.Transport = silent{}
		c.caps.Store(&Capabilities{Devices: true})
		for name, call := range map[string]struct {
			want time.Duration
			do   func(ctx context.Context) error
		}{
			"send":        {30 * time.Second, func(ctx context.Context) error { _, err := c.Send(ctx, "", "!r", "t", "x", 1); return err }},
			"sync":        {55 * time.Second, func(ctx context.Context) error { _, err := c.Sync(ctx, "s1", 25*time.Second, Measure{}); return err }},
			"catching up": {10 * time.Minute, func(ctx context.Context) error { _, err := c.Sync(ctx, "s1", 0, Measure{}); return err }}, // C4
			"first sync":  {10 * time.Minute, func(ctx context.Context) error { _, err := c.Sync(ctx, "", 0, Measure{}); return err }},
		} {
			began := time.Now()
			err := call.do(t.Context())
			var e *Error
			if took := time.Since(began); took != call.want || !errors.As(err, &e) || e.Status != 0 || !Temporary(err) || !TooMuch(err) {
				t.Errorf("%s: %s, %v", name, took, err)
			}
		}
	})
}

// large answers with more than anybody takes.
type large struct{}

func (large) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: answerLimitSync + 1, Body: io.NopCloser(strings.NewReader("{")), Request: r}, nil
}

// C4: an answer that is too large is told from one that did not come.
func TestTooLarge(t *testing.T) {
	c, err := New(Config{
		Address: "http://localhost", Domain: "lanes.test", ASToken: "a", HSToken: "h",
		BotLocalpart: "lanekeeper", GhostPrefix: "lanekeeper_", ID: "lanekeeper",
	}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	c.http.Transport = large{}
	c.caps.Store(&Capabilities{Devices: true})
	_, err = c.Sync(t.Context(), "s1", 0, Measure{})
	if !errors.Is(err, ErrTooLarge) || !TooMuch(err) || !Temporary(err) {
		t.Error(err)
	}
}

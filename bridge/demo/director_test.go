package demo

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
)

// steps makes steps in the background, and tells how many began until now.
func steps(t *testing.T, d *director) (began func() int) {
	ctx, _ := d.begin(t.Context())
	n := 0
	go func() {
		for d.step(ctx) == nil {
			n++
		}
	}()
	return func() int { synctest.Wait(); return n }
}

// A page sets the pace: it holds the story, goes on step by step, and lets it run.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(chapters)
		d.pace = func(int) time.Duration { return time.Second }
		leave := d.watch()
		began := steps(t, d)
		if time.Sleep(3*time.Second + 1); began() != 3 {
			t.Errorf("%d steps in 3 s", began())
		}
		d.wish("pause")
		if time.Sleep(time.Minute); began() != 3 {
			t.Errorf("%d steps though it is paused", began())
		}
		d.wish("next")
		if time.Sleep(time.Minute); began() != 4 {
			t.Errorf("%d steps after one more", began())
		}
		d.wish("play")
		if time.Sleep(2*time.Second + 1); began() < 6 {
			t.Errorf("%d steps though it plays", began())
		}
		if d.wish("dance") {
			t.Error("an unknown wish is granted")
		}
		d.wish("again")
		last := began()
		if time.Sleep(time.Minute); began() != last {
			t.Error("the play goes on though another one is wanted")
		}
		leave()
	})
}

// While nobody watches the story does not wait, save for a page that may come, or come back.
func TestNobodyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDirector(chapters)
		d.wait(20 * time.Second)
		ctx, play := d.begin(t.Context())
		began := time.Now()
		if err := d.step(ctx); err != nil || time.Since(began) != 20*time.Second || play != 1 {
			t.Errorf("%v, after %s", err, time.Since(began))
		}
		if err := d.step(ctx); err != nil || time.Since(began) != 20*time.Second {
			t.Errorf("%v, after %s", err, time.Since(began))
		}
		d.watch()()
		if err := d.step(ctx); err != nil || time.Since(began) != 20*time.Second+back {
			t.Errorf("%v, after %s", err, time.Since(began))
		}
		again := d.wanted()
		d.wish("again")
		if err := d.step(ctx); !errors.Is(err, errAgain) {
			t.Errorf("it goes on with %v", err)
		}
		select {
		case <-again:
		default:
			t.Error("nobody hears that another play is wanted")
		}
	})
}

// The stage is for this computer and for its own page alone: it holds everybody's access token.
func TestStageIsGuarded(t *testing.T) {
	w := &world{director: newDirector(chapters), homeserver: &lab.Homeserver{URL: "http://127.0.0.1:8008"}}
	w.phones = emulator.New(t.Context(), emulator.Config{})
	t.Cleanup(w.phones.Close)
	server := httptest.NewServer(w.handler())
	t.Cleanup(server.Close)
	for _, tc := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
	}{
		{"the page", "POST", "/stage/story", `{"do":"pause"}`, []string{"Origin", server.URL, "Sec-Fetch-Site", "same-origin"}, 204},
		{"another page", "POST", "/stage/story", `{"do":"pause"}`, []string{"Origin", "https://evil.example"}, 403},
		{"a form of another page", "POST", "/stage/story", `{"do":"pause"}`, []string{"Content-Type", "text/plain"}, 415},
		{"nothing to do", "POST", "/stage/story", `{"do":"x"}`, nil, 400},
		{"no JSON", "POST", "/stage/story", `pause`, nil, 400},
		{"reading by another name", "GET", "/stage/scene", "", []string{"Host", "evil.example:29350"}, 403},
		{"the page by another name", "GET", "/", "", []string{"Host", "evil.example"}, 403},
		{"a file beside", "GET", "/stage/../page.go", "", nil, 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tc.method, server.URL+tc.path, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		for i := 0; i+1 < len(tc.header); i += 2 {
			if req.Header.Set(tc.header[i], tc.header[i+1]); tc.header[i] == "Host" {
				req.Host = tc.header[i+1]
			}
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != tc.status {
			t.Errorf("%s: %s, not %d", tc.name, res.Status, tc.status)
		}
	}
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	csp := res.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "connect-src 'self' http://127.0.0.1:8008;") || strings.Contains(csp, "unsafe") {
		t.Errorf("the page's policy is %q", csp)
	}
}

// A page that is gone is not waited for when the demo ends.
func TestSceneEnds(t *testing.T) {
	d := newDirector(chapters)
	ctx, end := context.WithCancel(t.Context())
	req := httptest.NewRequestWithContext(ctx, "GET", "/stage/scene", nil)
	answer := httptest.NewRecorder()
	end()
	d.events(answer, req)
	if body := answer.Body.String(); !strings.Contains(body, `data: {"state":"starting"`) {
		t.Errorf("it says %q", body)
	}
	if d.watchers != 0 {
		t.Error("somebody is said to watch who does not")
	}
}

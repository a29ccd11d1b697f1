// Package browser looks at our pages as people do: in a Chromium without a window.
package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"lanekeeper/bridge/lab"
)

// patience is how long anything that should be seen may take, life how long one
// browser may be needed.
const (
	patience = 60 * time.Second
	life     = 10 * time.Minute
)

// Open opens an address. What the page's scripts fail with, and what the browser
// complains of, fails the test, unless it contains one of the words that are tolerated.
func Open(t *testing.T, address string, width, height int, tolerated ...string) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome", "headless-shell"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("SKIPPED, NOT PASSED: there is no Chromium here, so nobody has looked at the page")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(width, height),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("force-prefers-reduced-motion", true), // nobody watches: no time for animations
		chromedp.WSURLReadTimeout(patience))
	options = append(options, alone(t)...)
	ctx, end := context.WithTimeout(t.Context(), life)
	t.Cleanup(end)
	ctx, end = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(end)
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("the page failed: %s", e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			if slices.ContainsFunc(tolerated, func(words string) bool { return strings.Contains(e.Entry.Text, words) }) {
				return
			}
			t.Errorf("the browser complains: %s %s", e.Entry.Text, e.Entry.URL)
		}
	})
	if err := chromedp.Run(ctx); err != nil { // starts it, for as long as this context lives
		t.Fatal(err)
	}
	Do(t, ctx, log.Enable(), chromedp.Navigate(address))
	return ctx
}

// alone gives the browser a profile and a process group of its own, and takes both
// away after its end: it is many processes, and those that chromedp does not wait
// for write into the profile for a moment longer.
func alone(t *testing.T) []chromedp.ExecAllocatorOption {
	profile := t.TempDir()
	var browser *exec.Cmd
	t.Cleanup(func() {
		if browser == nil || browser.Process == nil {
			return
		}
		_ = syscall.Kill(-browser.Process.Pid, syscall.SIGKILL) // they may all have ended
		for until := time.Now().Add(10 * time.Second); os.RemoveAll(profile) != nil && time.Now().Before(until); {
			time.Sleep(10 * time.Millisecond)
		}
	})
	return []chromedp.ExecAllocatorOption{chromedp.UserDataDir(profile), chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
		browser = cmd
		cmd.SysProcAttr = lab.Child()
	})}
}

// Do does something on the page, as soon as it can be done.
func Do(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := run(ctx, actions...); err != nil {
		t.Fatalf("not done: %v; the page shows\n%s", err, shown(ctx))
	}
}

func run(ctx context.Context, actions ...chromedp.Action) error {
	ctx, end := context.WithTimeout(ctx, patience)
	defer end()
	return chromedp.Run(ctx, actions...)
}

// shown is what can be read on the page, for those who look for a fault.
func shown(ctx context.Context) (text string) {
	if err := run(ctx, chromedp.Evaluate("document.body.innerText", &text)); err != nil {
		return err.Error()
	}
	return text
}

// See waits until a condition, which is JavaScript, holds on the page.
func See(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	if err := run(ctx, chromedp.Poll(condition, nil, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(0))); err != nil {
		t.Fatalf("not so: %s (%v); the page shows\n%s", condition, err, shown(ctx))
	}
}

// Shows is a condition: the element is there with this text.
func Shows(selector, text string) string {
	return fmt.Sprintf("document.querySelector(%q)?.textContent.includes(%s)", selector, Quote(text))
}

// Some is a condition: one of these elements has this text.
func Some(selector, text string) string {
	return fmt.Sprintf("[...document.querySelectorAll(%q)].some((e) => e.textContent.includes(%s))", selector, Quote(text))
}

// Quote writes a string as JavaScript does.
func Quote(s string) string {
	b, _ := json.Marshal(s) // strings can always be written
	return string(b)
}

// Promise waits for what a script promises.
func Promise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// Enter presses that key as a keyboard does; chromedp's own way types a line break
// even where the page has taken the key for itself.
var Enter = chromedp.ActionFunc(func(ctx context.Context) error {
	key := input.DispatchKeyEvent(input.KeyDown).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13).WithText("\r")
	if err := key.Do(ctx); err != nil {
		return err
	}
	key.Type, key.Text = input.KeyUp, ""
	return key.Do(ctx)
})

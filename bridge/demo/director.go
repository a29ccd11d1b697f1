package demo

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"sync"
	"time"
	"unicode/utf8"
)

// director says when the story goes on, and tells the page where it is. While
// nobody watches it never waits.
type director struct {
	pace func(letters int) time.Duration // how long a step with so many letters is left to whoever watches

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	revision int
	scene    scene
	letters  int       // told in this step
	watchers int       // pages that are open
	until    time.Time // how long a page that may come, or come back, is waited for
	paused   bool
	forward  bool // the next step is asked for, now
	cancel   context.CancelCauseFunc
	again    chan struct{} // closed when another play is wanted
}

// scene is where the story is, as the page shows it.
type scene struct {
	State    string           `json:"state"` // starting, playing, paused, over, failed
	World    *stageWorld      `json:"world,omitempty"`
	Play     int              `json:"play"` // counted from 1
	Chapters []string         `json:"chapters"`
	Chapter  int              `json:"chapter"` // from 1; 0: before the first
	Lead     string           `json:"lead"`    // what to watch in this chapter
	Step     int              `json:"step"`
	Lines    []line           `json:"lines"` // what happened in this step
	Look     map[string]place `json:"look"`  // who → what they look at in this step
	Error    string           `json:"error,omitempty"`
}

// stageWorld is what a page needs to act for people: it is theirs on this computer alone.
type stageWorld struct {
	Homeserver string   `json:"homeserver"`
	Bot        string   `json:"bot"`
	People     []person `json:"people"`
}

type person struct {
	Name     string `json:"name"` // localpart
	Title    string `json:"title"`
	What     string `json:"what"`
	ID       string `json:"id"`
	Token    string `json:"token"`
	Password string `json:"password"`
}

// line is one thing that somebody said or did.
type line struct {
	Who   string `json:"who"`
	Where string `json:"where"`
	Words string `json:"words"`
	Act   bool   `json:"act"` // done, not said
}

// place is an event of a room, or a room.
type place struct {
	Room  string `json:"room"`
	Event string `json:"event,omitempty"`
}

// back is how long a page that is loaded again may take.
const back = 5 * time.Second

// lively leaves time to follow, and plays the story in less than a minute: who
// wants to read every word holds it.
func lively(letters int) time.Duration {
	return min(600*time.Millisecond+time.Duration(letters)*6*time.Millisecond, 1800*time.Millisecond)
}

func newDirector(chapters []string) *director {
	return &director{
		pace: lively, changed: make(chan struct{}), again: make(chan struct{}),
		scene: scene{State: "starting", Chapters: chapters, Lines: []line{}, Look: map[string]place{}},
	}
}

// change changes what the page shows.
func (d *director) change(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
	d.touch()
}

// touch tells everybody who waits. The lock is held.
func (d *director) touch() {
	d.revision++
	close(d.changed)
	d.changed = make(chan struct{})
}

// wait waits for a page that may be opened.
func (d *director) wait(patience time.Duration) {
	d.change(func() { d.until = time.Now().Add(patience) })
}

// wanted closes when another play is wanted.
func (d *director) wanted() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.again
}

var errAgain = errors.New("the story begins again")

// begin begins a play. Its context ends if the page wants another one.
func (d *director) begin(ctx context.Context) (_ context.Context, play int) {
	ctx, cancel := context.WithCancelCause(ctx)
	d.change(func() {
		d.cancel, d.paused, d.forward, d.letters = cancel, false, false, 0
		d.scene.State, d.scene.Play = "playing", d.scene.Play+1
		d.scene.Chapter, d.scene.Lead, d.scene.Step, d.scene.Error = 0, "", 0, ""
		d.scene.Lines, d.scene.Look = []line{}, map[string]place{}
		play = d.scene.Play
	})
	return ctx, play
}

// end ends a play: whoever watches may do what they like.
func (d *director) end(err error) {
	d.change(func() {
		d.cancel(nil)
		d.scene.State = "over"
		if err != nil {
			d.scene.State, d.scene.Error = "failed", err.Error()
		}
	})
}

// step begins the next step when it is time for it.
func (d *director) step(ctx context.Context) error {
	if err := d.due(ctx); err != nil {
		return err
	}
	d.change(func() {
		d.forward, d.letters = false, 0
		d.scene.Step++
		d.scene.Lines, d.scene.Look = []line{}, map[string]place{}
	})
	return nil
}

// due waits until the next step may begin.
func (d *director) due(ctx context.Context) error {
	began := time.Now()
	for {
		d.mu.Lock()
		changed := d.changed
		wait := time.Until(began.Add(d.pace(d.letters)))
		switch {
		case d.forward:
			wait = 0
		case d.watchers == 0:
			wait = time.Until(d.until)
		case d.paused:
			wait = time.Hour // until something changes
		}
		d.mu.Unlock()
		if wait <= 0 || ctx.Err() != nil {
			return context.Cause(ctx)
		}
		timer := time.NewTimer(wait)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// chapter begins a part of the story.
func (d *director) chapter(lead string) {
	d.change(func() {
		d.scene.Chapter++
		d.scene.Lead = lead
		d.letters += utf8.RuneCountInString(lead)
	})
}

// tell shows what somebody said or did.
func (d *director) tell(l line) {
	d.change(func() {
		d.scene.Lines = append(d.scene.Lines, l)
		d.letters += utf8.RuneCountInString(l.Words)
	})
}

// look turns somebody to what they look at.
func (d *director) look(who string, at place) {
	d.change(func() {
		d.scene.Look = maps.Clone(d.scene.Look)
		d.scene.Look[who] = at
	})
}

// wish is what somebody who watches wants.
func (d *director) wish(what string) (known bool) {
	known = true
	d.change(func() {
		running := d.scene.State == "playing" || d.scene.State == "paused"
		switch what {
		case "play", "pause":
			if d.paused = what == "pause"; running {
				d.scene.State = map[bool]string{true: "paused", false: "playing"}[d.paused]
			}
		case "next":
			d.forward = running
		case "again":
			if d.cancel != nil {
				d.cancel(errAgain)
				close(d.again)
				d.again = make(chan struct{})
			}
		default:
			known = false
		}
	})
	return known
}

// watch counts a page that is open, until it is not.
func (d *director) watch() (leave func()) {
	d.change(func() { d.watchers++ })
	return func() {
		d.change(func() {
			if d.watchers--; d.watchers == 0 {
				d.until = time.Now().Add(back)
			}
		})
	}
}

// now is the scene as JSON, and what closes when there is another.
func (d *director) now() (data []byte, changed chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	data, _ = json.Marshal(d.scene) // strings and numbers can always be written
	return data, d.changed
}

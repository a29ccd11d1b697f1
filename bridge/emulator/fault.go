package emulator

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Fault is something that goes wrong with requests to create a message.
type Fault struct {
	Match         func(url.Values) bool // nil: every request
	Times         int                   // how often; 0: until Faults is called again
	Status        int                   // HTTP status of the answer; 0: as usual
	Code          int                   // Twilio's code in a JSON answer; 0 with Status: an HTML page
	RetryAfter    time.Duration
	Cut           bool // the connection is closed without an answer
	Accept        bool // the message is created all the same
	CallbackFirst bool // with Accept: status callbacks come before the answer
}

// Faults replaces what goes wrong from now on.
func (e *Emulator) Faults(faults ...Fault) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = nil
	for _, f := range faults {
		e.faults = append(e.faults, &f)
	}
}

// fault finds what goes wrong with a request, nil if nothing. The lock is held.
func (e *Emulator) fault(form url.Values) *Fault {
	for i, f := range e.faults {
		if f.Match != nil && !f.Match(form) {
			continue
		}
		if f.Times == 1 {
			e.faults = slices.Delete(e.faults, i, i+1)
		}
		if f.Times > 1 {
			f.Times--
		}
		return f
	}
	return nil
}

// answers tells whether the fault has an answer of its own.
func (f *Fault) answers() bool { return f.Cut || f.Status != 0 }

func (f *Fault) answer(w http.ResponseWriter) {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
	}
	switch {
	case f.Cut:
		panic(http.ErrAbortHandler) // closes the connection, silently
	case f.Code != 0:
		refuse(w, f.Status, f.Code, http.StatusText(f.Status))
	default:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte("<html><body><h1>" + http.StatusText(f.Status) + "</h1></body></html>"))
	}
}

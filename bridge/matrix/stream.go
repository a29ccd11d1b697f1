package matrix

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"maunium.net/go/mautrix"
)

// pageBytes is how large a page of a stream is at most, but for its last event.
const pageBytes = 4 << 20

// callerError is an error of the caller's own function, which is nobody's fault at
// the homeserver.
type callerError struct{ error }

func (e callerError) Unwrap() error { return e.error }

// streamed hands the body of an answer on while it comes in.
func streamed(read func(io.Reader) error) mautrix.ClientResponseHandler {
	return func(req *http.Request, resp *http.Response, _ any, _ int64) ([]byte, error) {
		err := read(resp.Body)
		var own callerError
		if err == nil || errors.As(err, &own) {
			return nil, err
		}
		return nil, mautrix.HTTPError{Request: req, Response: resp, Message: "failed to read response body", WrappedError: err}
	}
}

// readTimeline reads the timeline of one room out of the answer to a sync, without
// holding more than a page of it. limited: it is cut, or not there.
func readTimeline(body io.Reader, room string, each func([]json.RawMessage) error) (limited bool, err error) {
	d := json.NewDecoder(body)
	limited = true
	path := [][]string{{"rooms"}, {"join", "leave"}, {room}, {"timeline"}} // it may have been left meanwhile
	err = descend(d, path, func() error {
		limited = false
		return fields(d, func(name string) error {
			switch name {
			case "events":
				return pages(d, each)
			case "limited":
				return d.Decode(&limited)
			}
			return skip(d)
		})
	})
	return limited, err
}

// descend calls then where the fields on a path lead.
func descend(d *json.Decoder, path [][]string, then func() error) error {
	if len(path) == 0 {
		return then()
	}
	return fields(d, func(name string) error {
		if !slices.Contains(path[0], name) {
			return skip(d)
		}
		return descend(d, path[1:], then)
	})
}

// fields calls each with the name of every field of an object; it has to read the
// value. null is an object without fields.
func fields(d *json.Decoder, each func(name string) error) error {
	t, err := d.Token()
	if err != nil || t == nil {
		return err
	}
	if t != json.Delim('{') {
		return fmt.Errorf("%v instead of an object", t)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		if err := each(name.(string)); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func skip(d *json.Decoder) error {
	var v json.RawMessage
	return d.Decode(&v)
}

// pages reads a list and hands it on in pages.
func pages(d *json.Decoder, each func([]json.RawMessage) error) error {
	t, err := d.Token()
	if err != nil || t == nil {
		return err
	}
	if t != json.Delim('[') {
		return fmt.Errorf("%v instead of a list", t)
	}
	var page []json.RawMessage
	size := 0
	flush := func() error {
		if len(page) == 0 {
			return nil
		}
		if err := each(page); err != nil {
			return callerError{err}
		}
		page, size = nil, 0
		return nil
	}
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		page, size = append(page, raw), size+len(raw)
		if len(page) >= pageSize || size >= pageBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	return flush()
}

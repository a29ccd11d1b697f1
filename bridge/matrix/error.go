package matrix

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"maunium.net/go/mautrix"
)

// Error is a call that did not succeed. Status 0 means that there was no usable
// answer (network, timeout, an answer that is not JSON): the call may have been
// carried out or not.
type Error struct {
	Status     int
	Code       string // errcode, "M_FORBIDDEN"; empty if the answer had none
	Message    string // the homeserver's own words
	RetryAfter time.Duration

	cause error
}

func (e *Error) Error() string {
	switch {
	case e.Status == 0:
		return "no answer: " + e.Message
	case e.Code == "":
		return fmt.Sprintf("HTTP %d: %s", e.Status, e.Message)
	default:
		return fmt.Sprintf("%s (HTTP %d): %s", e.Code, e.Status, e.Message)
	}
}

func (e *Error) Unwrap() error { return e.cause }

// ErrTooLarge is the cause where an answer was larger than we take.
var ErrTooLarge = errors.New("the answer is too large")

// unanswered is the error of a call whose outcome is unknown.
func unanswered(ctx context.Context, failed mautrix.HTTPError) *Error {
	cause := failed.WrappedError
	if cause == nil {
		cause = errors.New(failed.Message)
	}
	if errors.Is(cause, mautrix.ErrResponseTooLong) || errors.Is(cause, mautrix.ErrBodyReadReachedLimit) {
		cause = ErrTooLarge
	}
	var u *url.Error
	if errors.As(cause, &u) {
		cause = u.Err // without the address
	}
	message := cause.Error()
	if ctx.Err() != nil {
		message = context.Cause(ctx).Error()
	}
	return &Error{Message: message, cause: cause}
}

// refused is the error of a call that the homeserver, or a proxy before it,
// answered with something else than 2xx.
func refused(failed mautrix.HTTPError) *Error {
	e := &Error{Status: failed.Response.StatusCode, Message: http.StatusText(failed.Response.StatusCode)}
	e.RetryAfter = retryHeader(failed.Response.Header.Get("Retry-After"), time.Now())
	if r := failed.RespError; r != nil {
		e.Code, e.Message = r.ErrCode, strings.TrimRight(r.Err, ". ") // sentences of ours go on behind it
		if ms, ok := r.ExtraData["retry_after_ms"].(float64); ok && e.RetryAfter == 0 && ms > 0 {
			e.RetryAfter = time.Duration(min(ms, float64(time.Hour.Milliseconds()))) * time.Millisecond
		}
	}
	return e
}

// retryHeader reads Retry-After, seconds or a date (RFC 9110, section 10.2.3). It
// gives at most an hour, and 0 for what it cannot read.
func retryHeader(value string, now time.Time) time.Duration {
	var d time.Duration
	if s, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32); err == nil {
		d = time.Duration(s) * time.Second
	} else if t, err := http.ParseTime(value); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), time.Hour)
}

// Temporary tells whether the same call may succeed later: there was no usable
// answer, the homeserver is overloaded or broken, or what refused was not the
// homeserver's judgement of this call. Everything else is a refusal for good.
func Temporary(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	}
	switch {
	case e.Status == 0, e.Status >= 500, e.Status == http.StatusTooManyRequests, e.Status == http.StatusRequestTimeout:
		return true
	case e.Status == http.StatusUnauthorized:
		return true // the tokens do not fit just now; nothing is wrong with what was sent
	case gone(e):
		return true // made again before the next attempt
	}
	return gateDown(e)
}

// TooMuch tells whether an answer was too large, or took too long: less may come
// through.
func TooMuch(err error) bool {
	var e *Error
	return errors.Is(err, ErrTooLarge) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &e) && e.Status == http.StatusGatewayTimeout
}

// gateDown recognises Synapse refusing because a module that it asks cannot
// reach its service. These are the texts of synapse-http-antispam; a refusal by
// the service itself has another code or text.
func gateDown(e *Error) bool {
	return e.Status == http.StatusForbidden && e.Code == "M_UNKNOWN" && strings.Contains(e.Message, "antispam server")
}

// gone recognises that a user of ours or its device is no longer known, as after
// the homeserver was set back to a backup.
func gone(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Code == "M_UNKNOWN_DEVICE" ||
		e.Status == http.StatusForbidden && strings.Contains(e.Message, "has not registered this user"))
}

// RetryAfter is how long the homeserver asked us to wait; 0 if it did not.
func RetryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// IsCode tells whether the homeserver refused with one of the error codes.
func IsCode(err error, codes ...string) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(codes, e.Code)
}

// AliasTaken tells whether a room was not created because its alias exists.
// Synapse says M_ROOM_IN_USE, or 409 M_UNKNOWN to the loser of a race.
func AliasTaken(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Code == "M_ROOM_IN_USE" || e.Status == http.StatusConflict)
}

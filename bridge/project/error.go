package project

import "fmt"

// Code classifies why something was refused; programs read it in results.
type Code string

const (
	NotAllowed     Code = "not_allowed"
	BadArgument    Code = "bad_argument"
	UnknownCommand Code = "unknown_command"
	NotFound       Code = "not_found"
	Conflict       Code = "conflict"
	WrongRoom      Code = "wrong_room"
	Stale          Code = "stale"
	Unavailable    Code = "unavailable"
	InternalError  Code = "internal"
)

// Error is a refusal with a sentence for the person who asked.
type Error struct {
	Code     Code
	Sentence string
}

func (e *Error) Error() string { return e.Sentence }

// Forbidden is the refusal for whoever has not the right, with the same words
// whether what they name exists or not.
func Forbidden() *Error {
	return Refuse(NotAllowed, "You don't have permission for that. The project's manager or the platform team can help.")
}

// Refuse makes an Error.
func Refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Sentence: fmt.Sprintf(format, args...)}
}

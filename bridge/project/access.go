package project

import (
	"fmt"
	"slices"
	"strings"
)

var rungs = []string{None: "none", Read: "read", Text: "text", Full: "full", Manager: "manager", Ops: "ops"}

// String is the rung's word, as in the configuration, in commands and in results.
func (a Access) String() string {
	if a < None || a > Ops {
		return fmt.Sprintf("access(%d)", int(a))
	}
	return rungs[a]
}

// ParseAccess reads a rung's word. An unknown one is a bad_argument.
func ParseAccess(word string) (Access, error) {
	i := slices.Index(rungs, word)
	if i < 0 {
		return None, Refuse(BadArgument, "%q isn't an access. Use one of %s.", word, strings.Join(rungs, ", "))
	}
	return Access(i), nil
}

// MarshalText makes JSON carry the rung's word.
func (a Access) MarshalText() ([]byte, error) {
	if a < None || a > Ops {
		return nil, fmt.Errorf("access %d is not on the ladder", int(a))
	}
	return []byte(rungs[a]), nil
}

// UnmarshalText reads the rung's word.
func (a *Access) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAccess(string(text))
	return err
}

// words lists rungs for a sentence: "read, text or full".
func words(list []Access) string {
	said := make([]string, len(list))
	for i, a := range list {
		said[i] = a.String()
	}
	if n := len(said); n > 1 {
		return strings.Join(said[:n-1], ", ") + " or " + said[n-1]
	}
	return strings.Join(said, "")
}

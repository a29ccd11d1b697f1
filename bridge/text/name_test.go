package text

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	for in, want := range map[string]string{
		"Carl":                     "Carl",
		"Dana (WhatsApp):** pay\n": "Dana WhatsApp pay",
		"\u202eabc":                "abc",
		strings.Repeat("x", 100):   strings.Repeat("x", 60) + "…",
	} {
		if got := Name(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

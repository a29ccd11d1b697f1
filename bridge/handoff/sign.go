package handoff

import (
	"slices"
	"strings"
)

// What reactions mean. Clients offer several signs that look alike, in skin tones and
// with variation signs, and people take whichever comes first.

var plain = strings.NewReplacer("\ufe0f", "", "\ufe0e", "", "\u200d", "", "♂", "", "♀", "",
	"🏻", "", "🏼", "", "🏽", "", "🏾", "", "🏿", "")

// bare is a reaction without what makes no difference.
func bare(key string) string { return plain.Replace(strings.TrimSpace(key)) }

func means(key string, of ...string) bool { return slices.Contains(of, bare(key)) }

// IsHand reports whether a reaction asks for a human: 🙋 in any skin tone or gender.
func IsHand(key string) bool { return means(key, "🙋") }

// IsTake reports whether a reaction on a card takes the handoff.
func IsTake(key string) bool { return means(key, "✋", "🖐", "🤚") }

// IsYes reports whether a reaction agrees, or approves.
func IsYes(key string) bool { return means(key, "✅", "☑", "✔") }

// IsNo reports whether a reaction declines.
func IsNo(key string) bool { return means(key, "❌", "✖") }

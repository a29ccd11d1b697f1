package handoff

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"lanekeeper/bridge/markup"
)

// A ready answer is the whole of a message: /hello. The text of it comes from the
// configuration, where an operator wrote it in WhatsApp's markup.
var readyWord = regexp.MustCompile(`^/([a-z][a-z0-9_-]*)$`)

// ready finds the ready answer that a message is; ok is false if it is none.
func (d *Desk) ready(body string) (words string, ok bool) {
	if len(d.Ready) == 0 {
		return "", false
	}
	m := readyWord.FindStringSubmatch(folded(body))
	if m == nil {
		return "", false
	}
	words, ok = d.Ready[m[1]]
	return words, ok
}

// ReadyNames are the names of all ready answers, as they are typed.
func (d *Desk) ReadyNames() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(d.Ready)) {
		names = append(names, "/"+name)
	}
	return names
}

// Said gives what an answer says: the text of a ready one, or the words as they are.
// changed tells which. name is whose answer it is; what people are called is no markup.
func (d *Desk) Said(h *Handoff, name, words string) (said string, changed bool) {
	text, ok := d.ready(words)
	if !ok {
		return words, false
	}
	literal := func(s string) string { return markup.LiteralForWhatsApp(oneLine(s)) }
	return strings.NewReplacer(
		"{asker}", literal(h.First().Name), "{agent}", literal(d.spoken(name)), "{number}", itoa(h.Number), "{project}", literal(h.ProjectName),
	).Replace(text), true
}

// Package markup knows how text looks in two worlds, Matrix HTML and WhatsApp's
// marks: from one to the other, from one room to another, in parts, within a size.
// It is pure, and says nothing itself: sentences are made in package text.
package markup

import (
	"html"
	"slices"
	"strings"
)

// Words is a text for a Matrix room: a plain body, and HTML where it says more
// than the body does.
type Words struct {
	Plain    string
	HTML     string
	Mentions []string // MXIDs that shall be notified
}

// Mention adds people who shall be notified.
func (w Words) Mention(users ...string) Words {
	w.Mentions = append(slices.Clone(w.Mentions), users...)
	return w
}

// Rich is the text as HTML, whether it says more than the body or not.
func (w Words) Rich() string {
	if w.HTML != "" {
		return w.HTML
	}
	return strings.ReplaceAll(html.EscapeString(w.Plain), "\n", "<br>")
}

// Notice is the content of an m.notice with these words; notices notify nobody.
func (w Words) Notice() map[string]any { return w.content("m.notice") }

// Message is the content of an m.text with these words.
func (w Words) Message() map[string]any { return w.content("m.text") }

func (w Words) content(msgtype string) map[string]any {
	mentions := map[string]any{}
	if len(w.Mentions) > 0 && msgtype != "m.notice" {
		mentions["user_ids"] = slices.Compact(slices.Sorted(slices.Values(w.Mentions)))
	}
	c := map[string]any{"msgtype": msgtype, "body": w.Plain, "m.mentions": mentions}
	if w.HTML != "" {
		c["format"], c["formatted_body"] = "org.matrix.custom.html", w.HTML
	}
	return c
}

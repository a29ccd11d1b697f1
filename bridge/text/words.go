// Package text holds every sentence that a person reads, made by functions that
// name their audience. What a customer or WhatsApp may see is made only by functions that say
// so in their names.
package text

import (
	"fmt"
	"html"
	"strings"

	"lanekeeper/bridge/markup"
)

// Words is what sentences are made of.
type Words = markup.Words

// Say makes Words from a format string and arguments. An argument of type Pill
// becomes a link to that person or room, everything else is escaped.
func Say(format string, args ...any) Words {
	plain, rich := make([]any, len(args)), make([]any, len(args))
	pills := false
	for i, a := range args {
		switch a := a.(type) {
		case Pill:
			plain[i], rich[i], pills = a.Name, a.html(), true
		case Code:
			plain[i], rich[i], pills = string(a), "<code>"+html.EscapeString(string(a))+"</code>", true
		case Words:
			plain[i], rich[i] = a.Plain, a.Rich()
			pills = pills || a.HTML != ""
		case string:
			plain[i], rich[i] = a, html.EscapeString(a)
		default:
			plain[i], rich[i] = a, a
		}
	}
	w := Words{Plain: fmt.Sprintf(format, plain...)}
	if pills {
		w.HTML = strings.ReplaceAll(fmt.Sprintf(html.EscapeString(format), rich...), "\n", "<br>")
	}
	return w
}

// Join puts texts under each other, one a line.
func Join(parts ...Words) Words {
	var plain, rich []string
	var w Words
	for _, p := range parts {
		if p.Plain == "" {
			continue
		}
		plain, rich = append(plain, p.Plain), append(rich, p.Rich())
		w.Mentions = append(w.Mentions, p.Mentions...)
		if p.HTML != "" {
			w.HTML = "x"
		}
	}
	w.Plain = strings.Join(plain, "\n")
	if w.HTML != "" {
		w.HTML = strings.Join(rich, "<br>")
		w.HTML = strings.ReplaceAll(w.HTML, "<br><blockquote>", "<blockquote>") // which begins on a line of its own
		w.HTML = strings.ReplaceAll(w.HTML, "</blockquote><br>", "</blockquote>")
	}
	return w
}

// Pill is a person or a room as clients show them: a name that is a link.
type Pill struct {
	ID   string // MXID or room id
	Name string
	Via  string // for rooms: a server to join by
}

// Link is the matrix.to address, by https://spec.matrix.org/v1.15/appendices/#matrixto-navigation.
func (p Pill) Link() string {
	l := "https://matrix.to/#/" + p.ID
	if p.Via != "" {
		l += "?via=" + p.Via
	}
	return l
}

// Code is something to be typed as it stands.
type Code string

func (p Pill) html() string {
	return `<a href="` + html.EscapeString(p.Link()) + `">` + html.EscapeString(p.Name) + `</a>`
}

// Separate puts texts on one line.
func Separate(by string, parts []Words) Words {
	var plain, rich []string
	var w Words
	marked := false
	for _, p := range parts {
		plain, rich = append(plain, p.Plain), append(rich, p.Rich())
		marked = marked || p.HTML != ""
	}
	w.Plain = strings.Join(plain, by)
	if marked {
		w.HTML = strings.Join(rich, html.EscapeString(by))
	}
	return w
}

// List names people or things: "a, b and c".
func List(parts []Words) Words {
	if len(parts) < 2 {
		return Separate("", parts)
	}
	last := len(parts) - 1
	return Separate(" and ", []Words{Separate(", ", parts[:last]), parts[last]})
}

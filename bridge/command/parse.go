package command

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// line is what somebody typed after the prefix.
type line struct {
	rest  string            // not read yet
	flags map[string]string // --name value
	multi [][2]string       // flags in their order, for those that may stand more than once
}

// words of a message: its body without what a reply quotes, or, where it holds
// pills, its HTML with every pill replaced by the MXID it links to.
func typed(content map[string]any) string {
	formatted := matrix.HTML(content)
	if !strings.Contains(formatted, "matrix.to/#/@") && !strings.Contains(formatted, "matrix.to/#/%40") && !strings.Contains(formatted, "matrix:u/") {
		return markup.Unquoted(content)
	}
	root, err := html.Parse(strings.NewReader(formatted))
	if err != nil {
		return markup.Unquoted(content)
	}
	var b strings.Builder
	spell(&b, root)
	return strings.TrimSpace(b.String())
}

// spell writes the text of a node. Replies quote what they answer in mx-reply;
// that is no part of what was typed.
func spell(b *strings.Builder, n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		b.WriteString(n.Data)
		return
	case n.Type == html.ElementNode && n.Data == "mx-reply":
		return
	case n.Type == html.ElementNode && n.Data == "br":
		b.WriteString("\n")
		return
	case n.Type == html.ElementNode && n.Data == "a":
		for _, a := range n.Attr {
			if a.Key != "href" {
				continue
			}
			if user, ok := userOf(a.Val); ok {
				b.WriteString(user)
				return
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		spell(b, c)
	}
	if n.Type == html.ElementNode && (n.Data == "p" || n.Data == "div") {
		b.WriteString("\n")
	}
}

// mxid is a user id by https://spec.matrix.org/v1.15/appendices/#user-identifiers,
// with the historical characters.
var mxid = regexp.MustCompile(`^@[\x21-\x39\x3B-\x7E]+:(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?$`)

// userOf reads an MXID, a matrix.to link or a matrix: URI.
func userOf(s string) (string, bool) {
	if rest, ok := strings.CutPrefix(s, "matrix:u/"); ok {
		rest, _, _ = strings.Cut(rest, "?")
		s = "@" + rest
	}
	for _, prefix := range []string{"https://matrix.to/#/", "http://matrix.to/#/", "matrix.to/#/"} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			rest, _, _ = strings.Cut(rest, "?")
			if u, err := url.PathUnescape(rest); err == nil {
				rest = u
			}
			s = rest
		}
	}
	s = strings.TrimRight(s, ",;:.!?)") // clients put a colon after a name, people end sentences
	return s, len(s) <= 255 && mxid.MatchString(s)
}

// quotes maps an opening quotation mark to its end, also those that phones put in
// place of plain ones.
var quotes = map[rune]rune{'"': '"', '“': '”', '”': '”', '„': '“', '«': '»', '\'': '\''}

// linked is a link as people write it where nothing makes HTML of it.
var linked = regexp.MustCompile(`^(?:\[[^\]\n]*\]\(<?([^\s()<>]+)>?\)|<([^\s<>]+)>)`)

// unpointed is a word without the end of a sentence.
func unpointed(word string) string { return strings.TrimRight(word, ".,:;!?。") }

// next takes one word off the line; quotes group words. ok is false at the end.
func (l *line) next() (word string, ok bool) {
	s := strings.TrimLeftFunc(l.rest, blank)
	if s == "" {
		l.rest = ""
		return "", false
	}
	if m := linked.FindStringSubmatch(s); m != nil {
		if user, ok := userOf(m[1] + m[2]); ok {
			l.rest = strings.TrimLeft(s[len(m[0]):], ".,:;")
			return user, true
		}
	}
	first, size := utf8.DecodeRuneInString(s)
	if end, quoted := quotes[first]; quoted {
		body := s[size:]
		stop := strings.IndexFunc(body, func(r rune) bool { return r == end || (first != '\'' && r == '"') || (first == '„' && r == '”') })
		if stop >= 0 {
			_, size := utf8.DecodeRuneInString(body[stop:])
			after := body[stop+size:]
			if after == "" || blank(firstRune(after)) {
				l.rest = after
				return clean(body[:stop]), true
			}
		}
	}
	stop := strings.IndexFunc(s, blank)
	if stop < 0 {
		stop = len(s)
	}
	l.rest = s[stop:]
	return clean(s[:stop]), true
}

// peek gives the next word without taking it.
func (l *line) peek() string {
	saved := l.rest
	w, _ := l.next()
	l.rest = saved
	return w
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// blank separates words.
func blank(r rune) bool { return unicode.IsSpace(r) }

// invisible characters only confuse: direction marks, zero width characters,
// control characters. The joiners are left: emoji and some scripts need them.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d' || unicode.IsControl(r)
}

// clean takes out what is invisible.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, s)
}

// readFlags takes every --name value that the command knows out of the line; a
// flag it does not know is refused. A flag named in bare takes no value. What
// follows a lone -- is left as it is; with leading, so is everything from the
// first word on that is no flag.
func (l *line) readFlags(known, bare []string, leading bool) *project.Error {
	l.flags = map[string]string{}
	var kept []string
	for {
		before := l.rest
		w, ok := l.next()
		if !ok {
			break
		}
		raw := strings.TrimSpace(before[:len(before)-len(l.rest)])
		if w == "--" && raw == "--" {
			kept = append(kept, strings.TrimSpace(l.rest))
			break
		}
		name, dash := flagName(raw)
		name, value, inline := strings.Cut(name, "=")
		isBare := has(bare, name)
		switch {
		case isBare || has(known, name):
		case name != "" && !dash:
			return project.Refuse(project.BadArgument, "%s", text.UnknownFlagForSender(short(name), append(slices.Clone(known), bare...)))
		case leading:
			l.rest = strings.TrimSpace(before)
			return nil
		default:
			kept = append(kept, raw)
			continue
		}
		if isBare {
			l.flags[name] = "true"
			continue
		}
		if !inline {
			if value, ok = l.next(); !ok {
				return project.Refuse(project.BadArgument, "%s", text.FlagValueForSender(name))
			}
		}
		l.flags[name] = value
		l.multi = append(l.multi, [2]string{name, value})
	}
	l.rest = strings.Join(kept, " ")
	return nil
}

// flagName reads --name; "" if it is none. dash: it begins with a dash, which
// phones make of two hyphens, but people write before words, too.
func flagName(raw string) (name string, dash bool) {
	for _, p := range []string{"--", "—", "–"} {
		if rest, ok := strings.CutPrefix(raw, p); ok && rest != "" && unicode.IsLetter(firstRune(rest)) {
			return strings.ToLower(rest), p != "--"
		}
	}
	return "", false
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// number reads #12 or 12.
func number(s string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimPrefix(unpointed(s), "#"), 10, 64)
	return n, err == nil && n > 0
}

// accessNamed reads a rung that can be asked for.
func accessNamed(s string) (project.Access, bool) {
	switch strings.ToLower(s) {
	case "read":
		return project.Read, true
	case "text":
		return project.Text, true
	case "full":
		return project.Full, true
	}
	return project.None, false
}

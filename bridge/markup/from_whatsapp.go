package markup

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FromWhatsApp turns what somebody wrote on WhatsApp into Words for Matrix: the
// body as written, and HTML where marks, lists or quotes say more. Nothing in it
// can mention anybody: all of it is escaped, links are left as text, and Words
// always carry m.mentions (which also keeps "@room" in a body from pinging,
// https://spec.matrix.org/v1.15/client-server-api/#user-and-room-mentions). Links
// into Matrix become names, as clients would show them as mentions.
func FromWhatsApp(body string) Words {
	body = withoutMatrixLinks(clean(body))
	var h htmlWriter
	at := 0
	for _, f := range fences(body) {
		h.lines(strings.TrimSuffix(body[at:f.start], "\n"))
		h.end()
		h.rich = true
		code := strings.Trim(body[f.start+len(fence):f.end-len(fence)], "\n")
		h.out.WriteString("<pre><code>" + html.EscapeString(code) + "</code></pre>")
		h.fresh = true
		at = f.end
		if at < len(body) && body[at] == '\n' {
			at++
		}
	}
	h.lines(body[at:])
	h.end()
	w := Words{Plain: body}
	if h.rich {
		w.HTML = h.out.String()
	}
	return w
}

// span is a stretch of WhatsApp markup with its marks, as byte offsets.
type span struct {
	start, end int
	sign       string
}

// spans finds all marks of a text as WhatsApp shows them, outer before inner.
func spans(s string) []span {
	var all []span
	at := 0
	inline := func(until int) {
		for at < until {
			end := until
			if i := strings.IndexByte(s[at:until], '\n'); i >= 0 {
				end = at + i
			}
			all = append(all, inlineSpans(s, at, end, "")...)
			at = end + 1
		}
	}
	for _, f := range fences(s) {
		inline(f.start)
		all = append(all, f)
		at = f.end
	}
	inline(len(s))
	return all
}

// fences finds the blocks of code.
func fences(s string) []span {
	var all []span
	at := 0
	for {
		i := strings.Index(s[at:], fence)
		if i < 0 {
			return all
		}
		start := at + i
		j := strings.Index(s[start+len(fence):], fence)
		if j < 0 {
			return all
		}
		at = start + 2*len(fence) + j
		if strings.TrimSpace(s[start+len(fence):at-len(fence)]) != "" {
			all = append(all, span{start, at, fence})
		}
	}
}

// inlineSpans finds the marks between two offsets of one line. A mark opens
// after a word boundary before something that is no blank, and is closed by the
// next sign of its kind that has no blank before it and no word behind it.
// Doubled signs are no marks, nor are signs in addresses. `inside` are the signs that are open.
func inlineSpans(s string, from, to int, inside string) []span {
	return lineSpans(s, from, to, inside, inAddress(s[from:to]))
}

// lineSpans is inlineSpans with the bytes, counted from from, that are of addresses.
func lineSpans(s string, from, to int, inside string, addressed []bool) []span {
	var all []span
	hopeless := "" // signs that nothing closes up to the end
	for i := from; i < to; i++ {
		if addressed != nil && addressed[i-from] {
			continue
		}
		sign := s[i : i+1]
		if !strings.Contains("*_~`", sign) || strings.Contains(inside+hopeless, sign) || !canOpen(s, i, from, to) {
			continue
		}
		end := closing(s, i, to, addressed, from)
		if end < 0 {
			hopeless += sign
			continue
		}
		all = append(all, span{i, end + 1, sign})
		if sign != "`" {
			var within []bool
			if addressed != nil {
				within = addressed[i+1-from:]
			}
			all = append(all, lineSpans(s, i+1, end, inside+sign, within)...)
		}
		i = end
	}
	return all
}

func canOpen(s string, i, from, to int) bool {
	if i > from {
		before, _ := utf8.DecodeLastRuneInString(s[from:i])
		if isWord(before) || before == rune(s[i]) || before == wordJoiner {
			return false
		}
	}
	if i+1 >= to {
		return false
	}
	after, _ := utf8.DecodeRuneInString(s[i+1 : to])
	return !unicode.IsSpace(after) && after != rune(s[i]) && after != wordJoiner
}

// closing finds the sign that closes the mark at i; -1 if there is none.
func closing(s string, i, to int, addressed []bool, from int) int {
	sign := s[i]
	for j := i + 2; j < to; j++ {
		if addressed != nil && addressed[j-from] && sign != '`' {
			continue
		}
		if s[j] != sign || s[j-1] == sign {
			continue
		}
		if sign == '`' {
			return j
		}
		before, _ := utf8.DecodeLastRuneInString(s[:j])
		after, n := utf8.DecodeRuneInString(s[j+1 : to])
		if unicode.IsSpace(before) || n > 0 && (isWord(after) || after == rune(sign)) || before == wordJoiner {
			continue
		}
		return j
	}
	return -1
}

// htmlWriter writes lines as HTML and keeps the list or quote that is open.
type htmlWriter struct {
	out   strings.Builder
	block string // tag of the open block; empty: plain lines
	fresh bool   // nothing on this line yet: no <br> before the next
	rich  bool   // says more than the plain text
	next  string // number that continues the open list
}

var (
	quoteLine  = regexp.MustCompile(`^> ?(.*)$`)
	bulletLine = regexp.MustCompile(`^ {0,4}[-*•] +(\S.*)$`)
	numberLine = regexp.MustCompile(`^ {0,4}(\d{1,6})[.)] +(\S.*)$`)
)

func (h *htmlWriter) lines(s string) {
	if s == "" {
		return
	}
	for line := range strings.SplitSeq(s, "\n") {
		if m := quoteLine.FindStringSubmatch(line); m != nil {
			h.item("blockquote", "<blockquote>", m[1])
		} else if m := bulletLine.FindStringSubmatch(line); m != nil {
			h.item("ul", "<ul>", m[1])
		} else if m := numberLine.FindStringSubmatch(line); m != nil {
			h.number(m[1], m[2])
		} else {
			h.plain(line)
		}
	}
}

// item writes one line of a list or quote.
func (h *htmlWriter) item(tag, open, line string) {
	first := h.block != tag
	if first {
		h.end()
		h.out.WriteString(open)
		h.block = tag
	}
	h.rich = true
	if tag == "blockquote" {
		if !first {
			h.out.WriteString("<br>")
		}
		h.inline(line)
		return
	}
	h.out.WriteString("<li>")
	h.inline(line)
	h.out.WriteString("</li>")
}

// number writes one line of a numbered list; a jump in the numbers begins a new
// list, as items cannot carry their own in Matrix.
func (h *htmlWriter) number(number, line string) {
	n, _ := strconv.Atoi(number)
	if strconv.Itoa(n) != h.next {
		h.end()
	}
	h.item("ol", `<ol start="`+strconv.Itoa(n)+`">`, line)
	h.next = strconv.Itoa(n + 1)
}

func (h *htmlWriter) plain(line string) {
	if h.block != "" {
		h.end()
		h.fresh = true
	}
	if h.out.Len() > 0 && !h.fresh {
		h.out.WriteString("<br>")
	}
	h.fresh = false
	h.inline(line)
}

// end closes the open list or quote.
func (h *htmlWriter) end() {
	if h.block != "" {
		h.out.WriteString("</" + h.block + ">")
		h.block = ""
	}
}

var tags = map[string]string{"*": "strong", "_": "em", "~": "del", "`": "code"}

// inline writes one line with its marks as tags.
func (h *htmlWriter) inline(line string) {
	at := 0
	var open []span
	closeUntil := func(pos int) {
		for len(open) > 0 && open[len(open)-1].end <= pos {
			last := open[len(open)-1]
			h.out.WriteString(html.EscapeString(line[at:last.end-1]) + "</" + tags[last.sign] + ">")
			at, open = last.end, open[:len(open)-1]
		}
	}
	for _, sp := range inlineSpans(line, 0, len(line), "") {
		closeUntil(sp.start)
		h.out.WriteString(html.EscapeString(line[at:sp.start]) + "<" + tags[sp.sign] + ">")
		at, open = sp.start+1, append(open, sp)
		h.rich = true
	}
	closeUntil(len(line))
	h.out.WriteString(html.EscapeString(line[at:]))
}

package text

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// ForWhatsApp turns the content of an m.room.message (of an edit: its
// m.new_content) into WhatsApp's markup: formatted_body where it is Matrix HTML
// (https://spec.matrix.org/v1.15/client-server-api/#mroommessage-msgtypes), else
// body. Quoted fallbacks of replies are dropped, and links to people, rooms and
// events become their names, so that no id leaves Matrix. Of media only the body
// is used. The result has no limit of length; see Split.
func ForWhatsApp(content map[string]any) string {
	if formatted, _ := content["formatted_body"].(string); formatted != "" && content["format"] == "org.matrix.custom.html" {
		if s, ok := htmlForWhatsApp(clean(formatted)); ok && s != "" {
			return s
		}
	}
	body, _ := content["body"].(string)
	body = clean(body)
	if isReply(content) {
		body = withoutFallback(body)
	}
	return LiteralForWhatsApp(body)
}

// LiteralForWhatsApp makes WhatsApp show a text as it is, without reading marks in it.
func LiteralForWhatsApp(s string) string {
	var w writer
	w.exact(withoutMatrixLinks(strings.TrimSpace(s)), 0, false)
	return render(w.cells)
}

func isReply(content map[string]any) bool {
	relation, _ := content["m.relates_to"].(map[string]any)
	_, reply := relation["m.in_reply_to"].(map[string]any)
	return reply
}

// withoutFallback drops the quoted lines that older clients put before a reply
// (https://spec.matrix.org/v1.12/client-server-api/#fallbacks-for-rich-replies).
func withoutFallback(body string) string {
	if !strings.HasPrefix(body, "> <") && !strings.HasPrefix(body, "> * <") {
		return body
	}
	rest := body
	for strings.HasPrefix(rest, "> ") || rest == ">" || strings.HasPrefix(rest, ">\n") {
		_, rest, _ = strings.Cut(rest, "\n")
	}
	return strings.TrimPrefix(rest, "\n")
}

// htmlForWhatsApp fails on HTML that the parser refuses (nested too deeply).
func htmlForWhatsApp(s string) (string, bool) {
	nodes, err := html.ParseFragment(strings.NewReader(s), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return "", false
	}
	var w writer
	for _, n := range nodes {
		w.node(n, 0)
	}
	return render(w.done()), true
}

// writer collects the cells of a document, or of one block of it.
type writer struct {
	cells []cell
	inner bool // inside a quote, list or table: fences would break
}

// done ends the text: no blanks or empty lines at its end.
func (w *writer) done() []cell {
	for len(w.cells) > 0 && !w.last().raw && unicode.IsSpace(w.last().r) {
		w.cells = w.cells[:len(w.cells)-1]
	}
	return w.cells
}

func (w *writer) last() cell { return w.cells[len(w.cells)-1] }

// text adds words, with blanks run together as HTML has it.
func (w *writer) text(s string, st style) {
	for _, r := range clean(withoutMatrixLinks(s)) {
		if r == ' ' || r == '\n' || r == '\t' {
			if len(w.cells) == 0 || w.last().r == ' ' || w.last().r == '\n' {
				continue
			}
			r = ' '
		}
		w.cells = append(w.cells, cell{r: r, style: st})
	}
}

// exact adds text as it stands.
func (w *writer) exact(s string, st style, raw bool) {
	for _, r := range clean(s) {
		w.cells = append(w.cells, cell{r: r, style: st, raw: raw})
	}
}

// block makes what follows start on a new line: n newlines after what stands.
func (w *writer) block(n int) {
	end := len(w.cells)
	for end > 0 && !w.cells[end-1].raw && (w.cells[end-1].r == ' ' || w.cells[end-1].r == '\n') {
		end--
	}
	have := 0
	for _, c := range w.cells[end:] {
		if c.r == '\n' {
			have++
		}
	}
	w.cells = w.cells[:end]
	if end > 0 {
		w.exact(strings.Repeat("\n", max(n, have)), 0, false)
	}
}

func (w *writer) node(n *html.Node, st style) {
	switch n.Type {
	case html.TextNode:
		w.text(n.Data, st)
	case html.ElementNode:
		w.element(n, st)
	}
}

func (w *writer) children(n *html.Node, st style) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.node(c, st)
	}
}

// boxed writes the children between line breaks.
func (w *writer) boxed(n *html.Node, st style, breaks int) {
	w.block(breaks)
	w.children(n, st)
	w.block(breaks)
}

// element follows the tags that the Matrix spec lists; of others the content counts.
func (w *writer) element(n *html.Node, st style) {
	switch n.Data {
	case "mx-reply", "script", "style", "head", "title", "template":
	case "b", "strong":
		w.children(n, st|bold)
	case "i", "em":
		w.children(n, st|italic)
	case "s", "del", "strike":
		w.children(n, st|strike)
	case "code", "tt":
		w.children(n, st|code)
	case "br":
		w.exact("\n", 0, false)
	case "hr":
		w.block(1)
		w.exact("———", 0, true)
		w.block(1)
	case "p":
		w.boxed(n, st, 2)
	case "div":
		w.block(1)
		w.span(n, st)
		w.block(1)
	case "details", "summary", "section", "article", "caption":
		w.boxed(n, st, 1)
	case "h1", "h2", "h3", "h4", "h5", "h6":
		w.boxed(n, st|bold, 2)
	case "pre":
		w.pre(n)
	case "blockquote":
		w.quote(n, st)
	case "ul", "ol":
		w.list(n, st)
	case "table":
		w.table(n, st)
	case "a":
		w.link(n, st)
	case "img":
		w.image(n, st)
	case "span":
		w.span(n, st)
	default:
		w.children(n, st)
	}
}

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// span is a spoiler, a formula, or nothing. WhatsApp cannot hide words: a
// spoiler is announced instead.
func (w *writer) span(n *html.Node, st style) {
	if formula, ok := attr(n, "data-mx-maths"); ok {
		w.exact(strings.Join(strings.Fields(formula), " "), code, false)
		return
	}
	if reason, ok := attr(n, "data-mx-spoiler"); ok {
		w.text("(spoiler", st)
		if reason != "" {
			w.text(": "+reason, st)
		}
		w.text(") ", st)
	}
	w.children(n, st)
}

// pre is a fenced block; where fences would break, lines of inline code.
func (w *writer) pre(n *html.Node) {
	s := strings.Trim(textOf(n), "\n")
	if strings.TrimSpace(s) == "" {
		return
	}
	w.block(1)
	if w.inner {
		w.exact(s, code, false)
	} else {
		s = strings.ReplaceAll(s, fence, "``"+string(wordJoiner)+"`")
		w.exact(fence+s+fence, 0, true)
	}
	w.block(1)
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var s strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode && c.Data == "br" {
			s.WriteByte('\n')
		}
		s.WriteString(textOf(c))
	}
	return s.String()
}

// quote puts "> " before every line; quotes in quotes are one (WhatsApp has one level).
func (w *writer) quote(n *html.Node, st style) {
	sub := writer{inner: true}
	sub.children(n, st)
	w.block(1)
	for _, line := range lines(sub.done()) {
		if len(line) < 2 || !line[0].raw || line[0].r != '>' {
			w.exact("> ", 0, true)
		}
		w.cells = append(w.cells, line...)
		w.exact("\n", 0, false)
	}
}

func (w *writer) list(n *html.Node, st style) {
	number := 0
	if n.Data == "ol" {
		number = 1
		if s, ok := attr(n, "start"); ok {
			if v, err := strconv.Atoi(s); err == nil && v >= 0 && v < 1e6 {
				number = v
			}
		}
	}
	w.block(1)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Data != "li" {
			w.node(c, st)
			continue
		}
		mark := "- "
		if n.Data == "ol" {
			mark = strconv.Itoa(number) + ". "
			number++
		}
		sub := writer{inner: true}
		sub.children(c, st)
		w.block(1)
		for i, line := range lines(sub.done()) {
			if i > 0 {
				mark = "\n  "
			}
			w.exact(mark, 0, true)
			w.cells = append(w.cells, line...)
		}
	}
	w.block(1)
}

// table writes a line for each row, cells apart by " | ", headings bold.
func (w *writer) table(n *html.Node, st style) {
	w.block(1)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		switch c.Data {
		case "thead", "tbody", "tfoot":
			w.table(c, st)
		case "tr":
			w.row(c, st)
		default:
			w.node(c, st)
		}
	}
	w.block(1)
}

func (w *writer) row(n *html.Node, st style) {
	w.block(1)
	first := true
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Data != "td" && c.Data != "th" {
			continue
		}
		if !first {
			w.exact(" | ", 0, true)
		}
		first = false
		sub := writer{inner: true}
		if c.Data == "th" {
			sub.children(c, st|bold)
		} else {
			sub.children(c, st)
		}
		for _, x := range sub.done() {
			if x.r == '\n' {
				x.r = ' '
			}
			w.cells = append(w.cells, x)
		}
	}
	w.block(1)
}

// link writes "text (address)", the address alone where the text says the same,
// and for links into Matrix the name alone.
func (w *writer) link(n *html.Node, st style) {
	href, _ := attr(n, "href")
	words := strings.TrimSpace(textOf(n))
	u, err := url.Parse(href)
	if err != nil || href == "" {
		w.children(n, st)
		return
	}
	switch {
	case u.Scheme == "matrix" || u.Host == "matrix.to":
		w.text(matrixName(u, words), st)
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mailto" && u.Scheme != "tel":
		w.children(n, st)
	case words == "" || bare(words) == bare(href):
		w.exact(shown(href), 0, true)
	default:
		w.children(n, st)
		w.text(" (", st)
		w.exact(shown(href), 0, true)
		w.text(")", st)
	}
}

// bare is an address without what people leave out when they write it.
func bare(s string) string {
	for _, p := range []string{"https://", "http://", "mailto:", "tel:"} {
		s = strings.TrimPrefix(s, p)
	}
	return strings.TrimSuffix(s, "/")
}

func shown(href string) string {
	return strings.TrimPrefix(strings.TrimPrefix(href, "mailto:"), "tel:")
}

// matrixName is the name a pill shows, without ids: of a person without display
// name the localpart, of a room or message that it is one.
func matrixName(u *url.URL, words string) string {
	isID := strings.HasPrefix(words, "@") && strings.Contains(words, ":")
	if words != "" && !isID && !strings.Contains(words, "matrix.to/") && !strings.HasPrefix(words, "matrix:") && !strings.HasPrefix(words, "!") {
		return words
	}
	id := strings.TrimPrefix(u.Fragment, "/")
	if user, ok := strings.CutPrefix(u.Opaque, "u/"); ok {
		id = "@" + user
	}
	if local, _, ok := strings.Cut(strings.TrimPrefix(id, "@"), ":"); ok && strings.HasPrefix(id, "@") {
		return local
	}
	return "(a place in Matrix)"
}

var matrixLink = regexp.MustCompile(`https?://matrix\.to/#/\S+`)

// withoutMatrixLinks puts names in the place of links into Matrix that stand in
// the words themselves.
func withoutMatrixLinks(s string) string {
	return matrixLink.ReplaceAllStringFunc(s, func(link string) string {
		u, err := url.Parse(link)
		if err != nil {
			return "(a place in Matrix)"
		}
		return matrixName(u, "")
	})
}

// image is a custom emoji's short code, or the words for a picture in the text.
func (w *writer) image(n *html.Node, st style) {
	alt, _ := attr(n, "alt")
	if title, ok := attr(n, "title"); ok && alt == "" {
		alt = title
	}
	_, emoji := attr(n, "data-mx-emoticon")
	switch {
	case emoji && alt != "":
		w.text(alt, st)
	case alt != "":
		w.text("[image: "+alt+"]", st)
	default:
		w.text("[image]", st)
	}
}

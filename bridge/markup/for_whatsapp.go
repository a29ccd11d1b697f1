package markup

import (
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
	return LiteralForWhatsApp(body) // which drops what nobody sees
}

// LiteralForWhatsApp makes WhatsApp show a text as it is, without reading marks in it.
func LiteralForWhatsApp(s string) string {
	var w writer
	w.exact(withoutMatrixLinks(strings.TrimSpace(Visible(clean(s)))), 0, false)
	return render(w.cells)
}

// Unquoted is the body of an m.room.message without what a reply quotes.
func Unquoted(content map[string]any) string {
	body, _ := content["body"].(string)
	if isReply(content) {
		body = withoutFallback(body)
	}
	return body
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
	depth int // quotes, lists and tables around it; inside any of them fences would break
}

// maxDepth is how deep quotes, lists and tables are told apart; a phone has no
// room for more, and the cost of deeper ones would grow with the square.
const maxDepth = 6

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
	for _, r := range withoutMatrixLinks(Visible(clean(s))) {
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
	case "details", "summary", "section", "article", "caption", "li": // an item without a list
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
		w.exact(strings.Join(strings.Fields(Visible(formula)), " "), code, false)
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
	s := strings.Trim(Visible(textOf(n)), "\n")
	if strings.TrimSpace(s) == "" {
		return
	}
	w.block(1)
	if w.depth > 0 {
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
	if w.depth == maxDepth {
		w.boxed(n, st, 1)
		return
	}
	sub := writer{depth: w.depth + 1}
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
		if c.Data != "li" || w.depth == maxDepth {
			w.block(1)
			w.node(c, st)
			continue
		}
		mark := "- "
		if n.Data == "ol" {
			mark = strconv.Itoa(number) + ". "
			number++
		}
		sub := writer{depth: w.depth + 1}
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
		sub := writer{depth: min(w.depth+1, maxDepth)}
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

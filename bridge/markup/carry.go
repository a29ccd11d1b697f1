package markup

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// carriedTags are what words may look like when they move from one room to
// another: the harmless part of what the Matrix spec allows
// (https://spec.matrix.org/v1.15/client-server-api/#mroommessage-msgtypes).
// Images are not among them: a media id of one room has no business in another.
var carriedTags = map[string]bool{
	"b": true, "strong": true, "i": true, "em": true, "u": true, "s": true, "del": true, "code": true, "pre": true,
	"p": true, "br": true, "hr": true, "blockquote": true, "ul": true, "ol": true, "li": true,
	"h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true,
	"table": true, "thead": true, "tbody": true, "tr": true, "th": true, "td": true, "sub": true, "sup": true,
}

// Carried makes Words of the content of an m.room.message (of an edit: its
// m.new_content) for another room. What a reply quotes is dropped, since it was
// said among others; links to people, rooms and events become their names;
// images and unknown tags go, their words stay. It mentions nobody.
func Carried(content map[string]any) Words {
	body, _ := content["body"].(string)
	body = Visible(clean(body))
	if isReply(content) {
		body = withoutFallback(body)
	}
	w := Words{Plain: strings.TrimSpace(withoutMatrixLinks(body))}
	formatted, _ := content["formatted_body"].(string)
	if formatted == "" || content["format"] != "org.matrix.custom.html" {
		return w
	}
	nodes, err := html.ParseFragment(strings.NewReader(clean(formatted)), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return w
	}
	var out strings.Builder
	for _, n := range nodes {
		carry(&out, n)
	}
	w.HTML = strings.TrimSpace(out.String())
	return w
}

func carry(out *strings.Builder, n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		out.WriteString(html.EscapeString(withoutMatrixLinks(Visible(n.Data))))
		return
	case n.Type != html.ElementNode:
		return
	}
	switch n.Data {
	case "mx-reply", "script", "style", "head", "title", "template", "img":
		return
	}
	open, end := "", ""
	if href, ok := attr(n, "href"); n.Data == "a" && ok && carriedLink(href) {
		open, end = `<a href="`+html.EscapeString(href)+`">`, "</a>"
	} else if carriedTags[n.Data] {
		open, end = "<"+n.Data+">", "</"+n.Data+">"
		if n.Data == "br" || n.Data == "hr" {
			end = ""
		}
	}
	out.WriteString(open)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		carry(out, c)
	}
	out.WriteString(end)
}

// carriedLink allows web and mail addresses, but none that names somebody or
// something in Matrix: neither through matrix.to nor through a client's own address,
// whose fragment says which, nor at a homeserver.
func carriedLink(href string) bool {
	lower := strings.ToLower(strings.TrimSpace(href))
	if strings.ContainsFunc(lower, unicode.IsControl) { // browsers pass over them
		return false
	}
	if !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "mailto:") {
		return false
	}
	u, err := url.Parse(lower)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	return host != "matrix.to" && !strings.HasSuffix(host, ".matrix.to") && !inMatrix.MatchString(u.Fragment) &&
		!strings.Contains(lower, "matrix.to/#/") && !strings.Contains(u.Path, "/_matrix/")
}

// inMatrix is the fragment of an address that names a person, a room or an event.
var inMatrix = regexp.MustCompile(`^/?(?:[@!#+$]|(?:user|room|group)/)`)

// MaxMessage is how large words may be in one event, in bytes of JSON: an event has
// at most 65,536 with everything around them
// (https://spec.matrix.org/v1.15/client-server-api/#size-limits).
const MaxMessage = 56_000

// Fit makes words take at most limit bytes of JSON: without their HTML, else cut.
func Fit(w Words, limit int) Words {
	if jsonSize(w.Plain)+jsonSize(w.HTML) <= limit {
		return w
	}
	w.HTML = ""
	if jsonSize(w.Plain) <= limit {
		return w
	}
	size := len(shortened)
	for i, r := range w.Plain {
		if size += jsonSize(string(r)); size > limit {
			w.Plain = strings.TrimSpace(w.Plain[:i]) + shortened
			break
		}
	}
	return w
}

// Page tells how many of the first lines fit in one message of at most limit bytes of
// JSON: all, or as many as do, but one at least.
func Page(lines []Words, limit int) int {
	for i, w := range lines {
		html := w.HTML
		if html == "" {
			html = w.Plain
		}
		if limit -= jsonSize(w.Plain) + jsonSize(html) + lineEnds; limit < 0 {
			return max(i, 1)
		}
	}
	return len(lines)
}

// lineEnds is what joins two lines, in words and in HTML.
const lineEnds = len("\\n" + "<br>")

const shortened = " … (shortened)"

// jsonSize is the length of a string in canonical JSON, without its quotes.
func jsonSize(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\' || c == '\n' || c == '\t' || c == '\r':
			n++
		case c < ' ':
			n += 5
		}
	}
	return n
}

package markup

import (
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

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
	case u.Scheme == "matrix" || strings.EqualFold(u.Host, "matrix.to"):
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

var matrixLink = regexp.MustCompile(`(?i)((?:https?://)?(?:www\.)?matrix\.to/#/|matrix:(?:u|r|roomid|e)/)[^\s<>"]*[^\s<>".,;:!?)]`)

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

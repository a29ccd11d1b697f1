package markup

import (
	"strings"
	"unicode"
)

// quoteSign stands before lines of somebody's words, in WhatsApp's markup and in
// plain bodies in Matrix.
const quoteSign = "> "

// Said sets somebody's words apart from what the bridge says, in WhatsApp's markup
// and in plain text: every line of them but the first, which stands behind a name,
// is quoted. So no line of theirs can pass for a line of ours, or of somebody else.
func Said(words string) string {
	lines := strings.Split(unfenced(clean(words)), "\n")
	for i := 1; i < len(lines); i++ {
		if !strings.HasPrefix(lines[i], quoteSign) {
			lines[i] = quoteSign + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// unfenced writes blocks of code as lines of code: a fence would span the quoted
// lines, and its end be lost.
func unfenced(s string) string {
	var out strings.Builder
	at := 0
	for _, f := range fences(s) {
		out.WriteString(s[at:f.start])
		code := strings.Split(strings.Trim(s[f.start+len(fence):f.end-len(fence)], "\n"), "\n")
		for i, l := range code {
			if strings.TrimSpace(l) != "" && !strings.Contains(l, "`") {
				code[i] = "`" + l + "`"
			}
		}
		out.WriteString(strings.Join(code, "\n"))
		at = f.end
	}
	out.WriteString(s[at:])
	// One that nothing closes here would be closed by somebody else's words.
	return strings.ReplaceAll(out.String(), fence, "``"+string(wordJoiner)+"`")
}

// Quote sets somebody's words apart on lines of their own.
func Quote(w Words) Words {
	if w.Plain == "" {
		return w
	}
	return Words{Plain: quoteSign + Said(w.Plain), HTML: "<blockquote>" + w.Rich() + "</blockquote>", Mentions: w.Mentions}
}

// Visible drops what nobody sees: format characters, among them those that turn the
// direction of what follows, and fillers. Joiners stay where scripts and emoji need
// them, tags in the flags that are made of them.
func Visible(s string) string {
	runes := []rune(s)
	out := runes[:0:0]
	for i, r := range runes {
		before, after := rune(0), rune(0)
		if len(out) > 0 {
			before = out[len(out)-1]
		}
		if i+1 < len(runes) {
			after = runes[i+1]
		}
		switch {
		case r == '\u200c' || r == '\u200d':
			if !joins(before) || !joins(after) {
				continue
			}
		case r >= 0xE0020 && r <= 0xE007F:
			if before != 0x1F3F4 && (before < 0xE0020 || before > 0xE007F) {
				continue
			}
		case unicode.Is(unicode.Cf, r), filler(r):
			continue
		}
		out = append(out, r)
	}
	return string(out)
}

// joins reports whether a joiner can have a meaning beside a character.
func joins(r rune) bool {
	return r > unicode.MaxLatin1 && !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) || unicode.IsMark(r)
}

// filler reports whether a character has a width but no looks.
func filler(r rune) bool {
	return r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' || r == '\u2800' || r == '\u034f'
}

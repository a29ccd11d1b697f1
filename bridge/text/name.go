package text

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"lanekeeper/bridge/markup"
)

// maxName is the length of a name in characters.
const maxName = 60

// signs are what we set names apart with, and what looks like it after NFKC, which
// folds full-width forms and the like. A name holds none of them, so that it cannot
// look like another speaker, a place, a tag or a mark of ours.
const signs = "*:()·#<>`" +
	"∗⁎✱✲٭" + "∶꞉ː˸։׃⁚ݍ" + "❨❩❪❫⟮⟯⦅⦆" + "•‧∙⋅・ꞏ᛫" + "♯⌗" + "‹›❮❯〈〉⟨⟩" +
	"→📨🔒📤✋✅❌🙋🟠🔵"

// Name makes a display name fit to stand before somebody's words: one line, without
// what nobody sees, and without signs of ours. Where nothing is left of it, the
// localpart stands for it.
func Name(display, user string) string {
	if name := PlainName(display); name != "" {
		return name
	}
	local, _, _ := strings.Cut(strings.TrimPrefix(user, "@"), ":")
	if name := PlainName(local); name != "" {
		return name
	}
	return "Somebody"
}

// PlainName is Name, empty where nothing is left of it.
func PlainName(s string) string {
	// What stood between two signs is gone: what is left of them may be something else now.
	for next := fold(s); next != s; next = fold(s) {
		s = next
	}
	if !strings.ContainsFunc(s, unicode.IsGraphic) || strings.Trim(s, " .,-_'\"`~|") == "" {
		return ""
	}
	return Shorten(s, maxName)
}

// fold takes out of a name what is not seen, and what could be a sign of ours. It
// never makes a name longer, but for compatibility forms, which it writes out once.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r) || strings.ContainsRune(signs, r):
			return ' '
		case r == '\ufe0e' || r == '\ufe0f': // they choose the looks of a sign that is gone
			return -1
		}
		return r
	}, markup.Visible(norm.NFKC.String(strings.ToValidUTF8(s, ""))))
	return strings.Join(strings.Fields(s), " ")
}

// Looks is what a reader remembers of a name: two names with the same looks are told
// apart by their MXIDs only.
func Looks(name string) string {
	return strings.Map(func(r rune) rune {
		if l, ok := lookalikes[r]; ok {
			return l
		}
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsSymbol(r) {
			return -1
		}
		return r
	}, strings.ToLower(norm.NFKD.String(name)))
}

// lookalikes are letters of other scripts, and digits, that look like Latin ones
// (the most common of https://www.unicode.org/reports/tr39/).
var lookalikes = map[rune]rune{
	'а': 'a', 'α': 'a', 'ɑ': 'a', 'в': 'b', 'с': 'c', 'ϲ': 'c', 'ԁ': 'd', 'е': 'e', 'ҽ': 'e', 'ε': 'e', 'ɡ': 'g', 'һ': 'h', 'н': 'h',
	'і': 'l', 'ι': 'l', 'ı': 'l', 'i': 'l', '1': 'l', '|': 'l', 'ӏ': 'l', 'ј': 'j', 'к': 'k', 'κ': 'k', 'м': 'm', 'п': 'n', 'ո': 'n', 'η': 'n',
	'о': 'o', 'ο': 'o', 'օ': 'o', '0': 'o', 'р': 'p', 'ρ': 'p', 'ԛ': 'q', 'г': 'r', 'ѕ': 's', 'т': 't', 'τ': 't', 'υ': 'u', 'ս': 'u',
	'ν': 'v', 'ѵ': 'v', 'ω': 'w', 'ԝ': 'w', 'х': 'x', 'χ': 'x', 'у': 'y', 'γ': 'y', 'ʏ': 'y', 'ß': 'b', 'β': 'b',
}

// Excerpt is the first line of a text, at most n characters long.
func Excerpt(s string, n int) string {
	s, _, cut := strings.Cut(strings.TrimSpace(s), "\n")
	if r := []rune(s); len(r) > n {
		return strings.TrimSpace(string(r[:n])) + "…"
	}
	if cut {
		return s + " …"
	}
	return s
}

// Shorten keeps the first n characters of a text.
func Shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return strings.TrimSpace(string(r[:n])) + "…"
	}
	return s
}

package markup

import "strings"

// Command takes the prefix of commands off words; ok says that it stood there. Clients
// of people who write from right to left put direction marks before and after it, and
// some people mark a command as code.
func Command(prefix, words string) (rest string, ok bool) {
	nothing := func(r rune) bool { return Blank(r) || Unseen(r) }
	words = strings.TrimFunc(words, nothing)
	if len(words) > 1 && strings.HasPrefix(words, "`") && strings.HasSuffix(words, "`") {
		words = strings.TrimFunc(strings.Trim(words, "`"), nothing)
	}
	n := len(prefix)
	if len(words) < n || !strings.EqualFold(words[:n], prefix) {
		return words, false
	}
	rest = strings.TrimLeftFunc(words[n:], nothing)
	if rest == words[n:] && rest != "" { // a longer word
		return words, false
	}
	return rest, true
}

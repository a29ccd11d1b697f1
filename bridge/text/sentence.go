package text

import "strings"

// Sentence makes Words of a sentence in which what is to be typed stands between
// backticks.
func Sentence(s string) Words {
	var parts []Words
	for i, part := range strings.Split(s, "`") {
		if i%2 == 1 {
			parts = append(parts, Say("%s", Code(part)))
		} else if part != "" {
			parts = append(parts, Say("%s", part))
		}
	}
	return Separate("", parts)
}

package media

import (
	"path"
	"strings"
	"unicode"
)

// longestName is how many characters of a file's name are kept.
const longestName = 100

// Name makes a name that somebody gave a file safe and fit to be shown: the last part of
// a path, without what cannot be seen or turns the direction of writing, and with the
// extension of its type if it has none. alone is its name if nothing is left.
func Name(given, alone, typ string) string {
	name := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(given, ""))
	name = path.Base("/" + strings.ReplaceAll(strings.TrimSpace(name), `\`, "/"))
	name = strings.Trim(name, " ./")
	ext := path.Ext(name)
	if strings.TrimSuffix(name, ext) == "" {
		name, ext = alone, ""
	}
	if ext == "" || strings.ContainsRune(ext, ' ') || len(ext) > 8 {
		ext = ""
	}
	base := []rune(strings.TrimSuffix(name, ext))
	if len(base) > longestName {
		base = base[:longestName]
	}
	if ext == "" {
		ext = Extension(typ)
	}
	return string(base) + ext
}

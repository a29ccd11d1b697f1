package whatsapp

import (
	"regexp"
	"strings"
)

// SameNumber tells whether two numbers are one phone to WhatsApp, which writes
// mobile numbers of three countries in its own way: Brazil with or without the
// ninth digit (+55 AA 9XXXX-XXXX), Mexico with or without the 1 (+52 1 …),
// Argentina with or without the 9 (+54 9 …). Spaces, dashes, brackets and
// "whatsapp:" do not count; an empty number is the same as none.
func SameNumber(a, b string) bool {
	a, b = canonical(a), canonical(b)
	return a != "" && a == b
}

var (
	brazil    = regexp.MustCompile(`^55(\d\d)9([6-9]\d{7})$`)
	mexico    = regexp.MustCompile(`^521(\d{10})$`)
	argentina = regexp.MustCompile(`^549(\d{10})$`)
)

// canonical is the shortest way to write a number.
func canonical(n string) string {
	n = strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, strings.TrimPrefix(n, "whatsapp:"))
	n = brazil.ReplaceAllString(n, "55$1$2")
	n = mexico.ReplaceAllString(n, "52$1")
	return argentina.ReplaceAllString(n, "54$1")
}

package media

import (
	"io"
	"strings"
)

// Contact is a person on a contact card.
type Contact struct {
	Name    string
	Numbers []string
}

// What is read of contact cards at most.
const (
	cardBytes   = 64 << 10
	mostCards   = 10
	mostNumbers = 5
)

// Contacts reads the names and numbers of contact cards (RFC 6350, and 2426 before it).
func Contacts(r io.Reader) (all []Contact) {
	b, _ := io.ReadAll(io.LimitReader(r, cardBytes))
	folded := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(string(b), ""))
	lines := strings.Split(strings.NewReplacer("\n ", "", "\n\t", "").Replace(folded), "\n")
	var c *Contact
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(name, ";")
		name = strings.ToUpper(strings.TrimSpace(name[strings.LastIndexByte(name, '.')+1:]))
		switch value = unescaped(value); {
		case name == "BEGIN" && len(all) < mostCards:
			c = &Contact{}
		case name == "END" && c != nil:
			if c.Name != "" || len(c.Numbers) > 0 {
				all = append(all, *c)
			}
			c = nil
		case c == nil || value == "":
		case name == "FN":
			c.Name = value
		case name == "N" && c.Name == "":
			c.Name = strings.Join(strings.Fields(strings.ReplaceAll(value, ";", " ")), " ")
		case name == "TEL" && len(c.Numbers) < mostNumbers:
			c.Numbers = append(c.Numbers, strings.TrimPrefix(value, "tel:"))
		}
	}
	return all
}

var unescape = strings.NewReplacer(`\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";", `\\`, `\`)

// unescaped is a value on one line, of bounded length.
func unescaped(value string) string {
	const most = 200
	value = strings.Join(strings.Fields(unescape.Replace(value)), " ")
	if r := []rune(value); len(r) > most {
		value = string(r[:most])
	}
	return value
}

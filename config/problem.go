package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	Key      string // full path, such as homeserver.address
	Source   string // what set the key if not the file: a variable
	Line     int    // in the file; 0 if the key is not in it
	Sentence string // names the key and the fix; never a secret
}

// Problems is everything that is wrong, as one error.
type Problems struct {
	File string
	List []Problem
}

// Error gives one line per problem, each beginning with the place to go to:
// "config.yaml:3: homeserver.address is …".
func (p *Problems) Error() string {
	lines := make([]string, len(p.List))
	for i, one := range p.List {
		at := p.File
		if one.Source != "" {
			at = one.Source
		} else if one.Line > 0 {
			at = fmt.Sprintf("%s:%d", p.File, one.Line)
		}
		lines[i] = at + ": " + one.Sentence
	}
	return strings.Join(lines, "\n")
}

// orNil keeps a typed nil out of error values.
func (p *Problems) orNil() error {
	if len(p.List) == 0 {
		return nil
	}
	return p
}

// add notes a problem; the sentence begins with the key.
func (p *Problems) add(key, format string, args ...any) {
	p.List = append(p.List, Problem{Key: key, Sentence: key + " " + fmt.Sprintf(format, args...)})
}

// Suggest gives ` (did you mean "…"?)` for the closest of the names, or nothing.
func Suggest(word string, names []string) string {
	best, bestDistance := "", len(word)/3+2
	for _, name := range names {
		if d := distance(word, name); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance is Levenshtein's: how many letters to insert, drop or change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

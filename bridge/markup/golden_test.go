package markup

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

// golden is a file of cases, each with its name, what goes in, and what comes out:
//
//	=== name
//	<b>in</b>
//	---
//	*out*
//
// What nobody sees is written as its number: ⟨2060⟩.
type golden struct{ name, in, out string }

// The formatting of both directions is in files, so that a change of it is a diff to be read: go test ./bridge/markup -update.
func TestGolden(t *testing.T) {
	html := func(s string) string {
		return ForWhatsApp(map[string]any{"msgtype": "m.text", "body": "BODY", "format": "org.matrix.custom.html", "formatted_body": s})
	}
	plain := func(s string) string { return ForWhatsApp(map[string]any{"msgtype": "m.text", "body": s}) }
	matrix := func(s string) string {
		w := FromWhatsApp(s)
		if w.Plain != withoutMatrixLinks(clean(s)) {
			t.Errorf("%q: the plain words are %q", s, w.Plain)
		}
		if w.HTML == "" {
			return "plain: " + w.Plain
		}
		return w.HTML
	}
	all := 0
	for file, convert := range map[string]func(string) string{"html-to-whatsapp.txt": html, "plain-to-whatsapp.txt": plain, "whatsapp-to-matrix.txt": matrix} {
		cases := readGolden(t, "testdata/"+file)
		all += len(cases)
		seen := map[string]bool{}
		for i, c := range cases {
			if seen[c.name] {
				t.Errorf("%s has two cases %q", file, c.name)
			}
			seen[c.name] = true
			got := hide(convert(reveal(t, c.in)))
			if got != c.out && !*update {
				t.Errorf("%s: %s\nin   %s\ngot  %s\nwant %s", file, c.name, c.in, got, c.out)
			}
			cases[i].out = got
		}
		if *update {
			writeGolden(t, "testdata/"+file, cases)
		}
	}
	if all < 80 {
		t.Errorf("only %d cases", all)
	}
}

func readGolden(t *testing.T, path string) (cases []golden) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split("\n"+string(raw), "\n=== ")[1:] {
		name, rest, _ := strings.Cut(block, "\n")
		in, out, ok := strings.Cut(rest, "\n---\n")
		if !ok {
			t.Fatalf("%s: %q has no line ---", path, name)
		}
		cases = append(cases, golden{name, in, strings.TrimRight(out, "\n")})
	}
	return cases
}

func writeGolden(t *testing.T, path string, cases []golden) {
	t.Helper()
	var blocks []string
	for _, c := range cases {
		blocks = append(blocks, fmt.Sprintf("=== %s\n%s\n---\n%s\n", c.name, c.in, c.out))
	}
	if err := os.WriteFile(path, []byte(strings.Join(blocks, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// hide writes what nobody sees as its number, and blanks where a line ends or nothing but lines ends: editors drop them.
func hide(s string) string {
	var out strings.Builder
	for i, r := range s {
		atEnd := r == ' ' && (i+1 == len(s) || s[i+1] == '\n') || r == '\n' && strings.Trim(s[i:], "\n") == ""
		if atEnd || r != '\n' && r != ' ' && (Unseen(r) && r != '\ufe0f' && r != '\u200d' && r < 0xE0000 || Blank(r)) {
			fmt.Fprintf(&out, "⟨%04X⟩", r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

var number = regexp.MustCompile(`⟨[0-9A-F]{4}⟩`)

func reveal(t *testing.T, s string) string {
	t.Helper()
	return number.ReplaceAllStringFunc(s, func(n string) string {
		r, err := strconv.ParseUint(strings.Trim(n, "⟨⟩"), 16, 32)
		if err != nil || r > unicode.MaxRune {
			t.Fatal(n)
		}
		return string(rune(r))
	})
}

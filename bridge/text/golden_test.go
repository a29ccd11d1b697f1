package text_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	. "lanekeeper/bridge/text"
)

var update = flag.Bool("update", false, "write docs/words.md")

const goldenFile = "../../docs/words.md"

// audiences are who reads a sentence, by the end of its function's name, in the order
// of the page.
var audiences = [][2]string{
	{"ForAsker", "Whoever asks a question"},
	{"ForCustomer", "Customers who typed what is no command"},
	{"ForPerson", "Anybody in a direct chat"},
	{"ForAgent", "Agents on WhatsApp"},
	{"ForStaff", "Staff: the super-admin room, the notes"},
	{"ForSuperAdmins", "The super-admin room alone"},
	{"ForApprover", "Those who decide requests"},
	{"ForSender", "Whoever gave a command"},
	{"ForCommand", "Whoever gave a command"},
	{"ForAnyone", "Anybody"},
	{"", "By subject"},
}

func audience(function string) string {
	for _, a := range audiences {
		if strings.HasSuffix(function, a[0]) {
			return a[1]
		}
	}
	return ""
}

// notWords are functions that make no sentence of their own.
var notWords = []string{"Say", "Sentence", "Join", "Separate", "List", "Name", "PlainName", "Looks", "Excerpt", "Shorten", "Age", "LaneWord", "LaneTitle"}

// every sentence has an example, and docs/words.md shows them all, so that a change of
// words is seen in the diff.
func TestWords(t *testing.T) {
	shown := map[string]bool{}
	for _, e := range examples {
		shown[e.function] = true
	}
	for _, name := range makers(t) {
		if !shown[name] {
			t.Errorf("text.%s has no example: add one to examples_test.go, and run go test ./bridge/text -update", name)
		}
	}
	got := page(t)
	if *update {
		if err := os.WriteFile(goldenFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("docs/words.md is not what the code says: run go test ./bridge/text -run TestWords -update, and read the diff")
	}
}

// Marks of code are never shown raw where a client shows HTML or plain text.
func TestNoRawMarks(t *testing.T) {
	for _, e := range examples {
		w, isWords := e.said.(Words)
		if isWords && strings.Contains(w.HTML+w.Plain, "`") {
			t.Errorf("%s shows a raw `: %+v", e.function, w)
		}
		if s, ok := e.said.(string); ok && strings.Count(s, "`")%2 != 0 {
			t.Errorf("%s leaves code open: %s", e.function, s)
		}
	}
}

// unkind is what our voice does not say: short, kind, plain English.
var unkind = regexp.MustCompile(`(?i)\bstands\b|\b(was|were) told\b|brought to|\bcannot\b|\b(do|does|did|is|are|was|were|has|have|would|will) not\b|’`)

func TestVoice(t *testing.T) {
	for _, e := range examples {
		if found := unkind.FindString(plain(e.said)); found != "" {
			t.Errorf("%s says %q: %s", e.function, found, plain(e.said))
		}
	}
	for _, r := range refusals(t) {
		if found := unkind.FindString(r.words); found != "" {
			t.Errorf("%s says %q: %s", r.file, found, r.words)
		}
	}
	for _, c := range Commands {
		if found := unkind.FindString(c.Does + " " + c.More); found != "" || c.Does == "" || c.Example == "" || !strings.HasPrefix(c.Example, c.Name) {
			t.Errorf("help of %s says %q: %+v", c.Name, found, c)
		}
	}
}

// Sentences for people are made here, and beside the rules of the record: nowhere else.
func TestWordsAreMadeHere(t *testing.T) {
	for _, r := range refusals(t) {
		if !strings.HasPrefix(r.file, "project/") && !strings.HasPrefix(r.file, "policy/") && r.words != "%s" {
			t.Errorf("%s refuses with words of its own, which belong into package text: %s", r.file, r.words)
		}
	}
	for _, f := range sources(t) {
		if strings.HasPrefix(f.name, "text/") || strings.HasPrefix(f.name, "markup/") {
			continue
		}
		for _, c := range calls(f.file, "text.Say", "text.Sentence") {
			if words, ok := literal(c.Args[0]); ok && strings.ContainsFunc(strings.ReplaceAll(words, "%s", ""), unicode.IsLetter) {
				t.Errorf("%s says words of its own, which belong into package text: %s", f.name, words)
			}
		}
	}
}

func plain(said any) string {
	if w, ok := said.(Words); ok {
		return w.Plain
	}
	return said.(string)
}

// page is docs/words.md.
func page(t *testing.T) string {
	var b strings.Builder
	b.WriteString("# What the bot says\n\nMade by `go test ./bridge/text -run TestWords -update`: every sentence that people read, with an example, by who reads it. The function that\nmakes it stands before it. Code marks, links and bold are as clients show them.\n")
	var last string
	for _, a := range audiences {
		if a[1] == last {
			continue
		}
		last = a[1]
		var some []example
		for _, e := range examples {
			if audience(e.function) == a[1] {
				some = append(some, e)
			}
		}
		if len(some) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n", a[1])
		for _, e := range some {
			when := ""
			if e.when != "" {
				when = ", " + e.when
			}
			fmt.Fprintf(&b, "\n%s%s\n\n%s\n", e.function, when, quoted(shownAs(e.said)))
		}
	}
	b.WriteString("\n## Refusals by the rules of the record\n\nThey stand beside the rules, in `bridge/project` and `bridge/policy`.\n")
	for _, r := range refusals(t) {
		if r.words != "%s" {
			fmt.Fprintf(&b, "\n- %s", r.words)
		}
	}
	b.WriteString("\n\n## Reasons that `why` names\n\n")
	for _, words := range reasons(t) {
		fmt.Fprintf(&b, "- %s\n", words)
	}
	b.WriteString("\n## Commands\n\n| command | does | more |\n|---|---|---|\n")
	for _, c := range Commands {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", strings.ReplaceAll(c.Typed(), "|", `\|`), c.Does, c.More)
	}
	return b.String()
}

func quoted(s string) string {
	return "> " + strings.ReplaceAll(strings.ReplaceAll(s, "\n\n", "\n"), "\n", "\\\n> ")
}

var (
	anchor = regexp.MustCompile(`<a href="[^"]*">([^<]*)</a>`)
	block  = regexp.MustCompile(`<blockquote>(.*?)</blockquote>`)
	small  = regexp.MustCompile(`<sub>([^<]*)</sub>`)
)

// shownAs is a sentence about as a client shows it, in Markdown.
func shownAs(said any) string {
	w, ok := said.(Words)
	if !ok || w.HTML == "" {
		return plain(said)
	}
	s := anchor.ReplaceAllString(w.HTML, "[$1]")
	s = small.ReplaceAllString(s, "($1)")
	s = block.ReplaceAllStringFunc(s, func(q string) string {
		q = strings.TrimSuffix(strings.TrimPrefix(q, "<blockquote>"), "</blockquote>")
		return "<br>“" + q + "”<br>"
	})
	s = strings.TrimSuffix(s, "<br>")
	s = strings.NewReplacer("<br>", "\n", "<code>", "`", "</code>", "`", "<strong>", "**", "</strong>", "**").Replace(s)
	return html.UnescapeString(s)
}

// goSource is a file of the bridge that is no test.
type goSource struct {
	name string // below bridge
	file *ast.File
}

func sources(t *testing.T) (all []goSource) {
	t.Helper()
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		short, _ := filepath.Rel("..", name)
		all = append(all, goSource{filepath.ToSlash(short), f})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// makers are the exported functions of the package that make words.
func makers(t *testing.T) (names []string) {
	for _, f := range sources(t) {
		if !strings.HasPrefix(f.name, "text/") {
			continue
		}
		for _, d := range f.file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !fn.Name.IsExported() || fn.Type.Results == nil || slices.Contains(notWords, fn.Name.Name) {
				continue
			}
			if r, ok := fn.Type.Results.List[0].Type.(*ast.Ident); ok && (r.Name == "Words" || r.Name == "string") {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}

// calls finds calls of functions by the name they are written with.
func calls(f *ast.File, names ...string) (found []*ast.CallExpr) {
	ast.Inspect(f, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok || len(c.Args) == 0 {
			return true
		}
		name := ""
		switch fn := c.Fun.(type) {
		case *ast.Ident:
			name = fn.Name
		case *ast.SelectorExpr:
			if x, ok := fn.X.(*ast.Ident); ok {
				name = x.Name + "." + fn.Sel.Name
			}
		}
		if slices.Contains(names, name) {
			found = append(found, c)
		}
		return true
	})
	return found
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

type refusal struct{ file, words string }

// refusals are the words of every project.Refuse.
func refusals(t *testing.T) (all []refusal) {
	for _, f := range sources(t) {
		names := []string{"project.Refuse"}
		if strings.HasPrefix(f.name, "project/") {
			names = []string{"Refuse"}
		}
		for _, c := range calls(f.file, names...) {
			if len(c.Args) < 2 {
				continue
			}
			if words, ok := literal(c.Args[1]); ok {
				all = append(all, refusal{f.name, words})
			}
		}
	}
	return all
}

// reasons are the sentences of policy.Because, as formats.
func reasons(t *testing.T) (all []string) {
	for _, f := range sources(t) {
		if f.name != "policy/because.go" {
			continue
		}
		ast.Inspect(f.file, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok {
				if s, ok := literal(l); ok && strings.Contains(s, " ") && strings.HasSuffix(s, ".") {
					all = append(all, s)
				}
			}
			return true
		})
	}
	return all
}

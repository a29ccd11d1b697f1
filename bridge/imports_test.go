package bridge_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the path that our own imports begin with.
const module = "lanekeeper/"

// anything stands for every package below bridge that is not for tests.
const anything = "*"

// mayImport is the architecture: which of our packages each package may use. Who
// reads it from top to bottom goes from what knows nothing to what knows all. A
// package that is not here fails the test: say first where it belongs. Names are
// those below bridge.
var mayImport = map[string][]string{
	"effect":  {},
	"project": {"effect"},
	"policy":  {"project"},
	"markup":  {},
	"picture": {},
	"text":    {"project", "markup"},
	"handoff": {"project", "effect", "text", "markup"},

	"queue":    {},
	"bulkhead": {},
	"matrix":   {},
	"whatsapp": {"markup"},
	"emulator": {},
	"media":    {"matrix"},
	"link":     {"matrix", "media"},
	"store":    {"effect", "project", "handoff", "text", "queue", "matrix"},
	"phone":    {"effect", "handoff", "text", "markup", "queue", "store", "whatsapp"},

	"gate":      {"project", "policy", "store"},
	"intake":    {"effect", "text", "queue", "store", "matrix", "whatsapp"},
	"outbox":    {"effect", "project", "handoff", "text", "queue", "bulkhead", "store", "matrix", "whatsapp", "media", "phone"},
	"reconcile": {"effect", "project", "policy", "picture", "text", "markup", "queue", "bulkhead", "store", "matrix"},
	"relay":     {anything},
	"action":    {"effect", "project", "policy", "text", "store", "relay"},
	"command":   {"action", "effect", "project", "policy", "handoff", "text", "markup", "store", "matrix", "relay"},
	"handle":    {"action", "effect", "project", "policy", "handoff", "text", "markup", "queue", "store", "matrix", "whatsapp", "relay", "phone", "command"},

	// What runs the system for those who try it or test it: no part of it may
	// know that.
	"lab/port":     {},
	"lab/postgres": {"lab/port"},
	"lab":          {"emulator", "matrix", "store", "whatsapp", "lab/port", "lab/postgres"},

	"doctor": {anything, ".", "../config"},
	"demo":   {anything, ".", "lab", "lab/port", "../config"},
	".":      {anything, "../config"}, // bridge itself

	"../config":         {"policy", "whatsapp"}, // the types of roles and profiles; which numbers are one phone
	"../cmd/lanekeeper": {anything, ".", "doctor", "demo", "../config"},
}

// pure packages decide; they reach nothing outside the process, and time, chance
// and ids are given to them.
var pure = []string{"effect", "project", "policy", "picture", "markup", "handoff", "text"}

var impure = []string{
	"net", "net/http", "os", "os/exec", "database/sql", "crypto/rand", "math/rand", "math/rand/v2",
	"maunium.net/go/mautrix", "go.mau.fi/util/dbutil", "github.com/lib/pq", "modernc.org/sqlite", "github.com/twilio/twilio-go",
}

// onlyIn names the one package of ours that may use some libraries.
var onlyIn = map[string][]string{
	"maunium.net/go/mautrix":                     {"matrix"},
	"maunium.net/go/mautrix/appservice":          {"matrix"},
	"maunium.net/go/mautrix/crypto":              {"matrix"},
	"maunium.net/go/mautrix/crypto/cryptohelper": {"matrix"},
	"maunium.net/go/mautrix/bridgev2":            {},
}

// forTests are the packages that only tests may use.
var forTests = []string{"lab/browser", "lab/labtest", "store/storetest"}

// source is one Go file of ours.
type source struct {
	path   string // from bridge
	owner  string // package directory from bridge, "." for bridge itself
	file   *ast.File
	isTest bool
}

func sources(t *testing.T) (all []source) {
	t.Helper()
	for _, root := range []string{".", "../cmd", "../config"} {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules") {
				return fs.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(name, ".go") {
				return nil
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				return err
			}
			name = filepath.ToSlash(name)
			all = append(all, source{path: name, owner: path.Dir(name), file: f, isTest: strings.HasSuffix(name, "_test.go")})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func (s source) imports() (paths []string) {
	for _, i := range s.file.Imports {
		paths = append(paths, strings.Trim(i.Path.Value, `"`))
	}
	return paths
}

// ours is an imported package of ours as mayImport names it; "" if it is foreign.
func ours(imported string) string {
	rest, ok := strings.CutPrefix(imported, module)
	switch {
	case !ok:
		return ""
	case rest == "bridge":
		return "."
	case strings.HasPrefix(rest, "bridge/"):
		return strings.TrimPrefix(rest, "bridge/")
	}
	return "../" + rest
}

func isForTests(pkg string) bool { return slices.Contains(forTests, pkg) }

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		if isForTests(s.owner) {
			continue
		}
		allowed, known := mayImport[s.owner]
		if known = known || s.isTest && strings.HasPrefix(s.owner, "scenario/"); !known {
			t.Errorf("%s: the package has no place in the architecture yet. Add it to mayImport", s.path)
			continue
		}
		for _, imported := range s.imports() {
			pkg := ours(imported)
			switch {
			case isForTests(pkg):
				if !s.isTest {
					t.Errorf("%s imports %s, which is for tests only", s.path, imported)
				}
			case pkg == "" || s.isTest || slices.Contains(allowed, pkg):
			case slices.Contains(allowed, anything) && below(pkg):
			default:
				t.Errorf("%s imports %s; %s may import %v", s.path, imported, s.owner, allowed)
			}
		}
	}
}

// below reports whether a package is one of the parts that bridge wires together.
func below(pkg string) bool {
	return pkg != "." && pkg != "demo" && pkg != "doctor" && !strings.HasPrefix(pkg, "lab") && !strings.HasPrefix(pkg, "../")
}

func TestPurePackages(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports() {
			for library, where := range onlyIn {
				if imported == library && !s.isTest && !slices.Contains(where, s.owner) && !isForTests(s.owner) {
					t.Errorf("%s imports %s, which only %v may", s.path, imported, where)
				}
			}
			if slices.Contains(pure, s.owner) && !s.isTest && slices.Contains(impure, imported) {
				t.Errorf("%s imports %s; a pure package reaches nothing outside", s.path, imported)
			}
		}
		if slices.Contains(pure, s.owner) && !s.isTest {
			ast.Inspect(s.file, func(n ast.Node) bool {
				if call, ok := n.(*ast.SelectorExpr); ok && call.Sel.Name == "Now" {
					if pkg, ok := call.X.(*ast.Ident); ok && pkg.Name == "time" {
						t.Errorf("%s asks for the time; it must be given", s.path)
					}
				}
				return true
			})
		}
	}
}

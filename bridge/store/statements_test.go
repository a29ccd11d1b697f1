package store_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// statement is one text that the source can give to the database.
type statement struct {
	at  string // file and line of the call
	sql string
}

// calls are the methods that take a statement as their second argument, after ctx.
var calls = []string{"exec", "Exec", "Query", "QueryRow", "ExecContext", "QueryContext", "QueryRowContext"}

// lists are functions that write as many parameters as there are values; one
// parameter stands for them here.
var lists = []string{"placeholders", "Join", "marks"}

const list = "$0"

// maxVariants bounds what one call can become: more is a statement nobody can read.
const maxVariants = 64

// collect reads every statement of the Go files below dir, without running them, so
// that none can be forgotten. It knows constants, sums, fmt.Sprintf, local
// variables and what callers in the same package pass. A statement that is put
// together in another way is an error: it could not be explained either.
func collect(dir string) (all []statement, problems []string) {
	packages := map[string]*reader{}
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && name != dir && slices.Contains([]string{"testdata", "storetest"}, d.Name()) {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		owner := filepath.Dir(name)
		if packages[owner] == nil {
			packages[owner] = &reader{fset: token.NewFileSet(), consts: map[string]ast.Expr{}}
		}
		return packages[owner].add(name)
	})
	for _, r := range packages {
		for _, f := range r.funcs {
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || !isStatement(call) || f.Name.Name == called(call) { // a driver passes on what others write
					return true
				}
				at := r.fset.Position(call.Pos())
				texts, err := r.eval(f, call.Args[1], 0)
				if err != nil {
					problems = append(problems, fmt.Sprintf("%s:%d: %v. Write the statement from constants, so that this test can explain it", at.Filename, at.Line, err))
				}
				for _, text := range texts {
					all = append(all, statement{fmt.Sprintf("%s:%d", at.Filename, at.Line), text})
				}
				return true
			})
		}
	}
	slices.SortFunc(all, func(a, b statement) int { return strings.Compare(a.sql, b.sql) })
	return slices.CompactFunc(all, func(a, b statement) bool { return a.sql == b.sql }), problems
}

func isStatement(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && slices.Contains(calls, sel.Sel.Name) && len(call.Args) >= 2
}

// reader evaluates the texts of one package.
type reader struct {
	fset   *token.FileSet
	funcs  []*ast.FuncDecl
	consts map[string]ast.Expr
}

func (r *reader) add(name string) error {
	f, err := parser.ParseFile(r.fset, name, nil, 0)
	if err != nil {
		return err
	}
	for _, decl := range f.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			r.funcs = append(r.funcs, d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok {
					for i, name := range v.Names {
						if i < len(v.Values) {
							r.consts[name.Name] = v.Values[i]
						}
					}
				}
			}
		}
	}
	return nil
}

// eval gives every text that an expression in a function can be.
func (r *reader) eval(in *ast.FuncDecl, e ast.Expr, depth int) ([]string, error) {
	if depth > 12 {
		return nil, fmt.Errorf("the statement is put together in too many steps")
	}
	switch v := e.(type) {
	case *ast.ParenExpr:
		return r.eval(in, v.X, depth+1)
	case *ast.BasicLit:
		if v.Kind != token.STRING {
			return nil, fmt.Errorf("%s is no text", v.Value)
		}
		s, err := strconv.Unquote(v.Value)
		return []string{s}, err
	case *ast.BinaryExpr:
		left, err := r.eval(in, v.X, depth+1)
		if err != nil {
			return nil, err
		}
		right, err := r.eval(in, v.Y, depth+1)
		return cross(left, right), err
	case *ast.CallExpr:
		return r.call(in, v, depth)
	case *ast.Ident:
		return r.ident(in, v, depth)
	}
	return nil, fmt.Errorf("%s cannot be read", r.source(e))
}

func cross(left, right []string) (out []string) {
	for _, a := range left {
		for _, b := range right {
			out = append(out, a+b)
		}
	}
	return out[:min(len(out), maxVariants)]
}

func (r *reader) call(in *ast.FuncDecl, call *ast.CallExpr, depth int) ([]string, error) {
	name := called(call)
	if slices.Contains(lists, name) {
		return []string{list}, nil
	}
	if name == "Sprintf" {
		texts, err := r.eval(in, call.Args[0], depth+1)
		for _, arg := range call.Args[1:] {
			values, err := r.eval(in, arg, depth+1)
			if err != nil {
				return nil, err
			}
			var filled []string
			for _, text := range texts {
				for _, value := range values {
					filled = append(filled, strings.Replace(text, "%s", value, 1))
				}
			}
			texts = filled
		}
		return texts, err
	}
	return nil, fmt.Errorf("what %s gives cannot be read", name)
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return "a function"
}

// ident gives what a variable can hold: all that is assigned to it in its function,
// what callers pass, or the constant of the package.
func (r *reader) ident(in *ast.FuncDecl, id *ast.Ident, depth int) (out []string, err error) {
	found := false
	ast.Inspect(in, func(n ast.Node) bool {
		switch s := n.(type) {
		case *ast.AssignStmt:
			for i, left := range s.Lhs {
				if l, ok := left.(*ast.Ident); !ok || l.Name != id.Name || err != nil {
					continue
				}
				found = true
				right := s.Rhs[min(i, len(s.Rhs)-1)]
				if more, ok := right.(*ast.BinaryExpr); ok && s.Tok == token.ASSIGN && uses(more, id.Name) {
					continue
				}
				var texts []string
				texts, err = r.eval(in, right, depth+1)
				if s.Tok == token.ADD_ASSIGN {
					texts = cross(out, texts)
				}
				out = append(out, texts...)
			}
		case *ast.RangeStmt:
			if l, ok := s.Value.(*ast.Ident); ok && l.Name == id.Name && err == nil {
				found = true
				var texts []string
				texts, err = r.elements(in, s.X, depth)
				out = append(out, texts...)
			}
		}
		return err == nil
	})
	if found || err != nil {
		return out, err
	}
	if i := parameter(in, id.Name); i >= 0 {
		return r.passed(in, i, depth)
	}
	if c := r.consts[id.Name]; c != nil {
		return r.eval(in, c, depth+1)
	}
	return nil, fmt.Errorf("%s cannot be read", id.Name)
}

func uses(e ast.Expr, name string) (yes bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		yes = yes || ok && id.Name == name
		return !yes
	})
	return yes
}

// elements gives the texts of a list that a loop goes through.
func (r *reader) elements(in *ast.FuncDecl, e ast.Expr, depth int) (out []string, err error) {
	if id, ok := e.(*ast.Ident); ok && r.consts[id.Name] != nil {
		e = r.consts[id.Name]
	}
	items, ok := e.(*ast.CompositeLit)
	if !ok {
		return nil, fmt.Errorf("the elements of %s cannot be read", r.source(e))
	}
	for _, item := range items.Elts {
		texts, err := r.eval(in, item, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, texts...)
	}
	return out, nil
}

// parameter gives the number of a parameter, -1 if it is none.
func parameter(f *ast.FuncDecl, name string) int {
	n := 0
	for _, field := range f.Type.Params.List {
		for _, id := range field.Names {
			if id.Name == name {
				return n
			}
			n++
		}
	}
	return -1
}

// passed gives what the callers of a function in its package pass.
func (r *reader) passed(to *ast.FuncDecl, i, depth int) (out []string, err error) {
	for _, f := range r.funcs {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || called(call) != to.Name.Name || len(call.Args) <= i || err != nil {
				return err == nil
			}
			var texts []string
			texts, err = r.eval(f, call.Args[i], depth+1)
			out = append(out, texts...)
			return err == nil
		})
	}
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("nobody in the package calls %s", to.Name.Name)
	}
	return out, err
}

func (r *reader) source(e ast.Expr) string {
	at := r.fset.Position(e.Pos())
	return fmt.Sprintf("the expression at %s:%d", at.Filename, at.Line)
}

var (
	parameters = regexp.MustCompile(`\$\d+`)
	limits     = regexp.MustCompile(`LIMIT \$\d+`)
)

// numbered makes a statement complete: every "$0", which stands for a list, gets a
// number of its own, and a LIMIT is a page. It says how many parameters there are.
func numbered(sql string) (string, int) {
	sql = limits.ReplaceAllString(sql, page)
	numbers := map[string]string{}
	next := 0
	sql = parameters.ReplaceAllStringFunc(sql, func(p string) string {
		if numbers[p] == "" || p == list {
			next++
			numbers[p] = "$" + strconv.Itoa(next)
		}
		return numbers[p]
	})
	return sql, next
}

// explainable: an insertion of values has no plan.
func explainable(sql string) bool {
	verb, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
	switch strings.ToUpper(verb) {
	case "SELECT", "UPDATE", "DELETE", "WITH":
		return true
	case "INSERT":
		return regexp.MustCompile(`(?s)\)\s*SELECT|\(SELECT`).MatchString(sql)
	}
	return false
}

// TestCollector: a statement is found however it is put together, and one that
// cannot be read is an error.
func TestCollector(t *testing.T) {
	all, problems := collect("testdata/statements")
	var got []string
	for _, s := range all {
		got = append(got, s.sql)
	}
	want := []string{
		"DELETE FROM a WHERE x=$1", "DELETE FROM b WHERE x=$1",
		"SELECT x FROM a", "SELECT x FROM a WHERE x IN ($0)",
		"SELECT x FROM t WHERE a=$1", "SELECT x FROM t WHERE b=$1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %q", got)
	}
	if len(problems) != 1 || !strings.Contains(problems[0], "cannot be read") {
		t.Errorf("problems: %q", problems)
	}
	if sql, n := numbered("a=$2 AND b IN ($0) AND c IN ($0) OR a<$2 LIMIT $1"); sql != "a=$1 AND b IN ($2) AND c IN ($3) OR a<$1 LIMIT 20" || n != 3 {
		t.Errorf("numbered: %s, %d", sql, n)
	}
}

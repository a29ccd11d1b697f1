package bridge_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTransactionBodies: D1. The body of a transaction runs again when it conflicts
// with another one, and so does a Commit. What it adds to something outside would
// then be added twice, and what it changed there would be read by the second run
// as if it were old. It may give values out by plain assignment, fresh ones each
// time; it may not
//
//   - count or add: x++, x += y;
//   - grow or change what is outside: x = append(x, …), x[k] = v, delete(x, k),
//     unless it makes x anew before;
//   - write a field of what is outside: p.State = s.
func TestTransactionBodies(t *testing.T) {
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			return err
		}
		for _, at := range repeated(f) {
			t.Errorf("%s: a transaction's body changes what is outside; a second run would do it again", fset.Position(at))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// repeated finds what the bodies of a file's transactions change outside.
func repeated(f *ast.File) (at []token.Pos) {
	ast.Inspect(f, func(n ast.Node) bool {
		var body *ast.FuncLit
		switch v := n.(type) {
		case *ast.CallExpr:
			if sel, ok := v.Fun.(*ast.SelectorExpr); ok && (sel.Sel.Name == "Tx" || sel.Sel.Name == "tx") && len(v.Args) > 0 {
				body, _ = v.Args[len(v.Args)-1].(*ast.FuncLit)
			}
		case *ast.KeyValueExpr:
			if key, ok := v.Key.(*ast.Ident); ok && key.Name == "Commit" {
				body, _ = v.Value.(*ast.FuncLit)
			}
		}
		if body != nil {
			at = append(at, outside(body)...)
		}
		return true
	})
	return at
}

func outside(body *ast.FuncLit) (at []token.Pos) {
	own := declared(body)
	captured := func(e ast.Expr) (name string, yes bool) {
		id := root(e)
		return id, id != "" && id != "_" && !own[id]
	}
	fresh := map[string]bool{} // made anew in the body
	ast.Inspect(body, func(n ast.Node) bool {
		switch s := n.(type) {
		case *ast.IncDecStmt:
			if _, yes := captured(s.X); yes {
				at = append(at, s.Pos())
			}
		case *ast.AssignStmt:
			for i, left := range s.Lhs {
				name, yes := captured(left)
				if !yes || s.Tok == token.DEFINE {
					continue
				}
				_, plain := left.(*ast.Ident)
				switch grows := appends(s.Rhs[min(i, len(s.Rhs)-1)], name); {
				case plain && s.Tok == token.ASSIGN && !grows:
					fresh[name] = true
				case !fresh[name]:
					at = append(at, s.Pos())
				}
			}
		case *ast.CallExpr:
			if f, ok := s.Fun.(*ast.Ident); ok && f.Name == "delete" {
				if name, yes := captured(s.Args[0]); yes && !fresh[name] {
					at = append(at, s.Pos())
				}
			}
		}
		return true
	})
	return at
}

// root is the variable that an expression begins with.
func root(e ast.Expr) string {
	for {
		switch v := e.(type) {
		case *ast.Ident:
			return v.Name
		case *ast.SelectorExpr:
			e = v.X
		case *ast.IndexExpr:
			e = v.X
		case *ast.StarExpr:
			e = v.X
		case *ast.ParenExpr:
			e = v.X
		default:
			return ""
		}
	}
}

// appends reports whether an expression grows a variable.
func appends(e ast.Expr, name string) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return false
	}
	f, ok := call.Fun.(*ast.Ident)
	return ok && f.Name == "append" && root(call.Args[0]) == name
}

// declared gives the names that a function declares itself.
func declared(body *ast.FuncLit) map[string]bool {
	own := map[string]bool{}
	fields := func(list *ast.FieldList) {
		if list != nil {
			for _, f := range list.List {
				for _, id := range f.Names {
					own[id.Name] = true
				}
			}
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch s := n.(type) {
		case *ast.FuncLit:
			fields(s.Type.Params)
			fields(s.Type.Results)
		case *ast.AssignStmt:
			for _, left := range s.Lhs {
				if id, ok := left.(*ast.Ident); ok && s.Tok == token.DEFINE {
					own[id.Name] = true
				}
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{s.Key, s.Value} {
				if id, ok := e.(*ast.Ident); ok && s.Tok == token.DEFINE {
					own[id.Name] = true
				}
			}
		case *ast.ValueSpec:
			for _, id := range s.Names {
				own[id.Name] = true
			}
		}
		return true
	})
	return own
}

// The rule itself: which lines of the sample are found.
func TestTransactionBodiesAreRead(t *testing.T) {
	const sample = `package p
func f() {
	s.Tx(ctx, func(ctx context.Context) error {
		n++                    // BAD
		n += 2                 // BAD
		p.State = "trying"     // BAD
		p.Deep.State = "x"     // BAD
		list = append(list, 1) // BAD
		m["a"] = 1             // BAD
		delete(m, "a")         // BAD
		found, err = load(ctx)
		own := 1
		own++
		var q T
		q.State = "x"
		for i, x := range list {
			i++
			x.State = "y"
		}
		fresh = nil
		fresh = append(fresh, 1)
		return err
	})
	r := queue.Result{Commit: func(ctx context.Context) error {
		*p = T{}               // BAD
		return nil
	}}
	other(func() { n++ })
}`
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "sample.go", sample, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []int
	for _, at := range repeated(f) {
		got = append(got, fset.Position(at).Line)
	}
	for i, line := range strings.Split(sample, "\n") {
		if strings.Contains(line, "BAD") {
			want = append(want, i+1)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("found lines %v, want %v", got, want)
	}
}

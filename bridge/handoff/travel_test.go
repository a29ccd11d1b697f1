package handoff

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"lanekeeper/bridge/project"
)

// R1: what leaves Matrix, and what a handoff shows to whom.
func TestMayTravel(t *testing.T) {
	const carl, xena, room = "@carl:x", "@xena:x", "!customer"
	customer := Origin{Room: room, Lane: project.Customer}
	internal := Origin{Room: "!internal", Lane: project.Internal}
	direct := Origin{Room: "!dm", Direct: carl}
	in := func(o Origin, n int64) Origin { o.Handoff = n; return o }
	stays := func(o Origin) Origin { o.Stays = true; return o }

	lane := &Handoff{Number: 1, Lane: project.Customer, Room: room, Leaves: true, Askers: []Asker{{User: carl}}}
	inner := &Handoff{Number: 2, Lane: project.Internal, Room: "!internal", Askers: []Asker{{User: xena}}}
	chat := &Handoff{Number: 3, Direct: true, Leaves: true, Askers: []Asker{{User: carl}}}
	private := &Handoff{Number: 4, Direct: true, Lane: project.Customer, Leaves: true, Askers: []Asker{{User: carl}}}
	hidden := &Handoff{Number: 5, Direct: true, Lane: project.Internal, Askers: []Asker{{User: carl}}}

	type may struct{ agents, staff, askers bool }
	for _, c := range []struct {
		what string
		o    Origin
		h    *Handoff
		want may
	}{
		{"the asker's words in the lane", in(customer, 1), lane, may{true, true, true}},
		{"what was said there before", customer, lane, may{true, true, false}},
		{"words of another handoff there", in(customer, 9), lane, may{true, true, false}},
		{"words that were let go for another alone", stays(in(customer, 9)), lane, may{false, true, false}},
		{"another customer lane", Origin{Room: "!other", Lane: project.Customer}, lane, may{}},
		{"the internal lane", internal, lane, may{}},
		{"a direct chat", in(direct, 9), lane, may{}},
		{"nowhere", Origin{}, lane, may{}},
		{"its number, from elsewhere", in(internal, 1), lane, may{}},
		{"an answer", in(Origin{Staff: true}, 1), lane, may{true, true, true}},
		{"talk among staff", Origin{Staff: true}, lane, may{}},
		{"an answer to another", in(Origin{Phone: true}, 2), lane, may{}},

		{"the asker's words in the internal lane", in(internal, 2), inner, may{false, true, true}},
		{"what was said there before", internal, inner, may{false, true, false}},
		{"an answer", in(Origin{Staff: true}, 2), inner, may{false, true, true}},

		{"the direct chat", in(direct, 3), chat, may{true, true, true}},
		{"another handoff there", in(direct, 9), chat, may{true, true, false}},
		{"another there that stays", stays(in(direct, 5)), chat, may{false, true, false}},
		{"commands there", direct, chat, may{}},
		{"somebody else's direct chat", in(Origin{Direct: xena}, 9), chat, may{}},
		{"the customer lane", customer, chat, may{}},

		{"a private question", in(customer, 4), private, may{true, true, true}},
		{"the lane it came from", customer, private, may{}},
		{"a private question of the internal lane", in(internal, 5), hidden, may{false, true, true}},
		{"what follows in the direct chat", in(direct, 5), hidden, may{false, true, true}},
	} {
		got := may{MayTravel(c.o, c.h, Agents), MayTravel(c.o, c.h, Staff), MayTravel(c.o, c.h, Askers)}
		if got != c.want {
			t.Errorf("%s for #%d: agents, staff, askers may read it %v, want %v", c.what, c.h.Number, got, c.want)
		}
	}
}

// R1: in this package nothing but travel.go makes a Piece, or takes out what
// somebody said: everything else has to ask MayTravel. (Outside of it a Piece cannot
// be made at all.)
func TestWordsTravelByOneWay(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	for _, name := range files {
		if name == "travel.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if id, ok := n.Type.(*ast.Ident); ok && (id.Name == "Piece" || id.Name == "piece") {
					t.Errorf("%s: makes a piece", fset.Position(n.Pos()))
				}
			case *ast.SelectorExpr:
				pkg, _ := n.X.(*ast.Ident)
				if n.Sel.Name == "Markup" || n.Sel.Name == "Words" && (pkg == nil || pkg.Name != "text") {
					t.Errorf("%s: takes somebody's words", fset.Position(n.Pos()))
				}
			}
			return true
		})
	}
}

// What went along as context is as short after an edit as it was before; a question is whole.
func TestContextStaysShort(t *testing.T) {
	h := made(1, project.Customer, Open, "")
	h.Room = "!customer"
	long := strings.Repeat("x", 50*contextLimit)
	s := Said{Event: "$1", User: "@carl:x", Name: "Carl", Markup: "short", At: Origin{Room: "!customer", Lane: project.Customer}}
	edited := s
	edited.Markup = long
	stored, err := json.Marshal(h.history([]Said{s}, "")[0])
	if err != nil {
		t.Fatal(err)
	}
	var p Piece
	if err := json.Unmarshal(stored, &p); err != nil {
		t.Fatal(err)
	}
	if n := len([]rune(p.Reworded(&edited).p.Text)); n > contextLimit+1 {
		t.Errorf("%d characters of context", n)
	}
	question := s.piece(h)
	if question.Reworded(&edited).p.Text != long {
		t.Error("a question is shortened")
	}
}

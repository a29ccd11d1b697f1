package handoff

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lanekeeper/bridge/project"
)

// W1: a number that a message begins with is read, however a phone spells it, or
// asked about. The words never reach the handoff that happens to be the only one.
func TestLeadingNumber(t *testing.T) {
	const asked = "?"
	known := []Known{{made(1, project.Customer, Taken, dana), true}, {made(2, project.Customer, Open, ""), true}}
	for in, want := range map[string]string{
		"#2 Y": "Y", "#2\u00a0Y": "Y", "#2\u202fY": "Y", "#2\u3000Y": "Y", "\u200e#2 Y": "Y", "\u2067#2\u2069 Y": "Y", "\ufeff#2 Y": "Y", "#\u200b2 Y": "Y",
		"#2: Y": "Y", "#2) Y": "Y", "#2)Y": "Y", "(#2) Y": "Y", "[#2] Y": "Y", "【#2】Y": "Y", "“#2” Y": "Y", `"#2" Y`: "Y", "*#2* Y": "Y", "_#2_ Y": "Y", "~*#2*~: Y": "Y", "`#2` Y": "Y",
		"#2，Y": "Y", "#2：Y": "Y", "＃2 Y": "Y", "﹟2 Y": "Y", "＃２　Y": "Y", "#٢ Y": "Y", "#2️⃣ Y": "Y", "#️⃣2 Y": "Y", "#2👍 Y": "👍 Y", "#2\nY\nZ": "Y\nZ", "#002 Y": "Y",
		"#2-Y": "Y", "#2.Y": "Y", "#2, Y": "Y", "*#2 Y*": "*Y*", "(#2 Y)": "(Y)", "#2 #2 Y": "#2 Y", "#2": "", " #2. ": "",

		"# 2 Y": asked, "#2Y": asked, "#2/Y": asked, "#2\u200bY": asked, "#2a is the flat": asked, "#2.5 percent": asked, "#2-3 days": asked, "#2,5 Y": asked, "#2% Y": asked, "#2? Y": asked, "#2?": asked,
		"##2 Y": asked, "♯2 Y": asked, "#*2* Y": asked, "#② Y": asked, "#2² Y": asked, "#2̲ Y": asked, "👍 #2 Y": asked, "- #2 Y": asked, "> #2 Y": asked, "#0 Y": asked, "#2* Y": asked, "#-2 Y": asked,
		"#1 #2 Y": asked, "#2, #1: Y": asked, "#2 & #1 Y": asked, "#" + strings.Repeat("2", 19) + " Y": asked,
	} {
		got := newDesk().Find(Incoming{Phone: dana, Body: in}, known)
		switch {
		case want == asked && got.Verb != Unclear:
			t.Errorf("%q is not asked about: %+v", in, got)
		case want != asked && got != (Route{Verb: Answers, Number: 2, Words: want}):
			t.Errorf("%q: %+v, want %q", in, got, want)
		}
	}
	for _, in := range []string{"Y", "see #2", "room 2", "12:30 is fine", "2 Y", "№2 Y", "# Y 2", "#fine", "😀", "*bold* #2"} {
		if got := newDesk().Find(Incoming{Phone: dana, Body: in}, known); got.Verb != Answers || got.Number != 1 || got.Words != in {
			t.Errorf("%q: %+v", in, got)
		}
	}
}

// likeNumber is what a message looks like that begins with a number, read as widely
// as can be.
var likeNumber = regexp.MustCompile(`^[^\pL\pN]*[#＃﹟][^\pL\pN]*(\pN+)`)

func checkLeading(t interface{ Errorf(string, ...any) }, body string) {
	known := []Known{{made(1, project.Customer, Taken, dana), true}}
	for _, in := range []Incoming{{Body: body}, {Body: body, Listed: true}, {Body: body, Opening: true}} {
		in.Phone = dana
		got := newDesk().Find(in, known)
		m := likeNumber.FindStringSubmatch(body)
		switch {
		case m == nil:
		case got.Verb == Opens || got.Verb == Nothing:
			t.Errorf("%q is not taken for a number: %+v", body, got)
		case got.Verb == Answers:
			var n int64
			for _, r := range m[1] {
				d, _ := digit(r)
				n = n*10 + d
			}
			if n != 0 && !strings.HasPrefix(itoa(got.Number), itoa(n)) { // there may be invisible signs between its digits
				t.Errorf("%q reaches #%d", body, got.Number)
			}
		}
	}
}

func TestLeadingNumberProperty(t *testing.T) {
	sign := rapid.SampledFrom([]string{"", " ", "\u00a0", "\u200e", "\u200b", "\ufeff", "\u2028", "(", ")", "[", "*", "_", "~", "`", "“", "👍", "👍🏽", "-", ":", "/", "，", "\ufe0f", "\u20e3", "\u0332", "\n", "\u3164", "\u2800", "+", "."})
	rapid.Check(t, func(t *rapid.T) {
		some := func(name string) string { return strings.Join(rapid.SliceOfN(sign, 0, 4).Draw(t, name), "") }
		hash := rapid.SampledFrom([]string{"#", "＃", "﹟", "##"}).Draw(t, "hash")
		number := rapid.SampledFrom([]string{"2", "23", "２", "٢", "007"}).Draw(t, "number")
		body := some("before") + hash + some("between") + number + some("after") + rapid.SampledFrom([]string{"", "Y", "yes it is", "done", "3"}).Draw(t, "words")
		got := newDesk().Find(Incoming{Phone: dana, Body: body}, []Known{{made(1, project.Customer, Taken, dana), true}})
		if got.Verb != Unclear && (got.Verb != Answers || got.Number == 1) {
			t.Fatalf("%q: %+v", body, got)
		}
	})
}

func FuzzLeadingNumber(f *testing.F) {
	for _, s := range []string{"#2 yes", "＃2", "(#2) y", "#\u20e32", "done #2 x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) { checkLeading(t, body) })
}

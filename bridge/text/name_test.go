package text_test

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"lanekeeper/bridge/text"
)

// R9: a name is one line, never empty, without what nobody sees and without our signs.
func TestName(t *testing.T) {
	for in, want := range map[string]string{
		"Dana  Weber\n":        "Dana Weber",
		"*Dana*: (yes)":        "Dana yes",
		"\u202eDana\u200b":     "Dana",
		"(:)":                  "carl",
		"（：）＊":                 "carl",
		"":                     "carl",
		"\u3164":               "carl",
		"...":                  "carl",
		"Ｍｉａ · Acme":           "Mia Acme",
		"Mia #7":               "Mia 7",
		"🔒 Mia":                "Mia",
		"🟠 Mia":                "Mia",
		"🔵 #7 · Mia":           "7 Mia",
		"✅ Closed by Mia":      "Closed by Mia",
		"Ｍｉａ∶ I approve\u2028": "Mia I approve",
		"محمد":                 "محمد",
		"O'Neil-Ñandú":         "O'Neil-Ñandú",
		"> Mia":                "Mia",
	} {
		if got := text.Name(in, "@carl:x"); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	if got := text.Name(":", "@***:x"); got != "Somebody" {
		t.Errorf("a localpart of signs becomes %q", got)
	}
	if got := text.Name(strings.Repeat("ä", 100), "@carl:x"); len([]rune(got)) != 61 {
		t.Errorf("got %q", got)
	}
}

func TestNameOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := text.Name(rapid.String().Draw(t, "name"), "@carl:x")
		bad := strings.ContainsAny(got, "*:()·#\n\r") || strings.ContainsFunc(got, func(r rune) bool { return unicode.Is(unicode.Cf, r) && r != '\u200d' && r != '\u200c' })
		cut := strings.HasSuffix(got, "…") // folding leaves no such sign, so Name has put it there
		if strings.TrimSpace(got) == "" || bad || text.Name(got, "@carl:x") != got && !cut {
			t.Fatalf("%q", got)
		}
	})
}

// R20: names that look alike are known as such.
func TestLooks(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Mia Lang", "Miа Lаng", true}, {"Mia Lang", "mia  lang", true}, {"Mia Lang", "Mia-Lang.", true}, {"Mía", "Mia", true}, {"Ml", "MI", true},
		{"Mia Lang", "Mia Long", false}, {"Анна", "Hanna", false},
	} {
		if got := text.Looks(text.PlainName(c.a)) == text.Looks(text.PlainName(c.b)); got != c.same {
			t.Errorf("%q and %q look alike: %v", c.a, c.b, got)
		}
	}
}

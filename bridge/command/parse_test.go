package command

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
)

func words(s string) []string {
	l := line{rest: s}
	var out []string
	for {
		w, ok := l.next()
		if !ok {
			return out
		}
		out = append(out, w)
	}
}

func TestWords(t *testing.T) {
	for in, want := range map[string][]string{
		``:                                   nil,
		`  who  `:                            {"who"},
		`create acme "Acme website"`:         {"create", "acme", "Acme website"},
		`create acme “Acme website”`:         {"create", "acme", "Acme website"},
		`create acme „Acme website“`:         {"create", "acme", "Acme website"},
		`create acme «Acme website» x`:       {"create", "acme", "Acme website", "x"},
		`it's 5" wide`:                       {"it's", `5"`, "wide"},
		`an "open end`:                       {"an", `"open`, "end"},
		`a "" b`:                             {"a", "", "b"},
		"a\u202eb\u200fc 👩\u200d💻":           {"abc", "👩\u200d💻"},
		"tab\tand\nline\u00a0and\u3000space": {"tab", "and", "line", "and", "space"},
	} {
		if got := words(in); strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// Whatever somebody types is taken apart without a panic and without losing a
// visible character outside quotes.
func TestWordsOfAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "typed")
		joined := strings.Join(words(s), "")
		if len(joined) > len(s) {
			t.Fatalf("%q grew to %q", s, joined)
		}
		l := line{rest: s}
		if err := l.readFlags([]string{"for", "project"}, []string{"force"}, false); err != nil && err.Code != project.BadArgument {
			t.Fatalf("%q: %v", s, err)
		}
	})
	long := strings.Repeat("🙋 word \"", 6000) // 60 KB
	if got := words(long); len(got) == 0 {
		t.Error("a long text has no words")
	}
}

func TestFlags(t *testing.T) {
	l := line{rest: `@x:y --for 14d text —force because --project=acme of it`}
	if err := l.readFlags([]string{"for", "project"}, []string{"force"}, false); err != nil {
		t.Fatal(err)
	}
	if l.flags["for"] != "14d" || l.flags["project"] != "acme" || l.flags["force"] == "" || l.rest != "@x:y text because of it" {
		t.Errorf("flags %v, rest %q", l.flags, l.rest)
	}
	for _, bad := range []string{"--nonsense", "x --for"} {
		l := line{rest: bad}
		if err := l.readFlags([]string{"for"}, nil, false); err == nil || err.Code != project.BadArgument {
			t.Errorf("%q: %v", bad, err)
		}
	}
	l = line{rest: "a – dash —and –another"}
	if err := l.readFlags([]string{"for"}, nil, false); err != nil || l.rest != "a – dash —and –another" {
		t.Errorf("dashes are no flags: %q, %v", l.rest, err)
	}
	l = line{rest: "--private  Why does\n\n`x --for y` fail --private?"}
	if err := l.readFlags([]string{"project"}, []string{"private"}, true); err != nil || l.flags["private"] == "" || l.rest != "Why does\n\n`x --for y` fail --private?" {
		t.Errorf("a question is left as it was typed: %q, %v", l.rest, err)
	}
	l = line{rest: "--" + strings.Repeat("a", 60_000)}
	if err := l.readFlags(nil, nil, false); err == nil || len(err.Sentence) > 200 {
		t.Errorf("a flag of 60 KB is answered with %v", err)
	}
	l = line{rest: "why -- --for me"}
	if err := l.readFlags([]string{"for"}, nil, false); err != nil || l.rest != "why --for me" {
		t.Errorf("after a lone --: %q, %v", l.rest, err)
	}
}

func TestUsers(t *testing.T) {
	for in, want := range map[string]string{
		"@mia:example.org":                              "@mia:example.org",
		"@mia:example.org:8448":                         "@mia:example.org:8448",
		"https://matrix.to/#/@mia:example.org":          "@mia:example.org",
		"https://matrix.to/#/%40mia%3Aexample.org":      "@mia:example.org",
		"https://matrix.to/#/@mia:example.org?via=a.b":  "@mia:example.org",
		"matrix:u/mia:example.org":                      "@mia:example.org",
		"@mia:example.org,":                             "@mia:example.org",
		"@mia:example.org:":                             "@mia:example.org", // clients put it after a name
		"@mia:example.org.":                             "@mia:example.org",
		"@mia:[2001:db8::1]:8448":                       "@mia:[2001:db8::1]:8448",
		"matrix:u/mia:example.org?action=chat":          "@mia:example.org",
		"@mia:exa:mple":                                 "",
		"mia":                                           "",
		"@mia":                                          "",
		"@:example.org":                                 "",
		"@mia:exa mple":                                 "",
		"@" + strings.Repeat("a", 300) + ":example.org": "",
	} {
		got, ok := userOf(in)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v, want %q", in, got, ok, want)
		}
	}
}

func TestPills(t *testing.T) {
	for html, want := range map[string]string{
		`add <a href="https://matrix.to/#/@mia:example.org">Mia</a> manager`:                                            "add @mia:example.org manager",
		`<mx-reply><blockquote>old @x</blockquote></mx-reply>remove <a href="https://matrix.to/#/%40mia%3Ae.org">M</a>`: "remove @mia:e.org",
	} {
		raw, _ := json.Marshal(map[string]any{"event_id": "$e", "type": "m.room.message", "sender": "@r:e.org", "origin_server_ts": 1, "content": map[string]any{"msgtype": "m.text", "body": "add Mia manager", "formatted_body": html, "format": "org.matrix.custom.html"}})
		e, err := matrix.ParseEvent("!r", raw)
		if err != nil {
			t.Fatal(err)
		}
		if got := typed(e.Content); got != want {
			t.Errorf("%s: %q, want %q", html, got, want)
		}
	}
}

// TestPrefix: clients of people who write from right to left put marks around what is typed.
func TestPrefix(t *testing.T) {
	c := Commands{Prefix: "!lane"}
	for in, want := range map[string]string{"!lane who": "who", "\u200f!lane\u200f who": "who", " \u2067!LANE\u2069 \u200ewho ": "who", "!lane": "", "!lane\nwho": "who"} {
		if rest, ok := c.cut(in); !ok || rest != want {
			t.Errorf("%q: %q, %v", in, rest, ok)
		}
	}
	for _, in := range []string{"!lanes who", "lane who", "x !lane who", "!lanewho"} {
		if _, ok := c.cut(in); ok {
			t.Errorf("%q counts as prefixed", in)
		}
	}
}

// TestResultFits: an answer is one event, however much there is to say.
func TestResultFits(t *testing.T) {
	var list []any
	for range 5000 {
		list = append(list, map[string]any{"user": "@somebody:example.org"})
	}
	r := result("who", true, map[string]any{"people": list})
	if got := size(r); got > maxResult+100 || r["truncated"] != true || len(listIn(r["people"])) == 0 {
		t.Errorf("%d bytes, truncated: %v, %d people", got, r["truncated"], len(listIn(r["people"])))
	}
	if r := result("who", true, map[string]any{"people": list[:3]}); r["truncated"] != nil || r["command"] != "who" {
		t.Errorf("a short list: %v", r)
	}
}

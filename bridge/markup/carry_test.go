package markup

import (
	"strings"
	"testing"
)

// What one room's words hold of other rooms and people does not move along.
func TestCarried(t *testing.T) {
	reply := map[string]any{"m.in_reply_to": map[string]any{"event_id": "$x"}}
	for _, c := range []struct {
		name        string
		content     map[string]any
		plain, html string
	}{
		{"plain", map[string]any{"body": " hi <b> "}, "hi <b>", ""},
		{"html", map[string]any{"body": "hi", "format": "org.matrix.custom.html", "formatted_body": "<b>hi</b> <script>x</script><font color=red>red</font>"}, "hi", "<b>hi</b> red"},
		{"no html", map[string]any{"body": "hi", "formatted_body": "<b>hi</b>"}, "hi", ""},
		{"reply", map[string]any{"body": "> <@a:x> secret\n> more\n\nyes", "format": "org.matrix.custom.html", "formatted_body": "<mx-reply><blockquote>secret</blockquote></mx-reply>yes", "m.relates_to": reply}, "yes", "yes"},
		{"quote by hand", map[string]any{"body": "> wise words\nyes"}, "> wise words\nyes", ""},
		{"pill", map[string]any{"body": "ask https://matrix.to/#/@ann:x", "format": "org.matrix.custom.html", "formatted_body": `ask <a href="https://matrix.to/#/@ann:x">Ann</a>`}, "ask ann", "ask Ann"},
		{"link", map[string]any{"body": "see", "format": "org.matrix.custom.html", "formatted_body": `<a href="https://example.org/a?b=1&amp;c=2" onclick="x">see</a> <a href="javascript:x">y</a>`}, "see", `<a href="https://example.org/a?b=1&amp;c=2">see</a> y`},
		{"picture", map[string]any{"body": "pic", "format": "org.matrix.custom.html", "formatted_body": `a<img src="mxc://x/secret" alt="secret.png">b`}, "pic", "ab"},
		{"nothing", map[string]any{}, "", ""},
	} {
		if w := Carried(c.content); w.Plain != c.plain || w.HTML != c.html || len(w.Mentions) != 0 {
			t.Errorf("%s: %q, %q", c.name, w.Plain, w.HTML)
		}
	}
}

func TestFit(t *testing.T) {
	if w := Fit(Words{Plain: "abc", HTML: "<b>abc</b>"}, 100); w.HTML == "" {
		t.Error("HTML that fits is gone")
	}
	if w := Fit(Words{Plain: "abc", HTML: "<b>abc</b>"}, 10); w.HTML != "" || w.Plain != "abc" {
		t.Errorf("%+v", w)
	}
	for _, s := range []string{strings.Repeat("ä", 500), strings.Repeat("\"\n", 500)} {
		if w := Fit(Words{Plain: s}, 200); jsonSize(w.Plain) > 200 || !strings.HasSuffix(w.Plain, shortened) || !strings.HasPrefix(s, strings.TrimSuffix(w.Plain, shortened)) {
			t.Errorf("%d bytes: %q", jsonSize(w.Plain), w.Plain)
		}
	}
}

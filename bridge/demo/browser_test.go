package demo

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/browser"
)

var do, see, shows, some = browser.Do, browser.See, browser.Shows, browser.Some

// show runs a demo on one of the homeservers, and gives the address of its stage.
// What it leaves ends with the test.
func show(t *testing.T, server string) (address string) {
	t.Helper()
	if testing.Short() {
		t.Skip("the demo starts a homeserver")
	}
	options := servers(t)[server]
	options.Version, options.pace = "test", func(int) time.Duration { return 200 * time.Millisecond }
	options.open = 5 * time.Minute // what is told before a page is there, nobody sees
	tempDir(t)
	ctx, end := context.WithCancel(t.Context())
	said, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		options.Out = out
		done <- Run(ctx, options)
		_ = out.Close()
	}()
	t.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	found := make(chan string, 1)
	go func() {
		pattern := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)
		var all []byte
		buffer := make([]byte, 4096)
		for {
			n, err := said.Read(buffer)
			all = append(all, buffer[:n]...)
			if at := pattern.Find(all); at != nil {
				select {
				case found <- string(at):
				default:
				}
			}
			if err != nil {
				return
			}
		}
	}()
	select {
	case address = <-found:
	case err := <-done:
		done <- err
		t.Fatalf("the demo has ended: %v", err)
	case <-t.Context().Done():
		t.Fatal("the demo names no address")
	}
	return address
}

// of is a selector below somebody's column.
func of(name, selector string) string { return fmt.Sprintf("#person-%s %s", name, selector) }

// over waits for the end of the story.
func over(t *testing.T, ctx context.Context) {
	t.Helper()
	for range 4 { // it takes longer than a browser waits for anything else
		if chromedp.Run(ctx, chromedp.Poll(`["over", "failed"].includes(document.body.dataset.state)`, nil, chromedp.WithPollingTimeout(30*time.Second))) == nil {
			break
		}
	}
	var where string
	do(t, ctx, chromedp.Evaluate(`[document.body.dataset.state, ...document.querySelectorAll(".story .title, .story .lead, .story .lines")].map((e) => e.textContent ?? e).join("\n")`, &where))
	if !strings.HasPrefix(where, "over") {
		t.Fatalf("the story is not over: %s", where)
	}
}

// says lets somebody write into the room that their column shows.
func says(t *testing.T, ctx context.Context, name, words string) {
	t.Helper()
	do(t, ctx, chromedp.SendKeys(of(name, "textarea"), words), browser.Enter)
}

// opens turns a column to a room.
func opens(t *testing.T, ctx context.Context, name, kind string) {
	t.Helper()
	do(t, ctx, chromedp.Click(of(name, fmt.Sprintf(`.group:first-child .row-of[data-kind=%q], #person-%s .rooms > .row-of[data-kind=%q]`, kind, name, kind))))
	see(t, ctx, fmt.Sprintf(`document.querySelector("#person-%s .room").dataset.kind === %q`, name, kind))
}

// on is the message with those words in somebody's column, in JavaScript.
func on(name, words string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#person-%s .post")].findLast((p) => p.querySelector(":scope > article .says").textContent.includes(%s))?`, name, browser.Quote(words))
}

// presses presses a button on the message with those words.
func presses(t *testing.T, ctx context.Context, name, words, label string) {
	t.Helper()
	button := on(name, words) + fmt.Sprintf(`.querySelector(':scope > .acts [aria-label=%q]')`, label)
	see(t, ctx, "!!"+button)
	do(t, ctx, chromedp.Evaluate(button+".click()", nil))
}

// secrets are what people say in the story where Carl is not.
const secrets = `/Who knows which logo|to ask Carl about|draft on my own site|accept @xena/`

// The story plays to its end; what Carl may not see is never in his column, and
// visibly absent. Then people act for themselves: they write, answer, react, show
// pictures, and decline.
func TestStage(t *testing.T) {
	ctx := browser.Open(t, show(t, "Synapse"), 1680, 1000)
	do(t, ctx, chromedp.Evaluate(`new MutationObserver(() => {
		if (`+secrets+`.test(document.querySelector("#person-carl")?.textContent)) window.leaked = true;
	}).observe(document.body, { subtree: true, childList: true, characterData: true })`, nil))
	over(t, ctx)
	for _, kind := range []string{"internal", "notes"} {
		see(t, ctx, shows(of("carl", ".absent[data-kind="+kind+"]"), "hidden from Carl"))
	}
	see(t, ctx, `document.querySelectorAll("#person-root .absent").length === 3`)
	see(t, ctx, some(of("carl", ".thread"), "Tomorrow at noon"))
	see(t, ctx, shows(of("xena", ".posts"), "once the customer has seen it"))
	see(t, ctx, shows(of("xena", ".posts"), "Approved by @Mia")) // who is not in that chat, but known from others
	see(t, ctx, shows(of("root", ".posts"), "invoice 4711"))

	opens(t, ctx, "mia", "internal")
	says(t, ctx, "carl", "Here I am <img src=x onerror=alert(1)>")
	see(t, ctx, shows(of("carl", ".posts"), "<img src=x onerror=alert(1)>"))
	see(t, ctx, `!!document.querySelector("#person-mia .row-of[data-kind=customer] .unread")`)
	opens(t, ctx, "mia", "customer")
	see(t, ctx, shows(of("mia", ".posts"), "Here I am"))
	see(t, ctx, `!document.querySelector("#person-mia .group .row-of[data-kind=customer] .unread")`)

	presses(t, ctx, "mia", "Here I am", "React with ✅")
	for _, name := range []string{"carl", "mia"} {
		see(t, ctx, on(name, "Here I am")+`.querySelector(".reactions").textContent.includes("✅")`)
	}
	presses(t, ctx, "mia", "Here I am", "React with ✅")
	see(t, ctx, on("carl", "Here I am")+`.querySelector(".reactions").textContent === ""`)
	presses(t, ctx, "mia", "Here I am", "Reply")
	says(t, ctx, "mia", "I see you.")
	see(t, ctx, some(of("carl", ".answered:not([hidden])"), "Here I am"))

	says(t, ctx, "carl", "Is the draft late?")
	presses(t, ctx, "carl", "Is the draft late?", "React with 🙋")
	see(t, ctx, on("carl", "Is the draft late?")+`.querySelector(".thread:not([hidden]) .notice")`)
	see(t, ctx, shows(of("root", ".posts"), "Is the draft late?"))
	presses(t, ctx, "carl", "Is the draft late?", "Answer in a thread")
	says(t, ctx, "carl", "I mean the second one.")
	see(t, ctx, shows(of("root", ".posts"), "I mean the second one."))

	pictured(t, ctx)
	declines(t, ctx)
	accessible(t, ctx)

	var leaked bool
	do(t, ctx, chromedp.Evaluate(`!!window.leaked`, &leaked))
	if leaked {
		t.Error("words that are not for Carl were in his column")
	}
}

// The story can be played again, in the middle of it and after its end, each time with a project of its own.
func TestStageAgain(t *testing.T) {
	ctx := browser.Open(t, show(t, "Dendrite"), 1000, 800)
	see(t, ctx, `Number(document.body.dataset.step?.split(".")[1]) > 5`)
	do(t, ctx, chromedp.Click(".story .again"))
	see(t, ctx, `document.body.dataset.step.startsWith("2.")`)
	over(t, ctx)
	see(t, ctx, shows(of("carl", ".group:first-child summary"), projects[1].name))
	see(t, ctx, some(of("carl", ".thread"), "Tomorrow at noon"))
	do(t, ctx, chromedp.Click(".story .again"))
	see(t, ctx, shows(of("carl", ".group:first-child summary"), projects[2].name))
}

// pictured: Carl sends a picture, and Mia's browser gets it as hers.
func pictured(t *testing.T, ctx context.Context) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "logo.png")
	var data bytes.Buffer
	logo := image.NewRGBA(image.Rect(0, 0, 120, 80))
	draw.Draw(logo, logo.Bounds(), image.NewUniform(color.RGBA{R: 109, G: 79, B: 224, A: 255}), image.Point{}, draw.Src)
	if err := png.Encode(&data, logo); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.SetUploadFiles(of("carl", ".clip input"), []string{file}))
	see(t, ctx, `document.querySelector("#person-mia .says img")?.naturalWidth === 120`)
}

// declines: an invitation is shown, and can be declined.
func declines(t *testing.T, ctx context.Context) {
	t.Helper()
	opens(t, ctx, "mia", "internal")
	says(t, ctx, "mia", "!lane why "+id("xena")+" customer")
	see(t, ctx, shows(of("mia", ".invitation"), "Lanekeeper invites Mia to a direct chat"))
	says(t, ctx, "mia", "!lane accept "+id("root"))
	see(t, ctx, shows(of("root", ".invitation"), "Internal"))
	do(t, ctx, chromedp.Click(of("root", `.invitation [aria-label^="Decline"]`)))
	see(t, ctx, `!document.querySelector("#person-root .invitation")`)
	see(t, ctx, `document.querySelectorAll("#person-root .absent").length === 3`)
}

// On a narrow screen there is one person at a time, the one who acts; whoever watches can hold the story and go on step by step.
func TestStageNarrow(t *testing.T) {
	address := show(t, "Dendrite")
	ctx := browser.Open(t, address, 1000, 950)
	do(t, ctx, chromedp.EmulateViewport(390, 800, chromedp.EmulateMobile, chromedp.EmulateTouch), chromedp.Reload())
	see(t, ctx, `["playing", "over"].includes(document.body.dataset.state)`)
	see(t, ctx, `[...document.querySelectorAll(".person, .dock")].filter((p) => p.checkVisibility()).length === 1`)
	see(t, ctx, `document.querySelectorAll(".faces button").length === 6`)
	over(t, ctx)
	see(t, ctx, `document.documentElement.scrollWidth <= innerWidth`)
	for i, name := range []string{"carl", "mia", "xena", "root"} {
		do(t, ctx, chromedp.Click(fmt.Sprintf(".faces button:nth-child(%d)", i+1)))
		see(t, ctx, fmt.Sprintf(`document.querySelector("#person-%s").checkVisibility() && document.documentElement.scrollWidth <= innerWidth`, name))
	}
	do(t, ctx, chromedp.Click(`.faces button[data-name="dana"]`))
	see(t, ctx, `document.querySelector(".dock").checkVisibility() && !document.querySelector("#person-root").checkVisibility()`)
	do(t, ctx, chromedp.Click(`.faces button[data-name="carl"]`))
	says(t, ctx, "carl", "From my phone.")
	see(t, ctx, shows(of("carl", ".posts"), "From my phone."))
	see(t, ctx, `!!document.querySelector('.faces button[data-name="mia"] .unread:not([hidden])')`)
}

// Everything that can be operated has a name for those who do not see it, and can be reached by the keyboard.
func accessible(t *testing.T, ctx context.Context) {
	t.Helper()
	var nameless []string
	do(t, ctx, chromedp.Evaluate(`[...document.querySelectorAll("button, textarea, input, [role]")].filter((e) => e.checkVisibility()
		&& !(e.ariaLabel || e.textContent.trim() || e.title)).map((e) => e.outerHTML.slice(0, 80))`, &nameless))
	if len(nameless) > 0 {
		t.Errorf("without a name: %s", strings.Join(nameless, "\n"))
	}
	do(t, ctx, chromedp.Focus(of("mia", `.post[tabindex="0"]`)), chromedp.KeyEvent(kb.ArrowUp), chromedp.KeyEvent(kb.Tab))
	see(t, ctx, `document.activeElement.matches("#person-mia .post button") && getComputedStyle(document.activeElement.closest(".post").querySelector(":scope > .acts")).visibility === "visible"`)
	do(t, ctx, chromedp.Click(".keys"))
	see(t, ctx, shows("dialog[open]", "carl-demo"))
	do(t, ctx, chromedp.KeyEvent(kb.Escape))
	see(t, ctx, `!document.querySelector("dialog[open]")`)
}

// empty is a stage without anybody, whose homeserver does not answer.
func empty(t *testing.T) (address string) {
	t.Helper()
	return directed(t, newDirector(chapters))
}

// directed is a stage on which a director plays, whose homeserver does not answer.
func directed(t *testing.T, director *director) (address string) {
	t.Helper()
	w := &world{director: director, homeserver: &lab.Homeserver{URL: "http://127.0.0.1:1"}}
	w.phones = emulator.New(t.Context(), emulator.Config{})
	t.Cleanup(w.phones.Close)
	server := httptest.NewServer(w.handler())
	t.Cleanup(server.Close)
	return server.URL
}

// The story turns somebody to a room before their own connection knows it, and all their rooms come at once then.
func TestFollow(t *testing.T) {
	ctx := browser.Open(t, empty(t), 800, 600, "net::ERR")
	var shown string
	do(t, ctx, chromedp.Evaluate(`import("/stage/person.js").then(({ Person }) => {
		const xena = new Person({ name: "xena", title: "Xena", what: "", id: "@xena:x", token: "t" },
			{ bot: "@bot:x", homeserver: "http://127.0.0.1:1" }, { changed() {}, tone: () => "bot", projects: () => [] });
		xena.follow({ room: "!direct:x" });
		const rooms = ["!internal:x", "!customer:x", "!direct:x"].map((id) => [id, { timeline: { events: [] } }]);
		xena.take({ rooms: { join: Object.fromEntries(rooms.slice(0, 2)) } });
		xena.take({ rooms: { join: Object.fromEntries(rooms.slice(2)) } });
		return xena.view.room.id;
	})`, &shown, chromedp.EvalAsValue, browser.Promise))
	if shown != "!direct:x" {
		t.Errorf("Xena looks at %s", shown)
	}
}

// On a narrow screen the story turns to who reads what was said a moment after it was, but not from somebody whom the viewer has chosen since.
func TestPicked(t *testing.T) {
	d := newDirector(chapters)
	d.change(func() {
		d.scene.World = &stageWorld{Bot: "@bot:x", Homeserver: "http://127.0.0.1:1"}
		for _, name := range []string{"carl", "mia", "root"} {
			d.scene.World.People = append(d.scene.World.People, person{Name: name, Title: name, ID: id(name), Token: name})
		}
	})
	ctx := browser.Open(t, directed(t, d), 390, 800, "net::ERR")
	see(t, ctx, `document.querySelectorAll(".faces button").length === 3`)
	do(t, ctx, chromedp.Evaluate(`{
		const later = new Map(), set = setTimeout, clear = clearTimeout;
		window.setTimeout = (f, ms) => ms === 1200 ? (later.set(-later.size - 1, f), -later.size) : set(f, ms); // the turn's own
		window.clearTimeout = (id) => later.delete(id) || clear(id);
		window.wait = () => later.forEach((f) => f());
	}`, nil))
	shows := func(name string) string {
		return fmt.Sprintf(`document.querySelector("#person-%s").checkVisibility()`, name)
	}
	d.look("mia", place{Room: "!r:x"})
	see(t, ctx, shows("mia"))
	d.look("root", place{Room: "!r:x"})
	d.tell(line{Who: "mia", Words: "said"})
	see(t, ctx, some(".story .lines", "said"))
	do(t, ctx, chromedp.Evaluate(`wait()`, nil))
	see(t, ctx, shows("root"))

	d.look("mia", place{Room: "!s:x"})
	d.tell(line{Who: "root", Words: "answered"})
	see(t, ctx, some(".story .lines", "answered"))
	do(t, ctx, chromedp.Click(`.faces button[data-name="carl"]`), chromedp.Evaluate(`wait()`, nil))
	see(t, ctx, shows("carl"))
}

// What was deleted says who else took it away, and why, as clients do.
func TestDeleted(t *testing.T) {
	ctx := browser.Open(t, empty(t), 800, 600, "net::ERR")
	var shown []string
	do(t, ctx, chromedp.Evaluate(`import("/stage/room.js").then(({ Room }) => {
		const room = new Room("!r:x", "@carl:x");
		const says = (id) => ({ event_id: id, type: "m.room.message", sender: "@mia:x", origin_server_ts: 1, content: { msgtype: "m.text", body: "!lane why" } });
		const by = (id, sender, reason) => ({ event_id: id + "-", type: "m.room.redaction", sender, redacts: id, content: { reason } });
		const bot = by("$old", "@bot:x");
		const old = { ...says("$old"), content: {}, unsigned: { redacted_because: bot } };
		const events = [old, says("$taken"), says("$own"), by("$taken", "@bot:x", "commands work elsewhere"), by("$own", "@mia:x", "oops")];
		room.take("join", { timeline: { events } });
		return ["$old", "$taken", "$own"].map((id) => room.gone(room.byID.get(id).event));
	})`, &shown, chromedp.EvalAsValue, browser.Promise))
	if want := []string{"Removed by bot", "Removed by bot: commands work elsewhere", "Deleted"}; !slices.Equal(shown, want) {
		t.Errorf("shown as %q, not %q", shown, want)
	}
}

// What people format is made anew from few elements, and nothing of it is ever run.
func TestFormatted(t *testing.T) {
	ctx := browser.Open(t, empty(t), 800, 600, "Content Security Policy") // it says what it blocks
	for _, tc := range []struct{ html, want string }{
		{`<b>a</b> <em>b</em><br>c`, `<b>a</b> <em>b</em><br>c`},
		{`<h1 onclick="x()">a</h1>`, `<strong>a</strong>`},
		{`<ol start="3"><li>c</li></ol>`, `<ol start="3"><li>c</li></ol>`},
		{`<mx-reply>quoted</mx-reply>words`, `words`},
		{`<script>alert(1)</script><style>*{display:none}</style>x`, `x`},
		{`<img src=x onerror=alert(1)>x<svg onload=alert(1)>y</svg>`, `x`},
		{`<table><tr><td>a</td></tr></table>`, `a`},
		{`<a href="javascript:alert(1)">a</a>`, `a`},
		{`<a href="https://example.com/?x=1&amp;y">a</a>`, `<a href="https://example.com/?x=1&amp;y" target="_blank" rel="noopener noreferrer">a</a>`},
		{`<a href="https://matrix.to/#/@mia:x">spoof</a>`, `<span class="pill">@Name</span>`},
		{`<a href="https://matrix.to/#/!r:x?via=x">Customer</a>`, `<button class="pill" type="button">Customer</button>`},
		{`<p class="wide" id="people">a</p>`, `<p>a</p>`},
		{strings.Repeat("<div>", 200) + "deep", strings.Repeat("<div>", 25) + "deep" + strings.Repeat("</div>", 25)},
	} {
		var got string
		script := fmt.Sprintf(`import("/stage/html.js").then(({ words, element }) => {
			const to = { name: () => "Name", room: () => "Room", open() {} };
			return element("div", "", ...words({ format: "org.matrix.custom.html", formatted_body: %s }, to)).innerHTML;
		})`, browser.Quote(tc.html))
		do(t, ctx, chromedp.Evaluate(script, &got, chromedp.EvalAsValue, browser.Promise))
		if got != tc.want {
			t.Errorf("%q is shown as\n  %q, not\n  %q", tc.html, got, tc.want)
		}
	}
}

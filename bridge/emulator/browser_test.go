package emulator_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"lanekeeper/bridge/lab/browser"
)

// browser opens the page of an account.
func (a *account) browser() context.Context {
	a.t.Helper()
	ctx := browser.Open(a.t, a.URL, 1000, 950)
	do(a.t, ctx, chromedp.WaitVisible(on("Eli", ".row")))
	return ctx
}

var do, see, shows, enter = browser.Do, browser.See, browser.Shows, browser.Enter

// on is a selector below somebody's phone.
func on(name, selector string) string {
	return fmt.Sprintf(`section[aria-label="%s's phone"] %s`, name, selector)
}

// HAND-11, HAND-12: a phone is used as people use theirs: read, quote, type, tap.
func TestPhone(t *testing.T) {
	a := newAccount(t, nil)
	c := a.client()
	ctx := a.browser()
	first := send(t, c, dana, "*#12* Carl: When is it paid?")
	second := send(t, c, dana, "*#12* Carl: Hello?")
	a.toldStatuses(second, 4)
	see(t, ctx, shows(on("Dana", ".row .unread"), "2"))
	see(t, ctx, shows(on("Dana", ".preview"), "#12 Carl: Hello?"))
	see(t, ctx, `document.title === "(2) Phones"`)
	if got := a.Reported(first); len(got) != 2 {
		t.Errorf("read before anybody looked: %v", got)
	}

	do(t, ctx, chromedp.Click(on("Dana", ".row")))
	a.wait(first, "read")
	a.wait(second, "read")
	see(t, ctx, `document.title === "Phones"`)
	see(t, ctx, `[...document.querySelectorAll(".theirs .ticks")].every((e) => e.hidden)`)

	do(t, ctx, chromedp.Click(on("Dana", ".theirs .bubble")), chromedp.SendKeys(on("Dana", "textarea"), "Tomorrow at _noon_."), enter)
	a.until("the answer", func() bool { return len(a.inbound) == 1 })
	if in := a.inbound[0]; in.Body != "Tomorrow at _noon_." || in.Quoted != first {
		t.Errorf("the answer came as %+v", in)
	}
	see(t, ctx, shows(on("Dana", ".own .quote"), "When is it paid?"))
	see(t, ctx, shows(on("Dana", ".own em"), "noon"))
	see(t, ctx, `!!document.querySelector(".own .ticks.delivered")`)
	see(t, ctx, `document.querySelector(".quoting").hidden && document.querySelector("textarea").value === ""`)

	do(t, ctx, chromedp.Click(on("Dana", ".expire")))
	see(t, ctx, shows(on("Dana", ".left"), "closed"))
	a.wait(send(t, c, dana, "too late"), "failed")
	see(t, ctx, shows(on("Dana", ".failed .reason"), "63016"))
	woken, _, err := c.Wake(t.Context(), dana, "13", "")
	if err != nil {
		t.Fatal(err)
	}
	a.wait(woken, "read") // the chat is open
	do(t, ctx, chromedp.Click(on("Dana", `.tap[data-payload="show:13"]`)))
	a.until("the tap", func() bool { return len(a.inbound) == 2 })
	if in := a.inbound[1]; in.ButtonPayload != "show:13" || in.Quoted != woken {
		t.Errorf("the tap came as %+v", in)
	}
	see(t, ctx, shows(on("Dana", ".left"), "24:00"))

	do(t, ctx, chromedp.Click(on("Dana", ".back")))
	see(t, ctx, fmt.Sprintf("document.activeElement === document.querySelector(%q)", on("Dana", ".row")))
	unseen := send(t, c, dana, "unseen")
	see(t, ctx, shows(on("Dana", ".row .unread"), "1"))
	if got := a.Reported(unseen); got[len(got)-1] == "read" {
		t.Error("read though the chat is not open")
	}
}

// What the product did not take says so, and order is kept.
func TestPhoneWithoutProduct(t *testing.T) {
	a := newAccount(t, nil)
	ctx := a.browser()
	a.mu.Lock()
	a.down = true
	a.mu.Unlock()
	do(t, ctx, chromedp.Click(on("Eli", ".row")))
	for i := range 5 {
		do(t, ctx, chromedp.SendKeys(on("Eli", "textarea"), fmt.Sprintf("line %d", i)), enter)
	}
	see(t, ctx, `document.querySelectorAll(".own .reason:not([hidden])").length === 5`)
	see(t, ctx, shows(on("Eli", ".own .reason"), "503"))
	for i, m := range a.Messages(eli) {
		if m.Body != fmt.Sprintf("line %d", i) {
			t.Errorf("message %d is %q", i, m.Body)
		}
	}
}

// On a narrow screen there is one phone at a time, and only that one is read.
func TestNarrow(t *testing.T) {
	a := newAccount(t, nil)
	ctx := a.browser()
	do(t, ctx, chromedp.Click(on("Dana", ".row")), chromedp.Click(on("Eli", ".row")))
	read := func(is string) string {
		return fmt.Sprintf(`document.querySelector(%q).dataset.read === %q`, on("Eli", ""), is)
	}
	see(t, ctx, read("true"))
	do(t, ctx, chromedp.EmulateViewport(390, 800))
	see(t, ctx, read("false"))
	see(t, ctx, `[...document.querySelectorAll(".phone")].filter((p) => p.checkVisibility()).length === 1`)
	hidden := send(t, a.client(), eli, "x")
	see(t, ctx, shows(`.tabs [role="tab"]:nth-child(2) .unread`, "1"))
	do(t, ctx, chromedp.Click(`.tabs [role="tab"]:nth-child(2)`))
	a.wait(hidden, "read")
	see(t, ctx, `document.documentElement.scrollWidth <= innerWidth`)
}

// A swipe to the right quotes, as on a real phone.
func TestSwipe(t *testing.T) {
	a := newAccount(t, nil)
	ctx := a.browser()
	asked := send(t, a.client(), dana, "*#12* Carl: When is it paid?")
	var at []float64
	do(t, ctx, chromedp.EmulateViewport(390, 800, chromedp.EmulateMobile, chromedp.EmulateTouch),
		chromedp.Click(on("Dana", ".row")), chromedp.WaitVisible(on("Dana", ".bubble")),
		chromedp.Evaluate(`(({ x, y }) => [x + 40, y + 15])(document.querySelector(".bubble").getBoundingClientRect())`, &at))
	do(t, ctx, input.DispatchTouchEvent(input.TouchStart, []*input.TouchPoint{{X: at[0], Y: at[1]}}))
	for _, right := range []float64{20, 50, 80} {
		do(t, ctx, input.DispatchTouchEvent(input.TouchMove, []*input.TouchPoint{{X: at[0] + right, Y: at[1]}}))
	}
	do(t, ctx, input.DispatchTouchEvent(input.TouchEnd, []*input.TouchPoint{}))
	see(t, ctx, shows(on("Dana", ".quoting:not([hidden])"), "When is it paid?"))
	do(t, ctx, chromedp.SendKeys(on("Dana", "textarea"), "Soon."), chromedp.Click(on("Dana", ".send")))
	a.until("the answer", func() bool { return len(a.inbound) == 1 && a.inbound[0].Quoted == asked })
}

// WhatsApp's markup, and that nothing else ever becomes more than text.
func TestMarkup(t *testing.T) {
	a := newAccount(t, nil)
	ctx := a.browser()
	for _, tc := range []struct{ text, want string }{
		{"plain", "plain"},
		{"two\nlines", "two\nlines"},
		{"*bold* _em_ ~gone~ `code`", "<strong>bold</strong> <em>em</em> <s>gone</s> <code>code</code>"},
		{"*bold _and em_*", "<strong>bold <em>and em</em></strong>"},
		{"*#12* (1/2) *a*", "<strong>#12</strong> (1/2) <strong>a</strong>"},
		{"2*3*4 snake_case_name a ~ b ~ c * d *", "2*3*4 snake_case_name a ~ b ~ c * d *"},
		{"*not\nbold*", "*not\nbold*"},
		{"\u2060*kept\u2060*", "\u2060*kept\u2060*"},
		{"`*raw*`", "<code>*raw*</code>"},
		{"a\n```\nx *y*\n z\n```\nb", "a<pre>x *y*\n z</pre>b"},
		{"```one```", "<pre>one</pre>"},
		{"> quoted *b*\n> more\nafter", "<blockquote><div>quoted <strong>b</strong></div><div>more</div></blockquote>after"},
		{"to do:\n- a\n- b", "to do:<ul><li>a</li><li>b</li></ul>"},
		{"3. c\n4. d", `<ol start="3"><li>c</li><li>d</li></ol>`},
		{"see https://example.com/a_b_c?x=1&y=2.", `see <a href="https://example.com/a_b_c?x=1&amp;y=2" target="_blank" rel="noopener noreferrer">https://example.com/a_b_c?x=1&amp;y=2</a>.`},
		{"www.example.com", `<a href="https://www.example.com" target="_blank" rel="noopener noreferrer">www.example.com</a>`},
		{"<img src=x onerror=alert(1)> *<b>x</b>*", "&lt;img src=x onerror=alert(1)&gt; <strong>&lt;b&gt;x&lt;/b&gt;</strong>"},
		{"javascript:alert(1) `</code><script>`", "javascript:alert(1) <code>&lt;/code&gt;&lt;script&gt;</code>"},
		{"", ""},
	} {
		var got string
		script := fmt.Sprintf(`window.box = document.createElement("div"); import("/static/markup.js").then((m) => { m.render(box, %s); return box.innerHTML; })`, browser.Quote(tc.text))
		do(t, ctx, chromedp.Evaluate(script, &got, chromedp.EvalAsValue, browser.Promise))
		if got != tc.want {
			t.Errorf("%q is shown as\n  %q, not\n  %q", tc.text, got, tc.want)
		}
	}
	// Thousands of marks must not stop the page.
	var took float64
	script := `import("/static/markup.js").then((m) => { const t = performance.now(); m.render(document.createElement("div"), "*_~".repeat(500) + " *a".repeat(500)); return performance.now() - t; })`
	do(t, ctx, chromedp.Evaluate(script, &took, chromedp.EvalAsValue, browser.Promise))
	if took > 1000 {
		t.Errorf("a strange message took %.0f ms", took)
	}
}

// Everything that can be operated has a name for those who do not see it.
func TestAccessible(t *testing.T) {
	a := newAccount(t, nil)
	send(t, a.client(), dana, "x")
	ctx := a.browser()
	do(t, ctx, chromedp.Click(on("Dana", ".row")))
	var nameless []string
	do(t, ctx, chromedp.Evaluate(`[...document.querySelectorAll("button, textarea, [role]")].filter((e) => e.checkVisibility()
		&& !(e.ariaLabel || e.textContent.trim() || e.title)).map((e) => e.outerHTML.slice(0, 80))`, &nameless))
	if len(nameless) > 0 {
		t.Errorf("without a name: %s", strings.Join(nameless, "\n"))
	}
}

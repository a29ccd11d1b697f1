package demo

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// transcript writes the story for a terminal: who says what, where.
type transcript struct {
	out      io.Writer
	terminal bool // somebody watches
	coloured bool
	last     string // who and where of the last line
}

const width = 92

func newTranscript(out io.Writer) *transcript {
	file, ok := out.(*os.File)
	if ok {
		info, err := file.Stat()
		ok = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	ok = ok && os.Getenv("TERM") != "dumb"
	return &transcript{out: out, terminal: ok, coloured: ok && os.Getenv("NO_COLOR") == ""}
}

// Colours by the SGR codes of ECMA-48.
const (
	bold   = "1"
	dim    = "2"
	italic = "3"
)

var colours = map[string]string{
	"Carl": "1;36", "Mia": "1;33", "Xena": "1;35", "Root": "1;31", "Lanekeeper": "1;34", "Dana": "1;32", "Eli": "1;32",
}

func (t *transcript) paint(code, s string) string {
	if !t.coloured || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *transcript) plain(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

func (t *transcript) title(s string) {
	fmt.Fprintf(t.out, "%s · the whole system, on this computer\n", t.paint(bold, s))
}

// chapter begins a part of the story; the lead says what to watch.
func (t *transcript) chapter(n int, title, lead string) {
	t.heading(fmt.Sprintf("%d · %s", n, title))
	t.note(lead)
}

func (t *transcript) heading(title string) {
	t.last = ""
	rule := strings.Repeat("─", max(0, width-utf8.RuneCountInString(title)-4))
	fmt.Fprintf(t.out, "\n%s\n", t.paint(bold, "── "+title+" "+rule))
}

// says shows what somebody says somewhere, as it was said.
func (t *transcript) says(who, where, words string) { t.line(who, where, words, "") }

// does shows what somebody does.
func (t *transcript) does(who, where, what string) { t.line(who, where, what, italic) }

func (t *transcript) line(who, where, words, look string) {
	if head := who + where; t.last != head {
		t.last = head
		fmt.Fprintf(t.out, "\n  %s  %s\n", t.paint(colours[who], who), t.paint(dim, where))
	}
	for _, line := range wrap(words, width-6) {
		fmt.Fprintf(t.out, "    %s\n", t.paint(look, t.unmark(line)))
	}
}

// marks are those of Markdown and of WhatsApp, for bold words and for code.
var marks = regexp.MustCompile("\\*\\*(\\S[^*]*?)\\*\\*|\\*(\\S[^*]*?)\\*|`([^`]+)`")

// unmark shows words as they look where people read them.
func (t *transcript) unmark(words string) string {
	return marks.ReplaceAllStringFunc(words, func(marked string) string { return t.paint(bold, strings.Trim(marked, "*`")) })
}

// note is what whoever watches should know.
func (t *transcript) note(words string) {
	t.last = ""
	fmt.Fprintln(t.out)
	for _, line := range wrap(words, width-2) {
		fmt.Fprintf(t.out, "  %s\n", t.paint(dim, line))
	}
}

// waits says what is going on and for how long, until the function that it gives is
// called: on a terminal in one line that is gone then, elsewhere in a line now and then.
func (t *transcript) waits(what string) (over func()) {
	every, form := 10*time.Second, "  %s, %d s …\n"
	if t.terminal {
		every, form = time.Second, "\r\x1b[K  %s, %d s …"
	}
	began, tick, done := time.Now(), time.NewTicker(every), make(chan struct{})
	var ended sync.WaitGroup
	fmt.Fprintf(t.out, strings.Replace(form, ", %d s", "", 1), what)
	ended.Go(func() {
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprintf(t.out, form, what, int(time.Since(began).Seconds()))
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		ended.Wait()
		if t.terminal {
			fmt.Fprint(t.out, "\r\x1b[K")
		}
	}
}

// wrap breaks lines at blanks.
func wrap(s string, width int) (out []string) {
	for _, line := range strings.Split(strings.TrimSpace(s), "\n") {
		length := 0
		out = append(out, "")
		for _, word := range strings.Fields(line) {
			n := utf8.RuneCountInString(word)
			if length > 0 && length+1+n > width {
				out, length = append(out, ""), 0
			}
			if length > 0 {
				out[len(out)-1] += " "
				length++
			}
			out[len(out)-1] += word
			length += n
		}
	}
	return out
}

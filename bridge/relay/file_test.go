package relay_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// file is a file in a thread.
func file(root, kind, name, caption string) map[string]any {
	content := in(root, caption)
	content["msgtype"], content["url"], content["filename"] = kind, "mxc://x/"+strings.ReplaceAll(name, ".", "_"), name
	if caption == "" {
		content["body"] = name
	}
	content["info"] = map[string]any{"mimetype": "image/jpeg", "size": 10} // which nobody believes
	return content
}

// sent are the messages to a phone with their files.
func (w *world) sent(phone string) (all []string) {
	for _, o := range w.outs {
		if o.phone == phone {
			all = append(all, strings.TrimSpace(o.body+" "+o.media))
		}
	}
	return all
}

func (w *world) sentIs(phone string, want ...string) {
	w.t.Helper()
	if got := w.sent(phone); !slices.Equal(got, want) {
		w.t.Errorf("on the phone:\n%s\ninstead of\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	w.outs = nil
}

// MSG-09 to MSG-14: a file goes as WhatsApp takes it, by what it is and not by what is said of it: a picture with its words,
// anything else behind them, what is too large or of another kind as a link. Staff get it in the card's thread.
func TestFilesGo(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, cmd := w.asks(carl, "customer", "alpha")
		w.outs = nil
		for _, c := range []struct {
			typ           string
			size          int64
			kind, caption string
			want          []string
		}{
			{"image/jpeg", 5 << 20, "m.image", "the red one", []string{"*#1* Carl: the red one LINK"}},
			{"image/png", 100, "m.file", "", []string{"*#1* Carl: 📎 a.bin LINK"}},
			{"image/jpeg", 5<<20 + 1, "m.image", "the red one", []string{"*#1* Carl: the red one\n📷 a.bin (5.0 MB): LINK"}},
			{"image/jpeg", 100, "m.image", strings.Repeat("x", 1100), []string{"*#1* Carl: " + strings.Repeat("x", 1100), "*#1* 📷 a.bin LINK"}},
			{"application/pdf", 16 << 20, "m.image", "see page 3", []string{"*#1* Carl: see page 3\n📷 a.bin", "*#1* 📷 a.bin LINK"}},
			{"application/pdf", 16<<20 + 1, "m.file", "see page 3", []string{"*#1* Carl: see page 3\n📎 a.bin (16.0 MB): LINK"}},
			{"audio/ogg", 100, "m.audio", "", []string{"*#1* Carl: 🎵 a.bin", "*#1* 🎵 a.bin LINK"}},
			{"video/mp4", 100, "m.video", "", []string{"*#1* Carl: 🎬 a.bin", "*#1* 🎬 a.bin LINK"}},
			{"image/gif", 100, "m.image", "", []string{"*#1* Carl: 📷 a.bin (1 KB): LINK"}},
			{"text/html", 100, "m.image", "", []string{"*#1* Carl: 📷 a.bin (1 KB): LINK"}},
			{"application/octet-stream", -1, "m.file", "", []string{"*#1* Carl: 📎 a.bin: LINK"}},
			{"image/jpeg", 0, "m.image", "", []string{"*#1* Carl: 📷 a.bin: LINK"}},
		} {
			w.look = func(string) (string, int64, error) { return c.typ, c.size, nil }
			posts := len(w.posts)
			q := w.says(carl, "customer", file(cmd, c.kind, "a.bin", c.caption))
			for i := range c.want {
				c.want[i] = strings.ReplaceAll(c.want[i], "LINK", "https://lanes.test/"+q)
			}
			w.sentIs(dana, c.want...)
			if !slices.ContainsFunc(w.posts[posts:], func(p post) bool {
				return p.room == "super_admin" && p.msgtype == c.kind && p.content["url"] == "mxc://x/a_bin"
			}) {
				t.Errorf("%s: staff got no file", c.typ)
			}
		}
		if p := w.find("customer", "can't"); p != nil {
			t.Errorf("the asker reads %q", p.body)
		}
	})
}

// A question can be a file. To agents who come later it is named, like all that was said before.
func TestFileAsQuestion(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		before := w.wrote(carl, "customer", map[string]any{"msgtype": "m.file", "body": "plan.pdf", "url": "mxc://x/plan"}).ID
		picture := w.wrote(carl, "customer", map[string]any{"msgtype": "m.image", "body": "why is it red?", "filename": "logo.png", "url": "mxc://x/logo"}).ID
		w.hands(carl, "customer", picture, "")
		w.sentIs(dana, "*#1* Carl · Acme, customer lane\nCarl: why is it red?\n\nBefore that:\nCarl: 📎 plan.pdf https://lanes.test/"+picture)
		if slices.Contains(w.looked, "mxc://x/plan") || before == "" {
			t.Error("a file of the context was looked at")
		}
	})
}

// What its author took back before WhatsApp had fetched the file does not go out as a link, nor do its words.
func TestFileTakenBack(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		picture := w.wrote(carl, "customer", map[string]any{"msgtype": "m.image", "body": "why is it red?", "filename": "logo.png", "url": "mxc://x/logo"}).ID
		w.hands(carl, "customer", picture, "")
		o := w.last(dana)
		w.redacts(carl, "customer", picture)
		w.outs = nil
		w.status(o, "failed", 63019)
		for _, got := range w.sent(dana) {
			if strings.Contains(got, "red?") || strings.Contains(got, "lanes.test") {
				t.Errorf("the phone gets %s", got)
			}
		}
		w.none("super_admin", "a link to it")
	})
}

// What may not leave does not leave as a file either, nor is it looked at; what is encrypted is said to stay.
func TestFilesStay(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, cmd := w.asks(xena, "internal", "beta")
		w.outs = nil
		w.says(xena, "internal", file(cmd, "m.image", "CANARY.png", ""))
		w.sentIs(dana)
		_, cmd = w.asks(carl, "customer", "alpha")
		w.outs = nil
		secret := file(cmd, "m.image", "CANARY.png", "")
		secret["file"] = map[string]any{"url": "mxc://x/CANARY", "key": map[string]any{}}
		w.says(carl, "customer", secret)
		w.sentIs(dana, "*#2* Carl: (a photo, not passed on)")
		w.must("customer", "can't open encrypted files")
		w.says(mia, "customer", file(cmd, "m.image", "CANARY.png", "")) // who only wrote beside it
		w.sentIs(dana, "*#2* Mia wrote in the lane.")
		if len(w.looked) > 0 {
			t.Errorf("looked at %v", w.looked)
		}
	})
}

// A file that cannot be fetched holds nothing up for long: it goes as a link in the end.
func TestFileThatHangs(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, cmd := w.asks(carl, "customer", "alpha")
		w.outs = nil
		good, looked := w.look, 0
		w.look = func(string) (string, int64, error) { looked++; return "", 0, context.DeadlineExceeded }
		q := w.says(carl, "customer", file(cmd, "m.image", "a.png", "look"))
		w.sentIs(dana, "*#1* Carl: look\n📷 a.png: https://lanes.test/"+q)
		q = w.says(carl, "customer", file(cmd, "m.image", "again.png", "and"))
		w.sentIs(dana, "*#1* Carl: and\n📷 again.png: https://lanes.test/"+q)
		if looked != 1 { // by whichever phone was first; everybody else waited for nothing
			t.Errorf("looked at %d times", looked)
		}
		w.now, w.look = w.now.Add(2*time.Minute), good
		q = w.says(carl, "customer", file(cmd, "m.image", "c.png", "now"))
		w.sentIs(dana, "*#1* Carl: now https://lanes.test/"+q)
		w.look = func(string) (string, int64, error) { return "", 0, errors.New("not found") }
		q = w.says(carl, "customer", file(cmd, "m.image", "b.png", ""))
		w.sentIs(dana, "*#1* Carl: 📷 b.png: https://lanes.test/"+q)
	})
}

// Where WhatsApp does not take the file the words are not lost: a link goes in its place, once, and that is said.
func TestFileRefused(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, cmd := w.asks(carl, "customer", "alpha")
		w.outs = nil
		w.refuse = func(p *store.Part) *whatsapp.Error {
			if p.File != "" {
				return whatsapp.Classify(12300, 400, "")
			}
			return nil
		}
		q := w.says(carl, "customer", file(cmd, "m.image", "a.png", "look"))
		w.sentIs(dana, "*#1* Carl: look\n📷 a.png (1 KB): https://lanes.test/"+q)
		w.must("super_admin", "a link to it")
		w.refuse, w.posts = nil, nil
		q = w.says(carl, "customer", file(cmd, "m.image", "b.png", "and this"))
		o := w.last(dana)
		for range 2 { // callbacks can come twice
			w.status(o, "failed", 63019)
		}
		w.sentIs(dana, "*#1* Carl: and this https://lanes.test/"+q, "*#1* Carl: and this\nhttps://lanes.test/"+q)
		w.must("super_admin", "I sent Dana a link to it")
	})
}

// Edits and deletions of files.
func TestFileChanges(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, cmd := w.asks(carl, "customer", "alpha")
		w.outs = nil
		q := w.says(carl, "customer", file(cmd, "m.image", "a.png", "look"))
		w.outs = nil
		next := file(cmd, "m.image", "b.png", "look here")
		delete(next, "m.relates_to")
		w.editsTo(carl, "customer", q, next)
		w.sentIs(dana, "*#1* Carl (correction): look here\n📷 b.png: https://lanes.test/"+q)
		w.redacts(carl, "customer", q)
		w.sentIs(dana, "*#1* Carl deleted a message you received (withdrawn). Please delete it here, too.")

		// Words in the place of a file take it from staff, too; a file in the place of words comes to them.
		q = w.says(carl, "customer", file(cmd, "m.image", "secret.png", "oops"))
		w.edits(carl, "customer", q, "only words")
		if !slices.ContainsFunc(w.posts, func(p post) bool { return p.redacts == w.ref(effect.To("file:1:"+q)) }) {
			t.Error("staff still see the file")
		}
		q = w.says(carl, "customer", in(cmd, "only words"))
		next = file(cmd, "m.image", "late.png", "here it is")
		delete(next, "m.relates_to")
		w.editsTo(carl, "customer", q, next)
		w.must("super_admin", "late.png")
	})
}

// What was sent with a file and not answered is found again: it comes once, and what follows comes behind it.
func TestFileUnknown(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, cmd := w.asks(carl, "customer", "alpha")
		w.outs = nil
		w.look = func(string) (string, int64, error) { return "application/pdf", 100, nil }
		cut := 0
		w.refuse = func(p *store.Part) *whatsapp.Error {
			if p.File == "" || p.Phone != dana || p.Attempts > 1 {
				return nil
			}
			if cut++; cut == 1 { // Twilio took it, as its list shows
				w.outs = append(w.outs, out{sid: w.id("SM"), phone: p.Phone, body: p.Body, part: p.ID, media: w.q.Link(p.File)})
			}
			return &whatsapp.Error{Op: "send message", Class: whatsapp.Unknown, Message: "no answer"}
		}
		q := w.says(carl, "customer", file(cmd, "m.file", "a.pdf", "look"))
		w.says(carl, "customer", in(cmd, "and then this"))
		for range 3 {
			w.now = w.now.Add(time.Minute)
			w.settle()
		}
		w.sentIs(dana, "*#1* Carl: look\n📎 a.pdf", "*#1* 📎 a.pdf https://lanes.test/"+q, "*#1* Carl: and then this")
	})
}

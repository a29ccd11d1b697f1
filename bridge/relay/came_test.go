package relay_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/relay"
	"lanekeeper/bridge/whatsapp"
)

func withFile(typ string) func(*whatsapp.Inbound) {
	return func(m *whatsapp.Inbound) {
		m.NumMedia, m.Media = 1, []whatsapp.Media{{URL: "https://api.twilio.com/Media/ME" + m.MessageSID, Type: typ}}
	}
}

// fetched brings what became of the files that are waited for, in their order.
func (w *world) fetched(of func(f effect.File) effect.Fetched) {
	w.t.Helper()
	files := w.files
	w.files = nil
	for _, f := range files {
		if f.Drop {
			w.dropped = append(w.dropped, f.URL)
			continue
		}
		w.tx(func(ctx context.Context) error { return w.r.FileCame(ctx, of(f)) })
		w.settle()
	}
}

func here(f effect.File) effect.Fetched {
	return effect.Fetched{File: f, Media: &effect.Media{URI: "mxc://x/" + f.Message, Type: f.Type, Name: "photo.jpg", Size: 9, Width: 4, Height: 3}}
}

// sidOf is the id of what a phone got with some words.
func (w *world) sidOf(phone, words string) string {
	w.t.Helper()
	for _, o := range w.outs {
		if o.phone == phone && strings.Contains(o.body, words) {
			return o.sid
		}
	}
	w.t.Fatalf("%s got nothing with %q: %q", phone, words, w.got(phone))
	return ""
}

// media are the files in a room, as "sender msgtype url".
func (w *world) media(room string) (all []string) {
	for _, p := range w.posts {
		if url, _ := p.content["url"].(string); url != "" && p.room == room {
			all = append(all, p.msgtype+" "+strings.TrimPrefix(url, "mxc://x/"))
		}
	}
	return all
}

// A file from WhatsApp goes where its words go, after them, as they do. MSG-09
func TestFilesFromWhatsApp(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		n, cmd := w.asks(carl, "customer", "alpha")
		w.phone(dana, "Look at this", withFile("image/jpeg"))
		if words := w.must("customer", "Look at this"); words.thread != cmd {
			t.Errorf("the words: %+v", words)
		}
		if len(w.media("customer")) != 0 {
			t.Error("the file was there before it came")
		}
		w.fetched(here)
		p := w.must("customer", "photo.jpg")
		if p.msgtype != "m.image" || p.thread != cmd || !strings.HasPrefix(p.sender, "@lanekeeper_agent_") || len(p.mentions) != 1 || p.mentions[0] != carl || p.content["filename"] != "photo.jpg" {
			t.Errorf("the photo: %+v", p)
		}
		if c := w.must("super_admin", "📎 photo.jpg"); c.thread != w.root(n) || c.msgtype != "m.image" || !strings.Contains(c.body, "Dana (WhatsApp)") {
			t.Errorf("the copy: %+v", c)
		}
		w.fetched(here)
		if len(w.dropped) != 1 {
			t.Errorf("deleted at Twilio: %v", w.dropped)
		}
		// Without words it is an answer, too: who sends it answers.
		w.asks(carl, "direct"+carl, "beta")
		w.phone(eli, "", quoting(w.sidOf(eli, "beta")), withFile("image/jpeg"))
		w.fetched(here)
		d := w.must("direct"+carl, "**Eli:** 📎 photo.jpg")
		if d.sender != bot || d.msgtype != "m.image" {
			t.Errorf("in the direct chat: %+v", d)
		}
	})
}

// Pictures of an album come one by one: within a minute they go where the first one went.
func TestAlbum(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		w.asks(carl, "customer", "alpha")
		w.asks(carl, "direct"+carl, "beta")
		w.outs = nil
		w.phone(dana, "#2 these", withFile("image/jpeg"))
		w.phone(dana, "", withFile("image/jpeg"))
		w.now = w.now.Add(20 * time.Second)
		w.phone(dana, "", withFile("image/jpeg"))
		w.fetched(here)
		if got := w.media("direct" + carl); len(got) != 3 {
			t.Errorf("in the direct chat: %v", got)
		}
		w.asks(carl, "customer", "gamma")
		w.phone(dana, "#1 mine")
		w.phone(dana, "take 3") // a picture after that is not for #1 by its time
		w.files = nil
		w.phone(dana, "", withFile("image/jpeg"))
		w.sidOf(dana, "Which one is that for?")
		if len(w.files) > 0 && !w.files[len(w.files)-1].Drop {
			t.Error("a picture goes to the one that was answered before another was taken")
		}
		w.outs = nil
		w.phone(dana, "#3 words")
		w.now = w.now.Add(2 * time.Minute)
		w.outs = nil
		w.phone(dana, "", withFile("image/jpeg"))
		if len(w.files) > 0 && !w.files[len(w.files)-1].Drop {
			t.Error("it was guessed where a picture belongs")
		}
		w.sidOf(dana, "Which one is that for?")
	})
}

// What is missing everybody reads; the file follows if it comes later.
func TestMissingFile(t *testing.T) {
	each(t, nil, func(w *world) {
		w.wake()
		_, cmd := w.asks(carl, "customer", "alpha")
		w.phone(dana, "See there", withFile("image/jpeg"))
		w.outs = nil
		late := w.files
		w.fetched(func(f effect.File) effect.Fetched { return effect.Fetched{File: f, Missing: effect.Late} })
		if p := w.must("customer", "Dana sent a photo, but WhatsApp hasn't handed it over yet"); p.thread != cmd || p.msgtype != "m.notice" {
			t.Errorf("%+v", p)
		}
		w.must("super_admin", "WhatsApp hasn't handed over a photo from Dana yet")
		w.phoneGot(dana, "*#1* WhatsApp hasn't handed me your photo yet. I keep trying; words go through as ever.")
		w.files = late
		w.fetched(here)
		if got := w.media("customer"); len(got) != 1 {
			t.Errorf("%v", got)
		}
	})
}

// While a file is on its way things change: it goes where words would go now.
func TestFileTooLate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world, n int64)
		told   string
		kept   bool
	}{
		"closed by who sent it": {func(w *world, n int64) { w.phone(dana, "done") }, "", false},
		"taken by another": {func(w *world, n int64) {
			w.tx(func(ctx context.Context) error {
				_, _, err := w.r.Take(ctx, root, w.at("super_admin", ""), n, true)
				return err
			})
			w.settle()
		}, "is answering this, so yours wasn't sent", true},
		"no agent any more": {func(w *world, n int64) { w.r.Agents = w.r.Agents[1:] }, "", true},
		"the asker is out of the project, in the lane": {func(w *world, n int64) {
			w.tx(func(ctx context.Context) error {
				p, err := w.s.Project(ctx, "p1")
				if err != nil {
					return err
				}
				p.People = p.People[1:]
				return w.s.SaveProject(ctx, p)
			})
		}, "left that room", false},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, nil, func(w *world) {
				w.wake()
				n, _ := w.asks(carl, "customer", "alpha")
				w.phone(dana, "See there", withFile("image/jpeg"))
				c.change(w, n)
				w.outs = nil
				w.fetched(here)
				if got := w.media("customer"); (len(got) == 0) != c.kept {
					t.Errorf("in the lane: %v", got)
				}
				if got := w.media("super_admin"); len(got) != 1 {
					t.Errorf("among staff: %v", got)
				}
				if c.told != "" {
					w.sidOf(dana, c.told)
				}
			})
		})
	}
}

// What stays in Matrix takes no file from WhatsApp, and a place is no file.
func TestFilesThatMayNot(t *testing.T) {
	each(t, func(r *relay.Relay) { r.Consent = "announce" }, func(w *world) {
		w.wake()
		w.asks(xena, "internal", "alpha")
		w.phone(dana, "#1 see", withFile("image/jpeg"))
		if len(w.files) > 0 {
			t.Errorf("it is fetched: %+v", w.files)
		}
		w.asks(carl, "customer", "beta")
		w.phone(dana, "#2", func(m *whatsapp.Inbound) {
			m.Location = &whatsapp.Location{Latitude: "48.1", Longitude: "11.5", Label: "Office", Address: "Main Street 1"}
		})
		p := w.must("customer", "📍 Office, Main Street 1 (48.1, 11.5)")
		if p.msgtype != "m.location" || p.content["geo_uri"] != "geo:48.1,11.5" {
			t.Errorf("%+v", p)
		}
		// The name of a document is its name, and no words.
		w.phone(dana, "#2 offer 4711.pdf", withFile("application/pdf"))
		if len(w.files) != 1 || w.files[0].Name != "offer 4711.pdf" || !w.files[0].Alone {
			t.Errorf("%+v", w.files)
		}
		w.files = nil
		w.phone(dana, "#2 see offer. Thanks", withFile("application/pdf"))
		if len(w.files) != 1 || w.files[0].Name != "" || w.files[0].Alone {
			t.Errorf("%+v", w.files)
		}
	})
}

package files_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"net/url"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// TestFromWhatsApp is MSG-09 from a phone: what an agent sends besides words comes into the thread on the question, byte by byte.
func TestFromWhatsApp(t *testing.T) {
	labtest.OnSynapse(t, lab.WorldOptions{WhatsApp: true}, fromWhatsApp)
}

func photo(w, h int) []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil)
	return b.Bytes()
}

// voice is a voice note: pages of Opus, of which only the positions count.
func voice(length time.Duration) []byte {
	page := func(samples uint64, body string) string {
		b := make([]byte, 27)
		copy(b, "OggS")
		binary.LittleEndian.PutUint64(b[6:], samples)
		b[26] = 1
		return string(b) + string(byte(len(body))) + body
	}
	head := "OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00" // 312 samples are skipped
	return []byte(page(0, head) + page(0, "OpusTags") + page(uint64(length.Milliseconds()*48+312), strings.Repeat("x", 200)))
}

// thread is a question in a lane, and Dana's phone with the line about it.
type thread struct {
	*lab.World
	t              *testing.T
	carl           *lab.Client
	room, question string
	line           emulator.Message
	n              int
}

func ask(t *testing.T, w *lab.World) *thread {
	_, rooms := w.NewProject()
	k := &thread{World: w, t: t, carl: w.Person("carl"), room: rooms["customer"]}
	k.question = k.carl.Text(k.room, "Could you send me everything about invoice 4711?")
	k.carl.React(k.room, k.question, "🙋")
	k.line = w.Phones.WaitSent(lab.Dana, "the question", "invoice 4711")
	w.Phones.WaitDelivered(k.line)
	if _, err := fmt.Sscanf(k.line.Body, "*#%d*", &k.n); err != nil {
		t.Fatalf("the line to Dana begins %.20q", k.line.Body)
	}
	return k
}

func (k *thread) send(words string, files ...emulator.File) emulator.Message {
	k.t.Helper()
	return k.Phones.Answer(lab.Dana, words, emulator.Reply{Quoted: k.line.SID, Files: files})
}

// gets waits for a file in the thread, from Dana's ghost, and compares its bytes.
func (k *thread) gets(what, msgtype, name string, file emulator.File) (content, info map[string]any) {
	k.t.Helper()
	e := k.carl.Wait(what, lab.In(k.room), lab.InThread(k.question), func(e lab.Event) bool {
		return e.Content["msgtype"] == msgtype && e.Content["filename"] == name
	})
	if !strings.Contains(e.Sender, "_agent_") || !e.Mentions(k.carl.ID) {
		k.t.Errorf("%s comes from %s: %s", what, e.Sender, e.Raw)
	}
	address, _ := e.Content["url"].(string)
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "mxc" {
		k.t.Fatalf("%s is at %q", what, address)
	}
	if got := k.carl.Do("GET", "/_matrix/client/v1/media/download/"+u.Host+u.Path, nil); !bytes.Equal(got.Raw, file.Data) {
		k.t.Errorf("%s has other bytes: %d and %d, status %d", what, len(got.Raw), len(file.Data), got.Status)
	}
	info, _ = e.Content["info"].(map[string]any)
	if info["size"] != float64(len(file.Data)) {
		k.t.Errorf("%s: %v", what, info)
	}
	k.Person("root").Wait("a copy of "+what, lab.In(k.SuperAdmin()), func(e lab.Event) bool { return e.Content["url"] == address })
	return e.Content, info
}

func fromWhatsApp(t *testing.T, w *lab.World) {
	k := ask(t, w)
	at := func(what string, content map[string]any, want map[string]any) {
		t.Helper()
		for key, v := range want {
			if fmt.Sprint(content[key]) != fmt.Sprint(v) {
				t.Errorf("%s: %s is %v, not %v", what, key, content[key], v)
			}
		}
	}

	// A photo with words, which Twilio has only at the third try.
	picture := emulator.File{Type: "image/jpeg", Data: photo(640, 480), Missing: 2}
	seen := k.send("This is how it looks", picture)
	k.carl.Wait("the words", lab.In(k.room), lab.InThread(k.question), lab.Says("This is how it looks"))
	_, info := k.gets("the photo", "m.image", "photo.jpg", picture)
	at("the photo", info, map[string]any{"w": 640, "h": 480, "mimetype": "image/jpeg"})
	if asked, _ := w.Phones.FilesOf(seen.SID); asked[0] != 3 {
		t.Errorf("Twilio was asked %d times for the photo", asked[0])
	}

	note := emulator.File{Type: "audio/ogg", Data: voice(2500 * time.Millisecond)}
	k.send("", note)
	content, info := k.gets("the voice note", "m.audio", "voice message.ogg", note)
	at("the voice note", info, map[string]any{"duration": 2500, "mimetype": "audio/ogg"})
	at("the voice note", content, map[string]any{"org.matrix.msc3245.voice": map[string]any{}, "org.matrix.msc1767.audio": map[string]any{"duration": 2500}})

	pdf := emulator.File{Type: "application/pdf", Name: "Rechnung Ärger.pdf", Data: []byte("%PDF-1.7\n" + strings.Repeat("page\n", 1000))}
	k.send("", pdf)
	k.gets("the invoice", "m.file", "Rechnung Ärger.pdf", pdf)
	named := emulator.File{Type: "application/pdf", Data: []byte("%PDF-1.7 another")}
	k.send("Invoice 4711.pdf", named)
	k.gets("the other invoice", "m.file", "Invoice 4711.pdf", named)

	sticker := emulator.File{Type: "image/webp", Data: []byte("RIFF\x20\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x10\x00\x00\x00\xff\x01\x00\xff\x01\x00" + strings.Repeat("\x00", 10))}
	k.send("", sticker)
	_, info = k.gets("the sticker", "m.image", "sticker.webp", sticker)
	at("the sticker", info, map[string]any{"w": 512, "h": 512})

	card := emulator.File{Type: "text/vcard", Data: []byte("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Example\r\nTEL;TYPE=CELL:+49 151 12345678\r\nEND:VCARD\r\n")}
	k.send("", card)
	k.gets("the contact card", "m.file", "contact card.vcf", card)
	k.carl.Wait("who is on it", lab.InThread(k.question), lab.Says("Ann Example: +49 151 12345678"))

	w.Phones.Answer(lab.Dana, "", emulator.Reply{Quoted: k.line.SID, Extra: url.Values{
		"Latitude": {"48.1371"}, "Longitude": {"11.5754"}, "Label": {"Office"}, "Address": {"Main Street 1"}, "MessageType": {"location"}}})
	spot := k.carl.Wait("the place", lab.InThread(k.question), func(e lab.Event) bool { return e.Content["msgtype"] == "m.location" })
	at("the place", spot.Content, map[string]any{"geo_uri": "geo:48.1371,11.5754"})
	if !strings.Contains(spot.Body(), "Office, Main Street 1") {
		t.Errorf("the place: %s", spot.Raw)
	}

	// What calls itself a photo and is none is a file, and what is found by listing comes, too.
	page := emulator.File{Type: "image/jpeg", Name: "photo.jpg", Data: []byte("<html><script>alert(1)</script>")}
	k.send("", page)
	_, info = k.gets("a page", "m.file", "photo.jpg", page)
	at("a page", info, map[string]any{"mimetype": "text/html"})

	// What is in Matrix is deleted at Twilio.
	w.Eventually("carl", "the photo is deleted at Twilio", func() bool { _, left := w.Phones.FilesOf(seen.SID); return left == 0 })
	w.Phones.Write(lab.Dana, fmt.Sprintf("done %d", k.n))
	w.WaitCard("root", lab.HandoffCard, k.n, "closed")
}

// TestFileThatNeverComes: words arrive all the same, and everybody reads what is missing; the next file does not wait for it.
func TestFileThatNeverComes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	t.Parallel()
	w := lab.NewWorld(t, lab.WorldOptions{Server: lab.KindSynapse, WhatsApp: true, Shared: true})
	k := ask(t, w)
	missing := emulator.File{Type: "image/jpeg", Data: photo(4, 3), Missing: -1}
	k.send("The first of two", missing)
	next := emulator.File{Type: "image/jpeg", Data: photo(8, 6)}
	k.send("", next)
	k.carl.Wait("the words", lab.InThread(k.question), lab.Says("The first of two"))
	k.gets("the second photo", "m.image", "photo.jpg", next)
	k.carl.Wait("what is missing", lab.InThread(k.question), lab.From(w.Bot()), lab.Says("Dana sent a photo, but WhatsApp hasn't handed it over yet"))
	w.Phones.WaitSent(lab.Dana, "that it is missing", fmt.Sprintf("*#%d*", k.n), "hasn't handed me your photo yet")
	w.Person("root").Wait("that it is missing", lab.In(w.SuperAdmin()), lab.Says("hasn't handed over a photo from Dana"))
}

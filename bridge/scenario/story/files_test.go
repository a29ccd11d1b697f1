package story_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// TestFilesToWhatsApp sends a photo, a document whose name is in no Latin letters, and a picture that WhatsApp does not take, as
// a customer does: the agent has the same bytes in the end. MSG-09 to MSG-13.
func TestFilesToWhatsApp(t *testing.T) {
	labtest.Both(t, lab.WorldOptions{WhatsApp: true, People: []string{"root", "mia", "carl"}}, filesToWhatsApp)
}

// photo is a JPEG of at least some bytes.
func photo(t *testing.T, least int) []byte {
	m := image.NewGray(image.Rect(0, 0, 64, 48))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range m.Pix {
		m.Pix[i] = byte(random.Uint32())
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	for b.Len() < least { // what follows the picture belongs to the file all the same
		b.WriteByte(byte(random.Uint32()))
	}
	return b.Bytes()
}

func filesToWhatsApp(t *testing.T, w *lab.World) {
	carl, root := w.Person("carl"), w.Person("root")
	lane := w.Project("acme")["customer"]
	asked := w.Must("carl", lane, "!lane human Can you look at these?")
	w.Phones.WaitSent(lab.Dana, "the question", "look at these")
	send := func(kind, name, declared, caption string, data []byte) (event string) {
		mxc, r := carl.Upload(name, declared, data)
		if mxc == "" {
			t.Fatal(r)
		}
		content := map[string]any{
			"msgtype": kind, "body": caption, "filename": name, "url": mxc, "info": map[string]any{"mimetype": declared, "size": 17},
			"m.relates_to": map[string]any{"rel_type": "m.thread", "event_id": asked.Command, "is_falling_back": true, "m.in_reply_to": map[string]any{"event_id": asked.Command}},
		}
		event = carl.Send(lane, "m.room.message", content)
		root.Wait("the file in the card's thread", func(e lab.Event) bool { return e.Content["url"] == mxc && e.Room != lane })
		return event
	}
	received := func(m emulator.Message, typ, name string, data []byte) {
		w.Phones.WaitDelivered(m)
		f := w.Phones.Received(m.SID)
		if f == nil || f.Type != typ || f.Name != name || !bytes.Equal(f.Data, data) {
			t.Errorf("with %q came %+v", m.Body, f)
		}
	}

	small := photo(t, 0)
	picture := send("m.image", "Foto.jpg", "text/html", "The red *one*", small)
	received(w.Phones.WaitSent(lab.Dana, "the photo with its words", "The red"), "image/jpeg", "Foto.jpg", small)

	pdf := []byte("%PDF-1.7\n" + strings.Repeat("pages ", 30000))
	send("m.file", "請求書 №1.pdf", "image/jpeg", "Please pay", pdf)
	words := w.Phones.WaitSent(lab.Dana, "the words with the document", "Please pay", "請求書 №1.pdf")
	if w.Phones.Received(words.SID) != nil {
		t.Error("the words came with a file, where WhatsApp drops them")
	}
	received(w.Phones.WaitSent(lab.Dana, "the document", " 📎 請求書"), "application/pdf", "請求書 №1.pdf", pdf)

	large := photo(t, 6<<20)
	send("m.image", "plan.jpg", "image/jpeg", "and the plan", large)
	m := w.Phones.WaitSent(lab.Dana, "a link to the large picture", "and the plan", "plan.jpg (6.0 MB)")
	address := link(m.Body, w.Bridge.URL)
	resp, data := get(t, address)
	_, params, _ := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
	if resp.StatusCode != http.StatusOK || params["filename"] != "plan.jpg" || !bytes.Equal(data, large) || len(m.Media) > 0 {
		t.Errorf("the link gives %d, %v, %d bytes", resp.StatusCode, resp.Header, len(data))
	}

	// A link ends with the message.
	first := w.Phones.WaitSent(lab.Dana, "the photo with its words", "The red").Media[0]
	carl.Redact(lane, picture)
	w.Phones.WaitSent(lab.Dana, "that it was withdrawn", "withdrawn")
	if resp, _ := get(t, strings.Replace(first, lab.PublicAddress, w.Bridge.URL, 1)); resp.StatusCode != http.StatusGone {
		t.Errorf("the link to a deleted photo gives %d", resp.StatusCode)
	}
	if n := strings.Count(carl.Heard(), "can't pass"); n > 0 {
		t.Error("Carl reads that a file was not passed on")
	}
}

var address = regexp.MustCompile(`https://\S+`)

// link is the address in a message, where the bridge really is.
func link(body, bridge string) string {
	return strings.Replace(address.FindString(body), lab.PublicAddress, bridge, 1)
}

func get(t *testing.T, address string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, data
}

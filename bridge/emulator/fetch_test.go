package emulator_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/whatsapp"
)

// Files of messages are fetched as Twilio does it: by what they are served as, up to WhatsApp's sizes. What cannot be fetched never
// arrives, and beside anything but a picture the words are dropped.
func TestFiles(t *testing.T) {
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, size := r.URL.Path[1:], 1000
		switch name {
		case "large.jpg":
			size = 5<<20 + 1
		case "large.pdf":
			size = 16<<20 + 1
		case "gone.jpg":
			w.WriteHeader(http.StatusGone)
			return
		case "empty.jpg":
			size = 0
		}
		typ := map[string]string{"jpg": "image/jpeg", "pdf": "application/pdf", "html": "text/html"}[name[strings.LastIndexByte(name, '.')+1:]]
		w.Header().Set("Content-Type", typ)
		w.Header().Set("Content-Disposition", `inline; filename="`+name+`"`)
		_, _ = w.Write(bytes.Repeat([]byte("x"), size))
	}))
	defer files.Close()
	a := newAccount(t, nil)
	c := a.client()
	for name, want := range map[string]string{
		"a.jpg": "delivered words", "a.pdf": "delivered ", "large.jpg": "failed 63019", "large.pdf": "failed 63019", "gone.jpg": "failed 63019", "empty.jpg": "failed 63019", "a.html": "failed 12300",
	} {
		status, rest, _ := strings.Cut(want, " ")
		sid, _, err := c.Send(t.Context(), whatsapp.Message{To: dana, Body: "words", MediaURL: files.URL + "/" + name})
		if err != nil {
			t.Fatal(err)
		}
		a.wait(sid, status)
		var m emulator.Message
		for _, m = range a.Messages(dana) {
			if m.SID == sid {
				break
			}
		}
		f := a.Received(sid)
		switch {
		case status == "failed" && (f != nil || !strings.Contains(rest, "63019") != (m.ErrorCode == 12300)):
			t.Errorf("%s: %+v, %d", name, f, m.ErrorCode)
		case status == "delivered" && (f == nil || f.Name != name || len(f.Data) != 1000 || m.Text() != rest):
			t.Errorf("%s: %+v beside %q", name, f, m.Text())
		case status == "delivered":
			if resp := a.request("GET", "/received/"+sid, ""); resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != f.Type {
				t.Errorf("the page gets %d, %v", resp.StatusCode, resp.Header)
			}
		}
	}
	if resp := a.request("GET", "/received/SMnone", ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("the page gets %d", resp.StatusCode)
	}
}

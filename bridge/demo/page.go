package demo

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"time"

	"lanekeeper/bridge/emulator"
)

//go:embed static
var static embed.FS

// pagePolicy keeps the page to itself and the homeserver on this computer: whose
// pictures it shows (as blobs, as they are not for everybody), and nothing of
// which is ever run.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self' %s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// handler is the stage, with the phones and Twilio's stand-in below it.
func (w *world) handler() http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the path above is wrong
	}
	local := func(next http.Handler) http.Handler {
		return emulator.Local(fmt.Sprintf(pagePolicy, w.homeserver.URL), next)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", local(http.FileServerFS(files)))
	mux.Handle("GET /stage/", local(http.StripPrefix("/stage", http.FileServerFS(files))))
	mux.Handle("GET /stage/scene", local(http.HandlerFunc(w.director.events)))
	mux.Handle("POST /stage/story", local(http.HandlerFunc(w.director.act)))
	mux.Handle("/", w.phones.Handler())
	return mux
}

const (
	beat      = 20 * time.Second // how often a quiet stream shows that it lives
	writeTime = 30 * time.Second // how long a page may take to read
)

// events is the page's stream of server-sent events: the scene whenever it changes.
func (d *director) events(w http.ResponseWriter, r *http.Request) {
	defer d.watch()()
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		data, changed := d.now()
		_ = out.SetWriteDeadline(time.Now().Add(writeTime)) // not every server has one
		if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil || out.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// act does what somebody who watches wants.
func (d *director) act(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Do string `json:"do"`
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind != "application/json":
		w.WriteHeader(http.StatusUnsupportedMediaType)
	case json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&body) != nil || !d.wish(body.Do):
		w.WriteHeader(http.StatusBadRequest)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

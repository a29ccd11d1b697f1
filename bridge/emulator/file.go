package emulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// fileURL is where a file of an incoming message is fetched. The lock is held.
func (e *Emulator) fileURL(m *Message, f stored) string {
	base := e.cfg.Address
	if base == "" {
		base = "https://api.twilio.com"
	}
	return base + e.filePath(m, f)
}

func (e *Emulator) filePath(m *Message, f stored) string {
	return fmt.Sprintf("/2010-04-01/Accounts/%s/Messages/%s/Media/%s", e.cfg.AccountSID, m.SID, f.sid)
}

// listFiles is GET Media.json
// (https://www.twilio.com/docs/messaging/api/media-resource).
func (e *Emulator) listFiles(w http.ResponseWriter, r *http.Request) {
	m := e.find(w, r)
	if m == nil {
		return
	}
	list := []any{}
	for _, f := range m.files {
		list = append(list, e.fileResource(m, f))
	}
	respond(w, http.StatusOK, map[string]any{
		"media_list": list, "page": 0, "page_size": 50, "start": 0, "end": max(0, len(list)-1),
		"first_page_uri": r.URL.Path, "uri": r.URL.Path, "next_page_uri": nil, "previous_page_uri": nil,
	})
}

func (e *Emulator) fileResource(m *Message, f stored) map[string]any {
	return map[string]any{
		"sid": f.sid, "account_sid": e.cfg.AccountSID, "parent_sid": m.SID, "content_type": f.Type,
		"date_created": date(m.At), "date_updated": date(m.At), "uri": e.filePath(m, f) + ".json",
	}
}

// fetchFile gives the bytes of a file, or with ".json" behind its name what is
// known of it. Twilio itself redirects to its storage first.
func (e *Emulator) fetchFile(w http.ResponseWriter, r *http.Request) {
	m := e.find(w, r)
	if m == nil {
		return
	}
	name, about := strings.CutSuffix(r.PathValue("file"), ".json")
	for _, f := range m.files {
		switch {
		case f.sid != name:
		case about:
			respond(w, http.StatusOK, e.fileResource(m, f))
			return
		default:
			w.Header().Set("Content-Type", f.Type)
			w.Header().Set("Content-Length", strconv.Itoa(len(f.Data)))
			_, _ = w.Write(f.Data)
			return
		}
	}
	notFound(w, r)
}

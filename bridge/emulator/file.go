package emulator

import (
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// fileURL is where a file of an incoming message is fetched. The lock is held.
func (e *Emulator) fileURL(m *Message, f *stored) string {
	base := e.cfg.Address
	if base == "" {
		base = "https://api.twilio.com"
	}
	return base + e.filePath(m, f)
}

func (e *Emulator) filePath(m *Message, f *stored) string {
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
	e.mu.Lock()
	for _, f := range m.files {
		if !f.deleted {
			list = append(list, e.fileResource(m, f))
		}
	}
	e.mu.Unlock()
	respond(w, http.StatusOK, map[string]any{
		"media_list": list, "page": 0, "page_size": 50, "start": 0, "end": max(0, len(list)-1),
		"first_page_uri": r.URL.Path, "uri": r.URL.Path, "next_page_uri": nil, "previous_page_uri": nil,
	})
}

func (e *Emulator) fileResource(m *Message, f *stored) map[string]any {
	return map[string]any{
		"sid": f.sid, "account_sid": e.cfg.AccountSID, "parent_sid": m.SID, "content_type": f.Type,
		"date_created": date(m.At), "date_updated": date(m.At), "uri": e.filePath(m, f) + ".json",
	}
}

// storage is where the files are, open to all who have the key.
const storage = "/storage/"

// fetchFile redirects to the bytes of a file, or gives, with ".json" behind its name, what is
// known of it. Twilio may not have a file for some seconds after it told of it.
func (e *Emulator) fetchFile(w http.ResponseWriter, r *http.Request) {
	m := e.find(w, r)
	if m == nil {
		return
	}
	name, about := strings.CutSuffix(r.PathValue("file"), ".json")
	e.mu.Lock()
	f := m.file(name)
	there := f != nil && f.Missing == 0
	if f != nil {
		f.asked++
		f.Missing = max(f.Missing-1, min(f.Missing, 0))
		e.touch(m)
	}
	e.mu.Unlock()
	switch {
	case !there:
		notFound(w, r)
	case about:
		respond(w, http.StatusOK, e.fileResource(m, f))
	case f.Storage != "":
		http.Redirect(w, r, f.Storage, http.StatusTemporaryRedirect)
	default:
		http.Redirect(w, r, "http://"+elsewhere(r.Host)+storage+f.key, http.StatusTemporaryRedirect)
	}
}

// elsewhere is another name of this computer, where it has one: Twilio's storage is another
// host than its API.
func elsewhere(host string) string {
	if port, ok := strings.CutPrefix(host, "127.0.0.1:"); ok {
		return "localhost:" + port
	}
	return host
}

// storage gives the bytes to who has the key. It refuses credentials, as signed addresses
// of storages do.
func (e *Emulator) storage(w http.ResponseWriter, r *http.Request) {
	var found *stored
	e.mu.Lock()
	for _, m := range e.messages {
		for _, f := range m.files {
			if f.key == r.PathValue("key") && !f.deleted {
				found = f
			}
		}
	}
	e.mu.Unlock()
	switch {
	case found == nil:
		http.NotFound(w, r)
	case r.Header.Get("Authorization") != "":
		http.Error(w, "Only one auth mechanism allowed", http.StatusBadRequest)
	default:
		w.Header().Set("Content-Type", found.Type)
		if found.Name != "" {
			w.Header().Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": found.Name}))
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(found.Data)))
		_, _ = w.Write(found.Data)
	}
}

// removeFile is DELETE of a file.
func (e *Emulator) removeFile(w http.ResponseWriter, r *http.Request) {
	m := e.find(w, r)
	if m == nil {
		return
	}
	e.mu.Lock()
	f := m.file(strings.TrimSuffix(r.PathValue("file"), ".json"))
	if f != nil {
		f.deleted = true
		e.touch(m)
	}
	e.mu.Unlock()
	if f == nil {
		notFound(w, r)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// file finds one of a message's files, nil if there is none. The lock is held.
func (m *Message) file(sid string) *stored {
	for _, f := range m.files {
		if f.sid == sid && !f.deleted {
			return f
		}
	}
	return nil
}

// FilesOf says of a message's files how often each was asked for, and how many are left: what
// the product has is deleted.
func (e *Emulator) FilesOf(sid string) (asked []int, left int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m := e.bySID[sid]; m != nil {
		for _, f := range m.files {
			asked = append(asked, f.asked)
			if !f.deleted {
				left++
			}
		}
	}
	return asked, left
}

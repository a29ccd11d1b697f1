package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/media"
)

// Server streams files from the homeserver. It keeps nothing of them but their first
// bytes, by which it tells what they are.
type Server struct {
	Signer *Signer
	// File says where the file of a message is, and its name. ErrGone: it was withdrawn,
	// or is not kept any more; ErrNone: it has none.
	File func(ctx context.Context, event string) (mxc, name string, err error)
	// Open is matrix.Client.Download.
	Open func(ctx context.Context, mxc string) (*matrix.Download, error)
	// Stall is how long nothing may come from the homeserver, or be taken by who asked;
	// Whole is how long one answer may take altogether.
	Stall, Whole time.Duration

	slots chan struct{}
	mu    sync.Mutex
	busy  map[string]int // how often the file of a message is being fetched
}

// Errors of Server.File.
var (
	ErrGone = errors.New("the message is gone")
	ErrNone = errors.New("the message has no file")
)

const (
	// AtOnce is how many files come in at the same time.
	AtOnce = 32
	// PerFile is how many of them may be the same: who has one link, or passes it on, keeps
	// nobody else from theirs.
	PerFile    = 8
	retryAfter = "5"
	pieceBytes = 32 << 10
)

// NewServer makes a server with the times of production.
func NewServer(s *Signer, file func(context.Context, string) (string, string, error), open func(context.Context, string) (*matrix.Download, error)) *Server {
	return &Server{Signer: s, File: file, Open: open, Stall: 30 * time.Second, Whole: 15 * time.Minute, slots: make(chan struct{}, AtOnce), busy: map[string]int{}}
}

// ServeHTTP is GET and HEAD of Path and a token.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Cache-Control", "private, no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		say(w, http.StatusMethodNotAllowed, "Files can only be fetched here.")
		return
	}
	event, err := s.Signer.Read(strings.TrimPrefix(r.URL.Path, Path))
	switch {
	case errors.Is(err, ErrExpired):
		say(w, http.StatusGone, "This link has expired. Ask the person who sent it to you for a new one.")
		return
	case err != nil:
		say(w, http.StatusNotFound, "There is no file at this link. Check that it was copied as a whole.")
		return
	}
	if !s.begin(event) {
		h.Set("Retry-After", retryAfter)
		say(w, http.StatusServiceUnavailable, "Too many files are being fetched at the moment. Please try again in a few seconds.")
		return
	}
	defer s.end(event)
	s.serve(w, r, event)
}

// begin takes a slot for the file of a message, if one is free.
func (s *Server) begin(event string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[event] >= PerFile {
		return false
	}
	select {
	case s.slots <- struct{}{}:
		s.busy[event]++
		return true
	default:
		return false
	}
}

func (s *Server) end(event string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	<-s.slots
	if s.busy[event]--; s.busy[event] == 0 {
		delete(s.busy, event)
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, event string) {
	mxc, name, err := s.File(r.Context(), event)
	var f *file
	if err == nil {
		f, err = s.open(r.Context(), mxc)
	}
	switch {
	case errors.Is(err, ErrGone):
		say(w, http.StatusGone, "This file was withdrawn, or is not kept any more.")
		return
	case errors.Is(err, ErrNone) || err != nil && matrix.IsCode(err, "M_NOT_FOUND"):
		say(w, http.StatusNotFound, "The file at this link does not exist any more.")
		return
	case err != nil:
		w.Header().Set("Retry-After", retryAfter)
		say(w, http.StatusServiceUnavailable, "The file cannot be fetched at the moment. Please try again in a few seconds.")
		return
	}
	defer f.close()
	f.describe(w.Header(), name)
	from, to, status := ranges(r.Header.Get("Range"), f.size)
	switch status {
	case http.StatusRequestedRangeNotSatisfiable:
		w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", f.size))
		w.Header().Del("Content-Disposition")
		say(w, status, "The file is not as long as that.")
		return
	case http.StatusPartialContent:
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, f.size))
	}
	if to >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(to-from, 10))
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	s.copy(w, f, from, to)
}

// file is one that comes in.
type file struct {
	body  io.Reader
	typ   string
	size  int64 // -1: not known
	alive *time.Timer
	stall time.Duration
	close func()
}

// open asks for a file and looks at its beginning. The homeserver has to bring something
// in every Stall.
func (s *Server) open(ctx context.Context, mxc string) (*file, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Whole)
	alive := time.AfterFunc(s.Stall, cancel)
	d, err := s.Open(ctx, mxc)
	if err != nil {
		alive.Stop()
		cancel()
		return nil, err
	}
	f := &file{size: d.Size, alive: alive, stall: s.Stall, close: func() { alive.Stop(); cancel(); _ = d.Body.Close() }}
	head := make([]byte, media.Head)
	n, err := io.ReadFull(d.Body, head)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		if d.Size > int64(n) {
			f.close()
			return nil, io.ErrUnexpectedEOF
		}
		f.size = int64(n)
	case err != nil:
		f.close()
		return nil, err
	}
	alive.Reset(s.Stall)
	f.typ = media.Type(head[:n], d.Type)
	f.body = io.MultiReader(strings.NewReader(string(head[:n])), d.Body)
	return f, nil
}

// Look says what the file is and how large, whatever is said of it; it reads most bytes at
// most to find that out. A size of -1: more than that.
func (s *Server) Look(ctx context.Context, mxc string, most int64) (typ string, size int64, err error) {
	f, err := s.open(ctx, mxc)
	if err != nil {
		return "", 0, err
	}
	defer f.close()
	if f.size >= 0 {
		return f.typ, f.size, nil
	}
	n, err := io.Copy(io.Discard, io.LimitReader(&fed{f}, most+1))
	if n > most {
		n = -1
	}
	return f.typ, n, err
}

// fed notes that bytes come in.
type fed struct{ *file }

func (r *fed) Read(b []byte) (int, error) {
	n, err := r.body.Read(b)
	if n > 0 {
		r.alive.Reset(r.stall)
	}
	return n, err
}

// inline are the kinds that browsers show by themselves without running anything in them.
var inline = []string{"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/heic", "image/bmp"}

// describe says what a file is. Only pictures, sound and films are shown where the link is
// opened; what a browser could run is nothing but bytes.
func (f *file) describe(h http.Header, name string) {
	typ, how := f.typ, "attachment"
	switch {
	case strings.Contains(typ, "html") || strings.Contains(typ, "xml") && !strings.Contains(typ, "openxml") || strings.Contains(typ, "script"):
		typ = media.Unknown
	case typ == "text/plain" || typ == "text/csv" || typ == "text/markdown":
		typ += "; charset=utf-8"
	case slices.Contains(inline, typ), strings.HasPrefix(typ, "audio/"), strings.HasPrefix(typ, "video/"):
		how = "inline"
	}
	h.Set("Content-Type", typ)
	h.Set("Content-Disposition", disposition(how, media.Name(name, "file", f.typ)))
	if f.size >= 0 {
		h.Set("Accept-Ranges", "bytes")
	}
}

// disposition writes a name for those who read all of Unicode and for those who do not
// (RFC 6266, appendix D).
func disposition(how, name string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
	if plain == name {
		return how + `; filename="` + name + `"`
	}
	if base := strings.TrimSuffix(plain, path.Ext(plain)); strings.Trim(base, "_ ") == "" {
		plain = "file" + path.Ext(plain)
	}
	encoded := strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	return how + `; filename="` + plain + `"; filename*=UTF-8''` + encoded
}

// ranges reads one range of bytes (RFC 9110, section 14.2): those from from to before to.
// Several of them, and what cannot be read, count as none.
func ranges(header string, size int64) (from, to int64, status int) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, two := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !two || size < 0 || strings.Contains(spec, ",") {
		return 0, size, http.StatusOK
	}
	a, errA := strconv.ParseUint(first, 10, 62)
	b, errB := strconv.ParseUint(last, 10, 62)
	switch {
	case first == "" && errB == nil && b > 0 && size > 0: // the last b bytes
		return max(0, size-int64(b)), size, http.StatusPartialContent
	case first == "" && errB == nil:
		return 0, 0, http.StatusRequestedRangeNotSatisfiable
	case errA != nil || last != "" && (errB != nil || b < a):
		return 0, size, http.StatusOK
	case int64(a) >= size:
		return 0, 0, http.StatusRequestedRangeNotSatisfiable
	case last == "" || int64(b) >= size:
		return int64(a), size, http.StatusPartialContent
	}
	return int64(a), int64(b) + 1, http.StatusPartialContent
}

// copy hands a file on piece by piece; what stands before a range is dropped.
func (s *Server) copy(w http.ResponseWriter, f *file, from, to int64) {
	in := io.Reader(&fed{f})
	if _, err := io.CopyN(io.Discard, in, from); err != nil {
		return
	}
	if to >= 0 {
		in = io.LimitReader(in, to-from)
	}
	out := http.NewResponseController(w)
	piece := make([]byte, pieceBytes)
	for {
		n, err := in.Read(piece)
		if n > 0 {
			_ = out.SetWriteDeadline(time.Now().Add(s.Stall)) // not every writer has one
			if _, err := w.Write(piece[:n]); err != nil {
				return
			}
			f.alive.Reset(f.stall)
		}
		switch {
		case err == io.EOF:
			return
		case err != nil: // a file that is cut off must not look whole
			panic(http.ErrAbortHandler)
		}
	}
}

// say answers with one sentence.
func say(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", mime.FormatMediaType("text/plain", map[string]string{"charset": "utf-8"}))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, sentence+"\n")
}

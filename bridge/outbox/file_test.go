package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.mau.fi/util/dbutil"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/outbox"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
	"lanekeeper/bridge/whatsapp"
)

// carrier is Twilio and the homeserver's store of files as one.
type carrier struct {
	file     string
	info     whatsapp.FileInfo
	missing  error // Twilio's answer
	full     error // the homeserver's
	uploaded string
	name     string
	dropped  int
}

func (c *carrier) Media(context.Context, string) ([]whatsapp.Media, error) {
	if c.missing != nil {
		return nil, c.missing
	}
	return []whatsapp.Media{{URL: "https://x/Media/ME1", Type: "image/jpeg"}, {URL: "https://x/Media/ME2", Type: "image/jpeg"}}, nil
}

func (c *carrier) File(_ context.Context, _, _ string, w io.Writer) (whatsapp.FileInfo, error) {
	if c.missing != nil {
		return whatsapp.FileInfo{}, c.missing
	}
	n, err := io.WriteString(w, c.file)
	info := c.info
	info.Size = int64(n)
	return info, err
}

func (c *carrier) DropFile(context.Context, string, string) error { c.dropped++; return c.missing }

func (c *carrier) UploadFrom(_ context.Context, name, _ string, file io.Reader, size int64) (string, error) {
	if c.full != nil {
		return "", c.full
	}
	b, err := io.ReadAll(file)
	if int64(len(b)) != size {
		return "", errors.New("another size than was told")
	}
	c.uploaded, c.name = string(b), name
	return "mxc://x/1", err
}

// files is the sender of files on a real database, with a clock that the test sets.
type files struct {
	*carrier
	t   *testing.T
	s   *store.Store
	f   *outbox.Carrier
	now time.Time
}

func eachFiles(t *testing.T, test func(f *files)) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		f := &files{carrier: &carrier{file: "%PDF-1.7"}, t: t, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
		f.s = &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Now: func() time.Time { return f.now }}
		f.f = &outbox.Carrier{Store: f.s, Twilio: f.carrier, HS: f.carrier, Dir: t.TempDir()}
		test(f)
	})
}

// does carries one effect out: what comes in, and what is to be done next.
func (f *files) does(file effect.File, attempts int) (r queue.Result, came []effect.Fetched, next []effect.File) {
	f.t.Helper()
	payload, _ := json.Marshal(effect.Effect{File: &file})
	r = f.f.Do(f.t.Context(), queue.Job{ID: 7, Payload: payload, Attempts: attempts})
	if left, _ := os.ReadDir(f.f.Dir); len(left) > 0 {
		f.t.Errorf("%d files are left on the disk", len(left))
	}
	if r.Commit == nil {
		return r, nil, nil
	}
	if err := f.s.Tx(f.t.Context(), r.Commit); err != nil {
		f.t.Fatal(err)
	}
	rows, err := f.s.DB.Query(f.t.Context(), "DELETE FROM job RETURNING queue, payload")
	if err != nil {
		f.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var raw []byte
		if err := rows.Scan(&name, &raw); err != nil {
			f.t.Fatal(err)
		}
		if name == store.QueueIn {
			var in store.Input
			var c effect.Fetched
			_ = json.Unmarshal(raw, &in)
			_ = json.Unmarshal(in.Raw, &c)
			came = append(came, c)
			continue
		}
		var e effect.Effect
		_ = json.Unmarshal(raw, &e)
		next = append(next, *e.File)
	}
	return r, came, next
}

var aFile = effect.File{Handoff: 1, Phone: "+49", Message: "SM1", URL: "https://x/Media/ME1", Type: "image/jpeg"}

func TestFileIsCarried(t *testing.T) {
	eachFiles(t, func(f *files) {
		f.info = whatsapp.FileInfo{Type: "image/jpeg", Name: "../Invoice.pdf"}
		_, came, next := f.does(aFile, 0)
		if len(came) != 1 || len(next) != 0 || came[0].Media == nil {
			t.Fatalf("%+v %+v", came, next)
		}
		if m := came[0].Media; m.URI != "mxc://x/1" || m.Type != "application/pdf" || m.Name != "Invoice.pdf" || m.Size != 8 || f.uploaded != f.file {
			t.Errorf("%+v, uploaded %q as %q", m, f.uploaded, f.name)
		}
	})
}

// 404 for some seconds is Twilio's way. Others pass meanwhile; who sent it and who waits for
// it hear of it once, and again when it is given up.
func TestFileThatIsNotThereYet(t *testing.T) {
	eachFiles(t, func(f *files) {
		f.missing = &whatsapp.Error{Class: whatsapp.Retry, HTTPStatus: 404}
		file, began := aFile, f.now
		var told []string
		for i := 0; ; i++ {
			r, came, next := f.does(file, 0)
			if r.Retry != 0 {
				t.Fatal("the files behind it wait for it")
			}
			for _, c := range came {
				told = append(told, string(c.Missing)+" after "+f.now.Sub(began).String())
			}
			if len(next) == 0 {
				break
			}
			file = next[0]
			if pause := file.At.Sub(f.now); i < 3 && pause != []time.Duration{time.Second, 3 * time.Second, 10 * time.Second}[i] {
				t.Errorf("pause %d is %s", i, pause)
			}
			f.now = file.At
		}
		if got := strings.Join(told, ", "); got != "late after 14s, lost after 24h11m14s" {
			t.Errorf("told: %s", got)
		}
	})
}

func TestFileThatCannotBeHad(t *testing.T) {
	for _, c := range []struct {
		name          string
		missing, full error
		want          effect.Missing
	}{
		{"too large", whatsapp.ErrTooLarge, nil, effect.Large},
		{"at no address of Twilio's", &whatsapp.Error{Class: whatsapp.Permanent}, nil, effect.Lost},
		{"refused by the homeserver", nil, &matrix.Error{Status: 413, Code: "M_TOO_LARGE"}, effect.Refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachFiles(t, func(f *files) {
				f.missing, f.full = c.missing, c.full
				if _, came, next := f.does(aFile, 0); len(came) != 1 || came[0].Missing != c.want || came[0].Media != nil || len(next) > 0 {
					t.Errorf("%+v %+v", came, next)
				}
			})
		})
	}
}

// A homeserver that is away is tried again at once; if it stays away, others pass.
func TestUploadThatFails(t *testing.T) {
	eachFiles(t, func(f *files) {
		f.full = &matrix.Error{Status: 502}
		if r, _, _ := f.does(aFile, 0); r.Retry == 0 {
			t.Error("it is not tried again")
		}
		if r, came, next := f.does(aFile, 5); r.Retry != 0 || len(came) != 0 || len(next) != 1 {
			t.Errorf("%+v %+v", came, next)
		}
	})
}

// Of what is found by listing only the number of files is known.
func TestFilesThatAreListed(t *testing.T) {
	eachFiles(t, func(f *files) {
		listed := aFile
		listed.URL, listed.Type = "", ""
		if _, came, next := f.does(listed, 0); len(came) != 0 || len(next) != 2 || next[1].URL != "https://x/Media/ME2" || next[1].Message != "SM1" {
			t.Errorf("%+v %+v", came, next)
		}
		f.missing = errors.New("away")
		if _, _, next := f.does(listed, 0); len(next) != 1 || next[0].Try != 1 || next[0].URL != "" {
			t.Errorf("%+v", next)
		}
	})
}

func TestDropped(t *testing.T) {
	eachFiles(t, func(f *files) {
		drop := aFile
		drop.Drop = true
		if r, _, next := f.does(drop, 0); r.Retry != 0 || f.dropped != 1 || len(next) != 0 {
			t.Errorf("%+v", r)
		}
		f.missing = &whatsapp.Error{Class: whatsapp.Retry}
		if r, _, _ := f.does(drop, 0); r.Retry == 0 {
			t.Error("it is not tried again")
		}
		if r, _, next := f.does(drop, 6); r.Retry != 0 || len(next) != 0 {
			t.Errorf("it never ends: %+v %+v", r, next)
		}
	})
}

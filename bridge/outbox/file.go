package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/media"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
	"lanekeeper/bridge/whatsapp"
)

// TwilioFiles is what is asked of Twilio about files; *whatsapp.Client in production.
type TwilioFiles interface {
	Media(ctx context.Context, sid string) ([]whatsapp.Media, error)
	File(ctx context.Context, message, address string, w io.Writer) (whatsapp.FileInfo, error)
	DropFile(ctx context.Context, message, address string) error
}

// Uploads is the homeserver's store of files; *matrix.Client in production.
type Uploads interface {
	UploadFrom(ctx context.Context, name, contentType string, file io.Reader, size int64) (string, error)
}

// Carrier brings what agents send on WhatsApp into the homeserver's store. Nothing else
// waits for that, so a file that is large, slow or missing holds up no words. A file
// stands on the disk while it is on its way, and never as a whole in memory.
type Carrier struct {
	Store  *store.Store
	Twilio TwilioFiles
	HS     Uploads
	Log    zerolog.Logger
	Dir    string // for files on their way; empty: the system's
}

const (
	// often is how often a file is tried before people are told that it is late. Twilio has
	// some only seconds after it tells of them.
	often = 4
	// uploads is how often an upload is tried at once before its file lets others pass.
	uploads = 5
	// drops is how often Twilio is asked to delete a file.
	drops = 6
)

// pauses are those between tries to get a file; after the last one it is lost.
var pauses = append([]time.Duration{time.Second, 3 * time.Second, 10 * time.Second, time.Minute, 10 * time.Minute}, hourly(24)...)

func hourly(n int) (all []time.Duration) {
	for range n {
		all = append(all, time.Hour)
	}
	return all
}

// Do carries out one job of the queue "file".
func (f *Carrier) Do(ctx context.Context, job queue.Job) queue.Result {
	var e effect.Effect
	if err := json.Unmarshal(job.Payload, &e); err != nil || e.File == nil {
		return queue.Result{Park: "an effect that cannot be read", Err: err}
	}
	file := *e.File
	file.At = time.Time{}
	switch {
	case file.Drop:
		return f.drop(ctx, job, file)
	case file.URL == "":
		return f.list(ctx, file)
	}
	m, err := f.bring(ctx, file)
	var full *fullError
	switch {
	case err == nil:
		return queue.Result{Commit: func(ctx context.Context) error {
			return f.Store.Fetched(ctx, effect.Fetched{File: file, Media: m})
		}}
	case ctx.Err() != nil: // we stop; the next process begins anew
		return queue.Result{Retry: time.Millisecond, Keep: true}
	case errors.Is(err, whatsapp.ErrTooLarge):
		return f.missing(file, effect.Large, err)
	case errors.As(err, &full):
		return f.missing(file, effect.Refused, err)
	case forGood(err):
		return f.missing(file, effect.Lost, err)
	case isUpload(err) && job.Attempts < uploads:
		return queue.Result{Retry: backoff(job.Attempts, err), Err: err}
	}
	return f.later(file, err)
}

// fullError is a file that the homeserver refuses for good.
type fullError struct{ error }

func (e *fullError) Unwrap() error { return e.error }

// forGood reports whether Twilio is not worth another question.
func forGood(err error) bool {
	var e *whatsapp.Error
	return errors.As(err, &e) && (e.Class == whatsapp.Permanent || e.Class == whatsapp.Content)
}

func isUpload(err error) bool {
	var e *matrix.Error
	return errors.As(err, &e)
}

func (f *Carrier) missing(file effect.File, why effect.Missing, err error) queue.Result {
	return queue.Result{Err: err, Commit: func(ctx context.Context) error {
		return f.Store.Fetched(ctx, effect.Fetched{File: file, Missing: why})
	}}
}

// later puts a file behind those that can be had. People are told once that it is late, and
// at the end that it is lost.
func (f *Carrier) later(file effect.File, err error) queue.Result {
	if file.Try >= len(pauses) {
		return f.missing(file, effect.Lost, err)
	}
	pause := pauses[file.Try]
	file.Try++
	tell := file.Try >= often && !file.Told
	file.Told = file.Told || tell
	if file.Try < often { // as it often is
		f.Log.Debug().Err(err).Msg("A file from WhatsApp is not there yet")
		err = nil
	}
	return queue.Result{Err: err, Commit: func(ctx context.Context) error {
		again := file
		again.At = f.Store.Now().Add(pause)
		if tell {
			if err := f.Store.Fetched(ctx, effect.Fetched{File: file, Missing: effect.Late}); err != nil {
				return err
			}
		}
		return f.Store.Do(ctx, effect.Effect{File: &again})
	}}
}

// list asks which files a message has that Twilio only told the number of.
func (f *Carrier) list(ctx context.Context, file effect.File) queue.Result {
	all, err := f.Twilio.Media(ctx, file.Message)
	switch {
	case ctx.Err() != nil:
		return queue.Result{Retry: time.Millisecond, Keep: true}
	case err == nil && len(all) == 0:
		err = errors.New("the message has no files yet")
	}
	if err != nil {
		return f.later(file, err)
	}
	return queue.Result{Commit: func(ctx context.Context) error {
		for _, m := range all {
			one := file
			one.URL, one.Type, one.Alone = m.URL, m.Type, file.Alone && len(all) == 1
			if err := f.Store.Do(ctx, effect.Effect{File: &one}); err != nil {
				return err
			}
		}
		return nil
	}}
}

// drop deletes at Twilio what is in Matrix. It matters to nobody who waits, so it ends
// without a word where it fails.
func (f *Carrier) drop(ctx context.Context, job queue.Job, file effect.File) queue.Result {
	err := f.Twilio.DropFile(ctx, file.Message, file.URL)
	if err == nil || forGood(err) || job.Attempts >= drops {
		return queue.Result{Err: err}
	}
	return queue.Result{Retry: 10 * time.Second << job.Attempts, Err: err}
}

// bring takes a file from Twilio into the homeserver's store.
func (f *Carrier) bring(ctx context.Context, file effect.File) (*effect.Media, error) {
	disk, err := f.spool()
	if err != nil {
		return nil, err
	}
	defer func() { _ = disk.Close() }()
	info, err := f.Twilio.File(ctx, file.Message, file.URL, disk)
	if err != nil {
		return nil, err
	}
	m := look(disk, info, file)
	if m.URI, err = f.HS.UploadFrom(ctx, m.Name, m.Type, io.NewSectionReader(disk, 0, info.Size), info.Size); err != nil {
		if refusal(err) {
			return nil, &fullError{err}
		}
		return nil, err
	}
	return m, nil
}

// spool is a file on the disk that goes with the process: it has no name any more where the
// system allows that.
func (f *Carrier) spool() (*spooled, error) {
	disk, err := os.CreateTemp(f.Dir, "lanekeeper-*")
	if err != nil {
		return nil, fmt.Errorf("a file on its way needs room on the disk: %w", err)
	}
	_ = os.Remove(disk.Name())
	return &spooled{disk}, nil
}

type spooled struct{ *os.File }

// Close closes the file, and takes its name away where that was not possible before.
func (s *spooled) Close() error {
	err := s.File.Close()
	_ = os.Remove(s.Name())
	return err
}

// look says what a file is. What Twilio says counts for its name alone.
func look(disk io.ReaderAt, info whatsapp.FileInfo, file effect.File) *effect.Media {
	head := make([]byte, media.Head)
	n, _ := disk.ReadAt(head[:min(info.Size, media.Head)], 0)
	declared := info.Type
	if declared == "" || declared == media.Unknown {
		declared = file.Type
	}
	m := &effect.Media{Type: media.Type(head[:n], declared), Size: info.Size}
	i := media.Look(disk, info.Size, m.Type)
	m.Width, m.Height, m.Duration, m.Voice = i.Width, i.Height, i.Duration, m.Type == "audio/ogg"
	if m.Type == "text/vcard" {
		for _, c := range media.Contacts(io.NewSectionReader(disk, 0, info.Size)) {
			m.Contacts = append(m.Contacts, effect.Contact{Name: c.Name, Numbers: c.Numbers})
		}
	}
	given := file.Name
	if given == "" {
		given = info.Name
	}
	m.Name = media.Name(given, text.FileKind(m.Type), m.Type)
	return m
}

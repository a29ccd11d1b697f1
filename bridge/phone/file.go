package phone

import (
	"context"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
	"lanekeeper/bridge/whatsapp"
)

// Look is a file of a line of which nobody knows yet what it is.
type Look struct {
	Line int64
	MXC  string
}

// Looked notes what the file of a line is by its bytes, and how large; a size of -1: it
// goes as a link.
func (q *Queue) Looked(ctx context.Context, l Look, typ string, size int64) error {
	line, err := q.Store.Line(ctx, l.Line)
	if line == nil || err != nil {
		return err
	}
	line.Looked(l.MXC, typ, size)
	return q.Store.ChangeLine(ctx, line)
}

// mostBelow is how long the words below a picture may be, in bytes: WhatsApp allows 1024
// characters.
const mostBelow = 1000

// withFile puts the file of a line to its messages: a picture with its words, any other one
// behind them, as WhatsApp drops the words that come with it.
func withFile(words []string, line *store.Line, link string) (bodies []store.Body) {
	for _, w := range words {
		bodies = append(bodies, store.Body{Words: w})
	}
	f, event := line.File()
	switch {
	case f == nil || link != "":
		return bodies
	case f.Image() && len(bodies) == 1 && len(words[0]) <= mostBelow:
		bodies[0].File = event
		return bodies
	}
	name := handoff.Tag(line.Number, 1, 1) + text.FileNameForAgent(text.File{Name: f.Name, Kind: f.Kind})
	return append(bodies, store.Body{Words: name, File: event})
}

// unfile sends a link in the place of a file that WhatsApp did not take, and has that said.
// Where its author took it back meanwhile nothing of it goes out again.
func (q *Queue) unfile(ctx context.Context, p *store.Part, failure *whatsapp.Error) error {
	line, err := q.Store.Line(ctx, p.Line)
	if err != nil {
		return err
	}
	if line != nil {
		if f, event := line.File(); f == nil || event != p.File {
			return q.failed(ctx, p, failure)
		}
	}
	p.Body += "\n" + q.Link(p.File)
	if len(p.Body) > markup.WhatsAppLimit { // cannot be: only short words have a file
		p.Body = q.Link(p.File)
	}
	p.File = ""
	if err := q.Store.UnfilePart(ctx, p); err != nil {
		return err
	}
	if err := q.again(ctx, p); err != nil {
		return err
	}
	if line == nil {
		return nil
	}
	line.Link() // if it is cut anew, and for other phones
	if err := q.Store.ChangeLine(ctx, line); err != nil {
		return err
	}
	h, err := q.Store.Handoff(ctx, p.Number)
	if h == nil || err != nil {
		return err
	}
	desk, err := q.Relay.Desk(ctx)
	if err != nil {
		return err
	}
	return q.Relay.Apply(ctx, h, desk.Linked(h, line.Line, p.Phone, failure.Sentence()))
}

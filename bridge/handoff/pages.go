package handoff

import (
	"fmt"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/text"
)

// Words that are too long for one event stand in several, one after the other in the
// card's thread: an edit and a deletion reach all of them.

// pages are somebody's words as staff read them, in as many parts as it takes.
func (s *Said) pages(w text.Words, limit int) []text.Words {
	show := func(w text.Words) text.Words { return text.Spoken(s.Name, s.Via, w) }
	pages := markup.Pages(w, show, limit)
	for i := range pages {
		pages[i] = show(pages[i])
	}
	return pages
}

// part is the effect ID of a part of what the card's thread shows of a message.
func part(n int64, source string, i int) string {
	if i == 0 {
		return Copy(n, source)
	}
	return fmt.Sprintf("more:%d:%d:%s", n, i+1, source)
}

// parts is in how many parts the card's thread shows a message.
func (h *Handoff) parts(event string) int { return max(1, h.Parts[event]) }

// paged notes in how many parts a message stands, if in several. They never become
// fewer: those that an edit leaves without words stay.
func (h *Handoff) paged(event string, parts int) {
	if parts <= h.parts(event) {
		return
	}
	if h.Parts == nil {
		h.Parts = map[string]int{}
	}
	h.Parts[event] = parts
}

// editCopy brings what the card's thread shows of a message to its new words. An edit
// holds everything twice, so each part has half the room.
func (dec *Decision) editCopy(h *Handoff, s Said, w text.Words) {
	pages, had := s.pages(w, markup.MaxMessage/2), h.parts(s.Event)
	for i := range max(len(pages), had) {
		id, words := part(h.Number, s.Event, i), text.NoWordsForStaff()
		if i < len(pages) {
			words = pages[i]
		}
		if i >= had {
			dec.inCard(h, id, words.Notice())
			continue
		}
		dec.send(effect.Message{To: effect.Place{SuperAdmin: true}, Edits: effect.To(id), Content: words.Notice()})
	}
	h.paged(s.Event, len(pages))
}

// redactCopy takes a message out of the card's thread.
func (dec *Decision) redactCopy(h *Handoff, event string) {
	for i := range h.parts(event) {
		dec.Effects = append(dec.Effects, effect.Effect{Redact: &effect.Redact{In: effect.Place{SuperAdmin: true}, Target: effect.To(part(h.Number, event, i)), Reason: "withdrawn by who wrote it"}})
	}
}

// long reports whether the card shows less than all of a question.
func long(w text.Words) bool {
	w = text.Words{Plain: w.Plain}
	return markup.Fit(w, cardLimit).Plain != w.Plain
}

package command

import (
	"context"
	"regexp"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// privately is the flag where it is none, however a phone spells its dashes or
// somebody the word.
var privately = regexp.MustCompile(`(?i)(?:^|[^\pL\pN])(?:[\p{Pd}−]+|[\p{Pd}−]{2,}\s)priv\pL*(?:$|[^\pL\pN])`)

// discreet reports whether a command in a lane may have been meant to be
// `human --private`: then its words do not stay there, whatever comes of it. A flag
// that human does not know is most likely that one.
func (k *call) discreet(cmd *command) bool {
	if !k.room.IsLane() || cmd != nil && cmd.name != "human" {
		return false
	}
	l := line{rest: k.rest}
	return privately.MatchString(k.whole) || cmd != nil && l.readFlags(k.takes(cmd), cmd.bare, cmd.literal) != nil
}

// hush refuses what was meant to be private: it goes out of the lane, and only its
// sender reads why, with their words.
func (k *call) hush(ctx context.Context, refused *project.Error) error {
	if err := k.redact(ctx, k.ev.ID); err != nil {
		return err
	}
	if target := k.ev.Replaces(); target != "" { // the edit is gone, and what it edits has the words, too
		if m, err := k.Store.Message(ctx, target); err != nil {
			return err
		} else if m != nil && m.Sender == k.sender && m.Room == k.room.ID {
			if err := k.redact(ctx, target); err != nil {
				return err
			}
		}
	}
	w := text.TakenOutForSender(text.TakenOut{
		Why: refused.Sentence, Words: k.Prefix + " " + k.whole,
		Again: refused.Code != project.NotAllowed, Customer: k.room.Kind == string(project.Customer),
	})
	a := store.Answer{Command: k.ev.ID, To: effect.Place{Person: k.sender}, Words: fitting(w), Result: result(k.name, false, map[string]any{"error": refused.Code})}
	return k.Store.Do(ctx, a.Message())
}

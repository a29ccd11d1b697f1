package store

import (
	"context"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/text"
)

// LateAfter is how long something may wait before staff hear of it.
const LateAfter = 5 * time.Minute

// TellLate tells staff that something waits, once until it is over.
func (s *Store) TellLate(ctx context.Context, what string, words text.Words) error {
	first, err := s.Once(ctx, metaLate(what))
	if err != nil || !first {
		return err
	}
	return s.Do(ctx, toStaff(words))
}

// Alarm is TellLate for what somebody has to mend: it alerts them.
func (s *Store) Alarm(ctx context.Context, what string, words text.Words, whom ...string) error {
	first, err := s.Once(ctx, metaLate(what))
	if err != nil || !first {
		return err
	}
	return s.Do(ctx, effect.Effect{Message: &effect.Message{To: effect.Place{SuperAdmin: true}, Content: words.Mention(whom...).Message()}})
}

// IsLate reports whether staff were told that something waits, and it is not over.
func (s *Store) IsLate(ctx context.Context, what string) (bool, error) {
	told, err := s.Meta(ctx, metaLate(what))
	return told != "", err
}

// LateOver tells staff that something does not wait any more, if they were told
// that it does.
func (s *Store) LateOver(ctx context.Context, what string, words text.Words) error {
	r, err := s.exec(ctx, "DELETE FROM meta WHERE name=$1", metaLate(what))
	if err != nil {
		return wrap("late", err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return wrap("late", err)
	}
	return s.Do(ctx, toStaff(words))
}

func metaLate(what string) string { return "late " + what }

func toStaff(words text.Words) effect.Effect {
	return effect.Effect{Message: &effect.Message{To: effect.Place{SuperAdmin: true}, Content: words.Notice()}}
}

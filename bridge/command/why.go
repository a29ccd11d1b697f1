package command

import (
	"context"
	"slices"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// decisions says by whom and when somebody got what they have in a lane, oldest
// first: the last decisions on their role, and on that lane. Only they themselves
// read that, and who decides such things.
func (k *call) decisions(ctx context.Context, p *project.Project, user string, lane project.Kind) (lines []text.Words, err error) {
	const few = 3
	for _, about := range []project.Kind{"", lane} {
		entries, err := k.Store.Decisions(ctx, p.ID, user, about, few)
		if err != nil {
			return nil, err
		}
		for _, e := range slices.Backward(entries) {
			lines = append(lines, text.Decision(e, k.pill(ctx, e.By)))
		}
	}
	return lines, nil
}

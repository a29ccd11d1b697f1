package command

import (
	"context"
	"slices"
	"time"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// decision is one that led to what somebody has, in words.
type decision struct {
	project.Entry
	words text.Words
}

// is reports whether it is the approval that a grant comes from.
func (d decision) is(g *project.Grant) bool {
	return d.What == project.WhatApprove && d.Lane == g.Lane && d.By == g.Approver && d.Reason == g.Reason && d.At.Sub(g.Since).Abs() < time.Minute
}

// decisions says by whom and when somebody got what they have in a lane, oldest
// first: the last decisions on their role, and on that lane. Only they themselves
// read that, and who decides such things.
func (k *call) decisions(ctx context.Context, p *project.Project, user string, lane project.Kind) (lines []decision, err error) {
	const few = 3
	for _, about := range []project.Kind{"", lane} {
		entries, err := k.Store.Decisions(ctx, p.ID, user, about, few)
		if err != nil {
			return nil, err
		}
		for _, e := range slices.Backward(entries) {
			lines = append(lines, decision{e, text.Decision(e, k.person(ctx, e.By))})
		}
	}
	return lines, nil
}

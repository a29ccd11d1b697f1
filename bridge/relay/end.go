package relay

import "context"

// End closes the handoffs that hang in the direct chat of somebody who was taken out
// of a project: those that were asked there; with project "" all, of somebody whom
// the bot does not know any more.
func (r *Relay) End(ctx context.Context, user, project string) error {
	handoffs, err := r.Store.HandoffsInDirect(ctx, user)
	if err != nil || len(handoffs) == 0 {
		return err
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return err
	}
	for _, h := range handoffs {
		if project != "" && h.Project != project {
			continue
		}
		if h.Billed, err = r.Store.Billed(ctx, h.Number); err != nil {
			return err
		}
		if err := r.apply(ctx, h, desk.End(h)); err != nil {
			return err
		}
	}
	return nil
}

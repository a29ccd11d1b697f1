package relay

import "context"

// Archived tells both sides of each question that is open in a lane of a project that its
// asker can read on there, and not reply. What goes on in direct chats goes on.
func (r *Relay) Archived(ctx context.Context, project string) error {
	desk, err := r.desk(ctx)
	if err != nil {
		return err
	}
	const page = 100
	for after := int64(0); ; {
		found, err := r.Store.OpenIn(ctx, project, after, page)
		if err != nil {
			return err
		}
		for _, h := range found {
			after = h.Number
			dec, changed := desk.Archived(h)
			if err := r.applyIf(ctx, h, dec, changed); err != nil {
				return err
			}
		}
		if len(found) < page {
			return nil
		}
	}
}

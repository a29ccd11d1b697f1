package reconcile

import (
	"context"
	"time"

	"lanekeeper/bridge/picture"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
)

// avatar is the picture of a kind of room: what it is called, and how it is drawn.
type avatar struct {
	name string
	draw func() []byte
}

// avatarOf is the picture of a room; ok is false if it has none. All projects share those
// of their lanes, which tell nothing but the kind; no two kinds share one, and what only
// staff can know of is in no other.
func avatarOf(kind string, p *project.Project) (a avatar, ok bool) {
	switch {
	case kind == store.SuperAdmin:
		return avatar{"super-admin", picture.SuperAdmin}, true
	case kind == string(project.Customer):
		return avatar{"customer", picture.Customer}, true
	case kind == string(project.Internal):
		return avatar{"internal", picture.Internal}, true
	case kind == string(project.Notes):
		return avatar{"notes", picture.Notes}, true
	case kind == string(project.Space) && p != nil:
		initials := picture.Initials(p.Name)
		return avatar{"space " + initials, func() []byte { return picture.Space(initials) }}, true
	}
	return avatar{}, false
}

func metaAvatar(name string) string { return "avatar:" + name }

// pictures gives a subject the addresses of its rooms' pictures. What is missing is
// uploaded, once, if upload is set. Without one a room is in order all the same: nothing
// waits for a picture.
func (r *Reconciler) pictures(ctx context.Context, s *subject, upload bool) error {
	s.pictures = map[string]string{}
	for _, kind := range s.kinds {
		a, ok := avatarOf(kind, s.project)
		if !ok {
			continue
		}
		address, err := r.Store.Meta(ctx, metaAvatar(a.name))
		if err != nil {
			return err
		}
		if address == "" && upload {
			address = r.upload(ctx, a)
		}
		s.pictures[kind] = address
	}
	return nil
}

// upload stores a picture. Who dies in between uploads it again: nothing points to the
// first one. Where that does not work it is left for a while.
func (r *Reconciler) upload(ctx context.Context, a avatar) string {
	now := r.Store.Now()
	r.mu.Lock()
	wait := r.noPictures.After(now)
	r.mu.Unlock()
	if wait {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, uploadTime)
	defer cancel()
	address, err := r.HS.Upload(ctx, "avatar.png", "image/png", a.draw())
	if err == nil {
		err = r.Store.SetMeta(ctx, metaAvatar(a.name), address)
	}
	if err != nil {
		r.Log.Warn().Err(err).Str("picture", a.name).Msg("A room's picture cannot be uploaded; it goes without for now")
		r.mu.Lock()
		r.noPictures = now.Add(slowRetry)
		r.mu.Unlock()
		return ""
	}
	return address
}

// uploadTime is how long rooms wait for a picture of theirs.
const uploadTime = 10 * time.Second

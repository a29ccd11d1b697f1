package action

import (
	"context"
	"slices"

	"lanekeeper/bridge/policy"
)

// Might reports whether somebody has one of some abilities in a project, or with id
// "" in any: who has none is told nothing more of what such an action needs.
func (a *Actions) Might(ctx context.Context, user, id string, some ...policy.Ability) (bool, error) {
	if slices.ContainsFunc(some, func(n policy.Ability) bool { return a.Policy.Can(user, n, nil) }) {
		return true, nil
	}
	roles := a.Policy.RolesWith(some...)
	if id == "" {
		return a.Store.HasRole(ctx, user, roles)
	}
	role, err := a.Store.Role(ctx, id, user)
	return role != "" && slices.Contains(roles, role), err
}

// MayAsk reports whether somebody may ask for a human: in a lane of a project by
// their role there, in their direct chat (id "") by a platform role or by their role
// in some project.
func (a *Actions) MayAsk(ctx context.Context, user, id string) (bool, error) {
	if id == "" && a.Policy.Known(user) {
		return true, nil
	}
	return a.Might(ctx, user, id, policy.Human)
}

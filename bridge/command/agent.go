package command

import (
	"context"
	"strings"
	"time"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// staffOnly refuses what has its place in the super-admin room alone.
func (k *call) staffOnly() error {
	switch {
	case k.room.Kind != store.SuperAdmin:
		return project.Refuse(project.WrongRoom, "%s", text.AgentsHereForStaff())
	case !k.Relay.WhatsApp:
		return project.Refuse(project.Unavailable, "%s", text.NoWhatsAppForStaff())
	}
	return nil
}

func (k *call) agentList(ctx context.Context) (*reply, error) {
	if err := k.staffOnly(); err != nil {
		return nil, err
	}
	if err := k.done(); err != nil {
		return nil, err
	}
	return k.said(k.Relay.AgentList(ctx))
}

func (k *call) agentAdd(ctx context.Context) (*reply, error) {
	if err := k.staffOnly(); err != nil {
		return nil, err
	}
	number, _ := k.next()
	user := ""
	if f := k.flags["mxid"]; f != "" {
		var ok bool
		if user, ok = userOf(f); !ok {
			return nil, project.Refuse(project.BadArgument, "%s", text.NoIDAfterForSender(short(f), "mxid", k.Store.Domain))
		}
		if !k.Policy.MayBind(k.sender, user) {
			return nil, project.Refuse(project.NotAllowed, "%s", text.NotTheirPhoneForStaff())
		}
	}
	return k.said(k.Relay.AgentAdd(ctx, k.sender, number, strings.Trim(strings.TrimSpace(k.rest), `"“”„`), user))
}

func (k *call) agentRemove(ctx context.Context) (*reply, error) {
	if err := k.staffOnly(); err != nil {
		return nil, err
	}
	return k.said(k.Relay.AgentRemove(ctx, k.sender, k.rest))
}

func (k *call) agentPause(ctx context.Context) (*reply, error) {
	if err := k.staffOnly(); err != nil {
		return nil, err
	}
	var span time.Duration
	if f := k.flags["for"]; f != "" {
		var err error
		if span, err = project.ParseFor(f); err != nil {
			return nil, err
		}
	}
	return k.said(k.Relay.AgentPause(ctx, k.sender, k.rest, span))
}

func (k *call) agentResume(ctx context.Context) (*reply, error) {
	if err := k.staffOnly(); err != nil {
		return nil, err
	}
	return k.said(k.Relay.AgentResume(ctx, k.sender, k.rest))
}

package command

import (
	"context"
	"strings"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// help lists what the sender can do here: only what works in this room, and only
// what their role allows.
func (k *call) help(ctx context.Context) (*reply, error) {
	name := strings.ToLower(strings.TrimSpace(k.rest))
	var p *project.Project
	var err error
	if k.room.Project != "" {
		if p, err = k.Store.Project(ctx, k.room.Project); err != nil {
			return nil, err
		}
	}
	var lines []text.Words
	for _, cmd := range table {
		switch {
		case k.room.Kind == string(project.Customer) && !cmd.customer:
		case name != "" && cmd.name != name && !strings.HasPrefix(cmd.name, name+" "):
		case cmd.ability != "" && !k.shown(ctx, cmd, p):
		default:
			typed := strings.TrimSpace(cmd.name + " " + cmd.usage)
			if k.room.IsLane() {
				typed = k.Prefix + " " + typed
			}
			lines = append(lines, text.Say("%s – %s", text.Code(typed), cmd.does))
		}
	}
	if len(lines) == 0 {
		return nil, project.Refuse(project.NotFound, "I have no such command for you. Write %s for those I have.", k.spell("help"))
	}
	if name == "" && k.room.Kind != store.SuperAdmin {
		lines = append(lines, text.Say("Put 🙋 on a message of yours to ask a person about it."))
	}
	return &reply{words: text.Join(lines...)}, nil
}

// shown reports whether the help names a command that needs an ability.
func (k *call) shown(ctx context.Context, cmd *command, p *project.Project) bool {
	if k.Policy.Can(k.sender, cmd.ability, nil) || cmd.ability == "human" {
		return true
	}
	if cmd.platform {
		return false
	}
	if p != nil {
		return k.Policy.Can(k.sender, cmd.ability, p)
	}
	mine, err := k.Store.ProjectsOf(ctx, k.sender)
	if err != nil {
		return false
	}
	for _, q := range mine[:min(len(mine), 20)] {
		if full, err := k.Store.Project(ctx, q.ID); err == nil && full != nil && k.Policy.Can(k.sender, cmd.ability, full) {
			return true
		}
	}
	return false
}

func (k *call) version(ctx context.Context) (*reply, error) {
	return &reply{fields: map[string]any{"version": k.Version}, words: text.Say("Lanekeeper %s", k.Version)}, nil
}

func (k *call) ping(ctx context.Context) (*reply, error) {
	took := k.now.Sub(k.ev.TS).Milliseconds()
	return &reply{fields: map[string]any{"ms": took}, words: text.Say("I am here. Your message took %d ms to me.", took)}, nil
}

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
	var lines []text.Words
	for _, cmd := range table {
		switch {
		case k.room.Kind == string(project.Customer) && !cmd.customer:
		case name != "" && cmd.name != name && !strings.HasPrefix(cmd.name, name+" "):
		default:
			if may, err := k.might(ctx, cmd); err != nil {
				return nil, err
			} else if !may {
				continue
			}
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

func (k *call) version(ctx context.Context) (*reply, error) {
	return &reply{fields: map[string]any{"version": k.Version}, words: text.Say("Lanekeeper %s", k.Version)}, nil
}

func (k *call) ping(ctx context.Context) (*reply, error) {
	took := k.now.Sub(k.ev.TS).Milliseconds()
	return &reply{fields: map[string]any{"ms": took}, words: text.Say("I am here. Your message took %d ms to me.", took)}, nil
}

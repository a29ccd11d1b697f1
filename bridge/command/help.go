package command

import (
	"context"
	"slices"
	"strings"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// help lists what the sender can do here: only what works in this room, and only
// what their role allows. With a name it explains that command.
func (k *call) help(ctx context.Context) (*reply, error) {
	name := strings.ToLower(strings.TrimSpace(k.rest))
	var names []string
	for _, cmd := range table {
		switch {
		case k.room.Kind == string(project.Customer) && !cmd.customer || slices.Contains(cmd.never, k.room.Kind):
		case name != "" && cmd.name != name && !strings.HasPrefix(cmd.name, name+" "):
		default:
			if may, err := k.might(ctx, cmd); err != nil {
				return nil, err
			} else if may {
				names = append(names, cmd.name)
			}
		}
	}
	switch {
	case len(names) == 0:
		return nil, project.Refuse(project.NotFound, "%s", text.NoHelpForSender(k.spell("help")))
	case name != "":
		return &reply{words: text.HelpOnForAnyone(names, k.before())}, nil
	}
	return &reply{words: text.HelpForAnyone(names, k.before(), k.room.Kind != store.SuperAdmin)}, nil
}

func (k *call) version(ctx context.Context) (*reply, error) {
	return &reply{fields: map[string]any{"version": k.Version}, words: text.VersionForAnyone(k.Version)}, nil
}

func (k *call) ping(ctx context.Context) (*reply, error) {
	took := k.now.Sub(k.ev.TS).Milliseconds()
	return &reply{fields: map[string]any{"ms": took}, words: text.PingForAnyone(took)}, nil
}

package handle

import (
	"context"
	"regexp"
	"strings"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// callsADay is how often one person may alert everybody in lanes.
const callsADay = 3

// channel is the word by which people of other chats alert everybody; Matrix knows @room.
var channel = regexp.MustCompile(`(?i)(?:^|[\s(*_])@channel\b`)

// alerts reports whether a message alerts everybody by itself: it says so, or the client
// is older than that and it has the word
// (https://spec.matrix.org/v1.15/client-server-api/#user-and-room-mentions).
func alerts(ev *matrix.Event, body string) bool {
	mentions, says := ev.Content["m.mentions"].(map[string]any)
	if !says {
		return strings.Contains(body, "@room")
	}
	room, _ := mentions["room"].(bool)
	return room
}

// everybody takes a message of a lane that is for everybody there. @channel becomes an
// alert by the bot; each person has a few of both in a day. Beyond them the bot says so,
// and staff hear of it, once a day.
func (h *Handler) everybody(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	if !room.IsLane() || ev.MsgType() == "m.notice" {
		return nil
	}
	body := markup.Unquoted(ev.Content)
	native := alerts(ev, body)
	if !native && !channel.MatchString(body) {
		return nil
	}
	over, first, err := h.Store.Spend(ctx, ev.Sender, store.MeterEverybody, ev.TS, 24*time.Hour, callsADay)
	if err != nil || over && !first || native && !over {
		return err
	}
	reply := effect.Message{To: effect.Place{Room: room.ID}, Thread: effect.Ref(ev.Thread()), ReplyTo: effect.Ref(ev.ID)}
	name := h.Store.NameIn(ctx, ev.Sender, room.ID)
	if !over {
		reply.Content = text.EverybodyForLane(name).Message()
		reply.Content["m.mentions"] = map[string]any{"room": true}
		return h.Store.Do(ctx, effect.Effect{Message: &reply})
	}
	p, err := h.Store.Project(ctx, room.Project)
	if p == nil || err != nil {
		return err
	}
	reply.Content = text.TooManyCallsForSender(callsADay, native).Notice()
	staff := effect.Message{To: effect.Place{SuperAdmin: true}, Content: text.TooManyCallsForStaff(text.Pill{ID: ev.Sender, Name: name}, text.LaneTitle(project.Kind(room.Kind), p.Name), callsADay).Notice()}
	return h.Store.Do(ctx, effect.Effect{Message: &reply}, effect.Effect{Message: &staff})
}

package handle_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// MSG-19: @channel alerts everybody, a few times a day and person; over that the bot says
// so, and staff are told, once. @room is counted with it.
func TestEverybody(t *testing.T) {
	each(t, func(d *desk) {
		all := func() (said []string) {
			for _, e := range d.effects() {
				if m := e.Message; m != nil {
					said = append(said, fmt.Sprint(m.To.Room, m.To.SuperAdmin, " ", m.Content["msgtype"], " ", m.Content["m.mentions"], " ", m.Content["body"]))
				}
			}
			return said
		}
		content := func(body string, mentions map[string]any) map[string]any {
			c := map[string]any{"msgtype": "m.text", "body": body}
			if mentions != nil {
				c["m.mentions"] = mentions
			}
			return c
		}
		says := func(body string, mentions map[string]any) {
			d.event("!customer", xena, "m.room.message", nil, content(body, mentions), false)
		}
		for _, body := range []string{"mail me@channel.tv", "> <@mia:x> @channel look\n\nyes", "#channel", "@channels"} {
			d.event("!customer", xena, "m.room.message", nil, map[string]any{"msgtype": "m.text", "body": body, "m.relates_to": map[string]any{"m.in_reply_to": map[string]any{"event_id": "$x"}}}, false)
		}
		says("@room is only a word here", map[string]any{})
		if got := all(); len(got) != 0 {
			t.Errorf("no call: %q", got)
		}
		says("@Channel, the site is down", nil)
		if got := all(); len(got) != 1 || !strings.HasPrefix(got[0], "!customerfalse m.text map[room:true] @room xena calls everybody here.") {
			t.Errorf("a call: %q", got)
		}
		says("look", map[string]any{"room": true})
		says("@room look", nil)
		if got := all(); len(got) != 0 {
			t.Errorf("calls by Matrix itself: %q", got)
		}
		says("and @channel again", nil)
		if got := all(); len(got) != 2 || !strings.Contains(strings.Join(got, "\n"), "!customerfalse m.notice") || !strings.Contains(got[0]+got[1], "Nobody was alerted") || strings.Contains(got[0]+got[1], "room:true") {
			t.Errorf("too many: %q", got)
		}
		says("@channel!", nil)
		says("@room look", nil)
		if got := all(); len(got) != 0 {
			t.Errorf("said again: %q", got)
		}
		d.now = d.now.Add(25 * time.Hour)
		says("@channel good morning", nil)
		if got := all(); len(got) != 1 || !strings.Contains(got[0], "room:true") {
			t.Errorf("a day later: %q", got)
		}
	})
}

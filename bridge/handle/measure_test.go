package handle_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// R8. Commands of one person beyond the limit of a minute are not carried out, and a
// sentence says so once. One that has no place in the customer lane is taken out all
// the same.
func TestTooManyCommands(t *testing.T) {
	each(t, func(d *desk) {
		d.h.Commands.PerMinute = 3
		d.opened("!d")
		d.effects()
		var said []string
		for i := range 8 {
			d.says("!d", carl, fmt.Sprint("ping ", i))
			said = append(said, bodies(d.effects())...)
		}
		if len(said) != 4 || strings.Contains(strings.Join(said[:3], " "), "more than 3") || !strings.Contains(said[3], "more than 3 commands in a minute") {
			t.Errorf("R8: said %q", said)
		}
		d.says("!customer", mia, "!lane ping")
		if got := bodies(d.effects()); len(got) != 1 {
			t.Errorf("R8: somebody else reads %q", got)
		}
		for range 4 {
			d.says("!customer", mia, "!lane who")
		}
		d.effects()
		d.says("!customer", mia, "!lane approve @xena:x")
		if e := d.effects(); len(e) != 1 || e[0].Redact == nil {
			t.Errorf("R8: the customer goes on reading it: %+v", e)
		}
		d.now = d.now.Add(time.Minute)
		d.says("!d", carl, "ping")
		if got := bodies(d.effects()); len(got) != 1 || strings.Contains(got[0], "more than") {
			t.Errorf("R8: a minute later %q", got)
		}
	})
}

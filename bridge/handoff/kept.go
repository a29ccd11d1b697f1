package handoff

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"lanekeeper/bridge/markup"
)

// An answer of which nobody knows for whom it is is kept while its agent is asked. The
// number alone, right after that, sends it.

// KeptFor is how long such an answer waits for its number.
const KeptFor = 10 * time.Minute

// bareNumber is a number and nothing else, as agents write it.
var bareNumber = regexp.MustCompile(`^(?:#|` + asNumber + `)?\s*(\d{1,18})$`)

// Bare reads a message that is nothing but a number.
func Bare(in Incoming) (n int64, ok bool) {
	if in.Button != "" || in.File || in.Quotes || in.Opening {
		return 0, false
	}
	m := bareNumber.FindStringSubmatch(strings.ReplaceAll(folded(in.Body), string(keycap), ""))
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	return n, err == nil && n > 0
}

// Keeps reports whether a message that has to be asked about is an answer as it stands:
// words, and no number, word or quote that could mean something else.
func (d *Desk) Keeps(in Incoming) bool {
	body := strings.TrimSpace(in.Body)
	if in.File || in.Opening || in.Button != "" || in.Quoted != 0 || markup.Empty(body) {
		return false
	}
	verb, _, doubtful := d.spelled(body)
	head := leading(body)
	_, bare := Bare(in)
	return verb == "" && !doubtful && !head.unsure && head.number == 0 && !bare && !likeTag.MatchString(folded(body))
}

package command

import (
	"encoding/json"

	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/text"
)

// An answer is one event, of at most 65,536 bytes
// (https://spec.matrix.org/v1.15/client-server-api/#size-limits), and an edit of
// it holds everything twice.
const (
	maxResult = 18_000 // bytes of the fields of a result
	maxWords  = 10_000 // bytes of the words
	maxPage   = 9_000  // bytes of the words and of the fields of a list that goes on
	maxListed = 100    // lines of a list in words
)

// result is the content of lanekeeper.result. Lists that are too long for an event
// are cut, which "truncated" says.
func result(name string, ok bool, fields map[string]any) map[string]any {
	m := map[string]any{}
	for key, v := range fields {
		m[key] = v
	}
	for size(m) > maxResult {
		longest, list := "", []any(nil)
		for key, v := range m {
			if l, isList := v.([]any); isList && len(l) > len(list) {
				longest, list = key, l
			}
		}
		if longest == "" {
			break
		}
		m[longest], m["truncated"] = list[:len(list)/2], true
	}
	m["ok"], m["command"] = ok, name
	return m
}

func size(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return 0 // what cannot be written is the sender's trouble
	}
	return len(b)
}

// fitting makes words short enough for an answer.
func fitting(w text.Words) text.Words { return markup.Fit(w, maxWords) }

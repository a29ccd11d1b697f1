package matrix_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"lanekeeper/bridge/matrix"
)

func parse(t *testing.T, raw string) *matrix.Event {
	t.Helper()
	e, err := matrix.ParseEvent("!room", json.RawMessage(raw))
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return e
}

// message is an event with the given content.
func message(t *testing.T, content string) *matrix.Event {
	t.Helper()
	return parse(t, `{"event_id":"$e","type":"m.room.message","sender":"@a:b","origin_server_ts":1795000000000,"content":`+content+`}`)
}

func TestParseEvent(t *testing.T) {
	raw := `{"event_id":"$e","type":"m.room.member","room_id":"!other","sender":"@a:b","state_key":"","origin_server_ts":1795000000123,
		"content":{"membership":"join"},"unsigned":{"transaction_id":"t1","prev_content":{"membership":"invite"},"age":5}}`
	e := parse(t, raw)
	if e.ID != "$e" || e.Type != "m.room.member" || e.Room != "!room" || e.Sender != "@a:b" || string(e.Raw) != raw {
		t.Errorf("%+v", e)
	}
	if !e.TS.Equal(time.UnixMilli(1795000000123)) || !e.IsState("m.room.member", "") || e.IsState("m.room.member", "@a:b") {
		t.Errorf("%+v", e)
	}
	if e.Membership() != "join" || e.Unsigned.TransactionID != "t1" || e.Unsigned.PrevContent["membership"] != "invite" {
		t.Errorf("%+v", e)
	}
	if e.Unsigned.RedactedBecause != nil {
		t.Error("it is not redacted")
	}
	own, err := matrix.ParseEvent("", json.RawMessage(raw))
	if err != nil || own.Room != "!other" {
		t.Errorf("without a room: %v %v", own, err)
	}
}

// PostgreSQL stores no U+0000 and no broken UTF-8; anybody can send the one.
func TestStorable(t *testing.T) {
	e := parse(t, `{"event_id":"$e","type":"m.room.message","sender":"@a:b","state_key":"a\u0000b","origin_server_ts":1795000000000,
		"content":{"body":"x\u0000y \\u0000","m.relates_to":{"rel_type":"m.thread","event_id":"$\u0000t"},"n":9007199254740993,"k\u0000":["\u0000"]}}`)
	if e.Body() != `x`+`y \u0000` || e.Thread() != "$t" || *e.StateKey != "ab" || e.Content["k"] == nil || !e.TS.Equal(time.UnixMilli(1795000000000)) {
		t.Errorf("%+v", e)
	}
	if strings.Contains(strings.ReplaceAll(string(e.Raw), `\\u0000`, ""), `\u0000`) || !strings.Contains(string(e.Raw), "9007199254740993") {
		t.Errorf("raw %s", e.Raw)
	}
	if e := parse(t, "{\"event_id\":\"$e\",\"type\":\"t\",\"sender\":\"@a:b\",\"content\":{\"body\":\"\xff\"}}"); !utf8.Valid(e.Raw) {
		t.Errorf("raw %q", e.Raw)
	}
}

// What is not an event is an error and not a half-filled event: the caller puts it aside.
func TestNoEvent(t *testing.T) {
	for _, raw := range []string{
		``, `null`, `7`, `"x"`, `[]`, `{}`, `{`, `{"event_id":"$e","type":"t","sender":"@a:b"}`,
		`{"type":"t","sender":"@a:b","content":{}}`,
		`{"event_id":"","type":"t","sender":"@a:b","content":{}}`,
		`{"event_id":7,"type":"t","sender":"@a:b","content":{}}`,
		`{"event_id":"$e","type":7,"sender":"@a:b","content":{}}`,
		`{"event_id":"$e","type":"t","sender":null,"content":{}}`,
		`{"event_id":"$e","type":"t","sender":"@a:b","content":null}`,
		`{"event_id":"$e","type":"t","sender":"@a:b","content":[]}`,
		`{"event_id":"$e","type":"t","sender":"@a:b","content":"x"}`,
		`{"event_id":"$e","type":"t","sender":"@a:b","content":{},"state_key":7}`,
		`{"event_id":"$e","type":"t","sender":"@a:b","content":{},"origin_server_ts":"soon"}`,
	} {
		if e, err := matrix.ParseEvent("!room", json.RawMessage(raw)); err == nil {
			t.Errorf("%s gave %+v", raw, e)
		}
	}
	stripped, err := matrix.ParseStripped("!room", json.RawMessage(`{"type":"t","sender":"@a:b","content":{},"state_key":""}`))
	if err != nil || stripped.ID != "" {
		t.Errorf("stripped state: %v %v", stripped, err)
	}
}

func TestRedaction(t *testing.T) {
	for name, raw := range map[string]string{
		"to version 10": `{"event_id":"$r","type":"m.room.redaction","sender":"@a:b","redacts":"$x","content":{"reason":"no","redacts":"$forged"}}`,
		"from 11":       `{"event_id":"$r","type":"m.room.redaction","sender":"@a:b","content":{"redacts":"$x"}}`,
		"odd top level": `{"event_id":"$r","type":"m.room.redaction","sender":"@a:b","redacts":7,"content":{"redacts":"$x"}}`,
	} {
		if e := parse(t, raw); e.Redacts != "$x" {
			t.Errorf("%s: %q", name, e.Redacts)
		}
	}
	if e := parse(t, `{"event_id":"$m","type":"m.room.message","sender":"@a:b","redacts":"$x","content":{"redacts":"$x"}}`); e.Redacts != "" {
		t.Error("a message redacts nothing")
	}
	e := parse(t, `{"event_id":"$m","type":"m.room.message","sender":"@a:b","content":{},"unsigned":{"redacted_because":
		{"event_id":"$r","type":"m.room.redaction","sender":"@c:d","content":{"reason":"no","redacts":"$m"}}}}`)
	if b := e.Unsigned.RedactedBecause; b == nil || b.ID != "$r" || b.Sender != "@c:d" || b.Redacts != "$m" {
		t.Errorf("redacted because %+v", b)
	}
	for _, odd := range []string{`true`, `"$r"`, `{}`, `[]`, `{"event_id":7}`} {
		e := parse(t, `{"event_id":"$m","type":"m.room.message","sender":"@a:b","content":{},"unsigned":{"redacted_because":`+odd+`}}`)
		if e.Unsigned.RedactedBecause == nil {
			t.Errorf("redacted_because %s is lost", odd)
		}
	}
}

func TestRelations(t *testing.T) {
	type want struct{ thread, reply, replaces, target, key string }
	for name, c := range map[string]struct {
		content string
		want    want
	}{
		"none":              {`{"body":"x"}`, want{}},
		"reply":             {`{"m.relates_to":{"m.in_reply_to":{"event_id":"$1"}}}`, want{reply: "$1"}},
		"thread":            {`{"m.relates_to":{"rel_type":"m.thread","event_id":"$0","is_falling_back":true,"m.in_reply_to":{"event_id":"$1"}}}`, want{thread: "$0"}},
		"reply in a thread": {`{"m.relates_to":{"rel_type":"m.thread","event_id":"$0","is_falling_back":false,"m.in_reply_to":{"event_id":"$1"}}}`, want{thread: "$0", reply: "$1"}},
		"not said":          {`{"m.relates_to":{"rel_type":"m.thread","event_id":"$0","m.in_reply_to":{"event_id":"$1"}}}`, want{thread: "$0", reply: "$1"}},
		"fallback outside":  {`{"m.relates_to":{"is_falling_back":true,"m.in_reply_to":{"event_id":"$1"}}}`, want{reply: "$1"}},
		"edit":              {`{"m.new_content":{"body":"y"},"m.relates_to":{"rel_type":"m.replace","event_id":"$1"}}`, want{replaces: "$1"}},
		"reaction":          {`{"m.relates_to":{"rel_type":"m.annotation","event_id":"$1","key":"👍"}}`, want{target: "$1", key: "👍"}},
		"key without":       {`{"m.relates_to":{"rel_type":"m.annotation","key":"👍"}}`, want{}},
		"odd kinds":         {`{"m.relates_to":{"rel_type":7,"event_id":[],"m.in_reply_to":"$1"},"m.new_content":"x"}`, want{}},
		"odd relation":      {`{"m.relates_to":"$1"}`, want{}},
	} {
		e := message(t, c.content)
		target, key := e.Annotates()
		if got := (want{e.Thread(), e.ReplyTo(), e.Replaces(), target, key}); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := message(t, `{"m.new_content":{"body":"y"}}`).NewContent()["body"]; got != "y" {
		t.Errorf("new content %v", got)
	}
	if message(t, `{"m.new_content":["y"]}`).NewContent() != nil {
		t.Error("an odd new content is none")
	}
}

// MSG-18: mentions on purpose.
func TestMentions(t *testing.T) {
	for content, want := range map[string][]string{
		`{"m.mentions":{"user_ids":["@a:b","@c:d"]}}`: {"@a:b", "@c:d"},
		`{"m.mentions":{"user_ids":["@a:b",7,null]}}`: {"@a:b"},
		`{"m.mentions":{"user_ids":"@a:b"}}`:          nil,
		`{"m.mentions":[]}`:                           nil,
		`{}`:                                          nil,
	} {
		if got := message(t, content).Mentions(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", content, got)
		}
	}
}

// Whatever people and servers write: no panic, and the raw event stays.
func TestAnyShape(t *testing.T) {
	keys := []string{"event_id", "type", "sender", "content", "state_key", "unsigned", "redacts", "origin_server_ts", "body", "msgtype",
		"m.relates_to", "m.in_reply_to", "rel_type", "m.new_content", "m.mentions", "user_ids", "membership", "redacted_because", "m.read", "key"}
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		return rapid.Custom(func(t *rapid.T) any {
			kinds := []string{"null", "true", "number", "text", "event"}
			if depth > 0 {
				kinds = append(kinds, "list", "object", "object", "object")
			}
			switch rapid.SampledFrom(kinds).Draw(t, "kind") {
			case "true":
				return true
			case "number":
				return rapid.Float64().Draw(t, "number")
			case "text":
				return rapid.SampledFrom([]string{"", "m.thread", "m.annotation", "m.room.redaction", "m.receipt"}).Draw(t, "text")
			case "event":
				return map[string]any{"event_id": "$e", "type": "m.room.redaction", "sender": "@a:b", "content": map[string]any{}}
			case "list":
				return rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "list")
			case "object":
				return rapid.MapOfN(rapid.SampledFrom(keys), value(depth-1), 0, 8).Draw(t, "object")
			}
			return nil
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		event := rapid.MapOfN(rapid.SampledFrom(keys), value(4), 0, 12).Draw(t, "event")
		for key, want := range map[string]any{"event_id": "$e", "type": "m.room.message", "sender": "@a:b", "content": map[string]any{}} {
			if rapid.Bool().Draw(t, key) {
				event[key] = want
			}
		}
		raw, err := json.Marshal(event)
		if err != nil {
			t.Skip(err)
		}
		e, err := matrix.ParseEvent("!room", raw)
		if err != nil {
			return
		}
		e.Body()
		e.MsgType()
		e.Thread()
		e.ReplyTo()
		e.Replaces()
		e.Annotates()
		e.NewContent()
		e.Mentions()
		e.Membership()
		if e.ID == "" || e.Type == "" && event["type"] != "" || e.Content == nil || string(e.Raw) != string(raw) {
			t.Fatalf("%s gave %+v", raw, e)
		}
	})
}

// R6: what people write where an event id belongs is one only if it can be one.
func TestIDsThatCannotBe(t *testing.T) {
	for _, id := range []string{"", "$", "~ask:7", "x", " $a", "$a\nb", "$" + strings.Repeat("a", 255)} {
		quoted, _ := json.Marshal(id)
		relates := func(rel string) *matrix.Event {
			return message(t, `{"m.relates_to":{"rel_type":"`+rel+`","key":"✅","event_id":`+string(quoted)+`,"m.in_reply_to":{"event_id":`+string(quoted)+`}}}`)
		}
		target, _ := relates("m.annotation").Annotates()
		redaction := parse(t, `{"event_id":"$r","type":"m.room.redaction","sender":"@a:b","redacts":`+string(quoted)+`,"content":{"redacts":`+string(quoted)+`}}`)
		if got := relates("m.thread").Thread() + relates("m.replace").Replaces() + relates("x").ReplyTo() + target + redaction.Redacts; got != "" {
			t.Errorf("%.20q is believed: %.80q", id, got)
		}
	}
}

// R10: a number that fits nothing makes no event unreadable.
func TestNumbers(t *testing.T) {
	e := message(t, `{"body":"x","n":1e999,"levels":{"redact":50,"list":[7,-1e999]},"big":9007199254740993}`)
	levels, _ := e.Content["levels"].(map[string]any)
	if _, isFloat := e.Content["n"].(float64); isFloat || levels["redact"] != 50.0 || e.Content["big"] != 9007199254740992.0 || e.Body() != "x" {
		t.Errorf("%v", e.Content)
	}
	if _, err := json.Marshal(e.Content); err != nil {
		t.Error(err)
	}
	if e := parse(t, `{"event_id":"$e","type":"t","sender":"@a:b","content":{},"unsigned":{"prev_content":{"n":1e999,"m":1}}}`); e.Unsigned.PrevContent["m"] != 1.0 {
		t.Errorf("%v", e.Unsigned.PrevContent)
	}
}

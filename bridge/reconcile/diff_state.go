package reconcile

import (
	"strings"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// guards lists state in the order in which it is written: first what lets people
// in or shows them something.
var guards = []string{typeJoinRules, typeGuests, typeHistory, typeLane, typeProject, typeTopic, typeAvatar}

func (f *differ) state() {
	for _, typ := range guards {
		if want, ok := f.d.State[Key{typ, ""}]; ok && !same(f.a.Content(typ, ""), want) {
			f.put(typ, "", want, stateWords(typ, f.title, want))
		}
	}
}

func (f *differ) put(typ, key string, content map[string]any, words text.Words) {
	_, was := f.a.State[Key{typ, key}]
	f.try(f.power.toSet(typ), Step{Op: OpState, Words: words, Drift: was, typ: typ, key: key, content: content})
}

func stateWords(typ, room string, content map[string]any) text.Words {
	switch typ {
	case typeJoinRules:
		return text.StepJoinRule(room)
	case typeGuests:
		return text.StepGuests(room)
	case typeHistory:
		visibility, _ := content["history_visibility"].(string)
		return text.StepHistory(room, visibility)
	case typeAvatar:
		return text.StepAvatar(room)
	case typeTopic:
		return text.StepTopic(room)
	}
	return text.StepMark(room)
}

// everyServer is the m.room.server_acl that shuts out nobody. Its empty content
// would shut out everybody
// (https://spec.matrix.org/v1.15/client-server-api/#mroomserver_acl).
var everyServer = map[string]any{"allow": []any{"*"}, "allow_ip_literals": true, "deny": []any{}}

// notReplaced is an m.room.tombstone that leads nowhere; Synapse wants the field.
var notReplaced = map[string]any{"body": "", "replacement_room": ""}

// leftovers takes away what a room of ours never has.
func (f *differ) leftovers() {
	if f.a.text(typeAlias, "alias") != "" || hasList(f.a.Content(typeAlias, ""), "alt_aliases") {
		f.put(typeAlias, "", map[string]any{}, text.StepAlias(f.title))
	}
	if acl := f.a.Content(typeServerACL, ""); acl != nil && !same(acl, everyServer) {
		f.put(typeServerACL, "", everyServer, text.StepServers(f.title))
	}
	if v, replaced := f.a.Content(typeTombstone, "")["replacement_room"]; replaced && v != "" {
		f.put(typeTombstone, "", notReplaced, text.StepTombstone(f.title))
	}
	for _, key := range f.a.keysOf(typeParent) { // would tell people of a lane that there is a Space
		f.put(typeParent, key, map[string]any{}, text.StepUnmark(f.title, typeParent))
	}
	if _, ok := f.d.State[Key{typeProject, ""}]; !ok && len(f.a.Content(typeProject, "")) > 0 {
		f.put(typeProject, "", map[string]any{}, text.StepUnmark(f.title, typeProject))
	}
	if f.a.text(typeEncryption, "algorithm") != "" && f.d.Kind != store.Direct {
		f.step(Step{Op: OpImpossible, Words: text.CannotDecrypt(f.title)})
	}
}

func hasList(content map[string]any, field string) bool {
	list, _ := content[field].([]any)
	return len(list) > 0
}

// links are the children of a Space: all lanes and nothing else.
func (f *differ) links() {
	if f.d.Kind != string(project.Space) {
		return
	}
	lanes := map[string]bool{}
	for _, c := range f.d.Children {
		if c.Room == "" {
			f.step(Step{Op: OpSpaceLink, Words: text.StepLink(c.Title, f.title), later: true})
			continue
		}
		lanes[c.Room] = true
		if want := c.content(); !same(f.a.Content(typeChild, c.Room), want) {
			_, was := f.a.State[Key{typeChild, c.Room}]
			f.try(f.power.toSet(typeChild), Step{
				Op: OpSpaceLink, Words: text.StepLink(c.Title, f.title), Drift: was, typ: typeChild, key: c.Room, content: want,
			})
		}
	}
	for _, room := range f.a.keysOf(typeChild) {
		if !lanes[room] {
			f.try(f.power.toSet(typeChild), Step{
				Op: OpSpaceLink, Words: text.StepUnlink(room, f.title), Drift: true, typ: typeChild, key: room, content: map[string]any{},
			})
		}
	}
}

func (c Child) content() map[string]any { return map[string]any{"via": []any{c.Via}} }

func (f *differ) rename() {
	have := f.a.text(typeName, "name")
	if want := f.d.name(have); want != have {
		_, was := f.a.State[Key{typeName, ""}]
		f.try(f.power.toSet(typeName), Step{
			Op: OpState, Words: text.StepName(strings.TrimSpace(have), want), Drift: was, typ: typeName, content: map[string]any{"name": want},
		})
	}
}

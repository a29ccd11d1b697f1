package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// secret is a key that Lanekeeper can make up.
type secret struct {
	key   string
	value *string
	used  bool // whether it must be the same at the next start
}

func (c *Config) secrets(withTokens bool) []secret {
	all := []secret{
		{"gate.token", &c.Gate.Token, c.Gate.Enabled},
		{"media.signing_key", &c.Media.SigningKey, c.WhatsApp.Enabled},
	}
	if withTokens {
		all = append(all, secret{"appservice.as_token", &c.AppService.ASToken, true}, secret{"appservice.hs_token", &c.AppService.HSToken, true})
	}
	return all
}

// Secrets replaces every secret that is still "generate" by a new one and saves
// them in the file, of which everything else stays as it was. The tokens of the
// registration are only made withTokens, because the homeserver must learn them.
//
// Without save, and where the file cannot be written, secrets that matter beyond
// this run are problems.
func (f *File) Secrets(withTokens, save bool, newSecret func() string) error {
	text, why := f.text, "-n forbids to save it"
	problems := &Problems{File: f.Path}
	var made []secret
	for _, s := range f.Config.secrets(withTokens) {
		if *s.value != Generate && *s.value != "" {
			continue
		}
		*s.value = newSecret()
		made = append(made, s)
		next, err := setInText(text, s.key, *s.value)
		if err != nil {
			return fmt.Errorf("config %s: %s: %w", f.Path, s.key, err)
		}
		text = next
	}
	if len(made) == 0 {
		return nil
	}
	if save {
		err := write(f.Path, text)
		if err == nil {
			f.text = text
			return nil
		}
		why = "the file cannot be written (" + Reason(err) + ")"
	}
	for _, s := range made {
		if s.used {
			problems.add(s.key, "is to be generated, but %s: give it a long random value in the file or in the environment.", why)
		}
	}
	return problems.orNil()
}

// Set writes group.key into the file, of which everything else stays as it was. What
// the environment says goes on winning over it.
func (f *File) Set(key, value string) error {
	text, err := setInText(f.text, key, value)
	if err != nil {
		return fmt.Errorf("config %s: %s: %w", f.Path, key, err)
	}
	if err := write(f.Path, text); err != nil {
		return fmt.Errorf("config %s cannot be written: %s", f.Path, Reason(err))
	}
	f.text = text
	return nil
}

// Registered reports whether the homeserver can know the tokens.
func (c *Config) Registered() bool {
	known := func(token string) bool { return token != "" && token != Generate }
	return known(c.AppService.ASToken) && known(c.AppService.HSToken)
}

// setInText sets group.key in a YAML text. Only that place changes, so comments,
// blank lines and the order of keys stay; where the text is too unusual for that
// it is written anew, with its comments. No other value ever changes.
func setInText(text []byte, key, value string) ([]byte, error) {
	group, name, _ := strings.Cut(key, ".")
	if edited, ok := edit(text, group, name, value); ok && onlySets(text, edited, group, name, value) {
		return edited, nil
	}
	root, err := parseTree(text)
	if err != nil {
		return nil, err
	}
	setPath(root, &scalar{[]string{group, name}, true}, value)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err = enc.Encode(root); err != nil {
		return nil, err
	}
	if !onlySets(text, out.Bytes(), group, name, value) {
		return nil, errors.New("cannot be set in a file of this form")
	}
	return out.Bytes(), nil
}

// onlySets reports whether two texts mean the same but for group.name, which the
// second one sets to the value.
func onlySets(before, after []byte, group, name, value string) bool {
	was, is := map[string]any{}, map[string]any{}
	if yaml.Unmarshal(before, &was) != nil || yaml.Unmarshal(after, &is) != nil {
		return false
	}
	old, _ := was[group].(map[string]any)
	now, _ := is[group].(map[string]any)
	if now[name] != value {
		return false
	}
	delete(old, name)
	delete(now, name)
	if len(old) == 0 && len(now) == 0 {
		delete(was, group)
		delete(is, group)
	}
	return reflect.DeepEqual(was, is)
}

// edit changes the characters of the value, or adds the key where its group
// begins. The caller checks the outcome.
func edit(text []byte, group, name, value string) ([]byte, bool) {
	root, err := parseTree(text)
	if err != nil {
		return nil, false
	}
	lines := strings.SplitAfter(string(text), "\n")
	groupKey, groupNode := entry(root, group)
	if groupKey == nil { // no such group: it comes last
		end := ""
		if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
			end = "\n"
		}
		return []byte(string(text) + end + group + ":\n  " + name + ": " + value + "\n"), true
	}
	key, old := entry(groupNode, name)
	switch {
	case groupNode.Kind != yaml.MappingNode:
		return nil, false
	case old != nil && old.Tag != "!!null": // replace the value
		for _, quote := range []string{"", `"`, "'"} {
			if splice(lines, old.Line, old.Column, quote+old.Value+quote, value) {
				return []byte(strings.Join(lines, "")), true
			}
		}
	case key != nil: // a key without a value
		if splice(lines, key.Line, key.Column, name+":", name+": "+value) {
			return []byte(strings.Join(lines, "")), true
		}
	case groupNode.Style&yaml.FlowStyle != 0: // gate: {enabled: true}
		comma := ", "
		if len(groupNode.Content) == 0 {
			comma = ""
		}
		if splice(lines, groupNode.Line, groupNode.Column, "{", "{"+name+": "+value+comma) {
			return []byte(strings.Join(lines, "")), true
		}
	case groupNode.Content[0].Line > groupKey.Line: // a block: its first line
		indent := strings.Repeat(" ", groupNode.Content[0].Column-1)
		lines[groupKey.Line-1] += indent + name + ": " + value + "\n"
		return []byte(strings.Join(lines, "")), true
	}
	return nil, false
}

// splice replaces old by now at a line and column, both counted from 1 as YAML
// does (columns in characters), if old stands there.
func splice(lines []string, line, column int, old, now string) bool {
	runes := []rune(lines[line-1])
	if column-1 > len(runes) {
		return false
	}
	before, after := string(runes[:column-1]), string(runes[column-1:])
	rest, found := strings.CutPrefix(after, old)
	if found {
		lines[line-1] = before + now + rest
	}
	return found
}

// entry gives key and value of a mapping's entry, nil if there is none.
func entry(node *yaml.Node, name string) (key, value *yaml.Node) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i], node.Content[i+1]
		}
	}
	return nil, nil
}

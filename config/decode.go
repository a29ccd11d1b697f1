package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"gopkg.in/yaml.v3"
)

// decoder fills Go values from YAML and collects all problems, where
// yaml.Decoder stops at the first kind of them and knows no key paths.
type decoder struct {
	problems *Problems
	lines    map[string]int // of the keys seen, for problems found later
}

var (
	durationType  = reflect.TypeFor[time.Duration]()
	levelType     = reflect.TypeFor[zerolog.Level]()
	articleByKind = map[reflect.Kind]string{
		reflect.Bool: "true or false", reflect.String: "a text",
		reflect.Struct: "a group of keys", reflect.Map: "a group of keys", reflect.Slice: "a list",
	}
)

// child is the path of a key below a path.
func child(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// decode sets out from the node. A null leaves the default.
func (d *decoder) decode(path string, node *yaml.Node, out reflect.Value) {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if path != "" && d.lines[path] == 0 {
		d.lines[path] = node.Line
	}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return
	}
	switch {
	case out.Type() == durationType:
		d.duration(path, node, out)
	case out.Type() == levelType:
		d.level(path, node, out)
	case out.Kind() == reflect.Pointer:
		value := reflect.New(out.Type().Elem())
		d.decode(path, node, value.Elem())
		out.Set(value)
	case out.Kind() == reflect.Struct:
		d.group(path, node, out)
	case out.Kind() == reflect.Map:
		d.table(path, node, out)
	case out.Kind() == reflect.Slice:
		d.list(path, node, out)
	default:
		d.scalar(path, node, out)
	}
}

// wrong notes that the value of a key has the wrong shape.
func (d *decoder) wrong(path string, node *yaml.Node, format string, args ...any) {
	d.problems.add(path, format, args...)
	d.problems.List[len(d.problems.List)-1].Line = node.Line
}

func (d *decoder) scalar(path string, node *yaml.Node, out reflect.Value) {
	if node.Kind != yaml.ScalarNode || node.Decode(out.Addr().Interface()) != nil {
		want := articleByKind[out.Kind()]
		if want == "" {
			want = "a whole number"
		}
		d.wrong(path, node, "is %s, but must be %s.", shape(node), want)
	}
}

func (d *decoder) duration(path string, node *yaml.Node, out reflect.Value) {
	value, err := time.ParseDuration(node.Value)
	if node.Kind != yaml.ScalarNode || err != nil {
		d.wrong(path, node, "is %s, but must be a duration with its unit, such as 500ms, 6s or 24h.", shape(node))
		return
	}
	out.SetInt(int64(value))
}

func (d *decoder) level(path string, node *yaml.Node, out reflect.Value) {
	value, err := zerolog.ParseLevel(node.Value)
	if node.Kind != yaml.ScalarNode || err != nil {
		d.wrong(path, node, "is %s, but must be trace, debug, info, warn, error, fatal, panic or disabled.", shape(node))
		return
	}
	out.SetInt(int64(value))
}

// list replaces the default list as a whole.
func (d *decoder) list(path string, node *yaml.Node, out reflect.Value) {
	if node.Kind != yaml.SequenceNode {
		d.wrong(path, node, "is %s, but must be a list.", shape(node))
		return
	}
	values := reflect.MakeSlice(out.Type(), len(node.Content), len(node.Content))
	for i, item := range node.Content {
		d.decode(fmt.Sprintf("%s[%d]", path, i), item, values.Index(i))
	}
	out.Set(values)
}

// table puts the entries of a map with free keys over the default ones; an entry
// replaces the default entry of its name as a whole.
func (d *decoder) table(path string, node *yaml.Node, out reflect.Value) {
	if out.IsNil() {
		out.Set(reflect.MakeMap(out.Type()))
	}
	if out.Type().Elem().Kind() == reflect.Interface { // free-form, such as logging.metadata
		if err := node.Decode(out.Addr().Interface()); err != nil {
			d.wrong(path, node, "is %s, but must be a group of keys.", shape(node))
		}
		return
	}
	for _, pair := range d.pairs(path, node) {
		if pair.value.Tag == "!!null" {
			continue
		}
		value := reflect.New(out.Type().Elem()).Elem()
		d.decode(child(path, pair.key), pair.value, value)
		out.SetMapIndex(reflect.ValueOf(pair.key).Convert(out.Type().Key()), value)
	}
}

// group fills a struct; keys that it does not have are problems.
func (d *decoder) group(path string, node *yaml.Node, out reflect.Value) {
	fields := map[string]reflect.Value{}
	var names []string
	eachField(out, func(name string, field reflect.Value) {
		fields[name] = field
		names = append(names, name)
	})
	for _, pair := range d.pairs(path, node) {
		field, known := fields[pair.key]
		if !known {
			key := child(path, pair.key)
			d.problems.add(key, "is no key of the configuration%s: correct or remove it.", Suggest(pair.key, names))
			d.problems.List[len(d.problems.List)-1].Line = pair.line
			continue
		}
		d.decode(child(path, pair.key), pair.value, field)
	}
}

type pair struct {
	key   string
	line  int
	value *yaml.Node
}

// pairs lists the keys of a mapping with merge keys (<<) resolved. Keys that
// come twice are problems: the reader of the file would trust the wrong one.
func (d *decoder) pairs(path string, node *yaml.Node) []pair {
	if node.Kind != yaml.MappingNode {
		d.wrong(path, node, "is %s, but must be a group of keys.", shape(node))
		return nil
	}
	var all, merged []pair
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Tag == "!!merge" {
			for value.Kind == yaml.AliasNode {
				value = value.Alias
			}
			merged = append(merged, d.pairs(path, value)...)
			continue
		}
		if seen[key.Value] {
			d.wrong(child(path, key.Value), key, "stands there twice: remove one.")
		}
		seen[key.Value] = true
		all = append(all, pair{key.Value, key.Line, value})
	}
	for _, one := range merged {
		if !seen[one.key] {
			all = append(all, one)
		}
	}
	return all
}

// eachField visits the fields of a struct by their YAML names, those of inlined
// structs too.
func eachField(value reflect.Value, visit func(name string, field reflect.Value)) {
	for i := range value.NumField() {
		tag := strings.Split(value.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case len(tag) > 1 && tag[1] == "inline":
			eachField(value.Field(i), visit)
		case tag[0] != "" && tag[0] != "-":
			visit(tag[0], value.Field(i))
		}
	}
}

// shape says what a node is, for people. Long values are not quoted: they may be
// secrets in the wrong place.
func shape(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "a group of keys"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case node.Value == "":
		return "empty"
	case len(node.Value) <= 20 && node.Tag == "!!str":
		return fmt.Sprintf("the text %q", node.Value)
	case len(node.Value) <= 20:
		return fmt.Sprintf("%q", node.Value)
	}
	return "a long text"
}

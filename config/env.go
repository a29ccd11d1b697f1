package config

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Variables of the environment that set a key begin with this.
const envPrefix = "LANEKEEPER_"

// notOurs are variables with our prefix that set no key: those of tests, and what
// Kubernetes sets for a service called lanekeeper
// (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
var notOurs = regexp.MustCompile(`^LANEKEEPER_(TEST_.*|SERVICE_HOST|SERVICE_PORT.*|PORT|PORT_.*)$`)

// scalar is a key that holds a single value.
type scalar struct {
	path []string
	text bool // any text is a value of it
}

// scalars gives every key that holds a single value, by the name of its
// variable: LANEKEEPER_DATABASE_URI → [database uri].
func scalars() map[string]*scalar {
	all := map[string]*scalar{}
	var walk func(path []string, value reflect.Value)
	walk = func(path []string, value reflect.Value) {
		switch kind := value.Kind(); {
		case kind == reflect.Struct:
			eachField(value, func(name string, field reflect.Value) {
				walk(append(path[:len(path):len(path)], name), field)
			})
		case kind == reflect.Map || kind == reflect.Slice:
		default:
			all[envPrefix+strings.ToUpper(strings.Join(path, "_"))] = &scalar{path, kind == reflect.String}
		}
	}
	walk(nil, reflect.ValueOf(Config{}))
	return all
}

// applyEnv writes the variables into the tree of the file, where they win, and
// gives the variable of each key that one set. environ has the form of os.Environ.
func applyEnv(root *yaml.Node, environ []string, problems *Problems) map[string]string {
	known := scalars()
	given := map[string]string{}
	wrong := func(name, format string, args ...any) {
		problems.add(name, format, args...)
		problems.List[len(problems.List)-1].Source = "environment"
	}
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || notOurs.MatchString(name) {
			continue
		}
		key := known[name]
		if base, isFile := strings.CutSuffix(name, "_FILE"); key == nil && isFile && known[base] != nil {
			key = known[base]
			content, err := os.ReadFile(value)
			if err != nil {
				wrong(name, "names a file that cannot be read (%s): correct the path or unset it.", Reason(err))
				continue
			}
			value = strings.TrimRight(string(content), "\r\n")
		}
		if key == nil {
			names := slices.Sorted(maps.Keys(known))
			wrong(name, "is no variable of the configuration%s: correct or unset it.", Suggest(name, names))
			continue
		}
		dotted := strings.Join(key.path, ".")
		if before := given[dotted]; before != "" {
			wrong(name, "and %s set the same key: unset one of them.", before)
			continue
		}
		given[dotted] = name
		if !setPath(root, key, value) {
			wrong(name, "cannot be used, because %s is no group of keys in the file.", key.path[0])
		}
	}
	return given
}

// setPath puts a value into a tree, making the groups on the way. It reports
// whether that was possible.
func setPath(node *yaml.Node, key *scalar, value string) bool {
	leaf := &yaml.Node{Kind: yaml.ScalarNode, Value: value}
	if key.text || value == "" {
		leaf.Tag = "!!str"
	}
	last := len(key.path) - 1
	for _, name := range key.path[:last] {
		next := lookup(node, name)
		if next == nil || next.Tag == "!!null" {
			next = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
			setKey(node, name, next)
		}
		if next.Kind != yaml.MappingNode {
			return false
		}
		node = next
	}
	setKey(node, key.path[last], leaf)
	return true
}

// lookup gives the value of a key in a mapping, nil if there is none.
func lookup(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

func setKey(node *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			node.Content[i+1] = value
			return
		}
	}
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value)
}

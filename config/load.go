package config

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// File is a configuration together with the file it came from, into which
// generated secrets are written back.
type File struct {
	Path   string
	Config *Config
	text   []byte
}

// Load reads and checks a configuration. environ has the form of os.Environ; its
// variables win over the file. The error is *Problems and holds everything that
// is wrong at once.
func Load(path string, environ []string) (*File, error) {
	problems := &Problems{File: path}
	text, err := os.ReadFile(path)
	if err != nil {
		problems.List = append(problems.List, Problem{Sentence: fmt.Sprintf(
			"The config file cannot be read (%s): write an example with `lanekeeper -e -c %s`, or name the right file with -c.", Reason(err), path)})
		return nil, problems
	}
	return parse(path, text, environ)
}

func parse(path string, text []byte, environ []string) (*File, error) {
	problems := &Problems{File: path}
	root, err := parseTree(text)
	if err != nil {
		problems.List = append(problems.List, syntaxProblem(err))
		return nil, problems
	}
	variables := applyEnv(root, environ, problems)

	cfg := Default()
	dec := &decoder{problems: problems, lines: map[string]int{}}
	dec.decode("", root, reflect.ValueOf(cfg).Elem())
	cfg.tidy()
	for _, p := range cfg.Validate() {
		if !problems.concern(p.Key) {
			p.Line = dec.line(p.Key)
			problems.List = append(problems.List, p)
		}
	}
	for i := range problems.List {
		if name := variables[problems.List[i].Key]; name != "" {
			problems.List[i].Source = name
		}
	}
	slices.SortStableFunc(problems.List, func(a, b Problem) int { return a.Line - b.Line })
	return &File{Path: path, Config: cfg, text: text}, problems.orNil()
}

// parseTree gives the mapping of a YAML text; an empty text is an empty mapping.
func parseTree(text []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if doc.Kind == 0 || doc.Content[0].Tag == "!!null" {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}, nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: the file must hold keys with values, such as `database: {type: sqlite3}`", root.Line)
	}
	return root, nil
}

var syntaxLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

func syntaxProblem(err error) Problem {
	reason, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if m := syntaxLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		reason = strings.TrimPrefix(err.Error(), m[0])
	}
	return Problem{Line: line, Sentence: fmt.Sprintf("The file is not valid YAML here (%s): correct it there; often it is indentation, or a missing quote.", reason)}
}

// concern reports whether a problem with this key, a group it is in or a key
// below it is known already: a second sentence would only be its consequence.
func (p *Problems) concern(key string) bool {
	for _, known := range p.List {
		if within(key, known.Key) || within(known.Key, key) {
			return true
		}
	}
	return false
}

func within(key, group string) bool {
	rest, ok := strings.CutPrefix(key, group)
	return ok && group != "" && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// line finds where a key stands, or the nearest group that would hold it.
func (d *decoder) line(key string) int {
	for key != "" {
		if line := d.lines[key]; line > 0 {
			return line
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return 0
}

// tidy removes differences that mean nothing.
func (c *Config) tidy() {
	for _, address := range []*string{&c.Homeserver.Address, &c.AppService.Address, &c.AppService.PublicAddress, &c.WhatsApp.APIBaseURL} {
		*address = strings.TrimRight(*address, "/")
	}
}

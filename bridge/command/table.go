package command

import (
	"context"
	"regexp"

	"lanekeeper/bridge/policy"
)

// command is one line of the table below; adding one there is all it takes.
type command struct {
	name     string
	usage    string           // after the name
	does     string           // one line of help
	needs    []policy.Ability // one of these; nil: being a member is enough
	platform bool             // it has to come from a platform role
	customer bool             // works in the customer lane
	alone    *regexp.Regexp   // what it looks like without the prefix in the super-admin room; nil: never
	spoken   *regexp.Regexp   // what it looks like among words for others; nil: as alone
	bare     []string         // flags without a value
	literal  bool             // flags come first; what follows is left as it was typed
	flags    func(*policy.Policy) []string
	run      func(*call, context.Context) (*reply, error)
}

func noFlags(*policy.Policy) []string { return nil }

// Shapes of commands without the prefix: whatever else is said in the super-admin
// room is talk.
var (
	shapeNothing = regexp.MustCompile(`^$`)
	shapeWord    = regexp.MustCompile(`^\S*$`)
	shapeAny     = regexp.MustCompile(`^\S+(?s:.*)$`)
	shapeUser    = regexp.MustCompile(`^(@\S+:\S+|#?\d+|https://matrix\.to/\S+)(?s:\s.*)?$`)
	shapeHandoff = regexp.MustCompile(`^(#?\d+)?(\s*--force)?$`)
	shapeScope   = regexp.MustCompile(`^(open|mine|all)?(\s*--after\s+#?\d+)?$`)
	shapeHuman   = regexp.MustCompile(`^(?s:.*)$`)
	shapeRequest = regexp.MustCompile(`^((customer|internal|notes|read|text|full)\b(?s:.*))?$`)
	shapePage    = regexp.MustCompile(`^(--after\s+\S+)?$`)
)

var table []*command

func init() { // an initialiser that refers to help, which refers to the table
	table = []*command{
		{name: "human", usage: "[--private] [question]", does: "ask a person; --private asks in your direct chat", customer: true, needs: []policy.Ability{"human"}, spoken: shapeHuman, bare: []string{"private"}, literal: true, flags: noFlags, run: (*call).human},
		{name: "request", usage: "[LANE] [read|text|full] [reason]", does: "ask to be let into a lane", needs: []policy.Ability{"request"}, spoken: shapeRequest, flags: noFlags, run: (*call).request},
		{name: "who", usage: "[PROJECT]", does: "who is here, and what they may do", customer: true, alone: shapeWord, flags: noFlags, run: (*call).who},
		{name: "why", usage: "PERSON [LANE]", does: "why somebody can read or write here", alone: shapeUser, flags: noFlags, run: (*call).why},
		{name: "requests", does: "open requests", alone: shapeNothing, flags: noFlags, run: (*call).requests},
		{name: "approve", usage: "PERSON|#N [LANE] [read|text|full] [--for 14d] [reason]", does: "let somebody in", needs: []policy.Ability{"approve"}, alone: shapeUser, flags: func(*policy.Policy) []string { return []string{"for"} }, run: (*call).approve},
		{name: "deny", usage: "PERSON|#N [reason]", does: "decline a request", needs: []policy.Ability{"approve"}, alone: shapeUser, flags: noFlags, run: (*call).deny},
		{name: "revoke", usage: "PERSON [LANE] [reason]", does: "take back what was approved", needs: []policy.Ability{"approve"}, alone: shapeUser, flags: noFlags, run: (*call).revoke},
		{name: "accept", usage: "PERSON [PROJECT]", does: "an application was accepted: make somebody an expert", needs: []policy.Ability{"accept"}, alone: shapeUser, flags: noFlags, run: (*call).accept},
		{name: "add", usage: "PERSON ROLE [PROJECT]", does: "add somebody to a project, or change their role", needs: []policy.Ability{"people", "accept"}, alone: shapeUser, flags: noFlags, run: (*call).add},
		{name: "remove", usage: "PERSON [PROJECT]", does: "take somebody out of a project", needs: []policy.Ability{"people"}, alone: shapeUser, flags: noFlags, run: (*call).remove},
		{name: "project create", usage: `SHORTNAME "NAME" [--profile P] [--tier T] [--ROLE PERSON]…`, does: "make a project with its lanes", needs: []policy.Ability{"project"}, platform: true, alone: shapeAny, flags: createFlags, run: (*call).create},
		{name: "project list", usage: "[--after SHORTNAME]", does: "your projects", alone: shapePage, flags: pageFlags, run: (*call).list},
		{name: "project show", usage: "[PROJECT]", does: "one project", alone: shapeWord, flags: noFlags, run: (*call).show},
		{name: "project archive", usage: "[PROJECT]", does: "make the lanes read-only", needs: []policy.Ability{"project"}, alone: shapeWord, flags: noFlags, run: (*call).archive},
		{name: "project restore", usage: "[PROJECT]", does: "undo archive", needs: []policy.Ability{"project"}, alone: shapeWord, flags: noFlags, run: (*call).restore},
		{name: "plan", usage: "[PROJECT]", does: "what differs between the rooms and the record", needs: []policy.Ability{"project"}, alone: shapeWord, flags: noFlags, run: (*call).plan},
		{name: "apply", usage: "[PROJECT]", does: "bring the rooms to what the record says", needs: []policy.Ability{"project"}, alone: shapeWord, flags: noFlags, run: (*call).apply},
		{name: "handoffs", usage: "[open|mine|all] [--after #N]", does: "questions that wait for a person", needs: []policy.Ability{"handoff"}, platform: true, alone: shapeScope, flags: pageFlags, run: (*call).handoffs},
		{name: "take", usage: "[#N] [--force]", does: "answer a question yourself", needs: []policy.Ability{"handoff"}, platform: true, alone: shapeHandoff, bare: []string{"force"}, flags: noFlags, run: (*call).take},
		{name: "release", usage: "[#N]", does: "give a question back", needs: []policy.Ability{"handoff"}, platform: true, alone: shapeHandoff, flags: noFlags, run: (*call).release},
		{name: "close", usage: "[#N]", does: "a question is answered", customer: true, alone: shapeHandoff, flags: noFlags, run: (*call).close},
		{name: "reopen", usage: "[#N]", does: "a question is not answered after all", needs: []policy.Ability{"handoff"}, platform: true, alone: shapeHandoff, flags: noFlags, run: (*call).reopen},
		{name: "help", usage: "[COMMAND]", does: "this list", customer: true, alone: shapeWord, flags: noFlags, run: (*call).help},
		{name: "version", does: "which Lanekeeper this is", customer: true, alone: shapeNothing, flags: noFlags, run: (*call).version},
		{name: "ping", does: "whether I am there", customer: true, alone: shapeNothing, flags: noFlags, run: (*call).ping},
	}
}

// pageFlags: lists go on behind what was named last.
func pageFlags(*policy.Policy) []string { return []string{"after"} }

// createFlags: --profile, --tier, and one for each role.
func createFlags(p *policy.Policy) []string {
	out := []string{"profile", "tier"}
	for _, role := range p.Catalogue().Roles {
		out = append(out, string(role))
	}
	return out
}

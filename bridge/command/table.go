package command

import (
	"context"
	"regexp"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
)

// command is one line of the table below; adding one there, and its words in text.Commands,
// is all it takes.
type command struct {
	name     string
	needs    []policy.Ability // one of these; nil: being a member is enough
	platform bool             // it has to come from a platform role
	customer bool             // works in the customer lane
	never    []string         // kinds of rooms where it is always refused, so that help is silent of it there
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
	shapeAgent   = regexp.MustCompile(`^\+(?s:.*)$`)
	shapeScope   = regexp.MustCompile(`^(open|mine|all)?(\s*--after\s+#?\d+)?$`)
	shapeHuman   = regexp.MustCompile(`^(?s:.*)$`)
	shapeRequest = regexp.MustCompile(`^((customer|internal|notes|read|text|full)\b(?s:.*))?$`)
	shapePage    = regexp.MustCompile(`^(--after\s+\S+)?$`)
)

// elsewhere are the kinds of rooms that are not the super-admin room.
var elsewhere = []string{string(project.Customer), string(project.Internal), string(project.Notes), store.Direct}

var table []*command

func init() { // an initialiser that refers to help, which refers to the table
	table = []*command{
		{name: "human", never: []string{store.SuperAdmin}, customer: true, needs: []policy.Ability{"human"}, spoken: shapeHuman, bare: []string{"private"}, literal: true, flags: noFlags, run: (*call).human},
		{name: "request", never: []string{store.SuperAdmin}, needs: []policy.Ability{"request"}, spoken: shapeRequest, flags: noFlags, run: (*call).request},
		{name: "who", customer: true, alone: shapeWord, flags: noFlags, run: (*call).who},
		{name: "why", alone: shapeUser, flags: noFlags, run: (*call).why},
		{name: "requests", alone: shapeNothing, flags: noFlags, run: (*call).requests},
		{name: "approve", needs: []policy.Ability{"approve"}, alone: shapeUser, flags: func(*policy.Policy) []string { return []string{"for"} }, run: (*call).approve},
		{name: "deny", needs: []policy.Ability{"approve"}, alone: shapeUser, flags: noFlags, run: (*call).deny},
		{name: "revoke", needs: []policy.Ability{"approve"}, alone: shapeUser, flags: noFlags, run: (*call).revoke},
		{name: "accept", needs: []policy.Ability{"accept"}, alone: shapeUser, flags: noFlags, run: (*call).accept},
		{name: "add", needs: []policy.Ability{"people", "accept"}, alone: shapeUser, flags: noFlags, run: (*call).add},
		{name: "remove", needs: []policy.Ability{"people"}, alone: shapeUser, flags: noFlags, run: (*call).remove},
		{name: "project create", never: []string{string(project.Internal), string(project.Notes)}, needs: []policy.Ability{"project"}, platform: true, alone: shapeAny, flags: createFlags, run: (*call).create},
		{name: "project list", alone: shapePage, flags: pageFlags, run: (*call).list},
		{name: "project show", alone: shapeWord, flags: noFlags, run: (*call).show},
		{name: "project archive", needs: []policy.Ability{"project"}, alone: shapeWord, flags: noFlags, run: (*call).archive},
		{name: "project restore", needs: []policy.Ability{"project"}, alone: shapeWord, flags: noFlags, run: (*call).restore},
		{name: "plan", needs: []policy.Ability{"project"}, alone: shapeWord, flags: noFlags, run: (*call).plan},
		{name: "apply", needs: []policy.Ability{"project"}, alone: shapeWord, flags: noFlags, run: (*call).apply},
		{name: "handoffs", needs: []policy.Ability{"handoff"}, platform: true, alone: shapeScope, flags: pageFlags, run: (*call).handoffs},
		{name: "take", needs: []policy.Ability{"handoff"}, platform: true, alone: shapeHandoff, bare: []string{"force"}, flags: noFlags, run: (*call).take},
		{name: "release", needs: []policy.Ability{"handoff"}, platform: true, alone: shapeHandoff, flags: noFlags, run: (*call).release},
		{name: "close", customer: true, alone: shapeHandoff, flags: noFlags, run: (*call).close},
		{name: "reopen", needs: []policy.Ability{"handoff"}, platform: true, alone: shapeHandoff, flags: noFlags, run: (*call).reopen},
		{name: "agent list", never: elsewhere, needs: []policy.Ability{"handoff"}, platform: true, alone: shapeNothing, flags: noFlags, run: (*call).agentList},
		{name: "agent add", never: elsewhere, needs: []policy.Ability{"handoff"}, platform: true, alone: shapeAgent, flags: func(*policy.Policy) []string { return []string{"mxid"} }, run: (*call).agentAdd},
		{name: "agent remove", never: elsewhere, needs: []policy.Ability{"handoff"}, platform: true, alone: shapeAny, flags: noFlags, run: (*call).agentRemove},
		{name: "agent pause", never: elsewhere, needs: []policy.Ability{"handoff"}, platform: true, alone: shapeAny, flags: func(*policy.Policy) []string { return []string{"for"} }, run: (*call).agentPause},
		{name: "agent resume", never: elsewhere, needs: []policy.Ability{"handoff"}, platform: true, alone: shapeAny, flags: noFlags, run: (*call).agentResume},
		{name: "help", customer: true, alone: shapeWord, flags: noFlags, run: (*call).help},
		{name: "version", customer: true, alone: shapeNothing, flags: noFlags, run: (*call).version},
		{name: "ping", customer: true, alone: shapeNothing, flags: noFlags, run: (*call).ping},
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

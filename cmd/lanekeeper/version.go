package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// tag is the released version, set by the linker: -X main.tag=v1.2.3
var tag string

// version says exactly what was built.
func version() string {
	info, _ := debug.ReadBuildInfo()
	name, commit, changed := tag, "", ""
	if info != nil {
		if name == "" {
			name = info.Main.Version
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value[:min(len(s.Value), 12)]
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = "+changes"
			}
		}
	}
	if name == "" || name == "(devel)" {
		name = "development"
	}
	if commit == "" {
		return fmt.Sprintf("%s (%s)", name, runtime.Version())
	}
	return fmt.Sprintf("%s (%s%s, %s)", name, commit, changed, runtime.Version())
}

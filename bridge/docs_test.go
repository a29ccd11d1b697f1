package bridge_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// link is one of Markdown: its target, and in quotes what has to stand in that file.
var link = regexp.MustCompile(`\]\(([^)\s]+)(?: "([^"]+)")?\)`)

// What the documents point to is there, and files still hold what a link names.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			target = filepath.Join(filepath.Dir(page), target)
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", page, err)
			} else if m[2] != "" && !holds(target, m[2]) {
				t.Errorf("%s: %s does not hold %q", page, target, m[2])
			}
		}
	}
}

func holds(file, words string) bool {
	text, err := os.ReadFile(file)
	return err == nil && strings.Contains(string(text), words)
}

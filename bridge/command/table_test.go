package command

import (
	"slices"
	"testing"

	"lanekeeper/bridge/text"
)

// Every command has its words, and there are no words of others.
func TestEveryCommandHasWords(t *testing.T) {
	var here, said []string
	for _, c := range table {
		here = append(here, c.name)
	}
	for _, c := range text.Commands {
		said = append(said, c.Name)
	}
	if !slices.Equal(here, said) {
		t.Errorf("the table has\n%q, text.Commands has\n%q", here, said)
	}
}

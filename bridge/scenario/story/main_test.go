// Package story_test: the main job from its first command to its last, as people live it; and the shortest way through all of it.
package story_test

import (
	"testing"

	"lanekeeper/bridge/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// Package lanes_test: the rooms of a project, and what brings them back to what they should be.
package lanes_test

import (
	"testing"

	"lanekeeper/bridge/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

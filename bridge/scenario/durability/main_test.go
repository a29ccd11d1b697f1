// Package durability_test: nothing is lost, doubled or reordered, whatever is killed, away or slow.
package durability_test

import (
	"testing"

	"lanekeeper/bridge/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

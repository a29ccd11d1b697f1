// Package privacy_test: what is said in one lane cannot be found in any place where it may not be.
package privacy_test

import (
	"testing"

	"lanekeeper/bridge/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

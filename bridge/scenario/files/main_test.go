// Package files_test: what is more than words, from a phone to Matrix, as those who get it see it.
package files_test

import (
	"testing"

	"lanekeeper/bridge/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// Package input_test: what people, homeservers and strangers send that nobody expects.
package input_test

import (
	"testing"

	"lanekeeper/bridge/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

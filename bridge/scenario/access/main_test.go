// Package access_test: who may what, and what they are told of it.
package access_test

import (
	"testing"

	"lanekeeper/bridge/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

//go:build !race

package bridgetest

// raceDetector: see race_on.go.
const raceDetector = false

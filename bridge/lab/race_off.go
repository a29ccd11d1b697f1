//go:build !race

package lab

// raceDetector: see race_on.go.
const raceDetector = false

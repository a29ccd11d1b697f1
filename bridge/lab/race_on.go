//go:build race

package lab

// raceDetector: the tests run under the race detector, so the bridge's binary is built with it too.
const raceDetector = true

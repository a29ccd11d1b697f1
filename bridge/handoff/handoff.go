// Package handoff decides.
package handoff

// Agent is a person who answers on WhatsApp.
type Agent struct {
	Phone string // E.164, with +
	Name  string
	User  string // MXID, "" if not on Matrix
}

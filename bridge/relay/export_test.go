package relay

var (
	Candidates = (*Relay).candidates
	Choices    = (*Relay).choices
)

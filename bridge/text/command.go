package text

// Pending is said under an answer whose change Matrix does not show yet.
func Pending() Words {
	return Say("Matrix does not show it yet. I keep at it and edit this message when it stands.")
}

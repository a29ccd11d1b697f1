package bridgetest

import "testing"

// Postgres is the URI of a new, empty database of the PostgreSQL server that this test binary shares.
func Postgres(t testing.TB) string {
	t.Helper()
	t.Skip("placeholder")
	return ""
}

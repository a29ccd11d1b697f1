package lab

import (
	"crypto/ed25519"
	"encoding/pem"
	"strings"
	"testing"
)

// Dendrite reads an ed25519 seed with the key's name above it.
func TestDendriteKey(t *testing.T) {
	block, rest := pem.Decode(dendriteKey())
	if block == nil || len(rest) > 0 || block.Type != "MATRIX PRIVATE KEY" || !strings.HasPrefix(block.Headers["Key-ID"], "ed25519:") || len(block.Bytes) != ed25519.SeedSize {
		t.Errorf("%+v", block)
	}
}

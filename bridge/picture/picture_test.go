package picture

import (
	"bytes"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// Pictures differ from each other, are the same each time, and the red edge is that of
// what customers read alone. With PICTURES=DIR they are written there, to be looked at.
func TestPictures(t *testing.T) {
	seen := map[string]string{}
	for name, draw := range map[string]func() []byte{
		"customer": Customer, "internal": Internal, "notes": Notes, "super-admin": SuperAdmin,
		"space AW": func() []byte { return Space("AW") }, "space B": func() []byte { return Space("B") },
	} {
		raw := draw()
		if !bytes.Equal(raw, draw()) {
			t.Errorf("%s is another one each time", name)
		}
		if other, ok := seen[string(raw)]; ok {
			t.Errorf("%s looks like %s", name, other)
		}
		seen[string(raw)] = name
		m, err := png.Decode(bytes.NewReader(raw))
		if err != nil || m.Bounds().Dx() != size || len(raw) > 10_000 {
			t.Fatalf("%s: %d bytes, %v", name, len(raw), err)
		}
		if edge := color.NRGBAModel.Convert(m.At(2, size/2)) == red; edge != (name == "customer") {
			t.Errorf("%s: red edge %v", name, edge)
		}
		if dir := os.Getenv("PICTURES"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, name+".png"), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{
		"Acme website": "AW", "acme": "A", "Ärzte ohne Grenzen": "AO", "3 May": "3M", "日本": "#", "": "#", "Юг West": "W", "O'Brien": "OB",
	} {
		if got := Initials(name); got != want {
			t.Errorf("%q: %q, not %q", name, got, want)
		}
	}
}

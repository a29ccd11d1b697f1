package lab

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// writeContract writes Twilio's description as Prism has to read it, and gives the path. What it says is the same, but for one
// mistake in it.
func writeContract(dir string) (path string, err error) {
	raw, err := os.ReadFile(filepath.Join(repository(), "bridge/whatsapp/testdata/twilio_messages_slice.json"))
	if err != nil {
		return "", err
	}
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return "", err
	}
	mend(doc)
	if raw, err = json.Marshal(doc); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "twilio.json")
	return path, os.WriteFile(path, raw, 0o600)
}

// mend changes two things. The addresses of pages are called whole ones, and are paths in Twilio's own examples as in its answers.
// And that lists in forms are repeated fields, which OpenAPI takes for granted, has to be said to Prism.
func mend(node any) {
	switch n := node.(type) {
	case []any:
		for _, v := range n {
			mend(v)
		}
	case map[string]any:
		for key, v := range n {
			if p, ok := v.(map[string]any); ok {
				if p["format"] == "uri" && (key == "uri" || strings.HasSuffix(key, "_uri")) {
					p["format"] = "uri-reference"
				}
				if key == "application/x-www-form-urlencoded" {
					p["encoding"] = lists(p)
				}
			}
			mend(v)
		}
	}
}

// lists says of the lists in a form how they are written.
func lists(form map[string]any) map[string]any {
	encoding := map[string]any{}
	schema, _ := form["schema"].(map[string]any)
	properties, _ := schema["properties"].(map[string]any)
	for name, p := range properties {
		if p, ok := p.(map[string]any); ok && p["type"] == "array" {
			encoding[name] = map[string]any{"style": "form", "explode": true}
		}
	}
	return encoding
}

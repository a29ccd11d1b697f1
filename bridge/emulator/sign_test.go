package emulator_test

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"lanekeeper/bridge/emulator"
)

// The signatures of Twilio's own test suites (HAND-13). Left out are requests with
// a JSON body, which the emulator never sends, and addresses that a validator has
// to mend first.
func TestSign(t *testing.T) {
	raw, err := os.ReadFile(twilio + "signature-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct {
			Name, Token, URL, Signature string
			Params                      map[string]any
			Body                        *string
			Valid                       bool
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, v := range file.Vectors {
		if v.Body != nil || strings.Contains(v.Name, "without port") {
			continue
		}
		params := url.Values{}
		for name, value := range v.Params {
			if list, ok := value.([]any); ok {
				for _, one := range list {
					params.Add(name, one.(string))
				}
				continue
			}
			params.Set(name, value.(string))
		}
		checked++
		if got := emulator.Sign(v.Token, v.URL, params); (got == v.Signature) != v.Valid {
			t.Errorf("%s: %s, published is %s, valid: %v", v.Name, got, v.Signature, v.Valid)
		}
	}
	if checked < 7 {
		t.Errorf("only %d of %d signatures were checked", checked, len(file.Vectors))
	}
}

package main

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lanekeeper/bridge/emulator"
)

// HAND-12: the template that wakes an agent is submitted once however often that is
// asked for, and is written into the config when WhatsApp has approved it.
func TestTemplate(t *testing.T) {
	const sid, token = "AC00000000000000000000000000000000", "secret"
	twilio := emulator.New(t.Context(), emulator.Config{AccountSID: sid, AuthToken: token, From: "whatsapp:+14155238886"})
	defer twilio.Close()
	server := httptest.NewServer(twilio.Handler())
	defer server.Close()
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf(`homeserver: {domain: lab.test}
appservice: {public_address: "https://lanes.lab.test"}
permissions: {"@root:lab.test": superadmin}
whatsapp:
  enabled: true # for trying
  account_sid: %s
  auth_token: %s
  api_base_url: %s
  agents: [{number: "+4915100000001", name: Dana}]
`, sid, token, server.URL)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	says := func(code int, words string, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if got := run(t.Context(), append([]string{"whatsapp", "template"}, append(args, "-c", path)...), &out, &out); got != code || !strings.Contains(out.String(), words) {
			t.Errorf("%v: exit %d, says %q; want exit %d and %q", args, got, out.String(), code, words)
		}
		return out.String()
	}
	says(1, "there is no `lanekeeper whatsapp template submt` (did you mean", "submt")
	says(1, "small letters, digits", "submit", "--name", "My template")
	says(1, "no template of the name lanekeeper_waiting: have it approved by `lanekeeper whatsapp template submit", "status")

	twilio.Review("rejected", "too vague")
	says(0, "looks at it", "submit")
	says(1, "rejected it: too vague", "status")
	says(1, "rejected it: too vague", "use")

	twilio.Review("pending", "")
	first := says(0, "looks at it", "submit", "--name", "waiting_2")
	if again := says(0, "looks at it", "submit", "--name", "waiting_2"); again != first {
		t.Errorf("the second time it says %q, not %q", again, first)
	}
	says(1, "looks at it", "use", "--name", "waiting_2")
	twilio.Review("approved", "")
	says(0, "Take it into use: `lanekeeper whatsapp template use -c "+path+" --name waiting_2`", "status", "--name", "waiting_2")
	says(1, "-n forbids", "use", "--name", "waiting_2", "-n")
	says(0, "Wrote whatsapp.template_sid: HX", "use", "--name", "waiting_2")
	says(0, "already", "use", "--name", "waiting_2")
	says(0, "approved and in use", "status")
	twilio.Review("paused", "")
	says(1, "has it as paused", "status")
	after, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(after), "enabled: true # for trying") || !strings.Contains(string(after), "\n  template_sid: HX") {
		t.Errorf("the config is\n%s (%v)", after, err)
	}

	t.Setenv("LANEKEEPER_WHATSAPP_AUTH_TOKEN", "wrong")
	says(1, "Twilio does not accept the credentials", "submit")
	t.Setenv("LANEKEEPER_WHATSAPP_TEMPLATE_SID", "HX00000000000000000000000000000000")
	t.Setenv("LANEKEEPER_WHATSAPP_AUTH_TOKEN", token)
	says(1, "no such template in this account", "status")
	twilio.Review("approved", "")
	says(1, "The environment sets", "use")
	server.Close()
	says(1, "Twilio cannot be reached", "submit")
}

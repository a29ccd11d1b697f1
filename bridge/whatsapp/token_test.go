package whatsapp

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// HAND-13: while the token is changed either one may have signed, and no third one.
func TestTwoTokens(t *testing.T) {
	const former = "former0123456789"
	body := "AccountSid=" + account + "&MessageSid=SM1"
	signed := func(c *Client, by string) error {
		r := httptest.NewRequest("POST", InboundPath, strings.NewReader(body))
		r.Header.Set("X-Twilio-Signature", sign(by, c.public[0]+InboundPath+"AccountSid"+account+"MessageSidSM1"))
		return c.Verify(r, []byte(body))
	}
	cfg := config("")
	one := newClient(t, cfg)
	cfg.PreviousToken = former
	two := newClient(t, cfg)
	for _, c := range []struct {
		name   string
		client *Client
		by     string
		ok     bool
	}{
		{"one token", one, token, true}, {"one token, the former one", one, former, false}, {"one token, none", one, "", false},
		{"two tokens", two, token, true}, {"two tokens, the former one", two, former, true}, {"two tokens, another", two, "another", false}, {"two tokens, none", two, "", false},
	} {
		if err := signed(c.client, c.by); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	cfg.PreviousToken = "not a token"
	if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), "auth_token_previous") {
		t.Errorf("%v", err)
	}
}

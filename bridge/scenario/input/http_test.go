package input_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// call makes a request of the bridge's listener and gives the status and the body.
func call(t *testing.T, w *lab.World, method, path, body string, header http.Header) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.Bridge.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		req.Header = header
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(answer)
}

// What Twilio did not sign for our account does nothing; what it repeats counts once. HAND-13.
func TestForgedWebhooks(t *testing.T) {
	labtest.OnSynapse(t, lab.WorldOptions{WhatsApp: true}, forgedWebhooks)
}

func forgedWebhooks(t *testing.T, w *lab.World) {
	_, rooms := w.NewProject()
	n := w.Must("carl", rooms["customer"], "!lane human about forgeries").Number("handoff")
	question := w.Phones.WaitSent(lab.Dana, "the question", "about forgeries")
	real := w.Phones.Write(lab.Dana, fmt.Sprintf("#%d a real answer", n))
	w.Person("carl").Wait("the answer", lab.Says("a real answer"))
	params, err := w.Phones.Params(real.SID)
	if err != nil {
		t.Fatal(err)
	}
	inbound, status := w.Phones.InboundURL(), strings.Replace(w.Phones.InboundURL(), "inbound", "status", 1)
	forged := func(change map[string]string) url.Values {
		out := url.Values{}
		for key, value := range params {
			out[key] = value
		}
		out.Set("MessageSid", fmt.Sprintf("SM%032d", len(change)+n))
		out.Set("Body", fmt.Sprintf("#%d FORGERY", n))
		for key, value := range change {
			out.Set(key, value)
		}
		return out
	}
	const token = "0123456789abcdef0123456789abcdef"
	post := func(what string, want int, address string, v url.Values, signature string) {
		t.Helper()
		if got, err := w.Phones.PostSigned(address, v, signature); err != nil || got != want {
			t.Errorf("%s: %d %v, not %d", what, got, err, want)
		}
	}
	v := forged(nil)
	post("unsigned", 403, inbound, v, "")
	post("a wrong signature", 403, inbound, v, "bm8gc2lnbmF0dXJlIGF0IGFsbA==")
	post("signed with another token", 403, inbound, v, emulator.Sign("another token", inbound, v))
	post("signed for another address", 403, inbound, v, emulator.Sign(token, status, v))
	post("signed for other words", 403, inbound, v, emulator.Sign(token, inbound, forged(map[string]string{"Body": "harmless"})))
	other := forged(map[string]string{"AccountSid": "AC" + strings.Repeat("f", 32)})
	post("of another account", 403, inbound, other, emulator.Sign(token, inbound, other))
	none := forged(nil)
	none.Del("AccountSid")
	post("of no account", 403, inbound, none, emulator.Sign(token, inbound, none))
	post("an unsigned status", 403, status, url.Values{"MessageSid": {question.SID}, "MessageStatus": {"failed"}}, "")
	large := forged(map[string]string{"Body": strings.Repeat("x", 3<<20)})
	post("3 MB", 413, inbound, large, emulator.Sign(token, inbound, large))
	empty := url.Values{"AccountSid": params["AccountSid"]}
	post("nothing in it", 400, inbound, empty, emulator.Sign(token, inbound, empty))
	unknown := forged(map[string]string{"From": "whatsapp:+4915199999999", "WaId": "4915199999999", "MessageSid": "SM" + strings.Repeat("e", 32)})
	post("an unknown number", 200, inbound, unknown, emulator.Sign(token, inbound, unknown))
	for range 3 {
		post("a replay", 200, inbound, params, emulator.Sign(token, inbound, params))
	}
	for _, path := range []string{"/_lanekeeper/twilio/inbound", "/_lanekeeper/twilio/status"} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			if got, _ := call(t, w, method, path, "", nil); got != 405 {
				t.Errorf("%s %s: %d", method, path, got)
			}
		}
		if got, _ := call(t, w, "POST", path, "{broken", http.Header{"Content-Type": {"application/json"}, "X-Twilio-Signature": {"x"}}); got != 403 {
			t.Errorf("POST %s with JSON: %d", path, got)
		}
	}
	w.Person("root").Wait("that an unknown number wrote", lab.In(w.SuperAdmin()), lab.From(w.Bot()), lab.Says("4915199999999"))
	w.Phones.Write(lab.Dana, fmt.Sprintf("#%d the last one", n))
	carl := w.Person("carl")
	carl.Wait("the answer after all that", lab.Says("the last one"))
	if got := len(carl.Events(lab.Says("a real answer"), lab.NotEdit)); got != 1 {
		t.Errorf("a repeated webhook counts %d times", got)
	}
	w.Unheard("carl", "FORGERY", "4915199999999")
	for _, m := range w.Phones.Messages("") {
		if !m.Inbound && strings.Contains(m.Phone, "15199999999") {
			t.Error("an unknown number got an answer")
		}
	}
	w.Must("carl", rooms["customer"], fmt.Sprintf("!lane close #%d", n))
}

// Transactions are the homeserver's alone. MSG-02.
func TestForgedTransactions(t *testing.T) {
	labtest.OnSynapse(t, lab.WorldOptions{}, forgedTransactions)
}

func forgedTransactions(t *testing.T, w *lab.World) {
	path := "/_matrix/app/v1/transactions/forged1"
	event := `{"events":[{"type":"m.room.message","room_id":"` + w.Direct("root") + `","sender":"` + w.ID("root") + `","event_id":"$forged","origin_server_ts":1,"content":{"msgtype":"m.text","body":"project create forged \"Forged\""}}]}`
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	for what, c := range map[string]struct {
		want   int
		path   string
		body   string
		header http.Header
	}{
		"no token":                    {401, path, event, nil},
		"an empty token":              {401, path, event, bearer("")},
		"a wrong token":               {403, path, event, bearer("wrong")},
		"the other token":             {403, path, event, bearer(w.Bridge.ASToken)},
		"a token in the address":      {401, path + "?access_token=wrong", event, nil},
		"basic authentication":        {401, path, event, http.Header{"Authorization": {"Basic eDp5"}}},
		"broken JSON":                 {400, path, `{"events":[`, bearer(w.Bridge.HSToken)},
		"a list":                      {400, path, `[]`, bearer(w.Bridge.HSToken)},
		"null":                        {400, path, `null`, bearer(w.Bridge.HSToken)},
		"nothing":                     {400, path, ``, bearer(w.Bridge.HSToken)},
		"17 MB":                       {413, path, `{"events":[],"x":"` + strings.Repeat("x", 17<<20) + `"}`, bearer(w.Bridge.HSToken)},
		"an honest one":               {200, path, event, bearer(w.Bridge.HSToken)},
		"odd events":                  {200, path + "2", `{"events":[null,1,"x",{}],"ephemeral":{}}`, bearer(w.Bridge.HSToken)},
		"a user that is not there":    {404, "/_matrix/app/v1/users/" + w.Bridge.Ghosts() + "agent_nobody:" + lab.Domain, "", bearer(w.Bridge.HSToken)},
		"a user, without a token":     {401, "/_matrix/app/v1/users/" + w.Bot(), "", nil},
		"a path that does not exist":  {404, "/_matrix/app/v1/nonsense", "", bearer(w.Bridge.HSToken)},
		"an address, without a token": {401, "/_matrix/app/v1/rooms/%23x:" + lab.Domain, "", nil},
		"what is nobody's":            {404, "/", "", nil},
		"the directory above":         {404, "/_lanekeeper/", "", nil},
	} {
		method := map[bool]string{true: "PUT", false: "GET"}[strings.Contains(c.path, "transactions")]
		got, body := call(t, w, method, c.path, c.body, c.header)
		if got != c.want {
			t.Errorf("%s: %d %.100s, not %d", what, got, body, c.want)
		}
		if strings.Contains(body, w.Bridge.HSToken) || strings.Contains(body, w.Bridge.ASToken) || strings.Contains(body, "goroutine ") {
			t.Errorf("%s: the answer says too much: %s", what, body)
		}
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if got, body := call(t, w, "GET", path, "", nil); got != 200 || !bytes.Contains([]byte(body), []byte("ok")) {
			t.Errorf("%s: %d %s", path, got, body)
		}
		if got, _ := call(t, w, "POST", path, "", nil); got != 405 {
			t.Errorf("POST %s: %d", path, got)
		}
	}
	w.Must("root", w.Direct("root"), "ping")
	w.Refuse("not_found", "root", w.Direct("root"), "project show forged")
}

package input_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"lanekeeper/bridge/lab"
)

// An operator without a Twilio account tries everything with `lanekeeper phones`: a question reaches the page with the
// phones, and the answer that is written there comes back. Webhooks arrive, though the public address leads nowhere.
func TestPhonesBesideABridge(t *testing.T) {
	t.Parallel()
	address := fmt.Sprintf("http://127.0.0.1:%d", lab.FreePort(t))
	w := lab.NewWorld(t, lab.WorldOptions{Bridge: lab.BridgeOptions{WhatsApp: func(*lab.Bridge) string {
		return fmt.Sprintf("enabled: true\naccount_sid: AC00000000000000000000000000000000\nauth_token: any\napi_base_url: %s\nagents: [{number: %q, name: Dana}]", address, lab.Dana)
	}}})
	log := w.Bridge.Beside("phones", address, "phones", "-c", w.Bridge.Config)
	if said := log(); !strings.Contains(said, "stand-in for Twilio") || !strings.Contains(said, address+"/   (Dana)") {
		t.Errorf("it says\n%s", said)
	}
	page := openPage(t, address)

	_, rooms := w.NewProject()
	carl := w.Person("carl")
	carl.WaitIn("the customer lane", rooms["customer"])
	page.write(lab.Dana, "?")
	page.shows("the answer to ?", func(m message) bool { return !m.Own })
	question := carl.Text(rooms["customer"], "When will it be ready?")
	carl.React(rooms["customer"], question, "🙋")
	page.shows("the question", func(m message) bool { return !m.Own && strings.Contains(m.Text, "When will it be ready?") })
	page.write(lab.Dana, "On Friday.")
	carl.Wait("the answer", lab.InThread(question), lab.Says("On Friday."))
	page.shows("that it arrived", func(m message) bool { return m.Own && m.Text == "On Friday." && m.State == "delivered" })

	if said, code := w.Bridge.Run("doctor", "-c", w.Bridge.Config); code != 0 || !strings.Contains(said, "stand-in") {
		t.Errorf("doctor ends with %d:\n%s", code, said)
	}
}

// page is the page of the phones, as a browser has it: a stream of what changes, and what is written.
type page struct {
	t       *testing.T
	address string
	stream  *bufio.Scanner
	known   []message
}

type message struct {
	SID, Text, State string
	Own              bool
}

func openPage(t *testing.T, address string) *page {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*lab.Patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	return &page{t: t, address: address, stream: lines}
}

// shows waits until the page shows such a message. The stream ends with its time.
func (p *page) shows(what string, match func(message) bool) {
	p.t.Helper()
	for {
		for _, m := range p.known {
			if match(m) {
				return
			}
		}
		if !p.stream.Scan() {
			p.t.Fatalf("%s is not shown: %v; there is %+v", what, p.stream.Err(), p.known)
		}
		data, ok := strings.CutPrefix(p.stream.Text(), "data: ")
		if !ok {
			continue
		}
		var news struct{ Messages []message }
		if err := json.Unmarshal([]byte(data), &news); err != nil {
			p.t.Fatal(err)
		}
		p.known = append(p.known, news.Messages...)
	}
}

// write is what somebody writes on a phone.
func (p *page) write(phone, words string) {
	p.t.Helper()
	body, err := json.Marshal(map[string]string{"text": words})
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.address+"/phones/"+url.PathEscape(phone)+"/messages", strings.NewReader(string(body)))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		p.t.Fatalf("writing %q: %s", words, res.Status)
	}
}

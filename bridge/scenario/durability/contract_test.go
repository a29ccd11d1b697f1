package durability_test

import (
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/whatsapp"
)

// TestTwilioContract holds what the bridge asks of Twilio while that fails, and what the stand-in answers, to Twilio's own
// description: refusals by code, answers that are lost, listings, and every kind of request that the client makes.
func TestTwilioContract(t *testing.T) {
	k := newTalk(t, lab.WorldOptions{Shared: true, Contract: true})
	began := time.Now()
	for _, c := range []struct {
		name  string
		quiet bool
		fault emulator.Fault
	}{
		{"429", false, emulator.Fault{Times: 2, Status: 429, Code: 20429, RetryAfter: time.Second}},
		{"500 though it was taken", true, emulator.Fault{Times: 1, Status: 500, Code: 20500, Accept: true}},
		{"cut after it was taken", true, emulator.Fault{Times: 1, Cut: true, Accept: true}},
		{"callbacks before the answer", false, emulator.Fault{Times: 1, Accept: true, CallbackFirst: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k.t = t
			k.Phones.Quiet(c.quiet)
			k.Phones.Faults(c.fault)
			k.asked++
			k.ask(k.asked)
			k.arrive(30 * time.Second)
		})
	}
	k.t = t
	t.Run("what was missed is listed", func(t *testing.T) {
		k.t = t
		k.Bridge.Stop()
		k.answered++
		k.Phones.Lose(lab.Dana, "dana-001")
		k.Bridge.Start()
		k.arrive(30 * time.Second)
	})
	k.t = t
	t.Run("every kind of request", func(t *testing.T) { everyRequest(t, k, began) })
	t.Run("the contract was kept", func(t *testing.T) { k.Phones.CheckContract(t) })
}

func everyRequest(t *testing.T, k *talk, began time.Time) {
	c, err := whatsapp.New(k.Phones.Client())
	if err != nil {
		t.Fatal(err)
	}
	pooled := k.Phones.Client()
	pooled.MessagingServiceSID = "MG" + strings.Repeat("0", 32)
	service, err := whatsapp.New(pooled)
	if err != nil {
		t.Fatal(err)
	}
	template := k.Phones.Client().TemplateSID
	for _, m := range []whatsapp.Message{
		{To: lab.Dana, Body: "*#1* words & <more>\nשלום 👩‍👩‍👧‍👦", Ref: "a b/c"},
		{To: lab.Dana, Body: strings.Repeat("é", markupLimit)},
		{To: lab.Dana, MediaURL: "https://lanes.example.net/_lanekeeper/media/x/y.pdf?e=1&s=2"},
		{To: lab.Dana, Body: "a caption", MediaURL: "https://lanes.example.net/_lanekeeper/media/x/%C3%A9.png"},
		{To: lab.Dana, ContentSID: template, Variables: map[string]string{"1": "12"}, Ref: "7"},
	} {
		for name, client := range map[string]*whatsapp.Client{"alone": c, "with a service": service} {
			sid, _, err := client.Send(t.Context(), m)
			if err != nil {
				t.Errorf("%s: %+v: %v", name, m, err)
				continue
			}
			if s, err := client.Fetch(t.Context(), sid); err != nil || s.MessageSID != sid {
				t.Errorf("%s: fetched %+v, %v", name, s, err)
			}
		}
	}
	refused := whatsapp.Message{To: lab.Eli, Body: "no"}
	for _, code := range []int{21211, 21610, 21617, 63007, 63016, 63018} {
		k.Phones.Faults(emulator.Fault{Times: 1, Status: 400, Code: code, Match: to(lab.Eli)})
		if _, _, err := c.Send(t.Context(), refused); err == nil {
			t.Errorf("%d was no refusal", code)
		}
	}
	if _, err := c.Fetch(t.Context(), "SM"+strings.Repeat("f", 32)); err == nil {
		t.Error("a message that is not there was fetched")
	}
	if in, err := c.Missed(t.Context(), began.Add(-time.Hour), time.Now().Add(time.Minute)); err != nil || len(in) == 0 {
		t.Errorf("listed %d, %v", len(in), err)
	}
	if _, _, err := c.Lookup(t.Context(), lab.Dana, "a caption", began, nil); err != nil {
		t.Error(err)
	}
	for _, m := range k.Phones.Messages(lab.Dana) {
		if m.Inbound {
			if _, err := c.Media(t.Context(), m.SID); err != nil {
				t.Error(err)
			}
			break
		}
	}
}

// markupLimit is the longest body that is sent.
const markupLimit = 1500

package whatsapp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// message is one entry of Twilio's listing.
func message(sid, direction, body, created, sent string) map[string]any {
	from, to := "whatsapp:+14155238886", "whatsapp:"+agent
	if direction == "inbound" {
		from, to = to, from
	}
	m := map[string]any{"sid": sid, "account_sid": account, "direction": direction, "body": body, "from": from, "to": to,
		"date_created": created, "num_media": "0", "status": "sent"}
	if sent != "" {
		m["date_sent"] = sent
	}
	return m
}

// listing answers like Twilio: newest first, page by page, and with a date only
// what was sent.
func listing(t *testing.T, requests *[]string, all ...map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		*requests = append(*requests, q.Encode())
		var hits []map[string]any
		for _, m := range all {
			if q.Get("DateSent>") == "" || m["date_sent"] != nil {
				hits = append(hits, m)
			}
		}
		page, size := 0, 0
		_, _ = fmt.Sscan(q.Get("Page"), &page)
		_, _ = fmt.Sscan(q.Get("PageSize"), &size)
		from, to := min(page*size, len(hits)), min((page+1)*size, len(hits))
		answer := map[string]any{"messages": append([]map[string]any{}, hits[from:to]...), "next_page_uri": nil}
		if to < len(hits) {
			q.Set("Page", fmt.Sprint(page+1))
			q.Set("PageToken", "PT"+fmt.Sprint(page+1))
			answer["next_page_uri"] = r.URL.Path + "?" + q.Encode()
		}
		b, err := json.Marshal(answer)
		if err != nil {
			t.Error(err)
		}
		respond(200, string(b))(w, r)
	}
}

const (
	noon   = "Fri, 20 Nov 2026 12:00:00 +0000"
	before = "Fri, 20 Nov 2026 11:00:00 +0000"
)

func TestLookup(t *testing.T) {
	var asked []string
	c := fakeTwilio(t, listing(t, &asked,
		message("SM9", "inbound", "*#12* hello", noon, noon),
		message("SM2", "outbound-api", "*#12* hello", noon, noon),
		message("SM3", "outbound-api", "*#12* never sent", noon, ""),
		message("SM4", "outbound-api", "*#12* hello", noon, noon),
		message("SM1", "outbound-api", "*#12* hello", before, before),
	))
	since := time.Date(2026, 11, 20, 12, 0, 30, 0, time.UTC)
	for _, tc := range []struct {
		body  string
		known string
		want  string
	}{
		{"*#12* hello", "", "SM2"},
		{"*#12* hello", "SM2", "SM4"},
		{"*#12* hello", "SM2SM4", ""},
		{"*#12* never sent", "", "SM3"},
		{"*#12* hell", "", ""},
		{"", "", ""},
	} {
		sid, found, err := c.Lookup(t.Context(), agent, tc.body, since, func(sid string) bool { return strings.Contains(tc.known, sid) })
		if err != nil || sid != tc.want || found != (tc.want != "") {
			t.Errorf("%+v: %q %v %v", tc, sid, found, err)
		}
	}
	if want := "From=whatsapp%3A%2B14155238886&PageSize=20&To=whatsapp%3A%2B15551112222"; asked[0] != want {
		t.Errorf("asked %s", asked[0])
	}
	if s := strings.Join(asked, " "); !strings.Contains(s, "DateSent%3E=2026-11-20T11%3A59%3A30Z") {
		t.Errorf("asked %s", s)
	}
}

// An answer that is no list must not count as "not sent": that would send twice.
func TestLookupNeedsAList(t *testing.T) {
	for _, answer := range []http.HandlerFunc{respond(200, `{}`), respond(200, `<html>`), respond(302, ""), respond(500, ""), respond(404, "x"), cut} {
		if _, found, err := fakeTwilio(t, answer).Lookup(t.Context(), agent, "x", time.Now(), nil); found || err == nil {
			t.Errorf("%v %v", found, err)
		} else {
			quiet(t, err)
		}
	}
}

func TestMissed(t *testing.T) {
	var asked []string
	media := message("MM2", "inbound", "a\x00b", noon, noon)
	media["num_media"] = "2"
	hidden := message("SM3", "inbound", "hi", noon, noon)
	hidden["from"] = "whatsapp:US.13491208655302741918"
	sms := message("SM4", "inbound", "sms", noon, noon)
	sms["to"] = "+14155238886"
	c := fakeTwilio(t, listing(t, &asked, sms, hidden, media, message("SM1", "inbound", "first", before, before), message("SM5", "outbound-api", "x", noon, noon)))
	all, err := c.Missed(t.Context(), time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), time.Date(2026, 11, 20, 13, 0, 0, 0, time.UTC))
	if err != nil || len(all) != 3 || !strings.Contains(asked[0], "DateSent%3C=2026-11-20T13") {
		t.Fatalf("%+v %v %v", all, asked, err)
	}
	if m := all[0]; m.MessageSID != "SM1" || m.From != agent || m.To != "+14155238886" || m.Body != "first" || !m.Listed || m.Sent.IsZero() {
		t.Errorf("%+v", m)
	}
	if m := all[1]; m.Body != "ab" || m.NumMedia != 2 {
		t.Errorf("%+v", m)
	}
	if m := all[2]; m.From != "" || m.ExternalUserID != "US.13491208655302741918" {
		t.Errorf("%+v", m)
	}
}

// Twilio tells the time to the second: what came in one second keeps the order of the listing, which begins with the newest.
func TestMissedInOrder(t *testing.T) {
	var asked []string
	c := fakeTwilio(t, listing(t, &asked, message("SM1", "inbound", "third", noon, noon), message("SM3", "inbound", "second", noon, noon), message("SM2", "inbound", "first", noon, noon)))
	all, err := c.Missed(t.Context(), time.Time{}, time.Time{})
	if err != nil || len(all) != 3 || all[0].Body != "first" || all[1].Body != "second" || all[2].Body != "third" {
		t.Errorf("%+v %v", all, err)
	}
}

// M2: a listing is read page by page to its end; one that has none is an error.
func TestMissedToTheEnd(t *testing.T) {
	for _, n := range []int{450, 5000} {
		var all []map[string]any
		for i := range n {
			all = append(all, message(fmt.Sprintf("SM%04d", i), "inbound", "x", noon, noon))
		}
		var asked []string
		got, err := fakeTwilio(t, listing(t, &asked, all...)).Missed(t.Context(), time.Time{}, time.Time{})
		if err != nil || len(got) != n || len(asked) != (n+199)/200 {
			t.Errorf("%d: %d in %d requests, %v", n, len(got), len(asked), err)
		}
	}
	endless := respond(200, `{"messages":[{"sid":"SM1"}],"next_page_uri":"/x?Page=1&PageToken=PT1"}`)
	if _, err := fakeTwilio(t, endless).Missed(t.Context(), time.Time{}, time.Time{}); err == nil {
		t.Error("a listing without end")
	}
}

func TestMedia(t *testing.T) {
	path := "/2010-04-01/Accounts/" + account + "/Messages/MM00000000000000000000000000000005/Media/ME00000000000000000000000000000001"
	c := fakeTwilio(t, respond(200, `{"media_list":[{"uri":"`+path+`.json","content_type":"image/jpeg"}]}`))
	got, err := c.Media(t.Context(), "MM00000000000000000000000000000005")
	if err != nil || len(got) != 1 || got[0].Type != "image/jpeg" || got[0].URL != c.cfg.APIBaseURL+path {
		t.Error(got, err)
	}
}

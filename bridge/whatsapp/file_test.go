package whatsapp

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const (
	mm = "MM00000000000000000000000000000005"
	me = "ME00000000000000000000000000000001"
)

func pathOf(account, message, file string) string {
	return "/2010-04-01/Accounts/" + account + "/Messages/" + message + "/Media/" + file
}

// Our credentials go to Twilio's own hosts, for files of our account and of that message, and
// nowhere else (cw#15499).
func TestAddressesOfFiles(t *testing.T) {
	ours := pathOf(account, mm, me)
	for _, c := range []struct {
		name, api, address string
		want               string // "": refused
	}{
		{"Twilio", "", "https://api.twilio.com" + ours, "https://api.twilio.com" + ours},
		{"with its port", "", "https://api.twilio.com:443" + ours, "https://api.twilio.com" + ours},
		{"a region of it", "", "https://api.dublin.ie1.twilio.com" + ours, "https://api.dublin.ie1.twilio.com" + ours},
		{"without TLS", "", "http://api.twilio.com" + ours, ""},
		{"another port", "", "https://api.twilio.com:8443" + ours, ""},
		{"another host", "", "https://evil.example" + ours, ""},
		{"a host that ends like it", "", "https://api.twilio.com.evil.example" + ours, ""},
		{"a host that begins like it", "", "https://evilapi.twilio.com" + ours, ""},
		{"a host before an @", "", "https://api.twilio.com@evil.example" + ours, ""},
		{"a password", "", "https://a:b@api.twilio.com" + ours, ""},
		{"another host of Twilio", "", "https://mms.twiliocdn.com" + ours, ""},
		{"another account", "", "https://api.twilio.com" + pathOf("AC11111111111111111111111111111111", mm, me), ""},
		{"another message", "", "https://api.twilio.com" + pathOf(account, "MM11111111111111111111111111111111", me), ""},
		{"more behind it", "", "https://api.twilio.com" + ours + "/x", ""},
		{"dots", "", "https://api.twilio.com" + pathOf(account, mm, "../"+me), ""},
		{"a dot that is hidden", "", "https://api.twilio.com" + pathOf(account, mm, "%2e%2e"), ""},
		{"a query", "", "https://api.twilio.com" + ours + "?x=1", ""},
		{"no file", "", "https://api.twilio.com" + pathOf(account, mm, "SM00000000000000000000000000000001"), ""},
		{"no address", "", "::", ""},
		{"an emulator", "http://127.0.0.1:4511", "http://127.0.0.1:4511" + ours, "http://127.0.0.1:4511" + ours},
		{"an emulator that speaks as Twilio", "http://127.0.0.1:4511", "https://api.twilio.com" + ours, "http://127.0.0.1:4511" + ours},
		{"an emulator below a path", "http://127.0.0.1:4511/twilio", "http://127.0.0.1:4511/twilio" + ours, "http://127.0.0.1:4511/twilio" + ours},
		{"an emulator's other port", "http://127.0.0.1:4511", "http://127.0.0.1:4512" + ours, ""},
		{"not the emulator", "http://127.0.0.1:4511", "http://10.0.0.1:4511" + ours, ""},
		{"an emulator that is not there", "", "http://127.0.0.1:4511" + ours, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, file, err := newClient(t, config(c.api)).fileAddress(mm, c.address)
			switch {
			case c.want == "" && err == nil:
				t.Errorf("it is taken: %s", at)
			case c.want != "" && (err != nil || at.String() != c.want || file != me):
				t.Errorf("%v %s %v", at, file, err)
			}
		})
	}
}

func TestWhereFilesAre(t *testing.T) {
	for _, c := range []struct {
		api, to string
		want    bool
	}{
		{"", "https://mms.twiliocdn.com/x?Signature=1", true},
		{"", "https://media.twilio.com/x", true},
		{"", "http://mms.twiliocdn.com/x", false},
		{"", "https://mms.twiliocdn.com:8080/x", false},
		{"", "https://twiliocdn.com.evil.example/x", false},
		{"", "https://eviltwiliocdn.com/x", false},
		{"", "https://u:p@mms.twiliocdn.com/x", false},
		{"", "https://169.254.169.254/latest", false},
		{"", "http://127.0.0.1/x", false},
		{"http://127.0.0.1:4511", "http://localhost:9/x", true},
		{"http://127.0.0.1:4511", "https://mms.twiliocdn.com/x", true},
		{"http://127.0.0.1:4511", "http://10.0.0.1/x", false},
		{"http://twilio.test:80", "http://twilio.test:81/x", true},
		{"http://twilio.test:80", "http://127.0.0.1/x", false},
	} {
		c2 := newClient(t, config(c.api))
		at, _, _ := c2.fileAddress(mm, "https://api.twilio.com"+pathOf(account, mm, me))
		next, err := at.Parse(c.to)
		if err != nil {
			t.Fatal(err)
		}
		if got := c2.stores(next); got != c.want {
			t.Errorf("with %q, %s: %v", c.api, c.to, got)
		}
	}
}

// A file comes from where Twilio redirects to, without our credentials.
func TestFile(t *testing.T) {
	var status int
	var body []byte
	var elsewhere string
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the storage got our credentials")
		}
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Content-Disposition", `inline; filename*=UTF-8''Sch%C3%B6n.jpg`)
		_, _ = w.Write(body)
	}))
	defer store.Close()
	twilio := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != account || password != token {
			t.Error("Twilio got no credentials")
		}
		if status == http.StatusFound {
			w.Header().Set("Location", elsewhere)
		}
		w.WriteHeader(status)
	}))
	defer twilio.Close()
	c := newClient(t, config(twilio.URL))
	address := twilio.URL + pathOf(account, mm, me)

	status, elsewhere, body = http.StatusFound, store.URL+"/x", []byte("a picture")
	var got bytes.Buffer
	if info, err := c.File(t.Context(), mm, address, &got); err != nil || info != (FileInfo{"image/jpeg", "Schön.jpg", 9}) || got.String() != "a picture" {
		t.Errorf("%+v %v %q", info, err, got.String())
	}
	body = bytes.Repeat([]byte("x"), MaxFile+1)
	if _, err := c.File(t.Context(), mm, address, &bytes.Buffer{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("17 MB: %v", err)
	}
	var e *Error
	if _, err := c.File(t.Context(), mm, "https://evil.example/x", &got); !errors.As(err, &e) || e.Class != Permanent || strings.Contains(err.Error(), "evil") {
		t.Errorf("an address elsewhere: %v", err)
	}
	for code, class := range map[int]Class{404: Retry, 500: Retry, 429: Retry, 401: Account, 403: Account} {
		status = code
		if _, err := c.File(t.Context(), mm, address, &got); !errors.As(err, &e) || e.Class != class {
			t.Errorf("%d: %v", code, err)
		}
	}
	status, elsewhere = http.StatusFound, "http://10.1.2.3/x"
	if _, err := c.File(t.Context(), mm, address, &got); !errors.As(err, &e) || e.Class != Permanent {
		t.Errorf("a redirect elsewhere: %v", err)
	}
}

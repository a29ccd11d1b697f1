package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

const (
	// MaxFile is how large a file of a message may be, in bytes: WhatsApp takes no larger
	// ones (https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages).
	MaxFile = 16 << 20
	// fileTime bounds one try to get a file.
	fileTime = 2 * time.Minute
	// maxHops is how often Twilio may redirect to its storage.
	maxHops = 5
)

// ErrTooLarge says that a file is larger than MaxFile.
var ErrTooLarge = errors.New("the file is larger than WhatsApp takes")

var (
	twilioHost = regexp.MustCompile(`^api(\.[a-z0-9-]+){0,2}\.twilio\.com$`)
	storeHost  = regexp.MustCompile(`^([a-z0-9-]+\.)+(twilio|twiliocdn)\.com$`)
	mediaPath  = regexp.MustCompile(`^/2010-04-01/Accounts/(AC[0-9a-fA-F]{32})/Messages/([A-Z]{2}[0-9a-fA-F]{32})/Media/(ME[0-9a-fA-F]{32})$`)
)

// FileInfo is what Twilio says of a file, which nobody has to believe.
type FileInfo struct {
	Type string
	Name string // "" if it says none
	Size int64  // as it came
}

// File writes a file of a message into w. Twilio may answer 404 for some seconds after
// the message; that, and all else that may pass, is an *Error of class Retry or Account. What is
// larger than MaxFile is ErrTooLarge, and an address that is not one of our account's
// files at Twilio an error of class Permanent: it gets no credentials.
func (c *Client) File(ctx context.Context, message, address string, w io.Writer) (FileInfo, error) {
	at, _, err := c.fileAddress(message, address)
	if err != nil {
		return FileInfo{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	resp, err := c.follow(ctx, at)
	if err != nil {
		return FileInfo{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return FileInfo{}, refusedFile(resp.StatusCode)
	}
	if resp.ContentLength > MaxFile {
		return FileInfo{}, ErrTooLarge
	}
	n, err := io.Copy(w, io.LimitReader(resp.Body, MaxFile+1))
	switch {
	case n > MaxFile:
		return FileInfo{}, ErrTooLarge
	case err != nil:
		return FileInfo{}, unreachable(err)
	}
	_, params, _ := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
	return FileInfo{Type: resp.Header.Get("Content-Type"), Name: params["filename"], Size: n}, nil
}

// DropFile deletes a file at Twilio; one that is gone already is fine.
func (c *Client) DropFile(ctx context.Context, message, address string) error {
	_, sid, err := c.fileAddress(message, address)
	if err != nil {
		return err
	}
	call := c.call(ctx)
	defer call.end()
	if err := call.api().DeleteMedia(message, sid, &api.DeleteMediaParams{}); err != nil && call.status != http.StatusNotFound {
		return call.error("delete media", err, outcomeNothing)
	}
	return nil
}

// standIn reports whether an emulator is in Twilio's place.
func (c *Client) standIn() bool { return !twilioHost.MatchString(c.twilio.Host) }

// fileAddress is where a file of a message is, and its id: at Twilio itself, by https, in
// our own account, of that message and no other. An emulator's addresses are below
// api_base_url; those of Twilio's form are looked for there, as all requests are.
func (c *Client) fileAddress(message, address string) (at *url.URL, sid string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" || u.RawPath != "" {
		return nil, "", errFileAddress
	}
	path := u.Path
	switch {
	case c.standIn() && u.Scheme == c.twilio.Scheme && u.Host == c.twilio.Host:
		path = strings.TrimPrefix(path, c.twilio.Path)
	case u.Scheme != "https" || u.Port() != "" && u.Port() != "443" || !twilioHost.MatchString(u.Hostname()):
		return nil, "", errFileAddress
	}
	m := mediaPath.FindStringSubmatch(path)
	if m == nil || !strings.EqualFold(m[1], c.cfg.AccountSID) || !strings.EqualFold(m[2], message) {
		return nil, "", errFileAddress
	}
	if !c.standIn() {
		return &url.URL{Scheme: "https", Host: u.Hostname(), Path: path}, m[3], nil
	}
	return &url.URL{Scheme: c.twilio.Scheme, Host: c.twilio.Host, Path: c.twilio.Path + path}, m[3], nil
}

var errFileAddress = &Error{Op: "get media", Class: Permanent, Message: "that is no address of a file of ours at Twilio"}

// follow asks for a file, and goes where Twilio sends us for it: without credentials, and
// to its own storage alone.
func (c *Client) follow(ctx context.Context, at *url.URL) (*http.Response, error) {
	for hop := range maxHops {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
		if err != nil {
			return nil, errFileAddress
		}
		if hop == 0 {
			user := c.credentials()
			req.SetBasicAuth(user.Username, user.Password)
		}
		resp, err := c.transport.RoundTrip(req)
		if err != nil {
			return nil, unreachable(err)
		}
		switch resp.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			return resp, nil
		}
		resp.Body.Close()
		next, err := at.Parse(resp.Header.Get("Location"))
		if err != nil || !c.stores(next) {
			return nil, &Error{Op: "get media", Class: Permanent, HTTPStatus: resp.StatusCode, Message: "Twilio sends us elsewhere than to its own storage"}
		}
		at = next
	}
	return nil, &Error{Op: "get media", Class: Retry, Message: "Twilio sends us from place to place"}
}

// stores reports whether files of ours may be fetched from an address that Twilio names.
// An emulator may name its own computer, on any port.
func (c *Client) stores(u *url.URL) bool {
	if u.User != nil {
		return false
	}
	if c.standIn() && (u.Scheme == "http" || u.Scheme == "https") && (u.Hostname() == c.twilio.Hostname() || loopback(u.Hostname()) && loopback(c.twilio.Hostname())) {
		return true
	}
	return u.Scheme == "https" && (u.Port() == "" || u.Port() == "443") && storeHost.MatchString(u.Hostname())
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// unreachable is an error without the address, which may open the file to who reads it.
func unreachable(err error) *Error {
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err
	}
	return &Error{Op: "get media", Class: Retry, Message: "Twilio cannot be reached, or its answer was lost", cause: err}
}

func refusedFile(status int) *Error {
	e := &Error{Op: "get media", Class: Retry, HTTPStatus: status, Message: fmt.Sprintf("Twilio answers %d", status)}
	switch status {
	case http.StatusNotFound:
		e.Message = "the file is not there yet"
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Class, e.Message = Account, "Twilio refuses our credentials"
	}
	return e
}

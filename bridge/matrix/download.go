package matrix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
)

// mxcAddress is the address of a file: the server's name and an id
// (https://spec.matrix.org/v1.15/client-server-api/#matrix-content-mxc-uris).
var mxcAddress = regexp.MustCompile(`^mxc://([0-9A-Za-z.:\[\]-]{1,230})/([0-9A-Za-z_-]{1,255})$`)

// IsMXC reports whether something can be the address of a file.
func IsMXC(address string) bool { return mxcAddress.MatchString(address) }

// Download is a file that comes in.
type Download struct {
	Body io.ReadCloser // nothing of it is held back
	Type string        // what was said of it when it was uploaded
	Size int64         // -1: not said
}

// Download asks for a file as the bot. How long it may take altogether is for ctx to say:
// it ends the body, too.
func (c *Client) Download(ctx context.Context, mxc string) (*Download, error) {
	part := mxcAddress.FindStringSubmatch(mxc)
	if part == nil {
		return nil, &Error{Status: http.StatusNotFound, Code: "M_NOT_FOUND", Message: "that is no address of a file"}
	}
	d, err := c.download(ctx, part[1], part[2], "client", "v1", "media", "download")
	if IsCode(err, "M_UNRECOGNIZED") { // before Matrix 1.11
		d, err = c.download(ctx, part[1], part[2], "media", "v3", "download")
	}
	return d, err
}

func (c *Client) download(ctx context.Context, server, id string, path ...string) (*Download, error) {
	u := c.base.JoinPath(append([]string{"_matrix"}, path...)...).JoinPath(server, id)
	u.RawQuery = "user_id=" + url.QueryEscape(c.Bot()) + "&timeout_ms=20000"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.cfg.ASToken)
	req.Header.Set("User-Agent", "Lanekeeper")
	req.Header.Set("Accept-Encoding", "identity") // else the length is not known
	resp, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address
		}
		return nil, fmt.Errorf("download: %w", &Error{Message: err.Error(), cause: err})
	}
	if resp.StatusCode == http.StatusOK {
		return &Download{Body: resp.Body, Type: resp.Header.Get("Content-Type"), Size: resp.ContentLength}, nil
	}
	defer resp.Body.Close()
	var said struct {
		Code    string `json:"errcode"`
		Message string `json:"error"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, answerLimit)).Decode(&said)
	return nil, &Error{Status: resp.StatusCode, Code: said.Code, Message: said.Message}
}

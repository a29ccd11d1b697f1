package matrix

import (
	"context"
	"io"
	"net/http"
	"time"
)

// uploadTime bounds the upload of a file of any size.
const uploadTime = 2 * time.Minute

type uploaded struct {
	URI string `json:"content_uri"`
}

// Upload puts a file into the homeserver's store, as the bot, and gives its mxc address.
// Each call makes another one.
func (c *Client) Upload(ctx context.Context, name, contentType string, file []byte) (string, error) {
	var out uploaded
	_, err := c.do(ctx, request{
		op: "upload " + name, method: http.MethodPost, path: []any{"media", "v3", "upload"}, query: map[string]string{"filename": name},
		file: file, typ: contentType, out: &out,
	})
	return out.URI, err
}

// UploadFrom is Upload of what a reader gives, piece by piece. Names of people's files do
// not stand in logs.
func (c *Client) UploadFrom(ctx context.Context, name, contentType string, file io.Reader, size int64) (string, error) {
	var out uploaded
	_, err := c.do(ctx, request{
		op: "upload a file", method: http.MethodPost, path: []any{"media", "v3", "upload"}, query: map[string]string{"filename": name},
		reader: io.NopCloser(file), size: size, typ: contentType, out: &out, timeout: uploadTime,
	})
	return out.URI, err
}

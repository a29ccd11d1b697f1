package matrix

import (
	"context"
	"net/http"
)

// Upload puts a file into the homeserver's store, as the bot, and gives its mxc address.
// Each call makes another one.
func (c *Client) Upload(ctx context.Context, name, contentType string, file []byte) (string, error) {
	var out struct {
		URI string `json:"content_uri"`
	}
	_, err := c.do(ctx, request{
		op: "upload " + name, method: http.MethodPost, path: []any{"media", "v3", "upload"}, query: map[string]string{"filename": name},
		file: file, typ: contentType, out: &out,
	})
	return out.URI, err
}

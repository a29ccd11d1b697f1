package matrix

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// Capabilities is what the homeserver can do. The rest of the bridge asks here
// and never for the name of the software.
type Capabilities struct {
	Software           string   // what it calls itself, "Synapse/1.163.2"; empty if it does not say
	SpecVersions       []string // as listed by /versions
	RoomVersions       []string // stable ones, ascending
	DefaultRoomVersion string
	MaxUpload          int64 // bytes; 0: it does not say
	Ping               bool  // can call us back on request (MSC2659, v1.7)
	ForcesEncryption   bool  // Element clients encrypt new private rooms (io.element.e2ee_forced): we cannot read those

	// Devices: our users have devices (MSC4190). Only then is a repeated
	// transaction id recognised after a restart of the homeserver; else Send
	// marks what it sends, and FindSent must be asked before an attempt whose
	// outcome is unknown is repeated.
	Devices bool
}

// RoomVersion is the version for new rooms: 12 where it is offered, else the
// homeserver's default.
func (caps Capabilities) RoomVersion() string {
	if slices.Contains(caps.RoomVersions, "12") {
		return "12"
	}
	return caps.DefaultRoomVersion
}

// Probe asks the homeserver what it can do, and remembers it. The bot is
// registered if need be: most questions must be asked by somebody.
func (c *Client) Probe(ctx context.Context) (Capabilities, error) {
	caps, err := c.versions(ctx)
	if err != nil {
		return caps, err
	}
	if err := c.register(ctx, c.cfg.BotLocalpart); err != nil {
		return caps, err
	}
	if err := c.roomVersions(ctx, &caps); err != nil {
		return caps, err
	}
	if caps.MaxUpload, err = c.maxUpload(ctx); err != nil {
		return caps, err
	}
	if caps.Devices, err = c.makeDevice(ctx, c.Bot()); err != nil {
		return caps, err
	}
	c.caps.Store(&caps)
	return caps, nil
}

// capabilities is what Probe found; it probes if nobody did yet.
func (c *Client) capabilities(ctx context.Context) (Capabilities, error) {
	if caps := c.caps.Load(); caps != nil {
		return *caps, nil
	}
	return c.Probe(ctx)
}

// ErrNoHomeserver says that something answered the first question to every
// homeserver with success, but not as one: a web page, another service.
var ErrNoHomeserver = errors.New("it does not say which versions of Matrix it speaks")

// EncryptsRooms tells whether the homeserver encrypts rooms that are made here, as
// Probe found it last.
func (c *Client) EncryptsRooms() bool {
	caps := c.caps.Load()
	return caps != nil && caps.ForcesEncryption
}

// Reachable asks the homeserver for nothing but an answer.
func (c *Client) Reachable(ctx context.Context) error {
	_, err := c.versions(ctx)
	return err
}

func (c *Client) versions(ctx context.Context) (Capabilities, error) {
	var caps Capabilities
	var answer struct {
		Versions []string        `json:"versions"`
		Unstable map[string]bool `json:"unstable_features"`
	}
	header, err := c.do(ctx, request{
		op: "versions of the homeserver", method: http.MethodGet, path: []any{"client", "versions"}, out: &answer, nobody: true,
	})
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || err == nil && len(answer.Versions) == 0 {
		return caps, ErrNoHomeserver
	}
	if err != nil {
		return caps, err
	}
	caps.Software = header.Get("Server")
	if c.cfg.Software != "" && c.cfg.Software != "auto" {
		caps.Software = c.cfg.Software
	}
	caps.SpecVersions = answer.Versions
	caps.Ping = slices.Contains(answer.Versions, "v1.7") || answer.Unstable["fi.mau.msc2659.stable"]
	caps.ForcesEncryption = answer.Unstable["io.element.e2ee_forced.private"] || answer.Unstable["io.element.e2ee_forced.trusted_private"]
	return caps, nil
}

// roomVersions reads m.room_versions of
// https://spec.matrix.org/v1.15/client-server-api/#capabilities-negotiation.
func (c *Client) roomVersions(ctx context.Context, caps *Capabilities) error {
	var answer struct {
		Capabilities struct {
			Rooms struct {
				Default   string            `json:"default"`
				Available map[string]string `json:"available"`
			} `json:"m.room_versions"`
		} `json:"capabilities"`
	}
	if _, err := c.do(ctx, request{
		op: "capabilities of the homeserver", method: http.MethodGet,
		path: []any{"client", "v3", "capabilities"}, out: &answer, noDevice: true,
	}); err != nil {
		return err
	}
	rooms := answer.Capabilities.Rooms
	caps.DefaultRoomVersion = rooms.Default
	for _, version := range slices.SortedFunc(maps.Keys(rooms.Available), byNumber) {
		if rooms.Available[version] == "stable" {
			caps.RoomVersions = append(caps.RoomVersions, version)
		}
	}
	return nil
}

// byNumber orders "2" before "10", and names that are no numbers last.
func byNumber(a, b string) int {
	return number(a) - number(b)
}

func number(version string) int {
	if n, err := strconv.Atoi(version); err == nil {
		return n
	}
	return 1 << 20
}

// maxUpload asks the authenticated path first (v1.11), then the old one.
func (c *Client) maxUpload(ctx context.Context) (int64, error) {
	var answer struct {
		Size int64 `json:"m.upload.size"`
	}
	r := request{op: "upload limit", method: http.MethodGet, path: []any{"client", "v1", "media", "config"}, out: &answer, noDevice: true}
	_, err := c.do(ctx, r)
	if absent(err) {
		r.path = []any{"media", "v3", "config"}
		_, err = c.do(ctx, r)
	}
	if absent(err) {
		return 0, nil
	}
	return answer.Size, err
}

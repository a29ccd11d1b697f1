package doctor

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge"
	"lanekeeper/bridge/matrix"
)

// wantUpload is the size of file that people may expect to send, in bytes.
const wantUpload = 25 << 20

// homeserver: does it answer, does it know us, what can it do, does it reach us?
func (x *examination) homeserver(ctx context.Context) {
	registered := x.cfg.Registered()
	if !registered {
		x.fail("There are no tokens yet (appservice.as_token, appservice.hs_token).", "Run lanekeeper -g -c %s -r %s, and give that registration to the homeserver (above).", x.files.Config, x.files.Registration)
	}
	hs, err := matrix.New(bridge.MatrixConfig(x.cfg), zerolog.Nop())
	if err != nil {
		x.fail(f("homeserver.address: %v.", err), "")
		return
	}
	if !x.reachable(ctx, hs) || !registered {
		return
	}
	const again = "Check homeserver.domain and the names under appservice, run lanekeeper -g again, give the registration to the homeserver (above), and restart it."
	probing, cancel := limited(ctx)
	caps, err := hs.Probe(probing)
	cancel()
	switch {
	case matrix.IsCode(err, "M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"):
		x.fail("The homeserver does not know our token.", "Give it the registration that lanekeeper -g wrote (above), and restart it.")
		return
	case matrix.IsCode(err, "M_FORBIDDEN", "M_EXCLUSIVE"):
		x.fail(f("The homeserver knows our token, but not for our users: %v.", err), again)
		return
	case err != nil:
		x.fail(f("The homeserver does not let us act: %v.", err), again)
		return
	}
	x.ok("The homeserver accepts our token: we are %s on %s.", hs.Bot(), software(caps))
	x.capabilities(caps)
	x.acting(ctx, hs)
	x.staffRoom(ctx, hs)
	x.wayBack(ctx, hs, caps)
}

// reachable: does a homeserver answer? What it thinks of our token is another
// question.
func (x *examination) reachable(ctx context.Context, hs *matrix.Client) bool {
	const key = "homeserver.address"
	ctx, cancel := limited(ctx)
	defer cancel()
	address := x.cfg.Homeserver.Address
	err := hs.Reachable(ctx)
	var answer *matrix.Error
	switch {
	case err == nil, errors.As(err, &answer) && answer.Code != "":
		x.ok("The homeserver answers at %s.", address)
		return true
	case answer != nil && answer.Status == 0:
		why, fix := unreached(err, address, key)
		if fix == "" {
			why = answer.Message
		}
		x.fail(f("The homeserver does not answer at %s: %s.", address, why), "%s", cmp.Or(fix, "Start it, or correct homeserver.address."))
	case answer != nil && answer.Status == http.StatusBadRequest && strings.HasPrefix(address, "http://"): // so many servers answer http where they speak https
		x.fail(f("What answers at %s does not understand us (%v).", address, answer), "If it speaks https, write %s in %s; else correct the address.", strings.Replace(address, "http://", "https://", 1), key)
	default:
		x.fail(f("What answers at %s is no homeserver: %v.", address, err), "Correct homeserver.address; if a proxy stands there, start the homeserver behind it.")
	}
	return false
}

func software(caps matrix.Capabilities) string {
	return cmp.Or(caps.Software, "a homeserver that does not name itself")
}

func (x *examination) capabilities(caps matrix.Capabilities) {
	switch version := cmp.Or(x.cfg.Rooms.Version, caps.RoomVersion()); {
	case version == "":
		x.fail("It names no stable room version, so it is too old.", "Update it.")
	case !slices.Contains(caps.RoomVersions, version):
		x.fail(f("It does not offer room version %s (rooms.version) as stable, but %s.", version, strings.Join(caps.RoomVersions, ", ")), "Leave rooms.version empty.")
	default:
		x.ok("New rooms get version %s.", version)
	}
	if !caps.Devices {
		x.note("It gives our users no devices (MSC4190), so messages are looked up before they are sent again.", "On Synapse this should not happen: check io.element.msc4190 in the registration.")
	}
	switch {
	case caps.MaxUpload > 0 && caps.MaxUpload < wantUpload:
		x.fail(f("It takes files of %d MB at most, people expect 25.", caps.MaxUpload>>20), "Set max_upload_size: 25M (Dendrite: media_api.max_file_size_bytes: 26214400).")
	case caps.MaxUpload > 0:
		x.ok("Uploads up to %d MB.", caps.MaxUpload>>20)
	}
	if caps.ForcesEncryption {
		x.fail("It encrypts every room that is made with invitations only, so nobody could write in a lane and the bot could not read in a direct chat.", `Set encryption_enabled_by_default_for_room_type: "off" in homeserver.yaml, and restart it.`)
	}
}

// pauses lie between the times that we ask the homeserver to call us. For some seconds
// Synapse may not call an address where somebody was until just now (it says
// AlreadyCancelled): a Lanekeeper that was stopped, or a doctor that was asked before.
var pauses = []time.Duration{300 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}

// wayBack makes the homeserver call us.
func (x *examination) wayBack(ctx context.Context, hs *matrix.Client, caps matrix.Capabilities) {
	if !caps.Ping {
		x.note("It cannot be asked to call us back. Nothing depends on that: input is read by the bot's own sync.", "")
		return
	}
	x.place.take(hs.Handler(func() {}))
	ctx, cancel := limited(ctx)
	defer cancel()
	took, err := hs.Ping(ctx)
	for _, pause := range pauses {
		if err == nil || matrix.IsCode(err, "M_BAD_STATUS") || ctx.Err() != nil {
			break
		}
		select {
		case <-time.After(pause):
			took, err = hs.Ping(ctx)
		case <-ctx.Done():
		}
	}
	switch {
	case matrix.IsCode(err, "M_BAD_STATUS"):
		x.fail(f("Where the homeserver looks for us, it is turned away: %v.", err), "If Lanekeeper is there, the homeserver has another hs_token: give it the registration that lanekeeper -g wrote (above), and restart it. If it is another program, change appservice.port and appservice.address, and run lanekeeper -g again.")
	case err != nil:
		x.fail(f("The homeserver does not reach us: %v.", err), "It uses the url of our registration, which should be %s and lead to %s: correct appservice.address and run lanekeeper -g again, or let it through.", x.cfg.AppService.Address, x.address())
	default:
		x.ok("It can reach Lanekeeper (%d ms).", took.Milliseconds())
	}
}

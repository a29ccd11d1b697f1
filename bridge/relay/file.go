package relay

import (
	"fmt"
	"strconv"
	"strings"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/media"
)

// FileOf is the file in the content of a message or a sticker; nil if there is none. What
// the content says of its type and its size is not believed.
func FileOf(content map[string]any) *handoff.File {
	kind, _ := content["msgtype"].(string)
	address, _ := content["url"].(string)
	_, encrypted := content["file"].(map[string]any)
	switch kind {
	case "m.image", "m.video", "m.audio", "m.file":
	case "":
		if address == "" && !encrypted {
			return nil
		}
		kind = "m.sticker"
	default:
		return nil
	}
	f := &handoff.File{Kind: kind, Encrypted: encrypted}
	if _, ok := content["org.matrix.msc3245.voice"]; ok && kind == "m.audio" {
		f.Kind = "m.voice"
	}
	name, _ := content["filename"].(string)
	if name == "" {
		name, _ = content["body"].(string)
	}
	alone := map[string]string{"m.image": "photo", "m.video": "video", "m.audio": "sound", "m.voice": "voice message", "m.sticker": "sticker"}[f.Kind]
	if alone == "" {
		alone = "file"
	}
	f.Name = media.Name(name, alone, "")
	if matrix.IsMXC(address) && !encrypted {
		f.MXC = address
	}
	return f
}

// captioned reports whether the body of a file is more than its name: without a name of its
// own the body is one (https://spec.matrix.org/v1.15/client-server-api/#media-captions).
func captioned(content map[string]any) bool {
	name, _ := content["filename"].(string)
	body, _ := content["body"].(string)
	return name != "" && body != name && media.Name(body, "", "") != media.Name(name, "", "")
}

// place is a location as words: a link to a map, and what its sender says of it; "" if it
// is none.
func place(content map[string]any) string {
	geo, _ := content["geo_uri"].(string)
	at, _, _ := strings.Cut(strings.TrimPrefix(geo, "geo:"), ";")
	lat, rest, ok := strings.Cut(at, ",")
	lon, _, _ := strings.Cut(rest, ",")
	y, errY := strconv.ParseFloat(lat, 64)
	x, errX := strconv.ParseFloat(lon, 64)
	if !ok || errY != nil || errX != nil || !(y >= -90 && y <= 90 && x >= -180 && x <= 180) {
		return ""
	}
	words := "📍 " + fmt.Sprintf("https://www.openstreetmap.org/?mlat=%.6f&mlon=%.6f", y, x)
	if body, _ := content["body"].(string); body != "" && !strings.Contains(body, "geo:") {
		words += "\n" + body
	}
	return words
}

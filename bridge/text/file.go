package text

import (
	"fmt"
	"strings"

	"lanekeeper/bridge/markup"
)

// File is a file as sentences name it.
type File struct {
	Name string // "": it has none
	Kind string // msgtype, m.voice or m.sticker
	Size int64  // in bytes; below 1: not known
}

// kinds are the sign and the name of what came.
var kinds = map[string][2]string{
	"m.image": {"📷", "a photo"}, "m.video": {"🎬", "a video"}, "m.audio": {"🎵", "a sound file"}, "m.voice": {"🎤", "a voice message"}, "m.sticker": {"🖼️", "a sticker"},
}

func (f File) kind() (sign, name string) {
	k, ok := kinds[f.Kind]
	if !ok {
		return "📎", "a file"
	}
	return k[0], k[1]
}

// titled is the sign of a file and its name, on one line. It has no colon, by which it could
// look like somebody's words.
func (f File) titled() (sign, name string) {
	sign, name = f.kind()
	if given := strings.Join(strings.Fields(f.Name), " "); given != "" && f.Kind != "m.voice" && f.Kind != "m.sticker" {
		name = strings.Map(func(r rune) rune {
			if strings.ContainsRune(":\uff1a\ufe55\ua789\u2236", r) {
				return '_'
			}
			return r
		}, given)
	}
	return sign, name
}

// size is how large it is, for people.
func (f File) size() string {
	switch {
	case f.Size <= 0:
		return ""
	case f.Size < 1<<20:
		return fmt.Sprintf(" (%d KB)", max(1, f.Size>>10))
	}
	return fmt.Sprintf(" (%.1f MB)", float64(f.Size)/(1<<20))
}

// FileNameForAgent names a file that somebody sent.
func FileNameForAgent(f File) string {
	sign, name := f.titled()
	return sign + " " + markup.LiteralForWhatsApp(name)
}

// LinkForAgent is a file that WhatsApp does not take, as a link.
func LinkForAgent(f File, link string) string { return FileNameForAgent(f) + f.size() + ": " + link }

// StayedFileForAgent tells an agent that somebody sent a file that we cannot pass on.
func StayedFileForAgent(f File) string {
	_, name := f.kind()
	return "(" + name + ", not passed on)"
}

// FileForStaff stands for a file in what staff read. passed: it stands there as well.
func FileForStaff(f File, passed bool) Words {
	if sign, name := f.titled(); passed {
		return Say("%s %s", sign, name)
	}
	_, name := f.kind()
	return Say("(%s, not passed on)", name)
}

// LinkedForStaff tells that WhatsApp did not take a file.
func LinkedForStaff(n int64, name, why string) Words {
	return Say("%s", fmt.Sprintf("⚠️ WhatsApp didn't take the file, so I sent %s a link to it: %s. (#%d)", name, why, n))
}

// NotCarriedForAsker answers a file in the thread that we cannot pass on.
func NotCarriedForAsker(n int64, encrypted bool) Words {
	what := "I can't pass this on"
	if encrypted {
		what = "I can't open encrypted files"
	}
	return Say("%s", fmt.Sprintf("%s, so support hasn't seen this one. Please describe what it shows. (#%d)", what, n))
}

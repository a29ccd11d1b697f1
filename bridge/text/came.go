package text

import (
	"fmt"
	"strings"
)

// What is said about files from WhatsApp.

// FileKind is what people call a file of a type.
func FileKind(typ string) string {
	typ, _, _ = strings.Cut(strings.ToLower(typ), ";")
	switch kind, _, _ := strings.Cut(typ, "/"); {
	case typ == "image/webp":
		return "sticker"
	case kind == "image":
		return "photo"
	case kind == "video":
		return "video"
	case typ == "audio/ogg":
		return "voice message"
	case kind == "audio":
		return "audio file"
	case strings.HasSuffix(typ, "vcard"):
		return "contact card"
	}
	return "file"
}

// FileInMatrix stands for a file beside the name of who sent it, where the bot shows it.
func FileInMatrix(name string) Words { return Say("📎 %s", name) }

// ContactInMatrix is what a contact card says.
func ContactInMatrix(name string, numbers []string) Words {
	if len(numbers) > 0 {
		name = strings.TrimPrefix(name+": "+strings.Join(numbers, ", "), ": ")
	}
	return Say("👤 %s", name)
}

// PlaceInMatrix is a place on the map, with what it is called if it is.
func PlaceInMatrix(label, latitude, longitude string) Words {
	where := latitude + ", " + longitude
	if label != "" {
		where = label + " (" + where + ")"
	}
	return Say("📍 %s", where)
}

// FileMissingForAsker says in the asker's thread that a file is missing from an answer.
// who sent it is named as the answer names them; why is late, lost, large or refused.
func FileMissingForAsker(n int64, who, kind, why string) Words {
	said := fmt.Sprintf("%s sent %s", who, a(kind))
	switch why {
	case "late":
		said += ", but WhatsApp hasn't handed it over yet. I keep trying, and it'll come here."
	case "large":
		said += " that's too large for WhatsApp, so it isn't here. I've told them."
	case "refused":
		said += " that our Matrix server doesn't take, so it isn't here. I've told them."
	default:
		said += ", but WhatsApp didn't hand it over. I've asked them to send it again."
	}
	return Say("%s", fmt.Sprintf("%s (#%d)", said, n))
}

// FileMissingForStaff says the same in the card's thread.
func FileMissingForStaff(who, kind, why string) Words {
	switch why {
	case "late":
		return Say("%s", fmt.Sprintf("WhatsApp hasn't handed over %s from %s yet. I keep trying; words go through as ever.", a(kind), who))
	case "large":
		return Say("%s", fmt.Sprintf("%s sent %s that's larger than 16 MB, so nobody got it.", who, a(kind)))
	case "refused":
		return Say("%s", fmt.Sprintf("%s sent %s that the homeserver doesn't take, so nobody got it. Its limit is max_upload_size.", who, a(kind)))
	}
	return Say("%s", fmt.Sprintf("WhatsApp didn't hand over %s from %s, so nobody got it. I've asked for it again.", a(kind), who))
}

// FileMissingForAgent tells who sent a file that it did not arrive.
func FileMissingForAgent(kind, why string) string {
	switch why {
	case "late":
		return fmt.Sprintf("WhatsApp hasn't handed me your %s yet. I keep trying; words go through as ever.", kind)
	case "large":
		return fmt.Sprintf("Your %s is larger than 16 MB, so I couldn't pass it on. Please send a smaller one, or a link.", kind)
	case "refused":
		return fmt.Sprintf("Our Matrix server didn't take your %s. Please send a smaller one, or a link.", kind)
	}
	return fmt.Sprintf("I couldn't get your %s from WhatsApp. Please send it again.", kind)
}

// FileKeptForStaff shows a file from WhatsApp that did not go to the asker.
func FileKeptForStaff(name, why, file string) Words {
	return UnsentForStaff(name, why, FileInMatrix(file))
}

// a puts the article before a kind of file.
func a(kind string) string {
	if strings.ContainsRune("aeiou", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}

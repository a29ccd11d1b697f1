// Package media says what a file is by its bytes. What somebody says that it is, and how
// large or long, is never believed.
package media

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
)

// Head is how many of a file's first bytes Type needs.
const Head = 4096

// Unknown is the type of what nothing is known of.
const Unknown = "application/octet-stream"

// Type tells what a file is by its first bytes. declared is what somebody says of it: it
// counts only where the bytes fit several types of one kind, as those of office documents do.
func Type(head []byte, declared string) string {
	declared = bare(declared)
	if typ := known(head, declared); typ != "" {
		return typ
	}
	switch typ := bare(http.DetectContentType(head)); typ {
	case "application/zip":
		return zipped(head, declared)
	case "application/ogg":
		return "audio/ogg"
	case "audio/wave":
		return "audio/wav"
	case "text/plain":
		if slices.Contains([]string{"text/csv", "text/calendar", "text/markdown", "application/json"}, declared) {
			return declared
		}
		return typ
	default:
		return typ
	}
}

// bare is a type without its parameters.
func bare(typ string) string {
	typ, _, _ = strings.Cut(typ, ";")
	return strings.ToLower(strings.TrimSpace(typ))
}

// known are the types of what phones send that net/http does not know; "": none of them.
func known(head []byte, declared string) string {
	at := func(i int, magic string) bool { return len(head) >= i && bytes.HasPrefix(head[i:], []byte(magic)) }
	switch {
	case at(0, "OggS") && at(28, "\x80theora"):
		return "video/ogg"
	case at(0, "OggS"):
		return "audio/ogg"
	case at(0, "#!AMR"):
		return "audio/amr"
	case at(4, "ftyp") && len(head) >= 12:
		return boxed(string(head[8:12]), declared)
	case at(0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"): // the container of office documents before 2007
		if slices.Contains([]string{"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"}, declared) {
			return declared
		}
		return Unknown
	case vcard(head):
		return "text/vcard"
	case len(head) > 2 && head[0] == 0xff && head[1]&0xf6 == 0xf0:
		return "audio/aac"
	case len(head) > 2 && head[0] == 0xff && head[1]&0xe0 == 0xe0 && head[1]&0x06 != 0 && head[1]&0x18 != 0x08 && head[2]>>4 != 0xf:
		return "audio/mpeg"
	}
	return ""
}

// boxed is the type of an ISO base media file by its brand (https://mp4ra.org/registered-types/brands).
// Whether there is only sound in it shows much further on: there the one who sent it is asked.
func boxed(brand, declared string) string {
	sound := strings.HasPrefix(declared, "audio/")
	switch {
	case slices.Contains([]string{"heic", "heix", "mif1", "msf1"}, brand):
		return "image/heic"
	case brand == "avif":
		return "image/avif"
	case brand == "M4A " || brand == "M4B ":
		return "audio/mp4"
	case brand == "qt  ":
		return "video/quicktime"
	case strings.HasPrefix(brand, "3g") && sound:
		return "audio/3gpp"
	case strings.HasPrefix(brand, "3g"):
		return "video/3gpp"
	case sound:
		return "audio/mp4"
	}
	return "video/mp4"
}

// office are the documents that are ZIP archives, by a directory that each of them has.
var office = []struct{ directory, typ string }{
	{"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	{"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	{"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
}

func zipped(head []byte, declared string) string {
	if bytes.Contains(head, []byte("[Content_Types].xml")) {
		for _, o := range office {
			if declared == o.typ || bytes.Contains(head, []byte(o.directory)) {
				return o.typ
			}
		}
	}
	return "application/zip"
}

// vcard reports whether a contact card begins (RFC 6350, section 3.3).
func vcard(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	head = bytes.TrimLeft(head, " \r\n\t")
	const begin = "BEGIN:VCARD"
	return len(head) >= len(begin) && strings.EqualFold(string(head[:len(begin)]), begin)
}

// extensions are those that files without a name get, by type.
var extensions = map[string]string{
	"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/heic": ".heic", "image/avif": ".avif", "image/bmp": ".bmp",
	"video/mp4": ".mp4", "video/3gpp": ".3gp", "video/quicktime": ".mov", "video/webm": ".webm", "video/ogg": ".ogv",
	"audio/ogg": ".ogg", "audio/amr": ".amr", "audio/mpeg": ".mp3", "audio/aac": ".aac", "audio/mp4": ".m4a", "audio/3gpp": ".3gp", "audio/wav": ".wav",
	"application/pdf": ".pdf", "application/zip": ".zip", "application/msword": ".doc", "application/vnd.ms-excel": ".xls", "application/vnd.ms-powerpoint": ".ppt",
	"text/vcard": ".vcf", "text/plain": ".txt", "text/csv": ".csv", "text/calendar": ".ics", "application/json": ".json",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   ".docx",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         ".xlsx",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}

// Extension is how the name of a file of a type ends, with its dot; "" if that is not known.
func Extension(typ string) string { return extensions[bare(typ)] }

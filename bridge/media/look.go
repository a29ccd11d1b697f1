package media

import (
	"bytes"
	"encoding/binary"
	"image"
	_ "image/gif" // the sizes of these
	_ "image/jpeg"
	_ "image/png"
	"io"
	"time"
)

// Info is what a file says of itself; 0: it does not.
type Info struct {
	Width, Height int
	Duration      time.Duration
}

// Look reads what a file of a type says of itself. It reads little, and of no file all.
func Look(r io.ReaderAt, size int64, typ string) (i Info) {
	switch typ {
	case "image/jpeg", "image/png", "image/gif":
		if c, _, err := image.DecodeConfig(io.NewSectionReader(r, 0, size)); err == nil {
			i.Width, i.Height = c.Width, c.Height
		}
	case "image/webp":
		i.Width, i.Height = webp(piece(r, 0, 32))
	case "audio/ogg":
		i.Duration = opus(piece(r, 0, Head), piece(r, max(0, size-lastPages), lastPages))
	case "video/mp4", "video/3gpp", "video/quicktime", "audio/mp4", "audio/3gpp":
		boxes(r, 0, size, 0, &i)
	}
	return i
}

// piece reads up to n bytes.
func piece(r io.ReaderAt, at int64, n int) []byte {
	b := make([]byte, n)
	got, _ := r.ReadAt(b, at)
	return b[:got]
}

// webp reads the size of a picture (https://developers.google.com/speed/webp/docs/riff_container).
func webp(b []byte) (width, height int) {
	if len(b) < 30 {
		return 0, 0
	}
	three := func(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
	switch string(b[12:16]) {
	case "VP8X":
		return three(b[24:]) + 1, three(b[27:]) + 1
	case "VP8 ":
		return int(binary.LittleEndian.Uint16(b[26:]) & 0x3fff), int(binary.LittleEndian.Uint16(b[28:]) & 0x3fff)
	case "VP8L":
		bits := binary.LittleEndian.Uint32(b[21:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1
	}
	return 0, 0
}

// lastPages is where the last page of an Ogg file begins at the latest: a page has at
// most 65,307 bytes (RFC 3533, section 6).
const lastPages = 65307

// opus is how long an Opus stream plays: the position of its last page, in samples at 48
// kHz, less those before the beginning (RFC 7845, section 4).
func opus(head, tail []byte) time.Duration {
	h := bytes.Index(head, []byte("OpusHead"))
	last := bytes.LastIndex(tail, []byte("OggS"))
	if h < 0 || len(head) < h+12 || last < 0 || len(tail) < last+14 {
		return 0
	}
	skip := int64(binary.LittleEndian.Uint16(head[h+10:]))
	samples := int64(binary.LittleEndian.Uint64(tail[last+6:])) - skip
	if samples <= 0 || samples > 48000*int64(24*time.Hour/time.Second) {
		return 0
	}
	return time.Duration(samples) * time.Second / 48000
}

const (
	mostBoxes = 100 // at one level; films have a handful
	deepest   = 3
)

// boxes looks for the length and the size of a film in the boxes of an ISO base media file
// (ISO/IEC 14496-12): moov/mvhd and moov/trak/tkhd.
func boxes(r io.ReaderAt, at, end int64, depth int, i *Info) {
	for range mostBoxes {
		b := piece(r, at, 16)
		if at+8 > end || len(b) < 16 {
			return
		}
		size, header := int64(binary.BigEndian.Uint32(b)), int64(8)
		if size == 1 {
			size, header = int64(binary.BigEndian.Uint64(b[8:])), 16
		}
		if size < header || size > end-at { // 0: up to the end, which only data is
			return
		}
		switch string(b[4:8]) {
		case "moov", "trak":
			if depth < deepest {
				boxes(r, at+header, at+size, depth+1, i)
			}
		case "mvhd":
			i.Duration = movie(piece(r, at+header, 32))
		case "tkhd":
			if w, h := track(piece(r, at+header, 96)); w > 0 && h > 0 && i.Width == 0 {
				i.Width, i.Height = w, h
			}
		}
		at += size
	}
}

// movie is the duration in an mvhd box.
func movie(b []byte) time.Duration {
	var scale, length uint64
	switch {
	case len(b) < 32:
		return 0
	case b[0] == 1:
		scale, length = uint64(binary.BigEndian.Uint32(b[20:])), binary.BigEndian.Uint64(b[24:])
	default:
		scale, length = uint64(binary.BigEndian.Uint32(b[12:])), uint64(binary.BigEndian.Uint32(b[16:]))
	}
	if scale == 0 || length/scale > uint64(24*time.Hour/time.Second) {
		return 0
	}
	return time.Duration(float64(length) / float64(scale) * float64(time.Second)).Round(time.Millisecond)
}

// track is the size in a tkhd box, in whole points; sound has none.
func track(b []byte) (width, height int) {
	at := 76
	if len(b) > 0 && b[0] == 1 {
		at = 88
	}
	if len(b) < at+8 {
		return 0, 0
	}
	return int(binary.BigEndian.Uint16(b[at:])), int(binary.BigEndian.Uint16(b[at+4:]))
}

// Package picture draws the avatars of our rooms: one sign and colour for each kind of
// lane, with a red edge on what customers read, and initials for a Space. The same call
// gives the same bytes.
package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// size of a picture in pixels, and how many samples each is made of in a row.
const (
	size    = 128
	samples = 3
)

var (
	white = color.NRGBA{255, 255, 255, 255}
	red   = color.NRGBA{214, 40, 57, 255}
	teal  = color.NRGBA{15, 118, 110, 255}
	blue  = color.NRGBA{37, 78, 160, 255}
	grey  = color.NRGBA{84, 92, 105, 255}
	dark  = color.NRGBA{38, 38, 56, 255}
)

// Customer is a speech bubble with a red edge: customers read here.
func Customer() []byte {
	return draw(func(x, y float64) color.NRGBA {
		switch {
		case edge(x, y) < 0.07 || !circle(x-0.5, y-0.5, 0.43): // clients cut out a circle
			return red
		case bubble(x, y):
			return white
		}
		return teal
	})
}

// Internal is two people.
func Internal() []byte {
	return draw(func(x, y float64) color.NRGBA {
		if person(x-0.36, y) || person(x-0.66, y) {
			return white
		}
		return blue
	})
}

// Notes is a sheet with lines.
func Notes() []byte {
	return draw(func(x, y float64) color.NRGBA {
		sheet := within(x, 0.28, 0.72) && within(y, 0.2, 0.8)
		line := within(x, 0.36, 0.64) && (within(y, 0.32, 0.37) || within(y, 0.47, 0.52) || within(y, 0.62, 0.67))
		if sheet && !line {
			return white
		}
		return grey
	})
}

// SuperAdmin is a question mark.
func SuperAdmin() []byte { return letters("?", dark) }

// Initials are what a Space shows: the first letters of its project's name, or one
// letter's place if it has none that we can draw.
func Initials(name string) string {
	var out []rune
	plain := strings.ToUpper(norm.NFKD.String(name))
	for _, word := range strings.FieldsFunc(plain, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }) {
		for _, r := range word {
			if _, drawn := glyphs[r]; drawn {
				out = append(out, r)
				break
			}
		}
	}
	switch {
	case len(out) == 0:
		return "#"
	case len(out) > 2:
		out = out[:2]
	}
	return string(out)
}

// Space draws initials, in a colour that follows from them.
func Space(initials string) []byte {
	hue := 0
	for _, r := range initials {
		hue = (hue*31 + int(r)) % 360
	}
	return letters(initials, shade(float64(hue)))
}

// shade is a dark colour of a hue, on which white is easy to read.
func shade(hue float64) color.NRGBA {
	channel := func(offset float64) uint8 {
		k := math.Mod(offset+hue/30, 12)
		return uint8(255 * (0.36 - 0.2*max(-1, min(k-3, 9-k, 1))))
	}
	return color.NRGBA{channel(0), channel(8), channel(4), 255}
}

// letters draws white letters of 5 × 7 squares in the middle.
func letters(word string, ground color.NRGBA) []byte {
	runes := []rune(word)
	wide := float64(len(runes)*6 - 1)
	unit := min(0.6/wide, 0.09)
	left, top := 0.5-wide*unit/2, 0.5-3.5*unit
	return draw(func(x, y float64) color.NRGBA {
		column, row := int(math.Floor((x-left)/unit)), int(math.Floor((y-top)/unit))
		if column < 0 || row < 0 || row > 6 || column/6 >= len(runes) || column%6 == 5 {
			return ground
		}
		if glyphs[runes[column/6]][row]&(1<<(4-column%6)) != 0 {
			return white
		}
		return ground
	})
}

func within(v, from, to float64) bool { return v >= from && v < to }

// edge is how far a point is from the nearest side.
func edge(x, y float64) float64 { return min(x, y, 1-x, 1-y) }

func circle(x, y, r float64) bool { return x*x+y*y < r*r }

// bubble has round corners and a tail.
func bubble(x, y float64) bool {
	dx, dy := max(0.36-x, x-0.64, 0), max(0.36-y, y-0.5, 0)
	return circle(dx, dy, 0.12) || within(y, 0.58, 0.76) && x > 0.34 && x < 0.34+(0.76-y)*0.9
}

// person is a head and shoulders, about x = 0.
func person(x, y float64) bool {
	return circle(x, y-0.36, 0.1) || y < 0.72 && circle(x, (y-0.72)*0.75, 0.14)
}

// draw asks for the colour of points between 0 and 1, several for each pixel.
func draw(at func(x, y float64) color.NRGBA) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, size, size))
	for py := range size {
		for px := range size {
			var r, g, b int
			for i := range samples * samples {
				c := at((float64(px)+(float64(i%samples)+0.5)/samples)/size, (float64(py)+(float64(i/samples)+0.5)/samples)/size)
				r, g, b = r+int(c.R), g+int(c.G), b+int(c.B)
			}
			const n = samples * samples
			m.SetNRGBA(px, py, color.NRGBA{uint8(r / n), uint8(g / n), uint8(b / n), 255})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes()
}

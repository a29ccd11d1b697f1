package demo

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"lanekeeper/bridge/lab/browser"
)

var update = flag.Bool("update", false, "make the pictures in docs/ anew")

// The pictures of the documentation are taken while the story plays; without
// -update nothing is kept, and the way to each of them is still gone.
func TestPictures(t *testing.T) {
	if !*update {
		t.Skip("pictures are made with -update")
	}
	address := show(t, "Synapse")
	ctx := browser.Open(t, address, 1440, 900)
	do(t, ctx, chromedp.EmulateViewport(1440, 900))
	holds(t, ctx, "Tomorrow at noon")
	see(t, ctx, browser.Some(".lines li", "super-admin room"))
	opens(t, ctx, "mia", "internal")
	opens(t, ctx, "xena", "internal")
	picture(t, ctx, "stage", "")
	do(t, ctx, chromedp.Click(".theme"))
	picture(t, ctx, "stage-dark", "")
	do(t, ctx, chromedp.Click(".theme"), chromedp.Click(".story .hold"))
	over(t, ctx)
	do(t, ctx, emulation.SetDeviceMetricsOverride(390, 800, 2, true), chromedp.Click(`.faces [data-name="carl"]`))
	picture(t, ctx, "stage-phone", "")
	do(t, ctx, emulation.SetDeviceMetricsOverride(520, 860, 1.5, true), chromedp.Click(`.faces [data-name="root"]`),
		chromedp.Evaluate(`document.querySelectorAll("#person-root .posts > .post:not(:last-of-type) > .thread").forEach((thread) => (thread.open = false))`, nil))
	picture(t, ctx, "cards", "#person-root .room")
	opens(t, ctx, "root", "direct")
	says(t, ctx, "root", "help")
	see(t, ctx, `[...document.querySelectorAll("#person-root .post")].at(-1).textContent.includes("ping")`)
	picture(t, ctx, "help", "#person-root .room")
	do(t, ctx, emulation.SetDeviceMetricsOverride(1000, 960, 1, false), chromedp.Navigate(address+"static/"), chromedp.WaitVisible(".phone .row"),
		chromedp.Evaluate(`document.querySelectorAll(".row").forEach((row) => row.click())`, nil))
	see(t, ctx, `document.querySelectorAll(".own .bubble").length > 3`)
	picture(t, ctx, "phone", "")
	do(t, ctx, chromedp.Click(".theme"))
	picture(t, ctx, "phone-dark", "")
}

// holds pauses the story where somebody says those words.
func holds(t *testing.T, ctx context.Context, words string) {
	t.Helper()
	see(t, ctx, `document.body.dataset.state === "playing"`)
	do(t, ctx, chromedp.Click(".story .hold"))
	see(t, ctx, `document.body.dataset.state === "paused"`)
	for {
		var found bool
		var step string
		do(t, ctx, chromedp.Evaluate(browser.Some(".lines li", words), &found), chromedp.Evaluate(`document.body.dataset.step`, &step))
		if found {
			return
		}
		do(t, ctx, chromedp.Click(".story .next"))
		see(t, ctx, fmt.Sprintf(`document.body.dataset.step !== %q`, step))
	}
}

// picture keeps what an element looks like, or all of the page, when all has come to rest.
func picture(t *testing.T, ctx context.Context, name, selector string) {
	t.Helper()
	see(t, ctx, `document.fonts.status === "loaded" && document.getAnimations().every((a) => a.playState !== "running")`)
	var raw []byte
	if selector == "" {
		do(t, ctx, chromedp.CaptureScreenshot(&raw))
	} else {
		do(t, ctx, chromedp.Screenshot(selector, &raw))
	}
	file := filepath.Join("..", "..", "docs", name+".png")
	if err := os.WriteFile(file, small(t, raw), 0o644); err != nil {
		t.Fatal(err)
	}
}

// small writes a picture with the 256 colours that it has most of: what pages look like needs no more.
func small(t *testing.T, raw []byte) []byte {
	t.Helper()
	from, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	palette := commonest(from)
	nearest := map[color.RGBA]uint8{}
	to := image.NewPaletted(from.Bounds(), palette)
	for y := from.Bounds().Min.Y; y < from.Bounds().Max.Y; y++ {
		for x := from.Bounds().Min.X; x < from.Bounds().Max.X; x++ {
			c := coarse(from.At(x, y))
			if _, known := nearest[c]; !known {
				nearest[c] = uint8(palette.Index(c))
			}
			to.SetColorIndex(x, y, nearest[c])
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, to); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 200<<10 {
		t.Errorf("a picture of %d kB is too large for the documentation", out.Len()>>10)
	}
	return out.Bytes()
}

// commonest are the 256 colours with which most of the picture looks as it does: each is the one whose lack would be seen most.
func commonest(from image.Image) (palette color.Palette) {
	count := map[color.RGBA]int{}
	for y := from.Bounds().Min.Y; y < from.Bounds().Max.Y; y++ {
		for x := from.Bounds().Min.X; x < from.Bounds().Max.X; x++ {
			count[coarse(from.At(x, y))]++
		}
	}
	lack := map[color.RGBA]float64{} // how much is wrong while a colour is not there
	for c := range count {
		lack[c] = math.Inf(1)
	}
	for len(palette) < 256 && len(lack) > 0 {
		var worst color.RGBA
		for c, error := range lack {
			if w := lack[worst]; error > w || error == w && count[c] > count[worst] {
				worst = c
			}
		}
		delete(lack, worst)
		palette = append(palette, worst)
		for c := range lack {
			lack[c] = min(lack[c], float64(count[c])*apart(c, worst))
		}
	}
	return palette
}

// apart is how different two colours are, squared.
func apart(a, b color.RGBA) float64 {
	r, g, bl := float64(a.R)-float64(b.R), float64(a.G)-float64(b.G), float64(a.B)-float64(b.B)
	return r*r + g*g + bl*bl
}

// coarse takes colours together that look the same.
func coarse(c color.Color) color.RGBA {
	r, g, b, _ := c.RGBA()
	return color.RGBA{R: uint8(r>>8) &^ 1, G: uint8(g>>8) &^ 1, B: uint8(b>>8) &^ 1, A: 255}
}

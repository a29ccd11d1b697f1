package media_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"reflect"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/media"
)

func jpg(w, h int) []byte {
	var b bytes.Buffer
	_ = jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil)
	return b.Bytes()
}

// note is a voice note as WhatsApp makes them: pages of Opus, of which only the positions count.
func note(length time.Duration) []byte {
	page := func(samples uint64, body string) string {
		b := make([]byte, 27)
		copy(b, "OggS")
		binary.LittleEndian.PutUint64(b[6:], samples)
		b[26] = 1
		return string(b) + string(byte(len(body))) + body
	}
	head := "OpusHead\x01\x01" + "\x38\x01" + "\x80\xbb\x00\x00" + "\x00\x00\x00" // 312 samples are skipped
	return []byte(page(0, head) + page(0, "OpusTags") + page(uint64(length.Milliseconds()*48+312), strings.Repeat("x", 200)))
}

func box(name, body string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))) + name + body
}

func film(brand string) []byte {
	movie := make([]byte, 100)
	binary.BigEndian.PutUint32(movie[12:], 600)
	binary.BigEndian.PutUint32(movie[16:], 900)
	track := make([]byte, 84)
	binary.BigEndian.PutUint16(track[76:], 320)
	binary.BigEndian.PutUint16(track[80:], 240)
	return []byte(box("ftyp", brand+"\x00\x00\x00\x00") + box("mdat", strings.Repeat("x", 5000)) + box("moov", box("mvhd", string(movie))+box("trak", box("tkhd", string(track)))))
}

func webp() []byte {
	return []byte("RIFF\x20\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x10\x00\x00\x00\xff\x01\x00\xff\x01\x00" + strings.Repeat("\x00", 10))
}

func encoded(encode func(*bytes.Buffer) error) []byte {
	var b bytes.Buffer
	_ = encode(&b)
	return b.Bytes()
}

func TestFiles(t *testing.T) {
	small := image.NewGray(image.Rect(0, 0, 3, 2))
	docx := "PK\x03\x04" + strings.Repeat("\x00", 26) + "[Content_Types].xml" + "PK\x03\x04word/document.xml"
	for name, c := range map[string]struct {
		file           []byte
		declared, want string
		info           media.Info
	}{
		"a photo":                       {jpg(40, 30), "image/jpeg", "image/jpeg", media.Info{Width: 40, Height: 30}},
		"a photo that is called a PDF":  {jpg(40, 30), "application/pdf", "image/jpeg", media.Info{Width: 40, Height: 30}},
		"a PNG":                         {encoded(func(b *bytes.Buffer) error { return png.Encode(b, small) }), "", "image/png", media.Info{Width: 3, Height: 2}},
		"a GIF":                         {encoded(func(b *bytes.Buffer) error { return gif.Encode(b, small, nil) }), "", "image/gif", media.Info{Width: 3, Height: 2}},
		"a sticker":                     {webp(), "image/webp", "image/webp", media.Info{Width: 512, Height: 512}},
		"a voice note":                  {note(2500 * time.Millisecond), "audio/ogg; codecs=opus", "audio/ogg", media.Info{Duration: 2500 * time.Millisecond}},
		"a film":                        {film("isom"), "video/mp4", "video/mp4", media.Info{Width: 320, Height: 240, Duration: 1500 * time.Millisecond}},
		"a film of an old phone":        {film("3gp4"), "video/3gpp", "video/3gpp", media.Info{Width: 320, Height: 240, Duration: 1500 * time.Millisecond}},
		"sound alone":                   {film("isom"), "audio/mp4", "audio/mp4", media.Info{Width: 320, Height: 240, Duration: 1500 * time.Millisecond}},
		"AMR":                           {[]byte("#!AMR\n\x3c"), "audio/amr", "audio/amr", media.Info{}},
		"AAC":                           {[]byte("\xff\xf1\x50\x80"), "audio/aac", "audio/aac", media.Info{}},
		"MP3":                           {[]byte("\xff\xfb\x90\x64"), "audio/mpeg", "audio/mpeg", media.Info{}},
		"a PDF":                         {[]byte("%PDF-1.7 x"), "image/png", "application/pdf", media.Info{}},
		"a contact":                     {[]byte("BEGIN:VCARD\r\nFN:Ann"), "text/x-vcard", "text/vcard", media.Info{}},
		"a document":                    {[]byte(docx), "application/octet-stream", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", media.Info{}},
		"an archive":                    {[]byte("PK\x03\x04 some"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/zip", media.Info{}},
		"an old document":               {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "application/msword", "application/msword", media.Info{}},
		"a page that is called a photo": {[]byte("<html><script>"), "image/jpeg", "text/html", media.Info{}},
		"bytes":                         {[]byte("\x00\x01\x02\x03"), "image/jpeg", media.Unknown, media.Info{}},
		"a table":                       {[]byte("a,b\n1,2\n"), "text/csv", "text/csv", media.Info{}},
		"nothing":                       {nil, "image/jpeg", "text/plain", media.Info{}},
	} {
		t.Run(name, func(t *testing.T) {
			typ := media.Type(c.file[:min(len(c.file), media.Head)], c.declared)
			if typ != c.want {
				t.Errorf("it is %s, not %s", typ, c.want)
			}
			if got := media.Look(bytes.NewReader(c.file), int64(len(c.file)), typ); got != c.info {
				t.Errorf("it says %+v of itself, not %+v", got, c.info)
			}
		})
	}
}

// What others send cannot break us.
func FuzzLook(f *testing.F) {
	for _, file := range [][]byte{jpg(4, 3), webp(), note(time.Second), film("isom")} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		typ := media.Type(file[:min(len(file), media.Head)], "audio/mp4")
		for _, typ := range []string{typ, "image/webp", "audio/ogg", "video/mp4"} {
			if i := media.Look(bytes.NewReader(file), int64(len(file)), typ); i.Duration < 0 || i.Width < 0 || i.Height < 0 {
				t.Errorf("%+v", i)
			}
		}
		media.Contacts(bytes.NewReader(file))
		media.Name(string(file), "file", typ)
	})
}

func TestContacts(t *testing.T) {
	card := "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Example;Ann;;;\r\nFN:Ann\\, Exam\r\n ple\r\nitem1.TEL;waid=4915112345678:+49 151 12345678\r\nTEL;TYPE=work:tel:+4930123\r\nEND:VCARD\r\n" +
		"BEGIN:VCARD\nN:Berg;Carl\nEND:VCARD\n"
	want := []media.Contact{{Name: "Ann, Example", Numbers: []string{"+49 151 12345678", "+4930123"}}, {Name: "Berg Carl"}}
	if got := media.Contacts(strings.NewReader(card)); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestNames(t *testing.T) {
	for given, want := range map[string]string{
		"invoice.pdf": "invoice.pdf", "../../etc/passwd": "passwd.pdf", `C:\tmp\a.pdf`: "a.pdf", "": "file.pdf", "...": "file.pdf",
		"Rechnung Ärger.pdf": "Rechnung Ärger.pdf", "請求書.pdf": "請求書.pdf", "a\u202efdp.exe": "afdp.exe", "a\x00b\n.pdf": "ab.pdf",
		strings.Repeat("x", 300) + ".pdf": strings.Repeat("x", 100) + ".pdf",
	} {
		if got := media.Name(given, "file", "application/pdf"); got != want {
			t.Errorf("%q becomes %q, not %q", given, got, want)
		}
	}
}

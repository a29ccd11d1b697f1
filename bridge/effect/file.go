package effect

import (
	"strings"
	"time"
)

// File asks for a file of a message on WhatsApp to be brought into Matrix. What becomes of
// it comes back as an input, Fetched: meanwhile the words go their own way.
type File struct {
	Handoff int64  `json:"handoff"`            // that the words of its message went to
	Phone   string `json:"phone"`              // whose it is
	Message string `json:"message"`            // MessageSid
	URL     string `json:"url,omitempty"`      // empty: Twilio is asked which files the message has
	Type    string `json:"type,omitempty"`     // as Twilio says
	Name    string `json:"name,omitempty"`     // as the message says
	ReplyTo string `json:"reply_to,omitempty"` // event of the asker's thread that the message answers
	Alone   bool   `json:"alone,omitempty"`    // there are no words with it
	Try     int    `json:"try,omitempty"`      // how often it could not be had
	Told    bool   `json:"told,omitempty"`     // people know that it is late
	Drop    bool   `json:"drop,omitempty"`     // it is in Matrix, and deleted at Twilio

	At time.Time `json:"at,omitzero"` // not before
}

// Media is a file that is in Matrix, or a place on the map.
type Media struct {
	URI           string        `json:"uri,omitempty"` // mxc
	Type          string        `json:"type,omitempty"`
	Name          string        `json:"name,omitempty"`
	Size          int64         `json:"size,omitempty"`
	Width, Height int           `json:",omitempty"`
	Duration      time.Duration `json:"duration,omitempty"`
	Voice         bool          `json:"voice,omitempty"`    // a voice note
	Contacts      []Contact     `json:"contacts,omitempty"` // on a contact card
	Place         *Spot         `json:"place,omitempty"`
}

// Contact is a person on a contact card.
type Contact struct {
	Name    string   `json:"name"`
	Numbers []string `json:"numbers,omitempty"`
}

// Spot is a place on the map, in degrees as they came.
type Spot struct {
	Latitude  string `json:"latitude"`
	Longitude string `json:"longitude"`
	Label     string `json:"label,omitempty"`
}

// Missing is why a file is not there.
type Missing string

// The reasons; "" is none.
const (
	Late    Missing = "late"    // not yet: it is still tried
	Lost    Missing = "lost"    // it was tried for long enough, or is nowhere
	Large   Missing = "large"   // larger than WhatsApp takes
	Refused Missing = "refused" // the homeserver does not take it
)

// Fetched is what became of a File.
type Fetched struct {
	File    File    `json:"file"`
	Media   *Media  `json:"media,omitempty"` // nil: it is missing
	Missing Missing `json:"missing,omitempty"`
}

// Source is what the IDs of its messages in Matrix are made of: of a message without
// words its id, as of words.
func (f *File) Source() string {
	if f.Alone {
		return f.Message
	}
	if n := len("/Media/"); f.URL != "" {
		if i := strings.LastIndex(f.URL, "/Media/"); i >= 0 {
			return f.Message + "/" + f.URL[i+n:]
		}
	}
	return f.Message + "/place"
}

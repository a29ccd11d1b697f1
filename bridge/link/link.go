// Package link gives files of Matrix addresses under which WhatsApp and people without an
// account fetch them: signed, and valid for some time. An address names the message that
// the file came with. It ends with that message, too, and follows its edits.
package link

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// Path is where files are served, below the public address.
const Path = "/_lanekeeper/media/"

// Signer makes addresses and reads them.
type Signer struct {
	key    []byte
	public string
	ttl    time.Duration
	now    func() time.Time
}

// NewSigner makes a signer; public is the public address, ttl how long addresses are valid.
func NewSigner(key, public string, ttl time.Duration, now func() time.Time) *Signer {
	sum := sha256.Sum256([]byte("lanekeeper media 1\x00" + key)) // the key serves nothing else
	return &Signer{key: sum[:], public: strings.TrimSuffix(public, "/"), ttl: ttl, now: now}
}

// What makes an address invalid.
var (
	ErrForged  = errors.New("no address of ours")
	ErrExpired = errors.New("the address has expired")
)

const (
	headBytes = 8  // when it ends, in Unix seconds
	macBytes  = 16 // of HMAC-SHA256: 128 bits
	maxToken  = 400
)

// To is the address of the file of a message.
func (s *Signer) To(event string) string { return s.public + Path + s.token(event) }

func (s *Signer) token(event string) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(s.now().Add(s.ttl).Unix()))
	b = append(b, event...)
	return base64.RawURLEncoding.EncodeToString(append(b, s.mac(b)...))
}

func (s *Signer) mac(b []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(b)
	return h.Sum(nil)[:macBytes]
}

// Read gives the message that a token names.
func (s *Signer) Read(token string) (event string, err error) {
	if len(token) > maxToken {
		return "", ErrForged
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) <= headBytes+macBytes {
		return "", ErrForged
	}
	b, mac := b[:len(b)-macBytes], b[len(b)-macBytes:]
	if !hmac.Equal(mac, s.mac(b)) {
		return "", ErrForged
	}
	if s.now().Unix() >= int64(binary.BigEndian.Uint64(b)) {
		return "", ErrExpired
	}
	return string(b[headBytes:]), nil
}

package citizen

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Form is what a token is good for: one rating of one place.
type Form struct {
	Unit    string // that serves
	Counter string // "" = none
	Rating  string // id made with the form
}

// Lifetime is how long a form may lie open before it is sent.
const Lifetime = 24 * time.Hour

// ahead is how far the clocks of two servers may stand apart.
const ahead = 5 * time.Minute

// A token is a format byte, when it was issued, and half an HMAC over both and the form it was issued for: 28 letters. What
// it is good for is not in it, because whoever sends a rating says that anyway. It is short on purpose: with a proof of
// work behind it, it fits one block of SHA-256.
const (
	format     = 1
	headerSize = 1 + 4
	tokenSize  = headerSize + 16
)

// Issue makes the token of a form.
func (g *Gate) Issue(form Form) string {
	token := make([]byte, 0, tokenSize)
	token = append(token, format)
	token = binary.BigEndian.AppendUint32(token, uint32(g.Now().Unix())) //nolint:gosec // until 2106
	return base64.RawURLEncoding.EncodeToString(append(token, g.sum(form, token)...))
}

// Check tells whether a token was issued for the form, here and within its Lifetime: Invalid "citizen_form_expired" or
// "citizen_form_invalid" where not.
func (g *Gate) Check(form Form, token string) error {
	invalid := fault.New(fault.Invalid, "citizen_form_invalid")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != tokenSize || raw[0] != format {
		return invalid
	}
	header := raw[:headerSize]
	if !hmac.Equal(g.sum(form, header), raw[headerSize:]) {
		return invalid
	}
	age := g.Now().Sub(time.Unix(int64(binary.BigEndian.Uint32(raw[1:])), 0))
	if age > Lifetime {
		return fault.New(fault.Invalid, "citizen_form_expired")
	}
	if age < -ahead {
		return invalid
	}
	return nil
}

func (g *Gate) sum(form Form, header []byte) []byte {
	return g.signer.Sum(message(form, header))[:tokenSize-headerSize]
}

// message is what is signed: each part with its length, so that no two forms have one message.
func message(form Form, header []byte) []byte {
	signed := append([]byte(nil), header...)
	for _, part := range []string{form.Unit, form.Counter, form.Rating} {
		signed = binary.BigEndian.AppendUint32(signed, uint32(len(part))) //nolint:gosec // of a message of at most 16 MB
		signed = append(signed, part...)
	}
	return signed
}

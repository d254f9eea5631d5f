package device

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// The letters of a code: Crockford's base 32, in which nothing is taken for something else. Twelve of them are 60 bits.
const (
	codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	codeLength  = 12
)

// newCode answers a code as it is shown: "7F3K-9QWD-XM2P".
func newCode() string {
	var random [codeLength]byte
	_, _ = rand.Read(random[:]) // never fails
	var b strings.Builder
	for i, r := range random {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(codeLetters[r%32])
	}
	return b.String()
}

// codeHash answers what is kept of a code as somebody typed it: spaces, dashes and letter case do not matter, and letters
// that are no code's are read as the digits they look like. False for what cannot be a code.
func codeHash(typed string) (string, bool) {
	if len(typed) > 64 {
		return "", false
	}
	var code [codeLength]byte
	n := 0
	for _, r := range typed {
		if 'a' <= r && r <= 'z' {
			r += 'A' - 'a'
		}
		switch r {
		case ' ', '-', '–', '\t', '\u00a0':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		if n == codeLength || r > 'Z' || strings.IndexByte(codeLetters, byte(r)) < 0 {
			return "", false
		}
		code[n] = byte(r)
		n++
	}
	if n != codeLength {
		return "", false
	}
	sum := sha256.Sum256(append([]byte("hailong.enrollment-code\x00"), code[:]...))
	return hex.EncodeToString(sum[:]), true
}

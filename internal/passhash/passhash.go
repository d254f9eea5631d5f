// Package passhash hashes what people keep secret and type: passwords at the server, numbers of officials at the server and, to be
// checked without the network, at a kiosk. It is argon2id, written as argon2's reference program writes it.
package passhash

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Cost is what one hash takes. It stands in each hash, so that it can grow.
type Cost struct {
	Memory uint32 // KiB
	Passes uint32
	Lanes  uint8
}

// OWASP is the least that OWASP's Password Storage Cheat Sheet asks of argon2id: 19 MiB, two passes, one lane. Some 25 ms.
func OWASP() Cost { return Cost{Memory: 19 * 1024, Passes: 2, Lanes: 1} }

// Bounds of a stored hash's cost, beyond which it is not one of ours.
const (
	maxMemory = 256 * 1024 // KiB
	maxPasses = 16
	maxLanes  = 16
)

const (
	saltSize = 16
	sumSize  = 32
)

// ErrUnreadable is the answer for what is no hash of ours. The hash itself stays out of it.
var ErrUnreadable = errors.New("a stored password hash cannot be read")

// Hash answers a salted hash: $argon2id$v=19$m=19456,t=2,p=1$salt$hash.
func (c Cost) Hash(password string) string {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	sum := argon2.IDKey([]byte(password), salt, c.Passes, c.Memory, c.Lanes, sumSize)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.Memory, c.Passes, c.Lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// Read is a hash taken apart; it compares in constant time.
type Read struct {
	Cost      Cost
	salt, sum []byte
}

// Matches tells whether a password has this hash.
func (r Read) Matches(password string) bool {
	got := argon2.IDKey([]byte(password), r.salt, r.Cost.Passes, r.Cost.Memory, r.Cost.Lanes, uint32(len(r.sum))) //nolint:gosec // at most 64
	return subtle.ConstantTimeCompare(got, r.sum) == 1
}

// Matches tells whether a password has a hash; one that cannot be read has none.
func Matches(encoded, password string) bool {
	read, err := Decode(encoded)
	return err == nil && read.Matches(password)
}

// Decode takes a hash apart. ErrUnreadable.
func Decode(encoded string) (Read, error) {
	var r Read
	var version int
	var rest string
	n, err := fmt.Sscanf(encoded, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s", &version, &r.Cost.Memory, &r.Cost.Passes, &r.Cost.Lanes, &rest)
	if err != nil || n != 5 || version != argon2.Version || r.Cost.Memory == 0 || r.Cost.Memory > maxMemory ||
		r.Cost.Passes == 0 || r.Cost.Passes > maxPasses || r.Cost.Lanes == 0 || r.Cost.Lanes > maxLanes {
		return Read{}, ErrUnreadable
	}
	salt, sum, ok := strings.Cut(rest, "$")
	if !ok {
		return Read{}, ErrUnreadable
	}
	var saltErr, sumErr error
	r.salt, saltErr = base64.RawStdEncoding.DecodeString(salt)
	r.sum, sumErr = base64.RawStdEncoding.DecodeString(sum)
	if saltErr != nil || sumErr != nil || len(r.salt) < 8 || len(r.sum) < 16 || len(r.sum) > 64 {
		return Read{}, ErrUnreadable
	}
	return r, nil
}

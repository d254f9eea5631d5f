package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
)

// cost is what one argon2id hash takes. It is stored with each hash, so that it can grow: who signs in with
// an older one is hashed anew.
type cost struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
}

// owasp is the least that OWASP's Password Storage Cheat Sheet asks of argon2id: 19 MiB, two passes, one lane.
var owasp = cost{memory: 19 * 1024, passes: 2, lanes: 1}

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

// hasher hashes passwords. Only a few are hashed at a time and only some may wait, so that a flood of sign-ins can
// take neither all memory nor everybody's patience.
type hasher struct {
	cost    cost
	slots   chan struct{}
	waiting atomic.Int32
	dummy   string // a hash of no known password: unknown names cost what known ones do
}

// maxWaiting bounds who waits for a slot; at some 25 ms a hash, the last waits a second or two.
const maxWaiting = 64

func newHasher(cost cost) *hasher {
	h := &hasher{cost: cost, slots: make(chan struct{}, min(max(runtime.GOMAXPROCS(0), 1), 4))}
	h.dummy = h.encode(rand.Text())
	return h
}

// enter takes a slot; the answer gives it back.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return nil, fault.New(fault.Exhausted, "sign_in_busy")
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hash answers the password's hash, salted and with its cost.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return h.encode(password), nil
}

// encode writes the form that argon2's reference program writes: $argon2id$v=19$m=19456,t=2,p=1$salt$hash.
func (h *hasher) encode(password string) string {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	sum := argon2.IDKey([]byte(password), salt, h.cost.passes, h.cost.memory, h.cost.lanes, sumSize)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.memory, h.cost.passes, h.cost.lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// matches tells whether the password has this hash, and whether the hash should be made anew.
func (h *hasher) matches(ctx context.Context, encoded, password string) (ok, outdated bool, err error) {
	cost, salt, sum, err := decodeHash(encoded)
	if err != nil {
		return false, false, err
	}
	if len(password) > maxPasswordBytes {
		password = "" // no password is that long or that short; the work is the same
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer leave()
	got := argon2.IDKey([]byte(norm.NFC.String(password)), salt, cost.passes, cost.memory, cost.lanes, uint32(len(sum)))
	return subtle.ConstantTimeCompare(got, sum) == 1, cost != h.cost, nil
}

func decodeHash(encoded string) (c cost, salt, sum []byte, err error) {
	broken := fmt.Errorf("a stored password hash cannot be read") // the hash itself stays out of the log
	var version int
	var saltText string
	n, err := fmt.Sscanf(encoded, "$argon2id$v=%d$m=%d,t=%d,p=%d$%s", &version, &c.memory, &c.passes, &c.lanes, &saltText)
	if err != nil || n != 5 || version != argon2.Version || c.memory == 0 || c.memory > maxMemory ||
		c.passes == 0 || c.passes > maxPasses || c.lanes == 0 || c.lanes > maxLanes {
		return c, nil, nil, broken
	}
	for i := range saltText {
		if saltText[i] != '$' {
			continue
		}
		salt, err = base64.RawStdEncoding.DecodeString(saltText[:i])
		if err != nil || len(salt) < 8 {
			return c, nil, nil, broken
		}
		sum, err = base64.RawStdEncoding.DecodeString(saltText[i+1:])
		if err != nil || len(sum) < 16 || len(sum) > 64 {
			return c, nil, nil, broken
		}
		return c, salt, sum, nil
	}
	return c, nil, nil, broken
}

// readable letters are those that are not taken for one another when read aloud or copied by hand.
const readable = "abcdefghjkmnpqrstuvwxyz23456789" // 31

// oneTimePassword answers four groups of four readable letters: 79 bits.
func oneTimePassword() string {
	password := make([]byte, 0, 19)
	for len(password) < 19 {
		if len(password)%5 == 4 {
			password = append(password, '-')
			continue
		}
		var b [1]byte
		_, _ = rand.Read(b[:])                           // never fails
		if int(b[0]) < 256/len(readable)*len(readable) { // no letter more often than another
			password = append(password, readable[int(b[0])%len(readable)])
		}
	}
	return string(password)
}

package identity

import (
	"context"
	"crypto/rand"
	"runtime"
	"sync/atomic"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/passhash"
)

// cost is what one hash takes. It is stored with each hash, so that it can grow: who signs in with an older one is hashed
// anew.
type cost = passhash.Cost

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
	h.dummy = cost.Hash(rand.Text())
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
	return h.cost.Hash(password), nil
}

// matches tells whether the password has this hash, and whether the hash should be made anew.
func (h *hasher) matches(ctx context.Context, encoded, password string) (ok, outdated bool, err error) {
	read, err := passhash.Decode(encoded)
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
	return read.Matches(norm.NFC.String(password)), read.Cost != h.cost, nil
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

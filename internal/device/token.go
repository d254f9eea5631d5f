package device

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/store"
)

// TokenPrefix begins every device token, so that an entrance knows whom to ask.
const TokenPrefix = "hld_"

// ProofDomain stands before a nonce in what a device signs, so that the signature is good for nothing else.
const ProofDomain = "hailong.v1.DeviceToken\x00"

const (
	tokenLife = time.Hour
	nonceLife = time.Minute
	// clockSpread is how far the clocks of two servers may be apart.
	clockSpread = 10 * time.Second

	format      = 1
	randomSize  = 16
	sumSize     = 32
	nonceSize   = 1 + 8 + randomSize + sumSize
	tokenHead   = 1 + 8 + 8 // format, generation, expiry
	maxIDBytes  = 64
	maxTokenRaw = tokenHead + maxIDBytes + sumSize
)

// CreateNonce answers a nonce for the device to sign; it holds for a minute and once. Nothing is kept of it and nobody is
// asked, so it tells nothing about which devices there are.
func (d *Devices) CreateNonce(deviceID string) []byte {
	nonce := make([]byte, 0, nonceSize)
	nonce = append(nonce, format)
	nonce = binary.BigEndian.AppendUint64(nonce, uint64(d.now().UnixMilli()))
	var random [randomSize]byte
	_, _ = rand.Read(random[:]) // never fails
	nonce = append(nonce, random[:]...)
	return append(nonce, d.nonces.Sum(nonceFor(nonce, deviceID))...)
}

// nonceFor is what the nonce's sum covers.
func nonceFor(head []byte, deviceID string) []byte {
	return append(append(make([]byte, 0, len(head)+len(deviceID)), head...), deviceID...)
}

// CreateToken answers a bearer token of one hour for a nonce of ours that the device signed: Ed25519 over ProofDomain
// and the nonce. Unauthenticated "device_unproven" for a nonce or signature that is not right, whatever is wrong
// with it; "device_revoked" only to who proved the key.
func (d *Devices) CreateToken(ctx context.Context, deviceID string, nonce, signature []byte) (token string, expires time.Time, err error) {
	unproven := func() error { return fault.New(fault.Unauthenticated, "device_unproven") }
	if len(nonce) != nonceSize || nonce[0] != format || deviceID == "" || len(deviceID) > maxIDBytes ||
		!d.nonces.Proves(nonceFor(nonce[:nonceSize-sumSize], deviceID), nonce[nonceSize-sumSize:]) {
		return "", time.Time{}, unproven()
	}
	now := d.now()
	made := time.UnixMilli(int64(binary.BigEndian.Uint64(nonce[1:])))
	if age := now.Sub(made); age >= nonceLife || age < -clockSpread {
		return "", time.Time{}, unproven()
	}
	doc, _, err := d.devices.Get(ctx, deviceID) // as it stands, not as remembered
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
		return "", time.Time{}, unproven()
	}
	if err != nil {
		return "", time.Time{}, typed("read device", err)
	}
	key, ok := doc.key()
	if !ok || !ed25519.Verify(key, append([]byte(ProofDomain), nonce...), signature) {
		return "", time.Time{}, unproven()
	}
	if !doc.RevokedAt.IsZero() {
		return "", time.Time{}, fault.New(fault.Unauthenticated, "device_revoked")
	}
	// Last, so that only the device itself can use its nonce up.
	once, err := d.options.Nonces.UseOnce(ctx, "device-nonce/"+hex.EncodeToString(nonce[9:9+randomSize]), nonceLife+2*clockSpread)
	if err != nil {
		return "", time.Time{}, err
	}
	if !once {
		return "", time.Time{}, unproven()
	}
	expires = now.Add(tokenLife).Truncate(time.Second).UTC()
	return d.sign(doc, expires), expires, nil
}

// sign makes a token: format, generation, expiry in seconds, the device's id, and the sum over all of it.
func (d *Devices) sign(doc deviceDoc, expires time.Time) string {
	raw := make([]byte, 0, maxTokenRaw)
	raw = append(raw, format)
	raw = binary.BigEndian.AppendUint64(raw, uint64(doc.Generation))
	raw = binary.BigEndian.AppendUint64(raw, uint64(expires.Unix()))
	raw = append(raw, doc.ID...)
	raw = append(raw, d.tokens.Sum(raw)...)
	return TokenPrefix + base64.RawURLEncoding.EncodeToString(raw)
}

// Authenticate answers which device holds a token. Unauthenticated "device_token_ended" for one that is wrong, expired or
// from before the last enrolment; "device_revoked" after Revoke: at once in this process, and in others as soon
// as the bus told them, five seconds at most. The caller's address is not known here.
func (d *Devices) Authenticate(ctx context.Context, token string) (identity.Caller, error) {
	ended := func() error { return fault.New(fault.Unauthenticated, "device_token_ended") }
	text, ok := strings.CutPrefix(token, TokenPrefix)
	if !ok || len(text) > base64.RawURLEncoding.EncodedLen(maxTokenRaw) ||
		strings.ContainsAny(text, "\r\n") { // which the decoder would pass over
		return identity.Caller{}, ended()
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) <= tokenHead+sumSize || raw[0] != format ||
		!d.tokens.Proves(raw[:len(raw)-sumSize], raw[len(raw)-sumSize:]) {
		return identity.Caller{}, ended()
	}
	generation, expires := binary.BigEndian.Uint64(raw[1:]), binary.BigEndian.Uint64(raw[9:])
	id := string(raw[tokenHead : len(raw)-sumSize])
	if expires > math.MaxInt64 || !d.now().Before(time.Unix(int64(expires), 0)) {
		return identity.Caller{}, ended()
	}
	doc, err := d.recall(ctx, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return identity.Caller{}, ended()
	case err != nil:
		return identity.Caller{}, err
	case !doc.RevokedAt.IsZero():
		return identity.Caller{}, fault.New(fault.Unauthenticated, "device_revoked")
	case uint64(doc.Generation) != generation:
		return identity.Caller{}, ended()
	}
	return identity.Caller{Kind: identity.CallerDevice, DeviceID: id, Name: doc.Name}, nil
}

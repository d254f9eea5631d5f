package device

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/store"
)

// The limits on wrong codes. Right ones are never charged, so that a hall full of kiosks can be enrolled from one
// address. A wrong code belongs to no device, so no device can be locked; with 60 bits, even all that
// wrongCodes allows in a day finds one of a thousand open codes once in a billion days.
var (
	wrongFromAddress = bus.Limit{Rate: 5, Per: time.Minute, Burst: 5}
	wrongCodes       = bus.Limit{Rate: 600, Per: time.Minute, Burst: 600}
)

// Enroll binds an Ed25519 public key to the device whose one-time code this is, once: of two keys at the same time one is
// bound. The same key with the same code again is answered the same, because the first answer may have been lost.
// The key bound before stops. address is the caller's network address. Unauthenticated "enrollment_code_wrong",
// "enrollment_code_expired"; Exhausted "enrollment_too_often" with the seconds to wait; Invalid "device_key_invalid".
func (d *Devices) Enroll(ctx context.Context, code string, publicKey ed25519.PublicKey, address string) (Device, error) {
	if len(publicKey) != ed25519.PublicKeySize || bytes.Count(publicKey, []byte{0}) == len(publicKey) {
		return Device{}, fault.New(fault.Invalid, "device_key_invalid")
	}
	address = identity.Network(address)
	limits := []struct {
		key   string
		limit bus.Limit
	}{{"enrol/address/" + address, wrongFromAddress}, {"enrol/all", wrongCodes}}
	for _, l := range limits {
		// Cost 0 asks without charging and is always allowed; what is left tells.
		if decision := d.options.Limits.Allow(ctx, l.key, l.limit, 0); !decision.Allowed || decision.Remaining < 1 {
			wait := time.Duration(l.limit.Interval()) * time.Microsecond
			return Device{}, fault.New(fault.Exhausted, "enrollment_too_often", "seconds", int(math.Ceil(wait.Seconds())))
		}
	}
	doc, err := d.bindKey(ctx, code, publicKey)
	if fault.Is(err, fault.Unauthenticated) {
		for _, l := range limits {
			d.options.Limits.Allow(ctx, l.key, l.limit, 1)
		}
		d.log.InfoContext(ctx, "enrolment refused", "address", address, "reason", fault.Of(err).Reason)
	}
	if err != nil {
		return Device{}, typed("enrol device", err)
	}
	d.tell(ctx, doc.ID)
	d.log.InfoContext(ctx, "device enrolled", "device", doc.ID, "enrolment", doc.Generation, "address", address)
	return doc.device(), nil
}

func (d *Devices) bindKey(ctx context.Context, code string, publicKey ed25519.PublicKey) (deviceDoc, error) {
	wrong := func() error { return fault.New(fault.Unauthenticated, "enrollment_code_wrong") }
	hash, ok := codeHash(code)
	if !ok {
		return deviceDoc{}, wrong()
	}
	found, err := d.devices.First(ctx, store.Query{Index: "code", Equal: []any{hash}})
	if errors.Is(err, store.ErrNotFound) {
		return deviceDoc{}, wrong()
	}
	if err != nil {
		return deviceDoc{}, err
	}
	return d.devices.Update(ctx, found.Value.ID, func(doc *deviceDoc) (bool, error) {
		now := store.Milliseconds(d.now())
		switch {
		case doc.Code == nil || doc.Code.Hash != hash || !doc.RevokedAt.IsZero():
			return false, wrong()
		case !now.Before(doc.Code.ExpiresAt):
			return false, fault.New(fault.Unauthenticated, "enrollment_code_expired")
		case !doc.Code.UsedAt.IsZero():
			if !bytes.Equal(doc.PublicKey, publicKey) {
				return false, wrong()
			}
			return false, nil
		}
		doc.Code.UsedAt = now
		doc.PublicKey = slices.Clone(publicKey)
		doc.EnrolledAt = now
		doc.Generation++
		doc.ClonedSince, doc.CloneSigns = time.Time{}, nil // the other one does not have this key
		return true, nil
	})
}

// PublicKey answers the key that is bound to the device now. NotFound; Unauthenticated "device_not_enrolled" before the
// first enrolment.
func (d *Devices) PublicKey(ctx context.Context, deviceID string) (ed25519.PublicKey, error) {
	doc, err := d.recall(ctx, deviceID)
	if err != nil {
		return nil, err
	}
	key, ok := doc.key()
	if !ok {
		return nil, fault.New(fault.Unauthenticated, "device_not_enrolled")
	}
	return slices.Clone(key), nil
}

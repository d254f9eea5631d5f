package device

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// codeLife is how long a one-time code holds.
const codeLife = 24 * time.Hour

// Code is a one-time code to enrol with. It is shown once and kept nowhere.
type Code struct {
	Text      string // "7F3K-9QWD-XM2P"
	ExpiresAt time.Time
}

// Create makes a device and its one-time code; by is the account that does it, empty for the program itself. A binding
// without a beginning begins now. Whether its units and counters are there is asked before. Invalid for a name or
// bindings that cannot be.
func (d *Devices) Create(ctx context.Context, by, name string, bindings []Binding) (Device, Code, error) {
	now := store.Milliseconds(d.now())
	name = norm.NFC.String(name)
	if name == "" || len(name) > MaxName || !utf8.ValidString(name) {
		return Device{}, Code{}, fault.New(fault.Invalid, "device_name_invalid", "max", MaxName)
	}
	if len(bindings) == 0 || len(bindings) > MaxBindings {
		return Device{}, Code{}, fault.New(fault.Invalid, "device_bindings_count", "max", MaxBindings)
	}
	doc := deviceDoc{Name: name, CreatedAt: now, CreatedBy: by}
	for _, b := range bindings {
		if err := b.begin(now); err != nil {
			return Device{}, Code{}, err
		}
		doc.Bindings = append(doc.Bindings, b)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Device{}, Code{}, err
	}
	doc.ID = id.String()
	code := doc.giveCode(now)
	if err := d.devices.Insert(ctx, doc); err != nil {
		return Device{}, Code{}, typed("keep device", err)
	}
	d.log.InfoContext(ctx, "device made", "device", doc.ID, "by", by)
	return doc.device(), code, nil
}

// giveCode puts a new code in the place of any other.
func (d *deviceDoc) giveCode(now time.Time) Code {
	code := Code{Text: newCode(), ExpiresAt: now.Add(codeLife)}
	hash, _ := codeHash(code.Text)
	d.Code = &codeDoc{Hash: hash, ExpiresAt: code.ExpiresAt}
	return code
}

// begin fills in when the binding begins, and judges it.
func (b *Binding) begin(now time.Time) error {
	if b.UnitID == "" {
		return fault.New(fault.Invalid, "binding_without_unit")
	}
	if b.From.IsZero() {
		b.From = now
	}
	b.From = store.Milliseconds(b.From)
	if !b.To.IsZero() {
		b.To = store.Milliseconds(b.To)
		if !b.From.Before(b.To) {
			return fault.New(fault.Invalid, "binding_ends_before_begin")
		}
	}
	return nil
}

// RenewCode answers a new one-time code, to enrol again: the device keeps its id, bindings and sequence, and its old key
// works until the new one is bound. A code given before holds no more. Denied "device_revoked".
func (d *Devices) RenewCode(ctx context.Context, by, id string) (Device, Code, error) {
	var code Code
	doc, err := d.devices.Update(ctx, id, func(doc *deviceDoc) (bool, error) {
		if !doc.RevokedAt.IsZero() {
			return false, fault.New(fault.Denied, "device_revoked")
		}
		code = doc.giveCode(store.Milliseconds(d.now()))
		return true, nil
	})
	if err != nil {
		return Device{}, Code{}, typed("renew code", err)
	}
	d.log.InfoContext(ctx, "device given a new code", "device", id, "by", by)
	return d.whole(ctx, doc), code, nil
}

// Bind adds a binding. One that has an end, where an open one stands for the same unit and counter, ends that one
// instead; an open one where an open one stands makes that one begin earlier, if it does. Invalid, NotFound.
func (d *Devices) Bind(ctx context.Context, by, id string, binding Binding) (Device, error) {
	doc, err := d.devices.Update(ctx, id, func(doc *deviceDoc) (bool, error) {
		now := store.Milliseconds(d.now())
		wanted := binding
		for i := range doc.Bindings {
			standing := &doc.Bindings[i]
			if standing.UnitID != wanted.UnitID || standing.CounterID != wanted.CounterID || !standing.To.IsZero() {
				continue
			}
			if !wanted.To.IsZero() {
				wanted.From = standing.From
				if err := wanted.begin(now); err != nil {
					return false, err
				}
				standing.To = wanted.To
				return true, nil
			}
			if err := wanted.begin(now); err != nil {
				return false, err
			}
			if !wanted.From.Before(standing.From) {
				return false, nil
			}
			standing.From = wanted.From
			return true, nil
		}
		if err := wanted.begin(now); err != nil {
			return false, err
		}
		if len(doc.Bindings) >= MaxBindings {
			return false, fault.New(fault.Invalid, "device_bindings_count", "max", MaxBindings)
		}
		doc.Bindings = append(doc.Bindings, wanted)
		return true, nil
	})
	if err != nil {
		return Device{}, typed("bind device", err)
	}
	d.tell(ctx, id)
	d.log.InfoContext(ctx, "device bound", "device", id, "unit", binding.UnitID, "counter", binding.CounterID, "by", by)
	return d.whole(ctx, doc), nil
}

// Revoke ends the device's right to send at once and for good; one that is revoked stays as it is.
func (d *Devices) Revoke(ctx context.Context, by, id string) (Device, error) {
	doc, err := d.devices.Update(ctx, id, func(doc *deviceDoc) (bool, error) {
		if !doc.RevokedAt.IsZero() {
			return false, nil
		}
		doc.RevokedAt, doc.RevokedBy, doc.Code = store.Milliseconds(d.now()), by, nil
		return true, nil
	})
	if err != nil {
		return Device{}, typed("revoke device", err)
	}
	d.tell(ctx, id)
	d.log.InfoContext(ctx, "device revoked", "device", id, "by", by)
	return d.whole(ctx, doc), nil
}

// clockTolerance is how slow a device's clock may be without harm: what was given just before a binding began, by the device's own clock,
// was given under it. Without it a new kiosk whose clock is five minutes slow has its first five minutes in quarantine.
const clockTolerance = 10 * time.Minute

// Allowed tells whether the device was bound to the unit and counter at a time by its own clock, from memory where it was asked within
// seconds. A device that is not there was never bound.
func (d *Devices) Allowed(ctx context.Context, deviceID, unitID, counterID string, at time.Time) (bool, error) {
	doc, err := d.recall(ctx, deviceID)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	for _, b := range doc.Bindings {
		b.From = b.From.Add(-clockTolerance)
		if b.Holds(unitID, counterID, at) {
			return true, err
		}
	}
	return false, err
}

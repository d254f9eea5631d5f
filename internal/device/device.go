// Package device keeps the devices that record ratings: what they may send for and since when, how they prove who they
// are with a key that never leaves them, and which of their ratings have arrived. It does not ask who calls: an
// entrance of the server checks the right to manage devices and its scope.
package device

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Limits of what is kept of a device.
const (
	MaxName     = 300 // bytes of a name
	MaxBindings = 100
)

// Device is a touchscreen, or anything else that records ratings with a key of its own.
type Device struct {
	ID            string
	Name          string
	Bindings      []Binding
	CreatedAt     time.Time
	EnrolledAt    time.Time // zero before a key was bound
	Enrolments    int64     // how often one was
	RevokedAt     time.Time // zero while it may send
	LastSeenAt    time.Time // zero before it was heard of; a minute coarse
	StoredThrough uint64    // the highest gap-free sequence that arrived
	Missing       uint64    // sequences that did not arrive below others that did
	WaitingSince  time.Time // since when the oldest rating is known to wait on it, or is missing; zero = none does
	Report        *Report   // what it last told of itself; nil before its first heartbeat
	Settings      Settings
	ClonedSince   time.Time // since when two machines speak with its identity; zero while one does
	CloneSigns    []string  // what else tells of that: SignOtherMachine, SignForked
}

// Binding allows a device to send for a unit, or for one counter of it, from a time to a time.
type Binding struct {
	UnitID    string    `bson:"unit"`
	CounterID string    `bson:"counter,omitempty"` // empty: the whole unit
	From      time.Time `bson:"from"`              // inclusive
	To        time.Time `bson:"to,omitempty"`      // exclusive; zero = open
}

// Holds tells whether the binding covers the unit and counter at a time. A binding to one counter does not cover
// the unit's other counters, nor a rating without one.
func (b Binding) Holds(unitID, counterID string, at time.Time) bool {
	return b.UnitID == unitID && (b.CounterID == "" || b.CounterID == counterID) &&
		!at.Before(b.From) && (b.To.IsZero() || at.Before(b.To))
}

// Proto is the device as the contract has it; State judges how it is.
func (d Device) Proto(state pb.DeviceState) *pb.Device {
	out := &pb.Device{
		Id: d.ID, Name: d.Name, Bindings: ProtoBindings(d.Bindings), CreatedAt: timestamp(d.CreatedAt),
		EnrolledAt: timestamp(d.EnrolledAt), RevokedAt: timestamp(d.RevokedAt), LastSeenAt: timestamp(d.LastSeenAt),
		StoredThrough: d.StoredThrough, State: state, Missing: d.Missing, ClonedSince: timestamp(d.ClonedSince), Settings: d.Settings.Proto(),
	}
	if d.Report != nil {
		out.Report = d.Report.Proto()
		out.Report.Troubles = append(out.Report.Troubles, d.CloneSigns...)
	}
	return out
}

// ProtoBindings are bindings as the contract has them.
func ProtoBindings(bindings []Binding) []*pb.DeviceBinding {
	out := make([]*pb.DeviceBinding, len(bindings))
	for i, b := range bindings {
		out[i] = &pb.DeviceBinding{UnitId: b.UnitID, CounterId: b.CounterID, ValidFrom: timestamp(b.From), ValidTo: timestamp(b.To)}
	}
	return out
}

// BindingOf reads a binding of the contract; times that are not given are zero.
func BindingOf(b *pb.DeviceBinding) Binding {
	binding := Binding{UnitID: b.GetUnitId(), CounterID: b.GetCounterId()}
	if b.GetValidFrom() != nil {
		binding.From = b.GetValidFrom().AsTime()
	}
	if b.GetValidTo() != nil {
		binding.To = b.GetValidTo().AsTime()
	}
	return binding
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// deviceDoc is a device as it is kept. What changes at every call is kept apart, so that what is remembered of
// this document holds.
type deviceDoc struct {
	ID         string    `bson:"_id"` // UUIDv7
	Name       string    `bson:"name"`
	Bindings   []Binding `bson:"bindings"`
	CreatedAt  time.Time `bson:"created_at"`
	CreatedBy  string    `bson:"created_by,omitempty"`
	EnrolledAt time.Time `bson:"enrolled_at,omitempty"`
	RevokedAt  time.Time `bson:"revoked_at,omitempty"`
	RevokedBy  string    `bson:"revoked_by,omitempty"`
	PublicKey  []byte    `bson:"public_key,omitempty"` // Ed25519
	// Generation counts enrolments: a token holds the one it was made under.
	Generation int64    `bson:"generation"`
	Code       *codeDoc `bson:"code,omitempty"`
	Settings   Settings `bson:"settings,omitempty"`
	// Of the present enrolment.
	ClonedSince time.Time `bson:"cloned_since,omitempty"`
	CloneSigns  []string  `bson:"clone_signs,omitempty"`
}

// codeDoc is a one-time code. The code itself is not kept.
type codeDoc struct {
	Hash      string    `bson:"hash"`
	ExpiresAt time.Time `bson:"expires_at"`
	UsedAt    time.Time `bson:"used_at,omitempty"`
}

// healthDoc is when a device was last heard of, and what it told.
type healthDoc struct {
	ID         string    `bson:"_id"` // the device's id
	SeenAt     time.Time `bson:"seen_at"`
	Report     *Report   `bson:"report,omitempty"`
	Owed       *owed     `bson:"owed,omitempty"`
	Generation int64     `bson:"generation,omitempty"` // the enrolment of the starts
	Starts     []start   `bson:"starts,omitempty"`
}

var (
	deviceType = store.Define[deviceDoc]("devices", store.Index{Name: "code", Fields: []string{"code.hash"}, Unique: true})
	healthType = store.Define[healthDoc]("device_health")
)

// Kinds lists the kinds of documents kept here.
func Kinds() []store.Kind { return []store.Kind{deviceType.Kind, healthType.Kind, progressType.Kind} }

func (d deviceDoc) device() Device {
	device := Device{ID: d.ID, Name: d.Name, CreatedAt: d.CreatedAt, EnrolledAt: d.EnrolledAt, Enrolments: d.Generation, RevokedAt: d.RevokedAt}
	device.Bindings = append(device.Bindings, d.Bindings...)
	device.Settings, device.ClonedSince, device.CloneSigns = d.Settings, d.ClonedSince, slices.Clone(d.CloneSigns)
	return device
}

// key answers the public key; false before the first enrolment.
func (d deviceDoc) key() (ed25519.PublicKey, bool) {
	return ed25519.PublicKey(d.PublicKey), len(d.PublicKey) == ed25519.PublicKeySize
}

// typed makes a fault of what the store answers.
func typed(doing string, err error) error {
	var known *fault.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, store.ErrNotFound):
		return fault.New(fault.NotFound, "device_unknown")
	case errors.Is(err, store.ErrUnavailable):
		return fault.New(fault.Unavailable, "store_unavailable").Because(fmt.Errorf("%s: %w", doing, err))
	case errors.Is(err, store.ErrInvalid): // an id or a page token that cannot be
		return fault.New(fault.NotFound, "device_unknown").Because(fmt.Errorf("%s: %w", doing, err))
	}
	return fmt.Errorf("%s: %w", doing, err)
}

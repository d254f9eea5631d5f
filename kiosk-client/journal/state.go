package journal

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hailong-vn/hailong/internal/seal"
)

// Identity is who the device is to the server.
type Identity struct {
	DeviceID  string
	Name      string // as the administrator gave it
	MachineID string // of the machine it was enrolled on; empty where it could not be told
	Server    string // address it was enrolled at
	Key       ed25519.PrivateKey
}

// String is the device's id, so that a print-out does not show the key.
func (i Identity) String() string { return i.DeviceID }

// GoString is String.
func (i Identity) GoString() string { return "journal.Identity(" + i.DeviceID + ")" }

// identity is how it is kept.
type identity struct {
	DeviceID  string `json:"device_id,omitempty"`
	Name      string `json:"name,omitempty"`
	MachineID string `json:"machine_id,omitempty"`
	Server    string `json:"server,omitempty"`
	Key       []byte `json:"key,omitempty"` // Ed25519 seed that the server knows
	// NextKey is the seed of the key being enrolled: kept first, so that an answer that was lost can be asked for again.
	NextKey []byte `json:"next_key,omitempty"`
}

func (i identity) sound() bool {
	seed := func(key []byte) bool { return len(key) == 0 || len(key) == ed25519.SeedSize }
	return seed(i.Key) && seed(i.NextKey) && (i.DeviceID == "") == (len(i.Key) == 0)
}

// position is where the chain and the queue are: what changes with each seal and acknowledgement.
type position struct {
	Next    uint64     `json:"next"` // sequence of the next rating, from 1
	Head    []byte     `json:"head"` // link of the last one
	Through uint64     `json:"through"`
	Pruned  uint64     `json:"pruned"` // everything up to here was acknowledged and deleted
	Days    []DayCount `json:"days"`
}

func (p position) sound() bool {
	return p.Next >= 1 && len(p.Head) == len(seal.Head{}) && p.Through < p.Next && p.Pruned <= p.Through
}

// hole is a run of sequences that were never given, or were lost with a damaged file.
type hole struct{ first, last uint64 }

// state is what the journal knows without reading: a copy of what is on the disk. Its slices are never changed in place.
type state struct {
	identity identity
	position position
	holes    []hole   // in order, apart
	held     []uint64 // in order; all at most position.Through
	reserved uint64   // as identity.json has it: no rating has a higher sequence
}

func newState() state {
	return state{position: position{Next: 1, Head: make([]byte, len(seal.Head{}))}}
}

func (s *state) queue() uint64 {
	from := max(s.position.Through, s.position.Pruned) + 1
	waiting := s.position.Next - from
	for _, h := range s.holes {
		if first := max(h.first, from); first <= h.last {
			waiting -= h.last - first + 1
		}
	}
	return waiting + uint64(len(s.held))
}

// pastHoles answers the last of the sequences after through that need not arrive: holes and what is held.
func (s *state) pastHoles(through uint64) uint64 {
	for {
		at := through
		for _, h := range s.holes {
			if h.first <= at+1 && at < h.last {
				at = h.last
			}
		}
		if _, held := slices.BinarySearch(s.held, at+1); held {
			at++
		}
		if at == through {
			return at
		}
		through = at
	}
}

const positionRow = "INSERT INTO position (id, value) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET value = excluded.value"

func keepPosition(ctx context.Context, c *conn, p position) error {
	value, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = c.exec(ctx, positionRow, value)
	return err
}

const factRow = "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"

func keepFact(ctx context.Context, c *conn, name string, value []byte) error {
	_, err := c.exec(ctx, factRow, name, value)
	return err
}

func keepIdentity(ctx context.Context, c *conn, i identity) error {
	value, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return keepFact(ctx, c, factIdentity, value)
}

// The names of facts.
const (
	factIdentity      = "identity"
	factConfiguration = "configuration"
	factDamaged       = "damaged"
	factSetting       = "setting/" // and its name
)

// readState reads what the file says. A file without a position is a new one.
func readState(ctx context.Context, c *conn) (s state, fresh bool, err error) {
	s, fresh = newState(), true
	if err = c.rows(ctx, func(scan func(...any) error) error {
		var value []byte
		if err := scan(&value); err != nil {
			return err
		}
		fresh = false
		var p position
		if json.Unmarshal(value, &p) != nil || !p.sound() {
			return fmt.Errorf("position: %w", errDamaged)
		}
		s.position = p
		return nil
	}, "SELECT value FROM position WHERE id = 1"); err != nil {
		return s, fresh, err
	}
	value, err := readFact(ctx, c, factIdentity)
	if err != nil {
		return s, fresh, err
	}
	if len(value) > 0 {
		fresh = false
		if json.Unmarshal(value, &s.identity) != nil || !s.identity.sound() {
			return s, fresh, fmt.Errorf("identity: %w", errDamaged)
		}
	}
	if err := c.rows(ctx, func(scan func(...any) error) error {
		var h hole
		err := scan(&h.first, &h.last)
		s.holes = append(s.holes, h)
		return err
	}, "SELECT first, last FROM holes ORDER BY first"); err != nil {
		return s, fresh, err
	}
	err = c.rows(ctx, func(scan func(...any) error) error {
		var sequence uint64
		err := scan(&sequence)
		s.held = append(s.held, sequence)
		return err
	}, "SELECT sequence FROM held ORDER BY sequence")
	return s, fresh, err
}

func readFact(ctx context.Context, c *conn, name string) (value []byte, err error) {
	err = c.rows(ctx, func(scan func(...any) error) error { return scan(&value) }, "SELECT value FROM facts WHERE name = ?", name)
	return value, err
}

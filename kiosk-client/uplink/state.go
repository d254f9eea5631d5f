// Package uplink is how a device reaches the server: it keeps the device's key and its place in the chain of its
// ratings, proves who it is, seals runs of ratings and sends them. The journal of what was not acknowledged yet is the
// caller's.
package uplink

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/hailong-vn/hailong/internal/seal"
)

// Device is a device's own side: its key, and its place in the chain. Its methods may be called by many
// goroutines; only one program at a time may open its file.
type Device struct {
	path string // "" = nothing is written
	mu   sync.Mutex
	now  state
}

// state is what a device must not lose. It is written before anything that depends on it leaves the device.
type state struct {
	DeviceID string `json:"device_id,omitempty"`
	Name     string `json:"name,omitempty"`
	Key      []byte `json:"key,omitempty"` // Ed25519 seed that the server knows
	// NextKey is the seed of the key being enrolled: kept first, so that an answer that was lost can be asked for again.
	NextKey []byte `json:"next_key,omitempty"`
	Next    uint64 `json:"next_sequence"` // of the next rating, from 1
	Head    []byte `json:"head"`          // link of the last rating sealed
}

// Open reads the device's file, or begins a new device where there is none. path "" keeps the device in memory only: for tests
// and load.
func Open(path string) (*Device, error) {
	d := &Device{path: path, now: state{Next: 1, Head: make([]byte, len(seal.Head{}))}}
	if path == "" {
		return d, nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, d.save(d.now)
	}
	if err != nil {
		return nil, fmt.Errorf("read device file: %w", err)
	}
	var read state
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	// What is wrong with it is not told: it holds the key.
	if decoder.Decode(&read) != nil || decoder.More() || !read.sound() {
		return nil, fmt.Errorf("device file %s is damaged; restore it or enrol the device again", path)
	}
	d.now = read
	return d, nil
}

func (s state) sound() bool {
	seed := func(key []byte) bool { return len(key) == 0 || len(key) == ed25519.SeedSize }
	return seed(s.Key) && seed(s.NextKey) && len(s.Head) == len(seal.Head{}) && s.Next >= 1 && (s.DeviceID == "") == (len(s.Key) == 0)
}

// save writes the state whole or not at all, for the owner alone, and takes it over once it is durable.
func (d *Device) save(next state) error {
	if d.path == "" {
		d.now = next
		return nil
	}
	data, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return fmt.Errorf("encode device file: %w", err)
	}
	folder := filepath.Dir(d.path)
	file, err := os.CreateTemp(folder, filepath.Base(d.path)+".*") // 0600
	if err != nil {
		return fmt.Errorf("write device file: %w", err)
	}
	_, err = file.Write(append(data, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), d.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write device file: %w", err), os.Remove(file.Name()))
	}
	// From here on the file says so, whatever comes of the folder.
	d.now = next
	opened, err := os.Open(folder)
	if err != nil {
		return fmt.Errorf("sync device folder: %w", err)
	}
	if err := errors.Join(opened.Sync(), opened.Close()); err != nil {
		return fmt.Errorf("sync device folder: %w", err)
	}
	return nil
}

// ID is the device's id; empty before it is enrolled.
func (d *Device) ID() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now.DeviceID
}

// Name is the name the administrator gave it.
func (d *Device) Name() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now.Name
}

// NextSequence is that of the next rating to be sealed.
func (d *Device) NextSequence() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now.Next
}

// String is the device's id, so that a print-out does not show the key.
func (d *Device) String() string { return d.ID() }

// GoString is String.
func (d *Device) GoString() string { return "uplink.Device(" + d.ID() + ")" }

// signing answers the id and the key the server knows. ErrNotEnrolled.
func (d *Device) signing() (string, ed25519.PrivateKey, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now.DeviceID == "" {
		return "", nil, ErrNotEnrolled
	}
	return d.now.DeviceID, ed25519.NewKeyFromSeed(d.now.Key), nil
}

// ErrNotEnrolled says that the device has no key that the server knows.
var ErrNotEnrolled = errors.New("uplink: the device is not enrolled")

// enrolling answers the public key to enrol with, the same until it is bound.
func (d *Device) enrolling() (ed25519.PublicKey, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.now.NextKey) == 0 {
		next := d.now
		next.NextKey = make([]byte, ed25519.SeedSize)
		_, _ = rand.Read(next.NextKey) // never fails
		if err := d.save(next); err != nil {
			return nil, err
		}
	}
	return ed25519.NewKeyFromSeed(d.now.NextKey).Public().(ed25519.PublicKey), nil
}

// enrolled takes over the key that was bound. Another device than before begins its own chain.
func (d *Device) enrolled(id, name string, public ed25519.PublicKey) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.now.NextKey) == 0 || !ed25519.NewKeyFromSeed(d.now.NextKey).Public().(ed25519.PublicKey).Equal(public) {
		return nil // another caller was answered first
	}
	next := d.now
	if next.DeviceID != id {
		next.Next, next.Head = 1, make([]byte, len(seal.Head{}))
	}
	next.DeviceID, next.Name, next.Key, next.NextKey = id, name, next.NextKey, nil
	return d.save(next)
}

// skip goes on after a sequence that the server holds and this file does not know of: the file was lost. The
// chain begins anew there, which the server's auditor sees.
func (d *Device) skip(stored uint64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if stored < d.now.Next {
		return nil
	}
	next := d.now
	next.Next, next.Head = stored+1, make([]byte, len(seal.Head{}))
	return d.save(next)
}

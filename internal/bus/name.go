package bus

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// The limits on sizes.
const (
	MaxName    = 512       // bytes of a topic, place, consumer or cell
	MaxWho     = 512       // bytes of who is present
	MaxPresent = 64        // people in one place
	MaxBody    = 64 * 1024 // bytes of an event
	longKey    = 128       // bytes of a key that is kept as it is
)

// ValidName says whether a topic, place or consumer may be used.
func ValidName(name string) bool { return name != "" && len(name) <= MaxName }

// ValidCell says whether a cell's address may be published.
func ValidCell(cell string) bool { return ValidName(cell) && !strings.Contains(cell, "\n") }

// ValidWho says whether who may be present.
func ValidWho(who string) bool { return who != "" && len(who) <= MaxWho }

// ShortKey is the key as a bus keeps it. Keys are made of what callers send and may have any length; long ones are
// kept by their SHA-256.
func ShortKey(key string) string {
	if len(key) <= longKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}

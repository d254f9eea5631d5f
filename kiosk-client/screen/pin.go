package screen

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
)

// Tries of a PIN before it rests, and for how long. Four digits then take weeks of standing at the kiosk.
const (
	pinTries = 5
	pinRest  = 5 * time.Minute
)

// pins counts wrong tries, an official apart; one PIN is hashed at a time.
type pins struct {
	mu    *sync.Mutex
	wrong map[string]int
	until map[string]time.Duration // since the start
}

func newPINs() pins {
	return pins{mu: &sync.Mutex{}, wrong: map[string]int{}, until: map[string]time.Duration{}}
}

// try answers "" where the PIN is right, else the key of why not.
func (p pins) try(official, hash, pin string, since time.Duration) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if since < p.until[official] {
		return "kiosk.staff.pin_rests"
	}
	if matchesPIN(hash, pin) {
		delete(p.wrong, official)
		return ""
	}
	if p.wrong[official]++; p.wrong[official] >= pinTries {
		p.wrong[official], p.until[official] = 0, since+pinRest
		return "kiosk.staff.pin_rests"
	}
	return "kiosk.staff.pin_wrong"
}

// Bounds of a hash's cost, beyond which it is not one of ours.
const (
	maxMemory = 64 * 1024 // KiB
	maxPasses = 8
	maxLanes  = 4
)

// matchesPIN tells whether a PIN has an argon2id hash ("$argon2id$v=19$m=…,t=…,p=…$salt$sum").
func matchesPIN(hash, pin string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) || len(pin) > 64 {
		return false
	}
	var memory, passes uint32
	var lanes uint8
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil || n != 3 {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil || len(salt) < 8 {
		return false
	}
	sum, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(sum) < 16 || len(sum) > 64 || memory == 0 || memory > maxMemory || passes == 0 || passes > maxPasses || lanes == 0 || lanes > maxLanes {
		return false
	}
	return subtle.ConstantTimeCompare(argon2.IDKey([]byte(pin), salt, passes, memory, lanes, uint32(len(sum))), sum) == 1 //nolint:gosec // at most 64
}

package analysis

import (
	"context"
	"sync"

	"github.com/hailong-vn/hailong/internal/tally"
)

// stripsKept is how many strips are kept: a year of the whole country once, or of a province many times. A strip takes about 5 KB.
const stripsKept = 4_000

// keptStrips keeps the latest readings of strips, each under the version that the store told before it was read. They are given out
// only while the store still tells that version, so nothing is told to expire, and any number of processes may write meanwhile.
type keptStrips struct {
	lock  sync.Mutex
	all   []keptReading // the last used last
	count int
}

type keptReading struct {
	key, version string
	strips       []tally.Strip
}

// get answers the reading of a key under a version, which must not be "".
func (k *keptStrips) get(key, version string) ([]tally.Strip, bool) {
	k.lock.Lock()
	defer k.lock.Unlock()
	for i, reading := range k.all {
		if reading.key != key {
			continue
		}
		if reading.version != version {
			return nil, false
		}
		k.all = append(append(k.all[:i], k.all[i+1:]...), reading)
		return reading.strips, true
	}
	return nil, false
}

// put keeps a reading in the place of the one before, and forgets those not used for longest.
func (k *keptStrips) put(reading keptReading) {
	k.lock.Lock()
	defer k.lock.Unlock()
	for i, other := range k.all {
		if other.key == reading.key {
			k.forget(i)
			break
		}
	}
	if len(reading.strips) > stripsKept {
		return
	}
	k.all = append(k.all, reading)
	k.count += len(reading.strips) + 1 // an empty one takes room too
	for k.count > stripsKept+1 {
		k.forget(0)
	}
}

func (k *keptStrips) forget(i int) {
	k.count -= len(k.all[i].strips) + 1
	copy(k.all[i:], k.all[i+1:])
	k.all[len(k.all)-1] = keptReading{}
	k.all = k.all[:len(k.all)-1]
}

// readStrips answers the strips of a year, of the units named or of all (nil), from memory where nothing was written since they were read.
func (a *Analysis) readStrips(ctx context.Context, key string, year int, units []string) ([]tally.Strip, error) {
	rollups := a.config.Engine.Rollups()
	version, err := rollups.Version(ctx) // before the reading: what is written in between makes it newer than its version, never older
	if err != nil {
		return nil, err
	}
	if strips, ok := a.kept.get(key, version); ok && version != "" {
		return strips, nil
	}
	strips := make([]tally.Strip, 0, len(units))
	for strip, err := range rollups.Strips(ctx, year, units) {
		if err != nil {
			return nil, err
		}
		strips = append(strips, strip)
	}
	if version != "" {
		a.kept.put(keptReading{key, version, strips})
	}
	return strips, nil
}

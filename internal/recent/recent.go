// Package recent remembers for a few seconds what was read a moment ago, and forgets it at once when told to. It spares the
// store a read a call without letting a caller see what ended before the call began.
package recent

import (
	"context"
	"sync"
	"time"
)

// Values remembers values by key. Make one with New; its methods may be called by many goroutines.
type Values[K comparable, V any] struct {
	keep time.Duration
	max  int
	now  func() time.Time

	mu      sync.Mutex
	entries map[K]*entry[V]
}

// entry is a value read or being read. That an entry still stands in the map when its read ends is the proof that
// nobody was told to forget it meanwhile.
type entry[V any] struct {
	done    chan struct{} // closed when value and err are set
	value   V
	err     error
	expires time.Time
}

// loadTime bounds a read that others wait for, whatever its own caller would allow.
const loadTime = 10 * time.Second

// New remembers at most max values (it then drops any others), each for keep.
func New[K comparable, V any](keep time.Duration, max int, now func() time.Time) *Values[K, V] {
	return &Values[K, V]{keep: keep, max: max, now: now, entries: map[K]*entry[V]{}}
}

// Get answers what is remembered, or loads it; callers for one key at the same time share one load. Errors are
// shared by those who wait and not remembered. load is given a context that outlives the caller's.
func (v *Values[K, V]) Get(ctx context.Context, key K, load func(context.Context) (V, error)) (V, error) {
	v.mu.Lock()
	e, ok := v.entries[key]
	if ok && e.loaded() && !v.now().Before(e.expires) {
		ok = false
	}
	if ok {
		v.mu.Unlock()
		return e.wait(ctx)
	}
	e = &entry[V]{done: make(chan struct{})}
	v.makeRoom()
	v.entries[key] = e
	v.mu.Unlock()

	finished := false
	defer func() {
		if !finished { // load panicked: those who wait must not wait for ever
			e.err = context.Canceled
		}
		v.mu.Lock()
		if v.entries[key] == e {
			if e.err != nil {
				delete(v.entries, key)
			}
		}
		v.mu.Unlock()
		close(e.done)
	}()
	loading, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTime)
	defer cancel()
	began := v.now()
	e.value, e.err = load(loading)
	e.expires = began.Add(v.keep)
	finished = true
	return e.value, e.err
}

// loaded tells whether the entry's read has ended.
func (e *entry[V]) loaded() bool {
	select {
	case <-e.done:
		return true
	default:
		return false
	}
}

func (e *entry[V]) wait(ctx context.Context) (V, error) {
	select {
	case <-e.done:
		return e.value, e.err
	default:
	}
	select {
	case <-e.done:
		return e.value, e.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// makeRoom drops what has expired, and then any others, until there is room for one more.
func (v *Values[K, V]) makeRoom() {
	if len(v.entries) < v.max {
		return
	}
	now := v.now()
	for key, e := range v.entries {
		if e.loaded() && !now.Before(e.expires) {
			delete(v.entries, key)
		}
	}
	// An eighth more than needed, so that a full house is not swept at every call.
	for key := range v.entries {
		if len(v.entries) < v.max-v.max/8 {
			return
		}
		delete(v.entries, key)
	}
}

// Forget drops a key. A load under way for it is not remembered, and who asks from now on does not wait for it.
func (v *Values[K, V]) Forget(key K) {
	v.mu.Lock()
	delete(v.entries, key)
	v.mu.Unlock()
}

// ForgetWhere drops all values of which matches is true, and every load under way, of which nobody can tell.
func (v *Values[K, V]) ForgetWhere(matches func(V) bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key, e := range v.entries {
		if !e.loaded() || matches(e.value) {
			delete(v.entries, key)
		}
	}
}

// ForgetAll drops everything.
func (v *Values[K, V]) ForgetAll() {
	v.mu.Lock()
	clear(v.entries)
	v.mu.Unlock()
}

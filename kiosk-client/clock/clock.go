// Package clock gives a device its three times: the wall clock, which people and batteries set wrong; the time since the
// program's start, which no setting of the wall clock alters; and the name of that start. Kept together with a
// rating they let the server put right what a wrong wall clock said.
package clock

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

// Clock is the three times.
type Clock interface {
	// Now is the wall clock; it may jump either way at any moment.
	Now() time.Time
	// SinceStart is the time since the program's start, the machine's sleep counted; it never goes back.
	SinceStart() time.Duration
	// BootID names the start: a random UUID, another at each start of the program.
	BootID() string
}

// System is the machine's clock, from now on.
func System() Clock {
	return &clock{boot: uuid.NewString(), now: time.Now, since: sinceNow()}
}

// Of is a clock over a wall clock, whose time since the start is what time.Since measures: for programs and tests
// whose time is not the machine's. now nil = time.Now.
func Of(now func() time.Time) Clock {
	if now == nil {
		now = time.Now
	}
	return &clock{boot: uuid.NewString(), now: now, since: plainSinceNow()}
}

func plainSinceNow() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}

type clock struct {
	boot  string
	now   func() time.Time
	since func() time.Duration
}

func (c *clock) Now() time.Time            { return c.now() }
func (c *clock) SinceStart() time.Duration { return c.since() }
func (c *clock) BootID() string            { return c.boot }

// Manual is a clock that stands until it is moved. Its methods may be called by many goroutines.
type Manual struct {
	mu    sync.Mutex
	boot  string
	now   time.Time
	since time.Duration
}

// NewManual is a clock that shows now, at its start.
func NewManual(now time.Time) *Manual { return &Manual{boot: uuid.NewString(), now: now} }

// Now is the wall clock.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// SinceStart is the sum of what Pass was given.
func (m *Manual) SinceStart() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.since
}

// BootID changes with Restart.
func (m *Manual) BootID() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.boot
}

// Pass lets time pass.
func (m *Manual) Pass(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now, m.since = m.now.Add(d), m.since+d
}

// Set sets the wall clock, as a person or a time server does; no time passes.
func (m *Manual) Set(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = now
}

// Restart is what a start of the program does.
func (m *Manual) Restart() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.boot, m.since = uuid.NewString(), 0
}

package redisbus

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
)

const (
	pause    = time.Second // after a failure, calls that can do without Redis do so this long
	logEvery = time.Minute
)

// health keeps the books on how Redis answers: who needs it is not made to wait for it on every call, the log is not
// flooded, and everything is counted.
type health struct {
	now func() time.Time
	log *slog.Logger

	mu     sync.Mutex
	sick   bool
	told   bool                 // the log knows
	until  time.Time            // while sick: when the next call may try
	logged map[string]time.Time // by what failed, a handful
	count  map[string]uint64    // failures since then

	published, dropped, redelivered, alone, failures atomic.Uint64
}

func newHealth(now func() time.Time, log *slog.Logger) *health {
	return &health{now: now, log: log, logged: map[string]time.Time{}, count: map[string]uint64{}}
}

// worthTrying says whether a call that can do without Redis should ask it. While Redis is sick one caller a second does.
func (h *health) worthTrying() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.sick {
		return true
	}
	now := h.now()
	if now.Before(h.until) {
		return false
	}
	h.until = now.Add(pause)
	return true
}

func (h *health) good() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sick = false
	if h.told {
		h.told = false
		h.log.Info("Redis answers again")
	}
}

func (h *health) bad(what string, err error) {
	h.failures.Add(1)
	h.mu.Lock()
	now := h.now()
	h.sick = true
	h.until = now.Add(pause)
	h.mu.Unlock()
	if h.warn("a call to Redis failed", what, err) {
		h.mu.Lock()
		h.told = true
		h.mu.Unlock()
	}
}

// warn logs once a minute for each what, with how many there were meanwhile; it says whether it did.
func (h *health) warn(message, what string, err error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	h.count[what]++
	if last, logged := h.logged[what]; logged && now.Sub(last) < logEvery {
		return false
	}
	attributes := []any{"call", what, "times", h.count[what]}
	if err != nil {
		attributes = append(attributes, "error", err.Error())
	}
	h.log.Warn(message, attributes...)
	h.logged[what], h.count[what] = now, 0
	return true
}

func (h *health) stats() bus.Stats {
	return bus.Stats{
		HintsPublished:   h.published.Load(),
		HintsDropped:     h.dropped.Load(),
		HintsRedelivered: h.redelivered.Load(),
		LimitsAlone:      h.alone.Load(),
		Failures:         h.failures.Load(),
	}
}

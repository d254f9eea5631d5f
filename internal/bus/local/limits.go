package local

import (
	"math"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
)

// Limits holds callers to limits within this process, remembering at most a number of keys.
type Limits struct {
	now   func() time.Time
	bound int

	mu       sync.Mutex
	arrivals *table[int64] // key → theoretical arrival time in microseconds; past ones mean nothing
}

// NewLimits makes limits that remember at most bound keys.
func NewLimits(now func() time.Time, bound int) *Limits {
	return &Limits{now: now, bound: max(bound, 1), arrivals: newTable[int64]()}
}

// Allow is bus.Limits. Of too many keys the one nearest to being whole is forgotten, so that a flood of new keys
// drives out its own.
func (l *Limits) Allow(key string, limit bus.Limit, cost int) bus.Decision {
	key = bus.ShortKey(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().UnixMicro()
	arrival, known := l.arrivals.get(key)
	next, decision := limit.Take(arrival, now, cost)
	if next <= now {
		l.arrivals.remove(key)
		return decision
	}
	if !known {
		l.room(now)
	}
	l.arrivals.set(key, next)
	return decision
}

// Len is how many keys are remembered.
func (l *Limits) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.arrivals.len()
}

// room looks at a few keys before one is added: more than one goes for each that comes as long as many are past, so
// that memory follows use.
func (l *Limits) room(now int64) {
	const looks = 8
	least, leastArrival := "", int64(math.MaxInt64)
	l.arrivals.look(looks, func(key string, arrival int64) {
		if arrival <= now {
			l.arrivals.remove(key)
		} else if arrival < leastArrival {
			least, leastArrival = key, arrival
		}
	})
	if l.arrivals.len() >= l.bound {
		l.arrivals.remove(least)
	}
}

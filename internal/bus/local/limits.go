package local

import (
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
)

// Limits holds callers to limits within this process, remembering at most a number of keys.
type Limits struct {
	now   func() time.Time
	bound int

	mu       sync.Mutex
	arrivals map[string]int64 // key → theoretical arrival time in microseconds; past ones mean nothing
}

// NewLimits makes limits that remember at most bound keys.
func NewLimits(now func() time.Time, bound int) *Limits {
	return &Limits{now: now, bound: max(bound, 1), arrivals: map[string]int64{}}
}

// Allow is bus.Limits. Of too many keys the one nearest to being whole is forgotten, so that a flood of new keys
// drives out its own.
func (l *Limits) Allow(key string, limit bus.Limit, cost int) bus.Decision {
	key = bus.ShortKey(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().UnixMicro()
	arrival, known := l.arrivals[key]
	next, decision := limit.Take(arrival, now, cost)
	if next <= now {
		delete(l.arrivals, key)
		return decision
	}
	if !known {
		l.room(now)
	}
	l.arrivals[key] = next
	return decision
}

// Len is how many keys are remembered.
func (l *Limits) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.arrivals)
}

// room looks at a few keys by chance before one is added: more than one goes for each that comes as long as many are
// past, so that memory follows use, and no call ever walks through all of them.
func (l *Limits) room(now int64) {
	const looks = 8
	seen, least, leastArrival := 0, "", int64(0)
	for key, arrival := range l.arrivals { // Go starts anywhere
		if arrival <= now {
			delete(l.arrivals, key)
		} else if least == "" || arrival < leastArrival {
			least, leastArrival = key, arrival
		}
		if seen++; seen >= looks {
			break
		}
	}
	if len(l.arrivals) >= l.bound {
		delete(l.arrivals, least)
	}
}

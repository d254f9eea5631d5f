package local

import (
	"container/heap"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
)

// Once remembers one-time keys within this process. It never forgets one before its time: when it is full it says so.
type Once struct {
	now   func() time.Time
	bound int

	mu    sync.Mutex
	until map[string]time.Time
	order expiries
}

// NewOnce makes a memory of at most bound keys.
func NewOnce(now func() time.Time, bound int) *Once {
	return &Once{now: now, bound: max(bound, 1), until: map[string]time.Time{}}
}

// Use answers whether this is the key's first use within ttl. full says that there is no room to remember it.
func (o *Once) Use(key string, ttl time.Duration) (first, full bool) {
	key = bus.ShortKey(key)
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	for len(o.order) > 0 && !o.order[0].until.After(now) {
		gone := heap.Pop(&o.order).(expiry)
		if o.until[gone.key].Equal(gone.until) { // else it was forgotten, and perhaps used since
			delete(o.until, gone.key)
		}
	}
	if _, used := o.until[key]; used {
		return false, false
	}
	if len(o.order) >= o.bound {
		return false, true
	}
	until := now.Add(ttl)
	o.until[key] = until
	heap.Push(&o.order, expiry{until, key})
	return true, false
}

// Forget takes a use back.
func (o *Once) Forget(key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.until, bus.ShortKey(key))
}

type expiry struct {
	until time.Time
	key   string
}

// expiries is a heap, the soonest first.
type expiries []expiry

// Len, Less, Swap, Push and Pop are heap.Interface.
func (e expiries) Len() int { return len(e) }

// Less is heap.Interface.
func (e expiries) Less(i, j int) bool { return e[i].until.Before(e[j].until) }

// Swap is heap.Interface.
func (e expiries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

// Push is heap.Interface.
func (e *expiries) Push(x any) { *e = append(*e, x.(expiry)) }

// Pop is heap.Interface.
func (e *expiries) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = expiry{}
	*e = (*e)[:last]
	return x
}

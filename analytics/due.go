package analytics

import (
	"container/heap"
	"sync"
	"time"
)

// due holds what is to be folded and when. A key that is touched waits the least delay for more touches; one whose last
// fold was costly waits a multiple of that cost; one that failed waits longer each time. A key under way is not given out
// again; if it is touched meanwhile it becomes due once more.
type due struct {
	clock    func() time.Time
	least    time.Duration
	factor   int
	most     time.Duration
	mu       sync.Mutex
	entries  map[string]*entry
	queue    queue
	slow     map[string]time.Time // keys whose last fold was costly: not before then
	failures int                  // entries whose last fold failed
	signal   chan struct{}        // something became due sooner than was thought
}

type entry struct {
	key      string
	at       time.Time // when it may be folded
	touched  time.Time // last touch
	index    int       // place in the queue; -1 while under way
	again    bool      // touched while under way
	failures int       // in a row
}

func newDue(clock func() time.Time, least time.Duration, factor int, most time.Duration) *due {
	return &due{
		clock: clock, least: least, factor: factor, most: most,
		entries: map[string]*entry{}, slow: map[string]time.Time{}, signal: make(chan struct{}, 1),
	}
}

// touch makes keys due.
func (d *due) touch(keys ...string) {
	if len(keys) == 0 {
		return
	}
	now := d.clock()
	d.mu.Lock()
	for _, key := range keys {
		e := d.entries[key]
		switch {
		case e == nil:
			e = &entry{key: key, at: d.next(key, now)}
			d.entries[key] = e
			heap.Push(&d.queue, e)
		case e.index < 0:
			e.again = true
		}
		e.touched = now
	}
	d.mu.Unlock()
	d.wake()
}

// next is the soonest a key that was touched now may be folded.
func (d *due) next(key string, now time.Time) time.Time {
	at := now.Add(d.least)
	if until := d.slow[key]; until.After(at) {
		return until
	}
	return at
}

func (d *due) wake() {
	select {
	case d.signal <- struct{}{}:
	default:
	}
}

// take gives out at most limit keys that are due now, oldest first, and says how long to wait where there are none.
func (d *due) take(limit int) (keys []string, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.takeUntil(d.clock(), limit)
}

// takeAll gives out everything that waits, due or not.
func (d *due) takeAll() (keys []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.queue {
		e.index = -1
		keys = append(keys, e.key)
	}
	d.queue = nil
	return keys
}

func (d *due) takeUntil(now time.Time, limit int) (keys []string, wait time.Duration) {
	for len(d.queue) > 0 && len(keys) < limit && !d.queue[0].at.After(now) {
		e := heap.Pop(&d.queue).(*entry)
		e.index = -1
		keys = append(keys, e.key)
	}
	if len(d.queue) > 0 {
		if wait = d.queue[0].at.Sub(now); wait <= 0 {
			d.wake() // more than the limit is due: for the next goroutine
		}
		return keys, max(wait, time.Millisecond)
	}
	return keys, time.Minute
}

// folded says that a key given out was folded at this cost, or failed. It answers how often it failed in a row.
func (d *due) folded(key string, cost time.Duration, err error) (failures int) {
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.entries[key]
	if e == nil || e.index >= 0 {
		return 0
	}
	d.remember(key, now, cost)
	again := e.again
	e.again = false
	switch {
	case err != nil:
		if e.failures == 0 {
			d.failures++
		}
		e.failures++
		e.at = now.Add(d.backoff(e.failures))
	case again:
		d.recovered(e)
		e.at = d.next(key, now)
	default:
		d.recovered(e)
		delete(d.entries, key)
		return 0
	}
	heap.Push(&d.queue, e)
	d.wake()
	return e.failures
}

// sweptUp says that somebody else folded the key with a reading begun then: if it waits and was not touched
// since, it is not due any more.
func (d *due) sweptUp(key string, began time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.entries[key]
	if e == nil || e.index < 0 || e.touched.After(began) {
		return
	}
	heap.Remove(&d.queue, e.index)
	d.recovered(e)
	delete(d.entries, key)
}

// failed makes a key due later that somebody else could not fold.
func (d *due) failed(key string) {
	now := d.clock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.entries[key]; e == nil {
		e = &entry{key: key, at: now.Add(d.backoff(1)), touched: now, failures: 1}
		d.entries[key] = e
		d.failures++
		heap.Push(&d.queue, e)
	} else if e.failures == 0 {
		e.failures = 1
		d.failures++
	}
}

func (d *due) recovered(e *entry) {
	if e.failures > 0 {
		d.failures--
		e.failures = 0
	}
}

func (d *due) backoff(failures int) time.Duration {
	return min(time.Second<<min(failures-1, 20), d.most)
}

// remember keeps the cost of costly keys only, so that the memory is that of the busiest ones.
func (d *due) remember(key string, now time.Time, cost time.Duration) {
	if wait := min(time.Duration(d.factor)*cost, max(d.most, cost)); wait > d.least {
		d.slow[key] = now.Add(wait)
	} else {
		delete(d.slow, key)
	}
	if len(d.slow) > 10_000 {
		for key, until := range d.slow {
			if until.Before(now) {
				delete(d.slow, key)
			}
		}
	}
}

// waiting is how many keys are due or under way; failing is how many of them failed last time.
func (d *due) waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.entries)
}

func (d *due) failing() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failures
}

// queue is a heap by time.
type queue []*entry

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push is for container/heap.
func (q *queue) Push(x any) {
	e := x.(*entry)
	e.index = len(*q)
	*q = append(*q, e)
}

// Pop is for container/heap.
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return e
}

package local

import (
	"slices"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
)

// presence keeps who is where until when.
type presence struct {
	now   func() time.Time
	bound int // places

	mu     sync.Mutex
	places *table[map[string]time.Time]
}

func newPresence(now func() time.Time, bound int) *presence {
	return &presence{now: now, bound: max(bound, 1), places: newTable[map[string]time.Time]()}
}

func (p *presence) announce(place, who string, ttl time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	people := p.sweep(place, now)
	if people == nil {
		p.room(now)
		people = map[string]time.Time{}
		p.places.set(place, people)
	}
	people[who] = now.Add(ttl)
	for len(people) > bus.MaxPresent {
		first := ""
		for other, until := range people {
			if first == "" || until.Before(people[first]) {
				first = other
			}
		}
		delete(people, first)
	}
}

func (p *presence) leave(place, who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sweep(place, p.now()), who)
}

func (p *presence) list(place string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	people := p.sweep(place, p.now())
	names := make([]string, 0, len(people))
	for who := range people {
		names = append(names, who)
	}
	slices.Sort(names)
	return names
}

// sweep removes who is gone from a place, and the place when nobody is left; nil then.
func (p *presence) sweep(place string, now time.Time) map[string]time.Time {
	people, _ := p.places.get(place)
	for who, until := range people {
		if !until.After(now) {
			delete(people, who)
		}
	}
	if len(people) == 0 {
		p.places.remove(place)
		return nil
	}
	return people
}

// room sweeps a few places before one is added, and gives one up when there are too many.
func (p *presence) room(now time.Time) {
	const looks = 4
	left := ""
	p.places.look(looks, func(place string, _ map[string]time.Time) {
		if p.sweep(place, now) != nil {
			left = place
		}
	})
	if p.places.len() >= p.bound {
		p.places.remove(left)
	}
}

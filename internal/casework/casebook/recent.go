package casebook

import (
	"sync"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/officehours"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
)

// recent remembers what was just written or worked out, so that the next event of a case need not read it again. What is remembered may be
// older than what stands: a write by its version is refused then, and the case is read.
type recent struct {
	mu       sync.Mutex
	cases    map[string]remembered
	order    []string // in which they came
	machines map[office]casework.Machine
	dues     map[term]deadline.Due
}

type remembered struct {
	document document
	version  store.Version
}

// Limits of what is remembered.
const (
	maxRecent   = 1000
	maxMachines = 1000
	maxDues     = 20_000
)

func (r *recent) keep(d document, version store.Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, there := r.cases[d.ID]; !there {
		if len(r.order) >= maxRecent {
			delete(r.cases, r.order[0])
			r.order = r.order[1:]
		}
		r.order = append(r.order, d.ID)
	}
	r.cases[d.ID] = remembered{d, version}
}

func (r *recent) get(id string) (document, store.Version, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, ok := r.cases[id]
	return found.document, found.version, ok
}

// drop forgets a case that another process wrote.
func (r *recent) drop(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, there := r.cases[id]; there {
		r.cases[id] = remembered{} // its place in the order stays
	}
}

// calendar tells hours apart. Hours are never changed, so what stands in the same place is the same.
type calendar struct {
	week        *officehours.Opening
	days        *officehours.Special
	weeks, many int
}

func calendarOf(h officehours.Hours) calendar {
	c := calendar{weeks: len(h.Week), many: len(h.Days)}
	if len(h.Week) > 0 {
		c.week = &h.Week[0]
	}
	if len(h.Days) > 0 {
		c.days = &h.Days[0]
	}
	return c
}

// office is what a machine was made for.
type office struct {
	calendar
	rules string
	tree  *unit.Tree
}

// Machine answers the tables as they hold for a receiving unit: for what somebody may do with a case (Choices) and how its clocks
// stand (Running).
func (b *Book) Machine(receiving string) (casework.Machine, error) {
	rules, hours, tree := b.options.Rules(receiving), b.options.Hours(receiving), b.options.Tree()
	key := office{calendarOf(hours), rules.YAML(), tree}
	b.recent.mu.Lock()
	m, ok := b.recent.machines[key]
	b.recent.mu.Unlock()
	if ok {
		return m, nil
	}
	m, err := casework.New(casework.World{Rules: rules, Hours: hours, Within: tree.Within})
	if err != nil {
		return m, err
	}
	b.recent.mu.Lock()
	defer b.recent.mu.Unlock()
	if len(b.recent.machines) >= maxMachines {
		clear(b.recent.machines)
	}
	b.recent.machines[key] = m
	return m, nil
}

// term is what the due day of a clock that never stood still follows from.
type term struct {
	calendar
	start     localday.Day
	term      deadline.Term
	extension deadline.Extension
}

// due is when a clock is due.
func (b *Book) due(clock deadline.Clock, hours officehours.Hours) (deadline.Due, error) {
	if len(clock.Stops) > 0 {
		return clock.Due(hours)
	}
	key := term{calendarOf(hours), clock.Start, clock.Term, clock.Extension}
	b.recent.mu.Lock()
	due, ok := b.recent.dues[key]
	b.recent.mu.Unlock()
	if ok {
		return due, nil
	}
	due, err := clock.Due(hours)
	if err != nil {
		return due, err
	}
	b.recent.mu.Lock()
	defer b.recent.mu.Unlock()
	if len(b.recent.dues) >= maxDues {
		clear(b.recent.dues)
	}
	b.recent.dues[key] = due
	return due, nil
}

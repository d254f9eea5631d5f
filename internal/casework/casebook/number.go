package casebook

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/store"
)

// The register of a unit and year has no gaps and no number twice. That no number stands twice the store sees to, by a unique index
// over the cases themselves; a number is never used again because a case is never deleted. Openings that come together are written
// together: each gets the next number, and whoever finds its number taken by another process tries again above.
//
// Should a process die in the middle of such a write, a number may be left out while a later one stands. Whoever first uses the register
// afterwards looks at its last numbers and fills what is missing with the next case, so that a gap never stays.
const (
	maxTogether = 64              // openings in one write
	lookedBack  = 4 * maxTogether // numbers looked at for gaps
	maxRetries  = 200
)

type registerKey struct {
	unit string
	year int
}

type registers struct {
	mu sync.Mutex
	by map[registerKey]*register
}

// register hands out the numbers of one unit and year in this process.
type register struct {
	mu      sync.Mutex
	busy    bool
	waiting []*entrant
	known   bool
	free    []int // not taken when last looked, below next
	next    int
}

// entrant is a case that waits for its number.
type entrant struct {
	ctx      context.Context //nolint:containedctx // of the one who waits: what it no longer waits for is not written
	document document
	withCode bool
	err      error
	done     chan struct{}
}

// enter writes a new case under the next number. ErrExists where the id is taken.
func (b *Book) enter(ctx context.Context, d document, withCode bool) (document, error) {
	r := b.register(registerKey{d.Receiving, d.History[0].Day().Year()})
	e := &entrant{ctx: ctx, document: d, withCode: withCode, done: make(chan struct{})}
	r.mu.Lock()
	r.waiting = append(r.waiting, e)
	lead := !r.busy
	r.busy = true
	r.mu.Unlock()
	if lead {
		// Others wait for this write too, so it does not end with the caller.
		go b.lead(context.WithoutCancel(ctx), r)
	}
	select {
	case <-e.done:
		return e.document, e.err
	case <-ctx.Done():
		return document{}, ctx.Err()
	}
}

func (b *Book) register(key registerKey) *register {
	b.registers.mu.Lock()
	defer b.registers.mu.Unlock()
	r, ok := b.registers.by[key]
	if !ok {
		if len(b.registers.by) >= maxRegisters {
			b.registers.drop()
		}
		r = &register{}
		b.registers.by[key] = r
	}
	return r
}

// maxRegisters bounds the registers remembered: every commune of the country over some years.
const maxRegisters = 20_000

// drop forgets registers that nobody waits for. What is forgotten is read again.
func (rs *registers) drop() {
	for key, r := range rs.by {
		r.mu.Lock()
		idle := !r.busy
		r.mu.Unlock()
		if idle {
			delete(rs.by, key)
		}
	}
}

// lead writes who waits, until nobody does.
func (b *Book) lead(ctx context.Context, r *register) {
	for {
		r.mu.Lock()
		n := min(len(r.waiting), maxTogether)
		group := slices.Clone(r.waiting[:n])
		r.waiting = slices.Delete(r.waiting, 0, n)
		r.busy = n > 0
		r.mu.Unlock()
		if n == 0 {
			return
		}
		b.together(ctx, r, group)
		for _, e := range group {
			close(e.done)
		}
	}
}

// together writes a group of cases. Only one goroutine at a time does so with a register.
func (b *Book) together(ctx context.Context, r *register, group []*entrant) {
	group = slices.DeleteFunc(slices.Clone(group), func(e *entrant) bool {
		e.err = e.ctx.Err()
		return e.err != nil
	})
	for try := 0; len(group) > 0; try++ {
		err := b.number(ctx, r, group)
		var outcomes []error
		if err == nil {
			values := make([]document, len(group))
			for i, e := range group {
				values[i] = e.document
			}
			outcomes, err = b.cases.InsertAll(ctx, values)
		}
		if err != nil || try >= maxRetries {
			r.known = false // nobody knows what of it landed
			if err == nil {
				err = store.ErrTaken
			}
			for _, e := range group {
				e.err = err
			}
			return
		}
		var again []*entrant
		for i, e := range group {
			switch {
			case outcomes[i] == nil:
			case errors.Is(outcomes[i], store.ErrTaken): // by another process, or the code is another's
				again, r.known = append(again, e), false
			default:
				e.err, r.known = outcomes[i], false // its number is free again
			}
		}
		group = again
	}
}

// number gives each case of a group a number that is thought to be free, and a code.
func (b *Book) number(ctx context.Context, r *register, group []*entrant) error {
	opening := group[0].document.Opening
	year := group[0].document.History[0].Day().Year()
	if !r.known {
		if err := b.look(ctx, r, opening.Receiving, year); err != nil {
			return err
		}
	}
	for _, e := range group {
		n := r.next
		if len(r.free) > 0 {
			n, r.free = r.free[0], r.free[1:]
		} else {
			r.next++
		}
		e.document.Number = casework.Number{Unit: opening.Receiving, Year: year, N: n}
		if e.withCode {
			code, err := casework.NewCode(b.options.Random)
			if err != nil {
				return err
			}
			e.document.Code = code
		}
	}
	return nil
}

// look reads the last numbers of a register.
func (b *Book) look(ctx context.Context, r *register, unit string, year int) error {
	r.next, r.free = 1, nil
	above, read := 0, 0 // the number after the one read, and how many were
	for doc, err := range b.numbers.Find(ctx, store.Query{Index: byNumber, Equal: []any{unit, year}, Desc: true, Limit: lookedBack}) {
		if err != nil {
			return err
		}
		n := doc.Value.Number.N
		if above == 0 {
			r.next = n + 1
		}
		for missing := above - 1; missing > n; missing-- {
			r.free = append(r.free, missing)
		}
		above = n
		read++
	}
	if read < lookedBack { // all of it was read
		for missing := above - 1; missing >= 1; missing-- {
			r.free = append(r.free, missing)
		}
	}
	slices.Sort(r.free)
	r.known = true
	return nil
}

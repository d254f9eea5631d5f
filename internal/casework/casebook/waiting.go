package casebook

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// rung is a place in an order by days, and by ids within a day.
type rung struct {
	Day localday.Day `json:"d,omitempty"`
	ID  string       `json:"i,omitempty"`
}

func (r rung) compare(other rung) int {
	return cmp.Or(cmp.Compare(r.Day, other.Day), cmp.Compare(r.ID, other.ID))
}

// heldBack is a case whose floor is below its due day: it is read too early, and handed on when its day comes.
type heldBack struct {
	glance
	before store.Cursor // the place before it
}

func (h heldBack) rung() rung { return rung{h.due, h.id} }

// waiting reads what is open under a key by its floor and hands it on by its due day, the most urgent first. A floor is a day on or before the
// due day, so a case is never read too late; one that is read too early is held back until everything before its due day was read.
//
// A page ends at a place that is read again from the first case held back on: what was read (Read) and what was handed on of those held
// back (Held) is passed over then.
func (q *query) waiting(index, key string) stream {
	query := store.Query{Index: index, Equal: []any{key}, From: ""}
	if q.Late {
		query.To = string(q.today)
	}
	return func(ctx context.Context, from place) iter.Seq2[hit, error] {
		return func(yield func(hit, error) bool) {
			w := waits{query: q, place: from, yield: yield}
			query.After = from.At
			for item, err := range inChunks(ctx, q.book.raw, query, q.limit+8) {
				if err != nil {
					yield(hit{}, err)
					return
				}
				if g := glanceAt(item); !w.handOn(g.floor) || !w.read(ctx, g, from) {
					return
				}
			}
			w.handOn(lastDay)
		}
	}
}

const lastDay localday.Day = "~" // after all days

// waits is a stream of what waits as far as it was read.
type waits struct {
	*query
	place place
	last  store.Cursor // of the document read last
	held  []heldBack   // in the order of their due days
	yield func(hit, error) bool
}

// here is the place after what was handed on.
func (w *waits) here() func() place {
	p := w.place
	if p.At = cmp.Or(w.last, p.At); len(w.held) > 0 {
		p.At = slices.MinFunc(w.held, func(a, b heldBack) int { return a.base().compare(b.base()) }).before
	}
	return func() place { return p }
}

func (g glance) base() rung { return rung{g.floor, g.id} }

// handOn hands on what was held back and is due by a day; false where nobody wants more.
func (w *waits) handOn(day localday.Day) bool {
	for len(w.held) > 0 && w.held[0].due <= day {
		h := w.held[0]
		w.held = w.held[1:]
		w.place.Held = h.rung()
		if !w.yield(hit{glance: h.glance, place: w.here()}, nil) {
			return false
		}
	}
	return true
}

// read takes in one document: it is handed on, held back, or passed over.
func (w *waits) read(ctx context.Context, g glance, from place) bool {
	before := cmp.Or(w.last, from.At)
	again := from.Read.ID != "" && g.base().compare(from.Read) <= 0 // an earlier page read it
	takes, err := w.takes(ctx, g)
	if err != nil {
		w.yield(hit{}, err)
		return false
	}
	early := g.due > g.floor
	h := heldBack{g, before}
	switch {
	case takes && early && (from.Held.ID == "" || h.rung().compare(from.Held) > 0):
		at, _ := slices.BinarySearchFunc(w.held, h, func(a, b heldBack) int { return a.rung().compare(b.rung()) })
		w.held = slices.Insert(w.held, at, h)
		takes = false
	case early, again:
		takes = false
	}
	w.last = g.item.Cursor
	if !again {
		w.place.Read = g.base()
	}
	return w.yield(hit{glance: g, skip: !takes, again: again, place: w.here()}, nil)
}

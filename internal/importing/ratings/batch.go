package ratingimport

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"time"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Bounds of a batch beside its number of items.
const (
	maxBatchBytes  = 1 << 20 // of encoded items, well below what a server takes in one message
	maxBatchRows   = 20_000  // rows of any kind, so that progress is seen in a file of which nothing is kept
	maxBatchFaults = 2_000
)

// entry is what is remembered of an item until its outcome is known.
type entry struct {
	line     int64
	unit     string
	score    int32
	occurred time.Time
}

// batch is a run of rows: what they became, and what became of that.
type batch struct {
	number                                       int64
	items                                        []*pb.SealedRating
	entries                                      []entry // one an item
	ids                                          []rowID // those that no earlier item of the batch has
	bytes                                        int
	faults                                       []rowFault
	ignored                                      []string
	rows, blank, skipped, errors                 int64
	examined, identical, sameIdentity, otherText int64
	line, end                                    int64 // the last line in it and where it ends
	done                                         chan struct{}

	outcomes []*pb.ItemOutcome
	err      error
}

func (b *batch) full(size int) bool {
	return len(b.items) >= size || b.bytes >= maxBatchBytes || len(b.faults) >= maxBatchFaults || b.rows+b.blank >= maxBatchRows
}

// batcher reads rows and gathers what they become. It is used by one goroutine.
type batcher struct {
	records  records
	maker    *maker
	size     int
	seed     maphash.Seed
	rows     *seen // rows to the letter; nil = not compared
	ids      *seen // identity to content; nil = not compared, or the line is the identity
	underWay map[rowID]*batch
	recent   []*batch // batches whose ids are in underWay, oldest first
	number   int64
}

func newBatcher(records records, m *maker, size, examine int) *batcher {
	b := &batcher{records: records, maker: m, size: size, seed: maphash.MakeSeed(), underWay: map[rowID]*batch{}}
	if examine > 0 {
		b.rows = newSeen(examine, false)
		if len(m.plan.identity) > 0 {
			b.ids = newSeen(examine, true)
		}
	}
	return b
}

// next gathers one batch. The last one comes with io.EOF; a failure of the file comes with what was read before it. Where ctx
// ends there is no batch.
func (g *batcher) next(ctx context.Context) (*batch, error) {
	g.forget()
	b := &batch{number: g.number, done: make(chan struct{})}
	g.number++
	for !b.full(g.size) {
		r, err := g.records.next()
		if err != nil {
			return b, err
		}
		if err := g.add(ctx, b, r); err != nil {
			return nil, err
		}
		b.line, b.end = r.last, r.end
	}
	return b, nil
}

func (g *batcher) add(ctx context.Context, b *batch, r record) error {
	if r.blank {
		b.blank++
		return nil
	}
	b.rows++
	if g.rows != nil && r.raw != nil {
		if _, found := g.rows.put(maphash.Bytes(g.seed, r.raw), 0); found {
			b.identical++
		}
		if !g.rows.full {
			b.examined++
		}
	}
	if r.reason != "" {
		b.errors++
		b.faults = append(b.faults, rowFault{line: r.line, reason: r.reason, value: r.value})
		return nil
	}
	made, err := g.maker.make(r)
	if err != nil {
		return err
	}
	if made.ignored != "" {
		b.ignored = append(b.ignored, made.ignored)
	}
	switch {
	case made.skip:
		b.skipped++
	case len(made.faults) > 0:
		b.errors++
		b.faults = append(b.faults, made.faults...)
	default:
		return g.addItem(ctx, b, r.line, made)
	}
	return nil
}

// addItem adds an item. Where an earlier batch that is still under way holds the same id, that one is waited for: of two rows with
// the same identity the upper one is stored, whatever the timing.
func (g *batcher) addItem(ctx context.Context, b *batch, line int64, m made) error {
	if g.ids != nil {
		if before, found := g.ids.put(maphash.Bytes(g.seed, append(m.id[:], m.unit...)), maphash.Bytes(g.seed, m.item.GetRating())); found {
			if before == maphash.Bytes(g.seed, m.item.GetRating()) {
				b.sameIdentity++
			} else {
				b.otherText++
			}
		}
	}
	if other := g.underWay[m.id]; other != nil && other != b {
		select {
		case <-other.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if g.underWay[m.id] != b {
		g.underWay[m.id] = b
		b.ids = append(b.ids, m.id)
		if len(b.ids) == 1 {
			g.recent = append(g.recent, b)
		}
	}
	b.items = append(b.items, m.item)
	b.entries = append(b.entries, entry{line: line, unit: m.unit, score: m.score, occurred: m.occurred})
	b.bytes += len(m.item.GetRating()) + len(m.item.GetPrivate().GetComment()) + 64
	return nil
}

// forget lets the ids of batches go that are done.
func (g *batcher) forget() {
	for len(g.recent) > 0 {
		b := g.recent[0]
		select {
		case <-b.done:
		default:
			return
		}
		for _, id := range b.ids {
			if g.underWay[id] == b {
				delete(g.underWay, id)
			}
		}
		g.recent = g.recent[1:]
	}
}

func ended(err error) bool { return errors.Is(err, io.EOF) }

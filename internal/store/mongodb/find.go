package mongodb

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// span is what a query reads of one index: places from <= place < to. MongoDB takes them as they are (min and max of an
// index), in the index's own order, in which a missing field is null and stands first.
type span struct {
	index
	from, to place
	low      *key  // From as given, nil = open
	high     *key  // To
	equal    int   // keys that the query fixes
	after    place // the open part of the last place read; nil = none
	limit    int   // 0 = all
	desc     bool
}

// idAfter is the least that follows an id: ids hold no NUL.
func idAfter(id string) string { return id + "\x00" }

// Find reads by a declared index, as the kind stood when the query began. A range is kept within the kind of its
// bounds: a document that lacks the field is found only where neither From nor To is given.
func (d *documents) Find(ctx context.Context, query store.Query) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		s, err := d.span(query)
		if err != nil {
			yield(store.Item{}, fmt.Errorf("query of %s by index %q: %w", d.kind.Name, query.Index, err))
			return
		}
		if s.from.compare(s.to) >= 0 {
			return
		}
		stopped := false
		err = read(ctx, func() (*mongo.Cursor, error) { return s.open(ctx, d.snapshot) }, func(raw bson.Raw) (bool, error) {
			item, place, err := s.item(raw)
			if err != nil {
				return false, err
			}
			item.Cursor = place.cursor()
			s.goOn(place)
			s.limit--
			stopped = !yield(item, nil)
			return !stopped && s.limit != 0, nil
		})
		if err != nil && !stopped {
			yield(store.Item{}, err)
		}
	}
}

// open begins to read what is left of the span.
func (s *span) open(ctx context.Context, coll *mongo.Collection) (*mongo.Cursor, error) {
	if s.from.compare(s.to) >= 0 {
		return mongo.NewCursorFromDocuments(nil, nil, nil)
	}
	o := options.Find().SetHint(s.Name)
	if s.limit > 0 {
		o.SetLimit(int64(s.limit))
	}
	if s.Multi {
		return coll.Find(ctx, s.multiFilter(), o.SetSort(s.order(s.equal)))
	}
	filter := bson.D{}
	if s.after != nil {
		// Of a unique index the places have no id, and the first is that of the document read last.
		filter = bson.D{{Key: "_id", Value: bson.D{{Key: "$ne", Value: s.after[len(s.after)-1].s}}}}
	}
	return coll.Find(ctx, filter, o.SetMin(s.bound(s.from)).SetMax(s.bound(s.to)).SetSort(s.order(0)))
}

// order is that of the index, without its first fields.
func (s *span) order(without int) bson.D {
	direction := 1
	if s.desc {
		direction = -1
	}
	order := bson.D{}
	for _, field := range s.fields[without:] {
		order = append(order, bson.E{Key: field, Value: direction})
	}
	return order
}

func (s *span) bound(p place) bson.D {
	bound := make(bson.D, len(p))
	for i, k := range p {
		bound[i] = bson.E{Key: s.fields[i], Value: k.bson()}
	}
	return bound
}

// item is a document that was read, with the open part of its place and its id.
func (s *span) item(raw bson.Raw) (store.Item, place, error) {
	item, err := itemOf(raw)
	if err != nil {
		return item, nil, err
	}
	open := make(place, 0, len(s.paths)-s.equal+1)
	for i := s.equal; i < len(s.paths); i++ {
		k, err := keyOfRaw(raw.Lookup(s.paths[i]...))
		if err != nil {
			return item, nil, fmt.Errorf("index %s of %s: %w", s.Name, item.ID, err)
		}
		open = append(open, k)
	}
	return item, append(open, key{rank: rankString, s: item.ID}), nil
}

// goOn leaves of the span what comes after a place in its order. open is the part that the query does not fix.
func (s *span) goOn(open place) {
	id := open[len(open)-1].s
	whole := append(slices.Clone(s.from[:s.equal]), open...)[:len(s.fields)]
	s.after = open
	switch {
	case s.desc && whole.compare(s.to) < 0:
		s.to = whole
	case !s.desc:
		if len(s.fields) > len(s.paths) {
			whole[len(whole)-1].s = idAfter(id)
		}
		if whole.compare(s.from) > 0 {
			s.from = whole
		}
	}
}

// span reads a query.
func (d *documents) span(query store.Query) (*span, error) {
	s := &span{index: byID, limit: query.Limit, desc: query.Desc}
	if query.Index != "" {
		at := slices.IndexFunc(d.indexes, func(x index) bool { return x.Name == query.Index })
		if at < 0 {
			return nil, fmt.Errorf("%w: no such index", store.ErrInvalid)
		}
		s.index = d.indexes[at]
		if s.Multi && len(query.Equal) == 0 {
			return nil, fmt.Errorf("%w: its first field is multi-valued and must be given in Equal", store.ErrInvalid)
		}
	}
	given := len(query.Equal)
	if query.From != nil || query.To != nil {
		given++
	}
	if given > max(1, len(s.paths)) {
		return nil, fmt.Errorf("%w: more values than fields", store.ErrInvalid)
	}
	s.equal = min(len(query.Equal), len(s.paths)) // an id, too, stays in the cursor
	if err := s.bounds(query); err != nil {
		return nil, err
	}
	if query.After == "" {
		return s, nil
	}
	open, err := parseCursor(query.After, len(s.paths)-s.equal+1)
	if err != nil {
		return nil, err
	}
	s.goOn(open)
	return s, nil
}

// bounds sets from and to.
func (s *span) bounds(query store.Query) error {
	isID := len(s.paths) == 0
	read := func(value any) (key, error) {
		k, err := keyOfValue(value)
		if err == nil && isID && k.rank != rankString {
			err = fmt.Errorf("%w: an id is a string, not a %T", store.ErrInvalid, value)
		}
		return k, err
	}
	var fixed place
	for _, value := range query.Equal {
		k, err := read(value)
		if err != nil {
			return err
		}
		fixed = append(fixed, k)
	}
	if len(fixed) == len(s.fields) {
		last := len(fixed) - 1
		s.from, s.to = fixed, append(slices.Clone(fixed[:last]), fixed[last].next())
		return nil
	}
	low, high := slices.Clone(fixed), slices.Clone(fixed)
	var from, to key
	var err error
	if query.From != nil {
		if from, err = read(query.From); err != nil {
			return err
		}
		s.low, to = &from, least(from.rank+1)
	}
	if query.To != nil {
		if to, err = read(query.To); err != nil {
			return err
		}
		s.high = &to
		if query.From == nil {
			from = least(to.rank)
		} else if from.rank != to.rank {
			return fmt.Errorf("%w: From and To are of different kinds", store.ErrInvalid)
		}
	}
	if query.From != nil || query.To != nil {
		low, high = append(low, from), append(high, to)
	}
	for len(low) < len(s.fields) {
		low = append(low, key{rank: rankLowest})
	}
	end := key{rank: rankHighest}
	if query.From != nil || query.To != nil {
		end = key{rank: rankLowest} // everything below to itself
	}
	for len(high) < len(s.fields) {
		high = append(high, end)
	}
	s.from, s.to = low, high
	return nil
}

// readAttempts is how often a reading begins again where its cursor was lost and nothing was read in between.
const readAttempts = 6

// read goes through a cursor's documents until each answers false. A cursor that the server gave up (idle too long, or
// what it reads is no longer kept) is opened again: open has to go on behind the last document given to each.
func read(ctx context.Context, open func() (*mongo.Cursor, error), each func(bson.Raw) (bool, error)) error {
	for attempt := 1; ; attempt++ {
		cursor, err := open()
		if err == nil {
			more := true
			for more && cursor.Next(ctx) {
				attempt = 0
				if more, err = each(cursor.Current); err != nil {
					break
				}
			}
			failure := cursor.Err()
			closeCursor(ctx, cursor)
			if err != nil || !more {
				return err
			}
			err = failure
		}
		if err == nil {
			return nil
		}
		if attempt >= readAttempts || !hasCode(err, codeCursorNotFound, codeCursorKilled, codeSnapshotTooOld, codeSnapshotUnavailable, codeQueryPlanKilled) {
			return unavailable(err)
		}
		select {
		case <-ctx.Done():
			return unavailable(context.Cause(ctx))
		case <-time.After(rand.N(10 * time.Millisecond << attempt)):
		}
	}
}

// closeCursor lets the server forget the cursor, also where ctx has ended.
func closeCursor(ctx context.Context, cursor *mongo.Cursor) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = cursor.Close(ctx) // else the server gives it up by itself
}

package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"

	"github.com/hailong-vn/hailong/internal/store"
)

// A query is read in pages, each a statement of its own: a slow reader holds no connection and keeps no old state of the file
// alive.
const (
	firstPageRows = 16
	pageRows      = 256
	pageBytes     = 4 << 20
)

// span is what a query reads of one index: places from <= place < to.
type span struct {
	x        *index // nil = by id alone; the places' keys are empty
	from, to place
	limit    int // 0 = all
	desc     bool
}

// Ids hold no NUL and are UTF-8: idAfter is the least that follows an id, and lastID is above all.
const lastID = "\xff"

func idAfter(id string) string { return id + "\x00" }

func (p place) compare(other place) int {
	return cmp.Or(bytes.Compare(p.key, other.key), cmp.Compare(p.id, other.id))
}

// Find reads by a declared index. A range is kept within the kind of its bounds, as on MongoDB: a document that lacks the
// field is found only where neither From nor To is given.
func (d *documents) Find(ctx context.Context, query store.Query) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		s, err := d.span(query)
		if err != nil {
			yield(store.Item{}, err)
			return
		}
		for rows := firstPageRows; ; rows = min(2*rows, pageRows) {
			page, more, err := d.page(ctx, s, rows)
			for _, item := range page {
				if !yield(item.Item, nil) {
					return
				}
			}
			if err != nil {
				yield(store.Item{}, err)
				return
			}
			if s.limit > 0 {
				if s.limit -= len(page); s.limit <= 0 {
					return
				}
			}
			if !more || len(page) == 0 {
				return
			}
			s.goOn(page[len(page)-1].place)
		}
	}
}

// goOn leaves of the span what comes after a place in its order.
func (s *span) goOn(last place) {
	if s.desc {
		if last.compare(s.to) < 0 {
			s.to = last
		}
		return
	}
	last.id = idAfter(last.id)
	if last.compare(s.from) > 0 {
		s.from = last
	}
}

func (d *documents) span(query store.Query) (span, error) {
	s, err := d.wholeSpan(query)
	if err == nil && query.After != "" {
		var last place
		if last, err = parseCursor(query.After); err == nil {
			s.goOn(last)
		}
	}
	if err != nil {
		return span{}, fmt.Errorf("query of %s by index %q: %w", d.kind.Name, query.Index, err)
	}
	return s, nil
}

func (d *documents) wholeSpan(query store.Query) (span, error) {
	s := span{limit: query.Limit, desc: query.Desc}
	fields := 1
	if query.Index != "" {
		at := slices.IndexFunc(d.kind.indexes, func(x index) bool { return x.Name == query.Index })
		if at < 0 {
			return s, fmt.Errorf("%w: no such index", store.ErrInvalid)
		}
		s.x = &d.kind.indexes[at]
		fields = len(s.x.Fields)
		if s.x.Multi && len(query.Equal) == 0 {
			return s, fmt.Errorf("%w: its first field is multi-valued and must be given in Equal", store.ErrInvalid)
		}
	}
	given := len(query.Equal)
	if query.From != nil || query.To != nil {
		given++
	}
	if given > fields {
		return s, fmt.Errorf("%w: more values than fields", store.ErrInvalid)
	}
	if s.x == nil {
		err := s.ofIDs(query)
		return s, err
	}
	err := s.ofKeys(query)
	return s, err
}

// ofIDs sets the bounds of a query by id.
func (s *span) ofIDs(query store.Query) error {
	s.to.id = lastID
	set := func(value any, into *string) error {
		id, ok := value.(string)
		if value != nil && !ok {
			return fmt.Errorf("%w: an id is a string, not a %T", store.ErrInvalid, value)
		}
		if ok {
			*into = id
		}
		return nil
	}
	if len(query.Equal) == 1 {
		if err := set(query.Equal[0], &s.from.id); err != nil {
			return err
		}
		s.to.id = idAfter(s.from.id)
		return nil
	}
	if err := set(query.From, &s.from.id); err != nil {
		return err
	}
	return set(query.To, &s.to.id)
}

// ofKeys sets the bounds of a query by a declared index.
func (s *span) ofKeys(query store.Query) (err error) {
	var prefix []byte
	for _, value := range query.Equal {
		if prefix, err = appendValue(prefix, value); err != nil {
			return err
		}
	}
	low, high := prefix, withTag(prefix, tagEnd)
	if query.From != nil {
		if low, err = appendValue(slices.Clone(prefix), query.From); err != nil {
			return err
		}
		high = withTag(prefix, low[len(prefix)]+1) // the end of the bound's kind
	}
	if query.To != nil {
		if high, err = appendValue(slices.Clone(prefix), query.To); err != nil {
			return err
		}
		kind := high[len(prefix)]
		if query.From == nil {
			low = withTag(prefix, kind)
		} else if low[len(prefix)] != kind {
			return fmt.Errorf("%w: From and To are of different kinds", store.ErrInvalid)
		}
	}
	if len(low) == 0 {
		low = []byte{0} // an empty value would be bound as NULL
	}
	s.from, s.to = place{key: low}, place{key: high}
	return nil
}

func withTag(prefix []byte, tag byte) []byte { return append(slices.Clone(prefix), tag) }

type foundItem struct {
	store.Item
	place place
}

// page reads the first rows of a span, fewer where they are large; more tells that there may be others.
func (d *documents) page(ctx context.Context, s span, limit int) (page []foundItem, more bool, err error) {
	if s.limit > 0 {
		limit = min(limit, s.limit)
	}
	args := []any{s.from.id, s.to.id, limit}
	if s.x != nil {
		args = []any{s.x.no, s.from.key, s.from.id, s.to.key, s.to.id, limit}
	}
	size := 0
	err = d.e.rows(ctx, d.selectSpan(s), args, func(rows *sql.Rows) error {
		var item foundItem
		into := []any{&item.ID, &item.Version, &item.Body}
		if s.x != nil {
			into = append(into, &item.place.key)
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		item.place.id = item.ID
		item.Cursor = item.place.cursor()
		page = append(page, item)
		if size += len(item.Body); size > pageBytes {
			return errEnough
		}
		return nil
	})
	return page, len(page) == limit || size > pageBytes, err
}

func (d *documents) selectSpan(s span) string {
	direction := ""
	if s.desc {
		direction = " DESC"
	}
	if s.x == nil {
		return "SELECT id, version, body FROM " + d.kind.table() + " WHERE id >= ? AND id < ? ORDER BY id" + direction + " LIMIT ?"
	}
	return "SELECT e.id, t.version, t.body, e.key FROM entries e CROSS JOIN " + d.kind.table() + " t ON t.id = e.id" +
		" WHERE e.no = ? AND (e.key, e.id) >= (?, ?) AND (e.key, e.id) < (?, ?)" +
		" ORDER BY e.key" + direction + ", e.id" + direction + " LIMIT ?"
}

package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strconv"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// rollups keeps folded figures. Every raise reads, compares and writes within the writer's transaction, so no guard in SQL is
// needed.
type rollups struct{ e *Engine }

// Rollups keeps folded figures.
func (e *Engine) Rollups() store.Rollups { return rollups{e} }

// afterSlash follows '/': the ids that begin with x/ are those from x/ up to x0.
const afterSlash = "0"

// raise reads what stands under an id, lets change alter it, and writes it back where it changed.
func raise[T any](t *tx, read, write, id string, change func(*T) (bool, error), more ...any) error {
	var value T
	var stands []byte
	found, err := t.row(read, []any{id}, &stands)
	if err != nil {
		return err
	}
	if found {
		if err := bson.Unmarshal(stands, &value); err != nil {
			return fmt.Errorf("decode figures %s: %w", id, err)
		}
	}
	changed, err := change(&value)
	if err != nil || !changed {
		return err
	}
	body, err := bson.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode figures %s: %w", id, err)
	}
	if bytes.Equal(body, stands) {
		return nil
	}
	_, err = t.exec(write, append([]any{id, body}, more...)...)
	return err
}

// Raise writes hour cells into their leaves.
func (r rollups) Raise(ctx context.Context, cells []tally.HourCell) error {
	if len(cells) == 0 {
		return nil
	}
	byLeaf := map[tally.LeafKey][]tally.HourCell{}
	var keys []tally.LeafKey // in the order in which they came
	for _, cell := range cells {
		if cell.Hour < 0 || cell.Hour > 23 {
			return fmt.Errorf("%w: hour %d", store.ErrInvalid, cell.Hour)
		}
		if err := store.CheckID(cell.Leaf.ID()); err != nil {
			return err
		}
		if byLeaf[cell.Leaf] == nil {
			keys = append(keys, cell.Leaf)
		}
		byLeaf[cell.Leaf] = append(byLeaf[cell.Leaf], cell)
	}
	return r.e.writer.do(ctx, 512*len(cells), func(t *tx) error {
		for _, key := range keys {
			if err := t.raiseLeaf(key, byLeaf[key]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) raiseLeaf(key tally.LeafKey, cells []tally.HourCell) error {
	return raise(t, "SELECT body FROM leaves WHERE id = ?",
		"INSERT INTO leaves (id, body, day) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
		key.ID(), func(leaf *tally.Leaf) (changed bool, err error) {
			leaf.Key = key
			if leaf.Hours == nil {
				leaf.Hours = map[int]tally.Cell{}
			}
			for _, cell := range cells {
				stands, there := leaf.Hours[cell.Hour]
				if !there || stands.Less(cell.Cell.Version) {
					leaf.Hours[cell.Hour] = cell.Cell
					changed = true
				}
			}
			return changed, nil
		}, string(key.Day))
}

// Leaves reads a unit's leaves in the order of their ids.
func (r rollups) Leaves(ctx context.Context, unit string, from, to string) iter.Seq2[tally.Leaf, error] {
	return decoded[tally.Leaf](ctx, r.e, "SELECT id, body FROM leaves WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
		unit+"/"+from, unit+"/"+to+afterSlash)
}

// Seen reads the versions of all hour cells of some days, day by day.
func (r rollups) Seen(ctx context.Context, from, to string) iter.Seq2[store.SeenCell, error] {
	return func(yield func(store.SeenCell, error) bool) {
		for leaf, err := range r.leavesByDay(ctx, from, to) {
			if err != nil {
				yield(store.SeenCell{}, err)
				return
			}
			for hour, cell := range leaf.Hours {
				address := rating.Counted{Unit: leaf.Key.Unit, Day: leaf.Key.Day, Hour: hour, Channel: leaf.Key.Channel,
					Questionnaire: leaf.Key.Questionnaire, Version: leaf.Key.QVersion}.Cell()
				if !yield(store.SeenCell{Cell: address, Version: cell.Version}, nil) {
					return
				}
			}
		}
	}
}

func (r rollups) leavesByDay(ctx context.Context, from, to string) iter.Seq2[tally.Leaf, error] {
	type at struct{ day, id string }
	return pages(at{from, ""}, func(after at) (page []tally.Leaf, next at, more bool, err error) {
		query := "SELECT day, id, body FROM leaves WHERE (day, id) > (?, ?) AND day <= ? ORDER BY day, id LIMIT ?"
		err = r.e.rows(ctx, query, []any{after.day, after.id, to, pageRows}, func(rows *sql.Rows) error {
			var leaf tally.Leaf
			var body sql.RawBytes
			if err := rows.Scan(&next.day, &next.id, &body); err != nil {
				return err
			}
			err := bson.Unmarshal(body, &leaf)
			page = append(page, leaf)
			return err
		})
		return page, next, err == nil && len(page) == pageRows, err
	})
}

// RaiseStrips joins each strip into the one that stands.
func (r rollups) RaiseStrips(ctx context.Context, strips []tally.Strip) error {
	if len(strips) == 0 {
		return nil
	}
	for _, strip := range strips {
		if err := store.CheckID(strip.Key.ID()); err != nil {
			return err
		}
	}
	return r.e.writer.do(ctx, 4096*len(strips), func(t *tx) error {
		for _, strip := range strips {
			err := raise(t, "SELECT body FROM strips WHERE id = ?",
				"INSERT INTO strips (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
				strip.Key.ID(), func(stands *tally.Strip) (bool, error) {
					stands.Key = strip.Key
					*stands = stands.Join(strip)
					return true, nil
				})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Strips reads the strips of a year.
func (r rollups) Strips(ctx context.Context, year int, units []string) iter.Seq2[tally.Strip, error] {
	query := "SELECT id, body FROM strips WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
	text := strconv.Itoa(year)
	if units == nil {
		return decoded[tally.Strip](ctx, r.e, query, text+"/", text+afterSlash)
	}
	return func(yield func(tally.Strip, error) bool) {
		for _, unit := range units {
			for strip, err := range decoded[tally.Strip](ctx, r.e, query, text+"/"+unit+"/", text+"/"+unit+afterSlash) {
				if !yield(strip, err) || err != nil {
					return
				}
			}
		}
	}
}

// RaiseFacets writes unit-month facets.
func (r rollups) RaiseFacets(ctx context.Context, facets []tally.Facet) error {
	if len(facets) == 0 {
		return nil
	}
	for _, facet := range facets {
		if err := store.CheckID(facet.Key.ID()); err != nil {
			return err
		}
	}
	return r.e.writer.do(ctx, 4096*len(facets), func(t *tx) error {
		for _, facet := range facets {
			err := raise(t, "SELECT body FROM facets WHERE id = ?",
				"INSERT INTO facets (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
				facet.Key.ID(), func(stands *tally.Facet) (bool, error) {
					if stands.Key == facet.Key && !stands.Less(facet.Version) {
						return false, nil
					}
					*stands = facet
					return true, nil
				})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Facets reads a unit's facets.
func (r rollups) Facets(ctx context.Context, unit string, from, to string) iter.Seq2[tally.Facet, error] {
	return decoded[tally.Facet](ctx, r.e, "SELECT id, body FROM facets WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
		unit+"/"+from, idAfter(unit+"/"+to))
}

// decoded reads bodies from one id up to another, page by page.
func decoded[T any](ctx context.Context, e *Engine, query, from, to string) iter.Seq2[T, error] {
	return pages(from, func(from string) (page []T, next string, more bool, err error) {
		err = e.rows(ctx, query, []any{from, to, pageRows}, func(rows *sql.Rows) error {
			var id string
			var body sql.RawBytes
			if err := rows.Scan(&id, &body); err != nil {
				return err
			}
			var value T
			err := store.Decode(body, &value)
			page, next = append(page, value), idAfter(id)
			return err
		})
		return page, next, err == nil && len(page) == pageRows, err
	})
}

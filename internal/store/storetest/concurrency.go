package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hailong-vn/hailong/internal/store"
)

const writers = 64

func (s suite) concurrency() []subtest {
	return []subtest{
		{"compare-and-swap under 64 writers", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "n", Fields: []string{"n"}})
			must(t, docs.Insert(t.Context(), note{ID: "counter", N: number(0)}))
			const rounds = 4
			must(t, together(writers, func(int) error {
				for range rounds {
					_, err := docs.Update(t.Context(), "counter", func(n *note) (bool, error) {
						n.N = number(*n.N + 1)
						return true, nil
					})
					if err != nil {
						return err
					}
				}
				return nil
			}))
			got, _, err := docs.Get(t.Context(), "counter")
			must(t, err)
			if *got.N != writers*rounds {
				t.Errorf("%d of %d increments landed", *got.N, writers*rounds)
			}
			if found := ids(t, docs, store.Query{Index: "n"}); len(found) != 1 {
				t.Errorf("the index holds the counter %d times", len(found))
			}
		}},
		{"one of 64 replaces wins", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			must(t, docs.Insert(t.Context(), note{ID: "1"}))
			_, version, err := docs.Get(t.Context(), "1")
			must(t, err)
			var won atomic.Int32
			must(t, together(writers, func(i int) error {
				_, err := docs.Replace(t.Context(), "1", note{ID: "1", Name: name("%d", i)}, version)
				if err == nil {
					won.Add(1)
				}
				return except(err, store.ErrStale)
			}))
			if won.Load() != 1 {
				t.Errorf("%d won", won.Load())
			}
		}},
		{"one of 64 deletes wins", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			must(t, docs.Insert(t.Context(), note{ID: "1"}))
			_, version, err := docs.Get(t.Context(), "1")
			must(t, err)
			var won atomic.Int32
			must(t, together(writers, func(int) error {
				err := docs.Delete(t.Context(), "1", version)
				if err == nil {
					won.Add(1)
				}
				return except(err, store.ErrNotFound)
			}))
			if won.Load() != 1 {
				t.Errorf("%d won", won.Load())
			}
		}},
		{"the same id inserted by 64", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			for round := range 5 {
				id := name("%d", round)
				var winner atomic.Int32
				winner.Store(-1)
				must(t, together(writers, func(i int) error {
					err := docs.Insert(t.Context(), note{ID: id, N: number(int64(i))})
					if err == nil && !winner.CompareAndSwap(-1, int32(i)) {
						return fmt.Errorf("both %d and %d won", i, winner.Load())
					}
					return except(err, store.ErrExists)
				}))
				got, _, err := docs.Get(t.Context(), id)
				must(t, err)
				if *got.N != int64(winner.Load()) {
					t.Errorf("%d was told it won, %d is there", winner.Load(), *got.N)
				}
			}
		}},
		{"the same unique value inserted by 64", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "name", Fields: []string{"name"}, Unique: true})
			for round := range 5 {
				var won atomic.Int32
				must(t, together(writers, func(i int) error {
					err := docs.Insert(t.Context(), note{ID: name("%d-%d", round, i), Name: name("%d", round)})
					if err == nil {
						won.Add(1)
					}
					return except(err, store.ErrTaken)
				}))
				if found := ids(t, docs, store.Query{Index: "name", Equal: []any{name("%d", round)}}); won.Load() != 1 || len(found) != 1 {
					t.Errorf("%d won, %v is there", won.Load(), found)
				}
			}
		}},
		{"the same unique value replaced into by 64", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "name", Fields: []string{"name"}, Unique: true})
			versions := make([]store.Version, writers)
			for i := range versions {
				must(t, docs.Insert(t.Context(), note{ID: name("%d", i), Name: name("of %d", i)}))
				var err error
				_, versions[i], err = docs.Get(t.Context(), name("%d", i))
				must(t, err)
			}
			var won atomic.Int32
			must(t, together(writers, func(i int) error {
				_, err := docs.Replace(t.Context(), name("%d", i), note{ID: name("%d", i), Name: "wanted"}, versions[i])
				if err == nil {
					won.Add(1)
				}
				return except(err, store.ErrTaken)
			}))
			if found := ids(t, docs, store.Query{Index: "name", Equal: []any{"wanted"}}); won.Load() != 1 || len(found) != 1 {
				t.Errorf("%d won, %v is there", won.Load(), found)
			}
			if found := ids(t, docs, store.Query{Index: "name"}); len(found) != writers {
				t.Errorf("%d documents of %d are left in the index", len(found), writers)
			}
		}},
		{"register numbers without a gap", func(t *testing.T) {
			// A register number is an insert of year/n, tried again with n+1 (internal/store's way to do without transactions).
			docs := notes(t, s.fresh(t), store.Index{Name: "case", Fields: []string{"name"}, Unique: true})
			must(t, together(16, func(i int) error {
				for n := 1; ; n++ {
					err := docs.Insert(t.Context(), note{ID: name("2026/%04d", n), Name: name("case %d", i)})
					if err == nil {
						return nil
					}
					if !errors.Is(err, store.ErrExists) {
						return err
					}
				}
			}))
			found := ids(t, docs, store.Query{})
			for i, id := range found {
				if id != name("2026/%04d", i+1) {
					t.Fatalf("place %d holds %s", i+1, id)
				}
			}
			if len(found) != 16 {
				t.Errorf("%d numbers for 16 cases", len(found))
			}
		}},
		{"callers who give up harm nobody", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			must(t, together(writers, func(i int) error {
				ctx := t.Context()
				if i%2 == 1 {
					cancelled, cancel := context.WithCancel(ctx)
					go cancel()
					ctx = cancelled
				}
				for n := range 5 {
					err := docs.Insert(ctx, note{ID: name("%d/%d", i, n)})
					if i%2 == 0 && err != nil || i%2 == 1 && err != nil && !errors.Is(err, context.Canceled) {
						return err
					}
				}
				return nil
			}))
			for i := 0; i < writers; i += 2 {
				for n := range 5 {
					_, _, err := docs.Get(t.Context(), name("%d/%d", i, n))
					must(t, err)
				}
			}
		}},
		{"readers see only whole documents", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "group", Fields: []string{"group", "n"}})
			must(t, docs.Insert(t.Context(), note{ID: "1", Group: "g", N: number(0), Name: "0"}))
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			must(t, together(5, func(i int) error {
				if i == 0 {
					defer stop()
					for range 100 {
						if _, err := docs.Update(t.Context(), "1", func(n *note) (bool, error) {
							n.N = number(*n.N + 1)
							n.Name = name("%d", *n.N)
							return true, nil
						}); err != nil {
							return err
						}
					}
					return nil
				}
				for last := int64(0); ctx.Err() == nil; {
					doc, err := docs.First(t.Context(), store.Query{Index: "group", Equal: []any{"g"}, From: last})
					if err != nil {
						return fmt.Errorf("after %d: %w", last, err)
					}
					if diff := cmp.Diff(name("%d", *doc.Value.N), doc.Value.Name); diff != "" || *doc.Value.N < last {
						return fmt.Errorf("after %d: %s", last, diff)
					}
					last = *doc.Value.N
				}
				return nil
			}))
		}},
	}
}

// except answers nil for an error that was to be expected.
func except(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

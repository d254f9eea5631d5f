package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hailong-vn/hailong/internal/store"
)

func (s suite) paging() []subtest {
	byGroup := store.Index{Name: "group", Fields: []string{"group", "n"}}
	// standing fills a kind with documents many of which share their index values.
	standing := func(t *testing.T, docs store.Docs[note], count int) []string {
		many, all := make([]note, count), make([]string, count)
		for i := range many {
			all[i] = name("standing-%04d", i)
			many[i] = note{ID: all[i], Group: "g", N: number(int64(i % 7))}
		}
		errs, err := docs.InsertAll(t.Context(), many)
		must(t, errors.Join(append(errs, err)...))
		return all
	}
	// walk reads page by page, each page by a query of its own.
	walk := func(docs store.Docs[note], query store.Query, size int) (found []string, err error) {
		for {
			page, next, err := docs.Page(context.Background(), query, size)
			if err != nil {
				return nil, err
			}
			for _, n := range page {
				found = append(found, n.ID)
			}
			if next == "" {
				return found, nil
			}
			if len(found) > 100_000 {
				return nil, fmt.Errorf("%+v goes on for ever: %v", query, found[:10])
			}
			query.After = next
		}
	}
	return []subtest{
		{"pages join without a seam", func(t *testing.T) {
			docs := notes(t, s.fresh(t), byGroup)
			standing(t, docs, 100)
			for _, query := range []store.Query{
				{}, {Desc: true}, {From: "standing-0010", To: "standing-0090"}, {Index: "group"}, {Index: "group", Desc: true}, {Index: "group", Equal: []any{"g"}},
				{Index: "group", Equal: []any{"g"}, From: 2, To: 5}, {Index: "group", Equal: []any{"g"}, From: 2, To: 5, Desc: true}, {Index: "group", Equal: []any{"g", 3}}, {Index: "group", Equal: []any{"g", 3}, Desc: true},
			} {
				whole := ids(t, docs, query)
				if len(whole) < 10 {
					t.Fatalf("%+v found %v", query, whole)
				}
				for _, size := range []int{1, 7, len(whole) - 1, len(whole), len(whole) + 1} {
					found, err := walk(docs, query, size)
					must(t, err)
					if diff := cmp.Diff(whole, found); diff != "" {
						t.Errorf("%+v by %d: %s", query, size, diff)
					}
				}
			}
		}},
		{"an empty page", func(t *testing.T) {
			docs := notes(t, s.fresh(t), byGroup)
			values, next, err := docs.Page(t.Context(), store.Query{Index: "group"}, 10)
			must(t, err)
			if len(values) != 0 || next != "" {
				t.Errorf("%v, %q", values, next)
			}
		}},
		{"a cursor outlives its document", func(t *testing.T) {
			docs := notes(t, s.fresh(t), byGroup)
			standing(t, docs, 10)
			first, err := docs.First(t.Context(), store.Query{Index: "group"})
			must(t, err)
			rest := ids(t, docs, store.Query{Index: "group", After: first.Cursor})
			must(t, docs.Delete(t.Context(), first.Value.ID, first.Version))
			if diff := cmp.Diff(rest, ids(t, docs, store.Query{Index: "group", After: first.Cursor})); diff != "" || len(rest) != 9 {
				t.Errorf("%v: %s", rest, diff)
			}
		}},
		{"pages while rows arrive", func(t *testing.T) {
			docs := notes(t, s.fresh(t), byGroup)
			all := standing(t, docs, 200)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			must(t, together(4, func(i int) error {
				if i > 0 { // rows arrive and go all over the order
					random := rand.New(rand.NewPCG(uint64(i), 1))
					for n := 0; ctx.Err() == nil; n++ {
						id := name("%s-%d-%d", []string{"aaa", "standing-0100", "zzz"}[random.IntN(3)], i, n)
						if err := docs.Insert(t.Context(), note{ID: id, Group: "g", N: number(random.Int64N(7))}); err != nil {
							return err
						}
						if n%3 == 0 {
							_, version, err := docs.Get(t.Context(), id)
							if err == nil {
								err = docs.Delete(t.Context(), id, version)
							}
							if err != nil {
								return err
							}
						}
					}
					return nil
				}
				defer stop()
				for _, query := range []store.Query{{}, {Desc: true}, {Index: "group", Equal: []any{"g"}}, {Index: "group", Desc: true}} {
					found, err := walk(docs, query, 17)
					if err != nil {
						return err
					}
					if err := complete(found, all); err != nil {
						return fmt.Errorf("%+v by pages: %w", query, err)
					}
					found = nil
					for doc, err := range docs.Find(t.Context(), query) {
						if err != nil {
							return err
						}
						found = append(found, doc.Value.ID)
					}
					if err := complete(found, all); err != nil {
						return fmt.Errorf("%+v as one: %w", query, err)
					}
				}
				return nil
			}))
		}},
		{"documents deleted as they are found", func(t *testing.T) {
			docs := notes(t, s.fresh(t), byGroup)
			standing(t, docs, 600)
			count := 0
			for doc, err := range docs.Find(t.Context(), store.Query{Index: "group"}) {
				must(t, err)
				must(t, docs.Delete(t.Context(), doc.Value.ID, doc.Version))
				count++
				if count == 300 {
					break
				}
			}
			if left := ids(t, docs, store.Query{Index: "group"}); len(left) != 300 {
				t.Errorf("%d are left", len(left))
			}
		}},
		{"queries within queries", func(t *testing.T) {
			docs := notes(t, s.fresh(t), byGroup)
			standing(t, docs, 40)
			must(t, together(16, func(int) error {
				for outer, err := range docs.Find(t.Context(), store.Query{Index: "group", Limit: 5}) {
					if err != nil {
						return err
					}
					for inner, err := range docs.Find(t.Context(), store.Query{Index: "group", After: outer.Cursor, Limit: 3}) {
						if err != nil {
							return err
						}
						if _, _, err := docs.Get(t.Context(), inner.Value.ID); err != nil {
							return err
						}
					}
				}
				return nil
			}))
		}},
	}
}

// complete tells whether nothing was found twice and all that stood was found.
func complete(found, stood []string) error {
	sorted := slices.Sorted(slices.Values(found))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return fmt.Errorf("%s was found twice", sorted[i])
		}
	}
	for _, id := range stood {
		if _, there := slices.BinarySearch(sorted, id); !there {
			return fmt.Errorf("%s was missed", id)
		}
	}
	return nil
}

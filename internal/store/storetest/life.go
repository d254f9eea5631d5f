package storetest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

func (s suite) life() []subtest {
	const day = localday.Day("2026-11-22")
	byName := store.Index{Name: "name", Fields: []string{"name"}, Unique: true}
	return []subtest{
		{"name and ping", func(t *testing.T) {
			engine := s.fresh(t)
			if engine.Name() == "" {
				t.Error("no name")
			}
			must(t, engine.Ping(t.Context()))
		}},
		{"everything acknowledged is there after a restart", func(t *testing.T) {
			kept := s.open(t)
			engine := start(t, kept)
			docs := notes(t, engine, byName)
			must(t, together(8, func(i int) error {
				for n := range 10 {
					id := name("%d-%d", i, n)
					if err := docs.Insert(t.Context(), note{ID: id, Name: id}); err != nil {
						return err
					}
					if _, err := engine.Ratings().Append(t.Context(), []rating.Record{record("u", id, day, n, 3)}); err != nil {
						return err
					}
					if err := engine.Rollups().Raise(t.Context(), []tally.HourCell{hourCell(leafKey("u", day, 1), n, 0, uint32(i+1))}); err != nil {
						return err
					}
				}
				return nil
			}))
			key := tally.StripKey{Year: 2026, Unit: "u", Questionnaire: "kiosk", QVersion: 3}
			given := strip(t, key, map[tally.SlotKey]tally.Slot{{Day: 3, Channel: 1}: {Version: tally.Version{Seen: 2}, Overall: tally.Counts{4: 2}}})
			must(t, engine.Rollups().RaiseStrips(t.Context(), []tally.Strip{given}))
			_, err := engine.Blobs().Put(t.Context(), "a/b", strings.NewReader("kept"))
			must(t, err)
			_, version, err := docs.Get(t.Context(), "0-0")
			must(t, err)
			version, err = docs.Replace(t.Context(), "0-0", note{ID: "0-0", Name: "changed"}, version)
			must(t, err)
			must(t, engine.Close())

			engine = start(t, kept)
			docs = notes(t, engine, byName)
			if found := ids(t, docs, store.Query{Index: "name"}); len(found) != 80 {
				t.Errorf("%d documents of 80", len(found))
			}
			want(t, docs.Insert(t.Context(), note{ID: "new", Name: "changed"}), store.ErrTaken)
			_, err = docs.Replace(t.Context(), "0-0", note{ID: "0-0"}, version)
			must(t, err)
			for i := range 8 {
				for n := range 10 {
					appended, err := engine.Ratings().Append(t.Context(), []rating.Record{record("u", name("%d-%d", i, n), day, n, 3)})
					must(t, err)
					if appended[0].Stored {
						t.Errorf("rating %d-%d was lost", i, n)
					}
				}
			}
			appended, err := engine.Ratings().Append(t.Context(), []rating.Record{record("u", "new", day, 9, 3)})
			must(t, err)
			if !appended[0].Stored {
				t.Error("a new rating was not stored")
			}
			for hour, cell := range leaves(t, engine.Rollups(), "u", day, day)[0].Hours {
				if cell.Seen != 8 {
					t.Errorf("hour %d stands at %d", hour, cell.Seen)
				}
			}
			if got := strips(t, engine.Rollups(), 2026, nil); len(got) != 1 || !got[0].Equal(given) {
				t.Errorf("%v", got)
			}
			blob, err := engine.Blobs().Open(t.Context(), "a/b")
			must(t, err)
			content, err := io.ReadAll(blob)
			must(t, errors.Join(err, blob.Close()))
			if string(content) != "kept" {
				t.Errorf("%s", content)
			}
		}},
		{"a closed engine refuses", func(t *testing.T) {
			engine := s.fresh(t)
			docs := notes(t, engine)
			must(t, docs.Insert(t.Context(), note{ID: "1"}))
			must(t, engine.Close())
			want(t, docs.Insert(t.Context(), note{ID: "2"}), store.ErrUnavailable)
			_, _, err := docs.Get(t.Context(), "1")
			want(t, err, store.ErrUnavailable)
			_, err = docs.First(t.Context(), store.Query{})
			want(t, err, store.ErrUnavailable)
			_, err = engine.Ratings().Append(t.Context(), []rating.Record{record("u", "1", day, 9, 3)})
			want(t, err, store.ErrUnavailable)
			_, err = engine.Ratings().Cell(t.Context(), "x")
			want(t, err, store.ErrUnavailable)
			want(t, engine.Rollups().Raise(t.Context(), []tally.HourCell{hourCell(leafKey("u", day, 1), 9, 0, 1)}), store.ErrUnavailable)
			want(t, engine.Ping(t.Context()), store.ErrUnavailable)
		}},
		{"close waits for writes under way", func(t *testing.T) {
			kept := s.open(t)
			engine := start(t, kept)
			docs := notes(t, engine)
			acknowledged := make([][]string, 32)
			must(t, together(33, func(i int) error {
				if i == 32 {
					for len(ids(t, docs, store.Query{Limit: 20})) < 20 { // until it is busy
						continue
					}
					return engine.Close()
				}
				for n := range 1000 {
					id := name("%d-%d", i, n)
					err := docs.Insert(t.Context(), note{ID: id})
					if errors.Is(err, store.ErrUnavailable) {
						return nil
					}
					if err != nil {
						return err
					}
					acknowledged[i] = append(acknowledged[i], id)
				}
				return fmt.Errorf("caller %d never heard that the engine closed", i)
			}))
			docs = notes(t, start(t, kept))
			for _, of := range acknowledged {
				for _, id := range of {
					if _, _, err := docs.Get(t.Context(), id); err != nil {
						t.Errorf("%s: %v", id, err)
					}
				}
			}
		}},
		{"two engines on the same data", func(t *testing.T) {
			kept := s.open(t)
			if kept.OneAtATime {
				t.Skip("this engine takes its data for itself (storetest.Reopenable.OneAtATime)")
			}
			engines := []store.Engine{start(t, kept), start(t, kept)}
			docs := []store.Docs[note]{notes(t, engines[0], byName), notes(t, engines[1], byName)}
			must(t, docs[0].Insert(t.Context(), note{ID: "counter", N: number(0)}))
			stored := make([]int, 16)
			must(t, together(16, func(i int) error {
				own := docs[i%2]
				for n := range 6 {
					if _, err := own.Update(t.Context(), "counter", func(n *note) (bool, error) {
						n.N = number(*n.N + 1)
						return true, nil
					}); err != nil {
						return err
					}
					appended, err := engines[i%2].Ratings().Append(t.Context(), []rating.Record{record("u", name("%d", n), day, 9, 3)})
					if err != nil {
						return err
					}
					if appended[0].Stored {
						stored[i]++
					}
					if err := engines[i%2].Rollups().Raise(t.Context(), []tally.HourCell{hourCell(leafKey("u", day, 1), 9, 0, uint32(1+(i*5+n*3)%50))}); err != nil {
						return err
					}
					id := name("%d-%d", i, n)
					if err := except(own.Insert(t.Context(), note{ID: id, Name: name("name %d", n)}), store.ErrTaken); err != nil {
						return err
					}
				}
				return nil
			}))
			sum := 0
			for _, n := range stored {
				sum += n
			}
			if sum != 6 {
				t.Errorf("6 ratings were stored %d times", sum)
			}
			for i := range docs {
				got, _, err := docs[i].Get(t.Context(), "counter")
				must(t, err)
				if *got.N != 16*6 {
					t.Errorf("engine %d counts %d of %d", i, *got.N, 16*6)
				}
				if found := ids(t, docs[i], store.Query{Index: "name"}); len(found) != 6 {
					t.Errorf("engine %d finds %v for 6 names", i, found)
				}
				if diff := cmp.Diff(uint32(50), leaves(t, engines[i].Rollups(), "u", day, day)[0].Hours[9].Seen); diff != "" {
					t.Errorf("engine %d: %s", i, diff)
				}
			}
		}},
	}
}

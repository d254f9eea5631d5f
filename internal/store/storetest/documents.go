package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func (s suite) documents() []subtest {
	return []subtest{
		{"insert and get", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			given := note{ID: "1", Name: "một", N: number(7), Tags: []string{"a", "b"}, At: time.Date(2026, 11, 22, 7, 30, 0, 123e6, time.UTC), Place: place{"26"}}
			must(t, docs.Insert(t.Context(), given))
			got, version, err := docs.Get(t.Context(), "1")
			must(t, err)
			if diff := cmp.Diff(given, got); diff != "" {
				t.Error(diff)
			}
			if version == 0 {
				t.Error("a document without a version")
			}
		}},
		{"get what is not there", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			for _, id := range []string{"1", "", "a\x00b", strings.Repeat("x", 10_000)} {
				_, _, err := docs.Get(t.Context(), id)
				want(t, err, store.ErrNotFound)
			}
		}},
		{"insert twice", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			must(t, docs.Insert(t.Context(), note{ID: "1", Name: "first"}))
			want(t, docs.Insert(t.Context(), note{ID: "1", Name: "second"}), store.ErrExists)
			got, _, err := docs.Get(t.Context(), "1")
			must(t, err)
			if got.Name != "first" {
				t.Errorf("the second insert took the place of the first: %v", got)
			}
		}},
		{"insert many, each for itself", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "name", Fields: []string{"name"}, Unique: true})
			must(t, docs.Insert(t.Context(), note{ID: "there", Name: "taken"}))
			errs, err := docs.InsertAll(t.Context(), []note{
				{ID: "1", Name: "a"}, {ID: "there"}, {ID: "2", Name: "b"}, {ID: "2", Name: "c"}, {ID: "3", Name: "taken"}, {ID: "4", Name: "a"}, {ID: ""}, {ID: "5"},
			})
			must(t, err)
			for i, wanted := range []error{nil, store.ErrExists, nil, store.ErrExists, store.ErrTaken, store.ErrTaken, store.ErrInvalid, nil} {
				if !errors.Is(errs[i], wanted) {
					t.Errorf("item %d: got %v, want %v", i, errs[i], wanted)
				}
			}
			if diff := cmp.Diff([]string{"1", "2", "5", "there"}, ids(t, docs, store.Query{})); diff != "" {
				t.Error(diff)
			}
		}},
		{"insert nothing", func(t *testing.T) {
			errs, err := notes(t, s.fresh(t)).InsertAll(t.Context(), nil)
			must(t, err)
			if len(errs) != 0 {
				t.Error(errs)
			}
		}},
		{"insert a thousand at once", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			many := make([]note, 1000)
			for i := range many {
				many[i].ID = name("%04d", i)
			}
			errs, err := docs.InsertAll(t.Context(), many)
			must(t, errors.Join(append(errs, err)...))
			if found := ids(t, docs, store.Query{}); len(found) != 1000 || found[999] != "0999" {
				t.Errorf("found %d", len(found))
			}
		}},
		{"replace", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			must(t, docs.Insert(t.Context(), note{ID: "1", Name: "old", N: number(1)}))
			_, first, err := docs.Get(t.Context(), "1")
			must(t, err)
			second, err := docs.Replace(t.Context(), "1", note{ID: "1", Name: "new"}, first)
			must(t, err)
			got, version, err := docs.Get(t.Context(), "1")
			must(t, err)
			if diff := cmp.Diff(note{ID: "1", Name: "new"}, got); diff != "" {
				t.Error(diff)
			}
			if first == second || version != second {
				t.Errorf("versions: at first %d, answered %d, read %d", first, second, version)
			}
			third, err := docs.Replace(t.Context(), "1", note{ID: "1", Name: "newest"}, second)
			must(t, err)
			if third == first || third == second {
				t.Errorf("version %d came again", third)
			}
		}},
		{"replace with the same content", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			must(t, docs.Insert(t.Context(), note{ID: "1", Name: "same"}))
			_, first, err := docs.Get(t.Context(), "1")
			must(t, err)
			second, err := docs.Replace(t.Context(), "1", note{ID: "1", Name: "same"}, first)
			must(t, err)
			if first == second {
				t.Error("the version stayed")
			}
		}},
		{"replace what changed meanwhile", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			must(t, docs.Insert(t.Context(), note{ID: "1", Name: "old"}))
			_, version, err := docs.Get(t.Context(), "1")
			must(t, err)
			next, err := docs.Replace(t.Context(), "1", note{ID: "1", Name: "theirs"}, version)
			must(t, err)
			_, err = docs.Replace(t.Context(), "1", note{ID: "1", Name: "mine"}, version)
			want(t, err, store.ErrStale)
			var stale *store.StaleError[note]
			if !errors.As(err, &stale) || stale.Current.Value.Name != "theirs" || stale.Current.Version != next {
				t.Errorf("the error does not carry the current document: %#v", err)
			}
		}},
		{"replace what is not there", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			_, err := docs.Replace(t.Context(), "1", note{ID: "1"}, 1)
			want(t, err, store.ErrNotFound)
		}},
		{"delete", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "name", Fields: []string{"name"}})
			must(t, docs.Insert(t.Context(), note{ID: "1", Name: "x"}))
			_, version, err := docs.Get(t.Context(), "1")
			must(t, err)
			next, err := docs.Replace(t.Context(), "1", note{ID: "1", Name: "x"}, version)
			must(t, err)
			want(t, docs.Delete(t.Context(), "1", version), store.ErrStale)
			must(t, docs.Delete(t.Context(), "1", next))
			want(t, docs.Delete(t.Context(), "1", next), store.ErrNotFound)
			_, _, err = docs.Get(t.Context(), "1")
			want(t, err, store.ErrNotFound)
			if found := ids(t, docs, store.Query{Index: "name"}); len(found) != 0 {
				t.Errorf("the index still holds %v", found)
			}
			must(t, docs.Insert(t.Context(), note{ID: "1", Name: "again"}))
		}},
		{"kinds are apart", func(t *testing.T) {
			engine := s.fresh(t)
			one, err := store.Define[note]("one", store.Index{Name: "name", Fields: []string{"name"}, Unique: true}).Open(t.Context(), engine)
			must(t, err)
			other, err := store.Define[note]("other", store.Index{Name: "name", Fields: []string{"name"}, Unique: true}).Open(t.Context(), engine)
			must(t, err)
			must(t, one.Insert(t.Context(), note{ID: "1", Name: "x"}))
			must(t, other.Insert(t.Context(), note{ID: "1", Name: "x"}))
			_, version, err := one.Get(t.Context(), "1")
			must(t, err)
			must(t, one.Delete(t.Context(), "1", version))
			if found := ids(t, other, store.Query{Index: "name"}); len(found) != 1 {
				t.Errorf("found %v", found)
			}
		}},
		{"append-only kinds are never changed", func(t *testing.T) {
			docs, err := store.Define[note]("journal", store.Index{Name: "name", Fields: []string{"name"}, Unique: true}).AppendOnly().Open(t.Context(), s.fresh(t))
			must(t, err)
			must(t, docs.Insert(t.Context(), note{ID: "1", Name: "x"}))
			want(t, docs.Insert(t.Context(), note{ID: "1", Name: "y"}), store.ErrExists)
			want(t, docs.Insert(t.Context(), note{ID: "2", Name: "x"}), store.ErrTaken)
			_, version, err := docs.Get(t.Context(), "1")
			must(t, err)
			_, err = docs.Replace(t.Context(), "1", note{ID: "1", Name: "z"}, version)
			want(t, err, store.ErrAppendOnly)
			want(t, docs.Delete(t.Context(), "1", version), store.ErrAppendOnly)
			got, _, err := docs.Get(t.Context(), "1")
			must(t, err)
			if diff := cmp.Diff([]string{"1"}, ids(t, docs, store.Query{})); got.Name != "x" || diff != "" {
				t.Errorf("%v %s", got, diff)
			}
		}},
		{"a cancelled context writes nothing", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			must(t, docs.Insert(t.Context(), note{ID: "there"}))
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			want(t, docs.Insert(ctx, note{ID: "1"}), context.Canceled)
			_, err := docs.Replace(ctx, "there", note{ID: "there", Name: "x"}, 1)
			want(t, err, context.Canceled)
			want(t, docs.Delete(ctx, "there", 1), context.Canceled)
			_, _, err = docs.Get(ctx, "there")
			want(t, err, context.Canceled)
			_, err = docs.First(ctx, store.Query{})
			want(t, err, context.Canceled)
			if diff := cmp.Diff([]string{"there"}, ids(t, docs, store.Query{})); diff != "" {
				t.Error(diff)
			}
		}},
		{"bodies that are none", func(t *testing.T) {
			documents, err := s.fresh(t).Documents(t.Context(), store.Kind{Name: "notes"})
			must(t, err)
			errs, err := documents.Insert(t.Context(), nil, []byte("not BSON"), body(t, bson.D{{Key: "name", Value: "x"}}), body(t, bson.D{{Key: "_id", Value: 7}}), body(t, note{ID: "fine"}))
			must(t, err)
			for i, err := range errs[:4] {
				if !errors.Is(err, store.ErrInvalid) {
					t.Errorf("item %d: %v", i, err)
				}
			}
			must(t, errs[4])
			_, err = documents.Replace(t.Context(), []byte("not BSON"), 1)
			want(t, err, store.ErrInvalid)
		}},
		{"kinds that cannot be", func(t *testing.T) {
			engine := s.fresh(t)
			for _, kind := range []store.Kind{
				{}, {Name: "Upper"}, {Name: "drop table"}, {Name: `x"; DROP TABLE notes; --`}, {Name: "notes", Indexes: []store.Index{{Name: "x"}}},
				{Name: "notes", Indexes: []store.Index{{Name: "x", Fields: []string{"a", "b"}, Expire: true}}},
				{Name: "notes", Indexes: []store.Index{{Name: "x", Fields: []string{"a"}}, {Name: "x", Fields: []string{"b"}}}},
			} {
				_, err := engine.Documents(t.Context(), kind)
				want(t, err, store.ErrInvalid)
			}
		}},
	}
}

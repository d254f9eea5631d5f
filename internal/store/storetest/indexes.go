package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func (s suite) indexes() []subtest {
	at := func(hour int) time.Time { return time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC) }
	byName := store.Index{Name: "name", Fields: []string{"name"}, Unique: true}
	compound := store.Index{Name: "group_at", Fields: []string{"group", "at", "n"}}
	timeline := func(t *testing.T) store.Docs[note] {
		docs := notes(t, s.fresh(t), compound)
		errs, err := docs.InsertAll(t.Context(), []note{
			{ID: "1", Group: "a", At: at(1)}, {ID: "2", Group: "a", At: at(2), N: number(5)}, {ID: "3", Group: "a", At: at(2), N: number(4)}, {ID: "4", Group: "a", At: at(2)},
			{ID: "5", Group: "a"}, {ID: "6", Group: "b", At: at(1)}, {ID: "7", At: at(3)}, {ID: "8"}, {ID: "9", Group: "a", At: at(4), N: number(-1)}, {ID: "0", Group: "a", At: at(4), N: number(-1)},
		})
		must(t, errors.Join(append(errs, err)...))
		return docs
	}
	queries := func(cases map[string]store.Query, wanted map[string]string) func(t *testing.T) {
		return func(t *testing.T) {
			docs := timeline(t)
			for title, query := range cases {
				if diff := cmp.Diff(wanted[title], strings.Join(ids(t, docs, query), " ")); diff != "" {
					t.Errorf("%s: %s", title, diff)
				}
			}
		}
	}
	return []subtest{
		{"unique", func(t *testing.T) {
			docs := notes(t, s.fresh(t), byName)
			must(t, docs.Insert(t.Context(), note{ID: "1", Name: "x"}))
			want(t, docs.Insert(t.Context(), note{ID: "2", Name: "x"}), store.ErrTaken)
			must(t, docs.Insert(t.Context(), note{ID: "2", Name: "y"}))
			got, version, err := docs.Get(t.Context(), "2")
			must(t, err)
			got.Name = "x"
			_, err = docs.Replace(t.Context(), "2", got, version)
			want(t, err, store.ErrTaken)
			if doc, err := docs.First(t.Context(), store.Query{Index: "name", Equal: []any{"y"}}); err != nil || doc.Value.ID != "2" || doc.Version != version {
				t.Errorf("the refused replace left %v, %v", doc, err)
			}
		}},
		{"unique, released by delete and replace", func(t *testing.T) {
			docs := notes(t, s.fresh(t), byName)
			must(t, docs.Insert(t.Context(), note{ID: "1", Name: "x"}))
			got, version, err := docs.Get(t.Context(), "1")
			must(t, err)
			version, err = docs.Replace(t.Context(), "1", got, version) // its own value is not in its way
			must(t, err)
			version, err = docs.Replace(t.Context(), "1", note{ID: "1", Name: "y"}, version)
			must(t, err)
			must(t, docs.Insert(t.Context(), note{ID: "2", Name: "x"}))
			must(t, docs.Delete(t.Context(), "1", version))
			must(t, docs.Insert(t.Context(), note{ID: "3", Name: "y"}))
		}},
		{"unique leaves out what lacks the field", func(t *testing.T) {
			docs := notes(t, s.fresh(t), byName, store.Index{Name: "pair", Fields: []string{"group", "n"}, Unique: true})
			errs, err := docs.InsertAll(t.Context(), []note{{ID: "1"}, {ID: "2"}, {ID: "3", Group: "g"}, {ID: "4", Group: "g"}, {ID: "5", Group: "g", N: number(1)}, {ID: "6", N: number(1)}})
			must(t, err)
			for i, wanted := range []error{nil, nil, nil, store.ErrTaken, nil, nil} {
				if !errors.Is(errs[i], wanted) {
					t.Errorf("item %d: %v", i, errs[i])
				}
			}
			if found := ids(t, docs, store.Query{Index: "name"}); len(found) != 0 {
				t.Errorf("by name found %v", found)
			}
			if diff := cmp.Diff([]string{"6", "3", "5"}, ids(t, docs, store.Query{Index: "pair"})); diff != "" {
				t.Error(diff)
			}
		}},
		{"unique over two fields", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "pair", Fields: []string{"group", "name"}, Unique: true})
			must(t, docs.Insert(t.Context(), note{ID: "1", Group: "ab", Name: "c"}))
			must(t, docs.Insert(t.Context(), note{ID: "2", Group: "a", Name: "bc"}))
			must(t, docs.Insert(t.Context(), note{ID: "3", Group: "ab", Name: "d"}))
			want(t, docs.Insert(t.Context(), note{ID: "4", Group: "ab", Name: "c"}), store.ErrTaken)
		}},
		{"multi-valued", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "tag", Fields: []string{"tags"}, Multi: true})
			errs, err := docs.InsertAll(t.Context(), []note{{ID: "1", Tags: []string{"a", "b", "a"}}, {ID: "2", Tags: []string{"b"}}, {ID: "3"}, {ID: "4", Tags: []string{"c", "", "b"}}})
			must(t, errors.Join(append(errs, err)...))
			for tag, wanted := range map[string]string{"a": "1", "b": "1 2 4", "c": "4", "": "4", "d": ""} {
				if diff := cmp.Diff(wanted, strings.Join(ids(t, docs, store.Query{Index: "tag", Equal: []any{tag}}), " ")); diff != "" {
					t.Errorf("%q: %s", tag, diff)
				}
			}
			got, version, err := docs.Get(t.Context(), "1")
			must(t, err)
			got.Tags = []string{"b", "d"}
			version, err = docs.Replace(t.Context(), "1", got, version)
			must(t, err)
			for tag, wanted := range map[string]string{"a": "", "b": "1 2 4", "d": "1"} {
				if diff := cmp.Diff(wanted, strings.Join(ids(t, docs, store.Query{Index: "tag", Equal: []any{tag}}), " ")); diff != "" {
					t.Errorf("after replace, %q: %s", tag, diff)
				}
			}
			must(t, docs.Delete(t.Context(), "1", version))
			if diff := cmp.Diff([]string{"4", "2"}, ids(t, docs, store.Query{Index: "tag", Equal: []any{"b"}, Desc: true})); diff != "" {
				t.Error(diff)
			}
		}},
		{"multi-valued with more fields", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "tag_at", Fields: []string{"tags", "at"}, Multi: true})
			errs, err := docs.InsertAll(t.Context(), []note{
				{ID: "1", Tags: []string{"a", "b"}, At: at(3)}, {ID: "2", Tags: []string{"a"}, At: at(1)}, {ID: "3", Tags: []string{"b"}, At: at(2)}, {ID: "4", Tags: []string{"a"}},
			})
			must(t, errors.Join(append(errs, err)...))
			for title, c := range map[string]struct {
				query  store.Query
				wanted string
			}{
				"all of a":       {store.Query{Equal: []any{"a"}}, "4 2 1"},
				"all of b":       {store.Query{Equal: []any{"b"}}, "3 1"},
				"a since":        {store.Query{Equal: []any{"a"}, From: at(2)}, "1"},
				"a before":       {store.Query{Equal: []any{"a"}, To: at(3)}, "2"},
				"a backwards":    {store.Query{Equal: []any{"a"}, Desc: true}, "1 2 4"},
				"b exactly then": {store.Query{Equal: []any{"b", at(3)}}, "1"},
			} {
				c.query.Index = "tag_at"
				if diff := cmp.Diff(c.wanted, strings.Join(ids(t, docs, c.query), " ")); diff != "" {
					t.Errorf("%s: %s", title, diff)
				}
			}
		}},
		{"multi-valued and unique", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "tag", Fields: []string{"tags"}, Multi: true, Unique: true})
			must(t, docs.Insert(t.Context(), note{ID: "1", Tags: []string{"a", "b", "a"}}))
			want(t, docs.Insert(t.Context(), note{ID: "2", Tags: []string{"c", "b"}}), store.ErrTaken)
			must(t, docs.Insert(t.Context(), note{ID: "3", Tags: []string{"c"}}))
			must(t, docs.Insert(t.Context(), note{ID: "4"}))
			must(t, docs.Insert(t.Context(), note{ID: "5"}))
		}},
		{"compound, by all and by leading fields", queries(map[string]store.Query{
			"everything": {Index: "group_at"}, "backwards": {Index: "group_at", Desc: true}, "one group": {Index: "group_at", Equal: []any{"a"}},
			"a group and a time": {Index: "group_at", Equal: []any{"a", at(2)}}, "all three": {Index: "group_at", Equal: []any{"a", at(4), -1}}, "none": {Index: "group_at", Equal: []any{"c"}},
		}, map[string]string{
			"everything": "8 7 5 1 4 3 2 0 9 6", "backwards": "6 9 0 2 3 4 1 5 7 8", "one group": "5 1 4 3 2 0 9", "a group and a time": "4 3 2", "all three": "0 9", "none": "",
		})},
		{"compound, missing fields", queries(map[string]store.Query{
			"without a group": {Index: "group_at", Equal: []any{nil}}, "without a time": {Index: "group_at", Equal: []any{"a", nil}}, "without a number": {Index: "group_at", Equal: []any{"a", at(2), nil}},
		}, map[string]string{"without a group": "8 7", "without a time": "5", "without a number": "4"})},
		{"compound, ranges", queries(map[string]store.Query{
			"groups from": {Index: "group_at", From: "b"}, "groups to": {Index: "group_at", To: "b"}, "groups between": {Index: "group_at", From: "a", To: "b", Desc: true},
			"times from": {Index: "group_at", Equal: []any{"a"}, From: at(2)}, "times to": {Index: "group_at", Equal: []any{"a"}, To: at(2)}, "times between": {Index: "group_at", Equal: []any{"a"}, From: at(2), To: at(4)},
			"times between, backwards": {Index: "group_at", Equal: []any{"a"}, From: at(2), To: at(4), Desc: true}, "nothing between": {Index: "group_at", Equal: []any{"a"}, From: at(4), To: at(2)},
			"numbers": {Index: "group_at", Equal: []any{"a", at(2)}, From: 4, To: 5}, "at most two": {Index: "group_at", Equal: []any{"a"}, From: at(2), Limit: 2}, "at most two, backwards": {Index: "group_at", Equal: []any{"a"}, Limit: 2, Desc: true},
		}, map[string]string{
			"groups from": "6", "groups to": "5 1 4 3 2 0 9", "groups between": "9 0 2 3 4 1 5",
			"times from": "4 3 2 0 9", "times to": "1", "times between": "4 3 2",
			"times between, backwards": "2 3 4", "nothing between": "",
			"numbers": "3", "at most two": "4 3", "at most two, backwards": "9 0",
		})},
		{"by id", queries(map[string]store.Query{
			"all": {}, "backwards": {Desc: true}, "from": {From: "7"}, "to": {To: "3"}, "between": {From: "3", To: "6"}, "one": {Equal: []any{"4"}}, "none": {Equal: []any{"x"}}, "limit": {Limit: 3, From: "2", Desc: true},
		}, map[string]string{
			"all": "0 1 2 3 4 5 6 7 8 9", "backwards": "9 8 7 6 5 4 3 2 1 0", "from": "7 8 9", "to": "0 1 2", "between": "3 4 5", "one": "4", "none": "", "limit": "9 8 7",
		})},
		{"fields within fields, and booleans", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "open_code", Fields: []string{"open", "place.code"}})
			errs, err := docs.InsertAll(t.Context(), []note{{ID: "1", Open: true, Place: place{"26"}}, {ID: "2", Open: true, Place: place{"01"}}, {ID: "3", Place: place{"26"}}, {ID: "4", Open: true}})
			must(t, errors.Join(append(errs, err)...))
			if diff := cmp.Diff("4 2 1", strings.Join(ids(t, docs, store.Query{Index: "open_code", Equal: []any{true}}), " ")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff("1", strings.Join(ids(t, docs, store.Query{Index: "open_code", Equal: []any{true, "26"}}), " ")); diff != "" {
				t.Error(diff)
			}
		}},
		{"one field, many kinds of value", func(t *testing.T) {
			engine := s.fresh(t)
			index := store.Index{Name: "v", Fields: []string{"v"}}
			documents, err := engine.Documents(t.Context(), store.Kind{Name: "notes", Indexes: []store.Index{index}})
			must(t, err)
			// In the order in which MongoDB sorts the kinds; ids run against it.
			sorted := []any{nil, -1, int64(1) << 40, "", "x", false, true, at(0), at(1)}
			bodies := make([][]byte, len(sorted))
			for i, value := range sorted {
				bodies[i] = body(t, bson.D{{Key: "_id", Value: name("%d", 9-i)}, {Key: "v", Value: value}})
			}
			bodies[0] = body(t, bson.D{{Key: "_id", Value: "9"}}) // missing
			errs, err := documents.Insert(t.Context(), bodies...)
			must(t, errors.Join(append(errs, err)...))
			find := func(query store.Query) string {
				var found []string
				query.Index = index.Name
				for item, err := range documents.Find(t.Context(), query) {
					must(t, err)
					found = append(found, item.ID)
				}
				return strings.Join(found, " ")
			}
			for wanted, query := range map[string]store.Query{
				"9 8 7 6 5 4 3 2 1": {}, "1 2 3 4 5 6 7 8 9": {Desc: true}, "9": {Equal: []any{nil}},
				"8 7": {From: -1}, "8": {To: 2}, "6 5": {From: ""}, "6": {To: "x"}, "4 3": {From: false}, "4": {To: true}, "2 1": {From: at(0)}, "2": {To: at(1)}, "1 2": {From: at(0), Desc: true},
			} {
				if got := find(query); got != wanted {
					t.Errorf("%+v found %q, want %q", query, got, wanted)
				}
			}
		}},
		{"an index added later holds what was there", func(t *testing.T) {
			engine := s.fresh(t)
			docs := notes(t, engine)
			for i := range 300 {
				must(t, docs.Insert(t.Context(), note{ID: name("%03d", i), Name: name("%03d", 999-i)}))
				if i == 20 {
					break
				}
			}
			docs = notes(t, engine, byName)
			if found := ids(t, docs, store.Query{Index: "name"}); len(found) != 21 || found[0] != "020" {
				t.Errorf("found %v", found)
			}
			want(t, docs.Insert(t.Context(), note{ID: "x", Name: "999"}), store.ErrTaken)
		}},
		{"a kind opened again keeps its indexes", func(t *testing.T) {
			engine := s.fresh(t)
			docs := notes(t, engine, byName, compound)
			must(t, docs.Insert(t.Context(), note{ID: "1", Name: "x", Group: "a"}))
			docs = notes(t, engine, byName, compound)
			want(t, docs.Insert(t.Context(), note{ID: "2", Name: "x"}), store.ErrTaken)
			if found := ids(t, docs, store.Query{Index: "group_at", Equal: []any{"a"}}); len(found) != 1 {
				t.Errorf("found %v", found)
			}
		}},
		{"queries that cannot be", func(t *testing.T) {
			docs := notes(t, s.fresh(t), byName, store.Index{Name: "tag", Fields: []string{"tags"}, Multi: true})
			must(t, docs.Insert(t.Context(), note{ID: "1", Name: "x", Tags: []string{"a"}}))
			for title, query := range map[string]store.Query{
				"no such index": {Index: "text"}, "a field as an index": {Index: "tags"}, "multi-valued without Equal": {Index: "tag"}, "too many values": {Index: "name", Equal: []any{"x", "y"}},
				"a range after the last field": {Index: "name", Equal: []any{"x"}, From: "y"}, "a broken cursor": {Index: "name", After: "?"}, "a value of no kind": {Index: "name", Equal: []any{struct{}{}}},
			} {
				if _, err := docs.First(t.Context(), query); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("%s: %v", title, err)
				}
			}
		}},
		{"expired documents vanish", func(t *testing.T) {
			engine := s.fresh(t)
			docs := notes(t, engine, byName, store.Index{Name: "at", Fields: []string{"at"}, Expire: true})
			now := time.Now()
			errs, err := docs.InsertAll(t.Context(), []note{
				{ID: "past", Name: "past", At: now.Add(-time.Hour)}, {ID: "future", Name: "future", At: now.Add(time.Hour)}, {ID: "never", Name: "never"}, {ID: "given more time", Name: "more", At: now.Add(-time.Hour)},
			})
			must(t, err)
			must(t, errs[0])
			_, err = docs.Update(t.Context(), "given more time", func(n *note) (bool, error) {
				n.At = now.Add(time.Hour)
				return true, nil
			})
			if errors.Is(err, store.ErrNotFound) { // swept before we came
				err = docs.Insert(t.Context(), note{ID: "given more time", Name: "more", At: now.Add(time.Hour)})
			}
			must(t, err)
			// MongoDB's own sweep comes once a minute.
			eventually(t, 150*time.Second, "the expired document is gone", func() bool {
				sweep(t, engine)
				_, _, err := docs.Get(t.Context(), "past")
				return errors.Is(err, store.ErrNotFound)
			})
			if diff := cmp.Diff([]string{"future", "given more time", "never"}, ids(t, docs, store.Query{})); diff != "" {
				t.Error(diff)
			}
			must(t, docs.Insert(t.Context(), note{ID: "new", Name: "past"}))
		}},
	}
}

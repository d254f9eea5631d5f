package storetest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// The same Vietnamese words composed (NFC) and decomposed (NFD).
const (
	composed   = "h\u00e0i l\u00f2ng"
	decomposed = "ha\u0300i lo\u0300ng"
)

// oddIDs are ids that every engine keeps as they are, in byte order.
func oddIDs() []string {
	all := []string{
		" ", "  ", "\t\n", ".", "..", "/", "a/b/c", "a//b", `"`, "'", "'; DROP TABLE notes; --", "$where", "a.b", "%", "_", "\\", "{}", "null", "0", "-1",
		composed, decomposed, "Đường", "duong", "\u202eabc", "💥", "\U0010ffff", "\u007f", "\u0080", "a", "A", "a ", strings.Repeat("x", 512), strings.Repeat("ộ", 170),
	}
	slices.Sort(all)
	return all
}

func (s suite) contents() []subtest {
	return []subtest{
		{"odd ids", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "name", Fields: []string{"name"}, Unique: true})
			for _, id := range oddIDs() {
				if err := docs.Insert(t.Context(), note{ID: id, Name: id}); err != nil {
					t.Fatalf("%q: %v", id, err)
				}
			}
			for _, id := range oddIDs() {
				got, version, err := docs.Get(t.Context(), id)
				if err != nil || got.ID != id {
					t.Fatalf("%q: got %q, %v", id, got.ID, err)
				}
				if _, err := docs.Replace(t.Context(), id, got, version); err != nil {
					t.Fatalf("%q: %v", id, err)
				}
			}
			if diff := cmp.Diff(oddIDs(), ids(t, docs, store.Query{})); diff != "" {
				t.Errorf("by id: %s", diff)
			}
			if diff := cmp.Diff(oddIDs(), ids(t, docs, store.Query{Index: "name"})); diff != "" {
				t.Errorf("by index: %s", diff)
			}
		}},
		{"ids that are refused", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			for _, id := range []string{"", "a\x00b", "\x00", strings.Repeat("x", 513), strings.Repeat("x", 1<<20), "\xff", "a\xc3"} {
				want(t, docs.Insert(t.Context(), note{ID: id}), store.ErrInvalid)
			}
			if found := ids(t, docs, store.Query{}); len(found) != 0 {
				t.Errorf("found %q", found)
			}
		}},
		{"NFC and NFD are apart", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "name", Fields: []string{"name"}, Unique: true}, store.Index{Name: "tag", Fields: []string{"tags"}, Multi: true})
			must(t, docs.Insert(t.Context(), note{ID: composed, Name: composed, Tags: []string{composed}, Text: decomposed}))
			must(t, docs.Insert(t.Context(), note{ID: decomposed, Name: decomposed, Tags: []string{decomposed}, Text: composed}))
			for _, text := range []string{composed, decomposed} {
				if diff := cmp.Diff([]string{text}, ids(t, docs, store.Query{Index: "name", Equal: []any{text}})); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff([]string{text}, ids(t, docs, store.Query{Index: "tag", Equal: []any{text}})); diff != "" {
					t.Error(diff)
				}
				got, _, err := docs.Get(t.Context(), text)
				must(t, err)
				if got.ID != text || got.Name != text || got.Text == text {
					t.Errorf("%q came back as %+v", text, got)
				}
			}
		}},
		{"upper and lower case are apart", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "name", Fields: []string{"name"}, Unique: true})
			for _, text := range []string{"đường", "Đường", "ĐƯỜNG", "duong", "đường "} {
				must(t, docs.Insert(t.Context(), note{ID: text, Name: text}))
			}
			if diff := cmp.Diff([]string{"đường"}, ids(t, docs, store.Query{Index: "name", Equal: []any{"đường"}})); diff != "" {
				t.Error(diff)
			}
		}},
		{"strings in the order of their bytes", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "name", Fields: []string{"name", "group"}})
			sorted := []string{"a", "a\x00", "a\x00b", "a\x01", "aa", "ab", "z", "à", "đ", "💥"}
			for i, text := range sorted {
				// Ids run against the order, so that it does not come from them.
				must(t, docs.Insert(t.Context(), note{ID: name("%02d", 99-i), Name: text, Group: "g"}))
			}
			var found []string
			for doc, err := range docs.Find(t.Context(), store.Query{Index: "name"}) {
				must(t, err)
				found = append(found, doc.Value.Name)
			}
			if diff := cmp.Diff(sorted, found); diff != "" {
				t.Error(diff)
			}
			for _, text := range sorted {
				if found := ids(t, docs, store.Query{Index: "name", Equal: []any{text, "g"}}); len(found) != 1 {
					t.Errorf("%q found %v", text, found)
				}
			}
		}},
		{"time zones and milliseconds", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "at", Fields: []string{"at"}})
			here := time.FixedZone("+07", 7*60*60)
			local := time.Date(2026, 11, 22, 6, 30, 0, 123_456_789, here)
			must(t, docs.Insert(t.Context(), note{ID: "1", At: local}))
			got, _, err := docs.Get(t.Context(), "1")
			must(t, err)
			if kept := store.Milliseconds(local); !got.At.Equal(kept) || got.At.Location() != time.UTC {
				t.Errorf("%v came back as %v", local, got.At)
			}
			for _, same := range []time.Time{local, local.UTC(), store.Milliseconds(local), local.In(time.FixedZone("-11", -11*60*60))} {
				if found := ids(t, docs, store.Query{Index: "at", Equal: []any{same}}); len(found) != 1 {
					t.Errorf("Equal %v found %v", same, found)
				}
				if found := ids(t, docs, store.Query{Index: "at", From: same, To: same.Add(time.Millisecond)}); len(found) != 1 {
					t.Errorf("From %v found %v", same, found)
				}
				if found := ids(t, docs, store.Query{Index: "at", To: same}); len(found) != 0 {
					t.Errorf("To %v found %v", same, found)
				}
			}
		}},
		{"times far away", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "at", Fields: []string{"at"}})
			sorted := []time.Time{time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(1899, 12, 31, 23, 59, 59, 999e6, time.UTC), time.UnixMilli(-1), time.UnixMilli(0), time.UnixMilli(1), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}
			for i, at := range sorted {
				must(t, docs.Insert(t.Context(), note{ID: name("%d", 9-i), At: at}))
			}
			var found []time.Time
			for doc, err := range docs.Find(t.Context(), store.Query{Index: "at"}) {
				must(t, err)
				found = append(found, doc.Value.At)
			}
			if diff := cmp.Diff(sorted, found); diff != "" {
				t.Error(diff)
			}
		}},
		{"numbers at their limits", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "n", Fields: []string{"n"}})
			sorted := []int64{-1 << 63, -1 << 32, -1 << 31, -1, 0, 1, 1 << 31, 1 << 53, 1<<53 + 1, 1<<63 - 1}
			for i, n := range sorted {
				must(t, docs.Insert(t.Context(), note{ID: name("%02d", 99-i), N: number(n)}))
			}
			var found []int64
			for doc, err := range docs.Find(t.Context(), store.Query{Index: "n"}) {
				must(t, err)
				found = append(found, *doc.Value.N)
			}
			if diff := cmp.Diff(sorted, found); diff != "" {
				t.Error(diff)
			}
			for _, n := range sorted {
				if found := ids(t, docs, store.Query{Index: "n", Equal: []any{n}}); len(found) != 1 {
					t.Errorf("%d found %v", n, found)
				}
			}
		}},
		{"whole numbers of both widths are one", func(t *testing.T) {
			engine := s.fresh(t)
			docs := notes(t, engine, store.Index{Name: "n", Fields: []string{"n"}})
			documents, err := engine.Documents(t.Context(), store.Kind{Name: "notes", Indexes: []store.Index{{Name: "n", Fields: []string{"n"}}}})
			must(t, err)
			errs, err := documents.Insert(t.Context(), body(t, bson.D{{Key: "_id", Value: "32"}, {Key: "n", Value: int32(7)}}), body(t, bson.D{{Key: "_id", Value: "64"}, {Key: "n", Value: int64(7)}}))
			must(t, errors.Join(append(errs, err)...))
			type own int32
			for _, seven := range []any{7, int32(7), int64(7), uint8(7), own(7)} {
				if diff := cmp.Diff([]string{"32", "64"}, ids(t, docs, store.Query{Index: "n", Equal: []any{seven}})); diff != "" {
					t.Errorf("%T: %s", seven, diff)
				}
			}
		}},
		{"the same bytes come back", func(t *testing.T) {
			documents, err := s.fresh(t).Documents(t.Context(), store.Kind{Name: "notes", Indexes: []store.Index{{Name: "n", Fields: []string{"n"}}}})
			must(t, err)
			given := body(t, bson.D{
				{Key: "_id", Value: "1"}, {Key: "z", Value: 1.5}, {Key: "n", Value: int32(1)}, {Key: "a", Value: bson.D{{Key: "deep", Value: bson.A{nil, true, "x", bson.D{}}}}},
				{Key: "bytes", Value: []byte{0, 1, 2}}, {Key: "", Value: "empty"}, {Key: "at", Value: bson.DateTime(-5)}, {Key: "long", Value: int64(1)},
			})
			errs, err := documents.Insert(t.Context(), given)
			must(t, errors.Join(append(errs, err)...))
			item, err := documents.Get(t.Context(), "1")
			must(t, err)
			if item.ID != "1" || !bytes.Equal(item.Body, given) {
				t.Errorf("Get of %q: %v", item.ID, bson.Raw(item.Body))
			}
			version, err := documents.Replace(t.Context(), given, item.Version)
			must(t, err)
			for found, err := range documents.Find(t.Context(), store.Query{Index: "n", Equal: []any{1}}) {
				must(t, err)
				if found.ID != "1" || found.Version != version || found.Cursor == "" || !bytes.Equal(found.Body, given) {
					t.Errorf("Find: %+v %v", found, bson.Raw(found.Body))
				}
			}
		}},
		{"a body of one megabyte", func(t *testing.T) {
			docs := notes(t, s.fresh(t), store.Index{Name: "name", Fields: []string{"name"}})
			text := strings.Repeat("Rất không hài lòng. ", 1<<20/26)
			for i := range 8 {
				must(t, docs.Insert(t.Context(), note{ID: name("%d", i), Name: "large", Text: text}))
			}
			count := 0
			for doc, err := range docs.Find(t.Context(), store.Query{Index: "name", Equal: []any{"large"}}) {
				must(t, err)
				if count++; doc.Value.Text != text {
					t.Errorf("%s came back otherwise", doc.Value.ID)
				}
			}
			if count != 8 {
				t.Errorf("found %d of 8", count)
			}
			got, version, err := docs.Get(t.Context(), "3")
			must(t, err)
			got.Text += "!"
			_, err = docs.Replace(t.Context(), "3", got, version)
			must(t, err)
		}},
		{"a body of seventeen megabytes", func(t *testing.T) {
			docs := notes(t, s.fresh(t))
			large := note{ID: "large", Text: strings.Repeat("x", 17<<20)}
			errs, err := docs.InsertAll(t.Context(), []note{{ID: "before"}, large, {ID: "after"}})
			must(t, err)
			must(t, errs[0])
			want(t, errs[1], store.ErrTooLarge)
			must(t, errs[2])
			_, version, err := docs.Get(t.Context(), "before")
			must(t, err)
			large.ID = "before"
			_, err = docs.Replace(t.Context(), "before", large, version)
			want(t, err, store.ErrTooLarge)
			if diff := cmp.Diff([]string{"after", "before"}, ids(t, docs, store.Query{})); diff != "" {
				t.Error(diff)
			}
		}},
	}
}

package storetest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hailong-vn/hailong/internal/store"
	"pgregory.net/rapid"
)

// model is what a kind should hold, in memory.
type model struct {
	docs     store.Docs[note]
	notes    map[string]note
	versions map[string]store.Version
	old      map[string][]store.Version // of documents that are there
}

func modelIndexes() []store.Index {
	return []store.Index{
		{Name: "name", Fields: []string{"name"}, Unique: true},
		{Name: "pair", Fields: []string{"group", "n"}, Unique: true},
		{Name: "tag", Fields: []string{"tags"}, Multi: true},
		{Name: "tag_at", Fields: []string{"tags", "at"}, Multi: true},
		{Name: "open_group_at", Fields: []string{"open", "group", "at"}},
		{Name: "code", Fields: []string{"place.code"}},
	}
}

// field answers a note's value as it stands in its body; nil where it is missing.
func field(n note, name string) any {
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	switch name {
	case "name":
		return text(n.Name)
	case "group":
		return text(n.Group)
	case "place.code":
		return text(n.Place.Code)
	case "n":
		if n.N != nil {
			return *n.N
		}
	case "at":
		if !n.At.IsZero() {
			return n.At
		}
	case "open":
		if n.Open {
			return true
		}
	}
	return nil
}

// compareValues orders two values of one field: nothing first.
func compareValues(a, b any) int {
	if a == nil || b == nil {
		switch {
		case a != nil:
			return 1
		case b != nil:
			return -1
		}
		return 0
	}
	switch a := a.(type) {
	case string:
		return cmpStrings(a, b.(string))
	case int64:
		return cmp.Compare(a, b.(int64))
	case time.Time:
		return a.Compare(b.(time.Time))
	}
	return 0 // true and true
}

func cmpStrings(a, b string) int { return strings.Compare(a, b) }

func drawNote(r *rapid.T, id string) note {
	n := note{
		ID:    id,
		Name:  rapid.SampledFrom([]string{"", "", "", "x", "y", composed, decomposed}).Draw(r, "name"),
		Group: rapid.SampledFrom([]string{"", "g", "ga", "h"}).Draw(r, "group"),
		Tags:  rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 4).Draw(r, "tags"),
		Open:  rapid.Bool().Draw(r, "open"),
		Place: place{rapid.SampledFrom([]string{"", "01", "26"}).Draw(r, "code")},
		Text:  rapid.String().Draw(r, "text"),
	}
	if rapid.IntRange(0, 3).Draw(r, "with n") > 0 {
		n.N = number(rapid.SampledFrom([]int64{-1 << 40, -1, 0, 1, 1 << 40}).Draw(r, "n"))
	}
	if rapid.IntRange(0, 3).Draw(r, "with at") > 0 {
		n.At = drawTime(r)
	}
	return n
}

func drawTime(r *rapid.T) time.Time {
	return recorded().Add(time.Duration(rapid.IntRange(-2, 2).Draw(r, "at")) * time.Millisecond)
}

func drawID(r *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "a/1", "a/2", "b", "ba", "c", composed, decomposed}).Draw(r, "id")
}

func (m *model) clear(r *rapid.T) {
	m.old = map[string][]store.Version{}
	for doc, err := range m.docs.Find(context.Background(), store.Query{}) {
		must(r, err)
		must(r, m.docs.Delete(context.Background(), doc.Value.ID, doc.Version))
	}
}

// taken tells whether another document holds one of the note's unique values.
func (m *model) taken(n note) bool {
	for id, other := range m.notes {
		sameName := n.Name != "" && n.Name == other.Name
		samePair := (n.Group != "" || n.N != nil) && n.Group == other.Group && compareValues(field(n, "n"), field(other, "n")) == 0
		if id != n.ID && (sameName || samePair) {
			return true
		}
	}
	return false
}

func (m *model) insert(r *rapid.T) {
	var given []note
	for range rapid.IntRange(1, 3).Draw(r, "count") {
		given = append(given, drawNote(r, drawID(r)))
	}
	errs, err := m.docs.InsertAll(context.Background(), given)
	must(r, err)
	for i, n := range given {
		_, exists := m.notes[n.ID]
		taken := m.taken(n)
		switch {
		case errs[i] == nil && !exists && !taken:
			_, version, err := m.docs.Get(context.Background(), n.ID)
			must(r, err)
			m.notes[n.ID], m.versions[n.ID] = n, version
		case exists && errors.Is(errs[i], store.ErrExists), taken && errors.Is(errs[i], store.ErrTaken):
		default:
			r.Fatalf("insert of %+v (there: %v, taken: %v): %v", n, exists, taken, errs[i])
		}
	}
}

func (m *model) replace(r *rapid.T) {
	n := drawNote(r, drawID(r))
	_, there := m.notes[n.ID]
	version, stale := m.versions[n.ID], false
	if old := m.old[n.ID]; len(old) > 0 && rapid.IntRange(0, 2).Draw(r, "stale") == 0 {
		version, stale = rapid.SampledFrom(old).Draw(r, "old version"), true
	}
	next, err := m.docs.Replace(context.Background(), n.ID, n, version)
	taken := m.taken(n)
	switch {
	case !there:
		want(r, err, store.ErrNotFound)
	case stale && taken: // whichever the engine sees first
		if !errors.Is(err, store.ErrStale) && !errors.Is(err, store.ErrTaken) {
			r.Fatalf("replace of %+v: %v", n, err)
		}
	case stale:
		want(r, err, store.ErrStale)
	case taken:
		want(r, err, store.ErrTaken)
	default:
		must(r, err)
		if next == version || slices.Contains(m.old[n.ID], next) {
			r.Fatalf("version %d of %s came again", next, n.ID)
		}
		m.old[n.ID] = append(m.old[n.ID], version)
		m.notes[n.ID], m.versions[n.ID] = n, next
	}
}

func (m *model) delete(r *rapid.T) {
	id := drawID(r)
	if old := m.old[id]; len(old) > 0 && rapid.Bool().Draw(r, "stale") {
		want(r, m.docs.Delete(context.Background(), id, rapid.SampledFrom(old).Draw(r, "old version")), store.ErrStale)
		return
	}
	err := m.docs.Delete(context.Background(), id, m.versions[id])
	if _, there := m.notes[id]; !there {
		want(r, err, store.ErrNotFound)
		return
	}
	must(r, err)
	delete(m.notes, id)
	delete(m.versions, id)
	delete(m.old, id)
}

func (m *model) get(r *rapid.T) {
	id := drawID(r)
	got, version, err := m.docs.Get(context.Background(), id)
	wanted, there := m.notes[id]
	if !there {
		want(r, err, store.ErrNotFound)
		return
	}
	must(r, err)
	if diff := gocmp.Diff(wanted, got, sameRecord); diff != "" || version != m.versions[id] {
		r.Fatalf("%s stands at %d, not %d: %s", id, version, m.versions[id], diff)
	}
}

// find draws a query by a declared index and compares what it finds, as a whole and by pages.
func (m *model) find(r *rapid.T) {
	query, index := drawQuery(r)
	wanted := m.expect(query, index)
	if limited := query.Limit; limited > 0 {
		wanted = wanted[:min(limited, len(wanted))]
	}
	found := ids(r, m.docs, query)
	if diff := gocmp.Diff(wanted, found); diff != "" {
		r.Fatalf("%+v: %s", query, diff)
	}
	if query.Limit > 0 {
		return
	}
	size, paged := rapid.IntRange(1, 4).Draw(r, "page"), []string{}
	for {
		page, next, err := m.docs.Page(context.Background(), query, size)
		must(r, err)
		for _, n := range page {
			paged = append(paged, n.ID)
		}
		if next == "" {
			break
		}
		query.After = next
	}
	if diff := gocmp.Diff(wanted, paged); diff != "" {
		r.Fatalf("%+v by pages of %d: %s", query, size, diff)
	}
}

func drawQuery(r *rapid.T) (store.Query, store.Index) {
	index := rapid.SampledFrom(modelIndexes()).Draw(r, "index")
	query := store.Query{Index: index.Name, Desc: rapid.Bool().Draw(r, "desc"), Limit: rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(r, "limit")}
	least := 0
	if index.Multi {
		least = 1
	}
	given := rapid.IntRange(least, len(index.Fields)).Draw(r, "given")
	for i, name := range index.Fields[:given] {
		// A multi-valued field is asked for one of its elements, never for its absence.
		query.Equal = append(query.Equal, drawValue(r, name, index.Multi && i == 0))
	}
	if given < len(index.Fields) && index.Fields[given] != "open" {
		if name := index.Fields[given]; rapid.Bool().Draw(r, "from") {
			query.From = drawValue(r, name, true)
		}
		if name := index.Fields[given]; rapid.Bool().Draw(r, "to") {
			query.To = drawValue(r, name, true)
		}
	}
	return query, index
}

func drawValue(r *rapid.T, name string, present bool) any {
	if !present && rapid.IntRange(0, 3).Draw(r, "missing") == 0 {
		return nil
	}
	switch name {
	case "n":
		return rapid.SampledFrom([]int64{-1 << 40, -1, 0, 1, 1 << 40}).Draw(r, "n")
	case "at":
		return drawTime(r)
	case "open":
		return true
	case "tags":
		return rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(r, "tag")
	default:
		return rapid.SampledFrom([]string{"x", "y", composed, decomposed, "g", "ga", "h", "01", "26"}).Draw(r, "text")
	}
}

// expect answers the ids a query should find, without its limit.
func (m *model) expect(query store.Query, index store.Index) []string {
	var found []note
	for _, n := range m.notes {
		if m.matches(n, query, index) {
			found = append(found, n)
		}
	}
	slices.SortFunc(found, func(a, b note) int {
		for _, name := range index.Fields {
			if c := compareValues(field(a, name), field(b, name)); c != 0 {
				return c
			}
		}
		return cmpStrings(a.ID, b.ID)
	})
	if query.Desc {
		slices.Reverse(found)
	}
	all := []string{}
	for _, n := range found {
		all = append(all, n.ID)
	}
	return all
}

func (m *model) matches(n note, query store.Query, index store.Index) bool {
	if index.Unique && !slices.ContainsFunc(index.Fields, func(name string) bool { return field(n, name) != nil }) {
		return false
	}
	for i, value := range query.Equal {
		if index.Multi && i == 0 {
			if !slices.Contains(n.Tags, value.(string)) {
				return false
			}
		} else if compareValues(field(n, index.Fields[i]), value) != 0 {
			return false
		}
	}
	if query.From == nil && query.To == nil {
		return true
	}
	value := field(n, index.Fields[len(query.Equal)])
	return value != nil && (query.From == nil || compareValues(value, query.From) >= 0) && (query.To == nil || compareValues(value, query.To) < 0)
}

func (m *model) findAll(r *rapid.T) {
	wanted := []string{}
	for id := range m.notes {
		wanted = append(wanted, id)
	}
	slices.Sort(wanted)
	if diff := gocmp.Diff(wanted, ids(r, m.docs, store.Query{})); diff != "" {
		r.Fatalf("by id: %s", diff)
	}
	for id := range m.notes {
		got, _, err := m.docs.Get(context.Background(), id)
		must(r, err)
		if diff := gocmp.Diff(m.notes[id], got, sameRecord); diff != "" {
			r.Fatalf("%s: %s", id, diff)
		}
	}
}

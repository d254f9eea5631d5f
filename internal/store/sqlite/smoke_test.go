package sqlite

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

type thing struct {
	ID   string    `bson:"_id"`
	Name string    `bson:"name,omitempty"`
	Tags []string  `bson:"tags,omitempty"`
	At   time.Time `bson:"at,omitempty"`
	N    int       `bson:"n"`
}

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	e, err := Open(ctx, t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	docs, err := store.Define[thing]("things", store.Index{Name: "name", Fields: []string{"name"}, Unique: true},
		store.Index{Name: "tag_n", Fields: []string{"tags", "n"}, Multi: true}, store.Index{Name: "at", Fields: []string{"at"}, Expire: true}).Open(ctx, e)
	if err != nil {
		t.Fatal(err)
	}
	if err := docs.Insert(ctx, thing{ID: "1", Name: "a", Tags: []string{"x", "y"}, N: 5}); err != nil {
		t.Fatal(err)
	}
	if err := docs.Insert(ctx, thing{ID: "2", Name: "a"}); err != store.ErrTaken {
		t.Fatal(err)
	}
	v, ver, err := docs.Get(ctx, "1")
	t.Log(v, ver, err)
	v.N = 7
	if _, err = docs.Replace(ctx, "1", v, ver); err != nil {
		t.Fatal(err)
	}
	for d, err := range docs.Find(ctx, store.Query{Index: "tag_n", Equal: []any{"x"}, From: 6}) {
		t.Log(d, err)
	}
	for d, err := range docs.Find(ctx, store.Query{From: "0", Desc: true}) {
		t.Log(d, err)
	}
	rec := rating.Record{ID: "h/u/1", Kind: rating.KindRating, Cell: "2026-11-22/u/1/q@1/14", ReceivedAt: time.Now(), Score: 4}
	a, err := e.Ratings().Append(ctx, []rating.Record{rec, rec})
	t.Log(a, err)
	for c, err := range e.Ratings().CountAgain(ctx, "2026", "2027") {
		t.Log(c, err)
	}
	for c, err := range e.Ratings().CellCounts(ctx, "2026", "2027") {
		t.Log(c, err)
	}
	for c, err := range e.Ratings().Recent(ctx, time.Now().Add(-time.Minute)) {
		t.Log(c, err)
	}
	key := tally.LeafKey{Unit: "u", Day: "2026-11-22", Channel: 1, Questionnaire: "q", QVersion: 1}
	if err := e.Rollups().Raise(ctx, []tally.HourCell{{Leaf: key, Hour: 14, Cell: tally.Cell{Version: tally.Version{Seen: 1}}}}); err != nil {
		t.Fatal(err)
	}
	for c, err := range e.Rollups().Leaves(ctx, "u", "2026-11-22", "2026-11-22") {
		t.Log(c, err)
		if err := e.Rollups().RaiseStrips(ctx, []tally.Strip{c.Strip()}); err != nil {
			t.Fatal(err)
		}
	}
	for c, err := range e.Rollups().Strips(ctx, 2026, nil) {
		t.Log(c.Key, err)
	}
	for c, err := range e.Rollups().Seen(ctx, "2026-11-22", "2026-11-22") {
		t.Log(c, err)
	}
	if err := e.Rollups().RaiseFacets(ctx, []tally.Facet{{Key: tally.FacetKey{Unit: "u", Month: "2026-11"}}}); err != nil {
		t.Fatal(err)
	}
	n, err := e.Blobs().Put(ctx, "a/b", strings.NewReader("hello"))
	t.Log(n, err, e.Ping(ctx))
	for _, q := range []string{"EXPLAIN QUERY PLAN SELECT e.id, t.version, t.body, e.key FROM entries e CROSS JOIN things t ON t.id = e.id WHERE e.no = 1 AND (e.key, e.id) >= ('', '') AND (e.key, e.id) < ('x', 'y') ORDER BY e.key DESC, e.id DESC LIMIT 5",
		"EXPLAIN QUERY PLAN " + strings.ReplaceAll(countAgain, "?", "1"), "EXPLAIN QUERY PLAN SELECT cell, count(*) FROM ratings WHERE cell >= 'a' AND cell < 'b' GROUP BY cell ORDER BY cell LIMIT 3",
		"EXPLAIN QUERY PLAN SELECT day, id, body FROM leaves WHERE (day, id) > ('', '') AND day <= 'x' ORDER BY day, id LIMIT 3"} {
		rows, err := e.read.Query(q)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var a, b, c int
			var s string
			rows.Scan(&a, &b, &c, &s)
			t.Log(s)
		}
		rows.Close()
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := docs.Insert(ctx, thing{ID: "3", Name: "a"}); err == nil {
		t.Fatal("closed")
	}
}

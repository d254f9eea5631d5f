package mongodb

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// TestPlans asks MongoDB how it would run our queries: by the index, never sorting in memory, and counting from
// the index alone.
func TestPlans(t *testing.T) {
	e := connected(t)
	if err := migrate(t.Context(), e.db, migrations(), discard()); err != nil {
		t.Fatal(err)
	}
	kind := store.Kind{Name: "cases", Indexes: []store.Index{
		{Name: "unit_at", Fields: []string{"unit", "at"}},
		{Name: "number", Fields: []string{"number"}, Unique: true},
		{Name: "tag_at", Fields: []string{"tags", "at"}, Multi: true},
	}}
	opened, err := e.Documents(t.Context(), kind)
	if err != nil {
		t.Fatal(err)
	}
	d := opened.(*documents)
	for i := range 50 {
		raw, err := bson.Marshal(bson.D{{Key: "_id", Value: fmt.Sprint(i)}, {Key: "unit", Value: "u"}, {Key: "at", Value: int64(i / 3)}, {Key: "number", Value: int64(i)}, {Key: "tags", Value: bson.A{"a", fmt.Sprint(i)}}})
		if err != nil {
			t.Fatal(err)
		}
		if errs, err := d.Insert(t.Context(), raw); err != nil || errs[0] != nil {
			t.Fatal(errs, err)
		}
	}
	for name, query := range map[string]store.Query{
		"by id":    {},
		"equal":    {Index: "unit_at", Equal: []any{"u"}, Limit: 5},
		"range":    {Index: "unit_at", Equal: []any{"u"}, From: 3, To: 9},
		"unique":   {Index: "number", From: 5},
		"multi":    {Index: "tag_at", Equal: []any{"a"}, Limit: 5},
		"multi to": {Index: "tag_at", Equal: []any{"a"}, From: 2, To: 9},
	} {
		for _, desc := range []bool{false, true} {
			query.Desc, query.After = desc, ""
			first := query
			first.Limit = 4
			for item, err := range d.Find(t.Context(), first) {
				if err != nil {
					t.Fatal(err)
				}
				query.After = item.Cursor
			}
			s, err := d.span(query)
			if err != nil {
				t.Fatal(err)
			}
			find := bson.D{{Key: "find", Value: kind.Name}, {Key: "hint", Value: s.Name}}
			if s.Multi {
				find = append(find, bson.E{Key: "filter", Value: s.multiFilter()}, bson.E{Key: "sort", Value: s.order(s.equal)})
			} else {
				find = append(find, bson.E{Key: "min", Value: s.bound(s.from)}, bson.E{Key: "max", Value: s.bound(s.to)}, bson.E{Key: "sort", Value: s.order(0)})
			}
			if stages := planOf(t, e.db, find); !slices.Contains(stages, "IXSCAN") || slices.Contains(stages, "SORT") || slices.Contains(stages, "COLLSCAN") {
				t.Errorf("%s, desc %v: %v", name, desc, stages)
			}
		}
	}
	for name, run := range map[string]struct {
		pipeline mongo.Pipeline
		hint     string
	}{
		"cell counts": {countsPipeline("2026", "2027"), indexCell},
		"recent":      {recentPipeline(time.Now()), indexReceived},
	} {
		stages := planOf(t, e.db, bson.D{{Key: "aggregate", Value: collRatings}, {Key: "pipeline", Value: run.pipeline}, {Key: "hint", Value: run.hint}, {Key: "cursor", Value: bson.D{}}})
		if !slices.Contains(stages, "IXSCAN") || slices.Contains(stages, "FETCH") || slices.Contains(stages, "COLLSCAN") {
			t.Errorf("%s does not read the index alone: %v", name, stages)
		}
	}
}

// planOf answers the stages of a command's plan.
func planOf(t *testing.T, db *mongo.Database, command bson.D) []string {
	t.Helper()
	raw, err := db.RunCommand(t.Context(), bson.D{{Key: "explain", Value: command}, {Key: "verbosity", Value: "queryPlanner"}}).Raw()
	if err != nil {
		t.Fatal(err)
	}
	var stages []string
	var walk func(value bson.RawValue)
	walk = func(value bson.RawValue) {
		var elements []bson.RawElement
		switch value.Type {
		case bson.TypeEmbeddedDocument:
			elements, _ = value.Document().Elements()
		case bson.TypeArray:
			elements, _ = bson.Raw(value.Array()).Elements()
		}
		for _, element := range elements {
			switch element.Key() {
			case "rejectedPlans", "command", "serverInfo":
				continue
			case "stage":
				stages = append(stages, element.Value().StringValue())
			}
			walk(element.Value())
		}
	}
	walk(bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: raw})
	return stages
}

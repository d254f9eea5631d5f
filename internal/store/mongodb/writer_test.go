package mongodb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestOneBadDocumentHarmsNobody inserts documents that the server refuses, some by failing the whole command, beside
// those of others.
func TestOneBadDocumentHarmsNobody(t *testing.T) {
	uri, database := testDatabase(t)
	engine := open(t, uri, database)
	defer func() { _ = engine.Close() }()
	documents, err := engine.Documents(t.Context(), store.Kind{Name: "notes", Indexes: []store.Index{
		{Name: "name", Fields: []string{"name"}, Unique: true}, {Name: "by_n", Fields: []string{"n"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var deep any = 1
	for range 250 { // MongoDB takes 180
		deep = bson.D{{Key: "d", Value: deep}}
	}
	bad := map[string]struct {
		document bson.D
		wanted   error
	}{
		"too deep":          {bson.D{{Key: "_id", Value: "deep"}, {Key: "d", Value: deep}}, store.ErrInvalid},
		"too large":         {bson.D{{Key: "_id", Value: "large"}, {Key: "t", Value: strings.Repeat("x", 16<<20)}}, store.ErrTooLarge},
		"large to the byte": {bson.D{{Key: "_id", Value: "byte"}, {Key: "t", Value: strings.Repeat("x", 16<<20-28)}}, store.ErrTooLarge},
		"id not first":      {bson.D{{Key: "n", Value: 1}, {Key: "_id", Value: "second"}}, store.ErrInvalid},
		"engine's field":    {bson.D{{Key: "_id", Value: "v"}, {Key: "_v", Value: int64(1)}}, store.ErrInvalid},
		"indexed array":     {bson.D{{Key: "_id", Value: "array"}, {Key: "n", Value: bson.A{1, 2}}}, store.ErrInvalid},
		"indexed double":    {bson.D{{Key: "_id", Value: "double"}, {Key: "n", Value: 1.5}}, store.ErrInvalid},
		"exists":            {bson.D{{Key: "_id", Value: "there"}}, store.ErrExists},
		"taken":             {bson.D{{Key: "_id", Value: "other"}, {Key: "name", Value: "taken"}}, store.ErrTaken},
	}
	insertOne(t, documents, bson.D{{Key: "_id", Value: "there"}, {Key: "name", Value: "taken"}})
	var group sync.WaitGroup
	for name, b := range bad {
		group.Go(func() {
			raw, err := bson.Marshal(b.document)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range 5 {
				fine := func(n int) []byte {
					raw, err := bson.Marshal(bson.D{{Key: "_id", Value: fmt.Sprint(name, i, n)}})
					if err != nil {
						t.Error(err)
					}
					return raw
				}
				errs, err := documents.Insert(t.Context(), fine(0), raw, fine(1))
				if err != nil {
					t.Errorf("%s: the call failed: %v", name, err)
					return
				}
				if errs[0] != nil || errs[2] != nil || !errors.Is(errs[1], b.wanted) {
					t.Errorf("%s: %v", name, errs)
				}
			}
		})
	}
	for w := range 16 {
		group.Go(func() {
			for n := range 20 {
				raw, err := bson.Marshal(bson.D{{Key: "_id", Value: fmt.Sprint("good", w, "-", n)}})
				if err != nil {
					t.Error(err)
				}
				errs, err := documents.Insert(t.Context(), raw)
				if err != nil || errs[0] != nil {
					t.Error(errs, err)
				}
			}
		})
	}
	group.Wait()
	found := 0
	for _, err := range documents.Find(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		found++
	}
	if want := 1 + len(bad)*5*2 + 16*20; found != want {
		t.Errorf("%d documents, want %d", found, want)
	}
}

// TestLargestBody inserts and replaces a body of exactly what MongoDB takes.
func TestLargestBody(t *testing.T) {
	uri, database := testDatabase(t)
	engine := open(t, uri, database)
	defer func() { _ = engine.Close() }()
	documents, err := engine.Documents(t.Context(), store.Kind{Name: "notes"})
	if err != nil {
		t.Fatal(err)
	}
	document := func(size int) bson.D {
		return bson.D{{Key: "_id", Value: "large"}, {Key: "t", Value: strings.Repeat("x", size)}}
	}
	overhead, err := bson.Marshal(document(0))
	if err != nil {
		t.Fatal(err)
	}
	const version = 12
	insertOne(t, documents, document(16<<20-version-len(overhead)))
	item, err := documents.Get(context.Background(), "large")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := documents.Replace(t.Context(), item.Body, item.Version); err != nil {
		t.Fatal(err)
	}
}

package sqlite

import (
	"fmt"
	"testing"

	"github.com/hailong-vn/hailong/internal/store"
)

// A document may have more entries than one statement adds; a replace moves some of them and leaves the others.
func TestMoreEntriesThanOneStatementAdds(t *testing.T) {
	type tagged struct {
		ID   string   `bson:"_id"`
		Tags []string `bson:"tags"`
	}
	for _, n := range []int{1, addedRows - 1, addedRows, addedRows + 1, 3*addedRows + 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			e := open(t, t.TempDir(), Options{})
			docs, err := store.Define[tagged]("tagged", store.Index{Name: "tag", Fields: []string{"tags"}, Multi: true}).Open(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			doc := tagged{ID: "a"}
			tags := func(from int) {
				doc.Tags = nil
				for i := range n {
					doc.Tags = append(doc.Tags, fmt.Sprint("tag", from+i))
				}
			}
			holds := func(from int) {
				t.Helper()
				for i := range 2 * n {
					_, err := docs.First(t.Context(), store.Query{Index: "tag", Equal: []any{fmt.Sprint("tag", i)}})
					if wanted := i >= from && i < from+n; (err == nil) != wanted {
						t.Errorf("tag%d: %v, found is to be %v", i, err, wanted)
					}
				}
			}
			tags(0)
			if err := docs.Insert(t.Context(), doc); err != nil {
				t.Fatal(err)
			}
			holds(0)
			tags(n / 2)
			if _, err := docs.Replace(t.Context(), "a", doc, 1); err != nil {
				t.Fatal(err)
			}
			holds(n / 2)
		})
	}
}

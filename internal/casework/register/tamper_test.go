package register_test

import (
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/hailong-vn/hailong/internal/casework/register"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/testengine"
)

// Somebody with the database's own password alters what was sealed.
func TestAlteredPartsAreFound(t *testing.T) {
	uri, database := testengine.MongoDB(t)
	engine, err := mongodb.Open(t.Context(), uri, mongodb.Options{Database: database})
	if err != nil {
		t.Fatal(err)
	}
	h := houseOn(t, engine)
	for i := range 4 {
		h.open(fmt.Sprint("việc ", i))
	}
	h.on("2027-01-05")
	if _, err := h.Close(t.Context(), "xa", 2026, lan, ""); err != nil {
		t.Fatal(err)
	}
	parts, err := engine.Documents(t.Context(), store.Kind{Name: "register_parts"}) // as if it were not append-only
	if err != nil {
		t.Fatal(err)
	}
	item, err := parts.Get(t.Context(), "xa/2026/000000")
	if err != nil {
		t.Fatal(err)
	}
	type part struct {
		ID    string   `bson:"_id"`
		Lines []string `bson:"lines"`
		Links [][]byte `bson:"links"`
		Open  []int    `bson:"open"`
	}
	version := item.Version
	for _, test := range []struct {
		name  string
		alter func(p *part)
		first int
		how   string
	}{
		{"nothing", func(*part) {}, 0, ""},
		{"a row", func(p *part) { p.Lines[2] = strings.Replace(p.Lines[2], "việc 2", "việc khác", 1) }, 3, register.RowDiffers},
		{"rows in another order", func(p *part) { p.Lines[1], p.Lines[2] = p.Lines[2], p.Lines[1] }, 2, register.RowDiffers},
		{"the last row left out", func(p *part) { p.Lines, p.Links = p.Lines[:3], p.Links[:3] }, 4, register.CaseDiffers},
		{"a row added", func(p *part) { p.Lines = append(p.Lines, p.Lines[3]) }, 5, register.RowDiffers},
	} {
		t.Run(test.name, func(t *testing.T) {
			var p part
			if err := bson.Unmarshal(item.Body, &p); err != nil {
				t.Fatal(err)
			}
			test.alter(&p)
			body, err := bson.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if version, err = parts.Replace(t.Context(), body, version); err != nil {
				t.Fatal(err)
			}
			found, err := h.Verify(t.Context(), "xa", 2026)
			if err != nil || found.First != test.first || found.How != test.how || found.Intact() != (test.how == "") {
				t.Errorf("%+v %v", found, err)
			}
		})
	}
}

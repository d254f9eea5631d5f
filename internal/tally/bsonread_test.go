package tally

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func drawCounts(t *rapid.T) (counts Counts) {
	for i := range counts {
		counts[i] = rapid.OneOf(rapid.Uint32Max(9), rapid.Uint32()).Draw(t, "count")
	}
	return counts
}

func drawCountsByKey(t *rapid.T) map[string]Counts {
	return rapid.MapOf(rapid.StringMatching(`[a-zệ1.@/]{0,6}`), rapid.Custom(drawCounts)).Draw(t, "by key")
}

func drawLeaf(t *rapid.T) Leaf {
	leaf := Leaf{
		Key: LeafKey{
			Unit: rapid.StringMatching(`[A-Z]{1,3}`).Draw(t, "unit"), Day: localday.Day("2026-01-01").Add(rapid.IntRange(0, 700).Draw(t, "day")),
			Channel: pb.Channel(rapid.Int32Range(0, 9).Draw(t, "channel")), Questionnaire: "kiosk", QVersion: rapid.Int32().Draw(t, "version"),
		},
		Hours: map[int]Cell{},
	}
	for _, hour := range rapid.SliceOfDistinct(rapid.IntRange(0, 23), rapid.ID).Draw(t, "hours") {
		cell := Cell{Version: Version{rapid.Uint32().Draw(t, "epoch"), rapid.Uint32().Draw(t, "seen")}, Overall: drawCounts(t), Flagged: drawCounts(t)}
		if questions := drawCountsByKey(t); len(questions) > 0 {
			cell.Questions = questions
		}
		if choices := rapid.MapOf(rapid.StringMatching(`[a-z/]{0,5}`), rapid.Uint32()).Draw(t, "choices"); len(choices) > 0 {
			cell.Choices = choices
		}
		leaf.Hours[hour] = cell
	}
	return leaf
}

func drawFacet(t *rapid.T) Facet {
	return Facet{
		Key: FacetKey{Unit: rapid.StringMatching(`[A-Z]{1,3}`).Draw(t, "unit"), Month: "2026-11"}, Version: Version{FacetEpoch(rapid.Uint32Max(9).Draw(t, "epoch")), rapid.Uint32().Draw(t, "seen")},
		Counters: drawCountsByKey(t), Procedures: drawCountsByKey(t), Officials: drawCountsByKey(t), Questions: drawCountsByKey(t),
	}
}

// What is written is read by hand, and the same as the driver reads it.
func TestReadByHand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaf, facet := drawLeaf(t), drawFacet(t)
		leafData, err := bson.Marshal(leaf)
		if err != nil {
			t.Fatal(err)
		}
		facetData, err := bson.Marshal(facet)
		if err != nil {
			t.Fatal(err)
		}
		if got, id, ok := readLeaf(leafData); !ok || id != leaf.Key.ID() || !cmp.Equal(leaf, got) {
			t.Fatalf("by hand %v:\n%s", ok, cmp.Diff(leaf, got))
		}
		if got, id, ok := readFacet(facetData); !ok || id != facet.Key.ID() || !cmp.Equal(facet, got) {
			t.Fatalf("by hand %v:\n%s", ok, cmp.Diff(facet, got))
		}
		if got, _, err := decodeLeaf(leafData); err != nil || !cmp.Equal(leaf, got) {
			t.Fatalf("by the driver %v:\n%s", err, cmp.Diff(leaf, got))
		}
		if got, _, err := decodeFacet(facetData); err != nil || !cmp.Equal(facet, got) {
			t.Fatalf("by the driver %v:\n%s", err, cmp.Diff(facet, got))
		}
	})
}

// Of damaged documents, those that are read by hand are read as the driver reads them.
func TestReadByHandOfDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leafData, _ := bson.Marshal(drawLeaf(t))
		facetData, _ := bson.Marshal(drawFacet(t))
		for _, data := range [][]byte{leafData, facetData} {
			for range rapid.IntRange(1, 3).Draw(t, "damages") {
				data[rapid.IntRange(0, len(data)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			}
		}
		if got, id, ok := readLeaf(leafData); ok {
			if want, wantID, err := decodeLeaf(leafData); err != nil || id != wantID || !cmp.Equal(want, got) {
				t.Fatalf("the driver says %v:\n%s", err, cmp.Diff(want, got))
			}
		}
		if got, id, ok := readFacet(facetData); ok {
			if want, wantID, err := decodeFacet(facetData); err != nil || id != wantID || !cmp.Equal(want, got) {
				t.Fatalf("the driver says %v:\n%s", err, cmp.Diff(want, got))
			}
		}
	})
}

// What an engine may write otherwise, or a later program adds, is still read.
func TestWhatIsLeftToTheDriver(t *testing.T) {
	leaf := Leaf{Key: LeafKey{Unit: "A", Day: "2026-11-22", Channel: 1, Questionnaire: "kiosk", QVersion: 3}, Hours: map[int]Cell{9: {Version: Version{1, 2}, Overall: Counts{5: 2}}}}
	data, err := bson.Marshal(leaf)
	if err != nil {
		t.Fatal(err)
	}
	var document bson.D
	if err := bson.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(bson.D) bson.D{
		"a field that is not known":         func(d bson.D) bson.D { return append(d, bson.E{Key: "later", Value: "x"}) },
		"one of a type that is not either":  func(d bson.D) bson.D { return append(d, bson.E{Key: "later", Value: 1.5}) },
		"the channel as a number of 64 bit": func(d bson.D) bson.D { d[3].Value = int64(1); return d },
		"the version as a whole double":     func(d bson.D) bson.D { d[5].Value = 3.0; return d },
	} {
		t.Run(name, func(t *testing.T) {
			data, err := bson.Marshal(change(append(bson.D(nil), document...)))
			if err != nil {
				t.Fatal(err)
			}
			var got Leaf
			if err := bson.Unmarshal(data, &got); err != nil || !cmp.Equal(leaf, got) {
				t.Errorf("%v:\n%s", err, cmp.Diff(leaf, got))
			}
		})
	}
}

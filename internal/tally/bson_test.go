package tally

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func sampleLeaf() Leaf {
	return Leaf{
		Key: LeafKey{Unit: "01.A", Day: "2026-11-22", Channel: pb.Channel_CHANNEL_KIOSK, Questionnaire: "kiosk", QVersion: 3},
		Hours: map[int]Cell{
			0: {Version: Version{Epoch: 1, Seen: 1}, Overall: Counts{0, 0, 0, 0, 0, 1}},
			5: {
				Version: Version{Epoch: 2, Seen: 4_000_000_000}, Overall: Counts{1, 2, 3, 4, 5, 4_000_000_000}, Flagged: Counts{1, 1},
				Questions: map[string]Counts{"attitude": {0, 1, 2}}, Choices: map[string]uint32{"why/slow": 3},
			},
			23: {Version: Version{Epoch: 1, Seen: 2}, Overall: Counts{2}},
		},
	}
}

func TestBSONKeepsEverything(t *testing.T) {
	roundTrip := func(t *testing.T, in, out any) bson.Raw {
		t.Helper()
		data, err := bson.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		if err := bson.Unmarshal(data, out); err != nil {
			t.Fatal(err)
		}
		return data
	}
	t.Run("leaf", func(t *testing.T) {
		var back Leaf
		raw := roundTrip(t, sampleLeaf(), &back)
		if diff := cmp.Diff(sampleLeaf(), back); diff != "" {
			t.Error(diff)
		}
		if id := raw.Lookup("_id").StringValue(); id != "01.A/2026-11-22/1/kiosk@3" {
			t.Error(id)
		}
		if n := raw.Lookup("h", "05", "o", "4"); n.Type != bson.TypeInt32 || n.Int32() != 5 {
			t.Errorf("h.05.o.4 = %v", n)
		}
		if n := raw.Lookup("h", "05", "n"); n.Int64() != 4_000_000_000 {
			t.Errorf("h.05.n = %v", n)
		}
		if n := raw.Lookup("h", "05", "c", "why/slow"); n.Int32() != 3 {
			t.Errorf("h.05.c = %v", n)
		}
	})
	t.Run("strip", func(t *testing.T) {
		strip := sampleLeaf().Strip()
		var back Strip
		raw := roundTrip(t, strip, &back)
		if !strip.Equal(back) || back.Check() != nil {
			t.Errorf("got %+v", back)
		}
		if id := raw.Lookup("_id").StringValue(); id != "2026/01.A/kiosk@3" {
			t.Error(id)
		}
		at, slot := sampleLeaf().Slot()
		if got, ok := back.Slot(at); !ok || got != slot {
			t.Errorf("slot %v = %v, want %v", at, got, slot)
		}
	})
	t.Run("empty strip", func(t *testing.T) {
		strip := Strip{Key: StripKey{Year: 2026, Unit: "A", Questionnaire: "k", QVersion: 1}}
		var back Strip
		roundTrip(t, strip, &back)
		if !strip.Equal(back) {
			t.Errorf("got %+v", back)
		}
	})
	t.Run("facet", func(t *testing.T) {
		facet := Facet{
			Key: FacetKey{Unit: "A", Month: "2026-11"}, Version: Version{Epoch: 1, Seen: 9},
			Counters:   map[string]Counts{"q1": {0, 0, 7}},
			Procedures: map[string]Counts{"1.004.H29": {0, 1}, "2.0": {5}}, Officials: map[string]Counts{},
			Questions: map[string]Counts{"kiosk@3/overall": {0, 0, 0, 1}},
		}
		var back Facet
		raw := roundTrip(t, facet, &back)
		if diff := cmp.Diff(facet, back); diff != "" {
			t.Error(diff)
		}
		if id := raw.Lookup("_id").StringValue(); id != "A/2026-11" {
			t.Error(id)
		}
	})
}

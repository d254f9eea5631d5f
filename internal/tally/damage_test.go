package tally

import (
	"maps"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// useStrip does with a strip all that can be done; none of it may panic, whatever the bytes.
func useStrip(strip Strip) {
	for range strip.Slots() {
		continue
	}
	strip.Sum(-5, 400)
	strip.Sum(40, 300, 1, 2)
	strip.Slot(SlotKey{200, 1})
	strip.Join(fullYearOfTests).Join(strip)
	_ = strip.Check()
}

var fullYearOfTests = fullYear("A", 2)

func FuzzStripDocument(f *testing.F) {
	for _, strip := range []Strip{{Key: fullYearOfTests.Key}, sampleLeaf().Strip(), fullYearOfTests} {
		data, err := bson.Marshal(strip)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var strip Strip
		if bson.Unmarshal(data, &strip) == nil {
			useStrip(strip)
		}
	})
}

// The checksum keeps a fuzzer out; here it is made right, so that what lies behind it is tried.
func FuzzSealedStrip(f *testing.F) {
	whole := func(b []byte) []byte { return b[:len(b)-tailSize] }
	f.Add(whole(fullYearOfTests.slots), whole(fullYearOfTests.months))
	leaf := sampleLeaf().Strip()
	f.Add(whole(leaf.slots), whole(leaf.months))
	f.Add([]byte{packVersion}, []byte{packVersion})
	f.Add([]byte{packVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, []byte{packVersion, 11, 0x80})
	f.Add([]byte{packVersion, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40, 1, 0, 1}, []byte{packVersion, 12, 1, 0})
	f.Fuzz(func(t *testing.T, slots, months []byte) {
		strip, err := unpackStrip(fullYearOfTests.Key, seal(append([]byte(nil), slots...)), seal(append([]byte(nil), months...)))
		if err != nil {
			return
		}
		useStrip(strip)
		if strip.Check() == nil {
			var entries []entry
			for e := range strip.entries() {
				entries = append(entries, e)
			}
			if !packStrip(strip.Key, entries).Equal(strip) {
				t.Fatal("sound bytes do not come back")
			}
		}
	})
}

func FuzzLeafDocument(f *testing.F) {
	data, err := bson.Marshal(sampleLeaf())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		var leaf Leaf
		if bson.Unmarshal(data, &leaf) == nil {
			leaf.Slot()
			if _, err := bson.Marshal(leaf); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzFacetDocument(f *testing.F) {
	data, err := bson.Marshal(Facet{Key: FacetKey{Unit: "A", Month: "2026-11"}, Procedures: map[string]Counts{"1.2": {1, 2}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		var facet Facet
		if bson.Unmarshal(data, &facet) == nil {
			if _, err := bson.Marshal(facet); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	strip := sampleLeaf().Strip()
	for _, part := range []struct {
		name  string
		bytes []byte
		open  func([]byte) error
	}{
		{"slots", strip.slots, func(b []byte) error { _, err := unpackStrip(strip.Key, b, strip.months); return err }},
		{"months", strip.months, func(b []byte) error { _, err := unpackStrip(strip.Key, strip.slots, b); return err }},
	} {
		for i := range part.bytes {
			for bit := range 8 {
				damaged := append([]byte(nil), part.bytes...)
				damaged[i] ^= 1 << bit
				if part.open(damaged) == nil {
					t.Errorf("%s: bit %d of byte %d", part.name, bit, i)
				}
			}
			if part.open(part.bytes[:i]) == nil {
				t.Errorf("%s cut at %d", part.name, i)
			}
		}
	}
}

func TestDamagedDocuments(t *testing.T) {
	counts := func(n ...any) bson.A { return n }
	leaf := func(change func(bson.M)) bson.M {
		document := bson.M{
			"_id": "A/2026-11-22/1/kiosk@3", "unit": "A", "day": "2026-11-22", "channel": 1, "questionnaire": "kiosk", "version": 3,
			"h": bson.M{"05": bson.M{"e": 1, "n": 1, "o": counts(0, 0, 0, 0, 0, 1), "f": counts(0, 0, 0, 0, 0, 0)}},
		}
		change(document)
		return document
	}
	hour := func(document bson.M) bson.M { return document["h"].(bson.M)["05"].(bson.M) }
	for _, c := range []struct {
		name   string
		change func(bson.M)
		fine   bool
	}{
		{"as it is", func(bson.M) {}, true},
		{"an engine's own field", func(d bson.M) { d["v"] = 7 }, true},
		{"no hours", func(d bson.M) { delete(d, "h") }, true},
		{"another id", func(d bson.M) { d["_id"] = "B/2026-11-22/1/kiosk@3" }, false},
		{"no day", func(d bson.M) { d["day"] = "tomorrow" }, false},
		{"day a number", func(d bson.M) { d["day"] = 5 }, false},
		{"negative channel", func(d bson.M) { d["channel"], d["_id"] = -1, "A/2026-11-22/-1/kiosk@3" }, false},
		{"hour 24", func(d bson.M) { d["h"].(bson.M)["24"] = hour(d) }, false},
		{"hour of one digit", func(d bson.M) { d["h"].(bson.M)["6"] = hour(d) }, false},
		{"hour with a sign", func(d bson.M) { d["h"].(bson.M)["+6"] = hour(d) }, false},
		{"five counts", func(d bson.M) { hour(d)["o"] = counts(0, 0, 0, 0, 0) }, false},
		{"seven counts", func(d bson.M) { hour(d)["o"] = counts(0, 0, 0, 0, 0, 0, 0) }, false},
		{"negative count", func(d bson.M) { hour(d)["o"] = counts(0, 0, 0, 0, 0, -1) }, false},
		{"count too large", func(d bson.M) { hour(d)["o"] = counts(0, 0, 0, 0, 0, int64(1)<<32) }, false},
		{"count a word", func(d bson.M) { hour(d)["o"] = counts(0, 0, 0, 0, 0, "x") }, false},
		{"counts not an array", func(d bson.M) { hour(d)["o"] = 6 }, false},
		{"negative seen", func(d bson.M) { hour(d)["n"] = -1 }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := bson.Marshal(leaf(c.change))
			if err != nil {
				t.Fatal(err)
			}
			var got Leaf
			if err := bson.Unmarshal(data, &got); (err == nil) != c.fine {
				t.Errorf("error %v, got %+v", err, got)
			}
		})
	}
	t.Run("a strip with a field changed or gone", func(t *testing.T) {
		data, err := bson.Marshal(sampleLeaf().Strip())
		if err != nil {
			t.Fatal(err)
		}
		var document bson.M
		if err := bson.Unmarshal(data, &document); err != nil {
			t.Fatal(err)
		}
		for name, change := range map[string]any{"unit": "B", "year": "2026", "version": int64(1) << 40, "slots": "x", "months": bson.Binary{}, "questionnaire": nil} {
			damaged := maps.Clone(document)
			damaged[name] = change
			if data, err = bson.Marshal(damaged); err != nil {
				t.Fatal(err)
			}
			var strip Strip
			if err := bson.Unmarshal(data, &strip); err == nil {
				t.Errorf("%s: read %+v", name, strip.Key)
			}
			delete(damaged, name)
			if data, err = bson.Marshal(damaged); err != nil {
				t.Fatal(err)
			}
			if err := bson.Unmarshal(data, &strip); err == nil {
				t.Errorf("without %s: read %+v", name, strip.Key)
			}
		}
	})
	t.Run("a facet under another id", func(t *testing.T) {
		data, err := bson.Marshal(bson.M{"_id": "A/2026-11", "unit": "A", "month": "2026-12"})
		if err != nil {
			t.Fatal(err)
		}
		var facet Facet
		if err := bson.Unmarshal(data, &facet); err == nil {
			t.Errorf("read %+v", facet.Key)
		}
	})
}

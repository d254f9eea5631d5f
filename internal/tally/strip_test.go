package tally

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"go.mongodb.org/mongo-driver/v2/bson"
	"pgregory.net/rapid"
)

func TestLeafToSlot(t *testing.T) {
	leaf := sampleLeaf()
	leaf.Hours[5] = Cell{Version: Version{Epoch: 2, Seen: 10}, Overall: Counts{1, 2, 3, 4, 5, 6}, Flagged: Counts{1, 1, 0, 0, 0, 1}}
	at, slot := leaf.Slot()
	if at != (SlotKey{Day: 325, Channel: pb.Channel_CHANNEL_KIOSK}) {
		t.Errorf("at %+v", at)
	}
	// Doubts are counted beside scores: the flagged rating without a score is not among them.
	if want := (Slot{Version: Version{Epoch: 4, Seen: 13}, Overall: Counts{3, 2, 3, 4, 5, 7}, Flagged: 2}); slot != want {
		t.Errorf("slot %+v", slot)
	}
	if key := leaf.StripKey(); key != (StripKey{Year: 2026, Unit: "01.A", Questionnaire: "kiosk", QVersion: 3}) || key.ID() != "2026/01.A/kiosk@3" {
		t.Errorf("key %+v", key)
	}
}

func TestNewStripRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		year int
		at   SlotKey
		fine bool
	}{
		{"the last day of a leap year", 2028, SlotKey{365, 1}, true},
		{"after the last day", 2026, SlotKey{365, 1}, false},
		{"before the first", 2026, SlotKey{-1, 1}, false},
		{"no channel", 2026, SlotKey{0, -1}, false},
		{"the last channel there could be", 2026, SlotKey{0, math.MaxInt32}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := NewStrip(StripKey{Year: c.year}, map[SlotKey]Slot{c.at: {Flagged: 1}})
			if (err == nil) != c.fine {
				t.Errorf("error %v", err)
			}
		})
	}
}

func drawSlots(t *rapid.T) map[SlotKey]Slot {
	number := rapid.OneOf(rapid.Just(uint32(0)), rapid.Uint32Range(0, 300), rapid.Uint32Range(0, 1<<24))
	return rapid.MapOfN(
		rapid.Custom(func(t *rapid.T) SlotKey {
			return SlotKey{Day: rapid.IntRange(0, 364).Draw(t, "day"), Channel: pb.Channel(rapid.IntRange(0, 5).Draw(t, "channel"))}
		}),
		rapid.Custom(func(t *rapid.T) Slot {
			slot := Slot{Version: Version{Epoch: rapid.Uint32Range(0, 2).Draw(t, "epoch"), Seen: rapid.Uint32Range(0, 3).Draw(t, "seen")}}
			for i := range slot.Overall {
				slot.Overall[i] = number.Draw(t, "count")
			}
			slot.Flagged = number.Draw(t, "flagged")
			return slot
		}), 0, 60).Draw(t, "slots")
}

func drawStrip(t *rapid.T) (Strip, map[SlotKey]Slot) {
	slots := drawSlots(t)
	strip, err := NewStrip(StripKey{Year: 2026, Unit: "A", Questionnaire: "kiosk", QVersion: 1}, slots)
	if err != nil {
		t.Fatal(err)
	}
	return strip, slots
}

func slotsOf(strip Strip) map[SlotKey]Slot {
	slots := map[SlotKey]Slot{}
	for at, slot := range strip.Slots() {
		slots[at] = slot
	}
	return slots
}

func TestStripKeepsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		strip, slots := drawStrip(t)
		data, err := bson.Marshal(strip)
		if err != nil {
			t.Fatal(err)
		}
		var back Strip
		if err := bson.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(slots, slotsOf(back)); diff != "" {
			t.Fatal(diff)
		}
		if err := back.Check(); err != nil || !strip.Equal(back) {
			t.Fatalf("came back otherwise: %v", err)
		}
		var last *SlotKey
		for at := range back.Slots() {
			if last != nil && last.compare(at) >= 0 {
				t.Fatalf("%v after %v", at, *last)
			}
			last = &at
		}
		day := rapid.IntRange(-2, 368).Draw(t, "day")
		for channel := range pb.Channel(6) {
			got, ok := back.Slot(SlotKey{day, channel})
			want, there := slots[SlotKey{day, channel}]
			if got != want || ok != there {
				t.Fatalf("day %d channel %d: %v %v, want %v %v", day, channel, got, ok, want, there)
			}
		}
	})
}

func TestStripSumsWhatItsDaysSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		strip, slots := drawStrip(t)
		from, to := rapid.IntRange(-40, 400).Draw(t, "from"), rapid.IntRange(-40, 400).Draw(t, "to")
		channels := rapid.SliceOfNDistinct(rapid.Int32Range(0, 6), 0, 3, rapid.ID).Draw(t, "channels")
		asked := map[pb.Channel]bool{}
		var list []pb.Channel
		for _, channel := range channels {
			asked[pb.Channel(channel)] = true
			list = append(list, pb.Channel(channel))
		}
		var want Counts
		var flagged uint32
		for at, slot := range slots {
			if from <= at.Day && at.Day <= to && (len(asked) == 0 || asked[at.Channel]) {
				want = want.Plus(slot.Overall)
				flagged += slot.Flagged
			}
		}
		if got, doubts := strip.Sum(from, to, list...); got != want || doubts != flagged {
			t.Fatalf("days %d to %d of %v: %v %d, want %v %d", from, to, list, got, doubts, want, flagged)
		}
	})
}

func TestJoinIsASemilattice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, slotsA := drawStrip(t)
		b, slotsB := drawStrip(t)
		c, _ := drawStrip(t)
		same := func(what string, x, y Strip) {
			if !x.Equal(y) {
				t.Fatalf("%s: %s", what, cmp.Diff(slotsOf(x), slotsOf(y)))
			}
		}
		same("idempotent", a.Join(a), a)
		same("commutative", a.Join(b), b.Join(a))
		same("associative", a.Join(b).Join(c), a.Join(b.Join(c)))
		same("absorbs", a.Join(b).Join(a), a.Join(b))
		same("nothing", a.Join(Strip{Key: a.Key}), a)
		same("to nothing", Strip{Key: a.Key}.Join(a), a)
		if err := a.Join(b).Check(); err != nil {
			t.Fatal(err)
		}
		joined := slotsOf(a.Join(b))
		for at, slot := range joined {
			x, inA := slotsA[at]
			y, inB := slotsB[at]
			ours, theirs := inA && slot == x, inB && slot == y
			if slot.Less(x.Version) || slot.Less(y.Version) {
				t.Fatalf("%v went back: %v of %v and %v", at, slot, x, y)
			}
			if !ours && !theirs {
				t.Fatalf("%v is neither %v nor %v: %v", at, x, y, slot)
			}
		}
		for _, slots := range []map[SlotKey]Slot{slotsA, slotsB} {
			for at := range slots {
				if _, ok := joined[at]; !ok {
					t.Fatalf("%v is lost", at)
				}
			}
		}
	})
}

func TestJoinKeepsToItsKey(t *testing.T) {
	a := sampleLeaf().Strip()
	other := sampleLeaf()
	other.Key.Unit = "B"
	if got := a.Join(other.Strip()); !got.Equal(a) {
		t.Errorf("joined %v to %v", other.Key, got.Key)
	}
}

// fullYear is a unit with so many channels, open every day, rated on average 20 times a day and channel.
func fullYear(unit string, channels int) Strip {
	random := rand.New(rand.NewPCG(2026, uint64(channels)))
	slots := map[SlotKey]Slot{}
	for day := range 365 {
		for channel := 1; channel <= channels; channel++ {
			slot := Slot{Version: Version{Epoch: 9}}
			for score := 1; score <= 5; score++ {
				slot.Overall[score] = uint32(random.IntN(3 * score))
			}
			slot.Seen = slot.Overall.N() + uint32(random.IntN(3))
			slot.Flagged = uint32(random.IntN(2))
			slots[SlotKey{day, pb.Channel(channel)}] = slot
		}
	}
	strip, err := NewStrip(StripKey{Year: 2026, Unit: unit, Questionnaire: "kiosk", QVersion: 1}, slots)
	if err != nil {
		panic(err)
	}
	return strip
}

func TestAFullYearIsAFewKilobytes(t *testing.T) {
	for channels, most := range map[int]int{1: 5_000, 4: 20_000} {
		data, err := bson.Marshal(fullYear("A", channels))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d channels: %d bytes", channels, len(data))
		if len(data) > most {
			t.Errorf("%d channels: %d bytes", channels, len(data))
		}
	}
}

// What ranking does, short of the engine: 3,321 documents are decoded and summed.
func BenchmarkRankACountry(b *testing.B) {
	for _, c := range []struct {
		name     string
		channels int
	}{{"one channel", 1}, {"four channels", 4}} {
		b.Run(c.name, func(b *testing.B) {
			data, err := bson.Marshal(fullYear("A", c.channels))
			if err != nil {
				b.Fatal(err)
			}
			for _, how := range []struct {
				name string
				read func(*Strip) error
			}{
				{"ReadStrip", func(strip *Strip) (err error) { *strip, err = ReadStrip(data); return err }},
				{"UnmarshalBSON", func(strip *Strip) error { return strip.UnmarshalBSON(data) }},
				{"bson.Unmarshal", func(strip *Strip) error { return bson.Unmarshal(data, strip) }},
			} {
				for _, days := range []struct {
					name     string
					from, to int
				}{{"a year", 0, 364}, {"2 January to 30 December", 1, 363}} {
					b.Run(how.name+"/"+days.name, func(b *testing.B) {
						b.ReportAllocs()
						for b.Loop() {
							for range 3321 {
								var strip Strip
								if err := how.read(&strip); err != nil {
									b.Fatal(err)
								}
								if counts, _ := strip.Sum(days.from, days.to); counts.N() == 0 {
									b.Fatal("nothing")
								}
							}
						}
					})
				}
			}
		})
	}
}

func BenchmarkJoin(b *testing.B) {
	year := fullYear("A", 4)
	at := SlotKey{200, 2}
	slot, _ := year.Slot(at)
	slot.Seen++
	day, err := NewStrip(year.Key, map[SlotKey]Slot{at: slot})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		year.Join(day)
	}
}

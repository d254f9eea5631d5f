package tally

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"pgregory.net/rapid"
)

const testCell = "2026-11-22/A/1/kiosk@3/05"

// given is a rating in testCell, received so many seconds after the hour began.
func given(id string, second int, score int32, revises string) rating.Record {
	counted, err := rating.ParseCell(testCell)
	if err != nil {
		panic(err)
	}
	return rating.Record{
		ID: rating.RecordID("h", "A", id), Kind: rating.KindRating, Cell: testCell, Counted: counted, Score: score, Revises: revises,
		ReceivedAt: counted.Day.Start().Add(5*time.Hour + time.Duration(second)*time.Second).UTC(),
	}
}

func doubt(id, about string) rating.Record {
	record := given(id, 9, 0, "")
	record.Kind, record.About = rating.KindAnnotation, about
	return record
}

func again(record rating.Record) rating.Record {
	record.Flags = []string{rating.FlagTicketAgain}
	return record
}

func with(record rating.Record, change func(*rating.Record)) rating.Record {
	change(&record)
	return record
}

func TestFold(t *testing.T) {
	answers := func(list ...rating.Answer) rating.Record {
		return with(given("a", 1, 4, ""), func(r *rating.Record) { r.Answers = list })
	}
	for _, c := range []struct {
		name    string
		records []rating.Record
		want    Cell // Seen is set where it is not the number of records
	}{
		{"empty", nil, Cell{}},
		{"scores", []rating.Record{given("a", 1, 5, ""), given("b", 1, 5, ""), given("c", 1, 1, ""), given("d", 1, 0, "")}, Cell{Overall: Counts{1, 1, 0, 0, 0, 2}}},
		{"the same record again", []rating.Record{given("a", 1, 5, ""), given("a", 1, 5, "")}, Cell{Version: Version{Seen: 1}, Overall: Counts{5: 1}}},
		{"a revision", []rating.Record{given("a", 1, 5, ""), given("b", 2, 1, "a")}, Cell{Overall: Counts{1: 1}}},
		{"a revision received first", []rating.Record{given("a", 2, 5, ""), given("b", 1, 1, "a")}, Cell{Overall: Counts{1: 1}}},
		{"a chain", []rating.Record{given("a", 1, 5, ""), given("b", 2, 1, "a"), given("c", 3, 3, "b")}, Cell{Overall: Counts{3: 1}}},
		{"two revisions of one: the later", []rating.Record{given("a", 1, 5, ""), given("c", 2, 1, "a"), given("b", 3, 2, "a")}, Cell{Overall: Counts{2: 1}}},
		{"at the same time: the greater id", []rating.Record{given("a", 1, 5, ""), given("c", 2, 1, "a"), given("b", 2, 2, "a")}, Cell{Overall: Counts{1: 1}}},
		{"of a rating elsewhere", []rating.Record{given("b", 2, 2, "elsewhere")}, Cell{Overall: Counts{2: 1}}},
		{"two of a rating elsewhere", []rating.Record{given("b", 2, 2, "elsewhere"), given("c", 3, 4, "elsewhere")}, Cell{Overall: Counts{4: 1}}},
		{"of itself", []rating.Record{given("a", 1, 5, "a")}, Cell{Overall: Counts{5: 1}}},
		{"a ring of two: the later", []rating.Record{given("a", 1, 5, "b"), given("b", 2, 1, "a")}, Cell{Overall: Counts{1: 1}}},
		{"a ring of three: what revises the earliest's revision", []rating.Record{given("a", 1, 5, "c"), given("b", 2, 1, "a"), given("c", 3, 3, "b")}, Cell{Overall: Counts{3: 1}}},
		{"a ring and a later revision", []rating.Record{given("a", 1, 5, "b"), given("b", 2, 1, "a"), given("c", 3, 4, "b")}, Cell{Overall: Counts{4: 1}}},
		{"two rings", []rating.Record{given("a", 1, 5, "b"), given("b", 2, 1, "a"), given("c", 1, 3, "d"), given("d", 2, 4, "c")}, Cell{Overall: Counts{1: 1, 4: 1}}},
		{"an annotation revises nothing", []rating.Record{given("a", 1, 5, ""), with(doubt("x", ""), func(r *rating.Record) { r.Revises = "a" })}, Cell{Overall: Counts{5: 1}}},
		{"flagged at intake", []rating.Record{with(given("a", 1, 5, ""), func(r *rating.Record) { r.Flags = []string{rating.FlagOld} })}, Cell{Overall: Counts{5: 1}, Flagged: Counts{5: 1}}},
		{"a ticket again: seen, in no figure", []rating.Record{given("a", 1, 5, ""), again(given("b", 2, 1, ""))}, Cell{Overall: Counts{5: 1}}},
		{"a ticket again, doubted and with answers", []rating.Record{with(again(given("b", 2, 1, "")), func(r *rating.Record) {
			r.Flags = append(r.Flags, rating.FlagTooSoon)
			r.Answers = []rating.Answer{{Question: "q", Score: 3}, {Question: "why", Choices: []string{"slow"}}}
		}), doubt("x", "b")}, Cell{}},
		{"a correction of a ticket again is one too", []rating.Record{given("a", 1, 5, ""), again(given("b", 2, 1, "")), again(given("c", 3, 2, "b"))}, Cell{Overall: Counts{5: 1}}},
		{"a correction that names another ticket", []rating.Record{given("a", 1, 5, ""), again(given("b", 2, 1, "")), given("c", 3, 2, "b")}, Cell{Overall: Counts{2: 1, 5: 1}}},
		{"a correction to a ticket that is taken", []rating.Record{given("a", 1, 5, ""), again(given("b", 2, 1, "a"))}, Cell{}},
		{"doubted twice", []rating.Record{given("a", 1, 5, ""), doubt("x", "a"), doubt("y", "a")}, Cell{Overall: Counts{5: 1}, Flagged: Counts{5: 1}}},
		{"a doubt about one revised", []rating.Record{given("a", 1, 5, ""), given("b", 2, 1, "a"), doubt("x", "a")}, Cell{Overall: Counts{1: 1}}},
		{"a doubt about nothing here", []rating.Record{given("a", 1, 5, ""), doubt("x", "elsewhere")}, Cell{Overall: Counts{5: 1}}},
		{"a kind of later versions", []rating.Record{given("a", 1, 5, ""), with(given("b", 1, 1, "a"), func(r *rating.Record) { r.Kind = "erasure" })}, Cell{Overall: Counts{5: 1}}},
		{"answers", []rating.Record{answers(
			rating.Answer{Question: "attitude", Score: 2},
			rating.Answer{Question: "left", Score: 0},
			rating.Answer{Question: "why", Choices: []string{"slow", "rude", "slow"}},
			rating.Answer{Question: "button", Score: 5, Choices: []string{"happy"}},
			rating.Answer{Question: "attitude", Score: 5},
		)}, Cell{
			Overall:   Counts{4: 1},
			Questions: map[string]Counts{"attitude": {2: 1}, "left": {0: 1}, "button": {5: 1}},
			Choices:   map[string]uint32{"why/slow": 1, "why/rude": 1, "button/happy": 1},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want.Seen == 0 {
				c.want.Seen = uint32(len(c.records))
			}
			c.want.Epoch = 7
			got, err := Fold(7, testCell, c.records)
			if err != nil {
				t.Fatal(err)
			}
			want := HourCell{Leaf: LeafKey{Unit: "A", Day: "2026-11-22", Channel: pb.Channel_CHANNEL_KIOSK, Questionnaire: "kiosk", QVersion: 3}, Hour: 5, Cell: c.want}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if got.Leaf.Cell(got.Hour) != testCell {
				t.Errorf("address %s", got.Leaf.Cell(got.Hour))
			}
		})
	}
}

func TestFoldRefusesDamage(t *testing.T) {
	fine := given("a", 1, 5, "")
	for _, c := range []struct {
		name    string
		cell    string
		records []rating.Record
	}{
		{"no address", "nonsense", nil},
		{"an address written otherwise", "2026-11-22/A/1/kiosk@3/5", nil},
		{"another cell's record", testCell, []rating.Record{fine, with(given("b", 1, 5, ""), func(r *rating.Record) { r.Cell = "2026-11-22/A/1/kiosk@3/06" })}},
		{"one id, two contents", testCell, []rating.Record{fine, with(fine, func(r *rating.Record) { r.Score = 4 })}},
		{"one id, a ticket again or not", testCell, []rating.Record{again(fine), with(fine, func(r *rating.Record) { r.Flags = []string{rating.FlagOld} })}},
		{"score 6", testCell, []rating.Record{with(fine, func(r *rating.Record) { r.Score = 6 })}},
		{"score -1", testCell, []rating.Record{with(fine, func(r *rating.Record) { r.Score = -1 })}},
		{"answer 6", testCell, []rating.Record{with(fine, func(r *rating.Record) { r.Answers = []rating.Answer{{Question: "q", Score: 6}} })}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := Fold(1, c.cell, c.records); err == nil {
				t.Errorf("folded to %+v", got)
			}
		})
	}
}

// drawRecords draws a cell full of revisions, rings, doubts and copies.
func drawRecords(t *rapid.T) []rating.Record {
	size := rapid.IntRange(0, 14).Draw(t, "records")
	id := func(what string) string { return fmt.Sprintf("r%02d", rapid.IntRange(0, size).Draw(t, what)) }
	var records []rating.Record
	for i := range size {
		record := given(fmt.Sprintf("r%02d", i), rapid.IntRange(0, 3).Draw(t, "second"), int32(rapid.IntRange(0, 5).Draw(t, "score")), "")
		switch rapid.IntRange(0, 4).Draw(t, "sort") {
		case 0:
			record.Kind, record.About = rating.KindAnnotation, id("about")
		case 1, 2:
			record.Revises = id("revises")
			if rapid.IntRange(0, 3).Draw(t, "ticket") == 0 {
				record = again(record)
			}
		case 3:
			record.Flags = []string{rating.FlagFuture}
			record.Procedure, record.Official = "1.004", "binh"
			record.Answers = []rating.Answer{{Question: "q", Score: 3}, {Question: "why", Choices: []string{"slow"}}}
		}
		records = append(records, record)
		if rapid.IntRange(0, 5).Draw(t, "copy") == 0 {
			records = append(records, record)
		}
	}
	return records
}

func TestFoldDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := drawRecords(t)
		first, err := Fold(1, testCell, records)
		if err != nil {
			t.Fatal(err)
		}
		facet := FoldFacet(1, FacetKey{Unit: "A", Month: "2026-11"}, records)
		again := rapid.Permutation(records).Draw(t, "again")
		second, err := Fold(1, testCell, again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(facet, FoldFacet(1, FacetKey{Unit: "A", Month: "2026-11"}, again)); diff != "" {
			t.Fatal(diff)
		}
		if facet.Seen != first.Cell.Seen || facet.Questions["kiosk@3/q"] != first.Cell.Questions["q"] {
			t.Fatalf("facet %+v, cell %+v", facet, first.Cell)
		}
	})
}

// The rule as it is written, for records without rings: nobody revises it, and it is the last of those that revise the same. And with
// rings too, no group of ratings tied together by revisions is lost.
func TestStandingAgainstTheRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records, err := distinct(drawRecords(t))
		if err != nil {
			t.Fatal(err)
		}
		stands := map[string]bool{}
		for _, record := range standing(records) {
			stands[bareID(record)] = true
		}
		byID := map[string]*rating.Record{}
		group := map[string]string{} // union-find
		var find func(string) string
		find = func(id string) string {
			if group[id] == "" || group[id] == id {
				return id
			}
			return find(group[id])
		}
		for _, record := range records {
			if record.Kind == rating.KindRating {
				byID[bareID(record)] = record
				if record.Revises != "" {
					group[find(bareID(record))] = find(record.Revises)
				}
			}
		}
		ring := false
		for id := range byID {
			at := byID[id]
			for steps := 0; at != nil && revises(at); steps++ {
				if at = byID[at.Revises]; steps > len(byID) {
					ring = true
					break
				}
			}
		}
		alive := map[string]bool{}
		for id, record := range byID {
			want := true
			for other, by := range byID {
				if other == id {
					continue
				}
				if revises(by) && by.Revises == id || revises(record) && by.Revises == record.Revises && revises(by) && later(by, record) {
					want = false
				}
			}
			if !ring && stands[id] != want {
				t.Fatalf("%s stands: %v, by the rule: %v", id, stands[id], want)
			}
			alive[find(id)] = alive[find(id)] || stands[id]
		}
		for id, some := range alive {
			if !some {
				t.Fatalf("all ratings about %s are lost", id)
			}
		}
	})
}

func TestFoldFacet(t *testing.T) {
	key := FacetKey{Unit: "A", Month: "2026-11"}
	in := func(cell string, record rating.Record, change func(*rating.Record)) rating.Record {
		counted, err := rating.ParseCell(cell)
		if err != nil {
			t.Fatal(err)
		}
		record.Cell, record.Counted = cell, counted
		change(&record)
		return record
	}
	records := []rating.Record{
		in("2026-11-01/A/1/kiosk@3/08", given("a", 1, 5, ""), func(r *rating.Record) { r.Procedure, r.Official, r.Counter = "1.004.H29", "binh", "q1" }),
		in("2026-11-01/A/1/kiosk@3/08", given("b", 2, 1, "a"), func(r *rating.Record) { r.Procedure, r.Official, r.Counter = "1.004.H29", "chi", "q2" }),
		// It names a rating of another cell: both count.
		in("2026-11-30/A/2/sipas@1/23", given("c", 3, 2, "b"), func(r *rating.Record) {
			r.Official, r.Counter = "binh", "q1"
			r.Answers = []rating.Answer{{Question: "q", Score: 4}, {Question: "why", Choices: []string{"x"}}, {Question: "q", Score: 1}}
		}),
		in("2026-11-30/A/2/sipas@2/23", given("d", 3, 3, ""), func(r *rating.Record) { r.Answers = []rating.Answer{{Question: "q", Score: 4}} }),
		in("2026-11-30/A/2/sipas@2/23", again(given("j", 3, 1, "")), func(r *rating.Record) { r.Official, r.Answers = "binh", []rating.Answer{{Question: "q", Score: 1}} }),
		in("2026-11-30/A/2/sipas@2/23", given("x", 3, 0, ""), func(r *rating.Record) { r.Kind, r.About = rating.KindAnnotation, "d" }),
		// Not of this unit or month.
		in("2026-12-01/A/1/kiosk@3/08", given("e", 1, 5, ""), func(r *rating.Record) { r.Official = "binh" }),
		in("2026-11-01/B/1/kiosk@3/08", given("f", 1, 5, ""), func(r *rating.Record) { r.Official = "binh" }),
		with(given("g", 1, 5, ""), func(r *rating.Record) { r.Counted.Day = "" }),
		// Damaged: seen and not counted.
		in("2026-11-02/A/1/kiosk@3/08", given("h", 1, 9, ""), func(r *rating.Record) { r.Official = "binh" }),
		in("2026-11-02/A/1/kiosk@3/08", given("i", 1, 4, ""), func(r *rating.Record) { r.Official = "binh"; r.Answers = []rating.Answer{{Question: "q", Score: -1}} }),
	}
	records = append(records, records[0])
	want := Facet{
		Key: key, Version: Version{Epoch: FacetEpoch(2), Seen: 8},
		Counters:   map[string]Counts{"q1": {2: 1}, "q2": {1: 1}},
		Procedures: map[string]Counts{"1.004.H29": {1: 1}},
		Officials:  map[string]Counts{"chi": {1: 1}, "binh": {2: 1}},
		Questions:  map[string]Counts{"sipas@1/q": {4: 1}, "sipas@2/q": {4: 1}},
	}
	if diff := cmp.Diff(want, FoldFacet(2, key, records)); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkFold(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	var records []rating.Record
	for i := range 2000 {
		records = append(records, with(given(fmt.Sprintf("r%05d", i), i, int32(1+random.IntN(5)), ""), func(r *rating.Record) {
			r.Answers = []rating.Answer{{Question: "attitude", Score: 4}, {Question: "time", Score: 5}}
		}))
	}
	for b.Loop() {
		if _, err := Fold(1, testCell, records); err != nil {
			b.Fatal(err)
		}
	}
}

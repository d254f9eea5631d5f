package analysis

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/tally"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// rated is so many ratings of one unit, day and channel.
type rated struct {
	unit    string
	day     localday.Day
	channel pb.Channel
	score   int
	n       uint32
}

// Whatever the tree did, a summary is what counting day by day in that day's subtree gives, a trend's steps add up to it, and
// so do the units of a ranking with the unit's own.
func TestSummaryCountsEachDayInItsTree(t *testing.T) {
	const first = localday.Day("2024-11-01")
	engine := open(t)
	ctx := context.Background()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		id := func(i int) string { return fmt.Sprintf("r%d.u%d", runs, i) } // the engine is shared, the units are not
		units := []unit.Unit{unit.New(id(0), "P", "", unit.Words{Code: "0", Name: "Tỉnh", Level: "province"})}
		for i := 1; i < 7; i++ {
			parent := rapid.IntRange(0, i-1).Draw(t, "parent")
			u := unit.New(id(i), "P", "", unit.Words{Code: fmt.Sprint(i), Name: fmt.Sprint("Xã ", i), Level: "commune", ParentID: id(parent)})
			day := first
			for range rapid.IntRange(0, 3).Draw(t, "moves") {
				day = day.Add(rapid.IntRange(1, 150).Draw(t, "after"))
				moved, err := u.Move(day, id(rapid.IntRange(0, i-1).Draw(t, "to")))
				if err != nil {
					t.Fatal(err)
				}
				u = moved
			}
			units = append(units, u)
		}
		tree, err := unit.Build(units, "2026-06-01")
		if err != nil {
			t.Fatal(err)
		}
		leaves := map[tally.LeafKey]tally.Leaf{}
		var all []rated
		for range rapid.IntRange(1, 40).Draw(t, "ratings") {
			r := rated{id(rapid.IntRange(0, 6).Draw(t, "unit")), first.Add(rapid.IntRange(0, 450).Draw(t, "day")),
				pb.Channel(rapid.IntRange(1, 4).Draw(t, "channel")), rapid.IntRange(1, 5).Draw(t, "score"), uint32(rapid.IntRange(1, 9).Draw(t, "n"))}
			all = append(all, r)
			key := tally.LeafKey{Unit: r.unit, Day: r.day, Channel: r.channel, Questionnaire: "short", QVersion: 1}
			cell := leaves[key].Hours[12]
			cell.Epoch, cell.Seen = 1, cell.Seen+r.n
			cell.Overall[r.score] += r.n
			leaves[key] = tally.Leaf{Key: key, Hours: map[int]tally.Cell{12: cell}}
		}
		var strips []tally.Strip
		for _, leaf := range leaves {
			strips = append(strips, leaf.Strip())
		}
		if err := engine.Rollups().RaiseStrips(ctx, strips); err != nil {
			t.Fatal(err)
		}
		a := New(Config{Engine: engine, Units: &grove{tree}, Clock: at("2026-06-01"), MinCell: 1})
		root := id(rapid.IntRange(0, 6).Draw(t, "root"))
		from := first.Add(rapid.IntRange(0, 300).Draw(t, "from"))
		period := Period{from, from.Add(rapid.IntRange(0, 300).Draw(t, "days"))}
		query := Query{Unit: root, From: string(period.From), To: string(period.To)}
		var want [5]uint32
		own := uint32(0)
		for _, r := range all {
			if period.From <= r.day && r.day <= period.To && tree.SubtreeOn(root, r.day)[r.unit] {
				want[r.score-1] += r.n
				if r.unit == root {
					own += r.n
				}
			}
		}
		summary, err := a.Summary(ctx, query)
		if err != nil {
			t.Fatal(err)
		}
		if summary.Pooled.Counts != want {
			t.Fatalf("summary %v, day by day %v", summary.Pooled.Counts, want)
		}
		step := pb.Step(rapid.IntRange(0, 4).Draw(t, "step"))
		trend, err := a.Trend(ctx, query, step)
		if err != nil {
			t.Fatal(err)
		}
		n := uint32(0)
		for _, point := range trend.Points {
			n += point.Distribution.N
		}
		if n != summary.Pooled.N {
			t.Fatalf("%v adds up to %d, summary has %d", step, n, summary.Pooled.N)
		}
		ranking, err := a.Rank(ctx, query, "", 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, ranked := range ranking.Units {
			own += ranked.Distribution.N
		}
		if own != summary.Pooled.N {
			t.Fatalf("the ranking and the unit's own add up to %d, summary has %d", own, summary.Pooled.N)
		}
	})
}

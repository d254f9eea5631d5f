package analysis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// BenchmarkProvince asks what a province's page asks, of 100 communes with ratings on every day: a million of them, ten million on the
// same days (as many leaves, larger counts), and three years' worth of days. The time of a page does not depend on how many
// ratings there are but on how many leaves and strips it asks for: growth is a scale's median beside the first's.
func BenchmarkProvince(b *testing.B) {
	first := map[string]float64{}
	for _, scale := range []struct {
		name    string
		ratings int
		years   int
	}{{"1 million in a year", 1_000_000, 1}, {"10 million in a year", 10_000_000, 1}, {"10 million in three years", 10_000_000, 3}} {
		a, tree := provinceOf(b, scale.ratings, scale.years)
		month := Query{Unit: "P", From: "2025-12-02", To: "2025-12-31"}
		year := Query{Unit: "P", From: "2025-01-01", To: "2025-12-31"}
		all := Query{Unit: "P", From: strconv.Itoa(2026-scale.years) + "-01-01", To: "2025-12-31"}
		for _, c := range []struct {
			name string
			run  func() error
		}{
			{"page, thirty days", func() error { return page(a, month, pb.Step_STEP_DAY) }},
			{"page, thirty days, nothing kept", func() error { return page(New(a.config), month, pb.Step_STEP_DAY) }},
			{"page, a year", func() error { return page(a, year, pb.Step_STEP_MONTH) }},
			{"page, all years", func() error { return page(a, all, pb.Step_STEP_MONTH) }},
			{"reasons, a year", func() error { _, err := a.Reasons(context.Background(), year); return err }},
			{"hours, a year", func() error { _, err := a.Hours(context.Background(), year); return err }},
			{"hours, a year, nothing kept", func() error { _, err := New(a.config).Hours(context.Background(), year); return err }},
			{"summary, a year", func() error { _, err := a.Summary(context.Background(), year); return err }},
		} {
			b.Run(scale.name+"/"+c.name, func(b *testing.B) {
				if err := c.run(); err != nil { // what can be kept is
					b.Fatal(err)
				}
				var times []time.Duration
				for b.Loop() {
					start := time.Now()
					if err := c.run(); err != nil {
						b.Fatal(err)
					}
					times = append(times, time.Since(start))
				}
				slices.Sort(times)
				median := float64(times[len(times)/2].Microseconds()) / 1000
				if first[c.name] == 0 {
					first[c.name] = median
				}
				b.ReportMetric(median, "median-ms")
				b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
				b.ReportMetric(median/first[c.name], "growth")
			})
		}
		if tree.Len() != 101 {
			b.Fatal(tree.Len())
		}
	}
}

// page asks what the page of a unit asks, in its order: what stands above first, then all else at once. Facets are left out: their cost is
// that of the counters and procedures there are.
func page(a *Analysis, query Query, step pb.Step) error {
	ctx := context.Background()
	if _, err := a.Summary(ctx, query); err != nil {
		return err
	}
	compared, err := a.Compare(ctx, query, "", "")
	if err != nil {
		return err
	}
	before := query
	before.From, before.To = string(compared.Other.Period.From), string(compared.Other.Period.To)
	var group errgroup.Group
	group.Go(func() error { _, err := a.Trend(ctx, query, step); return err })
	group.Go(func() error { _, err := a.Trend(ctx, before, step); return err })
	group.Go(func() error { _, err := a.Reasons(ctx, query); return err })
	group.Go(func() error { _, err := a.Hours(ctx, query); return err })
	group.Go(func() error { _, err := a.Rank(ctx, query, "", 0); return err })
	group.Go(func() error { _, err := a.FollowUps(ctx, query); return err })
	return group.Wait()
}

// provinceOf is 100 communes with so many ratings, spread over every day of the years before 2026, each day's over nine hours.
func provinceOf(b *testing.B, ratings, years int) (*Analysis, *unit.Tree) {
	b.Helper()
	const communes, hours = 100, 9
	engine := open(b)
	units := []unit.Unit{unit.New("P", "P", "", unit.Words{Code: "P", Name: "Tỉnh", Level: "province"})}
	source := rand.New(rand.NewPCG(7, 8))
	from := localday.Day(strconv.Itoa(2026-years) + "-01-01")
	days := Period{from, "2025-12-31"}.days()
	weights := []float64{0, 0.04, 0.06, 0.15, 0.4, 0.35} // of scores
	an := float64(ratings) / float64(communes*days*hours)
	draw := func(mean float64) uint32 { return uint32(mean*2*source.Float64() + source.Float64()) }
	for i := range communes {
		id := fmt.Sprintf("c%03d", i)
		units = append(units, unit.New(id, "P", "", unit.Words{Code: id, Name: id, Level: "commune", ParentID: "P"}))
		var cells []tally.HourCell
		strips := map[tally.StripKey]map[tally.SlotKey]tally.Slot{}
		for day := range days {
			leaf := tally.Leaf{Key: tally.LeafKey{Unit: id, Day: from.Add(day), Channel: kiosk, Questionnaire: "short", QVersion: 1}, Hours: map[int]tally.Cell{}}
			for hour := 8; hour < 8+hours; hour++ {
				cell := tally.Cell{Choices: map[string]uint32{}}
				for score := 1; score <= 5; score++ {
					cell.Overall[score] = draw(an * weights[score])
				}
				for _, choice := range []string{"why/slow", "why/rude", "why/dear"} {
					if n := draw(an / 30); n > 0 {
						cell.Choices[choice] = n
					}
				}
				cell.Version = tally.Version{Epoch: 1, Seen: max(1, cell.Overall.N())}
				leaf.Hours[hour] = cell
				cells = append(cells, tally.HourCell{Leaf: leaf.Key, Hour: hour, Cell: cell})
			}
			if strips[leaf.StripKey()] == nil {
				strips[leaf.StripKey()] = map[tally.SlotKey]tally.Slot{}
			}
			at, slot := leaf.Slot()
			strips[leaf.StripKey()][at] = slot
		}
		var list []tally.Strip
		for key, slots := range strips {
			strip, err := tally.NewStrip(key, slots)
			if err != nil {
				b.Fatal(err)
			}
			list = append(list, strip)
		}
		raise(b, engine, cells, list)
	}
	tree, err := unit.Build(units, "2026-01-15")
	if err != nil {
		b.Fatal(err)
	}
	return New(Config{Engine: engine, Units: &grove{tree}, Clock: at("2026-01-15"), Forms: published(b, short(1, ""))}), tree
}

func raise(b *testing.B, engine store.Engine, cells []tally.HourCell, strips []tally.Strip) {
	b.Helper()
	for part := range slices.Chunk(cells, 9*500) {
		if err := engine.Rollups().Raise(context.Background(), part); err != nil {
			b.Fatal(err)
		}
	}
	if err := engine.Rollups().RaiseStrips(context.Background(), strips); err != nil {
		b.Fatal(err)
	}
}

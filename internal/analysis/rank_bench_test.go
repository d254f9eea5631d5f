package analysis

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/tally"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// BenchmarkRankCommunes ranks 3,321 communes over a year, each with ratings on every working day in two channels, beside
// what reading the same strips alone takes.
func BenchmarkRankCommunes(b *testing.B) {
	const provinces, communes, year = 34, 3321, 2025
	engine := open(b)
	ctx := context.Background()
	units := []unit.Unit{unit.New("VN", "VN", "", unit.Words{Code: "VN", Name: "Việt Nam", Level: "country"})}
	for p := range provinces {
		id := fmt.Sprintf("p%02d", p)
		units = append(units, unit.New(id, id, "", unit.Words{Code: id, Name: id, Level: "province", ParentID: "VN"}))
	}
	source := rand.New(rand.NewPCG(5, 6))
	var strips []tally.Strip
	for i := range communes {
		id, parent := fmt.Sprintf("c%04d", i), fmt.Sprintf("p%02d", i%provinces)
		units = append(units, unit.New(id, parent, "", unit.Words{Code: id, Name: id, Level: "commune", ParentID: parent}))
		slots := map[tally.SlotKey]tally.Slot{}
		for day := range 365 {
			if weekday := localday.Day("2025-01-01").Add(day).Start().Weekday(); weekday == time.Saturday || weekday == time.Sunday {
				continue
			}
			for _, channel := range []pb.Channel{kiosk, web} {
				slot := tally.Slot{Version: tally.Version{Epoch: 8, Seen: 60}}
				for score := 1; score <= 5; score++ {
					slot.Overall[score] = uint32(source.IntN(4 * score))
				}
				slots[tally.SlotKey{Day: day, Channel: channel}] = slot
			}
		}
		strip, err := tally.NewStrip(tally.StripKey{Year: year, Unit: id, Questionnaire: "kiosk", QVersion: 1}, slots)
		if err != nil {
			b.Fatal(err)
		}
		strips = append(strips, strip)
	}
	for part := range slices.Chunk(strips, 500) {
		if err := engine.Rollups().RaiseStrips(ctx, part); err != nil {
			b.Fatal(err)
		}
	}
	tree, err := unit.Build(units, "2026-01-15")
	if err != nil {
		b.Fatal(err)
	}
	a := New(Config{Engine: engine, Units: &grove{tree}, Clock: at("2026-01-15")})
	whole := Query{Unit: "VN", From: "2025-01-01", To: "2025-12-31"}
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"raw strips", func() error {
			for _, err := range engine.Rollups().Strips(ctx, year, nil) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"rank communes", func() error { _, err := a.Rank(ctx, whole, "commune", 0); return err }},
		{"rank provinces", func() error { _, err := a.Rank(ctx, whole, "", 0); return err }},
		{"rank communes, ninety days", func() error {
			_, err := a.Rank(ctx, Query{Unit: "VN", From: "2025-09-15", To: "2025-12-13"}, "commune", 0)
			return err
		}},
		{"follow-ups", func() error { _, err := a.FollowUps(ctx, whole); return err }},
		{"summary of the country", func() error { _, err := a.Summary(ctx, whole); return err }},
		{"summary of a province", func() error { _, err := a.Summary(ctx, Query{Unit: "p01", From: whole.From, To: whole.To}); return err }},
		{"summary of a commune", func() error {
			_, err := a.Summary(ctx, Query{Unit: "c0001", From: whole.From, To: whole.To})
			return err
		}},
		{"trend of the country by day", func() error { _, err := a.Trend(ctx, whole, pb.Step_STEP_DAY); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			times := make([]time.Duration, 0, b.N)
			for b.Loop() {
				start := time.Now()
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
				times = append(times, time.Since(start))
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "median-ms")
		})
	}
}

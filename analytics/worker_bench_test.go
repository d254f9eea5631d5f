package analytics

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// BenchmarkFoldOffice folds what an office of 40 units gathers in 14 months, 100,000 ratings, from nothing: once by
// the sweep of everything, as after an import into a stopped server.
func BenchmarkFoldOffice(b *testing.B) {
	const n, units, days = 100_000, 40, 425
	for b.Loop() {
		b.StopTimer()
		engine := open(b)
		source := rand.New(rand.NewPCG(1, 2))
		records := make([]rating.Record, n)
		cells := map[string]bool{}
		for i := range records {
			day := localday.Day("2025-09-20").Add(source.IntN(days))
			records[i] = rated(at(fmt.Sprintf("U%02d", source.IntN(units)), day, 7+source.IntN(10), pb.Channel(1+source.IntN(4))), int32(1+source.IntN(5)))
			cells[records[i].Cell] = true
		}
		for part := range slices.Chunk(records, 1000) {
			if _, err := engine.Ratings().Append(context.Background(), part); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		began := time.Now()
		worker, stop := start(b, Config{Engine: engine, Alone: true, FacetDelay: time.Second})
		untilFresh(b, worker)
		b.ReportMetric(time.Since(began).Seconds(), "fresh-s")
		until(b, "facets", func() bool { return worker.facets.waiting() == 0 })
		b.ReportMetric(time.Since(began).Seconds(), "facets-s")
		b.ReportMetric(float64(len(cells)), "cells")
		b.StopTimer()
		stop()
		b.StartTimer()
	}
}

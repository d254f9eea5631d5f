package mongodb_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// BenchmarkIntake stores ratings through the engine and through the bare driver, into collections with the same indexes and
// validation, with the same durability, turn by turn; the figures are medians of the rounds, in ratings a second.
//
//	go test -run '^$' -bench Intake -benchtime 1x ./internal/store/mongodb
func BenchmarkIntake(b *testing.B) {
	const rounds, second = 7, time.Second
	ways := []struct {
		name           string
		callers, batch int
		ours           bool
	}{
		{"driver,InsertOne,64callers", 64, 1, false},
		{"engine,single,64callers", 64, 1, true},
		{"driver,InsertMany100,4callers", 4, 100, false},
		{"engine,batch100,4callers", 4, 100, true},
		{"driver,InsertMany1000,3callers", 3, 1000, false}, // as fast as the server goes
	}
	stores := make([]func(context.Context, []rating.Record) error, len(ways))
	for i, way := range ways {
		uri, database := testDatabase(b)
		engine, err := mongodb.Open(b.Context(), uri, mongodb.Options{Database: database})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = engine.Close() })
		stores[i] = bare(b, uri, database)
		if way.ours {
			stores[i] = func(ctx context.Context, records []rating.Record) error {
				_, err := engine.Ratings().Append(ctx, records)
				return err
			}
		}
	}
	for b.Loop() {
		rates := make([][]float64, len(ways))
		for range rounds {
			for i, way := range ways {
				rates[i] = append(rates[i], rate(b, second, way.callers, way.batch, stores[i]))
			}
		}
		for i, way := range ways {
			slices.Sort(rates[i])
			b.ReportMetric(rates[i][rounds/2], way.name+"/s")
		}
	}
}

// bare is the driver without the engine.
func bare(b *testing.B, uri, database string) func(context.Context, []rating.Record) error {
	journal := true
	concern := writeconcern.Majority()
	concern.Journal = &journal
	coll := rawClient(b, uri).Database(database, options.Database().SetWriteConcern(concern)).Collection("ratings")
	return func(ctx context.Context, records []rating.Record) error {
		if len(records) == 1 {
			_, err := coll.InsertOne(ctx, records[0])
			return err
		}
		_, err := coll.InsertMany(ctx, records, options.InsertMany().SetOrdered(false))
		return err
	}
}

// rate answers how many ratings a second so many callers store, each sending its next batch when the last is acknowledged.
func rate(b *testing.B, long time.Duration, callers, batch int, store func(context.Context, []rating.Record) error) float64 {
	var stored atomic.Int64
	start := time.Now()
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for time.Since(start) < long {
				if err := store(b.Context(), someRatings(batch)); err != nil {
					b.Error(err)
					return
				}
				stored.Add(int64(batch))
			}
		})
	}
	group.Wait()
	return float64(stored.Load()) / time.Since(start).Seconds()
}

// someRatings are ratings of about 700 bytes each, of 40 units.
func someRatings(n int) []rating.Record {
	records := make([]rating.Record, n)
	now := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	for i := range records {
		id := uuid.Must(uuid.NewV7())
		unit := fmt.Sprintf("unit-%02d", int(id[15])%40)
		at := rating.Counted{Unit: unit, Day: localday.Day("2026-11-22"), Hour: int(id[14]) % 24, Channel: 1, Questionnaire: "kiosk", Version: 3}
		records[i] = rating.Record{
			ID: rating.RecordID("26", unit, id.String()), Kind: rating.KindRating, Cell: at.Cell(), Counted: at,
			ReceivedAt: now, OccurredAt: now, Bytes: make([]byte, 220), Score: int32(1 + i%5), Counter: "counter-1", Official: "official-7",
			Procedure: "1.004194.000.00.00.H26", Answers: []rating.Answer{{Question: "attitude", Score: 4}, {Question: "wait", Score: 2, Choices: []string{"long"}}},
			Device: "device-000001", Sequence: int64(i),
		}
	}
	return records
}

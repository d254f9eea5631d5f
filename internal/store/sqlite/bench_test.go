package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// benchRecords are ratings as an office sends them, of about 700 bytes each.
func benchRecords(n int) []rating.Record {
	records := make([]rating.Record, n)
	now := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	for i := range records {
		unit := fmt.Sprintf("unit-%02d", i%40)
		counted := rating.Counted{Unit: unit, Hour: i / 40 % 24, Channel: 1, Questionnaire: "kiosk", Version: 3}
		counted.Day = localday.Day("2026-01-01").Add(i / 960 % 360)
		records[i] = rating.Record{
			ID: rating.RecordID("26", unit, uuid.Must(uuid.NewV7()).String()), Kind: rating.KindRating, Cell: counted.Cell(), Counted: counted,
			ReceivedAt: now, OccurredAt: now, Bytes: make([]byte, 220), Score: int32(1 + i%5), Counter: "counter-1", Official: "official-7", Procedure: "1.004194.000.00.00.H26",
			Answers: []rating.Answer{{Question: "attitude", Score: 4}, {Question: "wait", Score: 2, Choices: []string{"long"}}}, Device: "device-000001", Sequence: int64(i),
		}
	}
	return records
}

// plainInsert is the best writer we know of for the same rows: prepared statements, one transaction a batch.
func plainInsert(b *testing.B, records []rating.Record, batch int) {
	db, err := sql.Open("sqlite", dataSource(filepath.Join(b.TempDir(), "plain.db"), "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(4000)", "cache_size(-32000)", "temp_store(MEMORY)"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		b.Fatal(err)
	}
	if err := migrate(ctx, conn); err != nil {
		b.Fatal(err)
	}
	many, err := conn.PrepareContext(ctx, insertManyRatings)
	if err != nil {
		b.Fatal(err)
	}
	one, err := conn.PrepareContext(ctx, insertOneRating)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for at := 0; at < len(records); at += batch {
		part := records[at:min(at+batch, len(records))]
		if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			b.Fatal(err)
		}
		for i := 0; i < len(part); {
			n, statement := 1, one
			if len(part)-i >= insertRows {
				n, statement = insertRows, many
			}
			args := make([]any, 0, n*8)
			for j := range n {
				r := &part[i+j]
				body, err := bson.Marshal(r)
				if err != nil {
					b.Fatal(err)
				}
				args = append(args, at+i+j+1, r.ID, r.Cell, r.ReceivedAt.UnixMilli(), string(r.Kind), r.Score, nil, body)
			}
			if _, err := statement.ExecContext(ctx, args...); err != nil {
				b.Fatal(err)
			}
			i += n
		}
		if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(len(records))/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkAppend compares the engine with a plain loop over the same rows.
func BenchmarkAppend(b *testing.B) {
	const count = 40_000
	engine := func(b *testing.B, callers, batch int) {
		records := benchRecords(count)
		e, err := Open(b.Context(), b.TempDir(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = e.Close() }()
		var next atomic.Int64
		var group sync.WaitGroup
		b.ResetTimer()
		for range callers {
			group.Go(func() {
				for {
					at := int(next.Add(int64(batch))) - batch
					if at >= len(records) {
						return
					}
					if _, err := e.Ratings().Append(b.Context(), records[at:min(at+batch, len(records))]); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		b.StopTimer()
		b.ReportMetric(count/b.Elapsed().Seconds(), "records/s")
	}
	for round := range 3 {
		b.Run(fmt.Sprintf("plain-100/%d", round), func(b *testing.B) { plainInsert(b, benchRecords(count), 100) })
		b.Run(fmt.Sprintf("engine-1x100/%d", round), func(b *testing.B) { engine(b, 1, 100) })
		b.Run(fmt.Sprintf("engine-4x100/%d", round), func(b *testing.B) { engine(b, 4, 100) })
		b.Run(fmt.Sprintf("plain-64/%d", round), func(b *testing.B) { plainInsert(b, benchRecords(count), 64) })
		b.Run(fmt.Sprintf("engine-64x1/%d", round), func(b *testing.B) { engine(b, 64, 1) })
	}
}

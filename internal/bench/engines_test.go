package bench

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
	"github.com/hailong-vn/hailong/server"

	_ "modernc.org/sqlite" // the driver of the raw writer
)

// sqliteEngine: the best writer is one connection and multi-row inserts, 1,000 rows a transaction, into the same tables.
func sqliteEngine(b *testing.B) engine {
	folder := b.TempDir()
	opened, err := sqlite.Open(b.Context(), folder, sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		b.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.db"))
	if err != nil || len(files) != 1 {
		b.Fatalf("the engine's file: %v %v", files, err)
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=cache_size(-32000)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { _ = db.Close() })
	const rows = 20
	statement, err := db.Prepare("INSERT INTO ratings (id, cell, received, kind, score, revises, body) VALUES " +
		strings.TrimSuffix(strings.Repeat("(?,?,?,?,?,NULL,?),", rows), ","))
	if err != nil {
		b.Fatal(err)
	}
	return engine{
		name:   "sqlite",
		config: func(b *testing.B) server.Config { return server.Config{Data: b.TempDir(), Worker: "off"} },
		best: func(b *testing.B, during time.Duration) float64 {
			stored, busy := 0, time.Duration(0)
			for busy < during {
				records := documents(1000)
				bodies := encode(b, records)
				start := time.Now()
				tx, err := db.Begin()
				if err != nil {
					b.Fatal(err)
				}
				insert := tx.Stmt(statement) //nolint:sqlclosecheck // closed by its transaction
				for at := 0; at < len(records); at += rows {
					var args []any
					for i := at; i < at+rows; i++ {
						r := records[i]
						args = append(args, r.ID, r.Cell, r.ReceivedAt.UnixMilli(), string(r.Kind), r.Score, []byte(bodies[i]))
					}
					if _, err := insert.Exec(args...); err != nil {
						b.Fatal(err)
					}
				}
				if err := tx.Commit(); err != nil {
					b.Fatal(err)
				}
				busy += time.Since(start)
				stored += len(records)
			}
			return float64(stored) / busy.Seconds()
		},
	}
}

// mongodbEngine: the best writer is unordered insertMany of 1,000, w:majority j:true, four at a time, into a collection
// with the same indexes.
func mongodbEngine(b *testing.B) engine {
	bare, database := testengine.MongoDB(b)
	uri := testengine.WithDatabase(bare, database)
	opened, err := mongodb.Open(b.Context(), uri, mongodb.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		b.Fatal(err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(uri).SetMaxPoolSize(128).
		SetWriteConcern(&writeconcern.WriteConcern{W: "majority", Journal: ptr(true)}))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = client.Disconnect(context.WithoutCancel(b.Context())) })
	raw := client.Database(database).Collection("raw_ratings")
	copyIndexes(b, client.Database(database).Collection("ratings"), raw)
	return engine{
		name: "mongodb",
		config: func(b *testing.B) server.Config {
			return server.Config{Data: b.TempDir(), MongoDB: uri, ContactKey: strings.Repeat("5a", 32), Worker: "off"}
		},
		best: func(b *testing.B, _ time.Duration) float64 {
			return consume(b, 4, batches(b, 40, 1000), func(batch []bson.Raw) error {
				_, err := raw.InsertMany(b.Context(), batch, options.InsertMany().SetOrdered(false))
				return err
			})
		},
		singles: func(b *testing.B, callers int, _ time.Duration) float64 {
			return consume(b, callers, batches(b, 8000, 1), func(batch []bson.Raw) error {
				_, err := raw.InsertOne(b.Context(), batch[0])
				return err
			})
		},
	}
}

// batches makes documents before the clock starts.
func batches(b *testing.B, count, size int) [][]bson.Raw {
	b.Helper()
	all := encode(b, documents(count*size))
	made := make([][]bson.Raw, count)
	for i := range made {
		made[i] = all[i*size : (i+1)*size]
	}
	return made
}

// consume writes all batches from so many goroutines and answers documents a second.
func consume(b *testing.B, goroutines int, work [][]bson.Raw, write func([]bson.Raw) error) float64 {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for range goroutines {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(work) {
					return
				}
				if err := write(work[i]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return float64(len(work)*len(work[0])) / time.Since(start).Seconds()
}

func copyIndexes(b *testing.B, from, to *mongo.Collection) {
	b.Helper()
	cursor, err := from.Indexes().List(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var indexes []struct {
		Key bson.D `bson:"key"`
	}
	if err := cursor.All(b.Context(), &indexes); err != nil {
		b.Fatal(err)
	}
	for _, index := range indexes {
		if len(index.Key) == 1 && index.Key[0].Key == "_id" {
			continue
		}
		if _, err := to.Indexes().CreateOne(b.Context(), mongo.IndexModel{Keys: index.Key}); err != nil {
			b.Fatal(err)
		}
	}
}

func encode(b *testing.B, records []rating.Record) []bson.Raw {
	b.Helper()
	bodies := make([]bson.Raw, len(records))
	for i, record := range records {
		body, err := bson.Marshal(record)
		if err != nil {
			b.Fatal(err)
		}
		bodies[i] = body
	}
	return bodies
}

func ptr[T any](value T) *T { return &value }

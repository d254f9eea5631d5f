// Package mongodb is the store port on a MongoDB replica set (or sharded cluster): the reference engine.
//
// Every kind is a collection of real documents with real indexes. Writes are acknowledged by a majority with
// their journals, reads see what a majority holds, on the primary. Concurrent inserts into a collection share bulk
// writes. What is append-only is so by the role of the account too: see Setup.
package mongodb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// DefaultDatabase is used where neither the options nor the URI name a database.
const DefaultDatabase = "hailong"

// Options of an engine; the zero value is good.
type Options struct {
	Logger   *slog.Logger // nil = nothing is logged
	Database string       // "" = the one the URI names, else DefaultDatabase

	MaxPoolSize int // connections to each server; 0 = 64
	// WritesInFlight is how many bulk writes a collection has under way at once; 0 = 2. More make each smaller, which
	// only pays where the way to the server is long.
	WritesInFlight int
	// SelectionTimeout is how long a call waits for a primary to appear; 0 = what the URI says, or 5 s.
	SelectionTimeout time.Duration
	// Timeout ends a call whose context has no deadline; 0 = 20 s. Within it calls are retried, each write landing once.
	Timeout time.Duration
}

// Engine is one opened database.
type Engine struct {
	log      *slog.Logger
	client   *mongo.Client
	db       *mongo.Database
	inFlight int
	timeout  time.Duration

	ratings ratings
	rollups rollups
	blobs   blobs

	mu      sync.Mutex
	writers map[string]*writer // by collection
	closed  bool
}

var _ store.Engine = (*Engine)(nil)

// Open connects and brings the database's layout up to date, which any number of processes may do at once. The error
// wraps store.ErrUnavailable where no primary answers; it never shows the URI, which may hold a password.
func Open(ctx context.Context, uri string, o Options) (*Engine, error) {
	e, err := connect(uri, o)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, e.db, migrations(), e.log); err != nil {
		_ = e.client.Disconnect(ctx)
		return nil, fmt.Errorf("open mongodb database %s: %w", e.db.Name(), err)
	}
	return e, nil
}

// connect makes an engine without asking the server anything.
func connect(uri string, o Options) (*Engine, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Database == "" {
		o.Database = databaseOf(uri)
	}
	if o.WritesInFlight <= 0 {
		o.WritesInFlight = 2
	}
	orElse := func(d, otherwise time.Duration) time.Duration {
		if d > 0 {
			return d
		}
		return otherwise
	}
	o.Timeout = orElse(o.Timeout, 20*time.Second)
	pool := uint64(64)
	if o.MaxPoolSize > 0 {
		pool = uint64(o.MaxPoolSize)
	}
	journal := true
	durable := writeconcern.Majority()
	durable.Journal = &journal
	settings := options.Client().
		SetAppName("hailong").
		SetMaxPoolSize(pool).
		SetConnectTimeout(5 * time.Second).
		SetServerSelectionTimeout(5 * time.Second).
		SetTimeout(o.Timeout).
		ApplyURI(uri) // what the URI says goes before the defaults above, and not before what follows
	if o.SelectionTimeout > 0 {
		settings.SetServerSelectionTimeout(o.SelectionTimeout)
	}
	client, err := mongo.Connect(settings.
		SetRetryWrites(true).
		SetRetryReads(true).
		SetReadConcern(readconcern.Majority()).
		SetReadPreference(readpref.Primary()).
		SetWriteConcern(durable))
	if err != nil {
		return nil, fmt.Errorf("mongodb connection string: %s", withoutSecrets(err, uri))
	}
	e := &Engine{
		log: o.Logger, client: client, db: client.Database(o.Database), inFlight: o.WritesInFlight, timeout: o.Timeout,
		writers: map[string]*writer{},
	}
	e.ratings = ratings{e: e, coll: e.db.Collection(collRatings)}
	e.rollups = rollups{
		leaves: e.db.Collection(collLeaves), strips: e.db.Collection(collStrips), facets: e.db.Collection(collFacets),
	}
	e.blobs = blobs{db: e.db}
	return e, nil
}

// Name is "mongodb".
func (e *Engine) Name() string { return "mongodb" }

// Ratings is the append-only store.
func (e *Engine) Ratings() store.Ratings { return e.ratings }

// Rollups are the folded figures.
func (e *Engine) Rollups() store.Rollups { return e.rollups }

// Blobs are kept in GridFS.
func (e *Engine) Blobs() store.Blobs { return e.blobs }

// Ping writes durably.
func (e *Engine) Ping(ctx context.Context) error {
	_, err := e.db.Collection(collPulse).UpdateOne(ctx, bson.D{{Key: "_id", Value: "ping"}},
		bson.D{{Key: "$currentDate", Value: bson.D{{Key: "at", Value: true}}}}, options.UpdateOne().SetUpsert(true))
	if mongo.IsDuplicateKeyError(err) {
		return nil // another process made the document at this moment, and its write was as durable
	}
	return unavailable(err)
}

// Close waits for writes under way; calls that come later are refused with store.ErrUnavailable.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	writers := e.writers
	e.writers = map[string]*writer{}
	e.mu.Unlock()
	for _, w := range writers {
		w.close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), e.timeout)
	defer cancel()
	if err := e.client.Disconnect(ctx); err != nil && !errors.Is(err, mongo.ErrClientDisconnected) {
		return unavailable(err)
	}
	return nil
}

// writer answers the one writer of a collection.
func (e *Engine) writer(coll *mongo.Collection) (*writer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, unavailable(errClosed)
	}
	w := e.writers[coll.Name()]
	if w == nil {
		w = newWriter(coll, e.inFlight)
		e.writers[coll.Name()] = w
	}
	return w, nil
}

// databaseOf answers the database that a connection string names.
func databaseOf(uri string) string {
	_, rest, _ := strings.Cut(uri, "://")
	_, path, _ := strings.Cut(rest, "/")
	name, _, _ := strings.Cut(path, "?")
	if name == "" {
		return DefaultDatabase
	}
	return name
}

// withoutSecrets is what an error about a connection string says, without the string or its password.
func withoutSecrets(err error, uri string) string {
	text := strings.ReplaceAll(err.Error(), uri, "...")
	_, rest, _ := strings.Cut(uri, "://")
	if at := strings.LastIndexByte(rest, '@'); at > 0 {
		for _, secret := range strings.SplitN(rest[:at], ":", 2)[1:] {
			if secret != "" && strings.Contains(text, secret) {
				return "it is not valid"
			}
		}
	}
	return text
}

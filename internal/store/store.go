// Package store is the port to whatever keeps the documents: one generic kind of document and three special
// ports. No feature writes engine code; an engine (store/sqlite, store/mongodb) is accepted by the contract
// suite in store/storetest.
package store

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/tally"
)

// What an engine can answer, to be tested with errors.Is.
var (
	ErrNotFound   = errors.New("store: not found")
	ErrExists     = errors.New("store: the id exists")
	ErrTaken      = errors.New("store: a unique index holds this value")
	ErrStale      = errors.New("store: the document changed meanwhile")
	ErrAppendOnly = errors.New("store: this kind is append-only")
	ErrTooLarge   = errors.New("store: document too large")
	// ErrUnavailable wraps every failure of the engine itself: disk full, connection lost, closing. Nothing is
	// known of whether the write landed; the same call may be made again.
	ErrUnavailable = errors.New("store: unavailable")
)

// Version is a document's version; it changes with every Replace.
type Version int64

// Engine is one opened store. All of its methods may be called by many goroutines.
type Engine interface {
	// Name is "sqlite" or "mongodb".
	Name() string
	// Documents opens a kind, making its table and indexes where they are missing.
	Documents(ctx context.Context, kind Kind) (Documents, error)
	Ratings() Ratings
	Rollups() Rollups
	Blobs() Blobs
	// Ping tells whether a durable write could be made now.
	Ping(ctx context.Context) error
	// Close waits for writes under way.
	Close() error
}

// Kind declares one kind of document.
type Kind struct {
	Name       string // also the table's or collection's name; lower case and underscores
	AppendOnly bool   // Replace and Delete are refused, by the engine itself too
	Indexes    []Index
}

// Index declares how a kind can be found. Find speaks only declared indexes, so an unindexed scan cannot be written.
type Index struct {
	Name   string
	Fields []string // BSON paths, "a.b"; strings, integers, booleans, times; missing sorts first as null
	Unique bool     // documents in which all fields are missing are left out
	Multi  bool     // the first field is an array: one entry an element; it must be given in Query.Equal
	Expire bool     // the only field is a time; documents vanish some time after it
}

// Query reads a kind by one index, in the index's order and then by id. A range finds values of the kind of its bounds: a
// document that lacks the field is found only where neither From nor To is given (or by nil in Equal).
type Query struct {
	Index string // a declared index; "" = by id
	Equal []any  // values of the leading fields
	From  any    // next field at least; nil = open
	To    any    // next field less than; nil = open
	After Cursor // from Item.Cursor: strictly after that document in the query's order
	Limit int    // 0 = all
	Desc  bool
}

// Cursor is a place in a query's order; opaque, printable, valid for the same Index and Equal.
type Cursor string

// Item is a document as an engine hands it over.
type Item struct {
	ID      string
	Version Version
	Body    []byte // BSON, with _id
	Cursor  Cursor // set by Find
}

// Documents is one kind of document. One document is the unit of atomicity. Bodies are BSON documents with a
// string _id; the same bytes are kept on every engine.
type Documents interface {
	// Get reads one document, as it was last acknowledged. ErrNotFound.
	Get(ctx context.Context, id string) (Item, error)
	// Insert adds documents durably, each for itself; the answer has one error an item, nil where it was added:
	// ErrExists, ErrTaken, ErrTooLarge. The second answer is the engine's own failure. Concurrent calls share one write.
	Insert(ctx context.Context, bodies ...[]byte) ([]error, error)
	// Replace writes the document if its version is still the one given, and answers the new one.
	// ErrStale, ErrNotFound, ErrTaken, ErrAppendOnly.
	Replace(ctx context.Context, body []byte, version Version) (Version, error)
	// Delete removes the document if its version is still the one given. ErrStale, ErrNotFound, ErrAppendOnly.
	Delete(ctx context.Context, id string, version Version) error
	// Find reads by a declared index. Rows that arrive meanwhile may or may not be seen, none twice, none that stood is missed.
	Find(ctx context.Context, query Query) iter.Seq2[Item, error]
}

// Appended says what became of one record.
type Appended struct {
	Stored   bool           // false: the id was there before
	Existing *rating.Record // what was there, read as acknowledged (majority); nil where Stored
}

// CellCount is how many records a cell holds.
type CellCount struct {
	Cell  string
	Count uint32
}

// Ratings is the append-only store of ratings and annotations. No method changes or removes one, and the engine itself
// refuses it.
type Ratings interface {
	// Append adds records by id, durably, each for itself; the answer has one entry an item, in order. The same id twice in
	// a call: the first is stored, the second finds it. Concurrent calls share one write.
	Append(ctx context.Context, records []rating.Record) ([]Appended, error)
	// Get reads one record by its RecordID. ErrNotFound.
	Get(ctx context.Context, recordID string) (rating.Record, error)
	// Cell reads all records of a cell.
	Cell(ctx context.Context, cell string) ([]rating.Record, error)
	// Cells reads all records of some cells one by one, so that a cell of any size can be read in little memory. Each cell is named
	// once; records of one cell follow each other, cells come in any order.
	Cells(ctx context.Context, cells []string) iter.Seq2[rating.Record, error]
	// CellCounts counts records by cell for from <= cell < to, in order, from the index alone.
	CellCounts(ctx context.Context, from, to string) iter.Seq2[CellCount, error]
	// Recent names the cells of records received at or after since; a cell may come more than once.
	Recent(ctx context.Context, since time.Time) iter.Seq2[string, error]
	// Scan reads records with from < RecordID < to in order; to "" = to the end.
	Scan(ctx context.Context, from, to string) iter.Seq2[rating.Record, error]
	// CountAgain counts the overall scores of ratings by cell for from <= cell < to, by the engine's own means (on MongoDB
	// $group, in SQLite GROUP BY) and not by the fold. As in tally.Fold, ratings that another rating of the cell revises are left
	// out, and of several that revise the same one all but the last by (ReceivedAt, id); one that names itself revises nothing. Of
	// those that stand, the ones that repeat a ticket (rating.Record.Repeats) are not counted; a cell in which nothing counts is not told.
	// Ratings that revise each other in a ring are not told apart here; only a forger makes them.
	CountAgain(ctx context.Context, from, to string) iter.Seq2[CellScores, error]
}

// CellScores is a cell's count of overall scores.
type CellScores struct {
	Cell    string
	Overall tally.Counts
}

// SeenCell is the state of one hour cell, without its counts.
type SeenCell struct {
	Cell string
	tally.Version
}

// Rollups keeps folded figures. Every write is guarded: it lands only where its (Epoch, Seen) is larger than what stands, so
// any number of workers may write what they folded whenever they get to it, and no figure goes backwards.
type Rollups interface {
	// Version changes whenever something was written: where it is the same before one reading and before a later one, both read the
	// same. "" = the engine does not know. It costs much less than a reading, and means nothing in another process.
	Version(ctx context.Context) (string, error)
	// Raise writes hour cells into their leaves, each guarded for itself.
	Raise(ctx context.Context, cells []tally.HourCell) error
	// Leaves reads a unit's leaves for from <= day <= to, in the order of their ids.
	Leaves(ctx context.Context, unit string, from, to string) iter.Seq2[tally.Leaf, error]
	// Seen reads the versions of all hour cells for from <= day <= to, in any order.
	Seen(ctx context.Context, from, to string) iter.Seq2[SeenCell, error]
	// RaiseStrips joins each strip into the one that stands (tally.Strip.Join), slot by slot.
	RaiseStrips(ctx context.Context, strips []tally.Strip) error
	// Strips reads the strips of a year: of the units named, or of all where units is nil.
	Strips(ctx context.Context, year int, units []string) iter.Seq2[tally.Strip, error]
	// RaiseFacets writes unit-month facets, each guarded for itself.
	RaiseFacets(ctx context.Context, facets []tally.Facet) error
	// Facets reads a unit's facets for from <= month <= to (yyyy-mm).
	Facets(ctx context.Context, unit string, from, to string) iter.Seq2[tally.Facet, error]
}

// Blobs keeps large bytes by name, such as attachments and exports.
type Blobs interface {
	// Put stores all of r under a name that is not taken. ErrExists.
	Put(ctx context.Context, name string, r io.Reader) (size int64, err error)
	// Open reads a blob. ErrNotFound.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Remove takes a blob away. ErrNotFound.
	Remove(ctx context.Context, name string) error
}

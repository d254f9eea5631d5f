package mongodb

import (
	"context"
	"iter"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Indexes of the ratings.
const (
	indexCell     = "cell"
	indexReceived = "received_at_cell"
)

// countTimeout ends a count over many cells whose context has no deadline. MongoDB keeps the state that a count began
// with for five minutes.
const countTimeout = 5 * time.Minute

// Cell reads all records of a cell.
func (r ratings) Cell(ctx context.Context, cell string) ([]rating.Record, error) {
	cursor, err := r.coll.Find(ctx, bson.D{{Key: "cell", Value: cell}}, options.Find().SetHint(indexCell))
	if err != nil {
		return nil, unavailable(err)
	}
	defer closeCursor(ctx, cursor)
	var records []rating.Record
	for cursor.Next(ctx) {
		record, err := decodeRating(cursor.Current)
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, unavailable(cursor.Err())
}

// Cells reads the records of some cells in the order of the index.
func (r ratings) Cells(ctx context.Context, cells []string) iter.Seq2[rating.Record, error] {
	return func(yield func(rating.Record, error) bool) {
		if len(cells) == 0 {
			return
		}
		filter := bson.D{{Key: "cell", Value: bson.D{{Key: "$in", Value: cells}}}}
		cursor, err := r.coll.Find(ctx, filter, options.Find().SetHint(indexCell).SetSort(bson.D{{Key: "cell", Value: 1}}))
		if err != nil {
			yield(rating.Record{}, unavailable(err))
			return
		}
		defer closeCursor(ctx, cursor)
		for cursor.Next(ctx) {
			record, err := decodeRating(cursor.Current)
			if !yield(record, err) || err != nil {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield(rating.Record{}, unavailable(err))
		}
	}
}

// between is from <= field < to; to "" = to the end.
func between(field, from, to string) bson.D {
	bounds := bson.D{{Key: "$gte", Value: from}}
	if to != "" {
		bounds = append(bounds, bson.E{Key: "$lt", Value: to})
	}
	return bson.D{{Key: field, Value: bounds}}
}

// longer gives a context without a deadline one beyond the client's.
func longer(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, limit)
}

// each runs an aggregation and hands its documents to use until that answers false.
func each(ctx context.Context, coll *mongo.Collection, pipeline mongo.Pipeline, hint string, use func(bson.Raw) (bool, error)) error {
	cursor, err := coll.Aggregate(ctx, pipeline, options.Aggregate().SetHint(hint).SetAllowDiskUse(true))
	if err != nil {
		return unavailable(err)
	}
	defer closeCursor(ctx, cursor)
	for cursor.Next(ctx) {
		if more, err := use(cursor.Current); err != nil || !more {
			return err
		}
	}
	return unavailable(cursor.Err())
}

// CellCounts counts records by cell, from the index alone.
func (r ratings) CellCounts(ctx context.Context, from, to string) iter.Seq2[store.CellCount, error] {
	return func(yield func(store.CellCount, error) bool) {
		ctx, cancel := longer(ctx, countTimeout)
		defer cancel()
		err := each(ctx, r.coll, countsPipeline(from, to), indexCell, func(raw bson.Raw) (bool, error) {
			n, _ := raw.Lookup("n").AsInt64OK()
			return yield(store.CellCount{Cell: lookupString(raw, "_id"), Count: uint32(n)}, nil), nil
		})
		if err != nil {
			yield(store.CellCount{}, err)
		}
	}
}

func countsPipeline(from, to string) mongo.Pipeline {
	return mongo.Pipeline{
		{{Key: "$match", Value: between("cell", from, to)}},
		{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$cell"}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}}}}},
		{{Key: "$sort", Value: bson.D{{Key: "_id", Value: 1}}}},
	}
}

// Recent names the cells of records received at or after since, each once, from the index alone.
func (r ratings) Recent(ctx context.Context, since time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ctx, cancel := longer(ctx, countTimeout)
		defer cancel()
		err := each(ctx, r.coll, recentPipeline(since), indexReceived, func(raw bson.Raw) (bool, error) {
			return yield(lookupString(raw, "_id"), nil), nil
		})
		if err != nil {
			yield("", err)
		}
	}
}

func recentPipeline(since time.Time) mongo.Pipeline {
	return mongo.Pipeline{
		{{Key: "$match", Value: bson.D{{Key: "received_at", Value: bson.D{{Key: "$gte", Value: since}}}}}},
		{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$cell"}}}},
	}
}

// Scan reads records in the order of their ids.
func (r ratings) Scan(ctx context.Context, from, to string) iter.Seq2[rating.Record, error] {
	return func(yield func(rating.Record, error) bool) {
		open := func() (*mongo.Cursor, error) {
			bounds := bson.D{{Key: "$gt", Value: from}}
			if to != "" {
				bounds = append(bounds, bson.E{Key: "$lt", Value: to})
			}
			return r.coll.Find(ctx, bson.D{{Key: "_id", Value: bounds}}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetHint("_id_"))
		}
		stopped := false
		err := read(ctx, open, func(raw bson.Raw) (bool, error) {
			record, err := decodeRating(raw)
			if err != nil {
				return false, err
			}
			from = record.ID
			stopped = !yield(record, nil)
			return !stopped, nil
		})
		if err != nil && !stopped {
			yield(rating.Record{}, err)
		}
	}
}

package mongodb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// rollups keeps leaves, strips and facets as the tally package writes them.
type rollups struct{ leaves, strips, facets *mongo.Collection }

// Indexes of the rollups.
const (
	indexDay      = "day"
	indexYearUnit = "year_unit"
)

// raisePage is how many documents one bulk write raises.
const raisePage = 500

// Raise writes hour cells into their leaves: one update a leaf, in which each hour is guarded for itself.
func (r rollups) Raise(ctx context.Context, cells []tally.HourCell) error {
	byLeaf := make(map[tally.LeafKey]map[int]tally.Cell)
	for _, cell := range cells {
		if cell.Hour < 0 || cell.Hour > 23 {
			return fmt.Errorf("%w: hour %d", store.ErrInvalid, cell.Hour)
		}
		hours := byLeaf[cell.Leaf]
		if hours == nil {
			hours = make(map[int]tally.Cell)
			byLeaf[cell.Leaf] = hours
		}
		if other, twice := hours[cell.Hour]; !twice || other.Less(cell.Cell.Version) {
			hours[cell.Hour] = cell.Cell
		}
	}
	models := make([]mongo.WriteModel, 0, len(byLeaf))
	for leaf, hours := range byLeaf {
		models = append(models, raiseLeaf(leaf, hours))
	}
	return raise(ctx, r.leaves, models)
}

func raiseLeaf(leaf tally.LeafKey, hours map[int]tally.Cell) mongo.WriteModel {
	set := bson.D{
		{Key: "unit", Value: literal(leaf.Unit)}, {Key: "day", Value: literal(string(leaf.Day))}, {Key: "channel", Value: int32(leaf.Channel)},
		{Key: "questionnaire", Value: literal(leaf.Questionnaire)}, {Key: "version", Value: leaf.QVersion},
	}
	for hour, cell := range hours {
		at := "h." + tally.HourKey(hour)
		set = append(set, bson.E{Key: at, Value: whereLess("$"+at+".", cell.Version, literal(cell), "$"+at)})
	}
	return mongo.NewUpdateOneModel().SetFilter(idIs(leaf.ID())).SetUpsert(true).SetUpdate(mongo.Pipeline{{{Key: "$set", Value: set}}})
}

// literal keeps MongoDB from reading a value as an expression.
func literal(value any) bson.D { return bson.D{{Key: "$literal", Value: value}} }

// whereLess is then where the version standing under at+"e" and at+"n" is missing or older than v, else otherwise.
func whereLess(at string, v tally.Version, then, otherwise any) bson.D {
	field := func(name string) bson.D { return bson.D{{Key: "$ifNull", Value: bson.A{at + name, -1}}} }
	epoch, seen := int64(v.Epoch), int64(v.Seen)
	older := bson.D{{Key: "$or", Value: bson.A{
		bson.D{{Key: "$lt", Value: bson.A{field("e"), epoch}}},
		bson.D{{Key: "$and", Value: bson.A{
			bson.D{{Key: "$eq", Value: bson.A{field("e"), epoch}}},
			bson.D{{Key: "$lt", Value: bson.A{field("n"), seen}}},
		}}},
	}}}
	return bson.D{{Key: "$cond", Value: bson.A{older, then, otherwise}}}
}

// raise runs guarded upserts in bulk. Two that make the same document at once collide, and the one refused is tried again; since
// all are guarded, so may the others be.
func raise(ctx context.Context, coll *mongo.Collection, models []mongo.WriteModel) error {
	for len(models) > 0 {
		part := models[:min(raisePage, len(models))]
		models = models[len(part):]
		for attempt := 1; len(part) > 0; attempt++ {
			_, err := coll.BulkWrite(ctx, part, options.BulkWrite().SetOrdered(false))
			if err == nil {
				break
			}
			var refused mongo.BulkWriteException
			if !errors.As(err, &refused) || refused.WriteConcernError != nil || attempt == 10 {
				return unavailable(err)
			}
			var again []mongo.WriteModel
			for _, e := range refused.WriteErrors {
				if e.Code != codeDuplicateKey || e.Index < 0 || e.Index >= len(part) {
					return unavailable(err)
				}
				again = append(again, part[e.Index])
			}
			part = again
		}
	}
	return nil
}

// Leaves reads a unit's leaves.
func (r rollups) Leaves(ctx context.Context, unit string, from, to string) iter.Seq2[tally.Leaf, error] {
	// '0' follows '/': the last day's ids are all below.
	bounds := bson.D{{Key: "$gte", Value: unit + "/" + from + "/"}, {Key: "$lt", Value: unit + "/" + to + "0"}}
	return decoded[tally.Leaf](ctx, r.leaves, bson.D{{Key: "_id", Value: bounds}},
		options.Find().SetHint("_id_").SetSort(bson.D{{Key: "_id", Value: 1}}))
}

// decoded reads the documents of a query.
func decoded[T any](ctx context.Context, coll *mongo.Collection, filter bson.D, o *options.FindOptionsBuilder) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		cursor, err := coll.Find(ctx, filter, o)
		if err != nil {
			yield(none, unavailable(err))
			return
		}
		defer closeCursor(ctx, cursor)
		for cursor.Next(ctx) {
			var value T
			if err := store.Decode(cursor.Current, &value); err != nil {
				yield(none, fmt.Errorf("decode %s: %w", coll.Name(), err))
				return
			}
			if !yield(value, nil) {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield(none, unavailable(err))
		}
	}
}

// seenLeaf is a leaf without its counts.
type seenLeaf struct {
	Unit          string       `bson:"unit"`
	Day           localday.Day `bson:"day"`
	Channel       pb.Channel   `bson:"channel"`
	Questionnaire string       `bson:"questionnaire"`
	QVersion      int32        `bson:"version"`
	Hours         []struct {
		Hour          string `bson:"k"`
		tally.Version `bson:",inline"`
	} `bson:"h"`
}

// Seen reads the versions of all hour cells.
func (r rollups) Seen(ctx context.Context, from, to string) iter.Seq2[store.SeenCell, error] {
	pipeline := mongo.Pipeline{
		{{Key: "$match", Value: bson.D{{Key: "day", Value: bson.D{{Key: "$gte", Value: from}, {Key: "$lte", Value: to}}}}}},
		{{Key: "$project", Value: bson.D{
			{Key: "_id", Value: 0}, {Key: "unit", Value: 1}, {Key: "day", Value: 1}, {Key: "channel", Value: 1},
			{Key: "questionnaire", Value: 1}, {Key: "version", Value: 1},
			{Key: "h", Value: bson.D{{Key: "$map", Value: bson.D{
				{Key: "input", Value: bson.D{{Key: "$objectToArray", Value: "$h"}}},
				{Key: "in", Value: bson.D{{Key: "k", Value: "$$this.k"}, {Key: "e", Value: "$$this.v.e"}, {Key: "n", Value: "$$this.v.n"}}},
			}}}},
		}}},
	}
	return func(yield func(store.SeenCell, error) bool) {
		stopped := false
		err := each(ctx, r.leaves, pipeline, indexDay, func(raw bson.Raw) (bool, error) {
			var leaf seenLeaf
			if err := bson.Unmarshal(raw, &leaf); err != nil {
				return false, fmt.Errorf("decode a leaf: %w", err)
			}
			for _, h := range leaf.Hours {
				hour, err := strconv.Atoi(h.Hour)
				if err != nil {
					return false, fmt.Errorf("leaf of %s on %s: hour %q", leaf.Unit, leaf.Day, h.Hour)
				}
				at := rating.Counted{
					Unit: leaf.Unit, Day: leaf.Day, Hour: hour, Channel: leaf.Channel, Questionnaire: leaf.Questionnaire, Version: leaf.QVersion,
				}
				if stopped = !yield(store.SeenCell{Cell: at.Cell(), Version: h.Version}, nil); stopped {
					return false, nil
				}
			}
			return true, nil
		})
		if err != nil && !stopped {
			yield(store.SeenCell{}, err)
		}
	}
}

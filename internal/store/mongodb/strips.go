package mongodb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/tally"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// stripVersion is the field by which strips are compared and swapped.
const stripVersion = "v"

// standingStrip is a strip as it stands, with its version.
type standingStrip struct {
	strip   tally.Strip
	version int64
}

// RaiseStrips joins each strip into the one that stands. It reads, joins and writes until every joined strip is found
// standing, so a write that came between costs one more round.
func (r rollups) RaiseStrips(ctx context.Context, strips []tally.Strip) error {
	byKey := make(map[tally.StripKey]tally.Strip)
	for _, strip := range strips {
		if other, twice := byKey[strip.Key]; twice {
			strip = other.Join(strip)
		}
		byKey[strip.Key] = strip
	}
	all := make([]tally.Strip, 0, len(byKey))
	for _, strip := range byKey {
		all = append(all, strip)
	}
	for part := range slices.Chunk(all, raisePage) {
		if err := r.raiseStrips(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

func (r rollups) raiseStrips(ctx context.Context, strips []tally.Strip) error {
	ctx, cancel := longer(ctx, time.Minute)
	defer cancel()
	for round := 0; ; round++ {
		models, left, err := r.stripsToWrite(ctx, strips)
		if err != nil || len(models) == 0 {
			return err
		}
		if _, err := r.strips.BulkWrite(ctx, models, options.BulkWrite().SetOrdered(false)); err != nil {
			var refused mongo.BulkWriteException
			if !errors.As(err, &refused) || refused.WriteConcernError != nil || !onlyDuplicates(refused) {
				return unavailable(err)
			}
		}
		strips = left
		if round == 0 {
			continue
		}
		select { // others write the same strips: keep out of step with them
		case <-ctx.Done():
			return unavailable(context.Cause(ctx))
		case <-time.After(rand.N(time.Millisecond << min(round, 6))):
		}
	}
}

func onlyDuplicates(refused mongo.BulkWriteException) bool {
	return !slices.ContainsFunc(refused.WriteErrors, func(e mongo.BulkWriteError) bool { return e.Code != codeDuplicateKey })
}

// stripsToWrite answers the writes that would join the strips into what stands, and the strips they are for. What is joined
// already needs none.
func (r rollups) stripsToWrite(ctx context.Context, strips []tally.Strip) (models []mongo.WriteModel, left []tally.Strip, err error) {
	standing, err := r.standingStrips(ctx, strips)
	if err != nil {
		return nil, nil, err
	}
	for _, strip := range strips {
		id := strip.Key.ID()
		is, found := standing[id]
		joined := strip
		if found {
			if joined = is.strip.Join(strip); joined.Equal(is.strip) {
				continue
			}
		}
		raw, err := bson.Marshal(joined)
		if err != nil {
			return nil, nil, fmt.Errorf("encode strip %s: %w", id, err)
		}
		var document bson.D
		if err := bson.Unmarshal(raw, &document); err != nil {
			return nil, nil, fmt.Errorf("encode strip %s: %w", id, err)
		}
		document = append(document, bson.E{Key: stripVersion, Value: is.version + 1})
		if found {
			filter := bson.D{{Key: "_id", Value: id}, {Key: stripVersion, Value: is.version}}
			models = append(models, mongo.NewReplaceOneModel().SetFilter(filter).SetReplacement(document))
		} else {
			models = append(models, mongo.NewInsertOneModel().SetDocument(document))
		}
		left = append(left, strip)
	}
	return models, left, nil
}

func (r rollups) standingStrips(ctx context.Context, strips []tally.Strip) (map[string]standingStrip, error) {
	ids := make(bson.A, len(strips))
	for i, strip := range strips {
		ids[i] = strip.Key.ID()
	}
	cursor, err := r.strips.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
	if err != nil {
		return nil, unavailable(err)
	}
	defer closeCursor(ctx, cursor)
	standing := make(map[string]standingStrip, len(strips))
	for cursor.Next(ctx) {
		var is standingStrip
		if err := bson.Unmarshal(cursor.Current, &is.strip); err != nil {
			return nil, fmt.Errorf("decode a strip: %w", err)
		}
		is.version, _ = cursor.Current.Lookup(stripVersion).AsInt64OK()
		standing[is.strip.Key.ID()] = is
	}
	return standing, unavailable(cursor.Err())
}

// Strips reads the strips of a year.
func (r rollups) Strips(ctx context.Context, year int, units []string) iter.Seq2[tally.Strip, error] {
	filter := bson.D{{Key: "year", Value: int32(year)}}
	if units != nil {
		filter = append(filter, bson.E{Key: "unit", Value: bson.D{{Key: "$in", Value: units}}})
	}
	return decoded[tally.Strip](ctx, r.strips, filter, options.Find().SetHint(indexYearUnit))
}

// RaiseFacets writes unit-month facets, each guarded for itself.
func (r rollups) RaiseFacets(ctx context.Context, facets []tally.Facet) error {
	newest := make(map[tally.FacetKey]tally.Facet)
	for _, facet := range facets {
		if other, twice := newest[facet.Key]; !twice || other.Less(facet.Version) {
			newest[facet.Key] = facet
		}
	}
	models := make([]mongo.WriteModel, 0, len(newest))
	for key, facet := range newest {
		models = append(models, mongo.NewUpdateOneModel().SetFilter(idIs(key.ID())).SetUpsert(true).SetUpdate(mongo.Pipeline{
			{{Key: "$replaceWith", Value: whereLess("$", facet.Version, literal(facet), "$$ROOT")}},
		}))
	}
	return raise(ctx, r.facets, models)
}

// Facets reads a unit's facets.
func (r rollups) Facets(ctx context.Context, unit string, from, to string) iter.Seq2[tally.Facet, error] {
	bounds := bson.D{{Key: "$gte", Value: tally.FacetKey{Unit: unit, Month: from}.ID()}, {Key: "$lte", Value: tally.FacetKey{Unit: unit, Month: to}.ID()}}
	return decoded[tally.Facet](ctx, r.facets, bson.D{{Key: "_id", Value: bounds}},
		options.Find().SetHint("_id_").SetSort(bson.D{{Key: "_id", Value: 1}}))
}

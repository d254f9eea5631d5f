package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// ratings is the append-only store of ratings and annotations: a document is the BSON of a rating.Record.
type ratings struct {
	e    *Engine
	coll *mongo.Collection
}

// appendAttempts is how often an append meets a record that a change of primary then takes back.
const appendAttempts = 5

// Append adds records by id. Calls that come together share one write; when ctx ends while the write is under way it
// may yet land.
func (r ratings) Append(ctx context.Context, records []rating.Record) ([]store.Appended, error) {
	if len(records) == 0 {
		return nil, nil
	}
	pending := make([]int, len(records))
	bodies := make([][]byte, len(records))
	for i := range records {
		body, err := encodeRating(&records[i])
		if err != nil {
			return nil, err
		}
		pending[i], bodies[i] = i, body
	}
	w, err := r.e.writer(r.coll)
	if err != nil {
		return nil, err
	}
	answers := make([]store.Appended, len(records))
	for range appendAttempts {
		errs, err := w.insert(ctx, bodies)
		if err != nil {
			return nil, err
		}
		var met []int
		for i, err := range errs {
			switch {
			case err == nil:
				answers[pending[i]].Stored = true
			case errors.Is(err, store.ErrExists):
				met = append(met, pending[i])
			default:
				return nil, fmt.Errorf("record %s: %w", records[pending[i]].ID, err)
			}
		}
		if pending, err = r.existing(ctx, records, met, answers); err != nil {
			return nil, err
		}
		if len(pending) == 0 {
			return answers, nil
		}
		bodies = bodies[:0]
		for _, i := range pending {
			body, err := encodeRating(&records[i])
			if err != nil {
				return nil, err
			}
			bodies = append(bodies, body)
		}
	}
	return nil, unavailable(fmt.Errorf("record %s is neither stored nor found", records[pending[0]].ID))
}

// existing reads what the records named by met were found to be; gone are those that no majority holds, for they were
// taken back.
func (r ratings) existing(ctx context.Context, records []rating.Record, met []int, answers []store.Appended) (gone []int, err error) {
	const page = 1000 // ids a query
	for len(met) > 0 {
		part := met[:min(page, len(met))]
		met = met[len(part):]
		ids := make(bson.A, len(part))
		for i, at := range part {
			ids[i] = records[at].ID
		}
		cursor, err := r.coll.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
		if err != nil {
			return nil, unavailable(err)
		}
		var found []bson.Raw
		if err := cursor.All(ctx, &found); err != nil {
			return nil, unavailable(err)
		}
		byID := make(map[string]bson.Raw, len(found))
		for _, raw := range found {
			byID[lookupString(raw, "_id")] = raw
		}
		for _, at := range part {
			raw, ok := byID[records[at].ID]
			if !ok {
				gone = append(gone, at)
				continue
			}
			stands, err := decodeRating(raw)
			if err != nil {
				return nil, err
			}
			answers[at].Existing = &stands
		}
	}
	return gone, nil
}

// Get reads one record as a majority holds it.
func (r ratings) Get(ctx context.Context, recordID string) (rating.Record, error) {
	raw, err := r.coll.FindOne(ctx, idIs(recordID)).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return rating.Record{}, store.ErrNotFound
	}
	if err != nil {
		return rating.Record{}, unavailable(err)
	}
	return decodeRating(raw)
}

func encodeRating(record *rating.Record) ([]byte, error) {
	if err := store.CheckID(record.ID); err != nil {
		return nil, err
	}
	body, err := bson.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("%w: encode %s: %w", store.ErrInvalid, record.ID, err)
	}
	if len(body) > store.MaxBodyBytes {
		return nil, store.ErrTooLarge
	}
	return body, nil
}

func decodeRating(raw bson.Raw) (record rating.Record, err error) {
	if err := bson.Unmarshal(raw, &record); err != nil {
		return record, fmt.Errorf("decode a rating: %w", err)
	}
	record.ReceivedAt, record.OccurredAt = record.ReceivedAt.In(time.UTC), record.OccurredAt.In(time.UTC)
	return record, nil
}

package mongodb

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// documents is one kind of document.
type documents struct {
	e        *Engine
	kind     store.Kind
	indexes  []index
	coll     *mongo.Collection
	snapshot *mongo.Collection // the same, read as it stood when a query began
}

// A document stands in MongoDB as its body with the version as a last field: versionHead, eight bytes, the end.
const (
	versionField = "_v"
	versionHead  = "\x12_v\x00"
	versionSize  = len(versionHead) + 8
)

// Get reads one document as a majority holds it.
func (d *documents) Get(ctx context.Context, id string) (store.Item, error) {
	raw, err := d.coll.FindOne(ctx, idIs(id)).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return store.Item{}, store.ErrNotFound
	}
	if err != nil {
		return store.Item{}, unavailable(err)
	}
	return itemOf(raw)
}

// Insert adds documents, each for itself. Calls that come together share one write; when ctx ends while the write is
// under way it may yet land.
func (d *documents) Insert(ctx context.Context, bodies ...[]byte) ([]error, error) {
	if len(bodies) == 0 {
		return nil, nil
	}
	answers := make([]error, len(bodies))
	good := make([][]byte, 0, len(bodies))
	at := make([]int, 0, len(bodies))
	for i, body := range bodies {
		if _, answers[i] = d.check(body); answers[i] == nil {
			// Where a document is removed and made again it does not come back to an old version.
			good, at = append(good, withVersion(body, store.Version(1+rand.Int64N(1<<52)))), append(at, i)
		}
	}
	if len(good) == 0 {
		return answers, nil
	}
	w, err := d.e.writer(d.coll)
	if err != nil {
		return nil, err
	}
	written, err := w.insert(ctx, good)
	if err != nil {
		return nil, err
	}
	for i, answer := range written {
		answers[at[i]] = answer
	}
	return answers, nil
}

// Replace writes the document if its version is still the one given.
func (d *documents) Replace(ctx context.Context, body []byte, version store.Version) (store.Version, error) {
	if d.kind.AppendOnly {
		return 0, store.ErrAppendOnly
	}
	id, err := d.check(body)
	if err != nil {
		return 0, err
	}
	result, err := d.coll.ReplaceOne(ctx, idAndVersion(id, version), bson.Raw(withVersion(body, version+1)))
	if err != nil {
		return 0, outcome(err)
	}
	if result.MatchedCount == 0 {
		return 0, d.whyNot(ctx, id)
	}
	return version + 1, nil
}

// Delete removes the document if its version is still the one given.
func (d *documents) Delete(ctx context.Context, id string, version store.Version) error {
	if d.kind.AppendOnly {
		return store.ErrAppendOnly
	}
	result, err := d.coll.DeleteOne(ctx, idAndVersion(id, version))
	if err != nil {
		return outcome(err)
	}
	if result.DeletedCount == 0 {
		return d.whyNot(ctx, id)
	}
	return nil
}

// whyNot tells why no document of that id and version was found.
func (d *documents) whyNot(ctx context.Context, id string) error {
	if _, err := d.Get(ctx, id); err != nil {
		return err
	}
	return store.ErrStale
}

// check answers a body's id if the kind can keep it.
func (d *documents) check(body []byte) (string, error) {
	id, err := store.CheckBody(body)
	if err != nil {
		return "", err
	}
	raw := bson.Raw(body)
	if len(body)+versionSize > store.MaxBodyBytes {
		return "", store.ErrTooLarge
	}
	if !bytes.HasPrefix(body[4:], []byte("\x02_id\x00")) {
		return "", fmt.Errorf("%w: _id is not the first field, and mongodb would move it there", store.ErrInvalid)
	}
	if _, err := raw.LookupErr(versionField); err == nil {
		return "", fmt.Errorf("%w: the field %s is the engine's", store.ErrInvalid, versionField)
	}
	for _, x := range d.indexes {
		if err := x.check(raw); err != nil {
			return "", fmt.Errorf("index %s: %w", x.Name, err)
		}
	}
	return id, nil
}

// check tells whether the indexed fields hold what may be indexed, so that each engine takes the same documents.
func (x index) check(body bson.Raw) error {
	for i, path := range x.paths {
		value := body.Lookup(path...)
		if i > 0 || !x.Multi || value.Type != bson.TypeArray {
			if _, err := keyOfRaw(value); err != nil {
				return err
			}
			continue
		}
		elements, err := value.Array().Values()
		if err != nil {
			return fmt.Errorf("%w: %w", store.ErrInvalid, err)
		}
		for _, element := range elements {
			if _, err := keyOfRaw(element); err != nil {
				return err
			}
		}
	}
	return nil
}

func idIs(id string) bson.D { return bson.D{{Key: "_id", Value: id}} }

func idAndVersion(id string, version store.Version) bson.D {
	return bson.D{{Key: "_id", Value: id}, {Key: versionField, Value: int64(version)}}
}

// withVersion copies a body, the version appended.
func withVersion(body []byte, version store.Version) []byte {
	raw := make([]byte, 0, len(body)+versionSize)
	raw = append(append(raw, body[:len(body)-1]...), versionHead...)
	raw = append(binary.LittleEndian.AppendUint64(raw, uint64(version)), 0)
	binary.LittleEndian.PutUint32(raw, uint32(len(raw)))
	return raw
}

// itemOf takes a stored document apart into the body as it was given and its version.
func itemOf(raw bson.Raw) (store.Item, error) {
	id := lookupString(raw, "_id")
	tail := len(raw) - 1 - versionSize
	if tail < 4 || string(raw[tail:tail+len(versionHead)]) != versionHead {
		return store.Item{}, fmt.Errorf("mongodb: document %q does not end with its version: another program wrote it", id)
	}
	body := make([]byte, tail+1)
	copy(body, raw[:tail])
	binary.LittleEndian.PutUint32(body, uint32(len(body)))
	return store.Item{ID: id, Version: store.Version(binary.LittleEndian.Uint64(raw[tail+len(versionHead):])), Body: body}, nil
}

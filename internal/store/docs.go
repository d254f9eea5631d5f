package store

import (
	"context"
	"fmt"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Type ties a Go type to a kind of document: the one declaration a feature writes. T is a struct with a string
// field tagged bson:"_id". Times are kept to the millisecond, in UTC.
type Type[T any] struct{ Kind Kind }

// Define declares a kind of document.
func Define[T any](name string, indexes ...Index) Type[T] {
	return Type[T]{Kind{Name: name, Indexes: indexes}}
}

// AppendOnly declares that documents of the kind are never changed or removed.
func (t Type[T]) AppendOnly() Type[T] {
	t.Kind.AppendOnly = true
	return t
}

// Open opens the kind on an engine.
func (t Type[T]) Open(ctx context.Context, engine Engine) (Docs[T], error) {
	documents, err := engine.Documents(ctx, t.Kind)
	if err != nil {
		return Docs[T]{}, fmt.Errorf("open kind %s: %w", t.Kind.Name, err)
	}
	return Docs[T]{kind: t.Kind.Name, documents: documents}, nil
}

// Docs is one kind of document with its Go type. Errors are those of Documents; a Stale is a *StaleError[T].
type Docs[T any] struct {
	kind      string
	documents Documents
}

// Doc is a document with its version and place.
type Doc[T any] struct {
	Value   T
	Version Version
	Cursor  Cursor
}

// StaleError is ErrStale with the document as it stands now.
type StaleError[T any] struct{ Current Doc[T] }

// Error is for the log.
func (e *StaleError[T]) Error() string { return ErrStale.Error() }

// Is makes errors.Is(err, ErrStale) true.
func (e *StaleError[T]) Is(target error) bool { return target == ErrStale }

// Get reads one document. ErrNotFound.
func (d Docs[T]) Get(ctx context.Context, id string) (T, Version, error) {
	item, err := d.documents.Get(ctx, id)
	if err != nil {
		var none T
		return none, 0, err
	}
	doc, err := d.decode(item)
	return doc.Value, doc.Version, err
}

// Insert adds one document. ErrExists, ErrTaken.
func (d Docs[T]) Insert(ctx context.Context, value T) error {
	errs, err := d.InsertAll(ctx, []T{value})
	if err != nil {
		return err
	}
	return errs[0]
}

// InsertAll adds documents in one write, each for itself; one error an item.
func (d Docs[T]) InsertAll(ctx context.Context, values []T) ([]error, error) {
	if len(values) == 0 {
		return nil, nil
	}
	bodies := make([][]byte, len(values))
	for i, value := range values {
		body, err := bson.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", d.kind, err)
		}
		bodies[i] = body
	}
	return d.documents.Insert(ctx, bodies...)
}

// Replace writes the document if its version is still the one given. *StaleError[T], ErrNotFound, ErrTaken.
func (d Docs[T]) Replace(ctx context.Context, id string, value T, version Version) (Version, error) {
	body, err := bson.Marshal(value)
	if err != nil {
		return 0, fmt.Errorf("encode %s: %w", d.kind, err)
	}
	next, err := d.documents.Replace(ctx, body, version)
	if err == ErrStale { //nolint:errorlint // engines answer the bare value
		return 0, d.stale(ctx, id)
	}
	return next, err
}

// Delete removes the document if its version is still the one given. *StaleError[T], ErrNotFound.
func (d Docs[T]) Delete(ctx context.Context, id string, version Version) error {
	err := d.documents.Delete(ctx, id, version)
	if err == ErrStale { //nolint:errorlint // engines answer the bare value
		return d.stale(ctx, id)
	}
	return err
}

func (d Docs[T]) stale(ctx context.Context, id string) error {
	value, version, err := d.Get(ctx, id)
	if err != nil {
		return err
	}
	return &StaleError[T]{Doc[T]{Value: value, Version: version}}
}

// Update reads, changes and replaces a document until nobody came between. change answers false to leave it
// as it is. ErrNotFound.
func (d Docs[T]) Update(ctx context.Context, id string, change func(*T) (bool, error)) (T, error) {
	value, version, err := d.Get(ctx, id)
	for err == nil {
		var write bool
		if write, err = change(&value); err != nil || !write {
			return value, err
		}
		_, err = d.Replace(ctx, id, value, version)
		if stale, ok := err.(*StaleError[T]); ok { //nolint:errorlint // our own, never wrapped
			value, version, err = stale.Current.Value, stale.Current.Version, nil
			continue
		}
		return value, err
	}
	return value, err
}

// Find reads by a declared index.
func (d Docs[T]) Find(ctx context.Context, query Query) iter.Seq2[Doc[T], error] {
	return func(yield func(Doc[T], error) bool) {
		for item, err := range d.documents.Find(ctx, query) {
			var doc Doc[T]
			if err == nil {
				doc, err = d.decode(item)
			}
			if !yield(doc, err) || err != nil {
				return
			}
		}
	}
}

// First answers the first document of a query. ErrNotFound.
func (d Docs[T]) First(ctx context.Context, query Query) (Doc[T], error) {
	query.Limit = 1
	for doc, err := range d.Find(ctx, query) {
		return doc, err
	}
	return Doc[T]{}, ErrNotFound
}

// Page reads at most limit documents and answers the cursor of the next page, empty at the end.
func (d Docs[T]) Page(ctx context.Context, query Query, limit int) ([]T, Cursor, error) {
	query.Limit = limit + 1
	var values []T
	var last Cursor
	for doc, err := range d.Find(ctx, query) {
		if err != nil {
			return nil, "", err
		}
		if len(values) == limit {
			return values, last, nil
		}
		values, last = append(values, doc.Value), doc.Cursor
	}
	return values, "", nil
}

func (d Docs[T]) decode(item Item) (Doc[T], error) {
	doc := Doc[T]{Version: item.Version, Cursor: item.Cursor}
	if err := bson.Unmarshal(item.Body, &doc.Value); err != nil {
		return doc, fmt.Errorf("decode %s %s: %w", d.kind, item.ID, err)
	}
	return doc, nil
}

// Milliseconds cuts a time to what every engine keeps.
func Milliseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

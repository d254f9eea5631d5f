package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/hailong-vn/hailong/internal/store"
)

// documents is one kind of document.
type documents struct {
	e    *Engine
	kind *kind

	// Statements, by the kind's table.
	selectOne, selectID, insert, update, remove string
}

func (d *documents) prepare() {
	table := d.kind.table()
	d.selectOne = "SELECT version, body FROM " + table + " WHERE id = ?"
	d.selectID = "SELECT 1 FROM " + table + " WHERE id = ?"
	d.insert = "INSERT INTO " + table + " (id, version, body) VALUES (?, 1, ?) ON CONFLICT (id) DO NOTHING"
	d.update = "UPDATE " + table + " SET version = version + 1, body = ? WHERE id = ?"
	d.remove = "DELETE FROM " + table + " WHERE id = ?"
}

// document is a body ready to be written.
type document struct {
	id      string
	body    []byte
	entries []entry
	bad     error
}

func (d *documents) read(body []byte) (doc document) {
	doc.body = body
	if doc.id, doc.bad = store.CheckBody(body); doc.bad == nil {
		doc.entries, doc.bad = d.kind.entries(body)
	}
	return doc
}

// Get reads one document.
func (d *documents) Get(ctx context.Context, id string) (store.Item, error) {
	item := store.Item{ID: id}
	found, err := d.e.row(ctx, d.selectOne, []any{id}, &item.Version, &item.Body)
	if err != nil {
		return store.Item{}, err
	}
	if !found {
		return store.Item{}, store.ErrNotFound
	}
	return item, nil
}

// Insert adds documents, each for itself. When ctx ends while the write is under way it may yet land.
func (d *documents) Insert(ctx context.Context, bodies ...[]byte) ([]error, error) {
	if len(bodies) == 0 {
		return nil, nil
	}
	docs, weight := make([]document, len(bodies)), 0
	for i, body := range bodies {
		docs[i] = d.read(body)
		weight += len(body)
	}
	var answers []error
	err := d.e.writer.do(ctx, weight, func(t *tx) error {
		outcomes := make([]error, len(docs))
		for i := range docs {
			var err error
			if outcomes[i], err = d.insertOne(t, &docs[i]); err != nil {
				return err
			}
		}
		answers = outcomes
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answers, nil
}

func (d *documents) insertOne(t *tx, doc *document) (outcome, failure error) {
	if doc.bad != nil {
		return doc.bad, nil
	}
	// Nothing may be written before it is known that all can be: in an append-only table it could not be taken back.
	if slices.ContainsFunc(doc.entries, func(x entry) bool { return x.unique }) {
		var one int
		if found, err := t.row(d.selectID, []any{doc.id}, &one); err != nil {
			return nil, err
		} else if found {
			return store.ErrExists, nil
		}
		for _, entry := range doc.entries {
			if taken, err := t.taken(entry); err != nil {
				return nil, err
			} else if taken {
				return store.ErrTaken, nil
			}
		}
	}
	added, err := t.exec(d.insert, doc.id, doc.body)
	if err != nil {
		return nil, err
	}
	if added == 0 {
		return store.ErrExists, nil
	}
	return nil, t.addEntries(doc.entries, doc.id)
}

// Replace writes the document if its version is still the one given. When ctx ends while the write is under way
// it may yet land.
func (d *documents) Replace(ctx context.Context, body []byte, version store.Version) (store.Version, error) {
	if d.kind.AppendOnly {
		return 0, store.ErrAppendOnly
	}
	doc := d.read(body)
	if doc.bad != nil {
		return 0, doc.bad
	}
	var outcome error
	err := d.e.writer.do(ctx, len(body), func(t *tx) (err error) {
		outcome, err = d.replaceOne(t, &doc, version)
		return err
	})
	if err != nil {
		return 0, err
	}
	if outcome != nil {
		return 0, outcome
	}
	return version + 1, nil
}

func (d *documents) replaceOne(t *tx, doc *document, version store.Version) (outcome, failure error) {
	old, outcome, err := d.standing(t, doc.id, version)
	if outcome != nil || err != nil {
		return outcome, err
	}
	added, removed := without(doc.entries, old), without(old, doc.entries)
	for _, entry := range added {
		if taken, err := t.taken(entry); err != nil {
			return nil, err
		} else if taken {
			return store.ErrTaken, nil
		}
	}
	for _, entry := range removed {
		if err := t.removeEntry(entry, doc.id); err != nil {
			return nil, err
		}
	}
	if err := t.addEntries(added, doc.id); err != nil {
		return nil, err
	}
	_, err = t.exec(d.update, doc.body, doc.id)
	return nil, err
}

// standing answers the index entries of the document that stands, if it has this version.
func (d *documents) standing(t *tx, id string, version store.Version) (entries []entry, outcome, failure error) {
	var stands store.Version
	var body []byte
	found, err := t.row(d.selectOne, []any{id}, &stands, &body)
	switch {
	case err != nil:
		return nil, nil, err
	case !found:
		return nil, store.ErrNotFound, nil
	case stands != version:
		return nil, store.ErrStale, nil
	}
	if entries, err = d.kind.entries(body); err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", d.kind.Name, id, err)
	}
	return entries, nil, nil
}

// without answers the entries of a that are not in b.
func without(a, b []entry) (left []entry) {
	for _, x := range a {
		if !slices.ContainsFunc(b, func(y entry) bool { return x.no == y.no && bytes.Equal(x.key, y.key) }) {
			left = append(left, x)
		}
	}
	return left
}

// Delete removes the document if its version is still the one given. When ctx ends while the write is under way
// it may yet land.
func (d *documents) Delete(ctx context.Context, id string, version store.Version) error {
	if d.kind.AppendOnly {
		return store.ErrAppendOnly
	}
	var outcome error
	err := d.e.writer.do(ctx, len(id), func(t *tx) (err error) {
		outcome, err = d.deleteOne(t, id, version)
		return err
	})
	if err != nil {
		return err
	}
	return outcome
}

func (d *documents) deleteOne(t *tx, id string, version store.Version) (outcome, failure error) {
	old, outcome, err := d.standing(t, id, version)
	if outcome != nil || err != nil {
		return outcome, err
	}
	for _, entry := range old {
		if err := t.removeEntry(entry, id); err != nil {
			return nil, err
		}
	}
	_, err = t.exec(d.remove, id)
	return nil, err
}

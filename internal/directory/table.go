package directory

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
)

// revision is the one document that orders all changes. Pending is the change that made revision N.
type revision struct {
	ID      string  `bson:"_id"`
	N       int64   `bson:"n"`
	Pending []write `bson:"pending"`
}

const revisionID = "directory"

// write is one document of a change, as it shall stand.
type write struct {
	Kind string   `bson:"kind"`
	ID   string   `bson:"id"`
	Body bson.Raw `bson:"body"`
}

// table is one kind of document.
type table[T any] struct {
	kind string
	docs store.Docs[kept[T]]
	id   func(T) string
}

// bind opens the kind.
func (t *table[T]) bind(ctx context.Context, engine store.Engine, kind string, id func(T) string) error {
	docs, err := define[T](kind).Open(ctx, engine)
	*t = table[T]{kind, docs, id}
	return err
}

func (t *table[T]) write(value T, revision int64) (write, error) {
	body, err := bson.Marshal(kept[T]{value, revision})
	return write{t.kind, t.id(value), body}, err
}

// since reads what was written after a revision, and notes each in seen.
func (t *table[T]) since(ctx context.Context, revision int64, seen *seen) ([]T, error) {
	var values []T
	for doc, err := range t.docs.Find(ctx, store.Query{Index: byRevision, From: revision + 1}) {
		if err != nil {
			return nil, err
		}
		values = append(values, doc.Value.Value)
		seen.note(t.kind, t.id(doc.Value.Value), doc.Value.Revision)
	}
	return values, nil
}

// seen is what a reading met: documents by kind and id with their revision.
type seen struct {
	at     map[[2]string]int64
	newest int64
}

func (s *seen) note(kind, id string, revision int64) {
	s.at[[2]string{kind, id}] = revision
	s.newest = max(s.newest, revision)
}

// apply writes bodies of a change. It may be done again, by anybody, at any time: what is as new stays.
func (t *table[T]) apply(ctx context.Context, bodies []bson.Raw) error {
	values := make([]kept[T], len(bodies))
	for i, body := range bodies {
		if err := bson.Unmarshal(body, &values[i]); err != nil {
			return fmt.Errorf("change of %s: %w", t.kind, err)
		}
	}
	errs, err := t.docs.InsertAll(ctx, values)
	if err != nil {
		return err
	}
	for i, err := range errs {
		if errors.Is(err, store.ErrExists) {
			_, err = t.docs.Update(ctx, t.id(values[i].Value), func(current *kept[T]) (bool, error) {
				if current.Revision >= values[i].Revision {
					return false, nil
				}
				*current = values[i]
				return true, nil
			})
		}
		if err != nil {
			return fmt.Errorf("change of %s %s: %w", t.kind, t.id(values[i].Value), err)
		}
	}
	return nil
}

// tables are all kinds of the directory.
type tables struct {
	units          table[unit.Unit]
	counters       table[Counter]
	officials      table[Official]
	procedures     table[Procedure]
	questionnaires table[publication]
	revisions      store.Docs[revision]
}

func openTables(ctx context.Context, engine store.Engine) (*tables, error) {
	t := &tables{}
	var err error
	t.revisions, err = store.Define[revision](revisionKind).Open(ctx, engine)
	return t, errors.Join(err,
		t.units.bind(ctx, engine, unitKind, func(u unit.Unit) string { return u.ID }),
		t.counters.bind(ctx, engine, counterKind, func(c Counter) string { return c.ID }),
		t.officials.bind(ctx, engine, officialKind, func(o Official) string { return o.ID }),
		t.procedures.bind(ctx, engine, procedureKind, func(p Procedure) string { return p.Code }),
		t.questionnaires.bind(ctx, engine, questionnaireKind, func(q publication) string { return q.ID }))
}

// change is documents that shall be written together.
type change struct {
	units          []unit.Unit
	counters       []Counter
	officials      []Official
	procedures     []Procedure
	questionnaires []publication
}

func (t *tables) since(ctx context.Context, revision int64) (change, *seen, error) {
	seen := &seen{at: map[[2]string]int64{}}
	var c change
	var errs [5]error
	c.units, errs[0] = t.units.since(ctx, revision, seen)
	c.counters, errs[1] = t.counters.since(ctx, revision, seen)
	c.officials, errs[2] = t.officials.since(ctx, revision, seen)
	c.procedures, errs[3] = t.procedures.since(ctx, revision, seen)
	c.questionnaires, errs[4] = t.questionnaires.since(ctx, revision, seen)
	return c, seen, errors.Join(errs[:]...)
}

// writes encodes a change.
func (t *tables) writes(c change, revision int64) ([]write, error) {
	var all []write
	return all, errors.Join(
		encode(&all, &t.units, c.units, revision), encode(&all, &t.counters, c.counters, revision),
		encode(&all, &t.officials, c.officials, revision), encode(&all, &t.procedures, c.procedures, revision),
		encode(&all, &t.questionnaires, c.questionnaires, revision))
}

func encode[T any](all *[]write, t *table[T], values []T, revision int64) error {
	for _, value := range values {
		w, err := t.write(value, revision)
		if err != nil {
			return err
		}
		*all = append(*all, w)
	}
	return nil
}

// apply writes a change's documents.
func (t *tables) apply(ctx context.Context, writes []write) error {
	byKind := map[string][]bson.Raw{}
	for _, w := range writes {
		byKind[w.Kind] = append(byKind[w.Kind], w.Body)
	}
	return errors.Join(
		t.units.apply(ctx, byKind[unitKind]), t.counters.apply(ctx, byKind[counterKind]),
		t.officials.apply(ctx, byKind[officialKind]), t.procedures.apply(ctx, byKind[procedureKind]),
		t.questionnaires.apply(ctx, byKind[questionnaireKind]))
}

package sqlite

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hailong-vn/hailong/internal/store"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// kind is a declared kind with the numbers its indexes have in this file.
type kind struct {
	store.Kind
	indexes []index
}

type index struct {
	store.Index
	no    int64
	paths [][]string
}

// entry is one row of the index table, without the document's id.
type entry struct {
	no     int64
	key    []byte
	unique bool
}

// entries answers what stands in the indexes for a body.
func (k *kind) entries(body bson.Raw) ([]entry, error) {
	var all []entry
	for i := range k.indexes {
		var err error
		if all, err = k.indexes[i].appendEntries(all, body); err != nil {
			return nil, fmt.Errorf("index %s: %w", k.indexes[i].Name, err)
		}
	}
	return all, nil
}

func (x *index) appendEntries(all []entry, body bson.Raw) ([]entry, error) {
	var rest []byte // the fields after the first
	var first bson.RawValue
	missing := true
	for i, path := range x.paths {
		value, err := body.LookupErr(path...)
		if err == nil {
			missing = false
		}
		if i == 0 {
			first = value
			continue
		}
		if rest, err = appendRaw(rest, value); err != nil {
			return nil, err
		}
	}
	if x.Unique && missing {
		return all, nil
	}
	if !x.Multi {
		key, err := appendRaw(nil, first)
		if err != nil {
			return nil, err
		}
		return append(all, entry{x.no, append(key, rest...), x.Unique}), nil
	}
	elements, err := elementsOf(first)
	if err != nil {
		return nil, err
	}
	start := len(all)
next:
	for _, element := range elements {
		key, err := appendRaw(nil, element)
		if err != nil {
			return nil, err
		}
		key = append(key, rest...)
		for _, other := range all[start:] {
			if bytes.Equal(other.key, key) {
				continue next
			}
		}
		all = append(all, entry{x.no, key, x.Unique})
	}
	return all, nil
}

func elementsOf(value bson.RawValue) ([]bson.RawValue, error) {
	switch value.Type {
	case 0, bson.TypeNull:
		return nil, nil
	case bson.TypeArray:
		return value.Array().Values()
	default:
		return []bson.RawValue{value}, nil
	}
}

// table is the kind's table as it is written in SQL; CheckKind has let only plain names through.
func (k *kind) table() string { return `"` + k.Name + `"` }

// Documents opens a kind. An index that was added or changed since the file was last used is built here, which takes
// as long as reading the kind takes.
func (e *Engine) Documents(ctx context.Context, declared store.Kind) (store.Documents, error) {
	if err := store.CheckKind(declared); err != nil {
		return nil, err
	}
	if reserved(declared.Name) || strings.HasPrefix(declared.Name, "sqlite") {
		return nil, fmt.Errorf("%w: kind %q: the name is taken by the engine", store.ErrInvalid, declared.Name)
	}
	var k *kind
	err := e.writer.do(ctx, 0, func(t *tx) (err error) {
		k, err = t.openKind(declared)
		return err
	})
	if err != nil {
		return nil, err
	}
	d := &documents{e: e, kind: k}
	d.prepare()
	e.lock.Lock()
	e.kinds[k.Name] = d
	e.lock.Unlock()
	e.sweepSoon()
	return d, nil
}

func (t *tx) openKind(declared store.Kind) (*kind, error) {
	k := &kind{Kind: declared}
	if err := t.define(`CREATE TABLE IF NOT EXISTS ` + k.table() +
		` (id TEXT PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL)`); err != nil {
		return nil, err
	}
	if k.AppendOnly {
		if err := t.defineAppendOnly(k); err != nil {
			return nil, err
		}
	}
	var fresh []index
	for _, declaredIndex := range declared.Indexes {
		x := index{Index: declaredIndex}
		for _, field := range x.Fields {
			x.paths = append(x.paths, strings.Split(field, "."))
		}
		isNew, err := t.openIndex(k.Name, &x)
		if err != nil {
			return nil, err
		}
		if isNew {
			fresh = append(fresh, x)
		}
		k.indexes = append(k.indexes, x)
	}
	if err := t.dropOtherIndexes(k); err != nil {
		return nil, err
	}
	if len(fresh) > 0 {
		if err := t.build(k, fresh); err != nil {
			return nil, fmt.Errorf("build indexes of %s: %w", k.Name, err)
		}
	}
	return k, nil
}

// defineAppendOnly lets the database itself refuse what changes or removes a document. INSERT OR REPLACE removes what it replaces
// past the trigger for DELETE, so it is stopped by one of its own.
func (t *tx) defineAppendOnly(k *kind) error {
	for _, trigger := range []string{
		"_no_update\" BEFORE UPDATE ON " + k.table() + " BEGIN SELECT RAISE(ABORT, 'append-only'); END",
		"_no_delete\" BEFORE DELETE ON " + k.table() + " BEGIN SELECT RAISE(ABORT, 'append-only'); END",
		"_no_replace\" BEFORE INSERT ON " + k.table() + " WHEN EXISTS (SELECT 1 FROM " + k.table() + " WHERE id = NEW.id OR rowid = NEW.rowid)" +
			" BEGIN SELECT RAISE(IGNORE); END",
	} {
		if err := t.define(`CREATE TRIGGER IF NOT EXISTS "` + k.Name + trigger); err != nil {
			return err
		}
	}
	return nil
}

// openIndex finds the index's number, giving it a new one where it is not there or was declared otherwise.
func (t *tx) openIndex(kindName string, x *index) (isNew bool, err error) {
	spec, err := json.Marshal(struct {
		Fields        []string
		Unique, Multi bool
	}{x.Fields, x.Unique, x.Multi})
	if err != nil {
		return false, err
	}
	var was string
	found, err := t.row("SELECT no, spec FROM indexes WHERE kind = ? AND name = ?", []any{kindName, x.Name}, &x.no, &was)
	if err != nil || found && was == string(spec) {
		return false, err
	}
	if found {
		if err := t.dropIndex(x.no); err != nil {
			return false, err
		}
	}
	_, err = t.row("INSERT INTO indexes (kind, name, spec) VALUES (?, ?, ?) RETURNING no", []any{kindName, x.Name, string(spec)}, &x.no)
	return true, err
}

func (t *tx) dropIndex(no int64) error {
	if _, err := t.exec("DELETE FROM entries WHERE no = ?", no); err != nil {
		return err
	}
	_, err := t.exec("DELETE FROM indexes WHERE no = ?", no)
	return err
}

// dropOtherIndexes removes indexes that are declared no more: nothing would keep them up to date.
func (t *tx) dropOtherIndexes(k *kind) error {
	for after := int64(0); ; {
		var no int64
		found, err := t.row("SELECT no FROM indexes WHERE kind = ? AND no > ? ORDER BY no LIMIT 1", []any{k.Name, after}, &no)
		if err != nil || !found {
			return err
		}
		after = no
		declared := false
		for _, x := range k.indexes {
			declared = declared || x.no == no
		}
		if !declared {
			if err := t.dropIndex(no); err != nil {
				return err
			}
		}
	}
}

// build enters every document of the kind into new indexes.
func (t *tx) build(k *kind, fresh []index) error {
	only := &kind{Kind: k.Kind, indexes: fresh}
	next := "SELECT id, body FROM " + k.table() + " WHERE id > ? ORDER BY id LIMIT 1"
	for after := ""; ; {
		var id string
		var body []byte
		found, err := t.row(next, []any{after}, &id, &body)
		if err != nil || !found {
			return err
		}
		after = id
		entries, err := only.entries(body)
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		for _, entry := range entries {
			taken, err := t.taken(entry)
			if err != nil {
				return err
			}
			if taken {
				return fmt.Errorf("%w: %s holds a value that another document holds, and the index is unique", store.ErrInvalid, id)
			}
		}
		if err := t.addEntries(entries, id); err != nil {
			return err
		}
	}
}

// addedRows is how many entries one statement adds at most; addSQL is the statement for each number of them, from 1.
const addedRows = 32

var addSQL = addTexts()

// addTexts says OR FAIL because a statement of several rows that can abort half-way first copies every page it changes. What it
// leaves behind when it fails goes with the transaction.
func addTexts() (texts [addedRows + 1]string) {
	for n := 1; n <= addedRows; n++ {
		texts[n] = "INSERT OR FAIL INTO entries (no, key, uniq, id) SELECT *, ? FROM (VALUES (?, ?, ?)" + strings.Repeat(", (?, ?, ?)", n-1) + ")"
	}
	return texts
}

func (t *tx) addEntries(entries []entry, id string) error {
	for part := range slices.Chunk(entries, addedRows) {
		args := make([]any, 1, 1+3*len(part))
		args[0] = id
		for _, x := range part {
			args = append(args, x.no, x.key, x.unique)
		}
		if _, err := t.exec(addSQL[len(part)], args...); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) removeEntry(x entry, id string) error {
	_, err := t.exec("DELETE FROM entries WHERE no = ? AND key = ? AND id = ?", x.no, x.key, id)
	return err
}

// taken tells whether a unique entry's place is held.
func (t *tx) taken(x entry) (bool, error) {
	if !x.unique {
		return false, nil
	}
	var one int
	return t.row("SELECT 1 FROM entries WHERE no = ? AND key = ? AND uniq = 1", []any{x.no, x.key}, &one)
}

// define executes a statement that changes the schema.
func (t *tx) define(query string) error {
	_, err := t.w.conn.ExecContext(context.Background(), query)
	return err
}

package local

// table is a map that can be looked through a few rows at a time, in turn, so that what is past goes without any call
// walking through all of it. (A map's own iteration would do while it is full; where it once was large and is nearly
// empty, finding one key walks through its whole memory.)
type table[V any] struct {
	index map[string]int
	rows  []row[V]
	hand  int // the next row to be looked at
}

type row[V any] struct {
	key   string
	value V
}

func newTable[V any]() *table[V] { return &table[V]{index: map[string]int{}} }

func (t *table[V]) len() int { return len(t.rows) }

func (t *table[V]) get(key string) (value V, known bool) {
	if i, ok := t.index[key]; ok {
		return t.rows[i].value, true
	}
	return value, false
}

func (t *table[V]) set(key string, value V) {
	if i, ok := t.index[key]; ok {
		t.rows[i].value = value
		return
	}
	t.index[key] = len(t.rows)
	t.rows = append(t.rows, row[V]{key, value})
}

func (t *table[V]) remove(key string) {
	i, ok := t.index[key]
	if !ok {
		return
	}
	delete(t.index, key)
	last := len(t.rows) - 1
	if i != last {
		t.rows[i] = t.rows[last]
		t.index[t.rows[i].key] = i
	}
	t.rows[last] = row[V]{}
	t.rows = t.rows[:last]
}

// look shows the next n rows; the one shown may be removed meanwhile. Another row takes its place then, so that one
// round may show a row twice and another not; the next round does.
func (t *table[V]) look(n int, at func(key string, value V)) {
	for range min(n, len(t.rows)) {
		if len(t.rows) == 0 {
			return
		}
		t.hand %= len(t.rows)
		before := len(t.rows)
		at(t.rows[t.hand].key, t.rows[t.hand].value)
		if len(t.rows) == before { // else another row moved into this place
			t.hand++
		}
	}
}

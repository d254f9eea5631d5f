package ratinglist

import (
	"cmp"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/rating"
)

// row is one rating of a page.
type row struct {
	place
	record  rating.Record
	private intake.Private // where read
	read    bool           // what was kept apart has been read
	revised bool
	doubts  []string // codes
}

// remarks are what other records of a cell say about its ratings.
type remarks struct {
	doubts map[string][]string // id → codes
	last   map[string]last     // id → the last rating that revises it
}

type last struct {
	id       string
	received time.Time
}

func newRemarks() *remarks { return &remarks{map[string][]string{}, map[string]last{}} }

// maxDoubts is how many doubts about one rating are told.
const maxDoubts = 20

// read takes one record of the cell in.
func (m *remarks) read(record *rating.Record) {
	_, _, id := rating.SplitRecordID(record.ID)
	switch {
	case record.Kind == rating.KindAnnotation:
		known := m.doubts[record.About]
		if len(known) < maxDoubts && !slices.Contains(known, record.Doubt) {
			m.doubts[record.About] = append(known, record.Doubt)
		}
	case record.Kind == rating.KindRating && record.Revises != "" && record.Revises != id:
		stands, ok := m.last[record.Revises]
		if !ok || cmp.Or(record.ReceivedAt.Compare(stands.received), cmp.Compare(id, stands.id)) > 0 {
			m.last[record.Revises] = last{id, record.ReceivedAt}
		}
	}
}

// mark puts on a row what the whole cell says about it. As in the figures, of several ratings that correct the same one only
// the last stands.
func (m *remarks) mark(r *row) {
	_, _, id := rating.SplitRecordID(r.record.ID)
	_, r.revised = m.last[id]
	if stands, ok := m.last[r.record.Revises]; r.record.Revises != "" && ok && stands.id != id && r.record.Revises != id {
		r.revised = true
	}
	r.doubts = append(slices.Clone(r.record.Flags), m.doubts[id]...)
}

// cellRows gathers the rows of one cell while its records pass by.
type cellRows struct {
	remarks *remarks
	rows    []row
	keep    int // rows that can matter at most; 0 = all
}

func (c *cellRows) add(r row) {
	c.rows = append(c.rows, r)
	if c.keep > 0 && len(c.rows) >= 4*c.keep {
		c.sort()
		c.rows = slices.Delete(c.rows, c.keep, len(c.rows))
	}
}

func (c *cellRows) sort() {
	slices.SortFunc(c.rows, func(a, b row) int { return cmp.Compare(b.Name, a.Name) })
}

// finish orders and marks the rows.
func (c *cellRows) finish() []row {
	c.sort()
	for i := range c.rows {
		c.remarks.mark(&c.rows[i])
	}
	return c.rows
}

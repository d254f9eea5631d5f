package ratinglist

import (
	"cmp"
	"context"
	"slices"

	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
)

// How far the walk reads at once.
const (
	fewUnits    = 64    // of so many units, each is a range of its own a day …
	fewOfMany   = 20    // … where that is not more than one unit in so many
	sparse      = 32    // cells a window has at least, or the next one is twice as long
	widest      = 64    // days of the longest window
	denseCells  = 5_000 // cells after which a window of several days is given up and its last day read alone
	batchCells  = 64
	batchRecord = 200 // ratings a batch of several cells has at most
)

// cell is a cell of the index.
type cell struct {
	counted rating.Counted
	hour    string
	address string
	count   int
}

// walker goes backwards through the days of a query.
type walker struct {
	*List
	*query
	ranges, cells, records int   // looked at so far
	last                   place // the last cell looked at
}

// walk finds ratings by the index of cells.
func (l *List) walk(ctx context.Context, q *query) (found, error) {
	w := &walker{List: l, query: q}
	var f found
	day, width := q.to, 1
	if q.after != nil {
		day = min(q.after.day(), q.to)
	}
	for day >= q.from {
		if w.ranges >= l.Limits.Ranges || w.cells >= l.Limits.Cells {
			f.next = &place{Hour: string(day) + "/~"} // above every hour of the day
			return f, nil
		}
		first, cells, err := w.window(ctx, day, width)
		if err != nil {
			return f, err
		}
		if first > day { // too many at once
			width = 1
			continue
		}
		done, err := w.read(ctx, cells, &f)
		if err != nil || done {
			return f, err
		}
		if len(cells) < sparse {
			width = min(2*width, widest)
		} else {
			width = max(width/2, 1)
		}
		day = first.Add(-1)
	}
	return f, nil
}

// window reads which cells there are in a run of days that ends with day, in the order of the list, and answers the run's first day;
// the day after where there were too many.
func (w *walker) window(ctx context.Context, day localday.Day, width int) (first localday.Day, cells []cell, err error) {
	first = max(w.from, day.Add(1-width))
	units := w.tree.On(day).List(w.unit)
	if few := len(units); few <= fewUnits && few*fewOfMany <= w.tree.Len() {
		if !slices.Contains(units, w.unit) {
			units = append(slices.Clone(units), w.unit)
		}
		for _, id := range units {
			if cells, _, err = w.span(ctx, cells, string(day)+"/"+id+"/", string(day)+"/"+id+"0", 0); err != nil {
				return day, nil, err
			}
		}
		first = day
	} else {
		limit := 0
		if first < day {
			limit = denseCells
		}
		var whole bool
		if cells, whole, err = w.span(ctx, nil, string(first)+"/", string(day)+"0", limit); err != nil {
			return day, nil, err
		}
		if !whole {
			return day.Add(1), nil, nil
		}
	}
	slices.SortFunc(cells, func(a, b cell) int { return cmp.Or(cmp.Compare(b.hour, a.hour), cmp.Compare(a.address, b.address)) })
	return first, cells, nil
}

// span adds the cells of one range of the index that the query takes; whole is false where the limit ended it.
func (w *walker) span(ctx context.Context, cells []cell, from, to string, limit int) (_ []cell, whole bool, err error) {
	w.ranges++
	read := 0
	for count, err := range w.Ratings.CellCounts(ctx, from, to) {
		if err != nil {
			return nil, false, err
		}
		w.cells++
		if read++; limit > 0 && read > limit {
			return cells, false, nil
		}
		counted, err := rating.ParseCell(count.Cell)
		if err != nil || !w.takesChannel(counted.Channel) || !w.counts(counted.Unit, counted.Day) {
			continue
		}
		c := cell{counted, intake.HourOf(counted), count.Cell, int(count.Count)}
		if w.passed(c) {
			continue
		}
		cells = append(cells, c)
	}
	return cells, true, nil
}

// passed tells whether earlier pages were through with the cell.
func (w *walker) passed(c cell) bool {
	after := w.after
	if after == nil || c.hour < after.Hour {
		return false
	}
	return c.hour > after.Hour || c.address < after.Cell || c.address == after.Cell && after.Name == ""
}

// read goes through cells in the list's order until the page is full or enough was looked at; done then.
func (w *walker) read(ctx context.Context, cells []cell, f *found) (done bool, err error) {
	for len(cells) > 0 {
		n, count := 1, cells[0].count
		for n < len(cells) && n < batchCells && count+cells[n].count <= batchRecord {
			count += cells[n].count
			n++
		}
		if w.records > 0 && w.records+count > w.Limits.Records {
			f.next = &w.last
			return true, nil
		}
		rows, err := w.batch(ctx, cells[:n])
		if err != nil {
			return false, err
		}
		for _, c := range cells[:n] {
			w.records += c.count
			for _, r := range rows[c.address] {
				if keep, err := w.comment(ctx, w.query, &r); err != nil {
					return false, err
				} else if !keep {
					continue
				}
				if f.rows = append(f.rows, r); len(f.rows) > w.size {
					return true, nil
				}
			}
		}
		w.last = place{Hour: cells[n-1].hour, Cell: cells[n-1].address}
		cells = cells[n:]
	}
	return false, nil
}

// batch reads some cells and answers their rows, by address.
func (w *walker) batch(ctx context.Context, cells []cell) (map[string][]row, error) {
	gathered := make(map[string]*cellRows, len(cells))
	addresses := make([]string, len(cells))
	for i, c := range cells {
		addresses[i] = c.address
		gathered[c.address] = &cellRows{remarks: newRemarks()}
		if !w.withComment { // which leaves out more, later
			gathered[c.address].keep = w.size + 1
		}
	}
	for record, err := range w.Ratings.Cells(ctx, addresses) {
		if err != nil {
			return nil, err
		}
		into := gathered[record.Cell]
		into.remarks.read(&record)
		if !w.takes(&record) {
			continue
		}
		at := place{intake.HourOf(record.Counted), record.Cell, w.name(w.query, record.ID)}
		if after := w.after; after != nil && after.Cell == at.Cell && at.Name >= after.Name {
			continue
		}
		into.add(row{place: at, record: record})
	}
	rows := make(map[string][]row, len(cells))
	for address, cell := range gathered {
		rows[address] = cell.finish()
	}
	return rows, nil
}

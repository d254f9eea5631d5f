package analytics

import (
	"context"
	"fmt"
	"iter"

	"github.com/hailong-vn/hailong/internal/store"
)

type order bool

const (
	newestFirst order = false
	oldestFirst order = true
)

// The years that localday takes for days.
const (
	firstYear = 1900
	lastYear  = 2999
)

// months lists the months (yyyy-mm) in which there are records or figures. It looks at decades and years first: nearly all
// are empty.
func months(ctx context.Context, engine store.Engine, order order) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var walk func(size, from, to int) bool
		walk = func(size, from, to int) bool {
			for i := from; i <= to; i += size {
				first := i
				if order == newestFirst {
					first = to - (i - from) - size + 1
				}
				start, end, name := span(size, first)
				ok, err := anything(ctx, engine, start, end)
				switch {
				case err != nil:
					yield("", err)
					return false
				case !ok:
				case size == aMonth:
					if !yield(name, nil) {
						return false
					}
				case !walk(size/next(size), first, first+size-1):
					return false
				}
			}
			return true
		}
		walk(aDecade, firstYear*aYear, (lastYear+1)*aYear-1)
	}
}

// Sizes of spans, in months.
const (
	aMonth  = 1
	aYear   = 12
	aDecade = 120
)

// next is how many parts a span is divided into.
func next(size int) int {
	if size == aDecade {
		return 10
	}
	return 12
}

// span is the first and last day of a span that begins with a month counted from the year 0, and the month's name.
func span(size, first int) (start, end, name string) {
	last := first + size - 1
	name = fmt.Sprintf("%d-%02d", first/aYear, first%aYear+1)
	return name + "-01", fmt.Sprintf("%d-%02d-31", last/aYear, last%aYear+1), name
}

// anything tells whether there are leaves or records for from <= day <= to. Leaves are asked first: they stream, and where there
// are any, records need not be counted.
func anything(ctx context.Context, engine store.Engine, from, to string) (bool, error) {
	for _, err := range engine.Rollups().Seen(ctx, from, to) {
		return err == nil, err
	}
	for _, err := range engine.Ratings().CellCounts(ctx, from+"/", to+"0") {
		return err == nil, err
	}
	return false, nil
}

// Package register is the book in which a unit enters every opinion it receives (sổ tiếp nhận). Nobody writes in it: its rows are
// the cases themselves, in the order of their numbers, as they stand or as they stood on a day. So a result cannot be missing from the
// book while it stands in the case, and what has no result is seen at the top of it.
//
// When its year is over a leader seals it. The rows as they stood at the end of a day are written down once more, append-only,
// each chained to the one before by SHA-256; who sealed it, when, and the head of the chain are kept and printed. From then on the
// book is those rows. What became of cases that were still open comes in an annex beside them; the rows never change, and Verify tells
// the first that did.
package register

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// byNumber is the index of the book of cases that is read here: unit, year, n.
const byNumber = "number"

// Lister is what registers ask of the book of cases.
type Lister interface {
	List(ctx context.Context, f casebook.Filter, after store.Cursor, limit int) (casebook.Page, error)
}

// Registers reads and seals registers. Its methods may be called by many goroutines and processes.
type Registers struct {
	cases store.Docs[casebook.Kept] // read, never written
	brief store.Docs[brief]         // the same documents in part
	book  Lister
	plans store.Docs[planDoc]
	parts store.Docs[partDoc]
	seals store.Docs[sealDoc]
	now   func() time.Time

	mu     sync.Mutex
	sealed map[key]Seal // a seal never changes, so those found are remembered
}

// brief is a case's number alone.
type brief struct {
	ID     string          `bson:"_id"`
	Number casework.Number `bson:"number"`
}

// Options of registers. Book is required.
type Options struct {
	Book Lister
	Now  func() time.Time // nil = time.Now
}

// Open opens the registers of a store in which package casebook keeps cases.
func Open(ctx context.Context, engine store.Engine, options Options) (*Registers, error) {
	r := &Registers{book: options.Book, now: options.Now, sealed: map[key]Seal{}}
	if r.now == nil {
		r.now = time.Now
	}
	kinds := casebook.Kinds()
	i := slices.IndexFunc(kinds, func(k store.Kind) bool { return k.Name == "cases" })
	if i < 0 || !slices.ContainsFunc(kinds[i].Indexes, func(index store.Index) bool { return index.Name == byNumber }) {
		return nil, errors.New("the book of cases keeps no numbers")
	}
	var err error
	if r.cases, err = (store.Type[casebook.Kept]{Kind: kinds[i]}).Open(ctx, engine); err != nil {
		return nil, err
	}
	if r.brief, err = (store.Type[brief]{Kind: kinds[i]}).Open(ctx, engine); err != nil {
		return nil, err
	}
	if r.plans, err = planType.Open(ctx, engine); err != nil {
		return nil, err
	}
	if r.parts, err = partType.Open(ctx, engine); err != nil {
		return nil, err
	}
	r.seals, err = sealType.Open(ctx, engine)
	return r, err
}

// key names a register.
type key struct {
	unit string
	year int
}

func (k key) id() string { return fmt.Sprintf("%s/%d", k.unit, k.year) }

// from reads the cases of a register in the order of their numbers, from a number on.
func (r *Registers) from(ctx context.Context, k key, n int) iter.Seq2[casebook.Kept, error] {
	return func(yield func(casebook.Kept, error) bool) {
		for doc, err := range r.cases.Find(ctx, store.Query{Index: byNumber, Equal: []any{k.unit, k.year}, From: n}) {
			if !yield(doc.Value, told("read a register", err)) || err != nil {
				return
			}
		}
	}
}

// Last is the highest number given; 0 = none.
func (r *Registers) Last(ctx context.Context, unit string, year int) (int, error) {
	doc, err := r.brief.First(ctx, store.Query{Index: byNumber, Equal: []any{unit, year}, Desc: true})
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return doc.Value.Number.N, told("read a register's last number", err)
}

// Years lists the years in which a unit received something, the latest first, those between them too.
func (r *Registers) Years(ctx context.Context, unit string) ([]int, error) {
	var ends [2]int
	for i, last := range []bool{false, true} {
		doc, err := r.brief.First(ctx, store.Query{Index: byNumber, Equal: []any{unit}, Desc: last})
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, told("read a unit's registers", err)
		}
		ends[i] = doc.Value.Number.Year
	}
	var years []int
	for year := ends[1]; year >= ends[0]; year-- {
		years = append(years, year)
	}
	return years, nil
}

// Line is a row with what came after it was sealed.
type Line struct {
	Row
	Later     *Result // what came of the case after its register was sealed; nil = nothing did
	AfterSeal bool    // the row came into the book after it was sealed
}

// Asked says which rows of a register.
type Asked struct {
	Unit  string
	Year  int
	AsOf  localday.Day // as it stood at the end of this day; "" = as sealed, or as it stands
	From  int          // first number
	Limit int          // at most so many; 0 = all
}

// Rows reads rows in the order of their numbers. A number that no case has is a row without a case (Row.Gap): numbers are looked at from
// From on, or from the first.
func (r *Registers) Rows(ctx context.Context, asked Asked) iter.Seq2[Line, error] {
	k := key{asked.Unit, asked.Year}
	asked.From = max(asked.From, 1)
	return limited(asked.Limit, func(yield func(Line, error) bool) {
		if asked.AsOf == "" {
			seal, there, err := r.Seal(ctx, asked.Unit, asked.Year)
			if err != nil {
				yield(Line{}, err)
				return
			}
			if there {
				r.sealedRows(ctx, k, seal, asked.From, asked.Limit)(yield)
				return
			}
		}
		var before time.Time
		if asked.AsOf != "" {
			before = asked.AsOf.Add(1).Start()
		}
		for row, err := range r.rowsAt(ctx, k, before, asked.From, asked.Limit) {
			if !yield(Line{Row: row}, err) || err != nil {
				return
			}
		}
	})
}

// rowsAt reads the rows of a register as they stood before an instant; zero = now. With a limit, numbers below from+limit are looked at.
func (r *Registers) rowsAt(ctx context.Context, k key, before time.Time, from, limit int) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		expected := from
		gapsUpTo := func(n int) bool {
			for ; expected < n; expected++ {
				if !yield(Row{N: expected}, nil) {
					return false
				}
			}
			return true
		}
		for kept, err := range r.some(ctx, k, from, limit) {
			var row Row
			var there bool
			if err == nil {
				row, there, err = RowOf(kept, before)
			}
			if err != nil {
				yield(Row{}, err)
				return
			}
			if !there {
				continue // it came later
			}
			if !gapsUpTo(row.N) || !yield(row, nil) {
				return
			}
			expected = row.N + 1
		}
		if limit == 0 || expected == from+limit {
			return
		}
		// The numbers up to the limit are missing only where one stands behind them.
		for kept, err := range r.some(ctx, k, from+limit, 0) {
			var there bool
			if err == nil {
				_, there, err = RowOf(kept, before)
			}
			if err != nil {
				yield(Row{}, err)
			} else if there {
				gapsUpTo(from + limit)
			}
			return
		}
	}
}

// some is from, read in one go where few rows are asked for.
func (r *Registers) some(ctx context.Context, k key, n, limit int) iter.Seq2[casebook.Kept, error] {
	if limit == 0 {
		return r.from(ctx, k, n)
	}
	return func(yield func(casebook.Kept, error) bool) {
		for doc, err := range r.cases.Find(ctx, store.Query{Index: byNumber, Equal: []any{k.unit, k.year}, From: n, To: n + limit}) {
			if !yield(doc.Value, told("read a register", err)) || err != nil {
				return
			}
		}
	}
}

func limited[T any](limit int, rows iter.Seq2[T, error]) iter.Seq2[T, error] {
	if limit == 0 {
		return rows
	}
	return func(yield func(T, error) bool) {
		n := 0
		for row, err := range rows {
			if n++; !yield(row, err) || n == limit {
				return
			}
		}
	}
}

// How many open cases are looked at for those of one register.
const (
	maxLooked = 5_000
	maxPages  = 20 // a page of a list may be short
)

// Missing lists the numbers of a register that have no result yet, the oldest first. Only the most urgent of very many open cases below a
// unit are looked at; complete is false then.
func (r *Registers) Missing(ctx context.Context, unit string, year int) (numbers []int, complete bool, err error) {
	looked, pages := 0, 0
	for after := store.Cursor(""); looked < maxLooked && pages < maxPages; pages++ {
		page, err := r.book.List(ctx, casebook.Filter{Unit: unit, ResultMissing: true}, after, casebook.MaxPage)
		if err != nil {
			return nil, false, err
		}
		looked += len(page.Cases)
		for _, kept := range page.Cases {
			if n := kept.Number; n.Unit == unit && n.Year == year {
				numbers = append(numbers, n.N)
			}
		}
		if after = page.Next; after == "" {
			complete = true
			break
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), complete, nil
}

// Row reads one row as it stands now, with the case it is of. NotFound "register_number_unknown".
func (r *Registers) Row(ctx context.Context, unit string, year, n int) (Row, error) {
	doc, err := r.cases.First(ctx, store.Query{Index: byNumber, Equal: []any{unit, year, n}})
	if errors.Is(err, store.ErrNotFound) {
		return Row{}, fault.New(fault.NotFound, "register_number_unknown", "n", n)
	}
	if err != nil {
		return Row{}, told("read a row", err)
	}
	row, _, err := RowOf(doc.Value, time.Time{})
	return row, err
}

// told makes a fault of what the store answers.
func told(doing string, err error) error {
	if err == nil {
		return nil
	}
	return store.Told(fmt.Errorf("%s: %w", doing, err), "register_unavailable")
}

package register

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// What is kept of a sealed register. All of it is append-only. A plan fixes who seals and as of which day, so that whoever goes on after
// a crash, or at the same time, writes the same; the parts hold the rows; the seal comes last and makes it final.
type (
	planDoc struct {
		ID        string       `bson:"_id"` // unit/year
		By        Sealer       `bson:"by"`
		At        time.Time    `bson:"at"`
		AsOf      localday.Day `bson:"as_of"`
		GapReason string       `bson:"gap_reason,omitempty"`
	}
	partDoc struct {
		ID    string   `bson:"_id"` // unit/year/number of the part
		Lines []string `bson:"lines"`
		Links [][]byte `bson:"links"`          // of the chain, one a line
		Open  []int    `bson:"open,omitempty"` // numbers whose case had not ended
	}
	sealDoc struct {
		ID        string       `bson:"_id"` // unit/year
		By        Sealer       `bson:"by"`
		At        time.Time    `bson:"at"`
		AsOf      localday.Day `bson:"as_of"`
		Rows      int          `bson:"rows"`
		Head      []byte       `bson:"head"`
		Gaps      []int        `bson:"gaps,omitempty"`
		GapReason string       `bson:"gap_reason,omitempty"`
	}
)

var (
	planType = store.Define[planDoc]("register_plans").AppendOnly()
	partType = store.Define[partDoc]("register_parts").AppendOnly()
	sealType = store.Define[sealDoc]("register_seals").AppendOnly()
)

// Kinds lists the kinds of documents kept here.
func Kinds() []store.Kind { return []store.Kind{planType.Kind, partType.Kind, sealType.Kind} }

// Sealer is who seals.
type Sealer struct {
	Account string `bson:"account"`
	Name    string `bson:"name"` // then
}

// Seal is what makes a year final.
type Seal struct {
	By        Sealer
	At        time.Time
	AsOf      localday.Day // last day whose events the rows hold
	Rows      int
	Head      string // of the chain, hexadecimal
	Gaps      []int
	GapReason string
}

const (
	rowsOfPart = 500
	// settled is how long after the end of a day nothing of that day is still on its way into the store.
	settled = time.Hour
	maxGaps = 1000
)

func (d sealDoc) seal() Seal {
	return Seal{By: d.By, At: d.At, AsOf: d.AsOf, Rows: d.Rows, Head: hex.EncodeToString(d.Head), Gaps: d.Gaps, GapReason: d.GapReason}
}

// Seal answers the seal of a register; false while it is open.
func (r *Registers) Seal(ctx context.Context, unit string, year int) (Seal, bool, error) {
	k := key{unit, year}
	r.mu.Lock()
	seal, known := r.sealed[k]
	r.mu.Unlock()
	if known {
		return seal, true, nil
	}
	d, _, err := r.seals.Get(ctx, k.id())
	if errors.Is(err, store.ErrNotFound) {
		return Seal{}, false, nil
	}
	if err != nil {
		return Seal{}, false, told("read a seal", err)
	}
	r.remember(k, d.seal())
	return d.seal(), true, nil
}

// maxRemembered bounds the seals remembered.
const maxRemembered = 10_000

func (r *Registers) remember(k key, seal Seal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.sealed) >= maxRemembered {
		clear(r.sealed)
	}
	r.sealed[k] = seal
}

// MaySeal tells whether a year is over, so that its registers can be sealed.
func (r *Registers) MaySeal(year int) bool {
	return r.asOf().Year() > year || r.asOf() == lastDay(year)
}

// asOf is the last day of which everything is in the store.
func (r *Registers) asOf() localday.Day {
	day, _ := localday.Of(r.now().Add(-settled))
	return day.Add(-1)
}

func lastDay(year int) localday.Day { return localday.Day(fmt.Sprintf("%04d-12-31", year)) }

// Close seals a register for ever, as it stood at the end of yesterday; sealed again it answers the seal that stands. What was cut off by a
// crash is finished by the next call, as it was begun. Invalid "register_year_runs", "register_empty", and "register_gaps" where a number has no
// case and no reason is given.
func (r *Registers) Close(ctx context.Context, unit string, year int, by Sealer, gapReason string) (Seal, error) {
	if seal, there, err := r.Seal(ctx, unit, year); err != nil || there {
		return seal, err
	}
	if !r.MaySeal(year) {
		return Seal{}, fault.New(fault.Invalid, "register_year_runs", "year", year)
	}
	k := key{unit, year}
	plan, begun, err := r.begun(ctx, k)
	if err != nil {
		return Seal{}, err
	}
	if !begun {
		plan = planDoc{ID: k.id(), By: by, At: store.Milliseconds(r.now()), AsOf: r.asOf(), GapReason: gapReason}
		if err := r.sealable(ctx, k, plan); err != nil {
			return Seal{}, err
		}
		if plan, err = r.begin(ctx, plan); err != nil {
			return Seal{}, err
		}
	}
	return r.finish(ctx, k, plan)
}

func (r *Registers) begun(ctx context.Context, k key) (planDoc, bool, error) {
	plan, _, err := r.plans.Get(ctx, k.id())
	if errors.Is(err, store.ErrNotFound) {
		return plan, false, nil
	}
	return plan, err == nil, told("read how a register is sealed", err)
}

func (r *Registers) begin(ctx context.Context, plan planDoc) (planDoc, error) {
	err := r.plans.Insert(ctx, plan)
	if errors.Is(err, store.ErrExists) { // somebody else began at the same time
		plan, _, err = r.plans.Get(ctx, plan.ID)
	}
	return plan, told("begin to seal a register", err)
}

// sealable looks through a register before anything is written.
func (r *Registers) sealable(ctx context.Context, k key, plan planDoc) error {
	rows, gaps, first := 0, 0, 0
	for row, err := range r.rowsAt(ctx, k, plan.AsOf.Add(1).Start(), 1, 0) {
		if err != nil {
			return err
		}
		if rows++; row.Gap() {
			if gaps++; gaps == 1 {
				first = row.N
			}
		}
	}
	switch {
	case rows == 0:
		return fault.New(fault.Invalid, "register_empty", "year", k.year)
	case gaps > maxGaps:
		return fault.New(fault.Invalid, "register_gaps_many", "n", gaps)
	case gaps > 0 && plan.GapReason == "":
		return fault.New(fault.Invalid, "register_gaps", "n", gaps, "first", first)
	}
	return nil
}

// finish writes the parts that are missing, then the seal. A part that stands is gone on from as it is.
func (r *Registers) finish(ctx context.Context, k key, plan planDoc) (Seal, error) {
	d := sealDoc{ID: k.id(), By: plan.By, At: plan.At, AsOf: plan.AsOf, Head: firstLink(k.unit, k.year, plan.AsOf), GapReason: plan.GapReason}
	part := partDoc{}
	write := func() error {
		stands, err := r.keepPart(ctx, k, d.Rows/rowsOfPart, d.Head, part)
		if err != nil {
			return err
		}
		for _, line := range stands.Lines {
			row, err := parseLine(line)
			if err != nil {
				return fmt.Errorf("a sealed row cannot be read: %w", err)
			}
			if row.Gap() {
				d.Gaps = append(d.Gaps, row.N)
			}
		}
		d.Head = stands.Links[len(stands.Links)-1]
		d.Rows += len(stands.Lines)
		part = partDoc{}
		return nil
	}
	for row, err := range r.rowsAt(ctx, k, plan.AsOf.Add(1).Start(), 1, 0) {
		if err != nil {
			return Seal{}, err
		}
		line, err := row.line()
		if err != nil {
			return Seal{}, err
		}
		part.Lines = append(part.Lines, line)
		if !row.Gap() && !row.Result.State.Terminal() {
			part.Open = append(part.Open, row.N)
		}
		if len(part.Lines) == rowsOfPart {
			if err := write(); err != nil {
				return Seal{}, err
			}
		}
	}
	if len(part.Lines) > 0 {
		if err := write(); err != nil {
			return Seal{}, err
		}
	}
	err := r.seals.Insert(ctx, d)
	if errors.Is(err, store.ErrExists) {
		d, _, err = r.seals.Get(ctx, d.ID)
	}
	if err != nil {
		return Seal{}, told("seal a register", err)
	}
	r.remember(k, d.seal())
	return d.seal(), nil
}

// keepPart chains the lines of a part and writes it; where one stands already, that one is the part.
func (r *Registers) keepPart(ctx context.Context, k key, number int, head []byte, part partDoc) (partDoc, error) {
	part.ID = partID(k, number)
	for _, line := range part.Lines {
		head = nextLink(head, line)
		part.Links = append(part.Links, head)
	}
	err := r.parts.Insert(ctx, part)
	if errors.Is(err, store.ErrExists) {
		part, _, err = r.parts.Get(ctx, part.ID)
	}
	if err == nil && (len(part.Lines) == 0 || len(part.Links) != len(part.Lines)) {
		err = fmt.Errorf("part %s of a sealed register is damaged", part.ID)
	}
	return part, told("write a part of a register", err)
}

func partID(k key, number int) string { return fmt.Sprintf("%s/%06d", k.id(), number) }

// sealedRows reads rows as they were sealed, with what became of open ones since; then what came into the book later.
func (r *Registers) sealedRows(ctx context.Context, k key, seal Seal, from, limit int) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		left := limit
		for number := (from - 1) / rowsOfPart; number*rowsOfPart < seal.Rows; number++ {
			part, err := r.part(ctx, k, number)
			if err != nil {
				yield(Line{}, err)
				return
			}
			rows, err := part.rows()
			if err != nil {
				yield(Line{}, err)
				return
			}
			skip := max(0, from-1-number*rowsOfPart)
			rows = rows[min(skip, len(rows)):]
			if left > 0 {
				rows = rows[:min(left, len(rows))]
			}
			later, err := r.later(ctx, k, part, rows)
			if err != nil {
				yield(Line{}, err)
				return
			}
			for _, row := range rows {
				if !yield(Line{Row: row, Later: later[row.N]}, nil) {
					return
				}
			}
			if left > 0 {
				if left -= len(rows); left == 0 {
					return
				}
			}
		}
		for row, err := range r.rowsAt(ctx, k, time.Time{}, max(from, seal.Rows+1), left) {
			if !yield(Line{Row: row, AfterSeal: true}, err) || err != nil {
				return
			}
		}
	}
}

func (r *Registers) part(ctx context.Context, k key, number int) (partDoc, error) {
	part, _, err := r.parts.Get(ctx, partID(k, number))
	if errors.Is(err, store.ErrNotFound) {
		return part, fault.New(fault.Internal, "register_part_missing").Because(err)
	}
	return part, told("read a part of a register", err)
}

func (p partDoc) rows() ([]Row, error) {
	rows := make([]Row, len(p.Lines))
	for i, line := range p.Lines {
		row, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("row %d of part %s of a sealed register: %w", i, p.ID, err)
		}
		rows[i] = row
	}
	return rows, nil
}

// later finds what became of cases that were open when their rows were sealed.
func (r *Registers) later(ctx context.Context, k key, part partDoc, rows []Row) (map[int]*Result, error) {
	if len(rows) == 0 || len(part.Open) == 0 {
		return nil, nil
	}
	first, last := rows[0].N, rows[len(rows)-1].N
	open := part.Open[:0:0]
	for _, n := range part.Open {
		if n >= first && n <= last {
			open = append(open, n)
		}
	}
	if len(open) == 0 {
		return nil, nil
	}
	found := map[int]*Result{}
	for kept, err := range r.some(ctx, k, open[0], open[len(open)-1]-open[0]+1) {
		if err != nil {
			return nil, err
		}
		now := resultOf(kept.Case)
		if was := rows[0]; kept.Number.N >= was.N && kept.Number.N <= last {
			if was = rows[kept.Number.N-was.N]; was.Case == kept.ID && was.Result != now {
				found[was.N] = &now
			}
		}
	}
	return found, nil
}

// Annex lists the lines of a sealed register that have something after the seal: results, and rows that came later.
func (r *Registers) Annex(ctx context.Context, asked Asked) iter.Seq2[Line, error] {
	asked.AsOf = ""
	limit := asked.Limit
	asked.Limit = 0
	return limited(limit, func(yield func(Line, error) bool) {
		for line, err := range r.Rows(ctx, asked) {
			if err == nil && line.Later == nil && !line.AfterSeal {
				continue
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	})
}

// Found is what Verify found.
type Found struct {
	Rows  int
	Head  string // of the chain, computed again; "" = not sealed
	First int    // first number that differs; 0 = none
	How   string // RowDiffers, CaseDiffers, ChainDiffers; "" = nothing does
	Gaps  []int  // numbers that no case has, at most 1,000
	Seal  *Seal  // nil = not sealed
}

// How a sealed register can differ.
const (
	RowDiffers   = "row"   // the row kept with the seal was altered
	CaseDiffers  = "case"  // the case was
	ChainDiffers = "chain" // rows were added, left out or put in another order
)

// Intact tells that nothing differs and no number is missing that was not when it was sealed.
func (f Found) Intact() bool {
	return f.First == 0 && f.How == "" && (len(f.Gaps) == 0 || f.Seal != nil && len(f.Gaps) == len(f.Seal.Gaps))
}

// Verify reads a whole register again. It trusts neither the rows nor the cases: each is held against the chain, and against the other.
func (r *Registers) Verify(ctx context.Context, unit string, year int) (Found, error) {
	k := key{unit, year}
	d, _, err := r.seals.Get(ctx, k.id()) // not what is remembered
	if errors.Is(err, store.ErrNotFound) {
		return r.count(ctx, k)
	}
	if err != nil {
		return Found{}, told("read a seal", err)
	}
	seal := d.seal()
	found := Found{Seal: &seal}
	differs := func(n int, how string) {
		if found.How == "" {
			found.First, found.How = n, how
		}
	}
	head := firstLink(unit, year, seal.AsOf)
	next, stop := iter.Pull2(r.rowsAt(ctx, k, seal.AsOf.Add(1).Start(), 1, 0))
	defer stop()
	for number := 0; ; number++ {
		part, _, err := r.parts.Get(ctx, partID(k, number))
		if errors.Is(err, store.ErrNotFound) {
			break
		}
		if err != nil {
			return Found{}, told("read a part of a register", err)
		}
		for i, line := range part.Lines {
			n := found.Rows + 1
			found.Rows++
			head = nextLink(head, line)
			if i >= len(part.Links) || !bytes.Equal(head, part.Links[i]) {
				differs(n, RowDiffers)
			}
			row, err, more := next()
			if err != nil {
				return Found{}, err
			}
			again, err := row.line()
			if err != nil {
				return Found{}, err
			}
			if !more || again != line {
				differs(n, CaseDiffers)
			}
			if more && row.Gap() && len(found.Gaps) < maxGaps {
				found.Gaps = append(found.Gaps, n)
			}
		}
	}
	if _, err, more := next(); err != nil {
		return Found{}, err
	} else if more { // a case of the year that no row was sealed for
		differs(found.Rows+1, CaseDiffers)
	}
	if found.Head = hex.EncodeToString(head); found.Head != seal.Head || found.Rows != seal.Rows {
		differs(min(found.Rows, seal.Rows)+1, ChainDiffers)
	}
	return found, nil
}

// count reads an open register for gaps.
func (r *Registers) count(ctx context.Context, k key) (Found, error) {
	var found Found
	for row, err := range r.rowsAt(ctx, k, time.Time{}, 1, 0) {
		if err != nil {
			return Found{}, err
		}
		if found.Rows++; row.Gap() && len(found.Gaps) < maxGaps {
			found.Gaps = append(found.Gaps, row.N)
		}
	}
	return found, nil
}

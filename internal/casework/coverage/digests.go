package coverage

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/tally"
)

const (
	// idsKept is how many ratings' ids the digests in memory hold, about 60 bytes each; a digest counts as some more.
	idsKept = 1_000_000
	// digestCosts is what a digest takes beside its ids, in ids.
	digestCosts = 8
	// readAtOnce is how many units are read at the same time.
	readAtOnce = 4
	// Of more units than one in manyUnits, and than fewUnits, all strips of a year are read: as one range, which other questions share.
	manyUnits = 4
	fewUnits  = 8
	// gathered is about how many records a fold reads at once.
	gathered = 5_000
)

// leaf is a leaf with dissatisfied ratings as the figures have it.
type leaf struct {
	key     tally.LeafKey
	version tally.Version
	n       int // dissatisfied
}

// digests keeps digests by unit. One is never looked for without the leaf's version, so nothing expires. The units not asked for longest
// are forgotten first.
type digests struct {
	limit  int
	lock   sync.Mutex
	units  map[string]*list.Element // of *shelf
	recent list.List
	costs  int
}

type shelf struct {
	unit string
	all  map[tally.LeafKey]*digest
}

func newDigests(limit int) *digests {
	return &digests{limit: limit, units: map[string]*list.Element{}}
}

// find answers the digests that are current, and the leaves of which none is.
func (d *digests) find(unit string, leaves []leaf) (found []*digest, missing []leaf) {
	d.lock.Lock()
	defer d.lock.Unlock()
	at := d.units[unit]
	if at == nil {
		return nil, leaves
	}
	d.recent.MoveToFront(at)
	all := at.Value.(*shelf).all
	for _, l := range leaves {
		if have := all[l.key]; have != nil && !have.Less(l.version) {
			found = append(found, have)
		} else {
			missing = append(missing, l)
		}
	}
	return found, missing
}

// keep keeps digests of a unit; of two of one leaf the one that has seen more.
func (d *digests) keep(unit string, read []*digest) {
	d.lock.Lock()
	defer d.lock.Unlock()
	at := d.units[unit]
	if at == nil {
		at = d.recent.PushFront(&shelf{unit, map[tally.LeafKey]*digest{}})
		d.units[unit] = at
	}
	all := at.Value.(*shelf).all
	for _, one := range read {
		if have := all[one.LeafKey]; have != nil {
			if !have.Less(one.Version) {
				continue
			}
			d.costs -= have.n() + digestCosts
		}
		all[one.LeafKey] = one
		d.costs += one.n() + digestCosts
	}
	for d.costs > d.limit && d.recent.Len() > 1 {
		last := d.recent.Remove(d.recent.Back()).(*shelf)
		delete(d.units, last.unit)
		for _, one := range last.all {
			d.costs -= one.n() + digestCosts
		}
	}
}

// read answers the digests of leaves by unit, each at least as new as the leaf it was asked for: from memory, from the store, or folded
// now. What was folded of days that are over is kept in the store.
func (c *Coverage) read(ctx context.Context, leaves map[string][]leaf) (map[string][]*digest, error) {
	var lock sync.Mutex
	out := make(map[string][]*digest, len(leaves))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readAtOnce)
	for unit, of := range leaves {
		found, missing := c.digests.find(unit, of)
		if len(missing) == 0 {
			lock.Lock()
			out[unit] = found
			lock.Unlock()
			continue
		}
		group.Go(func() error {
			more, err := c.fetch(ctx, unit, missing)
			lock.Lock()
			defer lock.Unlock()
			out[unit] = append(found, more...)
			return err
		})
	}
	return out, group.Wait()
}

// fetch reads digests of one unit from the store and folds those that are not current there.
func (c *Coverage) fetch(ctx context.Context, unit string, leaves []leaf) (current []*digest, err error) {
	wanted := make(map[tally.LeafKey]leaf, len(leaves))
	first, last := leaves[0].key.Day, leaves[0].key.Day
	for _, l := range leaves {
		wanted[l.key] = l
		first, last = min(first, l.key.Day), max(last, l.key.Day)
	}
	for doc, err := range c.stored.Find(ctx, store.Query{From: unit + "/" + string(first) + "/", To: unit + "/" + string(last) + "0"}) {
		if err != nil {
			return nil, err
		}
		d := doc.Value
		if l, ok := wanted[d.LeafKey]; ok && !d.Less(l.version) {
			current = append(current, &d)
			delete(wanted, d.LeafKey)
		}
	}
	folded, err := c.foldAll(ctx, unit, wanted)
	if err != nil {
		return nil, err
	}
	current = append(current, folded...)
	c.digests.keep(unit, current)
	return current, c.store(ctx, folded, c.today())
}

// foldAll folds leaves of one unit.
func (c *Coverage) foldAll(ctx context.Context, unit string, leaves map[tally.LeafKey]leaf) ([]*digest, error) {
	days := map[localday.Day]bool{}
	for key := range leaves {
		days[key.Day] = true
	}
	var out []*digest
	cells := map[tally.LeafKey]map[string][]rating.Record{}
	var addresses []string
	count := 0
	flush := func() error {
		records := map[string][]rating.Record{}
		for record, err := range c.ratings.Cells(ctx, addresses) {
			if err != nil {
				return err
			}
			records[record.Cell] = append(records[record.Cell], record)
		}
		for key, of := range cells {
			for cell := range of {
				of[cell] = records[cell]
			}
			form, _ := c.options.Forms.Questionnaire(key.Questionnaire, key.QVersion)
			out = append(out, fold(key, leaves[key].version.Epoch, of, form, func(err error) {
				c.options.Logger.WarnContext(ctx, "a cell cannot be folded", "leaf", key.ID(), "error", err)
			}))
		}
		clear(cells)
		addresses, count = addresses[:0], 0
		return nil
	}
	list := make([]localday.Day, 0, len(days))
	for day := range days {
		list = append(list, day)
	}
	slices.Sort(list)
	for _, day := range list {
		at := string(day) + "/" + unit
		for cell, err := range c.ratings.CellCounts(ctx, at+"/", at+"0") {
			if err != nil {
				return nil, err
			}
			counted, err := rating.ParseCell(cell.Cell)
			if err != nil {
				continue // damage; the figures leave it out too
			}
			key := tally.LeafKey{Unit: counted.Unit, Day: counted.Day, Channel: counted.Channel, Questionnaire: counted.Questionnaire, QVersion: counted.Version}
			if _, ok := leaves[key]; !ok {
				continue
			}
			if cells[key] == nil {
				cells[key] = map[string][]rating.Record{}
			}
			cells[key][cell.Cell] = nil
			addresses = append(addresses, cell.Cell)
			count += int(cell.Count)
		}
		if count > gathered {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if len(addresses) == 0 {
		return out, nil
	}
	err := flush()
	return out, err
}

// store keeps digests of days before one, each unless one that has seen more stands.
func (c *Coverage) store(ctx context.Context, folded []*digest, before localday.Day) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4 * readAtOnce) // concurrent writes share one of the engine's
	for _, d := range folded {
		if d.Day < before {
			group.Go(func() error { return c.raise(ctx, *d) })
		}
	}
	return group.Wait()
}

func (c *Coverage) raise(ctx context.Context, d digest) error {
	err := c.stored.Insert(ctx, d)
	if !errors.Is(err, store.ErrExists) {
		return err
	}
	_, err = c.stored.Update(ctx, d.ID, func(stands *digest) (bool, error) {
		if !stands.Less(d.Version) {
			return false, nil
		}
		*stands = d
		return true, nil
	})
	return err
}

// leaves answers which leaves of units have dissatisfied ratings in a period, by unit, and how many those are in all.
func (c *Coverage) leaves(ctx context.Context, units []string, p Period, all int) (out map[string][]leaf, total int, err error) {
	out = map[string][]leaf{}
	err = c.strips(ctx, units, p, all, func(days []localday.Day, first, last int, strip tally.Strip) {
		list := out[strip.Key.Unit]
		for at, slot := range strip.SlotsBetween(first, last) {
			if n := int(slot.Overall[1] + slot.Overall[2]); n > 0 {
				total += n
				list = append(list, leaf{tally.LeafKey{
					Unit: strip.Key.Unit, Day: days[at.Day], Channel: at.Channel, Questionnaire: strip.Key.Questionnaire, QVersion: strip.Key.QVersion,
				}, slot.Version, n})
			}
		}
		if len(list) > 0 {
			out[strip.Key.Unit] = list
		}
	})
	return out, total, err
}

// strips gives the strips of units that meet a period, each with the days of its year and which of them, both inclusive, are meant. all is
// how many units there are.
func (c *Coverage) strips(ctx context.Context, units []string, p Period, all int, use func(days []localday.Day, first, last int, strip tally.Strip)) error {
	wanted := make(map[string]bool, len(units))
	for _, id := range units {
		wanted[id] = true
	}
	var asked []string
	if len(units)*manyUnits <= all || len(units) <= fewUnits {
		asked = slices.Sorted(slices.Values(units))
	}
	for year := p.From.Year(); year <= p.To.Year(); year++ {
		strips, err := c.options.Strips(ctx, year, asked)
		if err != nil {
			return err
		}
		days := newCalendar(year)
		first, last := 0, len(days)-1
		if p.From.Year() == year {
			first = p.From.OfYear()
		}
		if p.To.Year() == year {
			last = p.To.OfYear()
		}
		for _, strip := range strips {
			if wanted[strip.Key.Unit] {
				use(days, first, last, strip)
			}
		}
	}
	return nil
}

// newCalendar lists the days of a year.
func newCalendar(year int) []localday.Day {
	start := localday.Day(fmt.Sprintf("%04d-01-01", year)).Start()
	days := make([]localday.Day, 0, 366)
	for at := start; at.Year() == year; at = at.AddDate(0, 0, 1) {
		days = append(days, localday.Day(at.Format("2006-01-02")))
	}
	return days
}

package directory

import (
	"context"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/unit"
)

// CreateCounter makes a counter; an empty id is made here. The same again answers what stands.
func (d *Directory) CreateCounter(ctx context.Context, counter Counter) (Counter, error) {
	made, err := d.CreateCounters(ctx, []Counter{counter})
	return first(made), err
}

// CreateCounters makes counters together, all or none a few hundred at a time.
func (d *Directory) CreateCounters(ctx context.Context, counters []Counter) ([]Counter, error) {
	return create(ctx, d, counters, func(s *snapshot) shelf[Counter] { return s.counters },
		func(s *snapshot, c *Counter) error {
			c.ID, c.Code, c.Name = d.id(c.ID), text(c.Code), text(c.Name)
			if err := checkID(c.ID); err != nil {
				return err
			}
			if _, ok := s.tree.Get(c.UnitID); !ok {
				return fault.New(fault.Invalid, "directory_unit_missing", "unit", clip(c.UnitID))
			}
			return checkCounter(*c)
		},
		signsAlone,
		func(s *snapshot, made []Counter) change { return change{counters: made} })
}

func checkCounter(c Counter) error {
	return firstOf(checkText("code", c.Code, 1, 64), checkText("name", c.Name, 1, 300))
}

func checkOfficial(o Official) error {
	return firstOf(checkText("name", o.Name, 1, 300), checkText("position", o.Position, 0, 300))
}

// signsAlone: no two open counters of a unit bear the same sign. The sign of a closed one may be used again.
func signsAlone(s *snapshot, among []Counter) error {
	type sign struct{ unit, code string }
	taken := map[sign]string{}
	for _, c := range among {
		taken[sign{c.UnitID, c.Code}] = ""
	}
	for _, held := range s.counters.list {
		if at := (sign{held.value.UnitID, held.value.Code}); held.value.Open() && has(taken, at) {
			taken[at] = held.value.ID
		}
	}
	for _, c := range among {
		at := sign{c.UnitID, c.Code}
		if other := taken[at]; other != "" && other != c.ID {
			return fault.New(fault.Exists, "directory_counter_code_taken", "code", c.Code, "unit", c.UnitID)
		}
		taken[at] = c.ID
	}
	return nil
}

// CreateOfficial makes an official; an empty id is made here. The same again answers what stands.
func (d *Directory) CreateOfficial(ctx context.Context, official Official) (Official, error) {
	made, err := d.CreateOfficials(ctx, []Official{official})
	return first(made), err
}

// CreateOfficials makes officials together, all or none a few hundred at a time.
func (d *Directory) CreateOfficials(ctx context.Context, officials []Official) ([]Official, error) {
	return create(ctx, d, officials, func(s *snapshot) shelf[Official] { return s.officials },
		func(s *snapshot, o *Official) error {
			o.ID, o.Name, o.Position = d.id(o.ID), text(o.Name), text(o.Position)
			if stands, ok := s.officials.get(o.ID); ok { // set by calls of their own
				o.Photo, o.PINHash = stands.Photo, stands.PINHash
			}
			if err := checkID(o.ID); err != nil {
				return err
			}
			if _, ok := s.tree.Get(o.UnitID); !ok {
				return fault.New(fault.Invalid, "directory_unit_missing", "unit", clip(o.UnitID))
			}
			return checkOfficial(*o)
		}, nil,
		func(s *snapshot, made []Official) change { return change{officials: made} })
}

// CreateProcedure makes a procedure. The same again answers what stands.
func (d *Directory) CreateProcedure(ctx context.Context, procedure Procedure) (Procedure, error) {
	made, err := d.CreateProcedures(ctx, []Procedure{procedure})
	return first(made), err
}

// CreateProcedures makes procedures together, all or none a few hundred at a time.
func (d *Directory) CreateProcedures(ctx context.Context, procedures []Procedure) ([]Procedure, error) {
	return create(ctx, d, procedures, func(s *snapshot) shelf[Procedure] { return s.procedures },
		func(_ *snapshot, p *Procedure) error {
			p.Name, p.Field = text(p.Name), text(p.Field)
			return firstOf(checkID(p.Code), checkText("name", p.Name, 1, 1000), checkText("field", p.Field, 0, 300))
		}, nil,
		func(s *snapshot, made []Procedure) change { return change{procedures: made} })
}

// create makes documents of one kind: check looks at each, together (may be nil) at all of a batch.
func create[T comparable](ctx context.Context, d *Directory, values []T, on func(*snapshot) shelf[T],
	check func(*snapshot, *T) error, together func(*snapshot, []T) error, changed func(*snapshot, []T) change,
) ([]T, error) {
	values = slices.Clone(values)
	for batch := range slices.Chunk(values, maxWrites/2) { // half: these texts may be long
		err := d.commit(ctx, func(s *snapshot) (change, error) {
			shelf := on(s)
			var made []T
			ids := map[string]bool{}
			for i := range batch {
				if err := check(s, &batch[i]); err != nil {
					return change{}, err
				}
				id, _ := shelf.key(batch[i])
				if stands, ok := shelf.get(id); ids[id] || ok && stands != batch[i] {
					return change{}, fault.New(fault.Exists, "directory_id_taken", "id", id)
				} else if !ok {
					made = append(made, batch[i])
				}
				ids[id] = true
			}
			if together != nil {
				if err := together(s, made); err != nil {
					return change{}, err
				}
			}
			return changed(s, made), nil
		})
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (d *Directory) id(given string) string {
	if given == "" {
		return d.options.NewID()
	}
	return given
}

func first[T any](values []T) T {
	if len(values) == 0 {
		var none T
		return none
	}
	return values[0]
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func has[K comparable](m map[K]string, key K) bool {
	_, ok := m[key]
	return ok
}

func text(s string) string { return norm.NFC.String(s) }

func checkID(id string) error {
	if !unit.ValidID(id) {
		return fault.New(fault.Invalid, "directory_id_invalid", "id", clip(id))
	}
	return nil
}

func checkText(field, s string, low, high int) error {
	length := utf8.RuneCountInString(s)
	if length < low || length > high || !utf8.ValidString(s) {
		return fault.New(fault.Invalid, "directory_text_invalid", "field", field, "limit", high)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return fault.New(fault.Invalid, "directory_text_invalid", "field", field, "limit", high)
		}
	}
	return nil
}

package directory

import (
	"context"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// ChangeCounter gives an open counter another sign or name; its unit cannot change, and its past ratings stay with it. The
// same again changes nothing. NotFound "directory_counter_missing"; Invalid for a closed one; Exists for a sign in use.
func (d *Directory) ChangeCounter(ctx context.Context, wanted Counter) (Counter, error) {
	wanted.Code, wanted.Name = text(wanted.Code), text(wanted.Name)
	return d.reviseCounter(ctx, wanted.ID, func(s *snapshot, c *Counter) error {
		switch {
		case wanted.UnitID != "" && wanted.UnitID != c.UnitID:
			return fault.New(fault.Invalid, "directory_unit_fixed")
		case !c.Open():
			return fault.New(fault.Invalid, "directory_counter_closed", "code", c.Code)
		}
		c.Code, c.Name = wanted.Code, wanted.Name
		return firstOf(checkCounter(*c), signsAlone(s, []Counter{*c}))
	})
}

// CloseCounter ends a counter now; its ratings stay. One that is closed stays as it is.
func (d *Directory) CloseCounter(ctx context.Context, id string) (Counter, error) {
	return d.reviseCounter(ctx, id, func(_ *snapshot, c *Counter) error {
		if c.Open() {
			c.ClosedAt = store.Milliseconds(d.options.Now())
		}
		return nil
	})
}

// ChangeOfficial gives an official another name or position; the unit cannot change. NotFound "directory_official_missing";
// Invalid for one whose service ended.
func (d *Directory) ChangeOfficial(ctx context.Context, wanted Official) (Official, error) {
	wanted.Name, wanted.Position = text(wanted.Name), text(wanted.Position)
	return d.reviseOfficial(ctx, wanted.ID, func(o *Official) error {
		switch {
		case wanted.UnitID != "" && wanted.UnitID != o.UnitID:
			return fault.New(fault.Invalid, "directory_unit_fixed")
		case !o.ClosedAt.IsZero():
			return fault.New(fault.Invalid, "directory_official_closed", "name", o.Name)
		}
		o.Name, o.Position = wanted.Name, wanted.Position
		return checkOfficial(*o)
	})
}

// CloseOfficial ends an official's service at the unit now; the ratings stay, the photo and the number to sign in with do not. One
// whose service ended stays as it is.
func (d *Directory) CloseOfficial(ctx context.Context, id string) (Official, error) {
	photo := ""
	closed, err := d.reviseOfficial(ctx, id, func(o *Official) error {
		if photo = ""; o.Open() {
			o.ClosedAt = store.Milliseconds(d.options.Now())
			photo, o.Photo, o.PINHash = o.Photo, "", ""
		}
		return nil
	})
	if err == nil {
		d.dropPhoto(ctx, id, photo)
	}
	return closed, err
}

func (d *Directory) reviseCounter(ctx context.Context, id string, revise func(*snapshot, *Counter) error) (Counter, error) {
	return revised(ctx, d, id, "directory_counter_missing", func(s *snapshot) shelf[Counter] { return s.counters }, revise,
		func(c Counter) change { return change{counters: []Counter{c}} })
}

func (d *Directory) reviseOfficial(ctx context.Context, id string, revise func(*Official) error) (Official, error) {
	return revised(ctx, d, id, "directory_official_missing", func(s *snapshot) shelf[Official] { return s.officials },
		func(_ *snapshot, o *Official) error { return revise(o) },
		func(o Official) change { return change{officials: []Official{o}} })
}

// revised changes one document that stands.
func revised[T comparable](ctx context.Context, d *Directory, id, missing string, on func(*snapshot) shelf[T],
	revise func(*snapshot, *T) error, changed func(T) change,
) (T, error) {
	var after T
	err := d.commit(ctx, func(s *snapshot) (change, error) {
		before, ok := on(s).get(id)
		if !ok {
			return change{}, fault.New(fault.NotFound, missing)
		}
		after = before
		if err := revise(s, &after); err != nil || after == before {
			return change{}, err
		}
		return changed(after), nil
	})
	return after, err
}

package roster

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/duty"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Set keeps a duty; with the id of one that stands in the same unit it takes its place. One for now holds from this minute of
// today to its to_minute, or to the end of the day, and ends those set for now before at the same place. The unit, counter and
// official are for the caller to check. Invalid as duty.Check, "duty_many", "duty_over"; NotFound "duty_unknown" for the id of
// another unit's.
func (r *Roster) Set(ctx context.Context, wanted *pb.Duty) (*pb.Duty, error) {
	doc := documentOf(wanted)
	now := store.Milliseconds(r.options.Now())
	doc.SetAt = now
	if doc.Now {
		today, _ := localday.Of(now)
		doc.First, doc.Until, doc.Weekdays = string(today), string(today), nil
		doc.From = int32(now.Sub(today.Start()) / time.Minute) //nolint:gosec // of a day
	}
	if err := duty.Check(doc.proto()); err != nil {
		return nil, err
	}
	if duty.Ended(doc.proto(), now) {
		return nil, fault.New(fault.Invalid, "duty_over")
	}
	standing, err := r.read(ctx, doc.Unit)
	if err != nil {
		return nil, told(err)
	}
	isNew := !slices.ContainsFunc(standing, func(d document) bool { return d.ID == doc.ID })
	if isNew && len(standing) >= MaxOfUnit {
		return nil, fault.New(fault.Invalid, "duty_many", "limit", MaxOfUnit)
	}
	if err := r.keep(ctx, &doc); err != nil {
		return nil, told(err)
	}
	if doc.Now {
		err = r.endNow(ctx, standing, doc)
	}
	r.tell(ctx, doc.Unit)
	return doc.proto(), told(err)
}

// keep inserts the duty, or puts it in the place of the one with its id.
func (r *Roster) keep(ctx context.Context, doc *document) error {
	if doc.ID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		doc.ID = id.String()
	}
	err := r.docs.Insert(ctx, *doc)
	if !errors.Is(err, store.ErrExists) {
		return err
	}
	_, err = r.docs.Update(ctx, doc.ID, func(stands *document) (bool, error) {
		if stands.Unit != doc.Unit {
			return false, fault.New(fault.NotFound, "duty_unknown")
		}
		*stands = *doc
		return true, nil
	})
	return err
}

// endNow takes away what was set for now before at the place of a duty: it decides nothing any more, and a reception that
// taps a hundred times a day would fill the list.
func (r *Roster) endNow(ctx context.Context, standing []document, latest document) error {
	for _, d := range standing {
		if !d.Now || d.ID == latest.ID || d.Counter != latest.Counter {
			continue
		}
		if _, err := r.remove(ctx, d.ID, func(stands document) bool { return stands.Now && !stands.SetAt.After(latest.SetAt) }); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// End takes a duty away. NotFound "duty_unknown".
func (r *Roster) End(ctx context.Context, id string) (*pb.Duty, error) {
	doc, err := r.remove(ctx, id, func(document) bool { return true })
	if err != nil {
		return nil, told(err)
	}
	r.tell(ctx, doc.Unit)
	return doc.proto(), nil
}

func (r *Roster) remove(ctx context.Context, id string, allowed func(document) bool) (document, error) {
	doc, version, err := r.docs.Get(ctx, id)
	for err == nil && allowed(doc) {
		err = r.docs.Delete(ctx, id, version)
		var stale *store.StaleError[document]
		if errors.As(err, &stale) {
			doc, version, err = stale.Current.Value, stale.Current.Version, nil
			continue
		}
		return doc, err
	}
	return doc, err
}

// List lists the duties of a unit and all below it that hold now or later, by unit, counter and id; unit "" = of all. within
// tells whether a unit belongs to them. The token is that of the next page, "" at the end. Invalid "duty_page_token".
func (r *Roster) List(ctx context.Context, unit string, alone bool, within func(unitID string) bool, size int, token string) ([]*pb.Duty, string, error) {
	after, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, "", fault.New(fault.Invalid, "duty_page_token")
	}
	now := r.options.Now()
	today, _ := localday.Of(now)
	query := store.Query{Index: ending, From: string(today), Limit: maxListed}
	if alone {
		query = store.Query{Index: ofUnit, Equal: []any{unit}, From: string(today), Limit: 2 * MaxOfUnit}
	}
	var docs []document
	for doc, err := range r.docs.Find(ctx, query) {
		if err != nil {
			return nil, "", told(err)
		}
		if within(doc.Value.Unit) {
			docs = append(docs, doc.Value)
		}
	}
	list := standing(docs, now)
	from, found := slices.BinarySearchFunc(list, string(after), func(d *pb.Duty, key string) int { return cmp.Compare(order(d), key) })
	if found {
		from++
	}
	list = list[from:]
	if len(list) <= size {
		return list, "", nil
	}
	return list[:size], base64.RawURLEncoding.EncodeToString([]byte(order(list[size-1]))), nil
}

func order(d *pb.Duty) string {
	return strings.Join([]string{d.GetUnitId(), d.GetCounterId(), d.GetId()}, "\x00")
}

func compare(a, b *pb.Duty) int { return cmp.Compare(order(a), order(b)) }

package hotline

import (
	"context"
	"errors"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// Filter says which calls to list.
type Filter struct {
	Within   string       // top of the subtree of answering units; "" = everything
	From, To localday.Day // by the day they began, inclusive; "" = open
	Kind     Kind         // "" = all
	Operator string       // account; "" = all
	Open     bool         // only calls that were not finished; with Operator
	Case     string       // only those of a case
	Show     func(Call) bool
}

// lookedAt bounds how many calls one List looks at for each that it may answer, where Show leaves many out.
const lookedAt = 20

// List answers one page of calls, newest first, and where the next begins; a page may hold fewer than limit and still have a next one.
// Invalid "hotline_page_invalid".
func (h *Hotline) List(ctx context.Context, f Filter, after store.Cursor, limit int) ([]Call, store.Cursor, error) {
	query := store.Query{Index: "above", Equal: []any{f.Within}, Desc: true, After: after}
	switch {
	case f.Case != "":
		query.Index, query.Equal = "case", []any{f.Case}
	case f.Operator != "" && f.Open:
		query.Index, query.Equal = "open", []any{f.Operator, true}
	case f.Operator != "":
		query.Index, query.Equal = "operator", []any{f.Operator}
	case f.Kind != "":
		query.Index, query.Equal = "kind", []any{f.Within, string(f.Kind)}
	}
	query.From, query.To = period(f.From, f.To)
	return h.page(ctx, query, limit, func(c Call) bool {
		return (f.Kind == "" || c.Kind == f.Kind) && (f.Operator == "" || c.Operator == f.Operator) && (!f.Open || c.Open) && (f.Show == nil || f.Show(c))
	})
}

// period are the bounds of days in time.
func period(from, to localday.Day) (first, next any) {
	if from != "" {
		first = from.Start()
	}
	if to != "" {
		next = to.Add(1).Start()
	}
	return first, next
}

// page reads at most limit calls that pass.
func (h *Hotline) page(ctx context.Context, query store.Query, limit int, passes func(Call) bool) ([]Call, store.Cursor, error) {
	var calls []Call
	var last store.Cursor
	looked := 0
	for doc, err := range h.calls.Find(ctx, query) {
		if errors.Is(err, store.ErrInvalid) {
			return nil, "", fault.New(fault.Invalid, "hotline_page_invalid").Because(err)
		}
		if err != nil {
			return nil, "", told("list calls", "hotline_call_unknown", err)
		}
		if looked++; len(calls) == limit || looked > limit*lookedAt {
			return calls, last, nil
		}
		c := doc.Value
		c.Version, last = doc.Version, doc.Cursor
		if passes(c) {
			calls = append(calls, c)
		}
	}
	return calls, "", nil
}

// Unfinished answers the calls of an operator that were left open, newest first.
func (h *Hotline) Unfinished(ctx context.Context, account string, limit int) ([]Call, error) {
	calls, _, err := h.List(ctx, Filter{Operator: account, Open: true}, "", limit)
	return calls, err
}

// Thanks is what somebody was praised for, as it may be shown to those praised: no time, no caller.
type Thanks struct {
	ID       string
	On       localday.Day
	Unit     string
	Official string
	Text     string
}

// ListPraise answers what an official (their own), or with "" the officials of a unit's subtree, were thanked for, newest first.
func (h *Hotline) ListPraise(ctx context.Context, official, within string, show func(Call) bool, after store.Cursor, limit int) ([]Thanks, store.Cursor, error) {
	of := within
	if official != "" {
		of = praised + official
	}
	calls, next, err := h.page(ctx, store.Query{Index: "praise", Equal: []any{of}, Desc: true, After: after}, limit, show)
	var list []Thanks
	for _, c := range calls {
		on, _ := localday.Of(c.StartedAt)
		list = append(list, Thanks{ID: c.ID, On: on, Unit: c.About, Official: c.Official, Text: c.Summary})
	}
	return list, next, err
}

// CallBacks answers the calls that wait for a call-back, those to be called first come first.
func (h *Hotline) CallBacks(ctx context.Context, within string, show func(Call) bool, after store.Cursor, limit int) ([]Call, store.Cursor, error) {
	return h.page(ctx, store.Query{Index: "call_back", Equal: []any{within}, After: after}, limit, func(c Call) bool { return c.Waits() && show(c) })
}

// CalledBack notes an attempt to call a caller back; with reached nothing waits any more. The same attempt again, known by its outgoing
// call, changes nothing. Stale "hotline_called_back" where nothing waits.
func (h *Hotline) CalledBack(ctx context.Context, by Operator, id string, reached bool, result, outgoing string) (Call, error) {
	var done Call
	_, err := h.calls.Update(ctx, id, func(c *Call) (bool, error) {
		attempts, write, err := tried(c.CalledBack, h.attempt(by, reached, result, outgoing), c.Waits())
		if err != nil || !write {
			done = *c
			return false, err
		}
		c.CalledBack, c.ChangedAt = attempts, store.Milliseconds(h.now())
		h.list(c)
		done = *c
		return true, nil
	})
	return done, told("note call-back", "hotline_call_unknown", err)
}

func (h *Hotline) attempt(by Operator, reached bool, result, outgoing string) Attempt {
	return Attempt{At: store.Milliseconds(h.now()), By: by.Account, ByName: by.Name, Reached: reached, Result: store.Clip(result, 4*MaxResult), Call: outgoing}
}

// callBackDays is for how long a rating's wish to be called is listed.
const callBackDays = 60

// CallBackSince is the oldest time from which ratings' wishes to be called are listed.
func (h *Hotline) CallBackSince() time.Time { return h.now().AddDate(0, 0, -callBackDays) }

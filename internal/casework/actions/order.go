package actions

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// New is what is ordered, of one or several units.
type New struct {
	Order    string // UUID made by the caller: ordering the same again answers what stands
	Ordering string // unit
	Units    []string
	Owner    string // official; only where there is one unit
	Product  string
	Due      localday.Day
	Cases    []string // they came from
}

// Order orders an action of each unit, in the order of the units. Where it was interrupted, the same again completes it. Exists
// "actions_exists" where the order stands for something else; Invalid "actions_order", "actions_owner"; and the faults of casework.Machine.Order.
func (a *Actions) Order(ctx context.Context, n New, by casework.Actor) ([]Kept, error) {
	space, err := uuid.Parse(n.Order)
	if err != nil || len(n.Units) == 0 {
		return nil, fault.New(fault.Invalid, "actions_order")
	}
	if n.Owner != "" && len(n.Units) != 1 {
		return nil, fault.New(fault.Invalid, "actions_owner")
	}
	m, err := a.options.Machine(n.Ordering)
	if err != nil {
		return nil, err
	}
	// All are judged before the first is written: an order is whole or it is refused.
	var documents []document
	for _, unit := range n.Units {
		ordered := casework.Ordered{ID: uuid.NewSHA1(space, []byte(unit)).String(), Cases: n.Cases, Order: n.Order, Ordering: n.Ordering}
		action, effects, err := m.Order(ordered, casework.ActionEvent{Product: n.Product, Unit: unit, Owner: n.Owner, Due: n.Due}, by, a.now())
		if err != nil {
			return nil, err
		}
		documents = append(documents, a.after(document{}, action, effects, m))
	}
	var out []Kept
	for _, d := range documents {
		stands, err := a.enter(ctx, d)
		if err != nil {
			return nil, err
		}
		out = append(out, stands.kept())
	}
	return out, nil
}

// enter writes an action, or answers the same that stands.
func (a *Actions) enter(ctx context.Context, d document) (document, error) {
	err := a.actions.Insert(ctx, d)
	if errors.Is(err, store.ErrExists) {
		stands, _, err := a.get(ctx, d.ID)
		if err != nil {
			return d, err
		}
		if !sameOrder(stands.Action, d.Action) {
			return d, fault.New(fault.Exists, "actions_exists")
		}
		return stands, nil
	}
	if err != nil {
		return d, failed("order an action", err)
	}
	a.settle(ctx, d.ID)
	return d, nil
}

func sameOrder(a, b casework.Action) bool {
	if len(a.History) == 0 || len(b.History) == 0 {
		return false
	}
	x, y := a.History[0].Event, b.History[0].Event
	return x.Product == y.Product && x.Unit == y.Unit && x.Owner == y.Owner && x.Due == y.Due && a.Ordering == b.Ordering && slices.Equal(a.Cases, b.Cases)
}

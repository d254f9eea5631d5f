package analysis

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/unit"
)

// FollowUps are the units of a subtree that need attention.
type FollowUps struct {
	Units         []FollowUp   // clearest first
	Examined      int          // units looked at
	DiscoveryRate float64      // share of false alarms accepted among Units
	Day           localday.Day // the day whose names and levels are to be shown
	Period        Period
	FreshThrough  time.Time
}

// FollowUp is one unit whose dissatisfaction is beyond chance.
type FollowUp struct {
	Unit  unit.Unit
	Above unit.Unit // the one it is held against
	figure.FollowUp
}

// FollowUps looks at every unit that has its parent within the subtree on the period's last day (today, if that is later), by
// default over the last thirty days and today. A unit is held with its whole subtree against its parent's; units with
// fewer ratings than are shown are not looked at. False discoveries are controlled over all units looked at (see
// figure.FollowUps).
func (a *Analysis) FollowUps(ctx context.Context, query Query) (FollowUps, error) {
	q, err := a.ask(ctx, query, thirtyDays)
	if err != nil {
		return FollowUps{}, err
	}
	c := q.every()
	totals, _, err := a.total(ctx, q, c)
	if err != nil {
		return FollowUps{}, err
	}
	day := q.refDay
	if q.today {
		day = q.tree.Today()
	}
	view := q.tree.On(day)
	dissatisfied := func(group int32) figure.Share {
		counts := totals[group].pooled().counts
		return figure.Share{K: counts[1] + counts[2], N: counts.N()}
	}
	var units []FollowUp
	var compared []figure.Compared
	for _, id := range view.List(q.Unit) {
		group, ok := c.index[id]
		above, parentOK := c.index[view.Parent(id)]
		if id == q.Unit || !ok || !parentOK {
			continue
		}
		share := dissatisfied(group)
		if share.N < a.config.MinCell {
			continue
		}
		one, _ := q.tree.Get(id)
		parent, _ := q.tree.Get(view.Parent(id))
		units = append(units, FollowUp{Unit: one, Above: parent})
		compared = append(compared, figure.Compared{Unit: share, Parent: dissatisfied(above)})
	}
	answer := FollowUps{Examined: len(units), DiscoveryRate: DiscoveryRate, Day: day, Period: q.period, FreshThrough: q.fresh}
	for i, result := range figure.FollowUps(compared, DiscoveryRate) {
		if result.Beyond {
			units[i].FollowUp = result
			answer.Units = append(answer.Units, units[i])
		}
	}
	slices.SortStableFunc(answer.Units, func(a, b FollowUp) int {
		return cmp.Or(cmp.Compare(a.Q, b.Q), cmp.Compare(a.P, b.P), cmp.Compare(b.excess(), a.excess()))
	})
	return answer, nil
}

// excess is how far the unit's share surely lies above its parent's.
func (f FollowUp) excess() float64 { return f.Dissatisfied.Low - f.Parent.Value }

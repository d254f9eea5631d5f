package coverage

import (
	"cmp"
	"context"
	"slices"

	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/tally"
)

// What an effect rests on.
const (
	EffectWeeks = 8  // before and after
	LeastEach   = 30 // ratings before and after, below which nothing is claimed
)

// Verdict is what may be said of an effect.
type Verdict string

// The verdicts.
const (
	TooEarly Verdict = "too_early" // the eight weeks are not over
	TooFew   Verdict = "too_few"   // ratings, before or after
	Unclear  Verdict = "unclear"   // what differs may be chance
	Less     Verdict = "less"      // dissatisfaction is less than before, beyond chance
	More     Verdict = "more"      // it is more
)

// Verdicts lists them.
func Verdicts() []Verdict { return []Verdict{TooEarly, TooFew, Unclear, Less, More} }

// Week is seven days of an effect.
type Week struct {
	Period
	Share figure.Figure // dissatisfied ratings of the reason, of all ratings; withheld where few were given
	Over  bool          // no more ratings of it are to come
}

// Effect says whether it was different after a remedy: dissatisfied ratings of a reason as a share of all ratings of a unit's subtree, the
// eight weeks before the day on which the explanation was accepted and the eight after; that day itself is in neither.
//
// It is a comparison and no proof: other things may have happened at the same time.
type Effect struct {
	Unit       string
	Reason     string // question:choice; "" = all dissatisfaction
	Accepted   localday.Day
	Weeks      []Week        // sixteen, in order
	Before     figure.Figure // Wilson
	After      figure.Figure // Wilson, of the days so far
	Difference figure.Figure // After less Before (Newcombe)
	DaysLeft   int           // until the eight weeks are over
	Verdict    Verdict
}

// Effect answers one. NotFound "unit_unknown".
func (c *Coverage) Effect(ctx context.Context, unit, reason string, accepted localday.Day) (Effect, error) {
	e := Effect{Unit: unit, Reason: reason, Accepted: accepted}
	whole := Period{accepted.Add(-7 * EffectWeeks), accepted.Add(7 * EffectWeeks)}
	q, err := c.ask(ctx, unit, whole)
	if err != nil {
		return Effect{}, told(err)
	}
	given, err := c.given(ctx, q)
	if err != nil {
		return Effect{}, told(err)
	}
	taken := map[localday.Day]uint32{}
	if reason == "" {
		for _, leaves := range q.leaves {
			for _, l := range leaves {
				taken[l.key.Day] += uint32(l.n) //nolint:gosec // a count
			}
		}
	} else {
		digests, err := c.read(ctx, q.leaves)
		if err != nil {
			return Effect{}, told(err)
		}
		for _, list := range digests {
			for _, d := range list {
				for i := range d.Groups {
					if g := &d.Groups[i]; slices.Contains(g.Reasons, reason) {
						taken[d.Day] += uint32(g.n()) //nolint:gosec // a count
					}
				}
			}
		}
	}
	today := c.today()
	var before, after figure.Share
	for week := range 2 * EffectWeeks {
		from, sum := whole.From.Add(7*week), &before
		if week >= EffectWeeks {
			from, sum = from.Add(1), &after
		}
		w := Week{Period: Period{from, from.Add(6)}}
		var share figure.Share
		for day := w.From; day <= w.To; day = day.Add(1) {
			share.K += taken[day]
			share.N += given[day]
		}
		w.Share, w.Over = figure.Wilson(share.K, share.N), w.To < today
		sum.K += share.K
		sum.N += share.N
		e.Weeks = append(e.Weeks, w)
	}
	withhold(e.Weeks[:EffectWeeks])
	withhold(e.Weeks[EffectWeeks:])
	e.Before, e.After, e.Difference = figure.Wilson(before.K, before.N), figure.Wilson(after.K, after.N), figure.Difference(after, before)
	for day := whole.To; day >= today && e.DaysLeft <= 7*EffectWeeks; day = day.Add(-1) {
		e.DaysLeft++
	}
	if before.N > 0 && before.N < LeastShown || after.N > 0 && after.N < LeastShown {
		hide(&e.Before)
		hide(&e.After)
		hide(&e.Difference)
	}
	switch {
	case e.DaysLeft > 0:
		e.Verdict = TooEarly
	case before.N < LeastEach || after.N < LeastEach:
		e.Verdict = TooFew
	case e.Difference.High < 0:
		e.Verdict = Less
	case e.Difference.Low > 0:
		e.Verdict = More
	default:
		e.Verdict = Unclear
	}
	return e, nil
}

func hide(f *figure.Figure) {
	f.Value, f.Low, f.High, f.Suppressed = 0, 0, 0, true
}

// withhold hides weeks of few ratings, and where that is only one the smallest other with it: the whole is shown, and must not tell.
func withhold(weeks []Week) {
	hidden := 0
	for i := range weeks {
		if n := weeks[i].Share.N; n > 0 && n < LeastShown {
			hide(&weeks[i].Share)
			hidden++
		}
	}
	if hidden != 1 {
		return
	}
	least := -1
	for i := range weeks {
		if n := weeks[i].Share.N; n > 0 && !weeks[i].Share.Suppressed && (least < 0 || n < weeks[least].Share.N) {
			least = i
		}
	}
	if least >= 0 {
		hide(&weeks[least].Share)
	}
}

// given is how many ratings were given each day.
func (c *Coverage) given(ctx context.Context, q *asked) (map[localday.Day]uint32, error) {
	given := map[localday.Day]uint32{}
	err := c.strips(ctx, q.units, q.period, q.tree.Len(), func(days []localday.Day, first, last int, strip tally.Strip) {
		for at, slot := range strip.SlotsBetween(first, last) {
			given[days[at.Day]] += slot.Overall.N()
		}
	})
	return given, err
}

// ReasonOf is the reason a case is about: that of a collective request, or the one most of its ratings have in common, if at least half
// of them do; "" = none.
func (c *Coverage) ReasonOf(ctx context.Context, one Case) (string, error) {
	if s := one.Collective; s != nil {
		return s.Reason, nil
	}
	if len(one.Attached) == 0 {
		return "", nil
	}
	opened, _ := localday.Of(one.OpenedAt)
	if err := c.holdings.upTo(ctx, opened, ""); err != nil {
		return "", told(err)
	}
	type at struct {
		unit string
		day  localday.Day
	}
	wanted := map[named]bool{}
	var places []at
	c.holdings.lock.RLock()
	for _, id := range one.Attached {
		rating := nameOf(id, one.About)
		wanted[rating] = true
		if day, ok := c.holdings.placed[rating.unit][rating.id]; ok && !slices.Contains(places, at{rating.unit, day}) {
			places = append(places, at{rating.unit, day})
		}
	}
	c.holdings.lock.RUnlock()
	counts, found := map[string]int{}, 0
	for _, at := range places {
		leaves, _, err := c.leaves(ctx, []string{at.unit}, Period{at.day, at.day}, c.options.Units.Tree().Len())
		if err != nil {
			return "", told(err)
		}
		digests, err := c.read(ctx, leaves)
		if err != nil {
			return "", told(err)
		}
		for _, d := range digests[at.unit] {
			for _, f := range d.Former {
				if wanted[named{d.Unit, f.Was}] {
					wanted[named{d.Unit, f.Is}] = true
				}
			}
			for i := range d.Groups {
				for _, ids := range [][]string{d.Groups[i].Said, d.Groups[i].Bare} {
					for _, id := range ids {
						if !wanted[named{d.Unit, id}] {
							continue
						}
						found++
						for _, reason := range d.Groups[i].Reasons {
							counts[reason]++
						}
					}
				}
			}
		}
	}
	reasons := sortedKeys(counts)
	slices.SortStableFunc(reasons, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	if len(reasons) == 0 || 2*counts[reasons[0]] < found {
		return "", nil
	}
	return reasons[0], nil
}

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

// Ranking compares units.
type Ranking struct {
	Units        []Ranked     // ranked ones, most satisfied first, then those that are not ranked
	Day          localday.Day // the day whose names and levels are to be shown
	Period       Period
	FreshThrough time.Time
}

// Ranked is one unit's place.
type Ranked struct {
	Unit         unit.Unit
	Distribution figure.Distribution
	Rank         figure.Rank // Rank 0: not ranked, because it has too few ratings or is withheld
}

// Rank compares the units of a level below one, each with its own subtree, or its children where level is ""; by default over
// the last year. minimumN 0 is DefaultMinimumN. As at the time, units that ended within the period are among them,
// with what they had. Where units are withheld, the smallest others are too: the sum above can be asked for.
func (a *Analysis) Rank(ctx context.Context, query Query, level string, minimumN uint32) (Ranking, error) {
	if minimumN == 0 {
		minimumN = DefaultMinimumN
	}
	q, err := a.ask(ctx, query, aYear)
	if err != nil {
		return Ranking{}, err
	}
	c := q.below(level)
	totals, _, err := a.total(ctx, q, c)
	if err != nil {
		return Ranking{}, err
	}
	shown := a.withhold(totals)
	ranking := Ranking{Day: q.refDay, Period: q.period, FreshThrough: q.fresh, Units: make([]Ranked, len(c.groups)-1)}
	shares := make([]figure.Share, len(ranking.Units))
	for i := range ranking.Units {
		ranked := &ranking.Units[i]
		ranked.Unit, _ = q.tree.Get(c.groups[i+1])
		ranked.Distribution = shown[i]
		if n := ranked.Distribution.N; n >= minimumN && !ranked.Distribution.Suppressed {
			counts := ranked.Distribution.Counts
			shares[i] = figure.Share{K: counts[3] + counts[4], N: n}
		}
	}
	for i, rank := range figure.RankIntervals(shares) {
		ranking.Units[i].Rank = rank
	}
	slices.SortStableFunc(ranking.Units, func(a, b Ranked) int {
		if a.Rank.Rank == 0 || b.Rank.Rank == 0 {
			return cmp.Compare(b.Rank.Rank, a.Rank.Rank)
		}
		return cmp.Compare(a.Rank.Rank, b.Rank.Rank)
	})
	return ranking, nil
}

// withhold makes the distributions of the parts of a whole, group 0, with small ones withheld. What the whole has beyond its
// parts is a part too, though it is not shown: anybody can subtract.
func (a *Analysis) withhold(totals []sums) []figure.Distribution {
	whole := totals[0].pooled()
	rest := whole
	parts := make([]figure.Distribution, 0, len(totals))
	for _, total := range totals[1:] {
		part := total.pooled()
		parts = append(parts, part.distribution())
		rest = rest.minus(part)
	}
	parts = append(parts, rest.distribution())
	_, parts = figure.SuppressChannels(whole.distribution(), parts, a.config.MinCell)
	return parts[:len(parts)-1]
}

// minus is s without part; where parts overlap (a level below itself) nothing is left.
func (s sum) minus(part sum) sum {
	for i := range s.counts {
		s.counts[i] -= min(s.counts[i], part.counts[i])
	}
	s.flagged -= min(s.flagged, part.flagged)
	return s
}

package analysis

import (
	"context"
	"time"

	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/tally"
)

// Hours are the hours of the week that have ratings.
type Hours struct {
	Hours        []Hour // by weekday and hour; hours without a rating are left out
	Period       Period
	FreshThrough time.Time
}

// Hour is one local hour of the week over a period.
type Hour struct {
	Weekday      int // 1 = Monday ... 7 = Sunday
	Hour         int // 0 to 23
	N            uint32
	Dissatisfied figure.Figure
}

// Hours answers ratings by weekday and hour over a unit's subtree, by default over the last thirty days and today. Small hours are
// withheld, and with them as many others as keep them from being had by subtraction from the summary.
func (a *Analysis) Hours(ctx context.Context, query Query) (Hours, error) {
	q, err := a.ask(ctx, query, thirtyDays)
	if err != nil {
		return Hours{}, err
	}
	var week [7][24]sum
	err = a.leaves(ctx, q, q.subtree(), func(strip tally.StripKey, leaves []*digest) {
		newYear := int(dayOf(strip.Year).Start().Weekday()) + 6 // Monday first
		for _, leaf := range leaves {
			leaf.addHours(&week[(newYear+leaf.at.Day)%7])
		}
	})
	if err != nil {
		return Hours{}, err
	}
	answer := Hours{Period: q.period, FreshThrough: q.fresh}
	var whole sum
	var parts []figure.Distribution
	for day := range week {
		for hour, total := range week[day] {
			if total.counts.N() == 0 {
				continue
			}
			whole.add(total.counts, total.flagged)
			parts = append(parts, total.distribution())
			answer.Hours = append(answer.Hours, Hour{Weekday: 1 + day, Hour: hour})
		}
	}
	_, parts = figure.SuppressChannels(whole.distribution(), parts, a.config.MinCell)
	for i, part := range parts {
		answer.Hours[i].N, answer.Hours[i].Dissatisfied = part.N, part.Dissatisfied
	}
	return answer, nil
}

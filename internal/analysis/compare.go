package analysis

import (
	"context"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/figure"
)

// Comparison is a period held against another.
type Comparison struct {
	Period, Other  Summary
	Satisfied      figure.Figure // share of satisfied in Period less that in Other
	Dissatisfied   figure.Figure // the same for dissatisfied
	DifferentForms bool          // the two rest on different questionnaires: they are not alike
	FreshThrough   time.Time
}

// Compare holds a unit's period, by default the last thirty days and today, against another, by default the one of the same
// length just before. The other may lie before or after, but must not overlap it ("analysis_periods_overlap"): the interval of the
// difference supposes that other people rated, and from two periods that differ by a day a single day's ratings could be had.
func (a *Analysis) Compare(ctx context.Context, query Query, otherFrom, otherTo string) (Comparison, error) {
	q, err := a.ask(ctx, query, thirtyDays)
	if err != nil {
		return Comparison{}, err
	}
	first, err := day("other_from", otherFrom)
	if err != nil {
		return Comparison{}, err
	}
	last, err := day("other_to", otherTo)
	if err != nil {
		return Comparison{}, err
	}
	if last == "" {
		last = q.period.From.Add(-1)
	}
	if first == "" {
		first = last.Add(1 - q.period.days())
	}
	if first <= q.period.To && q.period.From <= last && first <= last {
		return Comparison{}, fault.New(fault.Invalid, "analysis_periods_overlap", "from", q.period.From, "to", q.period.To, "other_from", first, "other_to", last)
	}
	query.From, query.To = string(q.period.From), string(q.period.To)
	period, err := a.Summary(ctx, query)
	if err != nil {
		return Comparison{}, err
	}
	query.From, query.To = string(first), string(last)
	other, err := a.Summary(ctx, query)
	if err != nil {
		return Comparison{}, err
	}
	comparison := Comparison{
		Period: period, Other: other, FreshThrough: period.FreshThrough,
		DifferentForms: len(period.Questionnaires) > 0 && len(other.Questionnaires) > 0 && !slices.Equal(period.Questionnaires, other.Questionnaires),
	}
	comparison.Satisfied, comparison.Dissatisfied = figure.Differences(period.Pooled, other.Pooled)
	return comparison, nil
}

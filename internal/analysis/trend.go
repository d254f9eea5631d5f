package analysis

import (
	"context"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/figure"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/tally"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Trend is a unit's subtree step by step.
type Trend struct {
	Points       []Point // every step of the period in order, empty ones too
	FreshThrough time.Time
}

// Point is one step, cut to the period.
type Point struct {
	Period       Period
	Distribution figure.Distribution
}

// Trend answers a summary's distribution step by step, by default by month over the last year. Where a step is withheld, so
// is the smallest other one: the period as a whole can be asked for, and must not tell what was withheld.
func (a *Analysis) Trend(ctx context.Context, query Query, step pb.Step) (Trend, error) {
	if _, known := pb.Step_name[int32(step)]; !known {
		return Trend{}, fault.New(fault.Invalid, "step_invalid", "step", int32(step))
	}
	q, err := a.ask(ctx, query, aYear)
	if err != nil {
		return Trend{}, err
	}
	steps := cut(q.period, step)
	totals := make([]sum, len(steps))
	c := q.subtree()
	type of struct {
		units       map[string][]int32
		first, last int
		steps       [366]int32 // of each day of the year, plus one
	}
	var years []of
	begin := func(year int, within []inYear) {
		years = make([]of, len(within))
		for i, part := range within {
			years[i].units, years[i].first, years[i].last = part.of, part.first, part.last
			for at, step := range steps {
				if first, last, ok := step.within(year); ok {
					for day := max(first, part.first); day <= min(last, part.last); day++ {
						years[i].steps[day] = int32(at) + 1
					}
				}
			}
		}
	}
	err = a.strips(ctx, q, c, begin, func(strip tally.Strip) {
		for i := range years {
			part := &years[i]
			if len(part.units[strip.Key.Unit]) == 0 {
				continue
			}
			for at, slot := range strip.SlotsBetween(part.first, part.last) {
				if step := part.steps[at.Day]; step > 0 && q.wants(at.Channel) {
					totals[step-1].add(slot.Overall, slot.Flagged)
				}
			}
		}
	})
	if err != nil {
		return Trend{}, err
	}
	var whole sum
	parts := make([]figure.Distribution, len(steps))
	for i, total := range totals {
		parts[i] = total.distribution()
		whole.add(total.counts, total.flagged)
	}
	_, parts = figure.SuppressChannels(whole.distribution(), parts, a.config.MinCell)
	trend := Trend{Points: make([]Point, len(steps)), FreshThrough: q.fresh}
	for i, period := range steps {
		trend.Points[i] = Point{Period: period, Distribution: parts[i]}
	}
	return trend, nil
}

// cut divides a period into steps.
func cut(period Period, step pb.Step) []Period {
	var steps []Period
	for from := period.From; from <= period.To; {
		to := min(stepEnd(from, step), period.To)
		steps = append(steps, Period{from, to})
		from = to.Add(1)
	}
	return steps
}

// stepEnd is the last day of the step that holds a day.
func stepEnd(day localday.Day, step pb.Step) localday.Day {
	t := day.Start()
	switch step {
	case pb.Step_STEP_DAY:
		return day
	case pb.Step_STEP_WEEK:
		return day.Add((7 - int(t.Weekday())) % 7) // ISO weeks end on Sunday
	case pb.Step_STEP_YEAR:
		return localday.Day(t.Format("2006") + "-12-31")
	default:
		return localday.Day(time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, localday.Zone).Format(time.DateOnly))
	}
}

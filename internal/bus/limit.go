package bus

import (
	"context"
	"math"
	"time"
)

// Limit is how often something may happen: Rate times in each Per, and Burst at once after a rest. At most a million
// times a second, and at most ten years until Burst is whole again. The zero Limit allows nothing.
type Limit struct {
	Rate  int
	Per   time.Duration
	Burst int
}

// Decision is the answer of a limit.
type Decision struct {
	Allowed bool
	// RetryAfter is when the same call would be allowed if nobody else came; zero where it is; Never where the cost
	// is above the burst or the limit makes no sense.
	RetryAfter time.Duration
	Remaining  int // how much more is allowed at once
}

// Never is a RetryAfter that does not come.
const Never time.Duration = math.MaxInt64

// Limits holds callers to limits.
type Limits interface {
	// Allow charges cost to key and says whether it was allowed; what is not allowed is not charged. Cost 0 asks
	// without charging. All processes share a key's limit. It always answers, and never fails open: when the
	// shared bus is away each process holds the limit by itself, which is logged and counted (Stats.LimitsAlone).
	Allow(ctx context.Context, key string, limit Limit, cost int) Decision
}

// Whole is how many microseconds an empty limit needs to be whole again, and Interval how many one unit needs,
// rounded up. Both are zero where the limit makes no sense.
func (l Limit) Whole() int64 { return l.Interval() * int64(l.Burst) }

// Interval is the microseconds between two units at the limit's rate; zero where the limit makes no sense.
func (l Limit) Interval() int64 {
	per := l.Per.Microseconds()
	if l.Rate <= 0 || l.Burst <= 0 || per < int64(l.Rate) {
		return 0
	}
	interval := (per + int64(l.Rate) - 1) / int64(l.Rate)
	if interval > maxWhole/int64(l.Burst) {
		return 0
	}
	return interval
}

// maxWhole keeps every sum below 2^53 microseconds until the year 2250, so that Lua's numbers hold it exactly.
const maxWhole = 10 * 366 * 24 * 3600 * 1_000_000

// Possible says whether cost can ever be allowed.
func (l Limit) Possible(cost int) bool { return cost >= 0 && cost <= l.Burst && l.Interval() > 0 }

// Take is the arithmetic of a limit: the generic cell rate algorithm (ITU-T I.371) in whole microseconds. arrival is
// the theoretical arrival time kept for the key, 0 for none; what is to be kept instead is answered, and means nothing
// once it is past. An arrival further ahead than the limit allows, from a clock set back or a limit made narrower, is
// drawn in, and kept so even if the call is denied: else nobody would get through until the clock caught up.
func (l Limit) Take(arrival, now int64, cost int) (int64, Decision) {
	if !l.Possible(cost) {
		return arrival, Decision{RetryAfter: Never}
	}
	interval, whole := l.Interval(), l.Whole()
	arrival = min(arrival, now+whole)
	next := max(arrival, now) + int64(cost)*interval
	if wait := next - now - whole; wait > 0 {
		return arrival, Decision{RetryAfter: time.Duration(wait) * time.Microsecond, Remaining: int((now + whole - max(arrival, now)) / interval)}
	}
	decision := Decision{Allowed: true, Remaining: int((now + whole - next) / interval)}
	if cost == 0 {
		return arrival, decision
	}
	return next, decision
}

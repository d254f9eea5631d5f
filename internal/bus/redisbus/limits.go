package redisbus

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hailong-vn/hailong/internal/bus"
)

// takeClock and takeRest are bus.Limit.Take in Lua, by Redis's own clock. Whole numbers below 2^53 are exact in Lua;
// string.format keeps them from being written as 1.8e+15. ARGV: interval in microseconds, burst, cost.
// Answer: allowed, microseconds to wait, remaining.
const (
	takeClock = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]`
	takeRest = `
local interval, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local whole = interval * burst
local arrival = tonumber(redis.call('GET', KEYS[1]) or '') or now
local function keep(time)
  redis.call('SET', KEYS[1], string.format('%.0f', time), 'PX', string.format('%.0f', math.ceil((time - now) / 1000)))
end
if arrival ~= arrival then arrival = now end
if arrival > now + whole then
  arrival = now + whole
  keep(arrival)
end
arrival = math.max(arrival, now)
local next = arrival + cost * interval
if next - now > whole then
  return {0, next - now - whole, math.floor((now + whole - arrival) / interval)}
end
if cost > 0 then keep(next) end
return {1, 0, math.floor((now + whole - next) / interval)}`
)

var take = redis.NewScript(takeClock + takeRest)

// Allow is bus.Limits.
func (b *Bus) Allow(ctx context.Context, key string, limit bus.Limit, cost int) bus.Decision {
	if !limit.Possible(cost) {
		return bus.Decision{RetryAfter: bus.Never}
	}
	if b.health.worthTrying() {
		if decision, err := b.allow(ctx, take, key, limit, cost); err == nil {
			return decision
		}
	}
	b.health.alone.Add(1)
	b.health.warn("limits are held by this process alone", "limits", nil)
	return b.limits.Allow(key, limit, cost)
}

func (b *Bus) allow(ctx context.Context, script *redis.Script, key string, limit bus.Limit, cost int, more ...any) (bus.Decision, error) {
	var answer []int64
	err := b.call(ctx, "limit", func(ctx context.Context) error {
		var err error
		arguments := append([]any{limit.Interval(), limit.Burst, cost}, more...)
		answer, err = script.Run(ctx, b.client, []string{b.key("limit", bus.ShortKey(key))}, arguments...).Int64Slice()
		if err == nil && len(answer) != 3 {
			err = errors.New("a limit was answered in a form unknown here")
		}
		return err
	})
	if err != nil {
		return bus.Decision{}, err
	}
	return bus.Decision{
		Allowed: answer[0] == 1, RetryAfter: time.Duration(answer[1]) * time.Microsecond, Remaining: int(answer[2]),
	}, nil
}

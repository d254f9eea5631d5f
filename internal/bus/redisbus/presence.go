package redisbus

import (
	"context"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hailong-vn/hailong/internal/bus"
)

// A place is a sorted set of people by the millisecond they leave, on Redis's clock. announce: ARGV who, ttl in
// milliseconds, people at most; the set goes with the last of them.
var (
	announce = redis.NewScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -ARGV[3] - 1)
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', last[2] - now)) end
return 1`)
	present = redis.NewScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')`)
)

// Announce is bus.Presence.
func (b *Bus) Announce(ctx context.Context, place, who string, ttl time.Duration) error {
	if !bus.ValidName(place) || !bus.ValidWho(who) || ttl <= 0 {
		return bus.ErrInvalid
	}
	return b.call(ctx, "announce", func(ctx context.Context) error {
		return announce.Run(ctx, b.client, []string{b.key("place", place)}, who, milliseconds(ttl), bus.MaxPresent).Err()
	})
}

// Leave is bus.Presence.
func (b *Bus) Leave(ctx context.Context, place, who string) error {
	if !bus.ValidName(place) || !bus.ValidWho(who) {
		return bus.ErrInvalid
	}
	return b.call(ctx, "leave", func(ctx context.Context) error {
		return b.client.ZRem(ctx, b.key("place", place), who).Err()
	})
}

// Present is bus.Presence.
func (b *Bus) Present(ctx context.Context, place string) ([]string, error) {
	if !bus.ValidName(place) {
		return nil, bus.ErrInvalid
	}
	var people []string
	err := b.call(ctx, "present", func(ctx context.Context) error {
		var err error
		people, err = present.Run(ctx, b.client, []string{b.key("place", place)}).StringSlice()
		return err
	})
	slices.Sort(people)
	return people, err
}

// milliseconds rounds up: Redis knows no shorter time, and refuses none at all.
func milliseconds(ttl time.Duration) int64 {
	return int64((ttl + time.Millisecond - 1) / time.Millisecond)
}

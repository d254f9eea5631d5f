package redisbus

import (
	"context"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
)

// UseOnce is bus.Nonces. This process's own memory is asked first: it refuses what it saw even after Redis forgot. Where
// it is full, Redis decides alone.
func (b *Bus) UseOnce(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	if key == "" || ttl <= 0 {
		return false, bus.ErrInvalid
	}
	first, full := b.once.Use(key, ttl)
	if !first && !full {
		return false, nil
	}
	var set bool
	err := b.call(ctx, "use once", func(ctx context.Context) error {
		var err error
		set, err = b.client.SetNX(ctx, b.key("once", bus.ShortKey(key)), 1, time.Duration(milliseconds(ttl))*time.Millisecond).Result()
		return err
	})
	if err != nil && first {
		// Not known whether Redis has it; it will say so when it is asked again.
		b.once.Forget(key)
	}
	return set && err == nil, err
}

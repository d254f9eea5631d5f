package redisbus

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hailong-vn/hailong/internal/bus"
)

const (
	readEntries = 16                     // entries a worker gets at once
	readBlock   = 500 * time.Millisecond // how long a read waits in Redis; the driver cannot be interrupted meanwhile
	retireEvery = 10 * time.Minute
	retireIdle  = time.Hour // a consumer that did not ask for so long is of a process that is gone
)

// retire removes consumers that hold nothing and were not heard of for ARGV[2] milliseconds. Looking and removing is
// one step, because removing a consumer loses what it holds.
var retire = redis.NewScript(`
local names = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if names.err then return 0 end
local gone = 0
for _, consumer in ipairs(names) do
  local about = {}
  for i = 1, #consumer, 2 do about[consumer[i]] = consumer[i + 1] end
  if about.pending == 0 and about.idle >= tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about.name)
    gone = gone + 1
  end
end
return gone`)

// ConsumeHints is bus.Hints.
func (b *Bus) ConsumeHints(ctx context.Context, consumer string, handle func(context.Context, []bus.Delivery) error) error {
	if !bus.ValidName(consumer) {
		return bus.ErrInvalid
	}
	b.mu.Lock()
	if b.open.Err() != nil {
		b.mu.Unlock()
		return bus.ErrClosed
	}
	b.running.Add(1)
	b.mu.Unlock()
	defer b.running.Done()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(b.open, func() { cancel(bus.ErrClosed) })()

	w := &worker{bus: b, name: consumer, stream: b.options.Prefix + stream}
	backoff := firstBackoff
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		batch, err := w.next(ctx)
		if err != nil {
			rest(ctx, backoff)
			backoff = min(2*backoff, lastBackoff)
			continue
		}
		backoff = firstBackoff
		if len(batch) > 0 && ctx.Err() == nil && handle(ctx, batch) == nil {
			w.acknowledge(ctx, batch)
		}
	}
}

// worker is one consumer of the group.
type worker struct {
	bus      *Bus
	name     string
	stream   string
	claimed  time.Time // when it last looked for hints that others left
	cursor   string    // where that look goes on
	retired  time.Time
	prepared bool // the group was there
}

// next waits a moment for a batch; an empty one is no error.
func (w *worker) next(ctx context.Context) ([]bus.Delivery, error) {
	if !w.prepared {
		if err := w.prepare(ctx); err != nil {
			return nil, err
		}
	}
	now := w.bus.options.Now()
	if now.Sub(w.retired) >= retireEvery {
		w.retired = now
		_ = w.bus.call(ctx, "retire consumers", func(ctx context.Context) error {
			return retire.Run(ctx, w.bus.client, []string{w.stream}, group, retireIdle.Milliseconds()).Err()
		})
	}
	if w.cursor != "" || now.Sub(w.claimed) >= w.bus.options.HintIdle/4 {
		w.claimed = now
		batch, err := w.claim(ctx)
		if err != nil || len(batch) > 0 {
			return batch, err
		}
	}
	return w.read(ctx)
}

// prepare makes the group where it is missing, from the first hint on: those published before have not been read.
func (w *worker) prepare(ctx context.Context) error {
	err := w.bus.call(ctx, "consumer group", func(ctx context.Context) error {
		err := w.bus.client.XGroupCreateMkStream(ctx, w.stream, group, "0").Err()
		if err != nil && strings.HasPrefix(err.Error(), "BUSYGROUP") {
			return nil
		}
		return err
	})
	w.prepared = err == nil
	return err
}

// read takes hints that nobody had.
func (w *worker) read(ctx context.Context) ([]bus.Delivery, error) {
	var streams []redis.XStream
	block := min(readBlock, max(w.bus.options.HintIdle/4, 10*time.Millisecond))
	limited, cancel := context.WithTimeout(ctx, block+w.bus.options.Timeout)
	defer cancel()
	streams, err := w.bus.client.XReadGroup(limited, &redis.XReadGroupArgs{
		Group: group, Consumer: w.name, Streams: []string{w.stream, ">"}, Count: readEntries, Block: block,
	}).Result()
	if err := w.judge(ctx, "read hints", err); err != nil || len(streams) == 0 {
		return nil, err
	}
	return w.decode(ctx, streams[0].Messages, nil), nil
}

// claim takes over hints whose worker did not acknowledge them in time; its own earlier ones too.
func (w *worker) claim(ctx context.Context) ([]bus.Delivery, error) {
	limited, cancel := context.WithTimeout(ctx, w.bus.options.Timeout)
	defer cancel()
	start := w.cursor
	if start == "" {
		start = "0-0"
	}
	entries, next, err := w.bus.client.XAutoClaim(limited, &redis.XAutoClaimArgs{
		Stream: w.stream, Group: group, Consumer: w.name, MinIdle: w.bus.options.HintIdle, Start: start, Count: readEntries,
	}).Result()
	w.cursor = ""
	if err := w.judge(ctx, "claim hints", err); err != nil {
		return nil, err
	}
	if next != "0-0" {
		w.cursor = next
	}
	if len(entries) == 0 {
		return nil, nil
	}
	pending, err := w.bus.client.XPendingExt(limited, &redis.XPendingExtArgs{
		Stream: w.stream, Group: group, Consumer: w.name,
		Start: entries[0].ID, End: entries[len(entries)-1].ID, Count: 64 * readEntries,
	}).Result()
	if err := w.judge(ctx, "claim hints", err); err != nil {
		return nil, err
	}
	attempts := map[string]int64{}
	for _, entry := range pending {
		attempts[entry.ID] = entry.RetryCount
	}
	batch := w.decode(ctx, entries, attempts)
	w.bus.health.redelivered.Add(uint64(len(batch)))
	return batch, nil
}

// judge turns an answer of Redis into nil (nothing there is no error) or an error, and sees to it that a group which
// vanished with Redis's memory is made again. It does not use Bus.call, whose timeout is too short for a blocking read.
func (w *worker) judge(ctx context.Context, what string, err error) error {
	switch {
	case err == nil || errors.Is(err, redis.Nil):
		w.bus.health.good()
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case strings.HasPrefix(err.Error(), "NOGROUP") || strings.HasPrefix(err.Error(), "UNBLOCKED"):
		w.prepared = false
		w.bus.health.warn("Redis lost the hints; the sweep will find their cells", "lost hints", nil)
		return nil
	default:
		w.prepared = false
		w.bus.health.bad(what, err)
		return err
	}
}

// decode reads entries; what is malformed or came too often is removed and counted. attempts is nil the first time.
func (w *worker) decode(ctx context.Context, entries []redis.XMessage, attempts map[string]int64) []bus.Delivery {
	var batch, useless []bus.Delivery
	for _, entry := range entries {
		delivery := bus.Delivery{ID: entry.ID, Attempt: 1}
		if attempts != nil {
			delivery.Attempt = max(int(attempts[entry.ID]), 1)
		}
		text, _ := entry.Values[field].(string)
		for cell := range strings.SplitSeq(text, "\n") {
			if bus.ValidCell(cell) {
				delivery.Cells = append(delivery.Cells, cell)
			}
		}
		if len(delivery.Cells) == 0 || delivery.Attempt > w.bus.options.HintAttempts {
			useless = append(useless, delivery)
			w.bus.dropped(max(len(delivery.Cells), 1))
			continue
		}
		batch = append(batch, delivery)
	}
	if len(useless) > 0 {
		w.acknowledge(ctx, useless)
	}
	return batch
}

// acknowledge removes hints for good, even when ctx ended while they were handled. Where that fails they come again.
func (w *worker) acknowledge(ctx context.Context, batch []bus.Delivery) {
	ids := make([]string, len(batch))
	for i, delivery := range batch {
		ids[i] = delivery.ID
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.bus.options.Timeout)
	defer cancel()
	_, err := w.bus.client.TxPipelined(limited, func(pipe redis.Pipeliner) error {
		pipe.XAck(limited, w.stream, group, ids...)
		pipe.XDel(limited, w.stream, ids...)
		return nil
	})
	if err != nil {
		w.bus.health.bad("acknowledge hints", err)
	}
}

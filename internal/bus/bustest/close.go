package bustest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
)

func closeEnds(t *testing.T, open Open) {
	one, _ := open(t, Settings{})
	events := one.Subscribe(context.Background(), "t")
	ended := make(chan error, 1)
	handling := make(chan struct{})
	go func() {
		ended <- one.ConsumeHints(context.Background(), "w", func(ctx context.Context, _ []bus.Delivery) error {
			close(handling)
			<-ctx.Done()
			return ctx.Err()
		})
	}()
	publish(one, 0, 1)
	<-handling
	if err := one.Ping(t.Context()); err != nil {
		t.Errorf("ping: %v", err)
	}
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			if err := one.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := <-ended; !errors.Is(err, bus.ErrClosed) {
		t.Errorf("consuming ended with %v", err)
	}
	for event := range events {
		if !event.Missed {
			t.Errorf("heard %+v", event)
		}
	}
	if _, ok := <-one.Subscribe(context.Background(), "t"); ok {
		t.Error("a closed bus speaks")
	}
	one.PublishHint(context.Background(), bus.Hint{Cells: []string{cellOf(1)}})
	if err := one.ConsumeHints(context.Background(), "w", nil); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("consuming after the end: %v", err)
	}
	if err := one.Publish(context.Background(), "t", nil); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("publishing after the end: %v", err)
	}
	if ok, err := one.UseOnce(context.Background(), "k", time.Minute); ok || !errors.Is(err, bus.ErrUnavailable) || !fault.Is(err, fault.Unavailable) {
		t.Errorf("a nonce after the end: %v, %v", ok, err)
	}
	if err := one.Ping(context.Background()); !errors.Is(err, bus.ErrClosed) {
		t.Errorf("ping after the end: %v", err)
	}
	one.Allow(context.Background(), "k", bus.Limit{Rate: 1, Per: time.Hour, Burst: 1}, 1)
	if one.Allow(context.Background(), "k", bus.Limit{Rate: 1, Per: time.Hour, Burst: 1}, 1).Allowed {
		t.Error("a closed bus fails open")
	}
}

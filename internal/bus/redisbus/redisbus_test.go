package redisbus

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/bus/bustest"
	"github.com/hailong-vn/hailong/internal/testengine"
)

// generous keeps a busy machine from looking like a Redis that is away.
const generous = 10 * time.Second

func TestContract(t *testing.T) {
	addr := testengine.Redis(t)
	var systems atomic.Int64
	bustest.Run(t, func(t *testing.T, settings bustest.Settings) (bus.Bus, bus.Bus) {
		prefix := fmt.Sprintf("system-%d:", systems.Add(1))
		process := func() *Bus {
			return opened(t, "redis://"+addr, Options{
				Prefix: prefix, Timeout: generous, HintIdle: settings.HintIdle, HintBound: settings.HintBound,
				HintAttempts: settings.HintAttempts, FeedBuffer: settings.FeedBuffer,
			})
		}
		return process(), process()
	})
}

// opened opens a bus that the test closes.
func opened(t *testing.T, url string, options Options) *Bus {
	t.Helper()
	if options.Log == nil {
		options.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	b, err := Open(url, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

package local_test

import (
	"testing"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/bus/bustest"
	"github.com/hailong-vn/hailong/internal/bus/local"
)

func TestContract(t *testing.T) {
	bustest.Run(t, func(t *testing.T, settings bustest.Settings) (bus.Bus, bus.Bus) {
		b := local.New(local.Options{
			HintIdle: settings.HintIdle, HintBound: settings.HintBound, HintAttempts: settings.HintAttempts,
			FeedBuffer: settings.FeedBuffer,
		})
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		return b, b
	})
}

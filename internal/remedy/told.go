package remedy

import (
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// told makes the store's errors ours. Faults and a context's end stay what they are.
func told(err error) error {
	var ours *fault.Error
	if errors.Is(err, store.ErrNotFound) && !errors.As(err, &ours) {
		return unknown()
	}
	return store.Told(err, "store_unavailable")
}

func timestamp(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }

func unknown() error { return fault.New(fault.NotFound, "remedy_unknown") }

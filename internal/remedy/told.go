package remedy

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// told makes the store's errors ours. Faults and a context's end stay what they are.
func told(err error) error {
	var ours *fault.Error
	switch {
	case err == nil, errors.As(err, &ours), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, store.ErrNotFound):
		return unknown()
	case errors.Is(err, store.ErrUnavailable):
		return fault.New(fault.Unavailable, "store_unavailable").Because(err)
	}
	return fault.New(fault.Internal, "internal").Because(err)
}

func timestamp(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t) }

func unknown() error { return fault.New(fault.NotFound, "remedy_unknown") }

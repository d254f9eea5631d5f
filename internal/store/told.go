package store

import (
	"context"
	"errors"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Told makes a store's error one for people: of one that is away the reason given, of others that it is ours. Faults and a context's end
// stay what they are.
func Told(err error, unavailable string) error {
	var ours *fault.Error
	switch {
	case err == nil, errors.As(err, &ours), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, ErrUnavailable):
		return fault.New(fault.Unavailable, unavailable).Because(err)
	}
	return fault.New(fault.Internal, "internal").Because(err)
}

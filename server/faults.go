package server

import (
	"context"
	"errors"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
)

// statusCodes is the one map from faults to gRPC status; the JSON gateway derives HTTP status from it.
var statusCodes = map[fault.Code]codes.Code{
	fault.Invalid:         codes.InvalidArgument,
	fault.NotFound:        codes.NotFound,
	fault.Exists:          codes.AlreadyExists,
	fault.Stale:           codes.Aborted,
	fault.Unauthenticated: codes.Unauthenticated,
	fault.Denied:          codes.PermissionDenied,
	fault.Exhausted:       codes.ResourceExhausted,
	fault.Unavailable:     codes.Unavailable,
	fault.Internal:        codes.Internal,
}

// statusOf turns an error into what a caller may see: a code, words in its language, a stable reason; never the cause.
func statusOf(err error, in language.Language) error {
	if err == nil {
		return nil
	}
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	switch {
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, in.Text("fault.canceled"))
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, in.Text("fault.deadline"))
	}
	f := fault.Of(err)
	s := status.New(statusCodes[f.Code], in.Text("fault."+f.Reason, f.Args...))
	if detailed, err := s.WithDetails(&errdetails.ErrorInfo{Reason: f.Reason, Domain: "hailong"}); err == nil {
		s = detailed
	}
	var all fault.Faults
	if errors.As(err, &all) {
		if detailed, err := s.WithDetails(violations(all, in)); err == nil {
			s = detailed
		}
	}
	return s.Err()
}

// violations is everything that is wrong at once, by stable reasons, with words.
func violations(all fault.Faults, in language.Language) *errdetails.BadRequest {
	bad := &errdetails.BadRequest{}
	for _, one := range all {
		bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: one.Reason, Description: in.Text("fault."+one.Reason, one.Args...)})
	}
	return bad
}

package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/fault"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// unary wraps every call: who calls, in which language, is the request well-formed, what came of it.
func (a *application) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (response any, err error) {
	start := time.Now()
	defer func() {
		if p := recover(); p != nil {
			response, err = nil, a.panicked(ctx, p)
		}
		a.auditCall(ctx, info.FullMethod, request, response, err)
		err = a.finish(ctx, info.FullMethod, start, err)
	}()
	if ctx, err = a.withCaller(ctx); err != nil {
		return nil, err
	}
	if err := a.validate(ctx, request); err != nil {
		return nil, err
	}
	return handler(ctx, request)
}

// stream is unary for streams; their requests are judged where they are read.
func (a *application) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	start := time.Now()
	ctx := stream.Context()
	var asked any
	defer func() {
		if p := recover(); p != nil {
			err = a.panicked(ctx, p)
		}
		a.auditCall(ctx, info.FullMethod, asked, nil, err)
		err = a.finish(ctx, info.FullMethod, start, err)
	}()
	if ctx, err = a.withCaller(ctx); err != nil {
		return err
	}
	return handler(server, &contextStream{ServerStream: stream, ctx: ctx, validate: func(message any) error {
		if !info.IsClientStream { // there is one request, and the handler reads it
			asked = message
		}
		return a.validate(ctx, message)
	}})
}

type contextStream struct {
	grpc.ServerStream
	ctx      context.Context
	validate func(any) error
}

func (s *contextStream) Context() context.Context { return s.ctx }

func (s *contextStream) RecvMsg(message any) error {
	if err := s.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	return s.validate(message)
}

// validate checks a request against the rules of the contract. Ratings are left to intake, which judges each item alone.
func (a *application) validate(ctx context.Context, request any) error {
	switch request.(type) {
	case *pb.SubmitRatingsRequest, *pb.StreamRatingsRequest, *pb.CreateRatingRequest:
		return nil
	}
	message, ok := request.(proto.Message)
	if !ok {
		return nil
	}
	err := a.validator.Validate(message)
	var violations *protovalidate.ValidationError
	if errors.As(err, &violations) && len(violations.Violations) > 0 {
		first := violations.Violations[0]
		return fault.New(fault.Invalid, "request_invalid", "field", protovalidate.FieldPathString(first.Proto.GetField()), "rule", ruleWords(languageOf(ctx), first))
	}
	return err
}

func (a *application) panicked(ctx context.Context, p any) error {
	a.Logger.ErrorContext(ctx, "panic in a call", "panic", p, "stack", string(debug.Stack()))
	return fault.New(fault.Internal, "internal").Because(fmt.Errorf("panic: %v", p))
}

// finish counts the call, logs what is our fault, and turns the error into what the caller may see.
func (a *application) finish(ctx context.Context, method string, start time.Time, err error) error {
	in := languageOf(ctx)
	if err != nil && in == "" {
		in = languageOf(context.Background())
	}
	answer := statusOf(err, in)
	code := status.Code(answer)
	a.metrics.calls.WithLabelValues(method, code.String()).Observe(time.Since(start).Seconds())
	switch code { //nolint:exhaustive // only what is ours to mend is worth a line
	case codes.Internal, codes.Unknown, codes.DataLoss:
		a.Logger.LogAttrs(ctx, slog.LevelError, "call failed", slog.String("method", method), slog.Any("error", err))
	case codes.Unavailable:
		a.Logger.LogAttrs(ctx, slog.LevelWarn, "call not served", slog.String("method", method), slog.Any("error", err))
	}
	return answer
}

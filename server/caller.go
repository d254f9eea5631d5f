package server

import (
	"context"
	"net"
	"strings"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
)

type contextKey int

const (
	callerKey contextKey = iota
	languageKey
)

// callerOf is who makes the call; nobody known where no interceptor ran.
func callerOf(ctx context.Context) identity.Caller {
	caller, _ := ctx.Value(callerKey).(identity.Caller)
	return caller
}

// languageOf is the language the caller asked for.
func languageOf(ctx context.Context) language.Language {
	if in, ok := ctx.Value(languageKey).(language.Language); ok {
		return in
	}
	return language.Vietnamese
}

// The gateway calls over a listener in memory and tells the browser's address in this header; from any other
// listener the header is not believed.
const addressHeader = "hailong-address"

func (a *application) withCaller(ctx context.Context) (context.Context, error) {
	in := language.Accepted(header(ctx, "accept-language"))
	ctx = context.WithValue(ctx, languageKey, in)
	caller := identity.Anonymous(address(ctx))
	if authorization := header(ctx, "authorization"); authorization != "" {
		scheme, token, ok := strings.Cut(authorization, " ")
		if !ok || !strings.EqualFold(scheme, "bearer") {
			return ctx, fault.New(fault.Unauthenticated, "token_malformed")
		}
		known, err := a.authenticate(ctx, strings.TrimSpace(token))
		if err != nil {
			return ctx, err
		}
		caller = known.At(caller.Address)
	}
	return context.WithValue(ctx, callerKey, caller), nil
}

func header(ctx context.Context, name string) string {
	if values := metadata.ValueFromIncomingContext(ctx, name); len(values) > 0 {
		return values[0]
	}
	return ""
}

func address(ctx context.Context) string {
	from, ok := peer.FromContext(ctx)
	if !ok {
		return ""
	}
	if from.Addr.Network() == "bufconn" {
		return header(ctx, addressHeader)
	}
	host, _, err := net.SplitHostPort(from.Addr.String())
	if err != nil {
		return from.Addr.String()
	}
	return host
}

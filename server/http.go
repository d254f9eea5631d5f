package server

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/encoding/protojson"

	contract "github.com/hailong-vn/hailong/proto"
)

const (
	minute          = time.Minute
	maxMessageBytes = 16 << 20 // a gRPC message or a JSON body
)

// httpHandler serves JSON under /v1/, health, readiness and metrics.
func (a *application) httpHandler(ctx context.Context, inside *bufconn.Listener) (http.Handler, *grpc.ClientConn, error) {
	trusted, err := parseProxies(a.TrustedProxies)
	if err != nil {
		return nil, nil, err
	}
	conn, err := grpc.NewClient("passthrough:///inside",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return inside.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()), // in memory, within this process
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessageBytes), grpc.MaxCallSendMsgSize(maxMessageBytes)))
	if err != nil {
		return nil, nil, err
	}
	gateway := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &runtime.JSONPb{
			// Names as in the contract; zeros are said, absent messages are left out; what is not known is refused.
			MarshalOptions:   protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true},
			UnmarshalOptions: protojson.UnmarshalOptions{DiscardUnknown: false},
		}),
		runtime.WithIncomingHeaderMatcher(func(name string) (string, bool) {
			return "", false // only what the annotator below passes on
		}),
		runtime.WithMetadata(func(_ context.Context, r *http.Request) metadata.MD {
			return metadata.Pairs(
				addressHeader, trusted.address(r),
				"accept-language", r.Header.Get("Accept-Language"),
				"authorization", r.Header.Get("Authorization"),
			)
		}),
		runtime.WithDisablePathLengthFallback(),
	)
	for _, one := range a.services() {
		if err := one.gateway(ctx, gateway, conn); err != nil {
			return nil, nil, err
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/", http.MaxBytesHandler(gateway, maxMessageBytes))
	mux.HandleFunc("GET /v1/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(contract.OpenAPI)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", a.serveReady)
	mux.Handle("GET /metrics", a.metrics.handler())
	pages, err := a.pages(ctx, conn, trusted)
	if err != nil {
		return nil, nil, err
	}
	mux.Handle("/", pages)
	return secured(mux), conn, nil
}

// serveReady answers 200 where a rating could be stored now.
func (a *application) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := a.engine.Ping(ctx); err != nil {
		a.Logger.WarnContext(ctx, "not ready", "error", err)
		http.Error(w, "store unavailable", http.StatusServiceUnavailable)
		return
	}
	if !a.filled.Load() {
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// secured sets what every answer carries.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

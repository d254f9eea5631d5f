package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server"
)

const (
	rounds = 7
	during = time.Second
)

// engine is one engine's best writer and a server on it.
type engine struct {
	name    string
	best    func(b *testing.B, during time.Duration) float64 // E
	config  func(b *testing.B) server.Config
	singles func(b *testing.B, callers int, during time.Duration) float64 // the raw driver's InsertOne; nil where there is none
}

func BenchmarkIntake(b *testing.B) {
	for _, e := range []engine{sqliteEngine(b), mongodbEngine(b)} {
		b.Run(e.name, func(b *testing.B) {
			address, token := start(b, e.config(b))
			nothing := startNoop(b)
			for _, shape := range []struct {
				name           string
				callers, batch int
				aim            float64
			}{{"batches of 100", 32, 100, 0.7}, {"64 callers of single ratings", 64, 1, 0.7}} {
				b.Run(shape.name, func(b *testing.B) {
					for b.Loop() {
						measure(b, e, address, token, nothing, shape.callers, shape.batch, shape.aim)
					}
				})
			}
		})
	}
}

// measure interleaves G, E and ours, prints medians and spread, and reports ours as a share of the limit.
func measure(b *testing.B, e engine, address, token, nothing string, callers, batch int, aim float64) {
	var g, best, ours, limit, share, raw, gain []float64
	load(b, address, token, callers, batch, during/2) // warm
	for range rounds {
		g = append(g, load(b, nothing, token, callers, batch, during))
		best = append(best, e.best(b, during))
		ours = append(ours, load(b, address, token, callers, batch, during))
		i := len(g) - 1
		limit = append(limit, 1/(1/g[i]+1/best[i]))
		share = append(share, ours[i]/limit[i])
		if batch == 1 && e.singles != nil {
			raw = append(raw, e.singles(b, callers, during))
			gain = append(gain, ours[i]/raw[i])
		}
	}
	fmt.Printf("\n%s, %d callers, batches of %d; ratings a second, %d rounds of %v\n", e.name, callers, batch, rounds, during)
	row("G  no-op server", g)
	row("E  best writer", best)
	row("L  limit", limit)
	row("   ours", ours)
	row(fmt.Sprintf("   ours / L (aim %.2f)", aim), share)
	b.ReportMetric(median(share), "ours/L")
	if len(raw) > 0 {
		row("   raw InsertOne", raw)
		row("   ours / raw InsertOne (aim 1.30)", gain)
		b.ReportMetric(median(gain), "ours/raw")
	}
}

func row(name string, values []float64) {
	format := "%.0f"
	if median(values) < 100 {
		format = "%.2f"
	}
	fmt.Printf("  %-34s median "+format+"   (%s to %s)\n", name, median(values),
		fmt.Sprintf(format, slices.Min(values)), fmt.Sprintf(format, slices.Max(values)))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// start runs a whole server and answers its gRPC address and an administrator's token, with the bench's units made.
func start(b *testing.B, config server.Config) (address, token string) {
	b.Helper()
	reader, writer := io.Pipe()
	config.GRPC, config.HTTP = "127.0.0.1:0", "127.0.0.1:0"
	config.AdminPassword = "a password for benches"
	config.Stdout, config.Stderr = writer, io.Discard
	config.Logger = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, config) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	lines := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(reader).ReadString('\n')
		lines <- line
	}()
	var ready struct {
		GRPC string `json:"grpc"`
	}
	select {
	case line := <-lines:
		if err := json.Unmarshal([]byte(line), &ready); err != nil {
			b.Fatal(err)
		}
	case err := <-done:
		b.Fatal(err)
	}
	conn, err := grpc.NewClient(ready.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	session, err := pb.NewIdentityServiceClient(conn).CreateSession(ctx, &pb.CreateSessionRequest{Name: "admin", Password: config.AdminPassword})
	if err != nil {
		b.Fatal(err)
	}
	signedIn := metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+session.GetToken())
	directory := pb.NewDirectoryServiceClient(conn)
	for i := range units {
		id := fmt.Sprintf("bench-%02d", i)
		if _, err := directory.CreateUnit(signedIn, &pb.CreateUnitRequest{Unit: &pb.Unit{Id: id, Code: id, Name: id, Level: "office"}}); err != nil {
			b.Fatal(err)
		}
	}
	return ready.GRPC, session.GetToken()
}

func startNoop(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := grpc.NewServer()
	pb.RegisterRatingServiceServer(s, noop{})
	go func() { _ = s.Serve(listener) }()
	b.Cleanup(s.Stop)
	return listener.Addr().String()
}

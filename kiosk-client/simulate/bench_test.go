package simulate_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/v2/bson"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"

	_ "modernc.org/sqlite" // the driver of the raw writer
)

// Every figure stands beside its limit, measured in the same run and in turn with it; what counts are medians and ratios.
const rounds = 5

// queued is a week of a busy office.
const queued = 100_000

func middle(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

func tell(name string, values []float64, format string) {
	fmt.Printf("  %-44s median "+format+"   ("+format+" to "+format+")\n", name, middle(values), slices.Min(values), slices.Max(values))
}

// BenchmarkDrain drains a queue of 100,000 through the real uplink into a real server on SQLite. G, E and L are those of the server's own
// benchmark: a server that stores nothing, 32 callers with batches of 100; the engine's best writer; 1/(1/G + 1/E). U is the same
// queue through the same uplink into a server that stores nothing: what the device's side alone allows.
func BenchmarkDrain(b *testing.B) {
	p := webtest.Start(b, webtest.Bare(), webtest.Change(func(c *server.Config) { c.Worker = "off" }))
	directory := pb.NewDirectoryServiceClient(p.Conn(b, webtest.Administrator))
	if _, err := directory.CreateUnit(b.Context(), &pb.CreateUnitRequest{Unit: &pb.Unit{Id: "office", Code: "O", Name: "Bộ phận Một cửa", Level: "office"}}); err != nil {
		b.Fatal(err)
	}
	code := func() string {
		made, err := directory.CreateDevice(b.Context(), &pb.CreateDeviceRequest{Name: "Kiosk", Bindings: []*pb.DeviceBinding{{UnitId: "office"}}})
		if err != nil {
			b.Fatal(err)
		}
		return made.GetEnrollmentCode()
	}
	nothing := startNothing(b)
	write := bestWriter(b)
	for b.Loop() {
		var g, e, u, ours, limit, share []float64
		for range rounds {
			g = append(g, callers(b, nothing))
			e = append(e, write())
			u = append(u, drain(b, nothing, "AAAA-AAAA-AAAA"))
			ours = append(ours, drain(b, p.GRPC, code()))
			i := len(g) - 1
			limit = append(limit, 1/(1/g[i]+1/e[i]))
			share = append(share, ours[i]/limit[i])
		}
		fmt.Printf("\n%d queued ratings of one kiosk, SQLite; ratings a second, %d rounds\n", queued, rounds)
		tell("G  no-op server", g, "%.0f")
		tell("E  best writer", e, "%.0f")
		tell("L  limit", limit, "%.0f")
		tell("U  this uplink into a no-op server", u, "%.0f")
		tell("   drained", ours, "%.0f")
		tell("   drained / L (aim 0.70)", share, "%.2f")
		b.ReportMetric(middle(share), "drained/L")
	}
}

// drain fills a new journal, and answers how many a second leave it.
func drain(b *testing.B, address, code string) float64 {
	b.Helper()
	kept, err := journal.Open(b.Context(), b.TempDir(), journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	link, err := uplink.New(b.Context(), uplink.Options{Journal: kept, Server: "http://" + address, Version: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	if err := link.Enroll(b.Context(), "", code); err != nil {
		b.Fatal(err)
	}
	for n := 0; n < queued; n += 1000 {
		items := make([]journal.Item, 1000)
		for i := range items {
			items[i] = journal.Item{Rating: fresh(n + i)}
			items[i].Rating.UnitId, items[i].Rating.Channel = "office", pb.Channel_CHANNEL_KIOSK
		}
		if _, err := kept.Append(b.Context(), items); err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	start := time.Now()
	running.Go(func() { _ = link.Run(ctx) })
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if link.State().Queue == 0 {
			break
		}
	}
	took := time.Since(start)
	cancel()
	running.Wait()
	return queued / took.Seconds()
}

// fresh is a rating as a kiosk gives it, with a reason in two of five.
func fresh(n int) *pb.Rating {
	r := &pb.Rating{Id: uuid.Must(uuid.NewV7()).String(), UnitId: "office", Channel: pb.Channel_CHANNEL_PAPER, QuestionnaireId: "kiosk", QuestionnaireVersion: 1,
		OverallScore: int32(1 + n%5), OccurredAt: timestamppb.Now(), Language: "vi"} //nolint:gosec // 1 to 5
	if n%5 < 2 {
		r.Answers = []*pb.Answer{{QuestionId: "reasons", ChoiceIds: []string{"waiting"}}}
	}
	return r
}

func encoded(b *testing.B, r *pb.Rating) []byte {
	b.Helper()
	bytes, err := proto.Marshal(r)
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}

// callers is G: 32 callers with batches of 100 over four connections, for a second.
func callers(b *testing.B, address string) float64 {
	b.Helper()
	clients := make([]pb.RatingServiceClient, 4)
	for i := range clients {
		conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		clients[i] = pb.NewRatingServiceClient(conn)
	}
	ctx := metadata.AppendToOutgoingContext(b.Context(), "authorization", "Bearer bench")
	var answered atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for caller := range 32 {
		group.Go(func() {
			for n := caller; time.Since(start) < time.Second; n += 100 {
				request := &pb.SubmitRatingsRequest{Items: make([]*pb.SealedRating, 100)}
				for i := range request.Items {
					request.Items[i] = &pb.SealedRating{Rating: encoded(b, fresh(n+i))}
				}
				if _, err := clients[caller%len(clients)].SubmitRatings(ctx, request); err != nil {
					b.Error(err)
					return
				}
				answered.Add(100)
			}
		})
	}
	group.Wait()
	return float64(answered.Load()) / time.Since(start).Seconds()
}

// bestWriter is E: one connection and multi-row inserts, 1,000 rows a transaction, into the engine's own tables, for a second.
func bestWriter(b *testing.B) func() float64 {
	b.Helper()
	folder := b.TempDir()
	opened, err := sqlite.Open(b.Context(), folder, sqlite.Options{})
	if err == nil {
		err = opened.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.db"))
	if err != nil || len(files) != 1 {
		b.Fatalf("the engine's file: %v %v", files, err)
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=cache_size(-32000)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { _ = db.Close() })
	const rows = 20
	insert, err := db.Prepare("INSERT INTO ratings (id, cell, received, kind, score, revises, body) VALUES " + strings.TrimSuffix(strings.Repeat("(?,?,?,?,?,NULL,?),", rows), ","))
	if err != nil {
		b.Fatal(err)
	}
	return func() float64 {
		stored, busy := 0, time.Duration(0)
		for busy < time.Second {
			values := make([][]any, 1000/rows)
			for n := range 1000 {
				r := fresh(n)
				record := rating.NewRecord("bench", r, encoded(b, r), rating.Sender{Account: "bench"}, time.Now())
				body, err := bson.Marshal(record)
				if err != nil {
					b.Fatal(err)
				}
				values[n/rows] = append(values[n/rows], record.ID, record.Cell, record.ReceivedAt.UnixMilli(), string(record.Kind), record.Score, body)
			}
			start := time.Now()
			tx, err := db.Begin()
			if err != nil {
				b.Fatal(err)
			}
			within := tx.Stmt(insert) //nolint:sqlclosecheck // closed by its transaction
			for _, args := range values {
				if _, err := within.Exec(args...); err != nil {
					b.Fatal(err)
				}
			}
			if err := tx.Commit(); err != nil {
				b.Fatal(err)
			}
			busy += time.Since(start)
			stored += 1000
		}
		return float64(stored) / busy.Seconds()
	}
}

// nothing is a server that answers everything and stores nothing.
type nothing struct {
	pb.UnimplementedRatingServiceServer
	pb.UnimplementedDeviceServiceServer
}

func startNothing(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(16 << 20))
	pb.RegisterRatingServiceServer(s, nothing{})
	pb.RegisterDeviceServiceServer(s, nothing{})
	go func() { _ = s.Serve(listener) }()
	b.Cleanup(s.Stop)
	return listener.Addr().String()
}

func (nothing) SubmitRatings(_ context.Context, request *pb.SubmitRatingsRequest) (*pb.SubmitRatingsResponse, error) {
	response := &pb.SubmitRatingsResponse{Outcomes: make([]*pb.ItemOutcome, len(request.GetItems()))}
	for i := range response.Outcomes {
		response.Outcomes[i] = &pb.ItemOutcome{RatingId: "0198c0de-0000-7000-8000-000000000000", Outcome: pb.Outcome_OUTCOME_STORED}
	}
	return response, nil
}

// StreamRatings reads each rating: its id is answered.
func (nothing) StreamRatings(stream grpc.BidiStreamingServer[pb.StreamRatingsRequest, pb.StreamRatingsResponse]) error {
	for {
		request, err := stream.Recv()
		if err != nil {
			if err == io.EOF { //nolint:errorlint // as gRPC answers it
				return nil
			}
			return err
		}
		for _, item := range request.GetItems() {
			var r pb.Rating
			if err := proto.Unmarshal(item.GetRating(), &r); err != nil {
				return err
			}
			if err := stream.Send(&pb.StreamRatingsResponse{Outcome: &pb.ItemOutcome{RatingId: r.GetId(), Outcome: pb.Outcome_OUTCOME_STORED}}); err != nil {
				return err
			}
		}
	}
}

func (nothing) EnrollDevice(context.Context, *pb.EnrollDeviceRequest) (*pb.EnrollDeviceResponse, error) {
	return &pb.EnrollDeviceResponse{DeviceId: uuid.NewString(), Name: "bench"}, nil
}

func (nothing) CreateDeviceNonce(context.Context, *pb.CreateDeviceNonceRequest) (*pb.CreateDeviceNonceResponse, error) {
	return &pb.CreateDeviceNonceResponse{Nonce: []byte("nonce")}, nil
}

func (nothing) CreateDeviceToken(context.Context, *pb.CreateDeviceTokenRequest) (*pb.CreateDeviceTokenResponse, error) {
	return &pb.CreateDeviceTokenResponse{Token: "bench"}, nil
}

func (nothing) SendHeartbeat(context.Context, *pb.SendHeartbeatRequest) (*pb.SendHeartbeatResponse, error) {
	return &pb.SendHeartbeatResponse{ServerTime: timestamppb.Now()}, nil
}

// The limits of the program.
const (
	maxBinary = 25 << 20
	maxIdle   = 40 << 20
	maxStart  = time.Second
)

// BenchmarkProgram builds hailong-kiosk as it is released and runs it: its size, the time from its start to its first screen, and its memory
// when it has been enrolled and idle for some seconds.
func BenchmarkProgram(b *testing.B) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		b.Skip("the memory of a process cannot be read here")
	}
	p := webtest.Start(b)
	made, err := pb.NewDirectoryServiceClient(p.Conn(b, webtest.Administrator)).CreateDevice(b.Context(),
		&pb.CreateDeviceRequest{Name: "Kiosk", Bindings: []*pb.DeviceBinding{{UnitId: p.WardOffice, CounterId: p.WardCounters[1]}}})
	if err != nil {
		b.Fatal(err)
	}
	program := filepath.Join(b.TempDir(), "hailong-kiosk")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "../hailong-kiosk") //nolint:gosec // fixed words
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	built, err := os.Stat(program)
	if err != nil {
		b.Fatal(err)
	}
	state := b.TempDir()
	for b.Loop() {
		var starts, idle []float64
		for range rounds {
			took, memory := runOnce(b, program, state, p.GRPC, made.GetEnrollmentCode())
			starts, idle = append(starts, float64(took.Milliseconds())), append(idle, memory/(1<<20))
		}
		fmt.Printf("\nhailong-kiosk, %d starts\n", rounds)
		tell(fmt.Sprintf("binary, MB (limit %d)", maxBinary>>20), []float64{float64(built.Size()) / (1 << 20)}, "%.1f")
		tell(fmt.Sprintf("start to first screen, ms (limit %d)", maxStart.Milliseconds()), starts, "%.0f")
		tell(fmt.Sprintf("memory when idle, MB (limit %d)", maxIdle>>20), idle, "%.1f")
		b.ReportMetric(middle(starts), "start-ms")
		b.ReportMetric(middle(idle), "idle-MB")
		b.ReportMetric(float64(built.Size())/(1<<20), "binary-MB")
	}
}

// runOnce is one start; the first enrols.
func runOnce(b *testing.B, program, state, address, code string) (start time.Duration, idle float64) {
	b.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	screen := free.Addr().String()
	_ = free.Close()
	run := exec.CommandContext(b.Context(), program, "serve", "-state", state, "-screen", screen, "-server", "http://"+address, "-code", code) //nolint:gosec // as it was built
	at := time.Now()
	if err := run.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = run.Process.Signal(os.Interrupt)
		_ = run.Wait()
	}()
	for shown := false; !shown; {
		if time.Since(at) > time.Minute {
			b.Fatal("no screen after a minute")
		}
		response, err := http.Get("http://" + screen + "/") //nolint:noctx // this machine
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		_, err = io.Copy(io.Discard, response.Body)
		shown = response.StatusCode == http.StatusOK && err == nil
		_ = response.Body.Close()
	}
	start = time.Since(at)
	time.Sleep(5 * time.Second) // idle is what is measured
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", run.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kilobytes, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return start, kilobytes * 1024
		}
	}
	b.Fatal("the memory is not told")
	return 0, 0
}

package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/testengine"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const adminPassword = "mật khẩu để thử"

// running is a whole server, as a program would meet it.
type running struct {
	t     *testing.T
	grpc  string
	http  string
	conn  *grpc.ClientConn
	stop  func() error
	lines []byte // the line for programs
}

// start runs a server on free ports and waits for its line.
func start(t *testing.T, config Config) *running {
	t.Helper()
	reader, writer := io.Pipe()
	config.GRPC, config.HTTP = "127.0.0.1:0", "127.0.0.1:0"
	if config.Data == "" {
		config.Data = t.TempDir()
	}
	if config.AdminPassword == "" {
		config.AdminPassword = adminPassword
	}
	config.Stdout = writer
	if config.Stderr == nil {
		config.Stderr = io.Discard
	}
	config.Logger = slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, config) }()
	lines := make(chan []byte, 1)
	go func() {
		line, _ := bufio.NewReader(reader).ReadBytes('\n')
		lines <- line
	}()
	s := &running{t: t}
	stopped := false
	s.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	select {
	case s.lines = <-lines:
	case err := <-done:
		stopped = true
		t.Fatalf("the server did not start: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("the server did not start within a minute")
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("the server stopped with %v", err)
		}
	})
	var ready struct{ GRPC, HTTP string }
	if err := json.Unmarshal(s.lines, &ready); err != nil {
		t.Fatalf("the line for programs: %q: %v", s.lines, err)
	}
	s.grpc, s.http = ready.GRPC, ready.HTTP
	conn, err := grpc.NewClient(s.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(64<<20)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	s.conn = conn
	return s
}

// testLog writes warnings and errors of a server into the test's log.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// onEngines runs a test on the embedded engine and on a real MongoDB with a real Redis.
func onEngines(t *testing.T, test func(t *testing.T, config Config)) {
	t.Run("embedded", func(t *testing.T) { test(t, Config{}) })
	t.Run("mongodb and redis", func(t *testing.T) {
		config := onMongoDB(t)
		config.Worker = "on"
		test(t, config)
	})
}

// onMongoDB names a database and a Redis of the test's own.
func onMongoDB(t *testing.T) Config {
	t.Helper()
	return Config{MongoDB: mongodbURI(t), Redis: "redis://" + testengine.StartRedis(t).Addr + "/0", ContactKey: strings.Repeat("5a", 32)}
}

// mongodbURI is the URI of a database of the test's own.
func mongodbURI(t *testing.T) string {
	t.Helper()
	return testengine.WithDatabase(testengine.MongoDB(t))
}

func (s *running) signIn(name, password string) context.Context {
	s.t.Helper()
	session, err := pb.NewIdentityServiceClient(s.conn).CreateSession(s.t.Context(), &pb.CreateSessionRequest{Name: name, Password: password})
	if err != nil {
		s.t.Fatalf("sign in as %s: %v", name, err)
	}
	return bearer(s.t.Context(), session.GetToken())
}

func (s *running) admin() context.Context { return s.signIn("admin", adminPassword) }

func bearer(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token, "accept-language", "en")
}

func (s *running) ratings() pb.RatingServiceClient      { return pb.NewRatingServiceClient(s.conn) }
func (s *running) directory() pb.DirectoryServiceClient { return pb.NewDirectoryServiceClient(s.conn) }
func (s *running) analytics() pb.AnalyticsServiceClient { return pb.NewAnalyticsServiceClient(s.conn) }
func (s *running) operations() pb.OperationsServiceClient {
	return pb.NewOperationsServiceClient(s.conn)
}

// unit makes a unit below parent and answers its id.
func (s *running) unit(ctx context.Context, parent, name string) string {
	s.t.Helper()
	created, err := s.directory().CreateUnit(ctx, &pb.CreateUnitRequest{Unit: &pb.Unit{ParentId: parent, Name: name, Level: "office"}})
	if err != nil {
		s.t.Fatal(err)
	}
	return created.GetId()
}

func freshRating(unit string, score int32) *pb.Rating {
	return &pb.Rating{
		Id: uuid.Must(uuid.NewV7()).String(), UnitId: unit, Channel: pb.Channel_CHANNEL_PAPER, QuestionnaireId: "kiosk",
		QuestionnaireVersion: 1, OverallScore: score, OccurredAt: timestamppb.Now(), Language: "vi",
	}
}

func seal(t *testing.T, r *pb.Rating) *pb.SealedRating {
	t.Helper()
	encoded, err := proto.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return &pb.SealedRating{Rating: encoded}
}

func (s *running) submit(ctx context.Context, items ...*pb.SealedRating) []*pb.ItemOutcome {
	s.t.Helper()
	response, err := s.ratings().SubmitRatings(ctx, &pb.SubmitRatingsRequest{Items: items})
	if err != nil {
		s.t.Fatal(err)
	}
	return response.GetOutcomes()
}

// summary waits until the unit's figures hold n ratings; figures never go backwards on the way.
func (s *running) summary(ctx context.Context, unit string, n uint32) *pb.GetUnitSummaryResponse {
	s.t.Helper()
	var last uint32
	for deadline := time.Now().Add(30 * time.Second); ; {
		summary, err := s.analytics().GetUnitSummary(ctx, &pb.GetUnitSummaryRequest{UnitId: unit})
		if err != nil {
			s.t.Fatal(err)
		}
		now := summary.GetPooled().GetN()
		if now < last {
			s.t.Fatalf("the figure went backwards: %d after %d", now, last)
		}
		if last = now; now == n {
			return summary
		}
		if now > n || time.Now().After(deadline) {
			s.t.Fatalf("the unit has %d ratings, want %d", now, n)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// json makes a call as a browser or script would and answers status and body.
func (s *running) json(method, path, token, body string) (int, map[string]any) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.http+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Accept-Language", "en")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer := map[string]any{}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		answer["text"] = string(text)
	}
	return response.StatusCode, answer
}

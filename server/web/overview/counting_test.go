package overview_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/overview"
)

// beginning is a program in its first seconds: there is an office with a counter, and figures are what the test says.
type beginning struct {
	pb.UnimplementedAnalyticsServiceServer
	pb.UnimplementedDirectoryServiceServer
	pb.UnimplementedIdentityServiceServer
	rated bool
	fresh *timestamppb.Timestamp
}

func (b *beginning) GetSession(context.Context, *pb.GetSessionRequest) (*pb.GetSessionResponse, error) {
	return &pb.GetSessionResponse{
		Account: &pb.Account{Name: "lãnh đạo", UnitId: "office"}, Actions: []string{"read_figures", "read_ranking", "read_follow_ups", "note_follow_ups"},
	}, nil
}

func (b *beginning) GetUnit(_ context.Context, asked *pb.GetUnitRequest) (*pb.Unit, error) {
	return &pb.Unit{Id: asked.GetUnitId(), Name: "Bộ phận Một cửa"}, nil
}

func (b *beginning) ListCounters(context.Context, *pb.ListCountersRequest) (*pb.ListCountersResponse, error) {
	return &pb.ListCountersResponse{Counters: []*pb.Counter{{Id: "c1", UnitId: "office", Name: "Quầy 1"}}}, nil
}

func (b *beginning) distribution() *pb.Distribution {
	if !b.rated {
		return &pb.Distribution{}
	}
	share := &pb.Figure{N: 9, Value: 0.5, Low: 0.2, High: 0.8}
	return &pb.Distribution{N: 9, Counts: []uint32{1, 2, 2, 2, 2}, Satisfied: share, Dissatisfied: share}
}

func (b *beginning) GetUnitSummary(_ context.Context, asked *pb.GetUnitSummaryRequest) (*pb.GetUnitSummaryResponse, error) {
	return &pb.GetUnitSummaryResponse{UnitId: asked.GetUnitId(), From: asked.GetFrom(), To: asked.GetTo(), Pooled: b.distribution(), FreshThrough: b.fresh}, nil
}

func (b *beginning) ComparePeriods(context.Context, *pb.ComparePeriodsRequest) (*pb.ComparePeriodsResponse, error) {
	return &pb.ComparePeriodsResponse{Period: &pb.PeriodDistribution{Distribution: b.distribution()}, Other: &pb.PeriodDistribution{Distribution: &pb.Distribution{}}}, nil
}

func (b *beginning) GetTrend(context.Context, *pb.GetTrendRequest) (*pb.GetTrendResponse, error) {
	return &pb.GetTrendResponse{}, nil
}

func (b *beginning) ListReasons(context.Context, *pb.ListReasonsRequest) (*pb.ListReasonsResponse, error) {
	return &pb.ListReasonsResponse{}, nil
}

func (b *beginning) GetHours(context.Context, *pb.GetHoursRequest) (*pb.GetHoursResponse, error) {
	return &pb.GetHoursResponse{}, nil
}

func (b *beginning) RankUnits(context.Context, *pb.RankUnitsRequest) (*pb.RankUnitsResponse, error) {
	return &pb.RankUnitsResponse{}, nil
}

func (b *beginning) ListFollowUps(context.Context, *pb.ListFollowUpsRequest) (*pb.ListFollowUpsResponse, error) {
	return &pb.ListFollowUpsResponse{From: "2026-10-23", To: "2026-11-22", FreshThrough: b.fresh}, nil
}

func (b *beginning) ListFacets(context.Context, *pb.ListFacetsRequest) (*pb.ListFacetsResponse, error) {
	return &pb.ListFacetsResponse{From: "2026-10-01", To: "2026-11-30", FreshThrough: b.fresh}, nil
}

// serve answers a page of such a program to somebody signed in.
func (b *beginning) serve(t *testing.T, filling bool, path string) *httptest.ResponseRecorder {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	pb.RegisterAnalyticsServiceServer(server, b)
	pb.RegisterDirectoryServiceServer(server, b)
	pb.RegisterIdentityServiceServer(server, b)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///inside", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = conn.Close()
		server.Stop()
		<-done
	}()
	site, err := web.New(web.Config{
		Conn: conn, Address: func(*http.Request) string { return "" }, Filling: func() bool { return filling },
		Clock: func() time.Time { return time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := overview.Mount(site); err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	request.AddCookie(&http.Cookie{Name: "hailong_session", Value: "somebody's"})
	answer := httptest.NewRecorder()
	site.Handler().ServeHTTP(answer, request)
	return answer
}

func TestWhatIsStillBeingCountedIsSaid(t *testing.T) {
	const (
		unit, followUps = "/units/office", "/follow-ups"
		loading         = "Dữ liệu mẫu đang được nạp"
		counting        = "đang được cộng lần đầu"
		advice          = "đặt mã QR"
		nothing         = "không có đơn vị nào"
		later           = "Số liệu theo quầy đang được cộng"
	)
	fresh := timestamppb.New(time.Date(2026, 11, 22, 2, 59, 0, 0, time.UTC))
	for name, c := range map[string]struct {
		path    string
		program beginning
		filling bool
		says    string
		silent  []string
		refresh bool
	}{
		"sample data is loaded":             {unit, beginning{}, true, loading, []string{advice}, true},
		"more of it is loaded later":        {unit, beginning{rated: true, fresh: fresh}, true, loading, []string{advice}, true},
		"nothing was counted yet":           {unit, beginning{}, false, counting, []string{advice, loading}, true},
		"there is nothing to count":         {unit, beginning{fresh: fresh}, false, advice, []string{counting, loading, later}, false},
		"counters are not counted yet":      {unit, beginning{rated: true, fresh: fresh}, false, later, []string{counting, loading}, false},
		"follow-ups, sample data is loaded": {followUps, beginning{}, true, loading, []string{nothing}, true},
		"follow-ups, nothing counted yet":   {followUps, beginning{}, false, counting, []string{nothing, loading}, true},
		"follow-ups, none":                  {followUps, beginning{fresh: fresh}, false, nothing, []string{counting, loading}, false},
	} {
		t.Run(name, func(t *testing.T) {
			answer := c.program.serve(t, c.filling, c.path)
			body := answer.Body.String()
			if answer.Code != http.StatusOK || !strings.Contains(body, c.says) {
				t.Errorf("answered %d without %q\n%.4000s", answer.Code, c.says, body)
			}
			for _, words := range c.silent {
				if strings.Contains(body, words) {
					t.Errorf("it says %q", words)
				}
			}
			if again := answer.Header().Get("Refresh") != ""; again != c.refresh {
				t.Errorf("it loads itself again: %v", again)
			}
		})
	}
}

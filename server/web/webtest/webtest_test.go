package webtest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

func TestProvinceIsWhatItSays(t *testing.T) {
	began := time.Now()
	p := webtest.Shared(t)
	t.Logf("started within %s", time.Since(began))
	today, _ := localday.Of(time.Now())
	figures := pb.NewAnalyticsServiceClient(p.Conn(t, webtest.Leader))
	summary := func(unit string) *pb.GetUnitSummaryResponse {
		answer, err := figures.GetUnitSummary(t.Context(), &pb.GetUnitSummaryRequest{UnitId: unit, From: string(today.Add(-webtest.Days)), To: string(today)})
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	for unit, want := range map[string]uint32{p.Top: 401, p.Ward: 240, p.CommuneOffice: 160, p.Quiet: 1, p.Empty: 0} {
		if got := summary(unit).GetPooled().GetN(); got != want || p.Count(unit) != int(want) {
			t.Errorf("%s has %d ratings, counted %d, want %d", unit, got, p.Count(unit), want)
		}
	}
	if got := len(summary(p.Ward).GetChannels()); got != 4 {
		t.Errorf("%d channels", got)
	}
	if got := summary(p.Ward).GetPooled().GetSatisfied().GetValue(); got != 0.85 {
		t.Errorf("in the ward %v are satisfied", got)
	}
	followUps, err := figures.ListFollowUps(t.Context(), &pb.ListFollowUpsRequest{UnitId: p.Top})
	if err != nil || len(followUps.GetFollowUps()) == 0 {
		t.Errorf("follow-ups %v, %v", followUps, err)
	}
}

func TestAccountsSeeTheirUnits(t *testing.T) {
	p := webtest.Shared(t)
	for who, want := range map[webtest.Who]int{
		webtest.Administrator: 7, webtest.Leader: 7, webtest.Operator: 7, webtest.CommuneAdministrator: 2, webtest.CommuneLeader: 2,
		webtest.CommuneOperator: 2, webtest.Official: 1,
	} {
		units, err := pb.NewDirectoryServiceClient(p.Conn(t, who)).ListUnits(t.Context(), &pb.ListUnitsRequest{})
		if err != nil || len(units.GetUnits()) != want {
			t.Errorf("%s sees %d units, %v; want %d", who, len(units.GetUnits()), err, want)
		}
	}
	if one, two := p.SignIn(t, webtest.Leader), p.SignIn(t, webtest.Leader); one == "" || one == two {
		t.Error("each sign-in has a session of its own")
	}
}

func TestRestartKeepsDataAndSessions(t *testing.T) {
	p := webtest.Start(t)
	at, conn := p.HTTP, p.Conn(t, webtest.Leader)
	p.Stop(t)
	if answer, err := http.Get(at + "/healthz"); err == nil { //nolint:noctx // it must not answer
		_ = answer.Body.Close()
		t.Fatal("it still answers")
	}
	p.Restart(t)
	if p.HTTP != at || conn == p.Conn(t, webtest.Leader) {
		t.Errorf("now at %s", p.HTTP)
	}
	p.Figures(t, p.Top, len(p.Given))
	if !strings.Contains(p.Log(), "http") {
		t.Errorf("log %q", p.Log())
	}
}

func TestOnMongoDB(t *testing.T) {
	p := webtest.Start(t, webtest.OwnMongoDB())
	p.Figures(t, p.Commune, 160)
	p.EngineDown(t)
	ready := func() int {
		answer, err := http.Get(p.HTTP + "/readyz") //nolint:noctx // of the test's own program
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	if status := ready(); status == http.StatusOK {
		t.Error("ready without an engine")
	}
	p.EngineUp(t)
	for deadline := time.Now().Add(time.Minute); ready() != http.StatusOK; {
		if time.Now().After(deadline) {
			t.Fatal("not ready again")
		}
	}
}

func TestBareProgramHasOnlyItsAdministrator(t *testing.T) {
	p := webtest.Start(t, webtest.Bare())
	units, err := pb.NewDirectoryServiceClient(p.Conn(t, webtest.Administrator)).ListUnits(t.Context(), &pb.ListUnitsRequest{})
	if err != nil || len(units.GetUnits()) != 0 {
		t.Errorf("units %v, %v", units, err)
	}
}

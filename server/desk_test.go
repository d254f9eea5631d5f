package server

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s *running) desk() pb.DeskServiceClient { return pb.NewDeskServiceClient(s.conn) }

func (s *running) openBatch(ctx context.Context, unit string) *pb.Batch {
	s.t.Helper()
	batch, err := s.desk().OpenBatch(ctx, &pb.OpenBatchRequest{UnitId: unit, QuestionnaireId: "kiosk", Expected: 3})
	if err != nil {
		s.t.Fatal(err)
	}
	return batch
}

func TestSlipsBecomeFigures(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		p := newProvince(s.admin(), s)
		one, two := p.as("nhập một", pb.Role_ROLE_OPERATOR, p.mine), p.as("nhập hai", pb.Role_ROLE_OPERATOR, p.top)
		batch := s.openBatch(one, p.office)
		if batch.GetUnitName() != "Bộ phận một cửa" || batch.GetOpenedBy() != "nhập một" || batch.GetQuestionnaireVersion() != 1 {
			t.Errorf("batch %v", batch)
		}
		var wait sync.WaitGroup
		for i, operator := range []context.Context{one, two} {
			wait.Go(func() {
				for n := range 10 { // both type the whole pile; every slip counts once
					_, err := s.desk().EnterSlip(operator, &pb.EnterSlipRequest{BatchId: batch.GetId(), Number: fmt.Sprint(n), OverallScore: int32(1 + 3*i)}) //nolint:gosec // 1 or 4
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		got, err := s.desk().GetBatch(two, &pb.GetBatchRequest{BatchId: batch.GetId()})
		if err != nil {
			t.Fatal(err)
		}
		if counts := got.GetBatch().GetCounts(); got.GetBatch().GetTyped() != 10 || counts[1]+counts[4] != 10 || len(got.GetSlips()) != 10 {
			t.Errorf("batch %v", got)
		}
		summary := s.summary(p.admin, p.top, 10).GetPooled().GetCounts()
		if counts := got.GetBatch().GetCounts(); fmt.Sprint(summary) != fmt.Sprint(counts[1:]) {
			t.Errorf("figures %v, the pile %v", summary, counts)
		}
		_, err = s.desk().CloseBatch(one, &pb.CloseBatchRequest{BatchId: batch.GetId()})
		if status.Code(err) != codes.InvalidArgument {
			t.Errorf("ten for three: %v", err)
		}
		closed, err := s.desk().CloseBatch(one, &pb.CloseBatchRequest{BatchId: batch.GetId(), DifferenceReason: "đếm nhầm"})
		if err != nil || closed.GetClosedAt() == nil {
			t.Errorf("closed %v, %v", closed, err)
		}
		listed, err := s.desk().ListBatches(two, &pb.ListBatchesRequest{OpenOnly: true})
		if err != nil || len(listed.GetBatches()) != 0 {
			t.Errorf("open ones %v, %v", listed, err)
		}
	})
}

func TestWhoMayTypeSlips(t *testing.T) {
	s := start(t, Config{})
	p := newProvince(s.admin(), s)
	mine, sibling := s.openBatch(p.admin, p.office), s.openBatch(p.admin, p.sibling)
	operator, leader := p.as("nhập liệu", pb.Role_ROLE_OPERATOR, p.mine), p.as("lãnh đạo", pb.Role_ROLE_LEADER, p.mine)
	for _, c := range []struct {
		name  string
		who   context.Context
		unit  string
		batch string
		want  codes.Code
	}{
		{"its office", operator, p.office, mine.GetId(), codes.OK},
		{"a sibling", operator, p.sibling, sibling.GetId(), codes.NotFound},
		{"a leader", leader, p.office, mine.GetId(), codes.PermissionDenied},
		{"nobody", t.Context(), p.office, mine.GetId(), codes.Unauthenticated},
		{"no such", operator, "nowhere", "none", codes.NotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := map[string]func() error{
				"OpenBatch": func() error {
					_, err := s.desk().OpenBatch(c.who, &pb.OpenBatchRequest{UnitId: c.unit, QuestionnaireId: "kiosk"})
					return err
				},
				"ListBatches": func() error {
					_, err := s.desk().ListBatches(c.who, &pb.ListBatchesRequest{UnitId: c.unit})
					return err
				},
				"GetBatch": func() error {
					_, err := s.desk().GetBatch(c.who, &pb.GetBatchRequest{BatchId: c.batch})
					return err
				},
				"EnterSlip": func() error {
					_, err := s.desk().EnterSlip(c.who, &pb.EnterSlipRequest{BatchId: c.batch, Number: "1", OverallScore: 5})
					return err
				},
				"CloseBatch": func() error {
					_, err := s.desk().CloseBatch(c.who, &pb.CloseBatchRequest{BatchId: c.batch, DifferenceReason: "thử"})
					return err
				},
			}
			for _, name := range []string{"OpenBatch", "ListBatches", "GetBatch", "EnterSlip", "CloseBatch"} {
				if err := calls[name](); status.Code(err) != c.want {
					t.Errorf("%s: %v, want %v", name, err, c.want)
				}
			}
		})
	}
	listed, err := s.desk().ListBatches(operator, &pb.ListBatchesRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range listed.GetBatches() {
		if batch.GetUnitId() != p.office {
			t.Errorf("a batch of %s is listed", batch.GetUnitName())
		}
	}
}

func TestSlipsOverJSON(t *testing.T) {
	s := start(t, Config{})
	unit := s.unit(s.admin(), "", "Xã Thử")
	session, err := s.identity().CreateSession(t.Context(), &pb.CreateSessionRequest{Name: "admin", Password: adminPassword})
	if err != nil {
		t.Fatal(err)
	}
	code, batch := s.json(http.MethodPost, "/v1/batches", session.GetToken(), `{"unit_id":"`+unit+`","questionnaire_id":"kiosk","filled_on":"2019-05-02"}`)
	if code != http.StatusOK {
		t.Fatalf("%d %v", code, batch)
	}
	id, _ := batch["id"].(string)
	for _, want := range []string{"OUTCOME_STORED", "OUTCOME_DUPLICATE"} {
		code, answer := s.json(http.MethodPost, "/v1/batches/"+id+"/slips", session.GetToken(), `{"number":"12","overall_score":4}`)
		outcome, _ := answer["outcome"].(map[string]any)
		if code != http.StatusOK || outcome["outcome"] != want {
			t.Errorf("%d %v, want %s", code, answer, want)
		}
	}
	code, answer := s.json(http.MethodPost, "/v1/batches/"+id+"/slips", session.GetToken(), `{"number":"12","overall_score":1}`)
	if outcome, _ := answer["outcome"].(map[string]any); code != http.StatusOK || outcome["reason_code"] != "desk_slip_typed_before" {
		t.Errorf("%d %v", code, answer)
	}
}

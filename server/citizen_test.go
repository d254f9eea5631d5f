package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/hailong-vn/hailong/internal/citizen"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s *running) citizens() pb.CitizenServiceClient { return pb.NewCitizenServiceClient(s.conn) }
func (s *running) remedies() pb.RemedyServiceClient  { return pb.NewRemedyServiceClient(s.conn) }

func (s *running) form(ctx context.Context, place string) *pb.GetFormResponse {
	s.t.Helper()
	form, err := s.citizens().GetForm(ctx, &pb.GetFormRequest{Place: place})
	if err != nil {
		s.t.Fatal(err)
	}
	return form
}

func ratingOf(form *pb.GetFormResponse, score int32) *pb.CreateRatingRequest {
	return &pb.CreateRatingRequest{FormToken: form.GetFormToken(), Rating: &pb.Rating{
		Id: form.GetRatingId(), UnitId: form.GetUnitId(), CounterId: form.GetCounterId(), Channel: pb.Channel_CHANNEL_WEB,
		QuestionnaireId: form.GetQuestionnaire().GetId(), QuestionnaireVersion: form.GetQuestionnaire().GetVersion(), OverallScore: score,
	}}
}

func TestForm(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		admin := s.admin()
		p := newProvince(admin, s)
		nobody := t.Context()
		counter, err := s.directory().CreateCounter(admin, &pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: p.office, Code: "1", Name: "Quầy hộ tịch"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Run("of a unit and of a counter", func(t *testing.T) {
			s := s.in(t)
			of := s.form(nobody, p.office)
			if of.GetUnitName() != "Bộ phận một cửa" || of.GetCounterId() != "" || of.GetQuestionnaire().GetId() != "kiosk" || of.GetWorkBits() != 18 {
				t.Errorf("%v", of)
			}
			at := s.form(nobody, counter.GetId())
			if at.GetUnitId() != p.office || at.GetCounterName() != "Quầy hộ tịch" || at.GetRatingId() == of.GetRatingId() {
				t.Errorf("%v", at)
			}
		})
		t.Run("by what people type", func(t *testing.T) {
			s := s.in(t)
			coded := func(code string) string {
				made, err := s.directory().CreateUnit(admin, &pb.CreateUnitRequest{Unit: &pb.Unit{Name: "Xã " + code, Level: "commune", Code: code, ParentId: p.top}})
				if err != nil {
					t.Fatal(err)
				}
				return made.GetId()
			}
			counterAt := func(unit, sign string) *pb.Counter {
				made, err := s.directory().CreateCounter(admin, &pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: unit, Code: sign, Name: "Quầy " + sign}})
				if err != nil {
					t.Fatal(err)
				}
				return made
			}
			xa := coded("BT")
			one, two, lower, closed := counterAt(xa, "1"), counterAt(xa, "2A"), counterAt(xa, "2b"), counterAt(xa, "9")
			counterAt(xa, "2B")
			if _, err := s.directory().CloseCounter(admin, &pb.CloseCounterRequest{CounterId: closed.GetId()}); err != nil {
				t.Fatal(err)
			}
			for place, want := range map[string]string{
				"BT": "", "bt": "", "BT/1": one.GetId(), "bt/2a": two.GetId(), "BT/2b": lower.GetId(), xa + "/1": one.GetId(), p.office + "/1": counter.GetId(),
			} {
				form := s.form(nobody, place)
				if form.GetCounterId() != want || want == "" && form.GetUnitId() != xa {
					t.Errorf("%s is the form of %s at %s, want %s", place, form.GetCounterId(), form.GetUnitId(), want)
				}
			}
			for _, place := range []string{"BT/9", "BT/3", "BT/", "/1", "BT/1/1", "khong-co/1", "BT/" + one.GetId(), closed.GetId()} {
				_, err := s.citizens().GetForm(nobody, &pb.GetFormRequest{Place: place})
				wantRefused(t, err, codes.NotFound, "citizen_place_unknown")
			}
		})
		t.Run("of nothing", func(t *testing.T) {
			for _, place := range []string{"khong-co", "../x", "\x01"} {
				_, err := s.citizens().GetForm(nobody, &pb.GetFormRequest{Place: place})
				wantRefused(t, err, codes.NotFound, "citizen_place_unknown")
			}
		})
		t.Run("sent twice is stored once; other content conflicts", func(t *testing.T) {
			s := s.in(t)
			request := ratingOf(s.form(nobody, counter.GetId()), 4)
			for _, want := range []pb.Outcome{stored, duplicate, duplicate} {
				if answer, err := s.ratings().CreateRating(nobody, request); err != nil || answer.GetOutcome() != want {
					t.Fatalf("%v, %v, want %v", answer, err, want)
				}
			}
			request.Rating.OverallScore = 1
			if answer, err := s.ratings().CreateRating(nobody, request); err != nil || answer.GetOutcome() != conflict {
				t.Errorf("%v, %v", answer, err)
			}
			s.summary(admin, p.office, 1)
		})
		t.Run("a token is good for its own rating only", func(t *testing.T) {
			s := s.in(t)
			for name, change := range map[string]func(*pb.CreateRatingRequest){
				"another unit":    func(r *pb.CreateRatingRequest) { r.Rating.UnitId = p.sibling },
				"another counter": func(r *pb.CreateRatingRequest) { r.Rating.CounterId = counter.GetId() },
				"another rating":  func(r *pb.CreateRatingRequest) { r.Rating.Id = freshRating(p.office, 1).GetId() },
				"no rating":       func(r *pb.CreateRatingRequest) { r.Rating.Id = "" },
				"no token of any": func(r *pb.CreateRatingRequest) { r.FormToken = "x" },
			} {
				request := ratingOf(s.form(nobody, p.office), 4)
				change(request)
				_, err := s.ratings().CreateRating(nobody, request)
				t.Run(name, func(t *testing.T) { wantRefused(t, err, codes.InvalidArgument, "citizen_form_invalid") })
			}
		})
		t.Run("with what was done lately, and not by whom", func(t *testing.T) {
			s := s.in(t)
			for _, unit := range []string{p.top, p.mine, p.office, p.sibling} {
				if _, err := s.remedies().PublishRemedy(admin, &pb.PublishRemedyRequest{UnitId: unit, Text: "Việc của " + unit}); err != nil {
					t.Fatal(err)
				}
			}
			// Another process may remember for some seconds; this one published.
			done := s.form(nobody, counter.GetId()).GetRemedies()
			if len(done) != 3 || done[0].GetUnitId() != p.office || done[1].GetUnitId() != p.mine || done[2].GetUnitId() != p.top || done[0].GetPublishedBy() != "" {
				t.Errorf("%v", done)
			}
		})
		t.Run("not of a unit that ended", func(t *testing.T) {
			s := s.in(t)
			ended := s.unit(admin, p.top, "Xã đã nhập")
			s.form(nobody, ended)
			if _, err := s.directory().CloseUnit(admin, &pb.CloseUnitRequest{UnitId: ended, ValidTo: time.Now().AddDate(0, 0, -1).Format(time.DateOnly)}); err != nil {
				t.Fatal(err)
			}
			_, err := s.citizens().GetForm(nobody, &pb.GetFormRequest{Place: ended})
			wantRefused(t, err, codes.NotFound, "citizen_place_unknown")
		})
	})
}

func TestRemediesHaveScopes(t *testing.T) {
	s := start(t, Config{})
	p := newProvince(s.admin(), s)
	leader := p.as("chủ tịch", pb.Role_ROLE_LEADER, p.mine)
	published, err := s.remedies().PublishRemedy(leader, &pb.PublishRemedyRequest{UnitId: p.office, Text: "Thêm ghế"})
	if err != nil || published.GetPublishedBy() != "chủ tịch" {
		t.Fatalf("%v, %v", published, err)
	}
	above, err := s.remedies().PublishRemedy(p.admin, &pb.PublishRemedyRequest{UnitId: p.top, Text: "Thêm quạt"})
	if err != nil {
		t.Fatal(err)
	}
	for name, unit := range map[string]string{"above": p.top, "sibling": p.sibling, "none": "khong-co"} {
		_, publish := s.remedies().PublishRemedy(leader, &pb.PublishRemedyRequest{UnitId: unit, Text: "Thêm ghế"})
		_, list := s.remedies().ListRemedies(leader, &pb.ListRemediesRequest{UnitId: unit})
		t.Run(name, func(t *testing.T) {
			wantRefused(t, publish, codes.NotFound, "unit_unknown")
			wantRefused(t, list, codes.NotFound, "unit_unknown")
		})
	}
	_, err = s.remedies().WithdrawRemedy(leader, &pb.WithdrawRemedyRequest{RemedyId: above.GetId(), Reason: "không thích"})
	wantRefused(t, err, codes.NotFound, "remedy_unknown")
	for name, c := range map[string]struct {
		ctx  context.Context
		want int
	}{"the leader's": {leader, 1}, "everybody's": {p.admin, 2}} {
		if listed, err := s.remedies().ListRemedies(c.ctx, &pb.ListRemediesRequest{}); err != nil || len(listed.GetRemedies()) != c.want {
			t.Errorf("%s list: %v, %v", name, listed, err)
		}
	}
	if withdrawn, err := s.remedies().WithdrawRemedy(leader, &pb.WithdrawRemedyRequest{RemedyId: published.GetId(), Reason: "ghi nhầm"}); err != nil || withdrawn.GetWithdrawnAt() == nil {
		t.Errorf("%v, %v", withdrawn, err)
	}
	for _, ctx := range []context.Context{t.Context(), p.as("gõ phiếu", pb.Role_ROLE_OPERATOR, p.mine)} {
		if _, err := s.remedies().ListRemedies(ctx, &pb.ListRemediesRequest{}); err == nil {
			t.Error("who may not publish may list")
		}
	}
}

// from makes a JSON call as a citizen at an address behind the proxy.
func (s *running) from(ctx context.Context, address, method, path string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.http+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("X-Forwarded-For", address)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// rate fetches a form and sends it, as a citizen at an address does.
func (s *running) rate(ctx context.Context, address, place string, work bool) (int, string, error) {
	var form struct {
		Unit   string `json:"unit_id"`
		Rating string `json:"rating_id"`
		Token  string `json:"form_token"`
	}
	code, answer, err := s.from(ctx, address, "GET", "/v1/forms/"+place, nil)
	if err != nil || code != http.StatusOK {
		return code, string(answer), err
	}
	if err := json.Unmarshal(answer, &form); err != nil {
		return 0, "", err
	}
	proof := ""
	if work {
		proof = citizen.Work(form.Token, 18)
	}
	body := fmt.Sprintf(`{"form_token":%q,"proof_of_work":%q,"rating":{"id":%q,"unit_id":%q,"channel":"CHANNEL_WEB","questionnaire_id":"kiosk",
		"questionnaire_version":1,"overall_score":2}}`, form.Token, proof, form.Rating, form.Unit)
	code, answer, err = s.from(ctx, address, "POST", "/v1/ratings", []byte(body))
	return code, string(answer), err
}

// While one address sends 500 requests a second, citizens elsewhere get in at once, at the same unit; who shares the address gets
// in with a proof of work.
func TestFloodOverHTTP(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		config.TrustedProxies = "127.0.0.1"
		s := start(t, config)
		unit := s.unit(s.admin(), "", "Xã Thử")
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		var sent, let, held atomic.Int64
		due := make(chan struct{}, 64)
		for range 16 {
			group.Go(func() {
				for range due {
					code, _, err := s.rate(ctx, "203.0.113.66", unit, false)
					switch {
					case err != nil:
					case code == http.StatusOK:
						let.Add(1)
					case code == http.StatusTooManyRequests:
						held.Add(1)
					default:
						t.Errorf("the flood is answered %d", code)
					}
				}
			})
		}
		group.Go(func() {
			defer close(due)
			ticker := time.NewTicker(2 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
				}
				select {
				case due <- struct{}{}:
					sent.Add(1)
				default: // the machine cannot send more
				}
			}
		})
		defer group.Wait()
		defer cancel()
		for deadline := time.Now().Add(time.Minute); held.Load() == 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("of %d requests none was held back", sent.Load())
			}
		}
		slowest := time.Duration(0)
		for i := range 20 {
			began := time.Now()
			code, answer, err := s.rate(ctx, fmt.Sprintf("198.51.100.%d", i), unit, false)
			if err != nil || code != http.StatusOK {
				t.Fatalf("another citizen: %d %s %v", code, answer, err)
			}
			slowest = max(slowest, time.Since(began))
		}
		if slowest > 5*time.Second {
			t.Errorf("a citizen waited %v", slowest)
		}
		if code, answer, err := s.rate(ctx, "203.0.113.66", unit, true); err != nil || code != http.StatusOK {
			t.Errorf("a neighbour of the flood, with a proof of work: %d %s %v", code, answer, err)
		}
		t.Logf("%d sent, %d let in, %d held back; the slowest of the others took %v", sent.Load(), let.Load(), held.Load(), slowest)
	})
}

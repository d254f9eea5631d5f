package server

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s *running) notices() pb.NoticeServiceClient { return pb.NewNoticeServiceClient(s.conn) }

// unread waits until somebody has so many unread notices.
func (s *running) unread(ctx context.Context, want int32) {
	s.t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		answer, err := s.notices().GetUnreadCount(ctx, &pb.GetUnreadCountRequest{})
		if err == nil && answer.GetCount() == want {
			return
		}
		if time.Since(began) > 30*time.Second {
			s.t.Fatalf("%v, %v; want %d", answer, err, want)
		}
	}
}

// A case is opened, assigned, asked about, explained and accepted: everybody is told what concerns them, once, and another program everything.
func TestNoticesOfACase(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		heard := make(chan string, 100)
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			heard <- string(body)
		}))
		defer receiver.Close()
		config.WebhookNetworks = "127.0.0.0/8"
		s := start(t, config)
		p := newProvince(s.admin(), s)
		leader, operator := p.as("lãnh đạo", pb.Role_ROLE_LEADER, p.mine), p.as("trực", pb.Role_ROLE_OPERATOR, p.mine)
		deputy, head := p.as("phó", pb.Role_ROLE_LEADER, p.mine), p.as("trưởng", pb.Role_ROLE_HEAD, p.office)
		sibling := p.as("nơi khác", pb.Role_ROLE_LEADER, p.sibling)
		if _, err := s.notices().CreateWebhook(p.admin, &pb.CreateWebhookRequest{UnitId: p.mine, Name: "Cổng", Topics: []string{"case.*"}, Url: receiver.URL}); err != nil {
			t.Fatal(err)
		}
		id := uuid.Must(uuid.NewV7()).String()
		if _, err := s.cases().OpenCase(operator, &pb.OpenCaseRequest{CaseId: id, ReceivingUnitId: p.mine, AboutUnitId: p.office, Source: "letter", Title: "Chờ lâu", Words: "Tôi chờ hai tiếng"}); err != nil {
			t.Fatal(err)
		}
		s.unread(leader, 1)
		s.unread(deputy, 1)
		s.unread(operator, 0)
		if _, err := s.cases().ApplyCaseEvent(leader, &pb.ApplyCaseEventRequest{CaseId: id, Event: &pb.CaseEvent{Name: "request_explanation", UnitId: p.office}}); err != nil {
			t.Fatal(err)
		}
		s.unread(head, 1)
		s.unread(sibling, 0)
		for _, want := range []string{`"type":"case.open"`, `"type":"case.request_explanation"`} {
			select {
			case body := <-heard:
				if !strings.Contains(body, want) || strings.Contains(body, "hai tiếng") {
					t.Errorf("the other program heard %s", body)
				}
			case <-time.After(30 * time.Second):
				t.Fatalf("the other program did not hear %s", want)
			}
		}
		list, err := s.notices().ListNotices(head, &pb.ListNoticesRequest{UnreadOnly: true})
		if err != nil || len(list.GetNotices()) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		told := list.GetNotices()[0]
		if told.GetTopic() != "case.request_explanation" || told.GetLink() != "/cases/"+id || !strings.Contains(told.GetSubject(), "Please explain case") || told.GetUnitId() != p.office {
			t.Errorf("the head is told %v", told)
		}
		t.Run("marked by its owner alone", func(t *testing.T) {
			if _, err := s.notices().MarkNoticesRead(sibling, &pb.MarkNoticesReadRequest{NoticeIds: []string{told.GetId()}}); status.Code(err) != codes.NotFound {
				t.Errorf("%v", err)
			}
			answer, err := s.notices().MarkNoticesRead(head, &pb.MarkNoticesReadRequest{AllUntil: timestamppb.New(told.GetAt().AsTime())})
			if err != nil || answer.GetUnread() != 0 {
				t.Errorf("%v, %v", answer, err)
			}
		})
		select {
		case body := <-heard:
			t.Errorf("the other program heard one more: %s", body)
		default:
		}
	})
}

func TestWebhooksStayWithinAScope(t *testing.T) {
	s := start(t, Config{})
	p := newProvince(s.admin(), s)
	mine, leader := p.as("quản trị xã", pb.Role_ROLE_ADMINISTRATOR, p.mine), p.as("lãnh đạo", pb.Role_ROLE_LEADER, p.mine)
	made, err := s.notices().CreateWebhook(p.admin, &pb.CreateWebhookRequest{Name: "Toàn tỉnh", Topics: []string{"case.*"}, Url: "https://8.8.8.8/nhan"})
	if err != nil || !strings.HasPrefix(made.GetSecret(), "whsec_") {
		t.Fatal(made, err)
	}
	id := made.GetWebhook().GetId()
	change := &pb.UpdateWebhookRequest{WebhookId: id, Name: "x", Topics: []string{"case.*"}, Url: "https://8.8.8.8"}
	for name, call := range map[string]func(ctx context.Context) error{
		"get": func(ctx context.Context) error {
			_, err := s.notices().GetWebhook(ctx, &pb.GetWebhookRequest{WebhookId: id})
			return err
		},
		"change": func(ctx context.Context) error { _, err := s.notices().UpdateWebhook(ctx, change); return err },
		"rotate": func(ctx context.Context) error {
			_, err := s.notices().RotateWebhookSecret(ctx, &pb.RotateWebhookSecretRequest{WebhookId: id})
			return err
		},
		"pause": func(ctx context.Context) error {
			_, err := s.notices().PauseWebhook(ctx, &pb.PauseWebhookRequest{WebhookId: id})
			return err
		},
		"resume": func(ctx context.Context) error {
			_, err := s.notices().ResumeWebhook(ctx, &pb.ResumeWebhookRequest{WebhookId: id})
			return err
		},
		"test": func(ctx context.Context) error {
			_, err := s.notices().TestWebhook(ctx, &pb.TestWebhookRequest{WebhookId: id})
			return err
		},
		"remove": func(ctx context.Context) error {
			_, err := s.notices().DeleteWebhook(ctx, &pb.DeleteWebhookRequest{WebhookId: id})
			return err
		},
		"deliveries": func(ctx context.Context) error {
			_, err := s.notices().ListDeliveries(ctx, &pb.ListDeliveriesRequest{Channel: id})
			return err
		},
		"retry": func(ctx context.Context) error {
			_, err := s.notices().RetryDelivery(ctx, &pb.RetryDeliveryRequest{DeliveryId: "none"})
			return err
		},
	} {
		if err := call(mine); status.Code(err) != codes.NotFound {
			t.Errorf("%s by another administrator: %v", name, err)
		}
		if err := call(leader); status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s by a leader: %v", name, err)
		}
	}
	list, err := s.notices().ListWebhooks(mine, &pb.ListWebhooksRequest{})
	if err != nil || len(list.GetWebhooks()) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	for name, unit := range map[string]string{"a unit elsewhere": p.sibling, "a unit above": p.top, "no such unit": "none"} {
		if _, err := s.notices().CreateWebhook(mine, &pb.CreateWebhookRequest{UnitId: unit, Name: "x", Topics: []string{"case.*"}, Url: "https://8.8.8.8"}); status.Code(err) != codes.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Run("without a unit it is the own one, page by page", func(t *testing.T) {
		for range 3 {
			made, err := s.notices().CreateWebhook(mine, &pb.CreateWebhookRequest{Name: "x", Topics: []string{"case.*"}, Url: "https://8.8.8.8"})
			if err != nil || made.GetWebhook().GetUnitId() != p.mine {
				t.Fatalf("%v, %v", made, err)
			}
		}
		seen := map[string]bool{}
		for token := ""; ; {
			page, err := s.notices().ListWebhooks(mine, &pb.ListWebhooksRequest{PageSize: 2, PageToken: token})
			if err != nil {
				t.Fatal(err)
			}
			for _, hook := range page.GetWebhooks() {
				seen[hook.GetId()] = true
			}
			if token = page.GetNextPageToken(); token == "" {
				break
			}
		}
		if len(seen) != 3 {
			t.Errorf("%d are listed", len(seen))
		}
	})
	t.Run("in JSON, with words", func(t *testing.T) {
		session, err := s.identity().CreateSession(t.Context(), &pb.CreateSessionRequest{Name: "quản trị xã", Password: rolePassword})
		if err != nil {
			t.Fatal(err)
		}
		token := session.GetToken()
		code, answer := s.json("POST", "/v1/webhooks", token, `{"name":"x","topics":["case.*"],"url":"https://169.254.169.254/latest"}`)
		if code != http.StatusBadRequest || !strings.Contains(answer["message"].(string), "leads inside") {
			t.Errorf("%d %v", code, answer)
		}
		if code, answer = s.json("GET", "/v1/notices/unread-count", token, ""); code != http.StatusOK || answer["count"] != float64(0) {
			t.Errorf("%d %v", code, answer)
		}
	})
}

func TestSettingsOfNotices(t *testing.T) {
	for name, config := range map[string]Config{
		"no server of e-mail": {SMTP: "mail.xa.gov.vn", SMTPFrom: "motcua@xa.gov.vn"},
		"no sender":           {SMTP: "smtp://mail.xa.gov.vn"},
		"no networks":         {WebhookNetworks: "mạng nội bộ"},
	} {
		t.Run(name, func(t *testing.T) {
			config.GRPC, config.HTTP, config.Data, config.Stdout, config.Stderr = "127.0.0.1:0", "127.0.0.1:0", t.TempDir(), io.Discard, io.Discard
			if err := Run(t.Context(), config); err == nil {
				t.Error("it started")
			}
		})
	}
}

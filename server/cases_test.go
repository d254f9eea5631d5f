package server

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s *running) cases() pb.CaseServiceClient { return pb.NewCaseServiceClient(s.conn) }

// casePeople are whoever has to do with cases of one commune.
type casePeople struct {
	*province
	operator, leader, second, head, official, rated, inspector, stranger context.Context
	ratedID                                                              string
}

func newCasePeople(t *testing.T, config Config) *casePeople {
	s := start(t, config)
	p := &casePeople{province: newProvince(s.admin(), s)}
	p.operator = p.as("trực máy", pb.Role_ROLE_OPERATOR, p.mine)
	p.leader = p.as("chủ tịch", pb.Role_ROLE_LEADER, p.mine)
	p.second = p.as("phó chủ tịch", pb.Role_ROLE_LEADER, p.mine)
	p.head = p.as("trưởng bộ phận", pb.Role_ROLE_HEAD, p.office)
	p.official = p.as("cán bộ", pb.Role_ROLE_OFFICIAL, p.office)
	p.inspector = p.as("thanh tra", pb.Role_ROLE_INSPECTOR, p.top)
	p.stranger = p.as("lãnh đạo xã bên", pb.Role_ROLE_LEADER, p.sibling)
	rated, err := p.directory().CreateOfficial(p.admin, &pb.CreateOfficialRequest{Official: &pb.Official{UnitId: p.office, Name: "Trần Thị Bình"}})
	if err != nil {
		t.Fatal(err)
	}
	p.ratedID = rated.GetId()
	p.rated = p.as("người bị phản ánh", pb.Role_ROLE_OFFICIAL, p.office)
	if _, err := p.identity().UpdateAccount(p.admin, &pb.UpdateAccountRequest{AccountId: p.accounts["người bị phản ánh"].GetId(), DisplayName: "chị Bình", OfficialId: p.ratedID}); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *casePeople) open(t *testing.T) *pb.Case {
	t.Helper()
	request := &pb.OpenCaseRequest{
		CaseId: uuid.Must(uuid.NewV7()).String(), ReceivingUnitId: p.mine, AboutUnitId: p.office, Source: "call", Title: "Chờ lâu không được giải thích",
		Words: "Tôi chờ hai tiếng mà không ai nói vì sao.", Contact: &pb.CaseContact{Name: "Nguyễn Văn Tèo", Phone: "0912 345 678"}, OfficialIds: []string{p.ratedID},
	}
	opened, err := p.cases().OpenCase(p.operator, request)
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.cases().OpenCase(p.operator, request)
	if err != nil || again.GetId() != opened.GetId() || again.GetNumber().GetN() != opened.GetNumber().GetN() {
		t.Fatalf("sent twice: %v, %v", again, err)
	}
	return opened
}

// apply lets an event happen and answers the case after it.
func (p *casePeople) apply(who context.Context, t *testing.T, c *pb.Case, event *pb.CaseEvent) *pb.Case {
	t.Helper()
	after, err := p.cases().ApplyCaseEvent(who, &pb.ApplyCaseEventRequest{CaseId: c.GetId(), Version: c.GetVersion(), Event: event})
	if err != nil {
		t.Fatalf("%s: %v", event.GetName(), err)
	}
	return after
}

func goodExplanation() *pb.Explanation {
	return &pb.Explanation{
		Cause: "overload", Analysis: "Hôm ấy hai quầy nghỉ, người dân dồn vào một quầy.", Remedy: "Bố trí thêm người trực thay từ tuần sau.", Together: true,
		Apology: "will", Finding: "upheld",
	}
}

func TestLifeOfACase(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		p := newCasePeople(t, config)
		c := p.open(t)
		if c.GetState() != "received" || c.GetNumber().GetN() != 1 || len(c.GetCode()) != 12 || len(c.GetClocks()) == 0 {
			t.Fatalf("%v", c)
		}
		for name, who := range map[string]context.Context{"a stranger": p.stranger, "an official before it is asked": p.official} {
			_, err := p.cases().GetCase(who, &pb.GetCaseRequest{CaseId: c.GetId()})
			t.Run(name, func(t *testing.T) { wantRefused(t, err, codes.NotFound, "casebook_unknown") })
		}
		waits := func(who context.Context, event string) {
			t.Helper()
			desk, err := p.cases().GetCaseDesk(who, &pb.GetCaseDeskRequest{})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(desk.GetWaiting()) > 0 {
				got = desk.GetWaiting()[0].GetEvent()
			}
			if got != event {
				t.Errorf("the desk waits for %q, want %q", got, event)
			}
		}
		waits(p.leader, "assign")
		c = p.apply(p.leader, t, c, &pb.CaseEvent{Name: "request_explanation", UnitId: p.office})
		waits(p.leader, "")
		waits(p.head, "submit")
		waits(p.official, "submit")
		draft, err := p.cases().SaveDraft(p.head, &pb.SaveDraftRequest{CaseId: c.GetId(), Explanation: &pb.Explanation{Analysis: "đang viế"}})
		if err != nil || draft.GetVersion() == 0 {
			t.Fatalf("%v, %v", draft, err)
		}
		_, err = p.cases().SaveDraft(p.head, &pb.SaveDraftRequest{CaseId: c.GetId(), Explanation: &pb.Explanation{Analysis: "thẻ khác"}})
		if status := codes.Aborted; err == nil || !strings.Contains(err.Error(), status.String()) {
			t.Errorf("a draft of another tab: %v", err)
		}
		c = p.apply(p.head, t, c, &pb.CaseEvent{Name: "submit", Explanation: goodExplanation()})
		if left, err := p.cases().GetDraft(p.head, &pb.GetDraftRequest{CaseId: c.GetId()}); err != nil || left.GetVersion() != 0 {
			t.Errorf("a draft is left: %v, %v", left, err)
		}
		waits(p.leader, "accept")
		looked := c
		c = p.apply(p.second, t, c, &pb.CaseEvent{Name: "return", Reasons: []string{"too_general"}})
		_, err = p.cases().ApplyCaseEvent(p.leader, &pb.ApplyCaseEventRequest{CaseId: c.GetId(), Version: looked.GetVersion(), Event: &pb.CaseEvent{Name: "accept", Finding: "upheld"}})
		wantRefused(t, err, codes.Aborted, "cases_changed")
		if err != nil && !strings.Contains(err.Error(), "phó chủ tịch") {
			t.Errorf("who was first is not told: %v", err)
		}
		c = p.apply(p.head, t, c, &pb.CaseEvent{Name: "submit", Explanation: goodExplanation()})
		c = p.apply(p.leader, t, c, &pb.CaseEvent{Name: "accept", Finding: "upheld"})
		waits(p.operator, "reply")
		c = p.apply(p.operator, t, c, &pb.CaseEvent{Name: "reply", Text: "Xin lỗi bà con; từ tuần sau có thêm người trực."})
		if c.GetState() != "replied" || c.GetReturns() != 1 || c.GetFinding() != "upheld" {
			t.Errorf("%v", c)
		}
		full, err := p.cases().GetCase(p.inspector, &pb.GetCaseRequest{CaseId: c.GetId()})
		if err != nil || len(full.GetHistory()) != 7 || len(full.GetChoices()) != 0 || len(full.GetWords()) != 1 {
			t.Errorf("the inspector reads %v, %v", full, err)
		}
		p.whoSpoke(t, c)
	})
}

// whoSpoke is for those who may ask, with a reason that is kept; never for whom the case is about.
func (p *casePeople) whoSpoke(t *testing.T, c *pb.Case) {
	reveal := &pb.RevealContactRequest{CaseId: c.GetId(), Reason: "gọi lại cho người dân"}
	for name, who := range map[string]context.Context{"head": p.head, "official": p.official, "rated": p.rated} {
		t.Run(name+" does not learn who spoke", func(t *testing.T) {
			_, err := p.cases().RevealContact(who, reveal)
			wantRefused(t, err, codes.PermissionDenied, "action_denied")
			seen, err := p.cases().GetCase(who, &pb.GetCaseRequest{CaseId: c.GetId()})
			if err != nil || seen.GetHasContact() || len(seen.GetWords()) == 0 {
				t.Errorf("%v, %v", seen, err)
			}
			if text := seen.String(); strings.Contains(text, "Tèo") || strings.Contains(text, "345 678") || strings.Contains(text, "912345678") {
				t.Errorf("%s learns who spoke: %v", name, seen)
			}
		})
	}
	contact, err := p.cases().RevealContact(p.operator, reveal)
	if err != nil || contact.GetName() != "Nguyễn Văn Tèo" {
		t.Errorf("%v, %v", contact, err)
	}
	audited, err := p.operations().ListAudit(p.admin, &pb.ListAuditRequest{Action: "RevealContact"})
	if err != nil || len(audited.GetEntries()) != 4 || audited.GetEntries()[0].GetReason() != reveal.GetReason() || audited.GetEntries()[0].GetSubject() != c.GetId() {
		t.Errorf("%v, %v", audited, err)
	}
}

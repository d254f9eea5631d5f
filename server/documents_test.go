package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s *running) papers() pb.DocumentServiceClient { return pb.NewDocumentServiceClient(s.conn) }

// accepted is a case with an accepted explanation and a reply.
func (p *casePeople) accepted(t *testing.T) *pb.Case {
	t.Helper()
	c := p.apply(p.leader, t, p.open(t), &pb.CaseEvent{Name: "request_explanation", UnitId: p.office})
	c = p.apply(p.head, t, c, &pb.CaseEvent{Name: "submit", Explanation: goodExplanation()})
	c = p.apply(p.leader, t, c, &pb.CaseEvent{Name: "accept", Finding: "upheld"})
	return p.apply(p.operator, t, c, &pb.CaseEvent{Name: "reply", Text: "Xin lỗi bà con; từ tuần sau có thêm người trực."})
}

func (p *casePeople) prepare(who context.Context, t *testing.T, request *pb.PrepareDocumentRequest) (*pb.PrepareDocumentResponse, map[string]string) {
	t.Helper()
	prepared, err := p.papers().PrepareDocument(who, request)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, f := range prepared.GetFields() {
		values[f.GetName()] = f.GetValue()
	}
	return prepared, values
}

func (p *casePeople) download(who context.Context, id, format, reason string) (*pb.DownloadDocumentResponse, []byte, error) {
	stream, err := p.papers().DownloadDocument(who, &pb.DownloadDocumentRequest{DocumentId: id, Format: format, Reason: reason})
	if err != nil {
		return nil, nil, err
	}
	about, err := stream.Recv()
	if err != nil {
		return nil, nil, err
	}
	var content []byte
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return about, content, nil
		}
		if err != nil {
			return nil, nil, err
		}
		content = append(content, part.GetContent()...)
	}
}

var deputy = &pb.DocumentSigner{Authority: "TM. ỦY BAN NHÂN DÂN\nKT. CHỦ TỊCH", Position: "PHÓ CHỦ TỊCH", Name: "Lê Thị Mai"}

func TestPapersOfACase(t *testing.T) {
	p := newCasePeople(t, Config{})
	c := p.accepted(t)
	wanted := &pb.PrepareDocumentRequest{CaseId: c.GetId(), Kind: "result_notice"}
	prepared, values := p.prepare(p.leader, t, wanted)
	if prepared.GetUnitId() != p.mine || !prepared.GetMayReveal() || values["citizen_name"] != "" {
		t.Errorf("%v", prepared)
	}
	for name, want := range map[string]string{
		"case_title": "chờ lâu không được giải thích", "finding": "đúng", "reply": "Xin lỗi bà con; từ tuần sau có thêm người trực.", "remedy": "Bố trí thêm người trực thay từ tuần sau.",
	} {
		if values[name] != want {
			t.Errorf("%s is %q, want %q", name, values[name], want)
		}
	}
	if values["issuer"] == "" || values["organ"] == "" || values["case_number"] == "" || values["case_code"] == "" {
		t.Errorf("%v", values)
	}
	values["place"] = "Một"
	t.Run("the citizen", func(t *testing.T) {
		_, err := p.papers().PrepareDocument(p.head, &pb.PrepareDocumentRequest{CaseId: c.GetId(), Kind: "result_notice", UnitId: p.office, RevealReason: "gửi thư"})
		wantRefused(t, err, codes.PermissionDenied, "action_denied")
		wanted.RevealReason = "gửi thông báo kết quả"
		_, known := p.prepare(p.leader, t, wanted)
		if values["citizen_name"] = known["citizen_name"]; known["citizen_name"] != "Nguyễn Văn Tèo" {
			t.Errorf("%v", known)
		}
	})
	draft, err := p.papers().PreviewDocument(p.leader, &pb.PreviewDocumentRequest{UnitId: p.mine, Kind: "result_notice", Values: values, Signer: deputy})
	if err != nil || !bytes.HasPrefix(draft.GetContent(), []byte("%PDF")) {
		t.Fatalf("%v", err)
	}
	request := &pb.IssueDocumentRequest{
		DocumentId: uuid.NewString(), CaseId: c.GetId(), Kind: "result_notice", UnitId: p.mine, Values: values, Signer: deputy, TemplateSha256: prepared.GetTemplate().GetSha256(),
	}
	issued, err := p.papers().IssueDocument(p.leader, request)
	if err != nil || issued.GetN() != 1 || !issued.GetPersonal() || issued.GetValues()["citizen_name"] != "" || issued.GetSigner().GetName() != "Lê Thị Mai" {
		t.Fatalf("%v, %v", issued, err)
	}
	again, err := p.papers().IssueDocument(p.leader, request)
	if err != nil || again.GetNumber() != issued.GetNumber() {
		t.Errorf("sent twice: %v, %v", again, err)
	}
	id := issued.GetId()
	t.Run("its file", func(t *testing.T) {
		for _, one := range []struct {
			name, reason string
			who          context.Context
			code         codes.Code
			told         string
		}{
			{"without a reason", "", p.leader, codes.InvalidArgument, "document_reveal_reason"},
			{"whoever issued it", "in để ký", p.leader, codes.OK, ""},
			{"an inspector", "kiểm tra việc trả lời", p.inspector, codes.OK, ""},
			{"a head", "muốn xem", p.head, codes.PermissionDenied, "action_denied"},
			{"the official it is about", "muốn xem", p.rated, codes.PermissionDenied, "action_denied"},
			{"a stranger", "muốn xem", p.stranger, codes.NotFound, "document_unknown"},
		} {
			t.Run(one.name, func(t *testing.T) {
				about, content, err := p.download(one.who, id, "docx", one.reason)
				if one.code != codes.OK {
					wantRefused(t, err, one.code, one.told)
					return
				}
				if err != nil || about.GetSize() != int64(len(content)) || !strings.HasSuffix(about.GetFileName(), ".docx") || strings.Contains(about.GetFileName(), "/") {
					t.Errorf("%v, %v", about, err)
				}
			})
		}
		trail := p.audited(p.admin, &pb.ListAuditRequest{Action: "DownloadDocument"})
		for _, want := range []string{
			"chủ tịch | DownloadDocument | " + id + " · in để ký | OK", "thanh tra | DownloadDocument | " + id + " · kiểm tra việc trả lời | OK",
			"trưởng bộ phận | DownloadDocument | " + id + " · muốn xem | PermissionDenied",
		} {
			if !slices.Contains(trail, want) {
				t.Errorf("no %q in %q", want, trail)
			}
		}
	})
	t.Run("what it says", func(t *testing.T) {
		without, err := p.papers().GetDocument(p.rated, &pb.GetDocumentRequest{DocumentId: id})
		if err != nil || without.GetValues()["reply"] == "" || without.GetValues()["citizen_name"] != "" || without.GetMayReveal() {
			t.Errorf("%v, %v", without, err)
		}
		with, err := p.papers().GetDocument(p.inspector, &pb.GetDocumentRequest{DocumentId: id, Reason: "kiểm tra"})
		if err != nil || with.GetValues()["citizen_name"] != "Nguyễn Văn Tèo" {
			t.Errorf("%v, %v", with, err)
		}
	})
	t.Run("listed", func(t *testing.T) {
		for name, asked := range map[string]*pb.ListDocumentsRequest{"of the case": {CaseId: c.GetId()}, "of the unit": {UnitId: p.mine}} {
			list, err := p.papers().ListDocuments(p.leader, asked)
			if err != nil || len(list.GetDocuments()) != 1 || list.GetDocuments()[0].GetNumber() != issued.GetNumber() {
				t.Errorf("%s: %v, %v", name, list, err)
			}
		}
		_, err := p.papers().ListDocuments(p.stranger, &pb.ListDocumentsRequest{CaseId: c.GetId()})
		wantRefused(t, err, codes.NotFound, "casebook_unknown")
		_, err = p.papers().ListDocuments(p.stranger, &pb.ListDocumentsRequest{UnitId: p.mine})
		wantRefused(t, err, codes.NotFound, "unit_unknown")
		_, err = p.papers().ListDocuments(p.official, &pb.ListDocumentsRequest{UnitId: p.office})
		wantRefused(t, err, codes.PermissionDenied, "action_denied")
	})
	t.Run("cancelled and issued again", func(t *testing.T) {
		_, err := p.papers().CancelDocument(p.inspector, &pb.CancelDocumentRequest{DocumentId: id, Reason: "sai"})
		wantRefused(t, err, codes.PermissionDenied, "action_denied")
		second := &pb.IssueDocumentRequest{DocumentId: uuid.NewString(), CaseId: c.GetId(), Kind: "result_notice", UnitId: p.mine, Values: values, Signer: deputy, ReplacesId: id}
		_, err = p.papers().IssueDocument(p.leader, second)
		wantRefused(t, err, codes.InvalidArgument, "document_replaces_standing")
		cancelled, err := p.papers().CancelDocument(p.leader, &pb.CancelDocumentRequest{DocumentId: id, Reason: "sai ngày"})
		if err != nil || cancelled.GetCancelReason() != "sai ngày" || cancelled.GetMayCancel() {
			t.Fatalf("%v, %v", cancelled, err)
		}
		replaced, err := p.papers().IssueDocument(p.leader, second)
		if err != nil || replaced.GetN() != 2 || replaced.GetReplacesId() != id {
			t.Errorf("%v, %v", replaced, err)
		}
	})
	t.Run("the head of the next paper is that of the last", func(t *testing.T) {
		next, values := p.prepare(p.leader, t, &pb.PrepareDocumentRequest{CaseId: c.GetId(), Kind: "apology"})
		if values["place"] != "Một" || next.GetSigner().GetName() != "Lê Thị Mai" {
			t.Errorf("%v", next)
		}
	})
	t.Run("refused", func(t *testing.T) {
		ask := func(change func(*pb.IssueDocumentRequest)) error {
			r := &pb.IssueDocumentRequest{DocumentId: uuid.NewString(), CaseId: c.GetId(), Kind: "result_notice", UnitId: p.mine, Values: values, Signer: deputy}
			change(r)
			_, err := p.papers().IssueDocument(p.leader, r)
			return err
		}
		wantRefused(t, ask(func(r *pb.IssueDocumentRequest) { r.UnitId = p.top }), codes.NotFound, "unit_unknown")
		wantRefused(t, ask(func(r *pb.IssueDocumentRequest) { r.CaseId = uuid.NewString() }), codes.NotFound, "casebook_unknown")
		wantRefused(t, ask(func(r *pb.IssueDocumentRequest) { r.Kind = "letter" }), codes.InvalidArgument, "document_kind_unknown")
		wantRefused(t, ask(func(r *pb.IssueDocumentRequest) { r.TemplateSha256 = "00" }), codes.Aborted, "document_template_changed")
		wantRefused(t, ask(func(r *pb.IssueDocumentRequest) { r.DocumentId, r.Kind = id, "apology" }), codes.AlreadyExists, "document_id_taken")
		_, err := p.papers().IssueDocument(p.official, request)
		wantRefused(t, err, codes.PermissionDenied, "action_denied")
		_, err = p.papers().IssueDocument(p.stranger, &pb.IssueDocumentRequest{DocumentId: uuid.NewString(), CaseId: c.GetId(), Kind: "result_notice", UnitId: p.sibling, Signer: deputy})
		wantRefused(t, err, codes.NotFound, "casebook_unknown")
	})
	t.Run("templates", func(t *testing.T) { p.templates(t) })
}

// templates are changed by administrators, unit by unit.
func (p *casePeople) templates(t *testing.T) {
	admin := p.as("quản trị xã", pb.Role_ROLE_ADMINISTRATOR, p.mine)
	list, err := p.papers().ListTemplates(p.leader, &pb.ListTemplatesRequest{UnitId: p.office})
	if err != nil || len(list.GetTemplates()) != 6 || !list.GetTemplates()[0].GetProductDefault() || len(list.GetTemplates()[0].GetFields()) == 0 {
		t.Fatalf("%v, %v", list, err)
	}
	save := func(who context.Context, unit, source string, seen int32, check bool) (*pb.DocumentTemplate, error) {
		return p.papers().SaveTemplate(who, &pb.SaveTemplateRequest{UnitId: unit, Kind: "apology", Source: source, SeenVersion: seen, CheckOnly: check})
	}
	const good = "series: TXL\nfields:\n  - {name: gift, label: Quà}\nbody:\n  - text: \"{{.gift}} {{.place}}\"\n"
	_, err = save(admin, p.mine, "series: TXL\nbody:\n  - text: \"{{.x}}\"\n  - text: \"{{.y}}\"\n", 0, true)
	wantRefused(t, err, codes.InvalidArgument, "document_template_unknown_field")
	if words := status.Convert(err).Message(); !strings.Contains(words, "3") {
		t.Errorf("%q", words)
	}
	checked, err := save(admin, p.mine, good, 0, true)
	if err != nil || checked.GetFields()[0].GetLabel() != "Quà" {
		t.Errorf("%v, %v", checked, err)
	}
	if held, err := p.papers().GetTemplate(admin, &pb.GetTemplateRequest{UnitId: p.mine, Kind: "apology"}); err != nil || !held.GetProductDefault() || !strings.Contains(held.GetSource(), "THƯ XIN LỖI") {
		t.Errorf("checking kept it: %v, %v", held, err)
	}
	if saved, err := save(admin, p.mine, good, 0, false); err != nil || saved.GetVersion() != 1 || !saved.GetOwn() || saved.GetOwnVersion() != 1 {
		t.Errorf("%v, %v", saved, err)
	}
	_, err = save(admin, p.mine, good+"size: 13\n", 0, false)
	wantRefused(t, err, codes.Aborted, "document_template_changed")
	below, err := p.papers().GetTemplate(p.leader, &pb.GetTemplateRequest{UnitId: p.office, Kind: "apology"})
	if err != nil || below.GetOwn() || below.GetFromUnitId() != p.mine || below.GetSource() != good {
		t.Errorf("%v, %v", below, err)
	}
	for name, c := range map[string]struct {
		who  context.Context
		unit string
		code codes.Code
		told string
	}{
		"a leader":            {p.leader, p.mine, codes.PermissionDenied, "action_denied"},
		"of another commune":  {admin, p.sibling, codes.NotFound, "unit_unknown"},
		"of everybody":        {admin, "", codes.NotFound, "unit_unknown"},
		"of no unit at all":   {p.admin, "khong-co", codes.NotFound, "unit_unknown"},
		"everybody's, by all": {p.admin, "", codes.OK, ""},
	} {
		if _, err := save(c.who, c.unit, good, 0, false); c.code != codes.OK || err != nil {
			t.Run(name, func(t *testing.T) { wantRefused(t, err, c.code, c.told) })
		}
	}
	versions, err := p.papers().ListTemplateVersions(admin, &pb.ListTemplateVersionsRequest{UnitId: p.mine, Kind: "apology"})
	if err != nil || len(versions.GetVersions()) != 1 || versions.GetVersions()[0].GetSavedBy() != "quản trị xã" {
		t.Errorf("%v, %v", versions, err)
	}
	drawn, err := p.papers().PreviewDocument(admin, &pb.PreviewDocumentRequest{UnitId: p.mine, Kind: "apology", Source: good, Sample: true, Format: "docx"})
	if err != nil || !bytes.HasPrefix(drawn.GetContent(), []byte("PK")) {
		t.Errorf("%v", err)
	}
	_, err = p.papers().PreviewDocument(p.leader, &pb.PreviewDocumentRequest{UnitId: p.mine, Kind: "apology", Source: good, Sample: true})
	wantRefused(t, err, codes.PermissionDenied, "action_denied")
}

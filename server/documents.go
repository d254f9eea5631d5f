package server

import (
	"cmp"
	"context"
	"strconv"
	"strings"

	"google.golang.org/grpc"

	"github.com/hailong-vn/hailong/internal/audit"
	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/document"
	"github.com/hailong-vn/hailong/internal/document/archive"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// documentService makes the papers that leaders sign about cases.
type documentService struct {
	pb.UnimplementedDocumentServiceServer
	*application
}

// openDocuments opens the archive of papers.
func (a *application) openDocuments(ctx context.Context, keys secret.Keys) (err error) {
	a.documents, err = archive.Open(ctx, a.engine, archive.Options{Keys: keys, Now: a.Clock, Logger: a.Logger})
	return err
}

// drawnPerAccount is how many papers an account may have drawn: drawing costs tens of milliseconds.
var drawnPerAccount = bus.Limit{Rate: 60, Per: minute, Burst: 60}

func (s documentService) mayDraw(ctx context.Context) error {
	decision := s.bus.Allow(ctx, "documents/"+callerOf(ctx).AccountID, drawnPerAccount, 1)
	if !decision.Allowed {
		return fault.New(fault.Exhausted, "too_often", "seconds", int(decision.RetryAfter.Seconds())+1)
	}
	return nil
}

func signerOf(signer *pb.DocumentSigner) document.Signer {
	return document.Signer{Authority: signer.GetAuthority(), Position: signer.GetPosition(), Name: signer.GetName(), Account: signer.GetAccountId()}
}

func (s documentService) IssueDocument(ctx context.Context, request *pb.IssueDocumentRequest) (*pb.Document, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.IssueDocuments); err != nil {
		return nil, err
	}
	if err := s.issuing(caller, request.GetUnitId()); err != nil {
		return nil, err
	}
	if request.GetActionId() != "" {
		if err := s.seesAction(ctx, request.GetActionId()); err != nil {
			return nil, err
		}
	} else if _, err := s.readCase(ctx, request.GetCaseId()); err != nil {
		return nil, err
	}
	if err := s.mayDraw(ctx); err != nil {
		return nil, err
	}
	if account := request.GetSigner().GetAccountId(); account != "" {
		if _, err := s.accounts.Known(ctx, account); err != nil {
			return nil, err
		}
	}
	template, err := s.documents.Template(ctx, s.upwards(request.GetUnitId()), document.Kind(request.GetKind()))
	if err != nil {
		return nil, err
	}
	if seen := request.GetTemplateSha256(); seen != "" && seen != template.Reference().SHA256 {
		return nil, fault.New(fault.Stale, "document_template_changed", "name", template.SavedBy.Name, "version", template.Version)
	}
	issued, err := s.documents.Issue(ctx, archive.New{
		ID: request.GetDocumentId(), Unit: request.GetUnitId(), Kind: document.Kind(request.GetKind()), Case: request.GetCaseId(), Action: request.GetActionId(),
		Values: request.GetValues(), Signer: signerOf(request.GetSigner()), Template: template, Replaces: request.GetReplacesId(),
		By: archive.Person{Account: caller.AccountID, Name: caller.Name},
	})
	if err != nil {
		return nil, err
	}
	out := s.documentProto(ctx, issued)
	out.Values = issued.Values
	return out, nil
}

// issuing checks that a unit is the caller's and there today.
func (s documentService) issuing(caller identity.Caller, unitID string) error {
	tree := s.directory.Tree()
	if !tree.On(tree.Today()).Has(unitID) || !s.within(unitID, identity.Scope(caller)) {
		return fault.New(fault.NotFound, "unit_unknown", "unit", unitID)
	}
	return nil
}

// upwards is a unit and those above it, nearest first.
func (a *application) upwards(unitID string) []string {
	if unitID == "" {
		return nil
	}
	units := []string{unitID}
	for _, above := range a.directory.Tree().Ancestors(unitID) {
		units = append(units, above.ID)
	}
	return units
}

// readDocument answers a paper the caller may see: of a case it sees, or in the register of a unit of its subtree.
func (s documentService) readDocument(ctx context.Context, id string) (archive.Document, error) {
	caller := callerOf(ctx)
	if err := mayAny(caller, identity.ReadCases, identity.ReadRegister); err != nil {
		return archive.Document{}, err
	}
	d, err := s.documents.Get(ctx, id)
	if err != nil {
		return d, err
	}
	if caller.May(identity.ReadRegister) && s.within(d.Unit, identity.Scope(caller)) {
		return d, nil
	}
	if d.Case != "" {
		if _, err := s.readCase(ctx, d.Case); err == nil || !fault.Is(err, fault.NotFound) {
			return d, err
		}
	} else if err := s.seesAction(ctx, d.Action); err == nil || !fault.Is(err, fault.NotFound) {
		return d, err
	}
	return archive.Document{}, fault.New(fault.NotFound, "document_unknown")
}

func (s documentService) ListDocuments(ctx context.Context, request *pb.ListDocumentsRequest) (*pb.ListDocumentsResponse, error) {
	caller := callerOf(ctx)
	after, size := store.Cursor(request.GetPageToken()), pageSize(request.GetPageSize())
	var list []archive.Document
	var next store.Cursor
	var err error
	switch {
	case request.GetCaseId() != "":
		if _, err := s.readCase(ctx, request.GetCaseId()); err != nil {
			return nil, err
		}
		list, next, err = s.documents.OfCase(ctx, request.GetCaseId(), after, size)
	case request.GetActionId() != "":
		if err := s.seesAction(ctx, request.GetActionId()); err != nil {
			return nil, err
		}
		list, next, err = s.documents.OfAction(ctx, request.GetActionId(), after, size)
	default:
		if err := caller.Check(identity.ReadRegister); err != nil {
			return nil, err
		}
		if _, there := s.directory.Tree().Get(request.GetUnitId()); !there || !s.within(request.GetUnitId(), identity.Scope(caller)) {
			return nil, fault.New(fault.NotFound, "unit_unknown", "unit", request.GetUnitId())
		}
		year := int(request.GetYear())
		if year == 0 {
			year = yearOf(s.today())
		}
		list, next, err = s.documents.OfUnit(ctx, request.GetUnitId(), year, after, size)
	}
	if err != nil {
		return nil, err
	}
	response := &pb.ListDocumentsResponse{NextPageToken: string(next)}
	for _, d := range list {
		response.Documents = append(response.Documents, s.documentProto(ctx, d))
	}
	return response, nil
}

func (a *application) today() localday.Day {
	day, _ := localday.Of(a.Clock())
	return day
}

func yearOf(day localday.Day) int {
	year, _ := strconv.Atoi(strings.SplitN(string(day), "-", 2)[0])
	return year
}

func (s documentService) GetDocument(ctx context.Context, request *pb.GetDocumentRequest) (*pb.Document, error) {
	d, err := s.readDocument(ctx, request.GetDocumentId())
	if err != nil {
		return nil, err
	}
	out := s.documentProto(ctx, d)
	if caller := callerOf(ctx); unitLevel(caller) && d.IssuedBy.Account != caller.AccountID {
		delete(d.Values, "case_code") // see holdsCode
	}
	if out.Values = d.Values; d.Personal() && strings.TrimSpace(request.GetReason()) != "" {
		if err := s.reveals(ctx, d, "GetDocument", request.GetReason()); err != nil {
			return nil, err
		}
		citizen, err := s.documents.Citizen(d)
		if err != nil {
			return nil, err
		}
		for name, value := range citizen {
			out.Values[name] = value
		}
	}
	return out, nil
}

// reveals checks that the caller may read what names the citizen, and writes down why, whatever came of it.
func (s documentService) reveals(ctx context.Context, d archive.Document, action, reason string) (err error) {
	caller := callerOf(ctx)
	defer func() { s.revealedDocument(ctx, action, d.ID, reason, err) }()
	if !s.mayRevealOf(ctx, d) {
		return fault.New(fault.Denied, "action_denied")
	}
	if len([]rune(strings.TrimSpace(reason))) < leastReason {
		return fault.New(fault.Invalid, "document_reveal_reason")
	}
	decision := s.bus.Allow(ctx, "documents/reveal/"+caller.AccountID, drawnPerAccount, 1)
	if !decision.Allowed {
		return fault.New(fault.Exhausted, "too_often", "seconds", int(decision.RetryAfter.Seconds())+1)
	}
	return nil
}

// leastReason is how many characters say why.
const leastReason = 3

// mayRevealOf: whoever issued a paper wrote the name in it, and prints it; otherwise who may know who spoke in the case.
func (s documentService) mayRevealOf(ctx context.Context, d archive.Document) bool {
	caller := callerOf(ctx)
	if caller.AccountID != "" && d.IssuedBy.Account == caller.AccountID {
		return true
	}
	if d.Case == "" {
		return caller.May(identity.RevealContacts)
	}
	c, err := s.casebook.Get(ctx, d.Case)
	return err == nil && s.mayKnowWho(caller, c)
}

func (s documentService) revealedDocument(ctx context.Context, action, subject, reason string, err error) {
	caller := callerOf(ctx)
	s.audit.Add(ctx, audit.Entry{
		Account: caller.AccountID, Name: caller.Name, Unit: caller.UnitID, Action: action, Subject: subject + " · " + document.Clean(reason, true),
		Outcome: outcomeOf(err), Address: caller.Address,
	})
}

func (s documentService) DownloadDocument(request *pb.DownloadDocumentRequest, stream grpc.ServerStreamingServer[pb.DownloadDocumentResponse]) error {
	ctx := stream.Context()
	d, err := s.readDocument(ctx, request.GetDocumentId())
	if err != nil {
		return err
	}
	format := document.Format(request.GetFormat())
	if err := document.CheckFormat(format); err != nil {
		return err
	}
	if d.Personal() {
		if err := s.reveals(ctx, d, "DownloadDocument", request.GetReason()); err != nil {
			return err
		}
	} else if err := s.mayDraw(ctx); err != nil {
		return err
	}
	data, file, err := s.documents.Open(ctx, d, format)
	if err != nil {
		return err
	}
	if err := stream.Send(&pb.DownloadDocumentResponse{
		FileName: fileName(d.Number, format), MediaType: format.MediaType(), Size: int64(file.Size), Sha256: file.SHA256,
	}); err != nil {
		return err
	}
	for len(data) > 0 {
		n := min(len(data), chunk)
		if err := stream.Send(&pb.DownloadDocumentResponse{Content: data[:n]}); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// fileName is a number as every system takes it for a file: "12-BC-UBND.pdf".
func fileName(number string, format document.Format) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '-'
		}
		return r
	}, number)
	return name + "." + string(format)
}

func (s documentService) CancelDocument(ctx context.Context, request *pb.CancelDocumentRequest) (*pb.Document, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.IssueDocuments); err != nil {
		return nil, err
	}
	d, err := s.readDocument(ctx, request.GetDocumentId())
	if err != nil {
		return nil, err
	}
	if !s.within(d.Unit, identity.Scope(caller)) {
		return nil, fault.New(fault.NotFound, "document_unknown")
	}
	d, err = s.documents.Cancel(ctx, d.ID, request.GetReason(), archive.Person{Account: caller.AccountID, Name: caller.Name})
	if err != nil {
		return nil, err
	}
	return s.documentProto(ctx, d), nil
}

func (s documentService) documentProto(ctx context.Context, d archive.Document) *pb.Document {
	caller := callerOf(ctx)
	out := &pb.Document{
		Id: d.ID, Number: d.Number, Kind: string(d.Kind), UnitId: d.Unit, UnitName: s.unitName(d.Unit), CaseId: d.Case, ActionId: d.Action, Title: d.Title,
		IssuedOn: string(d.Day), Year: int32(d.Year), Series: d.Series, N: int32(min(d.N, 1<<30)), //nolint:gosec // a year, and bounded just here
		Signer:   &pb.DocumentSigner{Authority: d.Signer.Authority, Position: d.Signer.Position, Name: d.Signer.Name, AccountId: d.Signer.Account},
		Personal: d.Personal(), TemplateUnitId: d.Template.Unit, TemplateVersion: int32(min(d.Template.Version, 1<<30)), TemplateSha256: d.Template.SHA256, //nolint:gosec // bounded just here
		ReplacesId: d.Replaces, IssuedAt: timestamp(d.IssuedAt), IssuedBy: d.IssuedBy.Name,
	}
	if c := d.Cancelled; c != nil {
		out.CancelledAt, out.CancelledBy, out.CancelReason = timestamp(c.At), c.By.Name, c.Reason
	}
	out.MayCancel = d.Cancelled == nil && caller.May(identity.IssueDocuments) && s.within(d.Unit, identity.Scope(caller))
	out.MayReveal = d.Personal() && s.mayRevealOf(ctx, d)
	return out
}

func (s documentService) PrepareDocument(ctx context.Context, request *pb.PrepareDocumentRequest) (*pb.PrepareDocumentResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.PrepareDocuments); err != nil {
		return nil, err
	}
	c, err := s.readCase(ctx, request.GetCaseId())
	if err != nil {
		return nil, err
	}
	unitID := cmp.Or(request.GetUnitId(), s.issuerOf(caller, c))
	if err := s.issuing(caller, unitID); err != nil {
		return nil, err
	}
	held, read, err := s.templateOf(ctx, unitID, document.Kind(request.GetKind()), 0)
	if err != nil {
		return nil, err
	}
	last, _, err := s.documents.Last(ctx, unitID)
	if err != nil {
		return nil, err
	}
	values := s.prefilled(c, document.Kind(request.GetKind()), unitID, last)
	if document.Kind(request.GetKind()) == document.CorrectionOrder {
		if err := s.prefillAction(ctx, c.ID, values); err != nil {
			return nil, err
		}
	}
	if !holdsCode(caller, c.Case) {
		delete(values, "case_code")
	}
	if reason := strings.TrimSpace(request.GetRevealReason()); reason != "" {
		if err := s.prefillCitizen(ctx, c, reason, values); err != nil {
			return nil, err
		}
	}
	response := &pb.PrepareDocumentResponse{
		UnitId: unitID, Template: s.templateProto(ctx, unitID, held, read), MayReveal: c.HasContact && s.mayKnowWho(caller, c),
		Signer: &pb.DocumentSigner{Authority: last.Signer.Authority, Position: last.Signer.Position, Name: last.Signer.Name},
	}
	for _, field := range response.GetTemplate().GetFields() {
		field.Value = values[field.GetName()]
		response.Fields = append(response.Fields, field)
	}
	response.Template.Fields = nil
	return response, nil
}

// issuerOf is the unit whose paper it will be where nobody said: the one that received the case, where it is the caller's.
func (s documentService) issuerOf(caller identity.Caller, c casebook.Kept) string {
	for _, unit := range []string{c.Receiving, c.Assigned, c.About} {
		if unit != "" && s.within(unit, identity.Scope(caller)) {
			return unit
		}
	}
	return identity.Scope(caller)
}

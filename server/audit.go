package server

import (
	"context"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/hailong-vn/hailong/internal/audit"
	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s operationsService) ListAudit(ctx context.Context, request *pb.ListAuditRequest) (*pb.ListAuditResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadAudit); err != nil {
		return nil, err
	}
	scope := identity.Scope(caller)
	entries, next, err := s.audit.List(ctx, audit.Query{
		Account: request.GetAccountId(), Action: request.GetAction(), Size: pageSize(request.GetPageSize()), After: store.Cursor(request.GetPageToken()),
	}, func(entry audit.Entry) bool { return s.within(entry.Unit, scope) })
	if err != nil {
		return nil, err
	}
	response := &pb.ListAuditResponse{NextPageToken: string(next)}
	for _, entry := range entries {
		response.Entries = append(response.Entries, &pb.AuditEntry{
			Id: entry.ID, At: timestamp(entry.At), AccountId: entry.Account, AccountName: entry.Name, Action: entry.Action,
			Subject: entry.Subject, Outcome: entry.Outcome, Address: entry.Address, Reason: entry.Reason,
		})
	}
	return response, nil
}

const contractPrefix = "/hailong.v1."

// What calls are audited. A call changes something unless its name says that it reads.
var (
	readingWords = []string{"Get", "List", "Watch", "Rank", "Compare"}
	// personal are calls that read the words of citizens.
	personal = map[string]bool{"ListRatings": true, "GetCase": true, "ListContestable": true, "ListContests": true}
	// unaudited are ratings, and a call while it goes on, which are their own record; what writes its own line, with a reason; and that somebody
	// looked at the own notices.
	unaudited = map[string]bool{"CreateRating": true, "SubmitRatings": true, "StreamRatings": true, "EnterSlip": true, "MarkNoticesRead": true,
		"SaveCall": true, "RevealCaller": true, "PrepareDocument": true, "PreviewDocument": true, "DownloadDocument": true, "RevealRegister": true, "ExportRegister": true}
)

func reads(method string) bool {
	for _, word := range readingWords {
		if strings.HasPrefix(method, word) {
			return true
		}
	}
	return false
}

// auditCall adds what a call did to the audit. It never fails the call.
func (a *application) auditCall(ctx context.Context, fullMethod string, request, response any, err error) {
	service, method, _ := strings.Cut(strings.TrimPrefix(fullMethod, contractPrefix), "/")
	if !strings.HasPrefix(fullMethod, contractPrefix) || service == "" || unaudited[method] {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			a.Logger.ErrorContext(ctx, "panic in the audit of a call", "method", fullMethod, "panic", p)
		}
	}()
	if method == "CreateSession" {
		a.auditSignIn(ctx, request, response, err)
		return
	}
	caller := callerOf(ctx)
	if caller.Kind != identity.CallerAccount {
		return
	}
	entry := audit.Entry{
		Account: caller.AccountID, Name: caller.Name, Unit: caller.UnitID, Action: method, Outcome: outcomeOf(err), Address: caller.Address,
	}
	if asked, ok := request.(interface{ GetReason() string }); ok && strings.HasPrefix(method, "Reveal") {
		entry.Reason = asked.GetReason()
	}
	switch {
	case !reads(method) || personal[method]:
		entry.Subject = subjectOf(method, request, response)
		a.audit.Add(ctx, entry)
	case a.outOfScope(err, request):
		entry.Subject = unitOf(request)
		if a.bus.Allow(ctx, "audit/"+caller.AccountID, auditedRefusals, 1).Allowed {
			a.audit.AddLater(entry)
		}
	}
}

// auditedRefusals bounds the entries that refusals of one account, or of its name, make.
var auditedRefusals = bus.Limit{Rate: 60, Per: time.Minute, Burst: 120}

// auditSignIn adds that somebody signed in, or was refused under a name that an account has. What else was typed, which may
// be a password, is not kept.
func (a *application) auditSignIn(ctx context.Context, request, response any, err error) {
	entry := audit.Entry{Action: "CreateSession", Outcome: outcomeOf(err), Address: callerOf(ctx).Address}
	if session, ok := response.(*pb.CreateSessionResponse); ok && err == nil && session != nil {
		account := session.GetAccount()
		entry.Account, entry.Name, entry.Unit, entry.Subject = account.GetId(), account.GetName(), account.GetUnitId(), account.GetId()
		a.audit.Add(ctx, entry)
		return
	}
	asked, ok := request.(*pb.CreateSessionRequest)
	if !ok || fault.Of(err).Code != fault.Unauthenticated && fault.Of(err).Code != fault.Exhausted {
		return
	}
	account, findErr := a.accounts.Named(ctx, identity.System(), a.within, asked.GetName())
	if findErr != nil || !a.bus.Allow(ctx, "audit/sign-in/"+account.ID, auditedRefusals, 1).Allowed {
		return
	}
	entry.Subject, entry.Unit = account.Name, account.UnitID
	a.audit.AddLater(entry)
}

// outcomeOf is what came of a call: "OK" or the name of its code.
func outcomeOf(err error) string {
	if err == nil {
		return codes.OK.String()
	}
	if known, ok := statusCodes[fault.Of(err).Code]; ok && status.Code(err) == codes.Unknown {
		return known.String()
	}
	return status.Code(err).String()
}

// outOfScope tells whether a call was refused because its unit lies outside the caller's subtree; a unit that is nowhere is a
// slip of the hand.
func (a *application) outOfScope(err error, request any) bool {
	if err == nil || fault.Of(err).Reason != "unit_unknown" {
		return false
	}
	_, there := a.directory.Tree().Get(unitOf(request))
	return there
}

func unitOf(request any) string {
	if asked, ok := request.(interface{ GetUnitId() string }); ok {
		return asked.GetUnitId()
	}
	return ""
}

// madeHere are the beginnings of calls that make what they are about: its id stands in the answer.
var madeHere = []string{"Create", "Open", "Start", "Publish"}

// subjectOf finds whom or what a call was about: the first id or name in its request, or in its answer where the call makes
// it. No other field is ever looked at: passwords and comments stand in others.
func subjectOf(method string, request, response any) string {
	parts := []any{request, response}
	for _, word := range madeHere {
		if strings.HasPrefix(method, word) {
			parts = []any{response, request}
		}
	}
	for _, part := range parts {
		if message, ok := part.(proto.Message); ok && message != nil && message.ProtoReflect().IsValid() {
			if subject := firstName(message.ProtoReflect(), 2); subject != "" {
				return subject
			}
		}
	}
	return ""
}

func firstName(message protoreflect.Message, depth int) string {
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		name := string(field.Name())
		named := name == "id" || name == "name" || strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_name")
		if named && field.Kind() == protoreflect.StringKind && !field.IsList() {
			if value := message.Get(field).String(); value != "" {
				return value
			}
		}
	}
	if depth == 0 {
		return ""
	}
	for i := range fields.Len() {
		field := fields.Get(i)
		if field.Kind() == protoreflect.MessageKind && !field.IsList() && !field.IsMap() && message.Has(field) {
			if value := firstName(message.Get(field).Message(), depth-1); value != "" {
				return value
			}
		}
	}
	return ""
}

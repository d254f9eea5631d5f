package server

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// caseService sees opinions through to an accepted explanation.
type caseService struct {
	pb.UnimplementedCaseServiceServer
	*application
}

// visible tells whether a caller may see a case at all. An official sees what the own unit is to explain, where it is asked itself or
// nobody in particular is, and what is about it; a head what the own unit is in charge of or received; the others what their subtree has
// to do with.
func (a *application) visible(caller identity.Caller, c casebook.Kept) bool {
	scope := identity.Scope(caller)
	within := func(unit string) bool { return unit != "" && a.within(unit, scope) }
	switch {
	case caller.Kind == identity.CallerSystem:
		return true
	case caller.Role == pb.Role_ROLE_OFFICIAL:
		mine := caller.OfficialID != "" && (slices.Contains(c.Asked, caller.OfficialID) || slices.Contains(c.OfficialsAbout(), caller.OfficialID))
		return within(c.Assigned) && (mine || len(c.Asked) == 0)
	case caller.Role == pb.Role_ROLE_HEAD:
		return within(c.Assigned) || within(c.Receiving)
	}
	return within(c.Receiving) || within(c.Assigned) || within(c.About)
}

// readCase answers a case the caller may see; one it may not see is not there. Whoever stands in for somebody sees what that one does.
func (a *application) readCase(ctx context.Context, id string) (casebook.Kept, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadCases); err != nil {
		return casebook.Kept{}, err
	}
	c, err := a.casebook.Get(ctx, id)
	if err != nil {
		return c, err
	}
	if !a.visible(caller, c) && !a.visibleForOthers(ctx, caller, c) {
		return casebook.Kept{}, fault.New(fault.NotFound, "casebook_unknown", "case", id)
	}
	return c, nil
}

func (a *application) visibleForOthers(ctx context.Context, caller identity.Caller, c casebook.Kept) bool {
	return slices.ContainsFunc(a.standIns(ctx, caller.AccountID, nil), func(one casework.StandIn) bool {
		account, err := a.accounts.Known(ctx, one.Account)
		return err == nil && a.visible(identity.Caller{Kind: identity.CallerAccount, Role: account.Role, UnitID: account.UnitID, OfficialID: account.OfficialID}, c)
	})
}

func (s caseService) OpenCase(ctx context.Context, request *pb.OpenCaseRequest) (*pb.Case, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.OpenCases); err != nil {
		return nil, err
	}
	receiving := request.GetReceivingUnitId()
	if receiving == "" && request.GetAboutUnitId() != "" {
		receiving = s.office.Receiving(request.GetAboutUnitId())
	}
	for _, unit := range []string{receiving, request.GetAboutUnitId(), request.GetCollective().GetUnitId()} {
		if unit != "" && !s.within(unit, identity.Scope(caller)) {
			return nil, fault.New(fault.NotFound, "unit_unknown", "unit", unit)
		}
	}
	if err := s.ratingsWithin(ctx, request.GetRatingIds(), identity.Scope(caller)); err != nil {
		return nil, err
	}
	id := request.GetCaseId()
	if id == "" {
		made, err := uuid.NewV7()
		if err != nil {
			return nil, fault.New(fault.Internal, "internal").Because(err)
		}
		id = made.String()
	}
	opening := casebook.New{
		ID: id, Source: casework.Source(request.GetSource()), Receiving: receiving, About: request.GetAboutUnitId(), Officials: request.GetOfficialIds(),
		Ratings: request.GetRatingIds(), Collective: scopeOf(request.GetCollective()), Title: request.GetTitle(), Words: request.GetWords(),
		Call: request.GetCallId(), Procedure: request.GetProcedureCode(), Dossier: request.GetDossierCode(), WithCode: request.GetCollective() == nil,
	}
	if contact := request.GetContact(); contact != nil {
		opening.Contact = &casebook.Contact{Name: contact.GetName(), Phone: contact.GetPhone(), Email: contact.GetEmail(), Address: contact.GetAddress()}
	}
	actor, err := s.caseActor(ctx, "")
	if err != nil {
		return nil, err
	}
	opened, err := s.casebook.Open(ctx, opening, actor)
	if err != nil {
		return nil, err
	}
	return s.caseProto(ctx, opened), nil
}

// ratingsWithin checks that ratings, by record id, are there and of a unit in scope: a case that holds them counts as what was done about
// them. NotFound "cases_rating_unknown".
func (s caseService) ratingsWithin(ctx context.Context, ids []string, scope string) error {
	for _, id := range ids {
		_, unit, _ := rating.SplitRecordID(id)
		if unit == "" || !s.within(unit, scope) {
			return fault.New(fault.NotFound, "cases_rating_unknown")
		}
		_, err := s.engine.Ratings().Get(ctx, id)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
			return fault.New(fault.NotFound, "cases_rating_unknown")
		}
		if err != nil {
			return store.Told(err, "casebook_unavailable")
		}
	}
	return nil
}

func (s caseService) GetCase(ctx context.Context, request *pb.GetCaseRequest) (*pb.GetCaseResponse, error) {
	c, err := s.readCase(ctx, request.GetCaseId())
	if err != nil {
		return nil, err
	}
	response := &pb.GetCaseResponse{Case: s.caseProto(ctx, c), History: s.history(ctx, c.Case)}
	said, err := s.casebook.Words(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	for _, one := range said {
		at := one.At
		if veilsTime(callerOf(ctx), c.Case) && !at.After(c.OpenedAt) {
			at = dayOnly(at)
		}
		response.Words = append(response.Words, &pb.CaseWords{At: timestamp(at), Event: saidAt(c.Case, one), Text: one.Text, Erased: !one.ErasedAt.IsZero()})
	}
	if response.Choices, err = s.choices(ctx, c); err != nil {
		return nil, err
	}
	if explained, ok := c.Explanation(); ok {
		response.Explanation = explanationProto(&explained.Explanation)
	}
	caller := callerOf(ctx)
	response.HasContact = c.HasContact && s.mayKnowWho(caller, c)
	if response.Alike, err = s.alike(ctx, c); err != nil {
		return nil, err
	}
	response.OfficialNames, response.UnitNames = s.names(c)
	response.OpenWith = s.openWith(ctx, c.ID)
	return response, nil
}

// choices are what the caller may do with a case, in its own right before that of others.
func (s caseService) choices(ctx context.Context, c casebook.Kept) ([]*pb.CaseChoice, error) {
	if !callerOf(ctx).May(identity.ActOnCases) {
		return nil, nil
	}
	machine, err := s.casebook.Machine(c.Receiving)
	if err != nil {
		return nil, err
	}
	actors, err := s.caseActors(ctx, c.Assigned, c.Receiving)
	if err != nil {
		return nil, err
	}
	called := s.called(ctx)
	var out []*pb.CaseChoice
	seen := map[casework.Name]bool{}
	for _, actor := range actors {
		for _, row := range machine.Choices(c.Case, actor, s.Clock()) {
			if seen[row.Event] || row.Event == casework.Attach {
				continue
			}
			seen[row.Event] = true
			choice := &pb.CaseChoice{Event: string(row.Event), To: string(row.To)}
			for _, need := range row.Needs {
				choice.Needs = append(choice.Needs, string(need))
			}
			if actor.For != nil {
				choice.ForAccountId, choice.ForName = actor.For.Account, called(actor.For.Account)
			}
			out = append(out, choice)
		}
	}
	return out, nil
}

// mayKnowWho tells whether the caller may ask who spoke: never somebody the case is about, nor who is to explain it.
func (a *application) mayKnowWho(caller identity.Caller, c casebook.Kept) bool {
	return caller.May(identity.RevealContacts) && (caller.OfficialID == "" || !slices.Contains(c.OfficialsAbout(), caller.OfficialID)) && !slices.Contains(c.Asked, caller.OfficialID)
}

// alike are earlier explanations that the one handed in is much like, for whoever judges it.
func (s caseService) alike(ctx context.Context, c casebook.Kept) ([]*pb.AlikeExplanation, error) {
	caller := callerOf(ctx)
	if c.State != casework.Explained || caller.Role != pb.Role_ROLE_LEADER && caller.Role != pb.Role_ROLE_INSPECTOR {
		return nil, nil
	}
	explained, ok := c.Explanation()
	if !ok {
		return nil, nil
	}
	found, ok, err := s.casebook.Alike(ctx, c.ID, explained.Unit, explained.By.Account, explained.Text())
	if err != nil || !ok || found.Share < s.office.Opening(c.Receiving).CopiedShare() {
		return nil, err
	}
	other, err := s.casebook.Get(ctx, found.Case)
	if err != nil {
		return nil, err
	}
	alike := &pb.AlikeExplanation{Share: found.Share, Number: s.shownNumber(other.Number)}
	if found.Entry < len(other.History) {
		alike.On = string(other.History[found.Entry].Day())
	}
	if s.visible(caller, other) {
		alike.CaseId = other.ID
	}
	return []*pb.AlikeExplanation{alike}, nil
}

// saidAt is the event at which a citizen said something.
func saidAt(c casework.Case, words casebook.Words) string {
	for _, e := range c.History {
		if e.Event.Private == words.ID {
			return string(e.Event.Name)
		}
	}
	return string(words.Kind)
}

// names are those of everything the case names.
func (s caseService) names(c casebook.Kept) (officials, units map[string]string) {
	officials, units = map[string]string{}, map[string]string{}
	add := func(ids ...string) {
		for _, id := range ids {
			if official, ok := s.directory.Official(id); ok {
				officials[id] = official.Name
			}
		}
	}
	unit := func(ids ...string) {
		for _, id := range ids {
			if id != "" {
				units[id] = s.unitName(id)
			}
		}
	}
	add(c.OfficialsAbout()...)
	add(c.Asked...)
	unit(c.Receiving, c.About, c.Assigned)
	if c.Collective != nil {
		add(c.Collective.Official)
		unit(c.Collective.Unit)
	}
	for _, e := range c.History {
		add(e.Event.Officials...)
		unit(e.Unit, e.Event.Unit)
		if e.Event.Explanation != nil {
			add(e.Event.Explanation.Responsible...)
		}
	}
	return officials, units
}

func (s caseService) ApplyCaseEvent(ctx context.Context, request *pb.ApplyCaseEventRequest) (*pb.Case, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ActOnCases); err != nil {
		return nil, err
	}
	c, err := s.readCase(ctx, request.GetCaseId())
	if err != nil {
		return nil, err
	}
	event := eventOf(request.GetEvent())
	switch event.Name {
	case casework.Open, casework.Escalate, casework.Close:
		return nil, fault.New(fault.Denied, "casework_denied", "event", event.Name)
	}
	if event.Unit != "" {
		if _, there := s.directory.Tree().Get(event.Unit); !there {
			return nil, fault.New(fault.NotFound, "unit_unknown", "unit", event.Unit)
		}
	}
	if into := request.GetEvent().GetIntoCaseId(); into != "" {
		target, err := s.readCase(ctx, into)
		if err != nil {
			return nil, err
		}
		event.Into = casework.TargetOf(target.Case)
	}
	actor, err := s.caseActor(ctx, request.GetForAccountId(), c.Assigned, c.Receiving)
	if err != nil {
		return nil, err
	}
	scope := identity.Scope(caller)
	if actor.For != nil {
		scope = actor.For.Scope
	}
	if err := s.ratingsWithin(ctx, event.Ratings, scope); err != nil {
		return nil, err
	}
	after, err := s.casebook.Apply(ctx, c.ID, store.Version(request.GetVersion()), event, request.GetEvent().GetWords(), actor)
	if err != nil {
		return nil, s.overtaken(ctx, err)
	}
	if event.Name == casework.Submit {
		if err := s.casebook.DropDraft(ctx, c.ID, callerOf(ctx).AccountID); err != nil {
			s.Logger.WarnContext(ctx, "the draft of an explanation that was handed in is still there", "case", c.ID, "error", err)
		}
	}
	return s.caseProto(ctx, after), nil
}

// overtaken says in the caller's language who was first and with what.
func (s caseService) overtaken(ctx context.Context, err error) error {
	var changed *casebook.ChangedError
	if !errors.As(err, &changed) || len(changed.Since) == 0 {
		return err
	}
	in, last := languageOf(ctx), changed.Since[len(changed.Since)-1]
	who := s.called(ctx)(last.By.Account)
	if who == "" {
		who = in.Text("casework.role." + string(last.By.Role))
	}
	return fault.New(fault.Stale, "cases_changed", "who", who, "event", in.Text("casework.event."+string(last.Event.Name)),
		"state", in.Text("casework.state."+string(changed.Now.State))).Because(err)
}

func (s caseService) RevealContact(ctx context.Context, request *pb.RevealContactRequest) (*pb.CaseContact, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.RevealContacts); err != nil {
		return nil, err
	}
	c, err := s.readCase(ctx, request.GetCaseId())
	if err != nil {
		return nil, err
	}
	if !s.mayKnowWho(caller, c) {
		return nil, fault.New(fault.Denied, "action_denied")
	}
	contact, left, err := s.casebook.Contact(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if !left {
		return nil, fault.New(fault.NotFound, "cases_no_contact")
	}
	return &pb.CaseContact{Name: contact.Name, Phone: contact.Phone, Email: contact.Email, Address: contact.Address}, nil
}

// How long somebody is said to have a case open after the page last said so.
const openFor = 45 * time.Second

func casePlace(id string) string { return "case/" + id }

func (s caseService) KeepCaseOpen(ctx context.Context, request *pb.KeepCaseOpenRequest) (*pb.KeepCaseOpenResponse, error) {
	c, err := s.readCase(ctx, request.GetCaseId())
	if err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	if caller.Role != pb.Role_ROLE_INSPECTOR { // who inspects is not told to those inspected
		if err := s.bus.Announce(ctx, casePlace(c.ID), caller.AccountID, openFor); err != nil {
			s.Logger.WarnContext(ctx, "who has a case open cannot be told", "error", err)
		}
	}
	return &pb.KeepCaseOpenResponse{OpenWith: s.openWith(ctx, c.ID), Version: int64(c.Version)}, nil
}

// openWith is what others are called who have a case open. What the bus cannot tell is nobody.
func (s caseService) openWith(ctx context.Context, id string) []string {
	present, err := s.bus.Present(ctx, casePlace(id))
	if err != nil {
		return nil
	}
	called := s.called(ctx)
	var out []string
	for _, account := range present {
		if account != callerOf(ctx).AccountID {
			if name := called(account); name != "" {
				out = append(out, name)
			}
		}
	}
	return out
}

func (s caseService) GetDraft(ctx context.Context, request *pb.GetDraftRequest) (*pb.ExplanationDraft, error) {
	c, err := s.writesDraft(ctx, request.GetCaseId())
	if err != nil {
		return nil, err
	}
	draft, _, err := s.casebook.Draft(ctx, c.ID, callerOf(ctx).AccountID)
	if err != nil {
		return nil, err
	}
	return draftProto(draft), nil
}

func (s caseService) SaveDraft(ctx context.Context, request *pb.SaveDraftRequest) (*pb.ExplanationDraft, error) {
	c, err := s.writesDraft(ctx, request.GetCaseId())
	if err != nil {
		return nil, err
	}
	explanation := casework.Explanation{}
	if typed := explanationOf(request.GetExplanation()); typed != nil {
		explanation = *typed
	}
	version, err := s.casebook.SaveDraft(ctx, c.ID, callerOf(ctx).AccountID, store.Version(request.GetVersion()), explanation)
	if err != nil {
		return nil, err
	}
	return draftProto(casebook.Draft{Explanation: explanation, Version: version, SavedAt: s.Clock()}), nil
}

func (s caseService) writesDraft(ctx context.Context, id string) (casebook.Kept, error) {
	if err := callerOf(ctx).Check(identity.ActOnCases); err != nil {
		return casebook.Kept{}, err
	}
	return s.readCase(ctx, id)
}

func draftProto(d casebook.Draft) *pb.ExplanationDraft {
	return &pb.ExplanationDraft{Version: int64(d.Version), Explanation: explanationProto(&d.Explanation), SavedAt: timestamp(d.SavedAt)}
}

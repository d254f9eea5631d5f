package server

import (
	"context"
	"slices"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/citizen"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// held is a code with the work that was done for it.
type held interface {
	GetCode() string
	GetWorkToken() string
	GetProofOfWork() string
}

// byCode finds the case of a code. A code that cannot be one and one that no case has cost the same, and are told apart only by what
// anybody could compute.
func (s caseService) byCode(ctx context.Context, h held) (casebook.Kept, error) {
	address := callerOf(ctx).Address
	code, unreadable := casework.ParseCode(h.GetCode())
	if err := s.gate.AdmitCode(ctx, citizen.CodeAttempt{Code: string(code), Address: address, Token: h.GetWorkToken(), Proof: h.GetProofOfWork()}); err != nil {
		return casebook.Kept{}, err
	}
	if unreadable != nil {
		s.gate.WrongCode(ctx, address)
		return casebook.Kept{}, unreadable
	}
	kept, err := s.casebook.ByCode(ctx, string(code))
	if fault.Is(err, fault.NotFound) {
		s.gate.WrongCode(ctx, address)
	}
	return kept, err
}

func (s caseService) GetCodeWork(ctx context.Context, request *pb.GetCodeWorkRequest) (*pb.GetCodeWorkResponse, error) {
	if err := s.gate.AllowForm(ctx, callerOf(ctx).Address); err != nil {
		return nil, err
	}
	code, err := casework.ParseCode(request.GetCode())
	if err != nil {
		code = "" // work for it would be lost; the next look says what is wrong
	}
	return &pb.GetCodeWorkResponse{WorkToken: s.gate.IssueWork(string(code)), WorkBits: uint32(s.gate.WorkBits)}, nil //nolint:gosec // at most 256
}

func (s caseService) FollowCase(ctx context.Context, request *pb.FollowCaseRequest) (*pb.PublicCase, error) {
	kept, err := s.byCode(ctx, request)
	if err != nil {
		return nil, err
	}
	return s.publicCase(ctx, kept)
}

func (s caseService) GiveVerdict(ctx context.Context, request *pb.GiveVerdictRequest) (*pb.PublicCase, error) {
	kept, err := s.byCode(ctx, request)
	if err != nil {
		return nil, err
	}
	for {
		round := int(request.GetRound())
		if round == 0 {
			round = replies(kept.Case)
		}
		if verdictOn(kept.Case, round) { // it was sent before, or somebody else who holds the code was first
			return s.publicCase(ctx, kept)
		}
		if round != replies(kept.Case) || kept.State != casework.Replied {
			return nil, fault.New(fault.Stale, "citizen_verdict_over")
		}
		event, words := casework.Event{Name: casework.Satisfied}, ""
		if !request.GetAnswered() {
			event.Name, words = casework.Reopen, request.GetWords()
			if kept.Reopened {
				event.Name = casework.StillDissatisfied
			}
			for _, reason := range request.GetReasons() {
				event.Reasons = append(event.Reasons, casework.Reason(reason))
			}
		}
		after, err := s.casebook.Apply(ctx, kept.ID, kept.Version, event, words, casework.TheCitizen())
		if err == nil {
			return s.publicCase(ctx, after)
		}
		seen := kept.Version
		if !fault.Is(err, fault.Stale) {
			return nil, err
		}
		// Something happened meanwhile, such as the same verdict over a second connection: look again.
		if kept, err = s.casebook.Get(ctx, kept.ID); err != nil {
			return nil, err
		}
		if kept.Version == seen {
			return nil, fault.New(fault.Stale, "citizen_verdict_over")
		}
	}
}

// replies counts the replies that were published.
func replies(c casework.Case) int {
	n := 0
	for _, e := range c.History {
		if e.Event.Name == casework.Reply {
			n++
		}
	}
	return n
}

// verdictOn tells whether a verdict on a reply stands.
func verdictOn(c casework.Case, round int) bool {
	n := 0
	for _, e := range c.History {
		switch e.Event.Name { //nolint:exhaustive // only these concern a verdict
		case casework.Reply:
			n++
		case casework.Satisfied, casework.Reopen, casework.StillDissatisfied:
			if n == round {
				return true
			}
		}
	}
	return false
}

// shownSteps are what a citizen sees of a case's way. What goes on between a unit and its leader is not among them.
var shownSteps = []casework.Name{
	casework.Open, casework.Assign, casework.Reassign, casework.RequestExplanation, casework.Submit, casework.Accept, casework.Reply, casework.Satisfied, casework.Reopen,
	casework.StillDissatisfied, casework.Close, casework.PutOutOfScope, casework.HandOver, casework.TakenUp, casework.RouteResult, casework.PutBack, casework.Merge,
	casework.Withdraw, casework.Extend, casework.Suspend, casework.Resume,
}

// publicCase is what whoever holds a code may see: names of units, never of people, and nothing of what was said but the published reply.
func (s caseService) publicCase(ctx context.Context, kept casebook.Kept) (*pb.PublicCase, error) {
	out := &pb.PublicCase{
		Code: kept.Code.String(), Number: s.shownNumber(kept.Number), ReceivingUnit: s.unitName(kept.Receiving), AssignedUnit: s.unitName(kept.Assigned),
		State: string(kept.State), ReceivedOn: string(kept.History[0].Day()), RouteKind: string(kept.Route.Kind), RoutedTo: kept.Route.To,
		MayAnswer: kept.State == casework.Replied, MayReopen: kept.State == casework.Replied && !kept.Reopened, Round: int32(replies(kept.Case)), //nolint:gosec // at most casework.MaxHistory
	}
	for _, e := range kept.History {
		switch e.Event.Name { //nolint:exhaustive // only what is read again
		case casework.Reply, casework.RouteResult:
			out.Reply = e.Event.Text
		case casework.HandOver:
			out.RoutedBy = e.Event.Document
		case casework.PutBack:
			out.RoutedBy = ""
		}
		if slices.Contains(shownSteps, e.Event.Name) {
			out.Steps = append(out.Steps, &pb.PublicStep{On: string(e.Day()), State: string(e.To), Event: string(e.Event.Name)})
		}
	}
	for _, clock := range s.clocks(ctx, kept.Clocks) {
		switch clock.GetName() {
		case casework.ClockReply:
			out.ReplyDueOn, out.Late, out.DueWarning = clock.GetDueOn(), clock.GetLate(), clock.GetWarning()
		case casework.ClockVerdict:
			out.AnswerUntil = clock.GetDueOn()
		}
	}
	if kept.MergedInto != "" {
		reply, err := s.replyOfRoot(ctx, kept.MergedInto)
		if err != nil {
			return nil, err
		}
		out.Reply = reply
	}
	return out, nil
}

// maxMerged is how often a case is followed to where it was merged into.
const maxMerged = 20

// replyOfRoot is the published reply of the case that another was merged into in the end; "" while there is none.
func (s caseService) replyOfRoot(ctx context.Context, id string) (string, error) {
	for range maxMerged {
		into, err := s.casebook.Get(ctx, id)
		if err != nil {
			return "", err
		}
		if id = into.MergedInto; id != "" {
			continue
		}
		reply := ""
		for _, e := range into.History {
			if e.Event.Name == casework.Reply {
				reply = e.Event.Text
			}
		}
		return reply, nil
	}
	return "", nil
}

// FollowRating is for whoever gave a rating on the web: the token of its form, which nobody else has, leads to the case.
func (s caseService) FollowRating(ctx context.Context, request *pb.FollowRatingRequest) (*pb.FollowRatingResponse, error) {
	if err := s.gate.AllowForm(ctx, callerOf(ctx).Address); err != nil {
		return nil, err
	}
	form := citizen.Form{Unit: request.GetUnitId(), Counter: request.GetCounterId(), Rating: request.GetRatingId()}
	if err := s.gate.Check(form, request.GetFormToken()); err != nil {
		return nil, err
	}
	record := rating.RecordID(s.directory.Tree().Home(form.Unit), form.Unit, form.Rating)
	if err := store.CheckID(record); err != nil {
		return &pb.FollowRatingResponse{}, nil
	}
	cases, err := s.casebook.ByRating(ctx, record)
	if err != nil {
		return nil, err
	}
	for _, kept := range cases {
		// A case that holds others' ratings too is not this person's alone to decide on.
		if kept.Collective == nil && len(kept.Ratings) == 1 && kept.Ratings[0] == record {
			return &pb.FollowRatingResponse{Code: string(kept.Code)}, nil
		}
	}
	return &pb.FollowRatingResponse{}, nil
}

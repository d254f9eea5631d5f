package casework

// Row is one line of a table: an event in a state, and all that is said about it.
type Row struct {
	Event  Name
	From   State // "" = before there was any
	To     State
	Who    []Who   // any of these may
	Needs  []Need  // all of these
	Guards []Guard // all of these hold
	Clocks []Tick  // in this order
	Tell   []Audience
}

// Who is a role in a relation to the case.
type Who struct {
	Role     Role
	Relation Relation
}

// Relation of somebody to a case or an action.
type Relation string

// The relations.
const (
	Anyone          Relation = "anyone"    // the role alone does
	OfReceivingUnit Relation = "receiving" // works for the receiving (of an action: ordering) unit, or above it
	OfAssignedUnit  Relation = "assigned"  // works for the unit in charge, or above it
)

// Need is something an event cannot be without.
type Need string

// The needs.
const (
	NeedUnit          Need = "unit"
	NeedReason        Need = "reason"
	NeedReturnReasons Need = "return_reasons"
	NeedReopenReasons Need = "reopen_reasons"
	NeedWithdrawal    Need = "withdrawal" // why, in words of the office, or the citizen's own, kept apart
	NeedExplanation   Need = "explanation"
	NeedFinding       Need = "finding"
	NeedText          Need = "text"
	NeedDocument      Need = "document"
	NeedRoute         Need = "route"
	NeedTarget        Need = "target"
	NeedRatings       Need = "ratings"
	NeedClock         Need = "clock"
	NeedDays          Need = "days"
	NeedProduct       Need = "product"
	NeedDue           Need = "due"
	NeedEvidence      Need = "evidence"
)

// Guard is something that must be so.
type Guard string

// The guards.
const (
	NotAuthor      Guard = "not_author"        // whoever wrote an explanation of the case does not judge one
	NotSubject     Guard = "not_subject"       // nor whom it is about, who was asked, or who is responsible
	NotHead        Guard = "not_head"          // nor who heads the unit that explains
	AskedOnly      Guard = "asked_only"        // where officials were asked, an official must be one of them
	OnceReopened   Guard = "once_reopened"     // it was reopened before
	NeverReopened  Guard = "never_reopened"    // it was not
	VerdictOver    Guard = "verdict_over"      // the time to say whether the reply answers is over
	CollectiveOnly Guard = "collective_only"   // nobody waits for a reply
	NotHandedOver  Guard = "not_handed_over"   //
	IsHandedOver   Guard = "handed_over"       //
	NotTakenUp     Guard = "not_taken_up"      //
	MaySuspend     Guard = "may_suspend"       // some clock may stand still, and none does
	IsSuspended    Guard = "suspended"         // some clock does
	ClockLate      Guard = "clock_late"        // the clock is late enough for the next level
	Earlier        Guard = "earlier"           // the other case came before this one and is no duplicate: so there are no cycles
	NotReporter    Guard = "not_reporter"      // whoever reported an action done does not confirm it
	NotOwner       Guard = "not_owner"         // nor who was to do it
	NotHeadOfOwner Guard = "not_head_of_owner" // nor who heads the unit that was to do it
)

// Tick is what happens to a clock.
type Tick struct {
	Do    Do
	Clock string // name of a rule; "" with StopAll, SuspendAll, ResumeAll; ByRoute = by what the matter turned out to be
}

// Do is what is done to a clock.
type Do string

// What may be done.
const (
	Start      Do = "start"
	Stop       Do = "stop" // nothing where it does not run
	StopAll    Do = "stop_all"
	SuspendAll Do = "suspend" // those that may, by their rule
	ResumeAll  Do = "resume"
	ExtendOne  Do = "extend"   // the one the event names
	RaiseOne   Do = "escalate" // the one the event names
)

// The clocks, by their rules in package deadline.
const (
	ClockAssign  = "assign"  // received → assigned
	ClockRequest = "request" // assigned → explanation requested
	ClockExplain = "explain"
	ClockRework  = "rework" // returned → explained
	ClockReview  = "review" // explained → accepted or returned
	ClockReply   = "reply"  // what the citizen sees: received → replied
	ClockVerdict = "verdict"
	ClockForward = "forward" // out of scope → handed over
	ClockCorrect = "correct" // an action
	ClockConfirm = "confirm" // an action reported → confirmed
	ClockContest = "contest"

	NoticeByRoute = "notice_by_route" // handed over → taken up
	SettleByRoute = "settle_by_route" // taken up → settled
)

// Clocks lists the rules that casework cannot be without.
func Clocks() []string {
	return []string{ClockAssign, ClockRequest, ClockExplain, ClockRework, ClockReview, ClockReply, ClockVerdict, ClockForward, ClockCorrect, ClockConfirm, ClockContest,
		"complaint_notice", "complaint_settle", "denunciation_settle", "request_notice", "request_explain"}
}

// clock is the rule of a tick's clock for a kind of route; "" = none.
func (k RouteKind) clock(name string) string {
	switch name {
	case NoticeByRoute:
		switch k {
		case Complaint:
			return "complaint_notice"
		case LegalRequest:
			return "request_notice"
		}
		return ""
	case SettleByRoute:
		switch k {
		case Complaint:
			return "complaint_settle"
		case Denunciation:
			return "denunciation_settle"
		case LegalRequest:
			return "request_explain"
		}
		return ""
	}
	return name
}

// Audience is who is told.
type Audience string

// The audiences.
const (
	TellDesk     Audience = "desk"     // operators of the receiving unit
	TellLeaders  Audience = "leaders"  // of the receiving (of an action: ordering) unit
	TellUnit     Audience = "unit"     // head of the unit in charge
	TellAsked    Audience = "asked"    // officials who are to explain
	TellAuthor   Audience = "author"   // of the latest explanation
	TellSubjects Audience = "subjects" // officials it is about
	TellAbove    Audience = "above"    // so many levels above the unit whose clock is late
	TellCitizen  Audience = "citizen"  // on the public page, and by the contact where one was left
	TellTarget   Audience = "target"   // whoever is in charge of the case it is merged into
	TellOwner    Audience = "owner"    // of an action
)

// Rows is the table of cases, in the order of a case's life.
func Rows() []Row {
	desk := []Who{{Operator, OfReceivingUnit}, {Leader, OfReceivingUnit}}
	leader := []Who{{Leader, OfReceivingUnit}}
	unit := []Who{{Official, OfAssignedUnit}, {Head, OfAssignedUnit}, {Leader, OfAssignedUnit}}
	citizen := []Who{{Citizen, Anyone}, {Operator, OfReceivingUnit}}
	system := []Who{{System, Anyone}}
	opener := append([]Who{{System, Anyone}, {Citizen, Anyone}, {Head, OfReceivingUnit}}, desk...)
	second := []Guard{NotAuthor, NotSubject, NotHead}
	ask := []Tick{{Stop, ClockAssign}, {Stop, ClockRequest}, {Start, ClockExplain}}
	asked := []Audience{TellUnit, TellAsked}

	var t table
	t.row(Open, Received, Row{Who: opener, Clocks: []Tick{{Start, ClockAssign}, {Start, ClockReply}}, Tell: []Audience{TellDesk, TellLeaders}}, "")
	t.row(Assign, Assigned, Row{Who: desk, Needs: []Need{NeedUnit}, Clocks: []Tick{{Stop, ClockAssign}, {Start, ClockRequest}}, Tell: []Audience{TellUnit, TellLeaders}}, Received, Reopened)
	t.row(Reassign, Assigned, Row{Who: leader, Needs: []Need{NeedUnit, NeedReason}, Clocks: []Tick{{Stop, ClockExplain}, {Stop, ClockRework}, {Stop, ClockRequest}, {Start, ClockRequest}}, Tell: []Audience{TellUnit}}, Assigned, ExplanationRequested, Returned)
	t.row(RequestExplanation, ExplanationRequested, Row{Who: leader, Needs: []Need{NeedUnit}, Clocks: ask, Tell: asked}, Received)
	t.row(RequestExplanation, ExplanationRequested, Row{Who: leader, Clocks: ask, Tell: asked}, Assigned, Reopened)
	t.row(Submit, Explained, Row{Who: unit, Needs: []Need{NeedExplanation}, Guards: []Guard{AskedOnly}, Clocks: []Tick{{Stop, ClockExplain}, {Stop, ClockRework}, {Start, ClockReview}}, Tell: []Audience{TellLeaders}}, ExplanationRequested, Returned)
	t.row(Return, Returned, Row{Who: leader, Needs: []Need{NeedReturnReasons}, Guards: second, Clocks: []Tick{{Stop, ClockReview}, {Start, ClockRework}}, Tell: []Audience{TellAuthor, TellUnit}}, Explained)
	t.row(Accept, Accepted, Row{Who: leader, Needs: []Need{NeedFinding}, Guards: second, Clocks: []Tick{{Stop, ClockReview}}, Tell: []Audience{TellAuthor, TellUnit, TellSubjects, TellDesk}}, Explained)
	t.row(Reply, Replied, Row{Who: desk, Needs: []Need{NeedText}, Clocks: []Tick{{Stop, ClockReply}, {Start, ClockVerdict}}, Tell: []Audience{TellCitizen, TellUnit}}, Accepted)
	t.row(File, Closed, Row{Who: leader, Guards: []Guard{CollectiveOnly}, Clocks: []Tick{{Do: StopAll}}, Tell: []Audience{TellUnit}}, Accepted)
	t.row(Satisfied, Closed, Row{Who: citizen, Clocks: []Tick{{Do: StopAll}}, Tell: []Audience{TellLeaders, TellUnit}}, Replied)
	t.row(Reopen, Reopened, Row{Who: citizen, Needs: []Need{NeedReopenReasons}, Guards: []Guard{NeverReopened}, Clocks: []Tick{{Stop, ClockVerdict}, {Start, ClockAssign}, {Start, ClockReply}}, Tell: []Audience{TellLeaders, TellDesk, TellUnit}}, Replied)
	t.row(StillDissatisfied, Closed, Row{Who: citizen, Needs: []Need{NeedReopenReasons}, Guards: []Guard{OnceReopened}, Clocks: []Tick{{Do: StopAll}}, Tell: []Audience{TellLeaders, TellUnit, TellAbove}}, Replied)
	t.row(Close, Closed, Row{Who: append(system, leader...), Guards: []Guard{VerdictOver}, Clocks: []Tick{{Do: StopAll}}}, Replied)
	t.row(PutOutOfScope, OutOfScope, Row{Who: leader, Needs: []Need{NeedRoute, NeedReason}, Clocks: []Tick{{Do: StopAll}, {Start, ClockForward}}, Tell: []Audience{TellCitizen, TellDesk, TellUnit}}, Received, Assigned, ExplanationRequested, Explained, Returned, Reopened)
	t.row(HandOver, OutOfScope, Row{Who: desk, Needs: []Need{NeedDocument}, Guards: []Guard{NotHandedOver}, Clocks: []Tick{{Stop, ClockForward}, {Start, NoticeByRoute}}, Tell: []Audience{TellCitizen, TellLeaders}}, OutOfScope)
	t.row(TakenUp, OutOfScope, Row{Who: desk, Needs: []Need{NeedDocument}, Guards: []Guard{IsHandedOver, NotTakenUp}, Clocks: []Tick{{Stop, NoticeByRoute}, {Start, SettleByRoute}}, Tell: []Audience{TellCitizen, TellLeaders}}, OutOfScope)
	t.row(RouteResult, Closed, Row{Who: desk, Needs: []Need{NeedText}, Guards: []Guard{IsHandedOver}, Clocks: []Tick{{Do: StopAll}}, Tell: []Audience{TellCitizen, TellLeaders}}, OutOfScope)
	t.row(PutBack, Received, Row{Who: leader, Needs: []Need{NeedReason}, Clocks: []Tick{{Do: StopAll}, {Start, ClockAssign}, {Start, ClockReply}}, Tell: []Audience{TellCitizen, TellDesk}}, OutOfScope)
	t.row(Merge, Duplicate, Row{Who: desk, Needs: []Need{NeedTarget}, Guards: []Guard{Earlier}, Clocks: []Tick{{Do: StopAll}}, Tell: []Audience{TellCitizen, TellTarget, TellUnit}}, Received, Assigned, ExplanationRequested, Returned, Reopened)
	t.row(Withdraw, Withdrawn, Row{Who: citizen, Needs: []Need{NeedWithdrawal}, Clocks: []Tick{{Do: StopAll}}, Tell: []Audience{TellLeaders, TellUnit}}, Received, Assigned, ExplanationRequested, Explained, Returned, Accepted, Reopened)
	t.stay(Extend, Row{Who: leader, Needs: []Need{NeedClock, NeedDays, NeedReason}, Clocks: []Tick{{Do: ExtendOne}}, Tell: []Audience{TellUnit, TellCitizen}}, Assigned, ExplanationRequested, Explained, Returned, Accepted, OutOfScope)
	t.stay(Suspend, Row{Who: leader, Needs: []Need{NeedReason}, Guards: []Guard{MaySuspend}, Clocks: []Tick{{Do: SuspendAll}}, Tell: []Audience{TellUnit, TellCitizen}}, Assigned, ExplanationRequested, Explained, Returned, Accepted, OutOfScope)
	t.stay(Resume, Row{Who: leader, Guards: []Guard{IsSuspended}, Clocks: []Tick{{Do: ResumeAll}}, Tell: []Audience{TellUnit, TellCitizen}}, Assigned, ExplanationRequested, Explained, Returned, Accepted, OutOfScope)
	t.stay(Escalate, Row{Who: system, Needs: []Need{NeedClock}, Guards: []Guard{ClockLate}, Clocks: []Tick{{Do: RaiseOne}}, Tell: []Audience{TellAbove}}, Received, Assigned, ExplanationRequested, Explained, Returned, Accepted, Reopened, OutOfScope)
	t.stay(Attach, Row{Who: append(system, desk...), Needs: []Need{NeedRatings}, Tell: []Audience{TellUnit}}, Received, Assigned, ExplanationRequested, Explained, Returned, Reopened)
	return t
}

// table collects rows.
type table []Row

// row adds a line for each state the event may come in; from defaults to "" for the first.
func (t *table) row(event Name, to State, row Row, from ...State) {
	for _, state := range from {
		row.Event, row.From, row.To = event, state, to
		*t = append(*t, row)
	}
}

// stay adds lines of an event that leaves the state as it is.
func (t *table) stay(event Name, row Row, from ...State) {
	for _, state := range from {
		t.row(event, state, row, state)
	}
}

// Package casework sees every dissatisfied opinion through to an accepted explanation (giải trình). Its rules stand in two
// tables, Rows and ActionRows: who may do what in which state, what it needs, which clocks it starts and stops, who is told.
// A Machine applies them. The package is pure: no store, no clock, no network; what it answers is written by
// compare-and-swap, so that of two people who decide at once one wins and the other is told.
//
// A case holds no personal data. Words of citizens are kept apart, where they can be erased, and named here by id.
package casework

import (
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/localday"
)

// State is where a case or a corrective action stands.
type State string

// The states of a case. Returning an explanation and reopening lead to states of their own, because others must act then, by
// another clock; extending, suspending, escalating and attaching ratings leave a case where it is.
const (
	Received             State = "received"              // in the register; no unit is in charge
	Assigned             State = "assigned"              // a unit is in charge; nobody asked it yet
	ExplanationRequested State = "explanation_requested" // the unit is to explain
	Explained            State = "explained"             // the explanation waits for a second person
	Returned             State = "returned"              // it did not do; the unit is to explain again
	Accepted             State = "accepted"              // it did; the citizen waits for the reply
	Replied              State = "replied"               // the citizen may say whether the reply answers
	Reopened             State = "reopened"              // it did not; whoever received it decides anew, once
	OutOfScope           State = "out_of_scope"          // a complaint, a denunciation or a legal request: on its own way, by its own clocks
	Closed               State = "closed"                // terminal
	Duplicate            State = "duplicate"             // merged into another; terminal
	Withdrawn            State = "withdrawn"             // by the citizen; terminal
)

// States lists the states of a case, in the order of its life.
func States() []State {
	return []State{Received, Assigned, ExplanationRequested, Explained, Returned, Accepted, Replied, Reopened, OutOfScope, Closed, Duplicate, Withdrawn}
}

// Terminal tells that nothing happens to a case or an action in this state any more.
func (s State) Terminal() bool {
	return s == Closed || s == Duplicate || s == Withdrawn || s == ActionConfirmed || s == ActionCancelled
}

// Source is where a case came from. The channel is the rating's alone.
type Source string

// The sources.
const (
	FromRating       Source = "rating"
	FromCall         Source = "call"
	FromSlip         Source = "slip"
	FromBox          Source = "box"
	FromBook         Source = "book"
	FromLetter       Source = "letter"
	FromReceptionDay Source = "reception_day"
	FromLeader       Source = "leader"
	FromWeb          Source = "web"
	FromFollowUp     Source = "follow_up" // a collective request for explanation
)

// Sources lists them.
func Sources() []Source {
	return []Source{FromRating, FromCall, FromSlip, FromBox, FromBook, FromLetter, FromReceptionDay, FromLeader, FromWeb, FromFollowUp}
}

// Opening is what a case is opened with and keeps unchanged.
type Opening struct {
	ID         string   `bson:"_id"`
	Code       Code     `bson:"code,omitempty"` // for the citizen; may be empty where nobody asked, as for a collective request
	Number     Number   `bson:"number"`         // in the register, of the receiving unit for ever
	Source     Source   `bson:"source"`
	Receiving  string   `bson:"receiving"`            // unit
	About      []string `bson:"about,omitempty"`      // officials it is about
	Ratings    []string `bson:"first,omitempty"`      // it is opened with; more may be attached
	Collective *Scope   `bson:"collective,omitempty"` // what a collective request asks about
}

// Case is a complaint being seen through. All but Opening and History follows from History: see Replay. It is never changed in
// place; Apply answers a new one.
type Case struct {
	Opening    `bson:",inline"`
	State      State     `bson:"state"`
	OpenedAt   time.Time `bson:"opened_at"`
	ChangedAt  time.Time `bson:"changed_at"`
	Assigned   string    `bson:"assigned,omitempty"` // unit in charge
	Asked      []string  `bson:"asked,omitempty"`    // officials who are to explain; none = anybody of the unit
	Attached   []string  `bson:"ratings,omitempty"`  // all ratings it holds
	Finding    Finding   `bson:"finding,omitempty"`  // of the explanation accepted last; "" while none is
	Returns    int       `bson:"returns,omitempty"`  // times an explanation was returned
	Reopened   bool      `bson:"reopened,omitempty"` // the citizen's one reopening is used up
	Route      Route     `bson:"route,omitempty"`    // where it went when it was out of scope
	MergedInto string    `bson:"merged,omitempty"`   // case
	Clocks     []Clock   `bson:"clocks,omitempty"`   // all there ever were, in the order they started
	History    []Entry   `bson:"history"`            // append-only
}

// Clock is a deadline of a case, and how many levels up were told that it is late.
type Clock struct {
	deadline.Clock `bson:",inline"`
	Escalated      int `bson:"escalated,omitempty"`
}

// Entry is one thing that happened.
type Entry struct {
	At     time.Time    `bson:"at"` // UTC, whole milliseconds, never before the entry before
	By     Signature    `bson:"by"`
	From   State        `bson:"from,omitempty"`
	To     State        `bson:"to"`
	Unit   string       `bson:"unit,omitempty"` // in charge when it happened
	Event  Event        `bson:"event"`
	Clocks []ClockAfter `bson:"clocks,omitempty"` // those it changed, as they were after it
}

// ClockAfter is a clock as an entry left it.
type ClockAfter struct {
	Index int   `bson:"i"` // in Case.Clocks
	Clock Clock `bson:"clock"`
}

// Signature is who did something.
type Signature struct {
	Account     string `bson:"account,omitempty"`
	Official    string `bson:"official,omitempty"`
	Role        Role   `bson:"role"`
	For         string `bson:"for,omitempty"`          // account stood in for
	ForOfficial string `bson:"for_official,omitempty"` // and who that is
}

// Day is the local day on which it happened.
func (e Entry) Day() localday.Day { return dayOf(e.At) }

func dayOf(at time.Time) localday.Day {
	day, _ := localday.Of(at)
	return day
}

// ExplainedBy is an explanation as it was handed in.
type ExplainedBy struct {
	Explanation
	By   Signature
	Unit string
	At   time.Time
}

// Explanations are all that were handed in, the latest last.
func (c Case) Explanations() []ExplainedBy {
	var out []ExplainedBy
	for _, e := range c.History {
		if e.Event.Explanation != nil {
			out = append(out, ExplainedBy{Explanation: *e.Event.Explanation, By: e.By, Unit: e.Unit, At: e.At})
		}
	}
	return out
}

// Explanation is the one handed in last; false where there is none.
func (c Case) Explanation() (ExplainedBy, bool) {
	all := c.Explanations()
	if len(all) == 0 {
		return ExplainedBy{}, false
	}
	return all[len(all)-1], true
}

// Answered tells that an explanation stands accepted: the case's ratings count as covered. A reopened case is not answered until
// an explanation is accepted again.
func (c Case) Answered() bool { return c.Finding != "" }

// Clock is the running clock of a name; false where none runs.
func (c Case) Clock(name string) (Clock, bool) {
	if i := c.running(name); i >= 0 {
		return c.Clocks[i], true
	}
	return Clock{}, false
}

func (c Case) running(name string) int {
	for i, clock := range slices.Backward(c.Clocks) {
		if clock.Name == name && clock.Running() {
			return i
		}
	}
	return -1
}

// Suspended tells that a clock of the case stands still.
func (c Case) Suspended() bool {
	return slices.ContainsFunc(c.Clocks, func(clock Clock) bool { return clock.Suspended() })
}

// last is the time of the last entry.
func (c Case) last() time.Time {
	if len(c.History) == 0 {
		return time.Time{}
	}
	return c.History[len(c.History)-1].At
}

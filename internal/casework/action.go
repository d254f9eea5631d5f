package casework

import (
	"fmt"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
)

// The states of a corrective action (việc chấn chỉnh). It is a document and a machine of its own beside the case, which never waits for it:
// the citizen's reply is not delayed by what takes a month.
const (
	ActionOrdered   State = "ordered"
	ActionReported  State = "reported"  // the owner says it is done, with evidence
	ActionSentBack  State = "sent_back" // it is not
	ActionConfirmed State = "confirmed" // terminal
	ActionCancelled State = "cancelled" // terminal
)

// ActionStates lists them.
func ActionStates() []State {
	return []State{ActionOrdered, ActionReported, ActionSentBack, ActionConfirmed, ActionCancelled}
}

// The events of an action.
const (
	Order     Name = "order"
	Report    Name = "report" // done, with evidence
	Confirm   Name = "confirm"
	SendBack  Name = "send_back"
	ChangeDue Name = "change_due"
	HandOn    Name = "hand_on" // to another owner
	Cancel    Name = "cancel"
	Overdue   Name = "overdue" // one level up is told
)

// Ordered is what an action is ordered with and keeps unchanged.
type Ordered struct {
	ID       string   `bson:"_id"`
	Cases    []string `bson:"cases,omitempty"` // it came from; none for an order from above (chỉ đạo)
	Order    string   `bson:"order,omitempty"` // the same for all actions ordered at once, of several units
	Ordering string   `bson:"ordering"`        // unit
}

// Action is something to be done about a cause.
type Action struct {
	Ordered   `bson:",inline"`
	State     State         `bson:"state"`
	Product   string        `bson:"product"`         // what will be there when it is done
	Unit      string        `bson:"unit"`            // that is to do it
	Owner     string        `bson:"owner,omitempty"` // the official; "" = the unit's head
	Due       localday.Day  `bson:"due"`             // as it was ordered; the clock rolls it off a closed day
	Evidence  Evidence      `bson:"evidence,omitempty"`
	ChangedAt time.Time     `bson:"changed_at"`
	Clocks    []Clock       `bson:"clocks,omitempty"`
	History   []ActionEntry `bson:"history"` // append-only
}

// Evidence is what shows that something was done.
type Evidence struct {
	Text        string       `bson:"text,omitempty"`
	Attachments []Attachment `bson:"attachments,omitempty"`
}

// ActionEvent is something that is to happen to an action, with what it needs.
type ActionEvent struct {
	Name     Name         `bson:"name"`
	Product  string       `bson:"product,omitempty"`
	Unit     string       `bson:"unit,omitempty"`
	Owner    string       `bson:"owner,omitempty"`
	Due      localday.Day `bson:"due,omitempty"`
	Reason   string       `bson:"reason,omitempty"`
	Evidence Evidence     `bson:"evidence,omitempty"`
}

// ActionEntry is one thing that happened to an action.
type ActionEntry struct {
	At     time.Time    `bson:"at"`
	By     Signature    `bson:"by"`
	From   State        `bson:"from,omitempty"`
	To     State        `bson:"to"`
	Event  ActionEvent  `bson:"event"`
	Clocks []ClockAfter `bson:"clocks,omitempty"`
}

// ActionRows is the table of corrective actions.
func ActionRows() []Row {
	leader := []Who{{Leader, OfReceivingUnit}}
	owner := []Who{{Official, OfAssignedUnit}, {Head, OfAssignedUnit}, {Leader, OfAssignedUnit}}
	told := []Audience{TellOwner, TellUnit}
	second := []Guard{NotReporter, NotOwner, NotHeadOfOwner}

	var t table
	t.row(Order, ActionOrdered, Row{Who: leader, Needs: []Need{NeedProduct, NeedUnit, NeedDue}, Clocks: []Tick{{Start, ClockCorrect}}, Tell: told}, "")
	t.row(Report, ActionReported, Row{Who: owner, Needs: []Need{NeedEvidence}, Clocks: []Tick{{Stop, ClockCorrect}, {Start, ClockConfirm}}, Tell: []Audience{TellLeaders}}, ActionOrdered, ActionSentBack)
	t.row(Confirm, ActionConfirmed, Row{Who: leader, Guards: second, Clocks: []Tick{{Do: StopAll}}, Tell: told}, ActionReported)
	t.row(SendBack, ActionSentBack, Row{Who: leader, Needs: []Need{NeedReason, NeedDue}, Clocks: []Tick{{Stop, ClockConfirm}, {Start, ClockCorrect}}, Tell: told}, ActionReported)
	t.stay(ChangeDue, Row{Who: leader, Needs: []Need{NeedReason, NeedDue}, Clocks: []Tick{{Stop, ClockCorrect}, {Start, ClockCorrect}}, Tell: told}, ActionOrdered, ActionSentBack)
	t.stay(HandOn, Row{Who: leader, Needs: []Need{NeedReason, NeedUnit}, Tell: told}, ActionOrdered, ActionSentBack)
	t.row(Cancel, ActionCancelled, Row{Who: leader, Needs: []Need{NeedReason}, Clocks: []Tick{{Do: StopAll}}, Tell: told}, ActionOrdered, ActionReported, ActionSentBack)
	t.stay(Overdue, Row{Who: []Who{{System, Anyone}}, Guards: []Guard{ClockLate}, Clocks: []Tick{{Do: RaiseOne}}, Tell: []Audience{TellAbove}}, ActionOrdered, ActionReported, ActionSentBack)
	return t
}

// Order orders an action; the event brings product, unit, due day and, where one is named, the owner. Errors as those of ApplyAction
// and Invalid "casework_opening".
func (m Machine) Order(ordered Ordered, event ActionEvent, actor Actor, at time.Time) (Action, []Effect, error) {
	if !isID(ordered.ID) || !isID(ordered.Ordering) || !areIDs(ordered.Cases, MaxRatings) || ordered.Order != "" && !isID(ordered.Order) {
		return Action{}, nil, fault.New(fault.Invalid, "casework_opening", "field", "action")
	}
	event.Name = Order
	return m.ApplyAction(Action{Ordered: ordered}, event, actor, at)
}

// ApplyAction lets an event happen to an action, as Apply does to a case: Stale "casework_not_now"; Denied "casework_denied",
// "casework_own_action", "casework_your_unit"; otherwise Invalid.
func (m Machine) ApplyAction(a Action, event ActionEvent, actor Actor, at time.Time) (Action, []Effect, error) {
	at = moment(at, a.last())
	row, ok := find(m.actions, a.State, event.Name)
	if !ok || (event.Name == Order) != (len(a.History) == 0) {
		return a, nil, fault.New(fault.Stale, "casework_not_now", "state", a.State, "event", event.Name)
	}
	signature, person, err := actor.signs(at)
	if err != nil {
		return a, nil, err
	}
	if !m.may(row, person, a.Ordering, a.Unit) {
		return a, nil, fault.New(fault.Denied, "casework_denied", "event", event.Name)
	}
	for _, guard := range row.Guards {
		if err := m.actionGuard(guard, a, actor, at); err != nil {
			return a, nil, err
		}
	}
	kept, err := row.takeAction(event, dayOf(at))
	if err != nil {
		return a, nil, err
	}
	if len(a.History) >= MaxHistory && row.From == row.To && event.Name != Overdue {
		return a, nil, fault.New(fault.Exhausted, "casework_history_full", "limit", MaxHistory)
	}
	entry := ActionEntry{At: at, By: signature, From: a.State, To: row.To, Event: kept}
	var effects []Effect
	if entry.Clocks, effects, err = m.tickAction(row, a, kept, at); err != nil {
		return a, nil, err
	}
	next := a.with(entry)
	for _, to := range row.Tell {
		effect := Effect{Kind: Tell, To: to, Unit: next.Unit}
		switch to {
		case TellOwner:
			if next.Owner == "" {
				continue
			}
			effect.Officials = []string{next.Owner}
		case TellLeaders:
			effect.Unit = next.Ordering
		case TellAbove:
			for _, after := range entry.Clocks {
				effect.Level, effect.Clock = after.Clock.Escalated, after.Clock.Name
			}
			if effect.Clock == ClockConfirm {
				effect.Unit = next.Ordering
			}
		}
		effects = append(effects, effect)
	}
	return next, effects, nil
}

// ActionChoices are the rows an actor may take now, for the keys of a screen: everything was looked at but what the event itself brings.
func (m Machine) ActionChoices(a Action, actor Actor, at time.Time) []Row {
	at = moment(at, a.last())
	_, person, err := actor.signs(at)
	if err != nil {
		return nil
	}
	var out []Row
	for _, row := range m.actions {
		if row.From != a.State || row.Event == Order || !m.may(row, person, a.Ordering, a.Unit) {
			continue
		}
		if !slices.ContainsFunc(row.Guards, func(guard Guard) bool { return m.actionGuard(guard, a, actor, at) != nil }) {
			out = append(out, row)
		}
	}
	return out
}

func (a Action) last() time.Time {
	if len(a.History) == 0 {
		return time.Time{}
	}
	return a.History[len(a.History)-1].At
}

func (m Machine) actionGuard(guard Guard, a Action, actor Actor, at time.Time) error {
	if guard == ClockLate {
		for _, clock := range a.Clocks {
			level, err := m.level(clock, at)
			if err != nil || clock.Running() && level > clock.Escalated {
				return err
			}
		}
		return fault.New(fault.Invalid, "casework_not_late")
	}
	for _, person := range actor.both() {
		reported := slices.ContainsFunc(a.History, func(e ActionEntry) bool { return e.Event.Name == Report && person.is(e.By) })
		switch {
		case guard == NotReporter && reported, guard == NotOwner && a.Owner != "" && person.Official == a.Owner:
			return fault.New(fault.Denied, "casework_own_action")
		case guard == NotHeadOfOwner && slices.Contains(person.Heads, a.Unit):
			return fault.New(fault.Denied, "casework_your_unit")
		}
	}
	return nil
}

// takeAction answers an event as it is kept.
func (row Row) takeAction(event ActionEvent, today localday.Day) (kept ActionEvent, err error) {
	kept.Name = event.Name
	if kept.Reason, err = clean("reason", event.Reason, MaxReason); err != nil {
		return kept, err
	}
	for _, need := range row.Needs {
		switch need {
		case NeedProduct:
			if kept.Product, err = clean("product", event.Product, MaxReason); err == nil && kept.Product == "" {
				err = missing(need)
			}
		case NeedUnit:
			if kept.Unit, kept.Owner = event.Unit, event.Owner; !isID(event.Unit) || event.Owner != "" && !isID(event.Owner) {
				err = missing(need)
			}
		case NeedReason:
			if kept.Reason == "" {
				err = missing(need)
			}
		case NeedDue:
			_, wrong := localday.Parse(string(event.Due))
			if kept.Due = event.Due; wrong != nil || event.Due < today || event.Due > today.Add(deadline.MaxDays) {
				err = missing(need)
			}
		case NeedEvidence:
			kept.Evidence, err = event.Evidence.check()
		}
		if err != nil {
			return kept, err
		}
	}
	return kept, nil
}

func (e Evidence) check() (Evidence, error) {
	var err error
	if e.Text, err = clean("evidence", e.Text, MaxReply); err != nil {
		return e, err
	}
	if len(e.Attachments) > MaxAttachments {
		return e, fault.New(fault.Invalid, "casework_explanation_attachments", "limit", MaxAttachments)
	}
	if e.Attachments, err = attached(e.Attachments); err == nil && e.Text == "" {
		return e, missing(NeedEvidence)
	}
	return e, err
}

func (m Machine) tickAction(row Row, a Action, event ActionEvent, at time.Time) ([]ClockAfter, []Effect, error) {
	clocks, on := slices.Clone(a.Clocks), dayOf(at)
	var after []ClockAfter
	for _, t := range row.Clocks {
		if t.Do == Start {
			rule, _ := m.world.Rules.Rule(t.Clock)
			clock := begin(t.Clock, at, rule.Term)
			if t.Clock == ClockCorrect { // until the day that was ordered, whatever the rule's length
				clock.Term = deadline.Term{Days: deadline.Between(m.world.Hours, on, event.Due, deadline.Calendar), Count: deadline.Calendar}
			}
			clocks = append(clocks, Clock{Clock: clock})
			after = append(after, ClockAfter{Index: len(clocks) - 1, Clock: Clock{Clock: clock}})
			continue
		}
		for i, clock := range clocks {
			if !clock.Running() || t.Do == Stop && clock.Name != t.Clock {
				continue
			}
			if t.Do == RaiseOne {
				clock.Escalated++
			} else {
				finished, err := clock.Finish(on)
				if err != nil {
					return nil, nil, err
				}
				clock.Clock = finished
			}
			clocks[i] = clock
			after = append(after, ClockAfter{Index: i, Clock: clock})
		}
	}
	var effects []Effect
	for _, one := range after {
		do := Stop
		if one.Clock.Running() {
			if do = Start; one.Clock.Escalated > 0 {
				do = RaiseOne
			}
		}
		effects = append(effects, m.changed(do, one.Clock))
	}
	return after, effects, nil
}

// with is the action after an entry.
func (a Action) with(e ActionEntry) Action {
	a.History = append(slices.Clip(a.History), e)
	a.State, a.ChangedAt = e.To, e.At
	switch e.Event.Name {
	case Order:
		a.Product, a.Unit, a.Owner, a.Due = e.Event.Product, e.Event.Unit, e.Event.Owner, e.Event.Due
	case SendBack, ChangeDue:
		a.Due = e.Event.Due
	case HandOn:
		a.Unit, a.Owner = e.Event.Unit, e.Event.Owner
	case Report:
		a.Evidence = e.Event.Evidence
	}
	if len(e.Clocks) > 0 {
		a.Clocks = slices.Clone(a.Clocks)
	}
	for _, after := range e.Clocks {
		if after.Index == len(a.Clocks) {
			a.Clocks = append(a.Clocks, after.Clock)
		} else {
			a.Clocks[after.Index] = after.Clock
		}
	}
	return a
}

// ReplayAction makes an action again from its order and its history, and tells where the history is not one the table can have made.
func ReplayAction(ordered Ordered, history []ActionEntry) (Action, error) {
	a, rows := Action{Ordered: ordered}, ActionRows()
	for i, e := range history {
		row, ok := find(rows, a.State, e.Event.Name)
		if !ok || e.From != a.State || e.To != row.To || (i == 0) != (e.Event.Name == Order) || e.At.Before(a.last()) {
			return a, fmt.Errorf("entry %d: %s from %q to %q is not in the table of actions, state %q", i, e.Event.Name, e.From, e.To, a.State)
		}
		clocks := len(a.Clocks)
		for _, after := range e.Clocks {
			if after.Index < 0 || after.Index > clocks {
				return a, fmt.Errorf("entry %d: there is no clock %d", i, after.Index)
			}
			clocks = max(clocks, after.Index+1)
		}
		a = a.with(e)
	}
	return a, nil
}

// RunningOf lists how the running clocks of an action stand on a day.
func (m Machine) RunningOf(a Action, today localday.Day) ([]Running, error) {
	return m.standings(a.Clocks, today)
}

// WaitingOf are the events that are to happen to an action by themselves by now, to be applied by TheSystem one after the other.
func (m Machine) WaitingOf(a Action, at time.Time) ([]ActionEvent, error) {
	var out []ActionEvent
	for _, clock := range a.Clocks {
		if !clock.Running() {
			continue
		}
		level, err := m.level(clock, moment(at, a.last()))
		if err != nil {
			return nil, err
		}
		for range level - clock.Escalated {
			out = append(out, ActionEvent{Name: Overdue})
		}
	}
	return out, nil
}

// RemindersOf are what is to be said of an action on a day.
func (m Machine) RemindersOf(a Action, on localday.Day) ([]Reminder, error) {
	return m.reminders(a.Clocks, on)
}

// NextOf is the first day after another on which an action has something to say by itself.
func (m Machine) NextOf(a Action, after localday.Day) (localday.Day, bool, error) {
	return m.next(a.Clocks, after)
}

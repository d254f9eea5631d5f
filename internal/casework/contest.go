package casework

import (
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Contest is what an official who was rated says against a rating before it counts for emulation (thi đua). A second person decides.
// The rating stands whatever is decided; both figures are shown: see BothFigures.
type Contest struct {
	Rating   string        `bson:"_id"`
	Official string        `bson:"official"` // who was rated
	Unit     string        `bson:"unit"`     // where
	State    ContestState  `bson:"state"`
	Clock    Clock         `bson:"clock"`
	History  []ContestMade `bson:"history"` // append-only
}

// ContestState is where a contest stands.
type ContestState string

// The states.
const (
	ContestOpen      ContestState = "open"
	ContestUpheld    ContestState = "upheld"    // the rating is left out of the second figure
	ContestDismissed ContestState = "dismissed" // it is not
	ContestDropped   ContestState = "dropped"   // the official let it be
)

// ContestMade is one thing that happened to a contest.
type ContestMade struct {
	At     time.Time    `bson:"at"`
	By     Signature    `bson:"by"`
	To     ContestState `bson:"to"`
	Reason string       `bson:"reason"`
}

// Contest raises one. Only the official who was rated may, not even by a stand-in. Denied "casework_contest_not_yours", Invalid
// "casework_missing_reason", "casework_opening".
func (m Machine) Contest(rating, official, unit, reason string, actor Actor, at time.Time) (Contest, error) {
	for field, id := range map[string]string{"rating": rating, "official": official, "unit": unit} {
		if !isID(id) {
			return Contest{}, fault.New(fault.Invalid, "casework_opening", "field", field)
		}
	}
	signature, _, err := actor.signs(at)
	if err != nil {
		return Contest{}, err
	}
	if actor.For != nil || actor.Official != official {
		return Contest{}, fault.New(fault.Denied, "casework_contest_not_yours")
	}
	k := Contest{Rating: rating, Official: official, Unit: unit}
	return m.contest(k, ContestOpen, reason, signature, at)
}

// DecideContest upholds or dismisses a contest. It is for a leader of the unit or above it, who is not the official, did not record the rating,
// did not decide on its case and does not head the unit; before are the accounts that did. Denied "casework_denied",
// "casework_about_you", "casework_contest_second", "casework_your_unit"; Stale "casework_not_now"; Invalid "casework_missing_reason",
// "casework_contest_state".
func (m Machine) DecideContest(k Contest, to ContestState, reason string, before []string, actor Actor, at time.Time) (Contest, error) {
	at = k.moment(at)
	if to != ContestUpheld && to != ContestDismissed {
		return k, fault.New(fault.Invalid, "casework_contest_state")
	}
	signature, person, err := actor.signs(at)
	if err != nil {
		return k, err
	}
	if person.Role != Leader || !m.within(k.Unit, person.Scope) {
		return k, fault.New(fault.Denied, "casework_denied", "event", to)
	}
	for _, one := range actor.both() {
		switch {
		case one.Official == k.Official || len(k.History) > 0 && one.is(k.History[0].By):
			return k, fault.New(fault.Denied, "casework_about_you")
		case slices.Contains(before, one.Account):
			return k, fault.New(fault.Denied, "casework_contest_second")
		case slices.Contains(one.Heads, k.Unit):
			return k, fault.New(fault.Denied, "casework_your_unit")
		}
	}
	return m.contest(k, to, reason, signature, at)
}

// DropContest lets a contest be, by whoever raised it. Errors as those of Contest and Stale "casework_not_now".
func (m Machine) DropContest(k Contest, reason string, actor Actor, at time.Time) (Contest, error) {
	at = k.moment(at)
	signature, _, err := actor.signs(at)
	if err != nil {
		return k, err
	}
	if actor.For != nil || actor.Official != k.Official {
		return k, fault.New(fault.Denied, "casework_contest_not_yours")
	}
	return m.contest(k, ContestDropped, reason, signature, at)
}

func (k Contest) moment(at time.Time) time.Time {
	if len(k.History) == 0 {
		return moment(at, time.Time{})
	}
	return moment(at, k.History[len(k.History)-1].At)
}

func (m Machine) contest(k Contest, to ContestState, reason string, by Signature, at time.Time) (Contest, error) {
	at = k.moment(at)
	if k.State != "" && k.State != ContestOpen {
		return k, fault.New(fault.Stale, "casework_not_now", "state", k.State, "event", to)
	}
	reason, err := clean("reason", reason, MaxReason)
	if err != nil {
		return k, err
	}
	if reason == "" {
		return k, missing(NeedReason)
	}
	if to == ContestOpen {
		rule, _ := m.world.Rules.Rule(ClockContest)
		k.Clock.Clock = begin(ClockContest, at, rule.Term)
	} else if k.Clock.Clock, err = k.Clock.Finish(dayOf(at)); err != nil {
		return k, err
	}
	k.State, k.History = to, append(slices.Clip(k.History), ContestMade{At: at, By: by, To: to, Reason: reason})
	return k, nil
}

// BothFigures answers the scores 1 to 5 of somebody's ratings as they were given and, beside them, without those that were successfully contested.
// contested are the scores of the ratings whose contests were upheld. Invalid "casework_contest_scores" where they are not among those given.
func BothFigures(given [5]uint32, contested []int) (all, without [5]uint32, err error) {
	without = given
	for _, score := range contested {
		if score < 1 || score > 5 || without[score-1] == 0 {
			return given, given, fault.New(fault.Invalid, "casework_contest_scores")
		}
		without[score-1]--
	}
	return given, without, nil
}

package office

import (
	"context"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// With is what a rating must bring, beside its score, to become a case by itself.
type With string

// The ways.
const (
	Anything With = "any" // a bare tap too
	Comment  With = "comment"
	CallBack With = "call_back" // the wish to be called back
	Either   With = "either"
	Both     With = "both"
)

// Withs lists them.
func Withs() []With { return []With{Either, Comment, CallBack, Both, Anything} }

// Limits of an opening rule.
const (
	MaxEraseAfter = 3650 // days
	defaultErase  = 90
)

// Opening is which ratings become cases by themselves, and how cases are kept.
type Opening struct {
	Scores   []int32      `bson:"scores"`   // overall scores, 1 to 5; none = no rating becomes a case by itself
	Channels []pb.Channel `bson:"channels"` // none = likewise
	With     With         `bson:"with"`
	Register string       `bson:"register,omitempty"` // unit that receives opinions about the whole subtree and keeps their register; "" = each unit its own
	// EraseContacts is how many days after the reply it is forgotten how to reach the citizen. The product's default is not law: none was found.
	EraseContacts int `bson:"erase_contacts"`
	// Copied is the share, in percent, from which an explanation is shown as like an earlier one. Nothing is blocked by it.
	Copied int `bson:"copied"`
}

// DefaultOpening holds until an office decides: dissatisfied ratings with a comment or the wish to be called back, on any channel.
func DefaultOpening() Opening {
	return Opening{Scores: []int32{1, 2}, Channels: channels(), With: Either, EraseContacts: defaultErase, Copied: int(casework.LikeEnough * 100)}
}

func channels() []pb.Channel {
	return []pb.Channel{pb.Channel_CHANNEL_KIOSK, pb.Channel_CHANNEL_WEB, pb.Channel_CHANNEL_HOTLINE, pb.Channel_CHANNEL_PAPER}
}

// Opens tells whether a rating of this score and channel may become a case by itself, if it brings what Wants asks for.
func (r Opening) Opens(score int32, channel pb.Channel) bool {
	return slices.Contains(r.Scores, score) && slices.Contains(r.Channels, channel)
}

// Wants tells whether what a rating brings is enough.
func (r Opening) Wants(comment, callBack bool) bool {
	switch r.With {
	case Anything:
		return true
	case Comment:
		return comment
	case CallBack:
		return callBack
	case Both:
		return comment && callBack
	case Either:
	}
	return comment || callBack
}

// CopiedShare is Copied as casework compares it, 0 to 1.
func (r Opening) CopiedShare() float64 { return float64(r.Copied) / 100 }

func (r Opening) equal(other Opening) bool {
	return slices.Equal(r.Scores, other.Scores) && slices.Equal(r.Channels, other.Channels) && r.With == other.With &&
		r.Register == other.Register && r.EraseContacts == other.EraseContacts && r.Copied == other.Copied
}

// check answers the rule as it is kept, or everything that is wrong with it, each with its "field".
func (r Opening) check(isUnit func(string) bool) (Opening, error) {
	var faults fault.Faults
	wrong := func(field, reason string, args ...any) {
		faults = append(faults, fault.New(fault.Invalid, "office_opening_"+reason, append([]any{"field", field}, args...)...))
	}
	r.Scores = slices.Compact(slices.Sorted(slices.Values(r.Scores)))
	if slices.ContainsFunc(r.Scores, func(score int32) bool { return score < 1 || score > 5 }) {
		wrong("scores", "scores")
	}
	r.Channels = slices.Compact(slices.Sorted(slices.Values(r.Channels)))
	if slices.ContainsFunc(r.Channels, func(c pb.Channel) bool { return !slices.Contains(channels(), c) }) {
		wrong("channels", "channels")
	}
	if !slices.Contains(Withs(), r.With) {
		wrong("with", "with")
	}
	if r.Register != "" && !isUnit(r.Register) {
		wrong("register_unit_id", "register")
	}
	if r.EraseContacts < 1 || r.EraseContacts > MaxEraseAfter {
		wrong("erase_contacts_after_days", "erase", "limit", MaxEraseAfter)
	}
	if r.Copied < 1 || r.Copied > 100 {
		wrong("copied_percent", "copied")
	}
	if len(faults) > 0 {
		return r, faults
	}
	return r, nil
}

// Ruled is the opening rule that holds for a unit, and where it comes from.
type Ruled struct {
	Opening
	Unit    string // where it was decided; meaningless where Default
	Default bool   // it is the product's own: nobody decided
	Made    Change // that made it; the zero value where Default
	Version string // of the unit's own decision, for SaveOpening
	Own     bool   // the unit decided for itself
}

// Opening is the rule that holds for a unit, from memory; "" = for everything. The nearest decision holds as a whole.
func (o *Office) Opening(unitID string) Ruled { return o.OpeningAt(unitID, time.Time{}) }

// OpeningAt is the rule that stood at a time, by the tree of today; the zero time = the rule that stands. A rating is judged by
// the rule that stood when it was received, whenever somebody comes to it: a change of rules does not reopen the past.
func (o *Office) OpeningAt(unitID string, at time.Time) Ruled {
	now := o.state.Load()
	own := now.standing[key{Openings, unitID}]
	for _, way := range o.ways(unitID) {
		changes := now.openings[way]
		for i := len(changes) - 1; i >= 0; i-- {
			if !at.IsZero() && changes[i].At.After(at) {
				continue
			}
			if changes[i].Opening == nil {
				break
			}
			return Ruled{Opening: *changes[i].Opening, Unit: way, Made: changes[i], Version: own.Version(), Own: way == unitID}
		}
	}
	return Ruled{Opening: DefaultOpening(), Default: true, Version: own.Version()}
}

// Receiving is the unit that receives opinions about a unit and keeps their register. Of units that ended it is the one that
// took their place.
func (o *Office) Receiving(unitID string) string {
	return o.receiving(unitID, o.Opening(unitID).Opening)
}

func (o *Office) receiving(unitID string, rule Opening) string {
	tree := o.options.Tree()
	today := tree.On(tree.Today())
	for _, wanted := range []string{rule.Register, unitID} {
		if wanted == "" {
			continue
		}
		if place := tree.PlaceToday(wanted); place != "" && today.Has(place) {
			return place
		}
	}
	return unitID
}

// SaveOpening decides the rule of a unit ("" = of everything) where known is the version that stands, or "" = whatever stands;
// nil = what is decided above holds again. Stale "office_rules_changed" with "name"; otherwise fault.Faults, each Invalid with
// its "field": "office_opening_scores", "_channels", "_with", "_register", "_erase", "_copied".
func (o *Office) SaveOpening(ctx context.Context, unitID string, rule *Opening, known string, by By) (Ruled, error) {
	if rule != nil {
		tree := o.options.Tree()
		checked, err := rule.check(tree.On(tree.Today()).Has)
		if err != nil {
			return Ruled{}, err
		}
		rule = &checked
	}
	if _, err := o.decide(ctx, Change{Unit: unitID, What: Openings, By: by, Opening: rule}, known); err != nil {
		return Ruled{}, err
	}
	return o.Opening(unitID), nil
}

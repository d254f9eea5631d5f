package office

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// Somebody is an account as a stand-in names it.
type Somebody struct {
	ID   string `bson:"id"`
	Name string `bson:"name"` // the account's, then
	Unit string `bson:"unit"` // top of its subtree, then; "" = everywhere
}

// StandIn is somebody on leave and who stands in, from a day to a day. It is never changed but for its one end, which can only
// make it shorter, and never removed.
type StandIn struct {
	ID      string       `bson:"_id"` // UUIDv7
	Seq     int64        `bson:"seq"` // from 1, without gaps; whoever adds one has seen all before it
	Account Somebody     `bson:"account"`
	Deputy  Somebody     `bson:"deputy"`
	From    localday.Day `bson:"from"`
	To      localday.Day `bson:"to"`    // inclusive, as it was made
	Until   localday.Day `bson:"until"` // the last day on which it holds: To, or the day before it was ended
	Reason  string       `bson:"reason"`
	MadeBy  By           `bson:"made_by"`
	MadeAt  time.Time    `bson:"made_at"`
	EndedBy By           `bson:"ended_by,omitempty"`
	EndedAt time.Time    `bson:"ended_at,omitempty"` // zero = nobody ended it
}

// Holds tells whether it holds on a day.
func (s StandIn) Holds(day localday.Day) bool { return s.From <= day && day <= s.Until }

// Limits of stand-ins.
const (
	MaxStandInDays   = 366
	MaxStandInReason = 500 // characters
	maxOfAccount     = 200 // that hold now or later
)

var standInsKind = store.Define[StandIn]("stand_ins",
	store.Index{Name: "seq", Fields: []string{"seq"}, Unique: true},
	store.Index{Name: "account", Fields: []string{"account.id", "until"}},
	store.Index{Name: "deputy", Fields: []string{"deputy.id", "until"}},
)

// Leave is a stand-in to be made. What kinds of accounts may stand in for each other is for the caller to check.
type Leave struct {
	Account, Deputy Somebody
	From, To        localday.Day
	Reason          string // may be empty
	By              By
}

// SetStandIn lets somebody stand in for somebody. The same again answers what stands. Invalid "office_standin_self",
// "office_standin_days", "office_standin_past", "office_standin_long", "office_standin_reason", "office_standin_elsewhere" where the
// two do not work below one top unit; Exists "office_standin_overlap" where somebody else stands in then already,
// "office_standin_chain" where the one who should stand in is away then, or the one on leave stands in for another.
func (o *Office) SetStandIn(ctx context.Context, leave Leave) (StandIn, error) {
	if err := o.checkLeave(&leave); err != nil {
		return StandIn{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return StandIn{}, fault.New(fault.Internal, "internal").Because(err)
	}
	wanted := StandIn{
		ID: id.String(), Account: leave.Account, Deputy: leave.Deputy, From: leave.From, To: leave.To, Until: leave.To,
		Reason: leave.Reason, MadeBy: leave.By,
	}
	for {
		last, err := o.standIns.First(ctx, store.Query{Index: "seq", Desc: true})
		if err != nil && !isNotFound(err) {
			return StandIn{}, told(err)
		}
		// Whoever adds one must have seen all before it, so none comes between these reads and the insert. What is ended meanwhile
		// only grows shorter.
		stands, err := o.conflict(ctx, wanted)
		if err != nil || stands.ID != "" {
			return stands, err
		}
		wanted.Seq, wanted.MadeAt = last.Value.Seq+1, store.Milliseconds(o.options.Now())
		err = o.standIns.Insert(ctx, wanted)
		if errors.Is(err, store.ErrTaken) {
			continue
		}
		if err != nil {
			return StandIn{}, told(err)
		}
		o.forget(ctx, wanted)
		return wanted, nil
	}
}

func (o *Office) checkLeave(leave *Leave) error {
	leave.Reason = strings.TrimSpace(norm.NFC.String(leave.Reason))
	today, _ := localday.Of(o.options.Now())
	_, fromErr := localday.Parse(string(leave.From))
	_, toErr := localday.Parse(string(leave.To))
	switch {
	case leave.Account.ID == leave.Deputy.ID:
		return fault.New(fault.Invalid, "office_standin_self")
	case fromErr != nil || toErr != nil || leave.To < leave.From:
		return fault.New(fault.Invalid, "office_standin_days")
	case leave.From < today:
		return fault.New(fault.Invalid, "office_standin_past")
	case leave.To >= leave.From.Add(MaxStandInDays):
		return fault.New(fault.Invalid, "office_standin_long", "limit", MaxStandInDays)
	case utf8.RuneCountInString(leave.Reason) > MaxStandInReason || !utf8.ValidString(leave.Reason) ||
		strings.ContainsFunc(leave.Reason, func(r rune) bool { return r != '\n' && r != '\r' && unicode.Is(unicode.C, r) }):
		return fault.New(fault.Invalid, "office_standin_reason", "limit", MaxStandInReason)
	case leave.Account.Unit != "" && leave.Deputy.Unit != "" && o.top(leave.Account.Unit) != o.top(leave.Deputy.Unit):
		return fault.New(fault.Invalid, "office_standin_elsewhere")
	}
	return nil
}

// top is the unit at the top of the tree that a unit stands or stood in.
func (o *Office) top(unitID string) string {
	ways := o.ways(unitID)
	return ways[max(len(ways)-2, 0)]
}

// conflict answers the very same stand-in where it stands, and a fault where another stands in the way.
func (o *Office) conflict(ctx context.Context, wanted StandIn) (StandIn, error) {
	meets := func(other StandIn) bool { return other.From <= wanted.To && wanted.From <= other.Until }
	for _, look := range []struct {
		index, account string
		reason         string
	}{
		{"account", wanted.Account.ID, "office_standin_overlap"},
		{"account", wanted.Deputy.ID, "office_standin_chain"},
		{"deputy", wanted.Account.ID, "office_standin_chain"},
	} {
		others, err := o.lookUp(ctx, look.index, look.account, wanted.From)
		if err != nil {
			return StandIn{}, told(err)
		}
		for _, other := range others {
			if !meets(other) {
				continue
			}
			if other.Account.ID == wanted.Account.ID && other.Deputy.ID == wanted.Deputy.ID && other.From == wanted.From && other.Until == wanted.To {
				return other, nil
			}
			return StandIn{}, fault.New(fault.Exists, look.reason, "name", other.Account.Name, "deputy", other.Deputy.Name, "from", string(other.From), "to", string(other.Until))
		}
		if len(others) >= maxOfAccount {
			return StandIn{}, fault.New(fault.Exhausted, "office_standin_many", "limit", maxOfAccount)
		}
	}
	return StandIn{}, nil
}

// lookUp reads what holds on a day or later.
func (o *Office) lookUp(ctx context.Context, index, account string, day localday.Day) ([]StandIn, error) {
	var list []StandIn
	for doc, err := range o.standIns.Find(ctx, store.Query{Index: index, Equal: []any{account}, From: string(day), Limit: maxOfAccount}) {
		if err != nil {
			return nil, err
		}
		list = append(list, doc.Value)
	}
	return list, nil
}

// GetStandIn answers one. NotFound "office_standin_unknown".
func (o *Office) GetStandIn(ctx context.Context, id string) (StandIn, error) {
	s, _, err := o.standIns.Get(ctx, id)
	if isNotFound(err) || errors.Is(err, store.ErrInvalid) {
		return s, fault.New(fault.NotFound, "office_standin_unknown")
	}
	return s, told(err)
}

// EndStandIn ends one: from today on it does not hold. One that is over stays as it is. NotFound "office_standin_unknown".
func (o *Office) EndStandIn(ctx context.Context, id string, by By) (StandIn, error) {
	if _, err := o.GetStandIn(ctx, id); err != nil {
		return StandIn{}, err
	}
	ended, err := o.standIns.Update(ctx, id, func(s *StandIn) (bool, error) {
		now := store.Milliseconds(o.options.Now())
		today, _ := localday.Of(now)
		if s.Until < today || !s.EndedAt.IsZero() {
			return false, nil
		}
		s.Until, s.EndedAt, s.EndedBy = today.Add(-1), now, by
		return true, nil
	})
	if err != nil {
		return ended, told(err)
	}
	o.forget(ctx, ended)
	return ended, nil
}

func (o *Office) forget(ctx context.Context, s StandIn) {
	for _, account := range []string{s.Account.ID, s.Deputy.ID} {
		o.standing.Forget(account)
		o.publish(ctx, topicStandIns, account)
	}
}

// StandingFor lists for whom an account stands in on a day, by the accounts' names; a moment old at most.
func (o *Office) StandingFor(ctx context.Context, account string, day localday.Day) ([]StandIn, error) {
	return o.of(ctx, account, day, func(s StandIn) bool { return s.Deputy.ID == account })
}

// DeputyOf is who stands in for an account on a day; false where nobody does.
func (o *Office) DeputyOf(ctx context.Context, account string, day localday.Day) (StandIn, bool, error) {
	list, err := o.of(ctx, account, day, func(s StandIn) bool { return s.Account.ID == account })
	if err != nil || len(list) == 0 {
		return StandIn{}, false, err
	}
	return list[0], true, nil
}

func (o *Office) of(ctx context.Context, account string, day localday.Day, belongs func(StandIn) bool) ([]StandIn, error) {
	read := func(ctx context.Context, from localday.Day) ([]StandIn, error) {
		away, err := o.lookUp(ctx, "account", account, from)
		if err != nil {
			return nil, err
		}
		standing, err := o.lookUp(ctx, "deputy", account, from)
		return append(away, standing...), err
	}
	today, _ := localday.Of(o.options.Now())
	from := today.Add(-1) // so that what is remembered over midnight is whole
	var all []StandIn
	var err error
	if day < from {
		all, err = read(ctx, day)
	} else {
		all, err = o.standing.Get(ctx, account, func(ctx context.Context) ([]StandIn, error) { return read(ctx, from) })
	}
	if err != nil {
		return nil, told(err)
	}
	var out []StandIn
	for _, s := range all {
		if belongs(s) && s.Holds(day) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b StandIn) int {
		return cmp.Or(cmp.Compare(a.Account.Name, b.Account.Name), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// StandInsOf lists the stand-ins of one account, on either side, those that are over too, the latest first.
func (o *Office) StandInsOf(ctx context.Context, account string) ([]StandIn, error) {
	var list []StandIn
	for _, index := range []string{"account", "deputy"} {
		page, _, err := o.standIns.Page(ctx, store.Query{Index: index, Equal: []any{account}, Desc: true}, maxOfAccount)
		if err != nil {
			return nil, told(err)
		}
		list = append(list, page...)
	}
	slices.SortFunc(list, func(a, b StandIn) int { return cmp.Or(cmp.Compare(b.From, a.From), cmp.Compare(b.Seq, a.Seq)) })
	return list, nil
}

// StandIns lists stand-ins, newest first, those that are over too, of those that show answers true for; as Changes.
func (o *Office) StandIns(ctx context.Context, after store.Cursor, limit int, show func(StandIn) bool) ([]StandIn, store.Cursor, error) {
	page, next, err := o.standIns.Page(ctx, store.Query{Index: "seq", After: after, Desc: true}, limit)
	if errors.Is(err, store.ErrInvalid) {
		return nil, "", fault.New(fault.Invalid, "office_page_token").Because(err)
	}
	return slices.DeleteFunc(page, func(s StandIn) bool { return !show(s) }), next, told(err)
}

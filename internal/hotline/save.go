package hotline

import (
	"context"
	"crypto/sha256"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// Draft is a call as it is written down while it goes on.
type Draft struct {
	ID        string // the same id again is the same call
	Unit      string // whose hotline it is
	Direction Direction
	Started   time.Time // of a new call; zero or absurd = now
	Returns   string    // of a new outgoing call: what it answers
	Caller    Caller
	Written
}

// longest is how long before its first line a call may have begun: a shift.
const longest = 12 * time.Hour

// Save writes a call down as far as it is known, again and again while it goes on. seen is the version that the last Save answered, 0
// for a new call. What was saved before is saved again without harm, so that an answer that was lost can be asked for again.
// NotFound "hotline_call_unknown" for somebody else's call; Stale "hotline_call_changed" where it was changed elsewhere, with what stands there
// as *StaleCall; Stale "hotline_call_finished"; Invalid.
func (h *Hotline) Save(ctx context.Context, by Operator, draft Draft, seen store.Version) (Call, error) {
	return h.save(ctx, by, draft, seen, nil)
}

// StaleCall is a fault of Stale with the call as it stands.
type StaleCall struct {
	Current Call
	Fault   *fault.Error
}

// Error is for the log.
func (s *StaleCall) Error() string { return s.Fault.Error() }

// Unwrap lets fault.Of find the fault.
func (s *StaleCall) Unwrap() error { return s.Fault }

// save writes a draft, and with it what last does to the call, in one write.
func (h *Hotline) save(ctx context.Context, by Operator, draft Draft, seen store.Version, last func(*Call) error) (Call, error) {
	if id, err := uuid.Parse(draft.ID); err != nil || id.Version() != 7 || id.String() != draft.ID {
		return Call{}, fault.New(fault.Invalid, "hotline_call_id")
	}
	if err := h.check(&draft.Written); err != nil {
		return Call{}, err
	}
	current, version, err := h.calls.Get(ctx, draft.ID)
	if errors.Is(err, store.ErrNotFound) {
		if seen != 0 { // no call vanishes, so this version was never ours
			return Call{}, fault.New(fault.NotFound, "hotline_call_unknown")
		}
		made, err := h.begin(ctx, by, draft, last)
		if !errors.Is(err, store.ErrExists) {
			return made, told("begin call", "hotline_call_unknown", err)
		}
		current, version, err = h.calls.Get(ctx, draft.ID) // the other tab was faster
		if err != nil {
			return Call{}, told("read call", "hotline_call_unknown", err)
		}
	} else if err != nil {
		return Call{}, told("read call", "hotline_call_unknown", err)
	}
	current.Version = version
	if current.Operator != by.Account {
		return Call{}, fault.New(fault.NotFound, "hotline_call_unknown")
	}
	next := clone(current)
	if err := h.fill(&next, draft); err != nil {
		return Call{}, err
	}
	if last != nil {
		if err := last(&next); err != nil {
			return Call{}, err
		}
	}
	switch {
	case same(current, next):
		return current, nil // as an answer that was lost is asked for again
	case !current.Open:
		return Call{}, &StaleCall{current, fault.New(fault.Stale, "hotline_call_finished")}
	case version != seen:
		return Call{}, &StaleCall{current, fault.New(fault.Stale, "hotline_call_changed")}
	}
	return h.replace(ctx, next, version)
}

// begin adds a new call.
func (h *Hotline) begin(ctx context.Context, by Operator, draft Draft, last func(*Call) error) (Call, error) {
	now := store.Milliseconds(h.now())
	c := Call{
		ID: draft.ID, Unit: draft.Unit, Operator: by.Account, OperatorName: by.Name, Direction: draft.Direction,
		StartedAt: store.Milliseconds(draft.Started), Open: true, Returns: draft.Returns, Above: h.above(draft.Unit), ChangedAt: now,
	}
	if c.Direction != Out {
		c.Direction = In
	}
	if c.StartedAt.After(now) || now.Sub(c.StartedAt) > longest {
		c.StartedAt = now
	}
	if err := h.fill(&c, draft); err != nil {
		return Call{}, err
	}
	if last != nil {
		if err := last(&c); err != nil {
			return Call{}, err
		}
	}
	if err := h.calls.Insert(ctx, c); err != nil {
		return Call{}, err
	}
	stored, version, err := h.calls.Get(ctx, c.ID)
	stored.Version = version
	return stored, err
}

// fill puts a draft into a call.
func (h *Hotline) fill(c *Call, draft Draft) error {
	c.Written = draft.Written
	if err := h.know(c, draft.Caller); err != nil {
		return err
	}
	h.list(c)
	return nil
}

// list puts a call into the lists that follow from what is written in it.
func (h *Hotline) list(c *Call) {
	c.WaitsAbove, c.PraiseFor = nil, nil
	reached := slices.ContainsFunc(c.CalledBack, func(a Attempt) bool { return a.Reached })
	if c.CallBackOn != "" && !reached {
		c.WaitsAbove = c.Above
	}
	if c.Kind == Praise && !c.Open {
		c.PraiseFor = h.above(c.About)
		if c.About == "" {
			c.PraiseFor = c.Above
		}
		if c.Official != "" {
			c.PraiseFor = append(slices.Clone(c.PraiseFor), praised+c.Official)
		}
	}
}

// praised begins the name of an official's own list of praise; no unit's id has a colon.
const praised = "official:"

func (h *Hotline) check(w *Written) error {
	w.Summary, w.Result = norm.NFC.String(strings.TrimRight(w.Summary, " \t\r\n")), norm.NFC.String(strings.TrimSpace(w.Result))
	switch {
	case utf8.RuneCountInString(w.Summary) > MaxSummary:
		return fault.New(fault.Invalid, "hotline_summary_long", "limit", MaxSummary)
	case utf8.RuneCountInString(w.Result) > MaxResult:
		return fault.New(fault.Invalid, "hotline_result_long", "limit", MaxResult)
	case w.Kind != "" && !slices.Contains(CallKinds(), w.Kind):
		return fault.New(fault.Invalid, "hotline_kind_unknown")
	}
	if w.About != "" {
		if _, ok := h.options.Directory.Tree().Get(w.About); !ok {
			return fault.New(fault.NotFound, "unit_unknown", "unit", w.About)
		}
	}
	if w.CallBackOn != "" {
		if _, err := localday.Parse(string(w.CallBackOn)); err != nil {
			return fault.New(fault.Invalid, "day_invalid", "day", store.Clip(string(w.CallBackOn), 20))
		}
	}
	return nil
}

func clone(c Call) Call {
	c.CalledBack, c.History = slices.Clone(c.CalledBack), slices.Clone(c.History)
	return c
}

// same tells whether two states of a call say the same.
func same(a, b Call) bool {
	a.ChangedAt, a.EndedAt = b.ChangedAt, b.EndedAt
	return a.Open == b.Open && reflect.DeepEqual(a, b)
}

// replace writes a call by compare-and-swap.
func (h *Hotline) replace(ctx context.Context, c Call, version store.Version) (Call, error) {
	c.ChangedAt = store.Milliseconds(h.now())
	next, err := h.calls.Replace(ctx, c.ID, c, version)
	var stale *store.StaleError[Call]
	if errors.As(err, &stale) {
		current := stale.Current.Value
		current.Version = stale.Current.Version
		return Call{}, &StaleCall{current, fault.New(fault.Stale, "hotline_call_changed")}
	}
	c.Version = next
	return c, told("write call", "hotline_call_unknown", err)
}

// CaseOf is the id of the case that a call opens: the same for the same call, so that a call that is finished again, from another page or
// after a crash, opens no second one.
func CaseOf(callID string) string {
	call, err := uuid.Parse(callID)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte("hailong.case-of-call\x00" + callID))
	made := uuid.UUID(sum[:16])
	copy(made[:6], call[:6]) // the same time, as UUIDv7 begins with it
	made[6], made[8] = 0x70|made[6]&0x0f, 0x80|made[8]&0x3f
	return made.String()
}

// Finished is what is known of a call when it ends.
type Finished struct {
	Case   string // opened from it, or being opened; "" = none
	Rating string // given in it; "" = none
}

// Finish ends a call with what was written last. Finishing it again with the same changes nothing. Invalid "hotline_kind_missing";
// "hotline_praise_nobody" where nobody and no unit was praised; the faults of Save.
func (h *Hotline) Finish(ctx context.Context, by Operator, draft Draft, seen store.Version, end Finished) (Call, error) {
	switch {
	case draft.Kind == "":
		return Call{}, fault.New(fault.Invalid, "hotline_kind_missing")
	case draft.Kind == Praise && draft.About == "" && draft.Official == "":
		return Call{}, fault.New(fault.Invalid, "hotline_praise_nobody")
	}
	if draft.Result == "" {
		draft.Result = resultOf(draft, end)
	}
	return h.save(ctx, by, draft, seen, func(c *Call) error {
		c.Case, c.Rating = end.Case, end.Rating
		c.Open, c.EndedAt = false, store.Milliseconds(h.now())
		h.list(c)
		return nil
	})
}

// resultOf is the result that follows from the rest where nothing else was said.
func resultOf(draft Draft, end Finished) string {
	switch {
	case end.Case != "":
		return CaseOpened
	case end.Rating != "":
		return Rated
	case draft.CallBackOn != "":
		return WillCall
	}
	return Answered
}

// Correct changes what a finished call says; what it said before stays in its history. caller nil = who called stays. Invalid
// "hotline_reason_missing", "hotline_corrected_often"; Stale "hotline_call_changed" as *StaleCall, "hotline_call_open".
func (h *Hotline) Correct(ctx context.Context, by Operator, id string, seen store.Version, written Written, caller *Caller, reason string) (Call, error) {
	reason = norm.NFC.String(strings.TrimSpace(reason))
	if reason == "" || utf8.RuneCountInString(reason) > MaxReason {
		return Call{}, fault.New(fault.Invalid, "hotline_reason_missing", "limit", MaxReason)
	}
	if err := h.check(&written); err != nil {
		return Call{}, err
	}
	if written.Kind == "" {
		return Call{}, fault.New(fault.Invalid, "hotline_kind_missing")
	}
	current, err := h.Get(ctx, id)
	switch {
	case err != nil:
		return Call{}, err
	case current.Open:
		return Call{}, fault.New(fault.Stale, "hotline_call_open")
	case current.Version != seen:
		return Call{}, &StaleCall{current, fault.New(fault.Stale, "hotline_call_changed")}
	case len(current.History) >= maxHistory:
		return Call{}, fault.New(fault.Exhausted, "hotline_corrected_often", "limit", maxHistory)
	}
	next := clone(current)
	correction := Correction{At: store.Milliseconds(h.now()), By: by.Account, ByName: by.Name, Reason: reason, Before: current.Written}
	next.Written = written
	if caller != nil {
		if err := h.know(&next, *caller); err != nil {
			return Call{}, err
		}
		correction.Caller = !slices.Equal(next.Sealed, current.Sealed)
	}
	h.list(&next)
	next.History = append(next.History, correction)
	return h.replace(ctx, next, current.Version)
}

// Get reads a call. NotFound "hotline_call_unknown".
func (h *Hotline) Get(ctx context.Context, id string) (Call, error) {
	c, version, err := h.calls.Get(ctx, id)
	c.Version = version
	return c, told("read call", "hotline_call_unknown", err)
}

// EraseCaller removes who called, for good; the line stays. Erasing it again changes nothing.
func (h *Hotline) EraseCaller(ctx context.Context, id string) error {
	_, err := h.calls.Update(ctx, id, func(c *Call) (bool, error) {
		if c.Sealed == nil {
			return false, nil
		}
		c.Sealed, c.NumberIndex, c.LastFourIndex, c.Erased = nil, "", "", true
		c.ChangedAt = store.Milliseconds(h.now())
		return true, nil
	})
	return told("erase caller", "hotline_call_unknown", err)
}

package office

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// What a rule is about.
type What string

// The sorts of rules.
const (
	Deadlines What = "deadlines"
	Openings  What = "opening"
)

// By is who changed something.
type By struct {
	Account string `bson:"account,omitempty"` // "" = the program itself, at the machine
	Name    string `bson:"name,omitempty"`    // the account's, then
}

// Change is one entry of the log of rules. What it took the place of is the change numbered Before.
type Change struct {
	ID        string    `bson:"_id"` // N, so written that order as text is order in time
	N         int64     `bson:"n"`   // from 1, without gaps
	Unit      string    `bson:"unit"`
	What      What      `bson:"what"`
	At        time.Time `bson:"at"`
	By        By        `bson:"by"`
	Deadlines string    `bson:"deadlines,omitempty"` // the table as YAML; "" = what is decided above holds again
	Opening   *Opening  `bson:"opening,omitempty"`   // nil = what is decided above holds again
	Before    int64     `bson:"before,omitempty"`    // 0 = nothing of its own was decided before
}

// Version names what stands, for whoever wants to change it: the number of the change that made it.
func (c Change) Version() string { return strconv.FormatInt(c.N, 10) }

// Inherits tells that since this change what is decided above holds.
func (c Change) Inherits() bool { return c.Deadlines == "" && c.Opening == nil }

func (c Change) same(other Change) bool {
	if c.Deadlines != other.Deadlines || (c.Opening == nil) != (other.Opening == nil) {
		return false
	}
	return c.Opening == nil || c.Opening.equal(*other.Opening)
}

var changesKind = store.Define[Change]("case_rule_changes").AppendOnly()

func idOf(n int64) string { return fmt.Sprintf("%012d", n) }

// key is a decision that can be made.
type key struct {
	what What
	unit string
}

// state is all rules as of one change. It is never changed.
type state struct {
	last     int64
	standing map[key]Change
	tables   map[string]deadline.Rules // by unit; of texts that are still good
	openings map[string][]Change       // by unit, in order: which rule stood when
}

func (s *state) with(o *Office, news []Change) *state {
	next := &state{s.last, maps.Clone(s.standing), maps.Clone(s.tables), maps.Clone(s.openings)}
	if next.standing == nil {
		next.standing, next.tables, next.openings = map[key]Change{}, map[string]deadline.Rules{}, map[string][]Change{}
	}
	for _, c := range news {
		next.last = c.N
		next.standing[key{c.What, c.Unit}] = c
		switch c.What {
		case Openings:
			next.openings[c.Unit] = append(slices.Clone(next.openings[c.Unit]), c)
		case Deadlines:
			delete(next.tables, c.Unit)
			if c.Deadlines == "" {
				continue
			}
			// A text that was good once may lack a step that a later version of the product knows: then what is decided above holds,
			// because a case that no clock runs for would be worse.
			rules, err := parse(c.Deadlines)
			if err != nil {
				o.options.Logger.Warn("the deadlines of a unit are not complete any more; those above it hold", "unit", c.Unit, "error", err)
				continue
			}
			next.tables[c.Unit] = rules
		}
	}
	return next
}

// Revision is the number of the last change known here; it grows with every change.
func (o *Office) Revision() int64 { return o.state.Load().last }

// refresh reads the log on.
func (o *Office) refresh(ctx context.Context) error {
	o.reading.Lock()
	defer o.reading.Unlock()
	now := o.state.Load()
	var news []Change
	for doc, err := range o.changes.Find(ctx, store.Query{From: idOf(now.last + 1)}) {
		if err != nil {
			return err
		}
		news = append(news, doc.Value)
	}
	if len(news) > 0 || now.standing == nil {
		o.state.Store(now.with(o, news))
	}
	return nil
}

// decide adds a change where known is the version that stands, or "" = whatever stands. The same decision again changes nothing.
func (o *Office) decide(ctx context.Context, c Change, known string) (Change, error) {
	for {
		if err := o.refresh(ctx); err != nil {
			return c, told(err)
		}
		now := o.state.Load()
		stands := now.standing[key{c.What, c.Unit}]
		if stands.same(c) {
			return stands, nil
		}
		if known != "" && known != stands.Version() {
			return stands, fault.New(fault.Stale, "office_rules_changed", "name", stands.By.Name)
		}
		c.N, c.Before, c.At = now.last+1, stands.N, store.Milliseconds(o.options.Now())
		c.ID = idOf(c.N)
		err := o.changes.Insert(ctx, c)
		if errors.Is(err, store.ErrExists) {
			continue
		}
		if err != nil {
			return c, told(err)
		}
		if err := o.refresh(ctx); err != nil {
			o.options.Logger.WarnContext(ctx, "a rule was changed and cannot be read at once", "error", err)
		}
		o.publish(ctx, topicRules, "changed")
		return c, nil
	}
}

// Changed is a change with what stood before it.
type Changed struct {
	Change
	Was Change // the zero value where nothing of its own was decided before
}

// Changes lists changes, newest first, of those that show answers true for; after is the last page's cursor. A page may hold
// fewer than limit and still have a next one. Invalid "office_page_token".
func (o *Office) Changes(ctx context.Context, after store.Cursor, limit int, show func(Change) bool) ([]Changed, store.Cursor, error) {
	page, next, err := o.changes.Page(ctx, store.Query{After: after, Desc: true}, limit)
	if errors.Is(err, store.ErrInvalid) {
		return nil, "", fault.New(fault.Invalid, "office_page_token").Because(err)
	}
	if err != nil {
		return nil, "", told(err)
	}
	var out []Changed
	for _, c := range page {
		if !show(c) {
			continue
		}
		one := Changed{Change: c}
		if c.Before > 0 {
			if one.Was, _, err = o.changes.Get(ctx, idOf(c.Before)); err != nil {
				return nil, "", told(err)
			}
		}
		out = append(out, one)
	}
	return out, next, nil
}

// parse reads a table and sees to it that casework can do with it.
func parse(text string) (deadline.Rules, error) {
	rules, err := deadline.Parse([]byte(text))
	if err != nil {
		return rules, err
	}
	var missing fault.Faults
	for _, name := range casework.Clocks() {
		if _, ok := rules.Rule(name); !ok {
			missing = append(missing, fault.New(fault.Invalid, "office_deadline_missing", "name", name))
		}
	}
	if len(missing) > 0 {
		return rules, missing
	}
	return rules, nil
}

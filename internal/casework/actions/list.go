package actions

import (
	"context"
	"errors"
	"slices"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// Filter says which actions to list. What is given must all hold.
type Filter struct {
	Unit  string // whose subtree ordered it or is to do it; "" = everywhere
	Ended bool   // those that ended instead of those that are open
	Late  bool   // only what is late today
	Case  string // only what came from this case, open or not
	Order string // only what was ordered at once, open or not
}

// List answers a page, the most urgent first. Invalid "actions_page".
func (a *Actions) List(ctx context.Context, f Filter, after store.Cursor, limit int) ([]Kept, store.Cursor, error) {
	query := store.Query{Index: byUrgency, Equal: []any{f.Unit, !f.Ended}, After: after, Desc: f.Ended}
	today, _ := localday.Of(a.now())
	switch {
	case f.Case != "":
		query = store.Query{Index: byCase, Equal: []any{f.Case}, After: after}
	case f.Order != "":
		query = store.Query{Index: byOrder, Equal: []any{f.Order}, After: after}
	case f.Late && !f.Ended:
		query.From, query.To = "", string(today)
	}
	list, next, err := a.actions.Page(ctx, query, limit)
	if errors.Is(err, store.ErrInvalid) {
		return nil, "", fault.New(fault.Invalid, "actions_page").Because(err)
	}
	if err != nil {
		return nil, "", failed("list actions", err)
	}
	var out []Kept
	for _, d := range list {
		if (f.Case != "" || f.Order != "") && f.Unit != "" && !slices.Contains(d.Above, f.Unit) {
			continue
		}
		out = append(out, d.kept())
	}
	return out, next, nil
}

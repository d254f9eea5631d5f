package actions

import (
	"net/http"
	"net/url"
	"slices"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// listPage is a list of actions.
type listPage struct {
	Asked    asked
	Lists    []tab
	Rows     []row
	Next     string
	MayOrder bool
	Contests bool // the visitor has to do with contests
	Problem  string
}

type tab struct {
	Key, Link string
	Current   bool
}

// row is an action in a list.
type row struct {
	*pb.Action
	Link  string
	Clock *clock
	Width int // of the bar of its days, of a hundred; 0 = none
}

// lists are the lists, in the order of their links.
func lists() []string { return []string{"open", "late", "mine", "ended"} }

// asked is what a list shows.
type asked struct {
	List, Case, Order, Page string
	Unit                    *pb.Unit // nil = all the account sees
	Query                   string
	Found                   []option
}

func ask(v *web.Visit) (a asked, err error) {
	a = asked{List: v.Value("list"), Case: cut(v.Value("case"), 64), Order: cut(v.Value("order"), 64), Page: cut(v.Value("page"), 1000), Query: cut(v.Value("unit_q"), 200)}
	if !slices.Contains(lists(), a.List) {
		a.List = "open"
	}
	id := v.Value("unit")
	if a.Query != "" {
		if a.Found, err = searchUnits(v, a.Query); err != nil {
			return a, err
		}
		if len(a.Found) == 1 {
			id, a.Found, a.Query = a.Found[0].Value, nil, ""
		}
	}
	if id != "" && a.Query == "" {
		a.Unit, err = v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: cut(id, 64)})
	}
	return a, err
}

// Of tells whether the list is of one case or one order, open and ended ones alike.
func (a asked) Of() string {
	switch {
	case a.Case != "":
		return "case"
	case a.Order != "":
		return "order"
	}
	return ""
}

// with is the address of the same list with one thing changed.
func (a asked) with(name, value string) string {
	values := url.Values{}
	for key, now := range map[string]string{"list": a.List, "case": a.Case, "order": a.Order, "unit": a.Unit.GetId()} {
		if now != "" {
			values.Set(key, now)
		}
	}
	values.Set(name, value)
	return "/actions?" + values.Encode()
}

// shown is how many rows a page has; what waits for the visitor is sought in so many pages of the contract.
const shown, soughtIn = 50, 20

func (p pages) list(v *web.Visit) error {
	a, err := ask(v)
	if err != nil {
		return err
	}
	page := listPage{Asked: a, MayOrder: v.May("order_actions"), Contests: contestant(v)}
	for _, key := range lists() {
		one := asked{List: key, Unit: a.Unit}
		page.Lists = append(page.Lists, tab{key, one.with("list", key), a.Of() == "" && key == a.List})
	}
	request := &pb.ListActionsRequest{UnitId: a.Unit.GetId(), CaseId: a.Case, OrderId: a.Order, List: a.List, PageSize: shown, PageToken: a.Page}
	if a.Of() != "" {
		request.List = ""
	}
	for range soughtIn {
		answer, err := v.Correct.ListActions(v.Context(), request)
		if words, mendable := web.Message(err); err != nil && mendable {
			page.Problem = words
			break
		}
		if err != nil {
			return err
		}
		for _, one := range answer.GetActions() {
			page.Rows = append(page.Rows, row{Action: one, Link: link(one.GetId()), Clock: urgent(v, one.GetClocks())})
		}
		request.PageToken = answer.GetNextPageToken()
		if request.PageToken == "" || len(page.Rows) >= shown || request.GetList() != "mine" && len(answer.GetActions()) > 0 {
			break
		}
	}
	if request.GetPageToken() != "" && page.Problem == "" {
		page.Next = a.with("page", request.GetPageToken())
	}
	page.draw()
	code := http.StatusOK
	if page.Problem != "" {
		code = http.StatusUnprocessableEntity
	}
	return v.RenderStatus(code, p.Pages, "list", page)
}

// draw gives each row the bar of its days left or late, all in one measure.
func (l *listPage) draw() {
	longest := 1
	for _, one := range l.Rows {
		if one.Clock != nil && one.Clock.GetDueOn() != "" {
			longest = max(longest, one.Clock.Days, -one.Clock.Days)
		}
	}
	for i, one := range l.Rows {
		if one.Clock != nil && one.Clock.GetDueOn() != "" {
			l.Rows[i].Width = max(2, 100*max(one.Clock.Days, -one.Clock.Days)/longest)
		}
	}
}

// New is the address of the form by which more is ordered.
func (l listPage) New() string {
	if l.Asked.Case != "" {
		return "/actions/new?" + url.Values{"case": {l.Asked.Case}}.Encode()
	}
	return "/actions/new"
}

// CaseLink leads to the case the list is of.
func (a asked) CaseLink() string { return "/cases/" + url.PathEscape(a.Case) }

// contestant tells whether the visitor has to do with contests: raises, decides or inspects them.
func contestant(v *web.Visit) bool {
	return v.May("contest_ratings") || v.May("decide_contests") || v.Account.GetRole() == pb.Role_ROLE_INSPECTOR
}

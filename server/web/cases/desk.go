package cases

import (
	"net/url"
	"slices"

	"golang.org/x/sync/errgroup"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// row is a case in a list.
type row struct {
	*pb.Case
	Link  string
	Clock *clock // the most urgent; nil = none runs
	Todo  string // what is waited for, in words; "" = it only stands here
	Key   string // of the keyboard that leads there
	Since int    // days it is late
	Width int    // of a hundred: its bar
}

func rowOf(v *web.Visit, c *pb.Case) row {
	return row{Case: c, Link: link(c.GetId()), Clock: urgent(v, c), Since: since(v, c)}
}

// Unit is the name of the unit it is about, else of the one that has it.
func (r row) Unit() string {
	for _, name := range []string{r.GetNames().GetAbout(), r.GetNames().GetAssigned(), r.GetNames().GetReceiving()} {
		if name != "" {
			return name
		}
	}
	return ""
}

// deskPage is the first page: what waits, what is late, and a list.
type deskPage struct {
	Desk    bool // false = a list was asked for, which stands alone
	Waiting []row
	Found   *pb.GetCaseDeskResponse
	Late    []row
	MoreTo  string // the list of what waits, where there is more of it than is shown
	MayOpen bool
	Lists   []list
	Asked   asked
	Rows    []row
	Next    string
	Problem string
}

// list is one of the lists, as the row of links above them shows it.
type list struct {
	Key, Link string
	Count     string // "" = it is not counted
	Current   bool
}

// shownOnDesk is how many rows stand below the desk; a list of its own has more.
const shownOnDesk, shownInList = 12, 50

// waitingHere is how much of what waits the first page shows.
const waitingHere = 3

func (p pages) desk(v *web.Visit) error {
	page := deskPage{MayOpen: v.May("open_cases")}
	var err error
	if page.Asked, err = ask(v); err != nil {
		return err
	}
	page.Desk = !page.Asked.any()
	request := page.Asked.request(shownInList)
	if page.Desk {
		request.PageSize = shownOnDesk
	}
	var group errgroup.Group
	var found *pb.ListCasesResponse
	group.Go(func() (err error) {
		page.Found, err = v.Cases.GetCaseDesk(v.Context(), &pb.GetCaseDeskRequest{UnitId: page.Asked.Unit.id()})
		return err
	})
	var refused error
	group.Go(func() error {
		found, refused = v.Cases.ListCases(v.Context(), request)
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if words, mendable := web.Message(refused); refused != nil && mendable {
		page.Problem = words
	} else if refused != nil {
		return refused
	}
	page.fill(v, found)
	code := 200
	if page.Problem != "" {
		code = 422
	}
	return v.RenderStatus(code, p.Pages, "desk", page)
}

func (d *deskPage) fill(v *web.Visit, found *pb.ListCasesResponse) {
	for i, waits := range d.Found.GetWaiting() {
		if i == waitingHere {
			break
		}
		r := rowOf(v, waits.GetCase())
		r.Todo, r.Key = todo(v, waits.GetEvent()), string(rune('1'+i))
		d.Waiting = append(d.Waiting, r)
	}
	longest := 1
	for _, c := range d.Found.GetLate() {
		r := rowOf(v, c)
		d.Late, longest = append(d.Late, r), max(longest, r.Since)
	}
	for i := range d.Late {
		d.Late[i].Width = max(2, 100*d.Late[i].Since/longest)
	}
	if int(d.Found.GetWaitingCount()) > len(d.Waiting) {
		d.MoreTo = d.Asked.with("list", "mine")
	}
	for _, c := range found.GetCases() {
		d.Rows = append(d.Rows, rowOf(v, c))
	}
	if token := found.GetNextPageToken(); token != "" {
		d.Next = d.Asked.with("page", token)
	}
	counted := map[string]string{
		"open": upTo(v, d.Found.GetOpenCount(), 1000), "late": upTo(v, d.Found.GetLateCount(), 1000),
		"result_missing": upTo(v, d.Found.GetResultMissingCount(), 1000), "mine": upTo(v, d.Found.GetWaitingCount(), 100),
	}
	for _, key := range lists() {
		d.Lists = append(d.Lists, list{key, d.Asked.with("list", key), counted[key], !d.Desk && key == d.Asked.List})
	}
}

// upTo writes a count that is not counted further than to a limit.
func upTo(v *web.Visit, n, limit int32) string {
	if n >= limit {
		return v.Text("casespage.at_least", "n", web.Count(v.Language, limit))
	}
	return web.Count(v.Language, n)
}

// todo says what is waited for.
func todo(v *web.Visit, event string) string {
	key := "casespage.todo." + event
	if words := v.Text(key); words != key {
		return words
	}
	return v.Text("casework.event." + event)
}

// lists are the lists, in the order of their links.
func lists() []string { return []string{"open", "late", "result_missing", "mine", "all"} }

// states and sources are what a list can be narrowed to.
func states() []string {
	return []string{
		"received", "assigned", "explanation_requested", "explained", "returned", "accepted", "replied", "reopened", "out_of_scope", "closed", "duplicate", "withdrawn",
	}
}

func sources() []string {
	return []string{"rating", "call", "slip", "box", "book", "letter", "reception_day", "leader", "web", "follow_up"}
}

// asked is what a list shows.
type asked struct {
	List, State, Source, Text, From, To, Page string
	Unit                                      unitChoice
	States, Sources                           []option
}

func ask(v *web.Visit) (asked, error) {
	a := asked{
		List: v.Value("list"), State: v.Value("state"), Source: v.Value("source"), Text: cut(v.Value("text"), 200),
		From: v.Value("from"), To: v.Value("to"), Page: cut(v.Value("page"), 1000),
	}
	if !slices.Contains(lists(), a.List) {
		a.List = ""
	}
	for _, s := range states() {
		a.States = append(a.States, option{Value: s, Words: v.Text("casework.state." + s), Chosen: s == a.State})
	}
	for _, s := range sources() {
		a.Sources = append(a.Sources, option{Value: s, Words: v.Text("casework.source." + s), Chosen: s == a.Source})
	}
	if !slices.Contains(states(), a.State) {
		a.State = ""
	}
	if !slices.Contains(sources(), a.Source) {
		a.Source = ""
	}
	var err error
	a.Unit, err = chooseUnit(v)
	return a, err
}

// any tells whether anything was asked for, so that the list stands alone.
func (a asked) any() bool {
	return a.List+a.State+a.Source+a.Text+a.From+a.To+a.Page+a.Unit.Query != ""
}

// Narrowed tells whether the filter holds anything.
func (a asked) Narrowed() bool {
	return a.State+a.Source+a.Text+a.From+a.To+a.Unit.Query != "" || a.Unit.Unit != nil
}

func (a asked) request(size int32) *pb.ListCasesRequest {
	r := &pb.ListCasesRequest{
		UnitId: a.Unit.id(), List: a.List, Source: a.Source, Text: a.Text, From: a.From, To: a.To, PageSize: size, PageToken: a.Page,
	}
	if a.State != "" {
		r.States = []string{a.State}
	}
	if a.List == "" && (a.Text != "" || a.State != "" || a.From != "" || a.To != "") {
		r.List = "all" // whoever looks for something looks everywhere
	}
	return r
}

// with is the address of the same list with one thing changed.
func (a asked) with(name, value string) string {
	values := url.Values{}
	for key, now := range map[string]string{
		"list": a.List, "state": a.State, "source": a.Source, "text": a.Text, "from": a.From, "to": a.To, "unit": a.Unit.id(),
	} {
		if now != "" {
			values.Set(key, now)
		}
	}
	values.Set(name, value)
	return "/cases?" + values.Encode()
}

// cut is a text of at most so many characters.
func cut(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit])
	}
	return text
}

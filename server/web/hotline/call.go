package hotline

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/hotline"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// callPage is a call that is being written down.
type callPage struct {
	Tabs       []tab
	ID         string
	Version    int64
	Started    string // of a call that rang; RFC 3339
	Phone      string
	Name       string
	Keep       bool // the caller agreed that number and name go into the case
	Key        string
	Summary    string
	Title      string
	CallBack   string // as typed
	Result     string
	OpenCase   bool
	AboutCase  string // a case that is there already
	Kinds      []kindKey
	Results    []choice
	Units      unitPart
	Snippets   []*pb.Snippet
	Caller     callerPart
	Similar    casesPart
	Unfinished []*pb.Call
	Rings      ringPart
	Problem    string
	Errors     map[string]string // by field
	Standing   *pb.Call          // what was saved elsewhere meanwhile
}

// kindKey is a kind of call and the key that chooses it.
type kindKey struct{ Key, Kind string }

// choice is one line of a list.
type choice struct {
	Value, Words string
	Chosen       bool
}

func kinds() []kindKey {
	var list []kindKey
	for i, kind := range hotline.CallKinds() {
		list = append(list, kindKey{strconv.Itoa(i + 1), string(kind)})
	}
	return list
}

// Accepts are the keys of all kinds.
func (p *callPage) Accepts() string {
	keys := ""
	for _, k := range p.Kinds {
		keys += k.Key
	}
	return keys
}

// Kind is the kind that was chosen; "" = none yet.
func (p *callPage) Kind() string {
	for _, k := range p.Kinds {
		if k.Key == p.Key {
			return k.Kind
		}
	}
	return ""
}

// Path is the address of the call.
func (p *callPage) Path() string { return "/hotline/calls/" + p.ID }

func keyOf(kind string) string {
	for _, k := range kinds() {
		if k.Kind == kind {
			return k.Key
		}
	}
	return ""
}

// newCall is the page of a call with nothing written in it.
func newCall(v *web.Visit, id string) (*callPage, error) {
	page := &callPage{Tabs: tabs(v, "call"), ID: id, Kinds: kinds(), Errors: map[string]string{}, OpenCase: true}
	for _, result := range hotline.Results() {
		page.Results = append(page.Results, choice{Value: result, Words: v.Text("hotline.result." + result)})
	}
	snippets, err := v.Calls.ListSnippets(v.Context(), &pb.ListSnippetsRequest{})
	if err != nil {
		return nil, err
	}
	page.Snippets = snippets.GetSnippets()
	left, err := v.Calls.ListCalls(v.Context(), &pb.ListCallsRequest{Unfinished: true, PageSize: 10})
	if err != nil {
		return nil, err
	}
	for _, call := range left.GetCalls() {
		if call.GetId() != id {
			page.Unfinished = append(page.Unfinished, call)
		}
	}
	return page, nil
}

// showNew shows an empty call; one that rang begins with its number.
func (p pages) showNew(v *web.Visit) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	page, err := newCall(v, id.String())
	if err != nil {
		return err
	}
	if page.Rings, err = ringing(v); err != nil {
		return err
	}
	if asked := v.Value("ring"); asked != "" {
		for _, ring := range page.Rings.Rings {
			if ring.GetId() == asked {
				page.Phone, page.Started = ring.GetNumber(), ring.GetAt().AsTime().Format(stamp)
			}
		}
	}
	return p.write(v, http.StatusOK, page)
}

// stamp is how a form carries a time.
const stamp = "2006-01-02T15:04:05.000Z07:00"

// write answers the page of a call with what is known about what was written.
func (p pages) write(v *web.Visit, code int, page *callPage) error {
	for i := range page.Results {
		page.Results[i].Chosen = page.Results[i].Value == page.Result
	}
	page.Caller = known(v, page.ID, page.Phone, page.AboutCase)
	page.Similar = alike(v, page)
	if page.Units.Asked == nil {
		var err error
		if page.Units, err = findUnits(v, "", page.Units.Chosen, page.Units.Official); err != nil {
			return err
		}
	}
	return v.RenderStatus(code, p.Pages, "call", page)
}

// resume puts a call that was left open into its page.
func (p pages) resume(v *web.Visit, call *pb.Call) error {
	page, err := newCall(v, call.GetId())
	if err != nil {
		return err
	}
	page.Version, page.Phone, page.Name, page.Key = call.GetVersion(), call.GetPhone(), call.GetName(), keyOf(call.GetKind())
	page.Summary, page.Result, page.CallBack = call.GetSummary(), call.GetResult(), web.Day(v.Language, call.GetCallBackOn())
	if page.Units, err = findUnits(v, "", call.GetAboutUnitId(), call.GetOfficialId()); err != nil {
		return err
	}
	if page.Rings, err = ringing(v); err != nil {
		return err
	}
	return p.write(v, http.StatusOK, page)
}

// read takes the page as it was typed, and the draft it means.
func (p pages) read(v *web.Visit) (*callPage, *pb.CallDraft, error) {
	page, err := newCall(v, v.R.PathValue("id"))
	if err != nil {
		return nil, nil, err
	}
	draft := page.take(v)
	page.Units, err = findUnits(v, v.Value("about_q"), v.Value("about"), v.Value("official"))
	draft.AboutUnitId, draft.OfficialId = page.Units.Chosen, page.Units.Official
	return page, draft, err
}

// take reads the fields that need nothing but themselves.
func (p *callPage) take(v *web.Visit) *pb.CallDraft {
	p.Version, _ = strconv.ParseInt(v.Value("version"), 10, 64)
	p.Started, p.Phone, p.Name, p.Key = v.Value("started"), v.Value("phone"), v.Value("name"), v.Value("kind")
	p.Keep, p.Summary, p.Title = v.Value("keep") != "", strings.ReplaceAll(v.R.FormValue("summary"), "\r\n", "\n"), v.Value("title")
	p.CallBack, p.Result, p.OpenCase, p.AboutCase = v.Value("call_back_on"), v.Value("result"), v.Value("open_case") != "", v.Value("about_case")
	draft := &pb.CallDraft{
		Id: p.ID, Phone: p.Phone, Name: p.Name, Kind: p.Kind(), AboutUnitId: v.Value("about"), OfficialId: v.Value("official"), Summary: p.Summary, Result: p.Result,
	}
	if at, ok := parseStamp(p.Started); ok {
		draft.StartedAt = timestamppb.New(at)
	}
	day, ok := isoDay(p.CallBack)
	switch {
	case !ok:
		p.Errors["call_back_on"] = v.Text("hotlinepage.day_wrong")
	case day != "" && localday.Day(day) < v.Today():
		p.Errors["call_back_on"] = v.Text("hotlinepage.day_past")
	}
	if p.Errors["call_back_on"] == "" {
		draft.CallBackOn = day
	}
	return draft
}

// answer takes in what was pressed: save and go on, look for units, put a text in, or finish.
func (p pages) answer(v *web.Visit) error {
	page, draft, err := p.read(v)
	if err != nil {
		return err
	}
	switch v.Value("do") {
	case "find":
		return p.write(v, http.StatusOK, page)
	case "snippet":
		for _, s := range page.Snippets {
			if s.GetKey() == v.Value("snippet") {
				page.Summary = strings.TrimLeft(page.Summary+" "+s.GetText(), " ")
			}
		}
		return p.write(v, http.StatusOK, page)
	case "save":
		call, err := v.Calls.SaveCall(v.Context(), &pb.SaveCallRequest{Call: draft, Version: page.Version})
		if err != nil {
			return p.again(v, page, err)
		}
		v.Notice(v.Text("hotlinepage.saved_at", "time", clockOf(v)))
		return v.Redirect("/hotline/calls/" + call.GetId())
	}
	if page.Key == "" || page.Kind() == "" {
		page.Errors["kind"] = v.Text("hotlinepage.kind_missing")
	}
	if page.Kind() == string(hotline.Complaint) && page.OpenCase && page.AboutCase == "" && draft.GetAboutUnitId() == "" {
		page.Errors["about"] = v.Text("hotlinepage.unit_missing")
	}
	if page.Kind() == string(hotline.Complaint) && page.OpenCase && page.AboutCase == "" && strings.TrimSpace(page.Summary) == "" {
		page.Errors["summary"] = v.Text("hotlinepage.summary_missing")
	}
	if len(page.Errors) > 0 {
		page.Problem = v.Text("hotlinepage.mend")
		return p.write(v, http.StatusUnprocessableEntity, page)
	}
	return p.finish(v, page, draft)
}

// finish saves the call, opens the case and ends the call: in this order, each step the same when it is done again, so that whatever is cut
// off between them is finished by pressing again.
func (p pages) finish(v *web.Visit, page *callPage, draft *pb.CallDraft) error {
	request := &pb.FinishCallRequest{Call: draft, Version: page.Version, CaseId: page.AboutCase}
	if page.Kind() == string(hotline.Complaint) && page.OpenCase && page.AboutCase == "" {
		saved, err := v.Calls.SaveCall(v.Context(), &pb.SaveCallRequest{Call: draft, Version: page.Version})
		if status.Code(err) == codes.FailedPrecondition || status.Code(err) == codes.Aborted {
			if done, ended := finished(v, page); ended {
				return v.Redirect(done)
			}
		}
		if err != nil {
			return p.again(v, page, err)
		}
		page.Version = saved.GetVersion()
		request.Version, request.CaseId = page.Version, hotline.CaseOf(page.ID)
		if err := openCase(v, page, draft, request.GetCaseId()); err != nil {
			return p.again(v, page, err)
		}
	}
	call, err := v.Calls.FinishCall(v.Context(), request)
	if err != nil {
		if done, ended := finished(v, page); ended {
			return v.Redirect(done)
		}
		return p.again(v, page, err)
	}
	v.Notice(v.Text("hotlinepage.finished"))
	return v.Redirect("/hotline/calls/" + call.GetId())
}

// finished tells whether the very call was finished already, as by a form that was sent twice.
func finished(v *web.Visit, page *callPage) (string, bool) {
	call, err := v.Calls.GetCall(v.Context(), &pb.GetCallRequest{CallId: page.ID})
	same := err == nil && !call.GetOpen() && call.GetSummary() == strings.TrimRight(page.Summary, " \t\r\n") && call.GetKind() == page.Kind()
	return page.Path(), same
}

// openCase opens the call's case; one that it opened before stays as it was opened.
func openCase(v *web.Visit, page *callPage, draft *pb.CallDraft, id string) error {
	title := page.Title
	if title == "" {
		title = v.Text("hotlinepage.case_title", "unit", page.Units.ChosenName())
	}
	request := &pb.OpenCaseRequest{
		CaseId: id, AboutUnitId: draft.GetAboutUnitId(), Source: "call", Title: clip(title, 300), Words: page.Summary, CallId: page.ID,
	}
	if draft.GetOfficialId() != "" {
		request.OfficialIds = []string{draft.GetOfficialId()}
	}
	if page.Keep && (page.Phone != "" || page.Name != "") {
		request.Contact = &pb.CaseContact{Name: page.Name, Phone: page.Phone}
	}
	_, err := v.Cases.OpenCase(v.Context(), request)
	if status.Code(err) != codes.AlreadyExists {
		return err
	}
	stands, getErr := v.Cases.GetCase(v.Context(), &pb.GetCaseRequest{CaseId: id})
	if getErr == nil && stands.GetCase().GetCallId() == page.ID {
		return nil
	}
	return err
}

func clip(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}

// again shows the page with what was typed, and what is wrong with it.
func (p pages) again(v *web.Visit, page *callPage, err error) error {
	words, mendable := web.Message(err)
	if !mendable && status.Code(err) != codes.NotFound {
		return err
	}
	page.Problem = words
	code := http.StatusUnprocessableEntity
	if status.Code(err) == codes.Aborted || status.Code(err) == codes.FailedPrecondition {
		code = http.StatusConflict
		if standing, getErr := v.Calls.GetCall(v.Context(), &pb.GetCallRequest{CallId: page.ID}); getErr == nil {
			page.Standing, page.Version = standing, standing.GetVersion() // saved again it takes the place of what stands
		}
	}
	return p.write(v, code, page)
}

// unitPart is the part of the page in which the unit and the official are chosen.
type unitPart struct {
	Query    string
	Found    []foundUnit
	Chosen   string // unit
	Official string
	People   []choice
	Nothing  bool // a search found nothing
	Asked    *bool
}

type foundUnit struct {
	ID, Name, Above string
	Chosen          bool
}

// ChosenName is the name of the unit chosen.
func (u unitPart) ChosenName() string {
	for _, f := range u.Found {
		if f.Chosen {
			return f.Name
		}
	}
	return ""
}

// shownUnits is how many units are shown at once: as many as fit beside a call.
const shownUnits = 6

// findUnits looks for units by part of a name, with or without diacritics. Where words are typed and nothing of what they find is chosen, the
// first is.
func findUnits(v *web.Visit, query, chosen, official string) (unitPart, error) {
	looked := true
	part := unitPart{Query: query, Asked: &looked}
	if runes := []rune(query); len(runes) > 200 {
		query = string(runes[:200])
	}
	names := v.UnitNames()
	add := func(u *pb.Unit) {
		above := ""
		if u.GetParentId() != "" {
			if above = names.Of(u.GetParentId()); above == u.GetParentId() {
				above = ""
			}
		}
		part.Found = append(part.Found, foundUnit{ID: u.GetId(), Name: u.GetName(), Above: above})
	}
	if query != "" {
		answer, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{PageSize: shownUnits, Query: query})
		if err != nil {
			return part, err
		}
		for _, u := range answer.GetUnits() {
			add(u)
		}
		part.Nothing = len(part.Found) == 0
	}
	if chosen != "" && !slices.ContainsFunc(part.Found, func(f foundUnit) bool { return f.ID == chosen }) {
		if query != "" && len(part.Found) > 0 && v.Value("about_was") != query {
			chosen = "" // new words were typed: what they find is meant
		} else if u, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: chosen}); err == nil {
			add(u)
		} else {
			chosen = ""
		}
	}
	if chosen == "" && len(part.Found) > 0 {
		chosen = part.Found[0].ID
	}
	for i := range part.Found {
		part.Found[i].Chosen = part.Found[i].ID == chosen
	}
	part.Chosen = chosen
	return part, part.people(v, official)
}

// people lists the officials of the unit chosen.
func (u *unitPart) people(v *web.Visit, official string) error {
	if u.Chosen == "" {
		return nil
	}
	list, err := v.OfficialsOf(u.Chosen, true)
	if err != nil {
		return err
	}
	for _, o := range list {
		chosen := o.GetId() == official
		if chosen {
			u.Official = official
		}
		u.People = append(u.People, choice{o.GetId(), o.GetName(), chosen})
	}
	slices.SortFunc(u.People, func(a, b choice) int { return cmp.Compare(a.Words, b.Words) })
	return nil
}

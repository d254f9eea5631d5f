package hotline

import (
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/hotline"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// linePage is a finished call, with what is read back to the caller.
type linePage struct {
	Tabs     []tab
	Call     *pb.Call
	Result   string // in words
	Lasted   string // minutes and seconds; "" while it goes on
	ReadBack *readBack
	Survey   string // address of the questions for a rating; "" = none was to be given
	Phone    string // revealed
	Name     string
	Takes    bool // the visitor takes calls
}

// readBack is what the operator reads to the caller.
type readBack struct {
	Code     string // in fours
	Number   string
	Said     string
	AnswerBy string // day, as people write it; "" = not known
	CaseID   string
}

// showCall shows one line of the log; a call of the visitor's own that goes on is shown to be written on.
func (p pages) showCall(v *web.Visit) error {
	call, err := v.Calls.GetCall(v.Context(), &pb.GetCallRequest{CallId: v.R.PathValue("id")})
	if err != nil {
		return err
	}
	if call.GetOpen() && call.GetOperatorId() == v.Account.GetId() && v.May(takesCalls) {
		return p.resume(v, call)
	}
	return v.Render(p.Pages, "line", lineOf(v, call))
}

func lineOf(v *web.Visit, call *pb.Call) *linePage {
	page := &linePage{Tabs: tabs(v, "log"), Call: call, Result: resultWords(v, call.GetResult()), Lasted: lasted(call), Takes: v.May(takesCalls)}
	if id := call.GetCaseId(); id != "" {
		page.ReadBack = readBackOf(v, call)
	}
	if call.GetKind() == string(hotline.Rating) && call.GetRatingId() == "" && page.Takes {
		page.Survey = "/desk/phone"
		if call.GetAboutUnitId() != "" {
			page.Survey += "?unit=" + call.GetAboutUnitId()
		}
	}
	return page
}

func readBackOf(v *web.Visit, call *pb.Call) *readBack {
	found, err := v.Cases.GetCase(v.Context(), &pb.GetCaseRequest{CaseId: call.GetCaseId()})
	if err != nil { // of a unit the visitor does not see
		return nil
	}
	c := found.GetCase()
	back := &readBack{Code: fours(c.GetCode()), Number: c.GetNumber().GetShown(), Said: call.GetSummary(), CaseID: c.GetId()}
	for _, clock := range c.GetClocks() {
		if clock.GetName() == "reply" && clock.GetDueOn() != "" {
			back.AnswerBy = web.Day(v.Language, clock.GetDueOn())
		}
	}
	return back
}

// fours writes a code as it is said.
func fours(code string) string {
	var b strings.Builder
	for i, digit := range code {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

// resultWords is a result in words: of a key its own, else as it was written.
func resultWords(v *web.Visit, result string) string {
	key := "hotline.result." + result
	if words := v.Text(key); words != key {
		return words
	}
	return result
}

func lasted(call *pb.Call) string {
	if call.GetEndedAt() == nil {
		return ""
	}
	return span(call.GetEndedAt().AsTime().Sub(call.GetStartedAt().AsTime()))
}

// span writes a time as 3:07, an hour as 1:03:07.
func span(d time.Duration) string {
	seconds := max(int(d.Seconds()), 0)
	text := two(seconds % 60)
	if minutes := seconds / 60; minutes < 60 {
		return itoa(minutes) + ":" + text
	}
	return itoa(seconds/3600) + ":" + two(seconds/60%60) + ":" + text
}

// reveal shows who called, once, with the reason in the audit.
func (p pages) reveal(v *web.Visit) error {
	call, err := v.Calls.GetCall(v.Context(), &pb.GetCallRequest{CallId: v.R.PathValue("id")})
	if err != nil {
		return err
	}
	page := lineOf(v, call)
	who, err := v.Calls.RevealCaller(v.Context(), &pb.RevealCallerRequest{CallId: call.GetId(), Reason: v.Text("hotlinepage.reveal_reason")})
	if err != nil {
		return err
	}
	page.Phone, page.Name = who.GetPhone(), who.GetName()
	v.W.Header().Set("Cache-Control", "no-store")
	return v.Render(p.Pages, "line", page)
}

// correctPage is the form that corrects a finished call, as it was typed.
type correctPage struct {
	Tabs     []tab
	Call     *pb.Call
	Version  int64
	Kinds    []kindKey
	Key      string
	Summary  string
	Result   string
	CallBack string
	Phone    string
	Reason   string
	Units    unitPart
	Problem  string
	Errors   map[string]string
}

// Accepts are the keys of all kinds.
func (p *correctPage) Accepts() string { return (&callPage{Kinds: p.Kinds}).Accepts() }

func (p pages) correctPage(v *web.Visit) (*correctPage, error) {
	call, err := v.Calls.GetCall(v.Context(), &pb.GetCallRequest{CallId: v.R.PathValue("id")})
	if err != nil {
		return nil, err
	}
	return &correctPage{Tabs: tabs(v, "log"), Call: call, Version: call.GetVersion(), Kinds: kinds(), Errors: map[string]string{}}, nil
}

func (p pages) showCorrect(v *web.Visit) error {
	page, err := p.correctPage(v)
	if err != nil {
		return err
	}
	call := page.Call
	if call.GetOpen() {
		return v.Redirect("/hotline/calls/" + call.GetId())
	}
	page.Key, page.Summary, page.Result, page.CallBack = keyOf(call.GetKind()), call.GetSummary(), call.GetResult(), web.Day(v.Language, call.GetCallBackOn())
	if page.Units, err = findUnits(v, "", call.GetAboutUnitId(), call.GetOfficialId()); err != nil {
		return err
	}
	return v.Render(p.Pages, "correct", page)
}

func (p pages) correct(v *web.Visit) error {
	page, err := p.correctPage(v)
	if err != nil {
		return err
	}
	typed := &callPage{ID: page.Call.GetId(), Kinds: page.Kinds, Errors: page.Errors}
	draft := typed.take(v)
	page.Version, page.Key, page.Summary, page.Result, page.CallBack, page.Phone, page.Reason = typed.Version, typed.Key, typed.Summary, typed.Result, typed.CallBack, typed.Phone, v.Value("reason")
	if page.Units, err = findUnits(v, v.Value("about_q"), v.Value("about"), v.Value("official")); err != nil {
		return err
	}
	if v.Value("do") == "find" {
		page.Errors = map[string]string{}
		return v.Render(p.Pages, "correct", page)
	}
	if typed.CallBack == web.Day(v.Language, page.Call.GetCallBackOn()) { // a day that is past by now, and stays
		delete(page.Errors, "call_back_on")
		draft.CallBackOn = page.Call.GetCallBackOn()
	}
	if page.Reason == "" {
		page.Errors["reason"] = v.Text("hotlinepage.reason_missing")
	}
	if typed.Kind() == "" {
		page.Errors["kind"] = v.Text("hotlinepage.kind_missing")
	}
	if len(page.Errors) > 0 {
		page.Problem = v.Text("hotlinepage.mend")
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "correct", page)
	}
	_, err = v.Calls.CorrectCall(v.Context(), &pb.CorrectCallRequest{
		CallId: page.Call.GetId(), Version: page.Version, Reason: page.Reason, Kind: draft.GetKind(), AboutUnitId: page.Units.Chosen,
		OfficialId: page.Units.Official, Summary: draft.GetSummary(), Result: draft.GetResult(), CallBackOn: draft.GetCallBackOn(), Phone: draft.GetPhone(),
	})
	if err != nil {
		var mendable bool
		if page.Problem, mendable = web.Message(err); !mendable {
			return err
		}
		if code := status.Code(err); code == codes.Aborted || code == codes.FailedPrecondition {
			page.Version = page.Call.GetVersion() // what stands is shown beside it
		}
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "correct", page)
	}
	v.Notice(v.Text("hotlinepage.corrected"))
	return v.Redirect("/hotline/calls/" + page.Call.GetId())
}

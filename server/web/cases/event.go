package cases

import (
	"net/http"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// apply lets something happen to a case. Whatever cannot be done is shown again with what was typed.
func (p pages) apply(v *web.Visit) error {
	sent := typedBy(v)
	event := eventOf(sent)
	looking := sent.value("find") != "" || sent.value("unit_q") != "" && sent.value("unit_q") != sent.value("unit_was")
	if event.GetName() == "merge" && (event.GetIntoCaseId() == "" || sent.value("target") != "" && sent.value("target") != sent.value("target_was")) {
		looking = true
	}
	if looking {
		return p.again(v, sent, "", http.StatusOK)
	}
	version, _ := strconv.ParseInt(sent.value("version"), 10, 64)
	_, err := v.Cases.ApplyCaseEvent(v.Context(), &pb.ApplyCaseEventRequest{
		CaseId: v.R.PathValue("case"), Version: version, Event: event, ForAccountId: sent.value("for"),
	})
	if err != nil {
		return p.refused(v, sent, err)
	}
	v.Notice(v.Text("casespage.done", "what", v.Text("casework.event."+event.GetName())))
	return v.Redirect(link(v.R.PathValue("case")))
}

// refused shows the case as it stands now, with what was typed and why it was not done.
func (p pages) refused(v *web.Visit, sent typed, err error) error {
	words, mendable := web.Message(err)
	code := http.StatusUnprocessableEntity
	switch status.Code(err) { //nolint:exhaustive // the others are as web.Message says
	case codes.Aborted:
		code = http.StatusConflict
	case codes.PermissionDenied: // of this event: the page itself was there
		mendable = true
	case codes.NotFound:
		// What was chosen is not there; where it is the case itself, reading it again says so.
		mendable = true
	}
	if !mendable {
		return err
	}
	return p.again(v, sent, words, code)
}

// again shows the case with a form that must be mended, or that searched for something.
func (p pages) again(v *web.Visit, sent typed, problem string, code int) error {
	page, err := read(v)
	if err != nil {
		return err
	}
	if err := page.fill(sent); err != nil {
		return err
	}
	found := false
	for _, one := range slices.Concat(page.Choices, page.More) {
		if one.Typed != nil {
			one.Problem, found = problem, true
		}
	}
	if !found {
		page.Problem = problem
		page.Lost = lost(v, sent)
	} else if code == http.StatusConflict {
		page.Problem = v.Text("casespage.changed_meanwhile")
	}
	return v.RenderStatus(code, p.Pages, "case", page)
}

// lost is what was typed by hand for something that cannot be done any more, so that it can be copied.
func lost(v *web.Visit, sent typed) []web.Field {
	var fields []web.Field
	for _, name := range []string{"reason", "text", "document", "to", "words", "analysis", "remedy"} {
		if value := sent.value(name); value != "" {
			fields = append(fields, web.Field{Name: v.Text("casespage.field." + name), Value: value})
		}
	}
	return fields
}

// eventOf is what a form says is to happen.
func eventOf(sent typed) *pb.CaseEvent {
	days, _ := strconv.ParseInt(sent.value("days"), 10, 32)
	e := &pb.CaseEvent{
		Name: sent.value("event"), UnitId: sent.value("unit"), OfficialIds: sent.values("official"), Reason: sent.value("reason"), Reasons: sent.values("reasons"),
		Finding: sent.value("finding"), Text: sent.value("text"), Document: sent.value("document"), IntoCaseId: sent.value("into"),
		Clock: sent.value("clock"), Days: int32(days), Words: sent.value("words"),
	}
	if tapped := sent.value("tap"); tapped != "" && !slices.Contains(e.Reasons, tapped) {
		e.Reasons = append(e.Reasons, tapped)
	}
	switch {
	case e.GetName() == "return" && len(e.GetReasons()) == 0 && e.GetReason() != "":
		e.Reasons = []string{"other"}
	case (e.GetName() == "reopen" || e.GetName() == "still_dissatisfied") && len(e.GetReasons()) == 0 && e.GetWords() != "":
		e.Reasons = []string{"said"}
	}
	if kind := sent.value("kind"); kind != "" || sent.value("to") != "" {
		e.Route = &pb.CaseRoute{Kind: kind, To: sent.value("to")}
	}
	if rating := sent.value("rating"); rating != "" {
		e.RatingIds = []string{rating}
	}
	return e
}

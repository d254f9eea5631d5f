package citizen

import (
	"net/http"
	"net/url"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

func (p pages) form(v *web.Visit) (*pb.GetFormResponse, error) {
	return v.Citizen.GetForm(nobody(v), &pb.GetFormRequest{Place: named(v)})
}

func (p pages) show(v *web.Visit) error {
	form, err := p.form(v)
	if err != nil {
		return p.refuse(v, err)
	}
	return v.Render(p.citizens, "form", newFormPage(v, form, given{}))
}

// send stores what was given. Whatever happens, what was written is on the next page, or stored.
func (p pages) send(v *web.Visit) error {
	g := readGiven(v)
	form, err := p.form(v)
	if err != nil {
		return p.later(v, g, nil, err)
	}
	// The form was changed meanwhile: what was asked is not what would be stored.
	if g.questionnaire != askedBy(form).key {
		return p.again(v, form, g, v.Text("citizenpage.fresh.changed"))
	}
	request, problems := g.rating(v, form)
	if problems != nil {
		page := newFormPage(v, form, g)
		page.Problems = problems
		page.Hidden = g.kept()[:3] // the same rating, mended
		return v.RenderStatus(http.StatusUnprocessableEntity, p.citizens, "form", page)
	}
	response, err := v.Ratings.CreateRating(nobody(v), request)
	switch reasonOf(err) {
	case "":
	case "citizen_form_expired":
		return p.again(v, form, g, v.Text("citizenpage.fresh.expired"))
	case "citizen_form_invalid":
		return p.again(v, form, g, v.Text("citizenpage.fresh.invalid"))
	default:
		return p.later(v, g, form, err)
	}
	switch response.GetOutcome() { //nolint:exhaustive // the others are acknowledgements
	case pb.Outcome_OUTCOME_CONFLICT:
		return p.again(v, form, g, v.Text("citizenpage.fresh.sent"))
	case pb.Outcome_OUTCOME_STORED, pb.Outcome_OUTCOME_DUPLICATE:
		at := placeOf(v)
		thanks := at.Base + "/thanks?lang=" + at.Lang
		if request.GetPrivate().GetContact() != nil { // it becomes a case, which only this visitor is led to
			thanks += "&rating=" + url.QueryEscape(g.ratingID) + "&token=" + url.QueryEscape(g.token)
		}
		return v.Redirect(thanks)
	}
	return p.again(v, form, g, response.GetReason())
}

// again shows a fresh form with what was written, and why.
func (p pages) again(v *web.Visit, form *pb.GetFormResponse, g given, why string) error {
	page := newFormPage(v, form, g)
	page.Notice = why
	return v.RenderStatus(http.StatusConflict, p.citizens, "form", page)
}

// waitPage keeps what was written until it can be sent.
type waitPage struct {
	place
	Kept  []web.Field
	Title string
	Words string
	Work  bool // a proof of work lets it through at once
	Token string
	Bits  uint32
}

// later shows a page from which the same can be sent again: by hand after a while, or where work is asked, by the script
// at once.
func (p pages) later(v *web.Visit, g given, form *pb.GetFormResponse, err error) error {
	page := waitPage{place: placeOf(v), Kept: g.kept(), Title: v.Text("citizenpage.wait.title")}
	code := http.StatusTooManyRequests
	switch status.Code(err) { //nolint:exhaustive // the others have a page of their own
	case codes.ResourceExhausted:
		page.Words = status.Convert(err).Message()
		if reasonOf(err) == "work_needed" {
			page.Words = v.Text("citizenpage.wait.work")
			page.Work, page.Token, page.Bits = true, g.token, form.GetWorkBits()
		}
	case codes.Unavailable, codes.DeadlineExceeded:
		code, page.Title, page.Words = http.StatusServiceUnavailable, v.Text("citizenpage.down.title"), v.Text("citizenpage.down.kept")
	default:
		return p.refuse(v, err)
	}
	v.W.Header().Set("Retry-After", "10")
	return v.RenderStatus(code, p.citizens, "wait", page)
}

// reasonOf is an error's stable reason; "" where there is no error, the code's name where a service gave none.
func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	answer := status.Convert(err)
	for _, detail := range answer.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return answer.Code().String()
}

type messagePage struct {
	place
	Title string
	Words string
	Retry bool
}

// refuse is the page where there is no form.
func (p pages) refuse(v *web.Visit, err error) error {
	page := messagePage{place: placeOf(v)}
	var code int
	switch status.Code(err) { //nolint:exhaustive // the others are the site's
	case codes.NotFound, codes.InvalidArgument:
		code, page.Title, page.Words = http.StatusNotFound, v.Text("citizenpage.nowhere.title"), v.Text("citizenpage.nowhere.words")
	case codes.ResourceExhausted:
		code, page.Title, page.Words, page.Retry = http.StatusTooManyRequests, v.Text("citizenpage.wait.title"), status.Convert(err).Message(), true
		v.W.Header().Set("Retry-After", "10")
	case codes.Unavailable, codes.DeadlineExceeded:
		code, page.Title, page.Words, page.Retry = http.StatusServiceUnavailable, v.Text("citizenpage.down.title"), v.Text("citizenpage.down.words"), true
		v.W.Header().Set("Retry-After", "5")
		if v.R.Method == http.MethodGet {
			v.W.Header().Set("Refresh", "5") // the page recovers by itself
		}
	default:
		return err
	}
	return v.RenderStatus(code, p.citizens, "message", page)
}

type thanksPage struct {
	place
	Office   string
	Counter  string
	Remedies []*pb.Remedy
	Follow   string // where whoever asked to be called back finds the case; "" = others
}

// thank says the same to everybody: nothing of what was sent is on it or in its address. Only whoever asked to be called back is led to the
// case that is opened from it, by the token of the form.
func (p pages) thank(v *web.Visit) error {
	form, err := p.form(v)
	if status.Code(err) == codes.NotFound {
		return p.refuse(v, err)
	}
	page := thanksPage{place: placeOf(v), Office: form.GetUnitName(), Counter: form.GetCounterName(), Remedies: form.GetRemedies()}
	if rating, token := v.Value("rating"), v.Value("token"); rating != "" && token != "" {
		page.Follow = "/p/rated?" + url.Values{
			"lang": {page.Lang}, "unit": {form.GetUnitId()}, "counter": {form.GetCounterId()}, "rating": {rating}, "token": {token},
		}.Encode()
		v.W.Header().Set("Cache-Control", "no-store")
	}
	return v.Render(p.citizens, "thanks", page)
}

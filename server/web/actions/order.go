package actions

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// orderPage is the form by which something is ordered of one or several units.
type orderPage struct {
	Order   string // id made with the form, so that sending it twice orders once
	Case    *pb.Case
	Picker  picker
	Product string
	Due     string
	Today   string
	Owner   string
	Owners  []option
	Errors  map[string]string
	Problem string
}

// CaseLink leads to the case it comes from.
func (o *orderPage) CaseLink() string { return "/cases/" + url.PathEscape(o.Case.GetId()) }

// maxProduct is how many characters a product has at most.
const maxProduct = 1000

func (p pages) showNew(v *web.Visit) error {
	page, err := p.orderPage(v, nil)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "new", page)
}

// orderPage reads the form. sent nil = it was not sent; the address may name units and a case.
func (p pages) orderPage(v *web.Visit, sent typed) (*orderPage, error) {
	page := &orderPage{
		Order: sent.value("order"), Product: sent.value("product"), Due: isoDay(sent.value("due")), Today: string(v.Today()), Owner: sent.value("owner"),
		Errors: map[string]string{},
	}
	if uuid.Validate(page.Order) != nil || len(page.Order) != 36 {
		page.Order = uuid.Must(uuid.NewV7()).String()
	}
	var at []option
	var err error
	if id := v.Value("case"); id != "" {
		answer, err := v.Cases.GetCase(v.Context(), &pb.GetCaseRequest{CaseId: cut(id, 64)})
		if err != nil {
			return nil, err
		}
		page.Case = answer.GetCase()
		at = atHand(answer)
	} else if at, err = below(v); err != nil {
		return nil, err
	}
	asked := picker{ID: "to", Kind: "checkbox", Label: v.Text("actionspage.units"), Help: v.Text("actionspage.units_help")}
	from := sent
	if from == nil && v.Value("unit") != "" {
		from = typedBy(v)
	}
	if page.Picker, err = pick(v, from, asked, at); err != nil {
		return nil, err
	}
	if units := page.Picker.chosen(); len(units) == 1 {
		page.Owners, err = officialsOf(v, units[0], page.Owner)
	}
	return page, err
}

// atHand are the units a case is about, in charge first, which is chosen.
func atHand(answer *pb.GetCaseResponse) []option {
	var list []option
	c := answer.GetCase()
	for _, id := range []string{c.GetAssignedUnitId(), c.GetAboutUnitId(), c.GetReceivingUnitId()} {
		if id == "" {
			continue
		}
		name := answer.GetUnitNames()[id]
		if name == "" {
			name = id
		}
		var p picker
		p.Options = list
		p.add(option{Value: id, Words: name, Chosen: len(list) == 0})
		list = p.Options
	}
	return list
}

func (p pages) order(v *web.Visit) error {
	sent := typedBy(v)
	page, err := p.orderPage(v, sent)
	if err != nil {
		return err
	}
	if page.Picker.searching {
		return v.Render(p.Pages, "new", page)
	}
	request := page.request(v)
	if len(page.Errors) > 0 {
		return p.orderAgain(v, page, v.Text("actionspage.mend"))
	}
	ordered, err := v.Correct.OrderActions(v.Context(), request)
	if err != nil {
		words, mendable := web.Message(err)
		switch status.Code(err) { //nolint:exhaustive // the others are as web.Message says
		case codes.AlreadyExists: // the form was sent before with other words: its sender decides
			page.Order, words = uuid.Must(uuid.NewV7()).String(), v.Text("actionspage.sent_before")
		case codes.NotFound, codes.PermissionDenied: // of what was chosen: the page itself was there
			mendable = true
		}
		if !mendable {
			return err
		}
		return p.orderAgain(v, page, words)
	}
	v.Notice(v.Text("actionspage.ordered", "n", web.Count(v.Language, len(ordered.GetActions()))))
	if list := ordered.GetActions(); len(list) == 1 {
		return v.Redirect(link(list[0].GetId()))
	}
	return v.Redirect("/actions?" + url.Values{"order": {page.Order}}.Encode())
}

func (p pages) orderAgain(v *web.Visit, page *orderPage, problem string) error {
	page.Problem = problem
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "new", page)
}

// request is what the form asks for; what must be mended is noted by field.
func (o *orderPage) request(v *web.Visit) *pb.OrderActionsRequest {
	r := &pb.OrderActionsRequest{OrderId: o.Order, UnitIds: o.Picker.chosen(), Product: o.Product, OwnerId: o.Owner, DueOn: o.Due}
	if o.Case != nil {
		r.CaseIds = []string{o.Case.GetId()}
	}
	switch {
	case o.Product == "":
		o.Errors["product"] = v.Text("web.required")
	case utf8.RuneCountInString(o.Product) > maxProduct:
		o.Errors["product"] = v.Text("casespage.long", "limit", web.Count(v.Language, maxProduct))
	}
	if len(r.GetUnitIds()) == 0 {
		o.Picker.Error = v.Text("actionspage.choose_units")
		o.Errors["unit"] = o.Picker.Error
	}
	if len(r.GetUnitIds()) > 1 && o.Owner != "" {
		o.Errors["owner"] = v.Text("fault.actions_owner")
	}
	if words := wrongDue(v, o.Due); words != "" {
		o.Errors["due"] = words
	}
	return r
}

// wrongDue says what is wrong with a day by which something is to be done; "" = nothing.
func wrongDue(v *web.Visit, text string) string {
	day, err := localday.Parse(text)
	switch {
	case strings.TrimSpace(text) == "":
		return v.Text("web.required")
	case err != nil:
		return v.Text("actionspage.wrong_day")
	case day < v.Today():
		return v.Text("actionspage.past_day")
	}
	return ""
}

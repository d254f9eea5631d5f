package desk

import (
	"net/http"
	"net/url"

	"github.com/google/uuid"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// consentVersion names the words of deskpage.consent: whoever changes them changes it.
const consentVersion = "phone-1"

type phonePage struct {
	Search  search
	Unit    *pb.Unit // nil = to be searched
	Forms   []choice
	Form    form
	Rating  string // id made with the page: sent twice, it counts once
	CallYes bool
	Name    string
	Phone   string
	Problem string
	Errors  map[string]string
	Focus   string
}

// phonePage makes the page with an empty form, or the search where no unit is chosen.
func (p pages) phonePage(v *web.Visit) (*phonePage, error) {
	page := &phonePage{Errors: map[string]string{}}
	var err error
	if page.Unit, err = unit(v); err != nil {
		return nil, err
	}
	if page.Unit == nil {
		page.Search, err = newSearch(v, "/desk/phone")
		return page, err
	}
	all, err := questionnaires(v)
	if err != nil {
		return nil, err
	}
	chosen := find(all, v.Value("form"))
	if list := current(v, all); chosen == nil && len(list) > 0 {
		chosen = list[0]
	}
	if chosen == nil {
		return nil, web.ErrNotFound
	}
	page.Form, page.Forms = newForm(v, chosen), formChoices(v, all, address(chosen))
	if len(page.Form.Asks) > 0 {
		page.Focus = page.Form.Asks[0].Field
	}
	return page, nil
}

func (p pages) showPhone(v *web.Visit) error {
	page, err := p.phonePage(v)
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	page.Rating = id.String()
	return v.Render(p.Pages, "phone", page)
}

// answer takes in one call.
func (p pages) answer(v *web.Visit) error {
	page, err := p.phonePage(v)
	if err != nil {
		return err
	}
	if page.Unit == nil {
		return v.Redirect("/desk/phone")
	}
	said, ok := page.Form.read(v)
	page.Rating, page.CallYes, page.Name, page.Phone = v.Value("rating"), v.Value("call_back") != "", v.Value("name"), v.Value("phone")
	if _, err := uuid.Parse(page.Rating); err != nil {
		page.Rating = uuid.Must(uuid.NewV7()).String()
	}
	private := &pb.Private{Comment: said.Comment}
	if page.contact(v); page.CallYes {
		private.Contact, private.ConsentVersion = &pb.Contact{Name: page.Name, Phone: page.Phone, CallBack: true}, consentVersion
	}
	if said.Overall == 0 && len(said.Answers) == 0 && said.Comment == "" {
		page.Problem, ok = v.Text("deskpage.nothing_said"), false
	}
	if !ok || len(page.Errors) > 0 {
		return p.phoneAgain(v, page)
	}
	answer, err := v.Ratings.CreateRating(v.Context(), &pb.CreateRatingRequest{Private: private, Rating: &pb.Rating{
		Id: page.Rating, UnitId: page.Unit.GetId(), Channel: pb.Channel_CHANNEL_HOTLINE, QuestionnaireId: page.Form.ID,
		QuestionnaireVersion: page.Form.Version, OverallScore: said.Overall, Answers: said.Answers, Language: "vi",
	}})
	if err != nil {
		var mendable bool
		if page.Problem, mendable = web.Message(err); !mendable {
			return err
		}
		return p.phoneAgain(v, page)
	}
	switch answer.GetOutcome() { //nolint:exhaustive // whatever is no acknowledgement is none
	case pb.Outcome_OUTCOME_STORED:
		v.Notice(v.Text("deskpage.call_stored"))
	case pb.Outcome_OUTCOME_DUPLICATE:
		v.Notice(v.Text("deskpage.call_duplicate"))
	default:
		page.Problem = answer.GetReason()
		return p.phoneAgain(v, page)
	}
	return v.Redirect("/desk/phone?" + url.Values{"unit": {page.Unit.GetId()}, "form": {v.Value("form")}}.Encode())
}

// contact checks how the caller can be reached: only with consent, and then it must be possible.
func (b *phonePage) contact(v *web.Visit) {
	switch {
	case b.CallYes && b.Phone == "":
		b.Errors["phone"] = v.Text("deskpage.phone_needed")
	case !b.CallYes && (b.Phone != "" || b.Name != ""):
		b.Errors["call_back"] = v.Text("deskpage.consent_needed")
	case len([]rune(b.Phone)) > 40:
		b.Errors["phone"] = v.Text("deskpage.phone_long")
	case len([]rune(b.Name)) > 200:
		b.Errors["name"] = v.Text("deskpage.name_long")
	}
}

func (p pages) phoneAgain(v *web.Visit, page *phonePage) error {
	if page.Problem == "" {
		page.Problem = v.Text("deskpage.mend")
	}
	for _, field := range []string{"call_back", "name", "phone"} {
		if page.Errors[field] != "" {
			page.Focus = field
		}
	}
	for i := len(page.Form.Asks) - 1; i >= 0; i-- {
		if page.Form.Asks[i].Error != "" {
			page.Focus = page.Form.Asks[i].Field
		}
	}
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "phone", page)
}

// Another is the address to go on with another unit.
func (b *phonePage) Another() string { return "/desk/phone?q=" }

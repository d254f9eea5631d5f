package cases

import (
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// newPage is the form by which an opinion is written down: in three fields on a leader's phone, or whole.
type newPage struct {
	Short      bool
	ID         string // made with the page: sent twice, it is one case
	Sources    []option
	Picker     picker
	Receiving  []option
	What       string // of the short form
	Reach      string
	Title      string
	Words      string
	ReceivedOn string
	Name, Phone,
	Email, Address string
	Procedure, Dossier string
	Rating, Call       string
	Officials          []option
	Anonymous          bool
	Problem            string
	Errors             map[string]string
}

// Limits of what is typed, in characters, as the contract has them.
const (
	maxTitle = 300
	maxWords = 10_000
	// shortTitle is how much of what a leader typed becomes the title.
	shortTitle = 120
)

// offered are the sources that are typed here; calls have a desk of their own.
func offered() []string {
	return []string{"letter", "reception_day", "box", "book", "slip", "web", "leader"}
}

func (p pages) newPage(v *web.Visit, sent typed) (*newPage, error) {
	page := &newPage{
		Short: v.Value("form") == "short" || v.Value("form") == "" && v.Account.GetRole() == pb.Role_ROLE_LEADER,
		ID:    sent.value("id"), What: sent.value("what"), Reach: sent.value("reach"), Title: sent.value("title"), Words: sent.value("words"),
		ReceivedOn: sent.value("received_on"), Name: sent.value("name"), Phone: sent.value("phone"), Email: sent.value("email"), Address: sent.value("address"),
		Procedure: sent.value("procedure"), Dossier: sent.value("dossier"), Rating: v.Value("rating"), Call: v.Value("call"), Errors: map[string]string{},
	}
	if one, err := uuid.Parse(page.ID); err != nil || one.Version() != 7 {
		page.ID = uuid.Must(uuid.NewV7()).String()
	}
	chosen := v.Value("source")
	if chosen == "" {
		chosen = offered()[0]
	}
	page.Sources = optionsOf(v, "casework.source.", offered(), chosen)
	var err error
	if page.Picker, err = pick(v, sent, "where", v.Text("casespage.where"), nil); err != nil {
		return nil, err
	}
	if page.Picker.id() == "" && page.Picker.Query == "" {
		if err := page.Picker.only(v); err != nil {
			return nil, err
		}
	}
	if unit := page.Picker.id(); unit != "" && !page.Short && v.May("read_officials") {
		list, err := v.OfficialsOf(unit, true)
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			if one.GetClosedAt() == nil && len(page.Officials) < maxOfficials {
				page.Officials = append(page.Officials, option{Value: one.GetId(), Words: one.GetName(), Help: one.GetPosition(), Chosen: sent.has("official", one.GetId())})
			}
		}
	}
	return page, nil
}

// only chooses the unit of the address, or the one there is for this account, and offers its nearest ones.
func (p *picker) only(v *web.Visit) error {
	answer, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{PageSize: foundAtMost})
	if err != nil {
		return err
	}
	wanted := v.Value("unit")
	if len(answer.GetUnits()) == 1 {
		wanted = answer.GetUnits()[0].GetId()
	}
	if len(answer.GetUnits()) > foundAtMost || answer.GetNextPageToken() != "" {
		return nil // too many to be offered: they are searched for
	}
	for _, u := range answer.GetUnits() {
		p.Options = append(p.Options, option{Value: u.GetId(), Words: u.GetName(), Chosen: u.GetId() == wanted})
	}
	return nil
}

func (p pages) showNew(v *web.Visit) error {
	sent := typed(nil)
	if v.Value("unit") != "" {
		sent = typedBy(v)
	}
	page, err := p.newPage(v, sent)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "new", page)
}

// digits is what looks like a telephone or identity number: such a thing is not kept in a title, which everybody reads.
var digits = regexp.MustCompile(`\d(?:[ .\-]?\d){7,}`)

func (p pages) open(v *web.Visit) error {
	sent := typedBy(v)
	page, err := p.newPage(v, sent)
	if err != nil {
		return err
	}
	if page.Picker.searching {
		return v.Render(p.Pages, "new", page)
	}
	request := page.request(v, sent)
	if len(page.Errors) > 0 {
		return p.newAgain(v, page, v.Text("casespage.mend"))
	}
	made, err := v.Cases.OpenCase(v.Context(), request)
	if err != nil {
		words, mendable := web.Message(err)
		switch status.Code(err) { //nolint:exhaustive // the others are as web.Message says
		case codes.AlreadyExists: // the form was sent before with other words: its sender decides
			page.ID, words = uuid.Must(uuid.NewV7()).String(), v.Text("casespage.sent_before")
		case codes.NotFound, codes.PermissionDenied: // of what was chosen: the page itself was there
			mendable = true
		}
		if !mendable {
			return err
		}
		return p.newAgain(v, page, words)
	}
	v.Notice(v.Text("casespage.opened", "number", made.GetNumber().GetShown()))
	return v.Redirect(link(made.GetId()) + "?opened=1")
}

func (p pages) newAgain(v *web.Visit, page *newPage, problem string) error {
	page.Problem = problem
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "new", page)
}

// request is what the form asks for; what must be mended is noted by field.
func (n *newPage) request(v *web.Visit, sent typed) *pb.OpenCaseRequest {
	r := &pb.OpenCaseRequest{
		CaseId: n.ID, AboutUnitId: n.Picker.id(), Source: sent.value("source"), ProcedureCode: n.Procedure, DossierCode: n.Dossier, CallId: n.Call,
		OfficialIds: sent.values("official"),
	}
	if n.Rating != "" {
		r.RatingIds = []string{n.Rating}
	}
	if r.GetAboutUnitId() == "" {
		n.Errors["unit"] = v.Text("casespage.choose_unit")
	}
	if n.Short {
		r.Source, r.Title, r.Words = "leader", n.What, n.What
		if n.What == "" {
			n.Errors["what"] = v.Text("web.required")
		}
		r.Title = headline(r.GetTitle())
		r.Contact = reach(n.Reach)
		n.within(v, "what", n.What, maxWords)
		n.within(v, "reach", n.Reach, 300)
		return r
	}
	r.Title, r.Words = n.Title, n.Words
	switch {
	case n.Title == "":
		n.Errors["title"] = v.Text("web.required")
	case digits.MatchString(n.Title):
		n.Errors["title"] = v.Text("casespage.no_numbers")
	}
	n.within(v, "title", n.Title, maxTitle)
	n.within(v, "words", n.Words, maxWords)
	n.within(v, "name", n.Name, 200)
	n.within(v, "phone", n.Phone, 40)
	n.within(v, "email", n.Email, 200)
	n.within(v, "address", n.Address, 500)
	n.within(v, "procedure", n.Procedure, 64)
	n.within(v, "dossier", n.Dossier, 64)
	if n.Name+n.Phone+n.Email+n.Address != "" {
		r.Contact = &pb.CaseContact{Name: n.Name, Phone: n.Phone, Email: n.Email, Address: n.Address}
	}
	if n.ReceivedOn != "" {
		day, err := localday.Parse(isoDay(n.ReceivedOn))
		if err != nil || day > v.Today() {
			n.Errors["received_on"] = v.Text("casespage.wrong_day")
		}
		r.ReceivedOn = string(day)
	}
	return r
}

func (n *newPage) within(v *web.Visit, field, value string, limit int) {
	if utf8.RuneCountInString(value) > limit && n.Errors[field] == "" {
		n.Errors[field] = v.Text("casespage.long", "limit", web.Count(v.Language, limit))
	}
}

// isoDay is a day typed as 22/11/2026 in the form yyyy-mm-dd; other texts are left as they are.
func isoDay(text string) string {
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == '/' || r == '.' || r == '-' || r == ' ' })
	if len(parts) == 3 && len(parts[2]) == 4 && len(parts[0]) <= 2 && len(parts[1]) <= 2 {
		return parts[2] + "-" + strings.Repeat("0", 2-len(parts[1])) + parts[1] + "-" + strings.Repeat("0", 2-len(parts[0])) + parts[0]
	}
	return text
}

// headline is what stands in lists for words a leader typed: the first of them, without what looks like somebody's number.
func headline(words string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(words), "\n")
	line = strings.TrimSpace(digits.ReplaceAllString(line, "…"))
	if utf8.RuneCountInString(line) <= shortTitle {
		return line
	}
	line = cut(line, shortTitle)
	if at := strings.LastIndexByte(line, ' '); at > len(line)/2 {
		line = line[:at]
	}
	return strings.TrimRight(line, " ,;:.") + "…"
}

var address = regexp.MustCompile(`[^\s<>,;]+@[^\s<>,;]+`)

// reach reads one field of how somebody is reached: a telephone number, an e-mail, and the rest is the name; nil = nothing.
func reach(text string) *pb.CaseContact {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	c := &pb.CaseContact{Email: address.FindString(text)}
	rest := strings.Replace(text, c.GetEmail(), " ", 1)
	if c.Phone = phone.FindString(rest); c.GetPhone() != "" {
		rest = strings.Replace(rest, c.GetPhone(), " ", 1)
		c.Phone = strings.TrimSpace(c.GetPhone())
	}
	c.Name = cut(strings.Trim(strings.Join(strings.Fields(rest), " "), " ,;:-–()"), 200)
	return c
}

// phone is what looks like a telephone number among words.
var phone = regexp.MustCompile(`\+?[\d(][\d().\- ]{6,24}\d`)

// Where is the choice of the unit, with what is wrong with it.
func (n *newPage) Where() picker {
	shown := n.Picker
	shown.Error = n.Errors["unit"]
	return shown
}

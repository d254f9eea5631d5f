package cases

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// explainPage is an explanation as it is written, beside the opinion it answers.
type explainPage struct {
	*casePage
	For         string // account the visitor stands in for; "" = nobody
	ForName     string
	Typed       *pb.Explanation
	Draft       int64 // version of the draft that is typed on
	SavedAt     *timestamppb.Timestamp
	Causes      []option
	Responsible []option
	Apologies   []option
	Findings    []option
	Files       []attachment
	FileKinds   string // what a browser offers to choose
	Errors      map[string]string
	Problem     string
	Theirs      *pb.Explanation // what another tab saved meanwhile; nil = nothing
}

// causes are the categories of a cause, in the order they are offered.
func causes() []string {
	return []string{
		"attitude", "guidance", "lateness", "overload", "absence", "procedure", "paperwork", "fees", "software", "equipment", "premises", "cooperation", "rules",
		"misunderstanding", "no_fault", "other",
	}
}

func (p pages) showExplanation(v *web.Visit) error {
	page, err := readExplanation(v)
	if err != nil {
		return err
	}
	if page == nil {
		return p.back(v)
	}
	draft, err := v.Cases.GetDraft(v.Context(), &pb.GetDraftRequest{CaseId: page.GetId()})
	if err != nil {
		return err
	}
	page.Draft, page.SavedAt, page.Typed = draft.GetVersion(), draft.GetSavedAt(), draft.GetExplanation()
	if page.Draft == 0 && page.Latest != nil { // what was returned is written on, not anew
		page.Typed = page.Latest.Explanation
	}
	if err := page.equip(); err != nil {
		return err
	}
	return v.Render(p.Pages, "explanation", page)
}

// readExplanation reads the case for whoever may hand in its explanation now; nil = the visitor may not.
func readExplanation(v *web.Visit) (*explainPage, error) {
	c, err := read(v)
	if err != nil {
		return nil, err
	}
	if err := c.fill(nil); err != nil {
		return nil, err
	}
	page := &explainPage{casePage: c, For: v.Value("for"), Typed: &pb.Explanation{}, Errors: map[string]string{}, FileKinds: ".pdf,.docx,.xlsx,.jpg,.jpeg,.png"}
	for _, one := range c.Choices {
		if one.GetEvent() == "submit" {
			page.For, page.ForName = one.GetForAccountId(), one.GetForName()
			return page, nil
		}
	}
	return nil, nil //nolint:nilnil // nil = not now, as the comment says
}

// equip makes what there is to choose from.
func (x *explainPage) equip() (err error) {
	v, typed := x.v, x.Typed
	x.Causes = optionsOf(v, "casework.cause.", causes(), typed.GetCause())
	x.Apologies = optionsOf(v, "casework.apology.", []string{"yes", "will", "no"}, typed.GetApology())
	x.Findings = optionsOf(v, "casework.finding.", []string{"upheld", "partly", "not"}, typed.GetFinding())
	x.Files = nil
	for _, a := range typed.GetAttachments() {
		x.Files = append(x.Files, attachmentOf(v, x.Link, a))
	}
	x.Responsible, err = x.officials(x.GetAssignedUnitId(), typed.GetResponsibleIds())
	return err
}

// File is a file of the form as its hidden field has it.
func (a attachment) File() string {
	text, _ := json.Marshal(fileField{a.GetId(), a.GetName(), a.GetType(), a.GetSize()}) // it always can
	return string(text)
}

type fileField struct {
	ID, Name, Type string
	Size           int64
}

// maxFiles is how many files go with an explanation.
const maxFiles = 10

// typedExplanation is what the form holds.
func typedExplanation(sent typed) *pb.Explanation {
	x := &pb.Explanation{
		Cause: sent.value("cause"), Analysis: sent.value("analysis"), Remedy: sent.value("remedy"), Together: sent.value("together") != "",
		Apology: sent.value("apology"), Finding: sent.value("finding"), ResponsibleIds: sent.values("responsible"),
	}
	for _, text := range sent.values("file") {
		var f fileField
		if json.Unmarshal([]byte(text), &f) == nil && f.ID != "" && f.ID != sent.value("remove") && len(x.Attachments) < maxFiles {
			x.Attachments = append(x.Attachments, &pb.Attachment{Id: f.ID, Name: f.Name, Type: f.Type, Size: f.Size})
		}
	}
	return x
}

// explain keeps or hands in what was typed. Files that came with it are stored first, each alone: one that cannot be taken is told
// by its name and keeps nothing else from being kept.
func (p pages) explain(v *web.Visit) error {
	sent := typedBy(v)
	page, err := readExplanation(v)
	if err != nil {
		return err
	}
	typed := typedExplanation(sent)
	wrong, err := p.takeFiles(v, typed)
	if err != nil {
		return err
	}
	if page == nil { // it went on meanwhile: what was typed is shown, and can be copied
		return p.again(v, sent, v.Text("casespage.explain_over"), http.StatusConflict)
	}
	page.Typed, page.Problem = typed, wrong
	page.Draft, _ = strconv.ParseInt(sent.value("draft"), 10, 64)
	if sent.value("do") == "submit" && wrong == "" {
		code, err := p.handIn(v, page, sent)
		if code == http.StatusSeeOther || err != nil {
			return err
		}
		return p.explainAgain(v, page, code)
	}
	saved, err := v.Cases.SaveDraft(v.Context(), &pb.SaveDraftRequest{CaseId: page.GetId(), Version: page.Draft, Explanation: typed})
	switch {
	case status.Code(err) == codes.Aborted:
		if err := page.meet(v, err); err != nil {
			return err
		}
		return p.explainAgain(v, page, http.StatusConflict)
	case err != nil:
		words, mendable := web.Message(err)
		if !mendable {
			return err
		}
		page.Problem = words
		return p.explainAgain(v, page, http.StatusUnprocessableEntity)
	case wrong != "":
		page.Draft, page.SavedAt = saved.GetVersion(), saved.GetSavedAt()
		return p.explainAgain(v, page, http.StatusUnprocessableEntity)
	}
	v.Notice(v.Text("casespage.draft_saved"))
	return v.Redirect(page.Link + "/explanation")
}

// handIn hands the explanation in and leads the visitor on; a status other than 303 says with which one the form is shown again.
func (p pages) handIn(v *web.Visit, page *explainPage, sent typed) (code int, err error) {
	version, _ := strconv.ParseInt(sent.value("version"), 10, 64)
	_, err = v.Cases.ApplyCaseEvent(v.Context(), &pb.ApplyCaseEventRequest{
		CaseId: page.GetId(), Version: version, ForAccountId: page.For, Event: &pb.CaseEvent{Name: "submit", Explanation: page.Typed},
	})
	if err == nil {
		v.Notice(v.Text("casespage.done", "what", v.Text("casework.event.submit")))
		return http.StatusSeeOther, v.Redirect(page.Link)
	}
	words, mendable := web.Message(err)
	code = http.StatusUnprocessableEntity
	switch status.Code(err) { //nolint:exhaustive // the others are as web.Message says
	case codes.Aborted:
		code = http.StatusConflict
	case codes.PermissionDenied, codes.NotFound: // of what was typed: the case itself was read
		mendable = true
	}
	if !mendable {
		return code, err
	}
	page.Problem, page.Errors = words, faultsOf(err)
	if len(page.Errors) > 0 {
		page.Problem = v.Text("casespage.mend")
	}
	return code, nil
}

// meet takes in that another tab saved meanwhile: both texts are shown, and the next save takes the place of the other.
func (x *explainPage) meet(v *web.Visit, refused error) error {
	x.Problem, _ = web.Message(refused)
	draft, err := v.Cases.GetDraft(v.Context(), &pb.GetDraftRequest{CaseId: x.GetId()})
	if err != nil {
		return err
	}
	x.Draft, x.Theirs, x.SavedAt = draft.GetVersion(), draft.GetExplanation(), draft.GetSavedAt()
	return nil
}

func (p pages) explainAgain(v *web.Visit, page *explainPage, code int) error {
	if err := page.equip(); err != nil {
		return err
	}
	return v.RenderStatus(code, p.Pages, "explanation", page)
}

// faultsOf are the faults of an explanation by the field they are about.
func faultsOf(err error) map[string]string {
	faults := map[string]string{}
	for _, detail := range status.Convert(err).Details() {
		bad, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, one := range bad.GetFieldViolations() {
			if field, ok := strings.CutPrefix(one.GetField(), "casework_explanation_"); ok {
				faults[field] = one.GetDescription()
			}
		}
	}
	return faults
}

// saved is what the page's script is answered when it saves what is typed.
type saved struct {
	Version string `json:"version"`
	Words   string `json:"words"`
}

// draft saves what is typed, for the page's script.
func (p pages) draft(v *web.Visit) error {
	sent := typedBy(v)
	id := v.R.PathValue("case")
	version, _ := strconv.ParseInt(sent.value("draft"), 10, 64)
	kept, err := v.Cases.SaveDraft(v.Context(), &pb.SaveDraftRequest{CaseId: id, Version: version, Explanation: typedExplanation(sent)})
	if status.Code(err) == codes.Aborted {
		words, _ := web.Message(err)
		theirs, err := v.Cases.GetDraft(v.Context(), &pb.GetDraftRequest{CaseId: id})
		if err != nil {
			return err
		}
		return answer(v, http.StatusConflict, saved{versionText(theirs.GetVersion()), words})
	}
	if err != nil {
		return err
	}
	return answer(v, http.StatusOK, saved{versionText(kept.GetVersion()), v.Text("casespage.saved_at", "at", web.Moment(v.Language, kept.GetSavedAt()))})
}

func answer(v *web.Visit, code int, body saved) error {
	v.W.Header().Set("Content-Type", "application/json")
	v.W.WriteHeader(code)
	return json.NewEncoder(v.W).Encode(body)
}

// Has tells whether a field has a fault, for the parts of the form that are no plain fields.
func (x *explainPage) Has(field string) bool { return x.Errors[field] != "" }

// FullFiles tells that no more files can go with it.
func (x *explainPage) FullFiles() bool { return len(x.Files) >= maxFiles }

// Opinion is the case that is explained.
func (x *explainPage) Opinion() *casePage { return x.casePage }

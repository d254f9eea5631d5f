package documents

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// casePage are the papers of a case.
type casePage struct {
	Case       caseHead
	Documents  []row
	Next       string
	MayPrepare bool
}

// caseHead is the case a page is about.
type caseHead struct {
	*pb.Case
	Link  string
	Units map[string]string
}

func caseOf(v *web.Visit) (caseHead, error) {
	answer, err := v.Cases.GetCase(v.Context(), &pb.GetCaseRequest{CaseId: v.R.PathValue("case")})
	return caseHead{answer.GetCase(), "/cases/" + url.PathEscape(answer.GetCase().GetId()), answer.GetUnitNames()}, err
}

func (p pages) ofCase(v *web.Visit) error {
	head, err := caseOf(v)
	if err != nil {
		return err
	}
	list, err := v.Documents.ListDocuments(v.Context(), &pb.ListDocumentsRequest{CaseId: head.GetId(), PageSize: shownAtMost, PageToken: v.Value("after")})
	if err != nil {
		return err
	}
	page := casePage{Case: head, Documents: rows(list.GetDocuments()), MayPrepare: v.May("prepare_documents")}
	if next := list.GetNextPageToken(); next != "" {
		page.Next = head.Link + "/documents?after=" + url.QueryEscape(next)
	}
	return v.Render(p.Pages, "case", page)
}

// composePage is a paper being written, as it was typed; before its kind is chosen, the choice.
type composePage struct {
	form
	Case         caseHead
	MayIssue     bool
	Kinds        []*pb.DocumentTemplate // to choose from; none once one is chosen
	Units        []choice
	Kind         string
	Unit         string
	UnitName     string
	ID           string // of the paper, made with the form
	Template     *pb.DocumentTemplate
	Fields       []typed
	Signer       *pb.DocumentSigner
	Replaces     string
	MayReveal    bool
	RevealReason string
}

// typed is a field as it is shown.
type typed struct {
	*pb.DocumentField
	Error string
}

// compose shows the kinds of papers, or the form of one.
func (p pages) compose(v *web.Visit) error {
	page, err := composed(v)
	if err != nil {
		return err
	}
	if page.Kind == "" {
		list, err := v.Documents.ListTemplates(v.Context(), &pb.ListTemplatesRequest{UnitId: page.Unit})
		if err != nil {
			return err
		}
		page.Kinds = list.GetTemplates()
		return v.Render(p.Pages, "compose", page)
	}
	if err := page.prepare(v, ""); err != nil {
		return err
	}
	return v.Render(p.Pages, "compose", page)
}

// composed reads which paper is wanted.
func composed(v *web.Visit) (*composePage, error) {
	head, err := caseOf(v)
	if err != nil {
		return nil, err
	}
	page := &composePage{Case: head, MayIssue: v.May("issue_documents"), Kind: v.Value("kind"), Unit: v.Value("unit"), Replaces: v.Value("replaces"), ID: v.Value("id")}
	if uuid.Validate(page.ID) != nil {
		page.ID = uuid.NewString()
	}
	for _, unit := range []string{head.GetReceivingUnitId(), head.GetAssignedUnitId(), head.GetAboutUnitId(), v.Account.GetUnitId()} {
		if unit == "" || slices.ContainsFunc(page.Units, func(c choice) bool { return c.Value == unit }) {
			continue
		}
		// Only those of the account's subtree may issue.
		if u, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: unit}); err == nil {
			page.Units = append(page.Units, choice{Value: unit, Words: u.GetName()})
		}
	}
	if page.Unit == "" && len(page.Units) > 0 {
		page.Unit = page.Units[0].Value
	}
	for i := range page.Units {
		if page.Units[i].Chosen = page.Units[i].Value == page.Unit; page.Units[i].Chosen {
			page.UnitName = page.Units[i].Words
		}
	}
	return page, nil
}

// prepare fills in what is known; with a reason also who spoke.
func (page *composePage) prepare(v *web.Visit, reveal string) error {
	prepared, err := v.Documents.PrepareDocument(v.Context(), &pb.PrepareDocumentRequest{
		CaseId: page.Case.GetId(), Kind: page.Kind, UnitId: page.Unit, RevealReason: reveal,
	})
	if err != nil {
		return err
	}
	page.Unit, page.Template, page.Signer, page.MayReveal = prepared.GetUnitId(), prepared.GetTemplate(), prepared.GetSigner(), prepared.GetMayReveal()
	page.Fields = nil
	for _, field := range prepared.GetFields() {
		page.Fields = append(page.Fields, typed{DocumentField: field})
	}
	page.MayReveal = page.MayReveal && slices.ContainsFunc(page.Fields, func(f typed) bool { return f.GetPersonal() })
	return nil
}

// fieldPrefix marks the fields of a paper among those of the form.
const fieldPrefix = "v."

// read puts what was typed in the place of what is known.
func (page *composePage) read(v *web.Visit) (values map[string]string, signer *pb.DocumentSigner) {
	values = map[string]string{}
	for i, field := range page.Fields {
		if name := fieldPrefix + field.GetName(); v.R.PostForm.Has(name) {
			page.Fields[i].Value = strings.ReplaceAll(v.Value(name), "\r\n", "\n")
		}
		if field.GetValue() != "" {
			values[field.GetName()] = field.GetValue()
		}
	}
	page.Signer = &pb.DocumentSigner{
		Authority: strings.ReplaceAll(v.Value("authority"), "\r\n", "\n"), Position: v.Value("position"), Name: v.Value("signer"),
	}
	return values, page.Signer
}

// issue gives the paper its number, or fills in who spoke.
func (p pages) issue(v *web.Visit) error {
	page, err := composed(v)
	if err != nil {
		return err
	}
	if err := page.prepare(v, ""); err != nil {
		return err
	}
	values, signer := page.read(v)
	if v.Value("do") == "reveal" {
		return p.revealInto(v, page)
	}
	page.check(v)
	seen := v.Value("template")
	if !page.bad() {
		issued, err := v.Documents.IssueDocument(v.Context(), &pb.IssueDocumentRequest{
			DocumentId: page.ID, CaseId: page.Case.GetId(), Kind: page.Kind, UnitId: page.Unit, Values: values, Signer: signer, ReplacesId: page.Replaces, TemplateSha256: seen,
		})
		if err == nil {
			v.Notice(v.Text("documentspage.issued", "number", issued.GetNumber()))
			return v.Redirect("/documents/" + issued.GetId())
		}
		if reason(err) == "document_id_taken" { // sent before with other words: whoever sends it again decides
			page.ID = uuid.NewString()
		}
		if err := page.refused(err); err != nil {
			return err
		}
	}
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "compose", page)
}

// check looks for what is missing, beside its field.
func (page *composePage) check(v *web.Visit) {
	for i, field := range page.Fields {
		if field.GetRequired() && field.GetValue() == "" {
			page.Fields[i].Error = v.Text("web.required")
			page.wrong(v, field.GetName(), "web.required")
		}
	}
	for name, value := range map[string]string{"position": page.Signer.GetPosition(), "signer": page.Signer.GetName()} {
		if value == "" {
			page.wrong(v, name, "web.required")
		}
	}
}

// revealInto fills the citizen's name and address in; everything typed elsewhere stays.
func (p pages) revealInto(v *web.Visit, page *composePage) error {
	page.RevealReason = v.Value("reveal_reason")
	if len([]rune(page.RevealReason)) < leastReason {
		page.wrong(v, "reveal_reason", "documentspage.reason_missing")
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "compose", page)
	}
	known := *page
	if err := known.prepare(v, page.RevealReason); err != nil {
		if err := page.refused(err); err != nil {
			return err
		}
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "compose", page)
	}
	for i := range page.Fields {
		if page.Fields[i].GetPersonal() && i < len(known.Fields) && known.Fields[i].GetName() == page.Fields[i].GetName() && known.Fields[i].GetValue() != "" {
			page.Fields[i].Value = known.Fields[i].GetValue()
		}
	}
	return v.Render(p.Pages, "compose", page)
}

const leastReason = 3 // characters

var formats = regexp.MustCompile(`^(pdf|docx)$`)

// preview answers the draft's file.
func (p pages) preview(v *web.Visit) error {
	page, err := composed(v)
	if err != nil {
		return err
	}
	if err := page.prepare(v, ""); err != nil {
		return err
	}
	values, signer := page.read(v)
	format := v.Value("format")
	if !formats.MatchString(format) {
		format = "pdf"
	}
	drawn, err := v.Documents.PreviewDocument(v.Context(), &pb.PreviewDocumentRequest{UnitId: page.Unit, Kind: page.Kind, Values: values, Signer: signer, Format: format})
	if err != nil {
		if err := page.refused(err); err != nil {
			return err
		}
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "compose", page)
	}
	return send(v, v.Text("documentspage.draft_file")+"."+format, drawn.GetMediaType(), drawn.GetContent())
}

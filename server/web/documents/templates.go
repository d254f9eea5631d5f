package documents

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// templatesPage are the templates that hold for a unit.
type templatesPage struct {
	unitChoice
	Everybody bool // the page is about the templates of everybody
	Templates []templateRow
}

type templateRow struct {
	*pb.DocumentTemplate
	Link string
}

func templateLink(kind, unit string) string {
	return at("/admin/templates/"+url.PathEscape(kind), unit)
}

func (p pages) templates(v *web.Visit) error {
	chosen, err := chooseUnit(v, v.Account.GetUnitId())
	if err != nil {
		return err
	}
	page := templatesPage{unitChoice: chosen, Everybody: chosen.Unit == nil}
	list, err := v.Documents.ListTemplates(v.Context(), &pb.ListTemplatesRequest{UnitId: chosen.ID()})
	if err != nil {
		return err
	}
	for _, t := range list.GetTemplates() {
		page.Templates = append(page.Templates, templateRow{t, templateLink(t.GetKind(), chosen.ID())})
	}
	return v.Render(p.Pages, "templates", page)
}

// templatePage is a template being changed, as it was typed.
type templatePage struct {
	form
	Template *pb.DocumentTemplate // that holds
	Unit     *pb.Unit             // nil = everybody
	Link     string
	Source   string
	Note     string
	Seen     int32
	Old      int32 // version whose text is shown; 0 = the one that holds
	Faults   []lineFault
	Checked  bool // and nothing is wrong
	Versions []version
}

// version is an earlier text.
type version struct {
	*pb.TemplateVersion
	Link string
}

// lineFault is what is wrong with one line of a text.
type lineFault struct {
	Line  string
	Text  string // the line itself
	Words string
}

const versionsAtMost = 20

func (p pages) template(v *web.Visit) error {
	page, err := templateOf(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "template", page)
}

// templateOf reads a template, and where the address names one of its versions, that one's text.
func templateOf(v *web.Visit) (*templatePage, error) {
	kind, unit := v.R.PathValue("kind"), v.Value("unit")
	held, err := v.Documents.GetTemplate(v.Context(), &pb.GetTemplateRequest{UnitId: unit, Kind: kind})
	if err != nil {
		return nil, err
	}
	page := &templatePage{Template: held, Link: templateLink(kind, unit), Source: held.GetSource(), Seen: held.GetOwnVersion()}
	if unit != "" {
		if page.Unit, err = v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: unit}); err != nil {
			return nil, err
		}
	}
	if asked, err := strconv.ParseInt(v.Value("version"), 10, 32); err == nil && asked > 0 {
		old, err := v.Documents.GetTemplate(v.Context(), &pb.GetTemplateRequest{UnitId: unit, Kind: kind, Version: int32(asked)}) //nolint:gosec // 32 bits were asked for
		if err != nil {
			return nil, err
		}
		page.Source, page.Old = old.GetSource(), old.GetVersion()
	}
	list, err := v.Documents.ListTemplateVersions(v.Context(), &pb.ListTemplateVersionsRequest{UnitId: unit, Kind: kind, PageSize: versionsAtMost})
	if err != nil {
		return nil, err
	}
	for _, one := range list.GetVersions() {
		query := url.Values{"version": {strconv.Itoa(int(one.GetVersion()))}}
		if unit != "" {
			query.Set("unit", unit)
		}
		page.Versions = append(page.Versions, version{one, "/admin/templates/" + url.PathEscape(kind) + "?" + query.Encode()})
	}
	return page, nil
}

// UnitID is the unit's; "" = everybody.
func (page *templatePage) UnitID() string { return page.Unit.GetId() }

// read takes what was typed.
func (page *templatePage) read(v *web.Visit) {
	page.Source = strings.ReplaceAll(v.R.PostFormValue("source"), "\r\n", "\n")
	page.Note, page.Old = v.Value("note"), 0
	if seen, err := strconv.ParseInt(v.Value("seen"), 10, 32); err == nil {
		page.Seen = int32(seen) //nolint:gosec // 32 bits were asked for
	}
}

func (p pages) saveTemplate(v *web.Visit) error {
	page, err := templateOf(v)
	if err != nil {
		return err
	}
	stands := page.Seen
	page.read(v)
	if strings.TrimSpace(page.Source) == "" {
		page.wrong(v, "source", "web.required")
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "template", page)
	}
	check := v.Value("do") == "check"
	_, err = v.Documents.SaveTemplate(v.Context(), &pb.SaveTemplateRequest{
		UnitId: page.UnitID(), Kind: page.Template.GetKind(), Source: page.Source, SeenVersion: page.Seen, Note: page.Note, CheckOnly: check,
	})
	switch {
	case err == nil && check:
		page.Checked = true
		return v.Render(p.Pages, "template", page)
	case err == nil:
		v.Notice(v.Text("documentspage.template_saved"))
		return v.Redirect(page.Link)
	}
	if reason(err) == "document_template_changed" { // the text stays; whoever saves it again has seen the other
		page.Seen = stands
	}
	page.Faults = faultsOf(err, page.Source)
	if err := page.refused(err); err != nil {
		return err
	}
	if len(page.Faults) > 0 {
		page.Problem = v.Text("documentspage.template_faults", "n", len(page.Faults))
	}
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "template", page)
}

// faultsOf is everything a service found wrong with a text, each beside its line.
func faultsOf(err error, text string) []lineFault {
	lines := strings.Split(text, "\n")
	var list []lineFault
	for _, detail := range status.Convert(err).Details() {
		bad, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, one := range bad.GetFieldViolations() {
			fault := lineFault{Line: one.GetField(), Words: one.GetDescription()}
			if n, err := strconv.Atoi(fault.Line); err == nil && n >= 1 && n <= len(lines) {
				fault.Text = strings.TrimSpace(lines[n-1])
			}
			list = append(list, fault)
		}
	}
	return list
}

// previewTemplate draws the text as it is typed, with sample values.
func (p pages) previewTemplate(v *web.Visit) error {
	page, err := templateOf(v)
	if err != nil {
		return err
	}
	page.read(v)
	format := v.Value("format")
	if !formats.MatchString(format) {
		format = "pdf"
	}
	drawn, err := v.Documents.PreviewDocument(v.Context(), &pb.PreviewDocumentRequest{
		UnitId: page.UnitID(), Kind: page.Template.GetKind(), Source: page.Source, Sample: true, Format: format,
	})
	if err != nil {
		page.Faults = faultsOf(err, page.Source)
		if err := page.refused(err); err != nil {
			return err
		}
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "template", page)
	}
	return send(v, v.Text("documentspage.draft_file")+"."+format, drawn.GetMediaType(), drawn.GetContent())
}

func (p pages) askInherit(v *web.Visit) error {
	page, err := templateOf(v)
	if err != nil {
		return err
	}
	if !page.Template.GetOwn() {
		return v.Redirect(page.Link)
	}
	return v.Render(p.Pages, "inherit", page)
}

// inherit lets a unit use again what it inherits.
func (p pages) inherit(v *web.Visit) error {
	page, err := templateOf(v)
	if err != nil {
		return err
	}
	seen, _ := strconv.ParseInt(v.Value("seen"), 10, 32)
	_, err = v.Documents.SaveTemplate(v.Context(), &pb.SaveTemplateRequest{
		UnitId: page.UnitID(), Kind: page.Template.GetKind(), SeenVersion: int32(seen), Note: v.Value("note"), //nolint:gosec // 32 bits were asked for
	})
	if err == nil {
		v.Notice(v.Text("documentspage.inherited_again"))
		return v.Redirect(page.Link)
	}
	if err := page.refused(err); err != nil {
		return err
	}
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "inherit", page)
}

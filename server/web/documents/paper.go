package documents

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// row is a paper as lists show it.
type row struct {
	*pb.Document
	Link string
}

func rowOf(d *pb.Document) row { return row{d, "/documents/" + url.PathEscape(d.GetId())} }

func rows(list []*pb.Document) []row {
	var out []row
	for _, d := range list {
		out = append(out, rowOf(d))
	}
	return out
}

// paperPage is an issued paper.
type paperPage struct {
	form
	row
	Case      caseHead // without a case where the visitor may not see it
	Says      []said
	Replaces  *row
	Reason    string
	Revealed  bool // what names the citizen is shown
	MayIssue  bool
	WantsName bool // a file was asked for that needs a reason
}

// said is one thing the paper says.
type said struct{ Label, Value string }

func (p pages) document(v *web.Visit) error {
	page, err := paperOf(v, "")
	if err != nil {
		return err
	}
	page.WantsName = v.Value("file") != ""
	return v.Render(p.Pages, "paper", page)
}

// reveal shows what names the citizen, with the reason that was given.
func (p pages) reveal(v *web.Visit) error {
	why := v.Value("reason")
	if len([]rune(why)) < leastReason {
		return p.again(v, why, "documentspage.reason_missing")
	}
	page, err := paperOf(v, why)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "paper", page)
}

// again shows the paper with what is wrong with the reason.
func (p pages) again(v *web.Visit, why, key string) error {
	page, err := paperOf(v, "")
	if err != nil {
		return err
	}
	page.Reason = why
	page.wrong(v, "reason", key)
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "paper", page)
}

func paperOf(v *web.Visit, why string) (*paperPage, error) {
	d, err := v.Documents.GetDocument(v.Context(), &pb.GetDocumentRequest{DocumentId: v.R.PathValue("document"), Reason: why})
	if err != nil {
		return nil, err
	}
	page := &paperPage{row: rowOf(d), Reason: why, Revealed: why != "", MayIssue: v.May("issue_documents")}
	if d.GetCaseId() != "" {
		if found, err := v.Cases.GetCase(v.Context(), &pb.GetCaseRequest{CaseId: d.GetCaseId()}); err == nil {
			page.Case = caseHead{found.GetCase(), "/cases/" + url.PathEscape(d.GetCaseId()), found.GetUnitNames()}
		}
	}
	if d.GetReplacesId() != "" {
		if replaced, err := v.Documents.GetDocument(v.Context(), &pb.GetDocumentRequest{DocumentId: d.GetReplacesId()}); err == nil {
			r := rowOf(replaced)
			page.Replaces = &r
		}
	}
	names := make([]string, 0, len(d.GetValues()))
	for name := range d.GetValues() {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		label := v.Text("document.field." + name)
		if label == "document.field."+name { // of a field that only its template had
			label = name
		}
		page.Says = append(page.Says, said{label, d.GetValues()[name]})
	}
	return page, nil
}

// file sends a paper's file. One that names the citizen is asked for by a form with a reason.
func (p pages) file(v *web.Visit) error {
	format, why := v.R.PathValue("format"), ""
	if !formats.MatchString(format) {
		return web.ErrNotFound
	}
	if v.R.Method == http.MethodPost {
		why = v.Value("reason")
	}
	stream, err := v.Documents.DownloadDocument(v.Context(), &pb.DownloadDocumentRequest{DocumentId: v.R.PathValue("document"), Format: format, Reason: why})
	if err != nil {
		return err
	}
	about, err := stream.Recv()
	if reason(err) == "document_reveal_reason" {
		if v.R.Method == http.MethodGet {
			return v.Redirect("/documents/" + url.PathEscape(v.R.PathValue("document")) + "?file=" + format)
		}
		return p.again(v, why, "documentspage.reason_missing")
	}
	if err != nil {
		return err
	}
	content := make([]byte, 0, about.GetSize())
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return send(v, about.GetFileName(), about.GetMediaType(), content)
		}
		if err != nil {
			return err
		}
		content = append(content, part.GetContent()...)
	}
}

// send answers a file: a PDF to be looked at, others to be kept. Nothing in between may keep it.
func send(v *web.Visit, name, mediaType string, content []byte) error {
	how := "attachment"
	if mediaType == "application/pdf" {
		how = "inline"
	}
	v.W.Header().Set("Content-Type", mediaType)
	v.W.Header().Set("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": name}))
	v.W.Header().Set("Cache-Control", "private, no-store")
	v.W.Header().Set("X-Content-Type-Options", "nosniff")
	_, err := v.W.Write(content)
	return err
}

// cancelPage asks whether a paper is void.
type cancelPage struct {
	form
	row
	Reason string
}

func (p pages) askCancel(v *web.Visit) error {
	page, err := cancelOf(v)
	if err != nil {
		return err
	}
	if !page.GetMayCancel() {
		return v.Redirect(page.Link)
	}
	return v.Render(p.Pages, "cancel", page)
}

func cancelOf(v *web.Visit) (*cancelPage, error) {
	d, err := v.Documents.GetDocument(v.Context(), &pb.GetDocumentRequest{DocumentId: v.R.PathValue("document")})
	return &cancelPage{row: rowOf(d), Reason: v.Value("reason")}, err
}

func (p pages) cancel(v *web.Visit) error {
	page, err := cancelOf(v)
	if err != nil {
		return err
	}
	if page.Reason == "" {
		page.wrong(v, "reason", "web.required")
	} else {
		_, err := v.Documents.CancelDocument(v.Context(), &pb.CancelDocumentRequest{DocumentId: page.GetId(), Reason: page.Reason})
		if err == nil {
			v.Notice(v.Text("documentspage.cancelled_now", "number", page.GetNumber()))
			return v.Redirect(page.Link)
		}
		if err := page.refused(err); err != nil {
			return err
		}
	}
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "cancel", page)
}

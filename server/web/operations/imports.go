package operations

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

const (
	maxFile   = 15_000_000 // bytes; the contract's own limit
	maxUpload = 20 << 20   // of the form: a file that is somewhat too large is still told what to do
)

// importsPage is both forms, with what was typed and what is wrong with it.
type importsPage struct {
	Tabs      []tab
	Problem   string
	Errors    map[string]string // by field
	ValidFrom string
	Edition   string
	Mapping   string
	Jobs      []shownJob
}

func (p pages) showImports(v *web.Visit) error {
	return p.renderImports(v, http.StatusOK, importsPage{ValidFrom: string(v.Today())})
}

func (p pages) renderImports(v *web.Visit, code int, page importsPage) error {
	page.Tabs = tabs(v, "imports")
	answer, err := v.Operations.ListJobs(v.Context(), &pb.ListJobsRequest{PageSize: 25})
	if err != nil {
		return err
	}
	for _, j := range answer.GetJobs() {
		if strings.HasPrefix(j.GetKind(), "import_") && len(page.Jobs) < 5 {
			page.Jobs = append(page.Jobs, shown(j))
		}
	}
	return v.RenderStatus(code, p.Pages, "imports", page)
}

func (p pages) startImport(v *web.Visit) error {
	page := importsPage{Errors: map[string]string{}, ValidFrom: v.Value("valid_from"), Edition: v.Value("edition"), Mapping: v.Value("mapping")}
	request := &pb.StartImportRequest{CheckOnly: v.R.URL.Query().Get("check") != ""}
	field := "units_file"
	if v.Value("kind") == "ratings" {
		field = "ratings_file"
		request.Kind, request.Mapping = pb.ImportKind_IMPORT_KIND_RATINGS, page.Mapping
		if page.Mapping == "" {
			page.Errors["mapping"] = v.Text("operationspage.mapping_missing")
		}
		page.ValidFrom = string(v.Today())
	} else {
		request.Kind = pb.ImportKind_IMPORT_KIND_UNITS
		if _, err := localday.Parse(page.ValidFrom); err != nil {
			page.Errors["valid_from"] = v.Text("operationspage.day_wrong")
		}
		if strings.ContainsFunc(page.Edition, notPlain) {
			page.Errors["edition"] = v.Text("operationspage.edition_wrong")
		}
		request.Mapping = "valid_from: \"" + page.ValidFrom + "\"\nedition: \"" + page.Edition + "\"\n"
	}
	wrong, err := readFile(v, field, request)
	if err != nil {
		return err
	}
	if wrong != "" {
		page.Errors[field] = v.Text("operationspage." + wrong)
	}
	if len(page.Errors) > 0 {
		page.Problem = v.Text("operationspage.mend")
		return p.renderImports(v, http.StatusUnprocessableEntity, page)
	}
	started, err := v.Operations.StartImport(v.Context(), request)
	if words, mend := web.Message(err); mend {
		page.Problem = words
		return p.renderImports(v, http.StatusUnprocessableEntity, page)
	}
	if err != nil {
		return err
	}
	return v.Redirect("/admin/jobs/" + started.GetId())
}

// notPlain finds what an edition cannot have, before it is put into the request.
func notPlain(r rune) bool {
	plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_'
	return !plain
}

// readFile reads the form's file into the request; wrong is the key of what is wrong with it.
func readFile(v *web.Visit, field string, request *pb.StartImportRequest) (wrong string, err error) {
	file, header, err := v.R.FormFile(field)
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return "file_missing", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	switch {
	case header.Size == 0:
		return "file_empty", nil
	case header.Size > maxFile:
		return "file_large", nil
	}
	request.FileName = header.Filename
	request.Csv, err = io.ReadAll(file)
	return "", err
}

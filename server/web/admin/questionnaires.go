package admin

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type questionnairesPage struct {
	Groups  []formGroup
	Publish bool
}

// formGroup is all versions of one questionnaire, the newest first.
type formGroup struct {
	ID       string
	Titles   []*pb.LocalText
	Versions []formVersion
}

type formVersion struct {
	*pb.Questionnaire
	Link    string
	Current bool // it is used today
	Future  bool // it is used from a later day on
}

func formLink(q *pb.Questionnaire) string {
	return "/admin/questionnaires/" + url.PathEscape(q.GetId()) + "/" + strconv.Itoa(int(q.GetVersion()))
}

// published lists all versions, by questionnaire and version.
func published(v *web.Visit) ([]*pb.Questionnaire, error) {
	var all []*pb.Questionnaire
	request := &pb.ListQuestionnairesRequest{PageSize: 1000}
	for {
		page, err := v.Directory.ListQuestionnaires(v.Context(), request)
		if err != nil {
			return nil, err
		}
		all = append(all, page.GetQuestionnaires()...)
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return all, nil
		}
	}
}

func (p pages) questionnaires(v *web.Visit) error {
	all, err := published(v)
	if err != nil {
		return err
	}
	page := questionnairesPage{Publish: everywhere(v)}
	today := string(v.Today())
	for _, q := range all {
		if n := len(page.Groups); n == 0 || page.Groups[n-1].ID != q.GetId() {
			page.Groups = append(page.Groups, formGroup{ID: q.GetId()})
		}
		group := &page.Groups[len(page.Groups)-1]
		one := formVersion{Questionnaire: q, Link: formLink(q), Current: q.GetValidFrom() <= today, Future: q.GetValidFrom() > today}
		if one.Current { // the newest that is valid is used
			for i := range group.Versions {
				group.Versions[i].Current = false
			}
		}
		group.Titles = q.GetTitles()
		group.Versions = append([]formVersion{one}, group.Versions...)
	}
	return v.Render(p.Pages, "questionnaires", page)
}

type questionnairePage struct {
	*pb.Questionnaire
	Sides   []side
	Publish bool
	Link    string
	Factors map[string][]*pb.LocalText
}

// side is the form in one language.
type side struct {
	Code, Language string
	Title          string
	Questions      []shownQuestion
}

// shownQuestion is a question as citizens see it, in one language.
type shownQuestion struct {
	*pb.Question
	Text, Factor string
	Choices      []choice
}

func formOf(v *web.Visit) (*pb.Questionnaire, error) {
	all, err := published(v)
	if err != nil {
		return nil, err
	}
	for _, q := range all {
		if q.GetId() == v.R.PathValue("id") && strconv.Itoa(int(q.GetVersion())) == v.R.PathValue("version") {
			return q, nil
		}
	}
	return nil, web.ErrNotFound
}

func (p pages) questionnaire(v *web.Visit) error {
	q, err := formOf(v)
	if err != nil {
		return err
	}
	page := questionnairePage{Questionnaire: q, Publish: everywhere(v), Link: formLink(q)}
	for _, in := range language.All {
		page.Sides = append(page.Sides, sideOf(v, q, in))
	}
	return v.Render(p.Pages, "questionnaire", page)
}

func sideOf(v *web.Visit, q *pb.Questionnaire, in language.Language) side {
	s := side{Code: string(in), Language: v.Text("web.language." + string(in)), Title: web.Local(in, q.GetTitles())}
	factors := map[string]string{}
	for _, f := range q.GetFactors() {
		factors[f.GetId()] = web.Local(in, f.GetTitles())
	}
	for _, asked := range q.GetQuestions() {
		one := shownQuestion{Question: asked, Text: web.Local(in, asked.GetTexts()), Factor: factors[asked.GetFactorId()]}
		for _, c := range asked.GetChoices() {
			one.Choices = append(one.Choices, choice{Words: web.Local(in, c.GetTexts()), Value: scoreText(c.GetScore())})
		}
		if len(one.Choices) == 0 && asked.GetKind() == "score" {
			for score := int32(5); score >= 1; score-- {
				one.Choices = append(one.Choices, choice{Words: in.Text("web.score." + scoreText(score)), Value: scoreText(score)})
			}
		}
		s.Questions = append(s.Questions, one)
	}
	return s
}

func scoreText(score int32) string {
	if score == 0 {
		return ""
	}
	return strconv.Itoa(int(score))
}

// download sends a version as YAML, made again from what the contract tells of it.
func (p pages) download(v *web.Visit) error {
	q, err := formOf(v)
	if err != nil {
		return err
	}
	text, err := draft(q, q.GetVersion())
	if err != nil {
		return err
	}
	name := q.GetId() + "-" + strconv.Itoa(int(q.GetVersion())) + ".yaml"
	v.W.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	v.W.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	_, err = io.WriteString(v.W, text)
	return err
}

type publishForm struct {
	form
	YAML   string
	Faults []lineFault
}

// lineFault is what is wrong with one line of a text.
type lineFault struct {
	Line  string
	Text  string // the line itself
	Words string
}

// newQuestionnaire begins with nothing, or with a version that is there.
func (p pages) newQuestionnaire(v *web.Visit) error {
	if !everywhere(v) {
		return web.ErrNotFound
	}
	f := publishForm{}
	if from := v.Value("from"); from != "" {
		all, err := published(v)
		if err != nil {
			return err
		}
		next := int32(0)
		var base *pb.Questionnaire
		id, version, _ := strings.Cut(from, "@")
		for _, q := range all {
			if q.GetId() == id {
				next = max(next, q.GetVersion()+1)
				if strconv.Itoa(int(q.GetVersion())) == version {
					base = q
				}
			}
		}
		if base == nil {
			return web.ErrNotFound
		}
		if f.YAML, err = draft(base, next); err != nil {
			return err
		}
	}
	return v.Render(p.Pages, "publish", f)
}

const maxYAML = 1_000_000 // bytes; the contract's own limit

func (p pages) publish(v *web.Visit) error {
	if !everywhere(v) {
		return web.ErrNotFound
	}
	f := publishForm{YAML: strings.ReplaceAll(v.R.PostFormValue("yaml"), "\r\n", "\n")}
	sent, err := uploaded(v)
	if err != nil {
		return err
	}
	if sent != "" {
		f.YAML = sent
	}
	switch {
	case strings.TrimSpace(f.YAML) == "":
		f.wrong(v, "yaml", "adminpage.yaml_missing")
	case len(f.YAML) > maxYAML:
		f.YAML = ""
		f.wrong(v, "yaml", "adminpage.yaml_long")
	case !utf8.ValidString(f.YAML):
		f.YAML = ""
		f.wrong(v, "yaml", "adminpage.yaml_not_text")
	}
	if f.bad() {
		return v.RenderStatus(again(f.form), p.Pages, "publish", f)
	}
	made, err := v.Directory.PublishQuestionnaire(v.Context(), &pb.PublishQuestionnaireRequest{Yaml: f.YAML})
	if err != nil {
		f.Faults = faultsOf(err, f.YAML)
		if err := f.refused(err); err != nil {
			return err
		}
		if len(f.Faults) > 0 {
			f.Problem = v.Text("adminpage.yaml_faults", "n", len(f.Faults))
		}
		return v.RenderStatus(again(f.form), p.Pages, "publish", f)
	}
	v.Notice(v.Text("adminpage.published", "id", made.GetId(), "version", made.GetVersion()))
	return v.Redirect(formLink(made))
}

// uploaded reads the form's file; "" where there is none.
func uploaded(v *web.Visit) (string, error) {
	file, _, err := v.R.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxYAML+1))
	return string(text), err
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
		for _, violation := range bad.GetFieldViolations() {
			one := lineFault{Line: violation.GetField(), Words: violation.GetDescription()}
			if n, err := strconv.Atoi(one.Line); err == nil && n >= 1 && n <= len(lines) {
				one.Text = strings.TrimRight(lines[n-1], " \r")
				if len([]rune(one.Text)) > 200 {
					one.Text = string([]rune(one.Text)[:200]) + "…"
				}
			}
			list = append(list, one)
		}
	}
	return list
}

package desk

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type batchesPage struct {
	Open   []*pb.Batch
	Closed []*pb.Batch
	Next   string            // address of more open ones
	Titles map[string]string // of questionnaires, by address
}

func (p pages) showBatches(v *web.Visit) error {
	page := batchesPage{Titles: map[string]string{}}
	all, err := questionnaires(v)
	if err != nil {
		return err
	}
	for _, q := range all {
		page.Titles[address(q)] = web.Local(v.Language, q.GetTitles())
	}
	open, err := v.Desk.ListBatches(v.Context(), &pb.ListBatchesRequest{OpenOnly: true, PageSize: 20, PageToken: v.Value("page")})
	if err != nil {
		return err
	}
	page.Open = open.GetBatches()
	if token := open.GetNextPageToken(); token != "" {
		page.Next = "/desk?" + url.Values{"page": {token}}.Encode()
	}
	last, err := v.Desk.ListBatches(v.Context(), &pb.ListBatchesRequest{PageSize: 20})
	if err != nil {
		return err
	}
	for _, batch := range last.GetBatches() {
		if batch.GetClosedAt() != nil && len(page.Closed) < 10 {
			page.Closed = append(page.Closed, batch)
		}
	}
	return v.Render(p.Pages, "batches", page)
}

// Title is the name of a batch's form.
func (p batchesPage) Title(b *pb.Batch) string {
	return p.Titles[b.GetQuestionnaireId()+"@"+strconv.Itoa(int(b.GetQuestionnaireVersion()))]
}

type newPage struct {
	Search   search
	Unit     *pb.Unit // nil = to be searched
	Forms    []choice
	Counters []choice
	FilledOn string
	Expected string
	Problem  string
	Errors   map[string]string
}

// choice is one line of a list.
type choice struct {
	Value, Words string
	Chosen       bool
}

func (p pages) showNew(v *web.Visit) error {
	page, err := p.newPage(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "new", page)
}

func (p pages) newPage(v *web.Visit) (newPage, error) {
	page := newPage{FilledOn: v.Value("filled_on"), Expected: v.Value("expected"), Errors: map[string]string{}}
	var err error
	if page.Unit, err = unit(v); err != nil {
		return page, err
	}
	if page.Unit == nil {
		page.Search, err = newSearch(v, "/desk/new")
		return page, err
	}
	all, err := questionnaires(v)
	if err != nil {
		return page, err
	}
	page.Forms = formChoices(v, all, v.Value("form"))
	counters, err := v.Directory.ListCounters(v.Context(), &pb.ListCountersRequest{UnitId: page.Unit.GetId(), PageSize: 1000})
	if err != nil {
		return page, err
	}
	for _, c := range counters.GetCounters() {
		if c.GetUnitId() == page.Unit.GetId() && c.GetClosedAt() == nil {
			page.Counters = append(page.Counters, choice{c.GetId(), c.GetName(), c.GetId() == v.Value("counter")})
		}
	}
	return page, nil
}

func formChoices(v *web.Visit, all []*pb.Questionnaire, chosen string) []choice {
	var list []choice
	for _, q := range current(v, all) {
		list = append(list, choice{address(q), web.Local(v.Language, q.GetTitles()), address(q) == chosen})
	}
	return list
}

func (p pages) open(v *web.Visit) error {
	page, err := p.newPage(v)
	if err != nil {
		return err
	}
	if page.Unit == nil {
		return v.Redirect("/desk/new")
	}
	asked := &pb.OpenBatchRequest{UnitId: page.Unit.GetId(), CounterId: v.Value("counter")}
	id, version, _ := strings.Cut(v.Value("form"), "@")
	number, err := strconv.ParseInt(version, 10, 32)
	if asked.QuestionnaireId = id; err != nil || id == "" {
		page.Errors["form"] = v.Text("web.required")
	}
	asked.QuestionnaireVersion = int32(number)
	var ok bool
	if asked.FilledOn, ok = isoDay(page.FilledOn); !ok {
		page.Errors["filled_on"] = v.Text("deskpage.day_wrong")
	}
	if page.Expected != "" {
		expected, err := strconv.ParseUint(page.Expected, 10, 32)
		if err != nil || expected > 100_000 {
			page.Errors["expected"] = v.Text("deskpage.expected_wrong")
		}
		asked.Expected = uint32(expected)
	}
	if len(page.Errors) > 0 {
		page.Problem = v.Text("deskpage.mend")
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "new", page)
	}
	batch, err := v.Desk.OpenBatch(v.Context(), asked)
	if err != nil {
		var mendable bool
		if page.Problem, mendable = web.Message(err); !mendable {
			return err
		}
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "new", page)
	}
	return v.Redirect("/desk/batches/" + batch.GetId())
}

var written = regexp.MustCompile(`^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})$`)

// isoDay reads a day as people write it, 22/11/2026, or as programs do; "" stays "".
func isoDay(text string) (string, bool) {
	if text == "" {
		return "", true
	}
	if parts := written.FindStringSubmatch(text); parts != nil {
		text = parts[3] + "-" + two(parts[2]) + "-" + two(parts[1])
	}
	return text, isoForm.MatchString(text)
}

var isoForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}$`)

func two(digits string) string {
	if len(digits) == 1 {
		return "0" + digits
	}
	return digits
}

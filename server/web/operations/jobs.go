package operations

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// shownLines is how many lines of a report a page shows; all of them can be fetched.
const shownLines = 100

// shownJob is a job as a page shows it.
type shownJob struct {
	*pb.Job
	Lines []string
	Rest  int // lines that the page leaves out
}

func shown(j *pb.Job) shownJob {
	s := shownJob{Job: j}
	if j.GetReport() != "" {
		s.Lines = strings.Split(j.GetReport(), "\n")
	}
	if len(s.Lines) > shownLines {
		s.Lines, s.Rest = s.Lines[:shownLines], len(s.Lines)-shownLines
	}
	return s
}

// Running tells whether it goes on.
func (j shownJob) Running() bool { return j.GetState() == pb.JobState_JOB_STATE_RUNNING }

// Stoppable tells whether it can still be stopped.
func (j shownJob) Stoppable() bool {
	return j.Running() || j.GetState() == pb.JobState_JOB_STATE_INTERRUPTED
}

// Share is how much is done; –1 = not known.
func (j shownJob) Share() float64 {
	if j.GetTotal() == 0 {
		return -1
	}
	return float64(min(j.GetDone(), j.GetTotal())) / float64(j.GetTotal())
}

// Mood is how its state looks, beside its words.
func (j shownJob) Mood() string {
	switch j.GetState() { //nolint:exhaustive // the others are neither
	case pb.JobState_JOB_STATE_DONE:
		return "good"
	case pb.JobState_JOB_STATE_FAILED, pb.JobState_JOB_STATE_INTERRUPTED:
		return "bad"
	}
	return ""
}

type jobsPage struct {
	Tabs     []tab
	Jobs     []shownJob
	Next     string
	MayRun   bool
	From, To string
	Repair   bool
	Problem  string
}

func (p pages) showJobs(v *web.Visit) error { return p.renderJobs(v, http.StatusOK, jobsPage{}) }

func (p pages) renderJobs(v *web.Visit, code int, page jobsPage) error {
	answer, err := v.Operations.ListJobs(v.Context(), &pb.ListJobsRequest{PageSize: 25, PageToken: v.R.URL.Query().Get("page")})
	if err != nil {
		return err
	}
	page.Tabs, page.MayRun = tabs(v, "jobs"), v.May("run_jobs")
	for _, j := range answer.GetJobs() {
		page.Jobs = append(page.Jobs, shown(j))
	}
	if answer.GetNextPageToken() != "" {
		page.Next = "/admin/jobs?page=" + url.QueryEscape(answer.GetNextPageToken())
	}
	return v.RenderStatus(code, p.Pages, "jobs", page)
}

func (p pages) startReconcile(v *web.Visit) error {
	page := jobsPage{From: v.Value("from_month"), To: v.Value("to_month"), Repair: v.Value("repair") != ""}
	started, err := v.Operations.StartReconcile(v.Context(), &pb.StartReconcileRequest{FromMonth: page.From, ToMonth: page.To, Repair: page.Repair})
	if words, mend := web.Message(err); mend {
		page.Problem = words
		return p.renderJobs(v, http.StatusUnprocessableEntity, page)
	}
	if err != nil {
		return err
	}
	return v.Redirect("/admin/jobs/" + started.GetId())
}

type jobPage struct {
	Tabs     []tab
	Job      shownJob
	Loadable bool // it only checked a file, for whoever looks, which is kept to be stored
	Gone     bool // it did, and the file is kept no longer
	Problem  string
}

// keepChecked is how long the contract keeps a file that was only checked.
const keepChecked = 24 * time.Hour

func (p pages) jobPage(v *web.Visit) (jobPage, error) {
	j, err := p.job(v)
	if err != nil {
		return jobPage{}, err
	}
	page := jobPage{Tabs: tabs(v, "jobs"), Job: shown(j)}
	if j.GetState() == pb.JobState_JOB_STATE_DONE && v.May("run_jobs") && j.GetStartedBy() == v.Account.GetName() &&
		strings.HasPrefix(j.GetReport(), v.Text("job.check_only")+"\n") {
		page.Loadable = v.Clock().Sub(j.GetEndedAt().AsTime()) < keepChecked
		page.Gone = !page.Loadable
	}
	return page, nil
}

func (p pages) job(v *web.Visit) (*pb.Job, error) {
	return v.Operations.GetJob(v.Context(), &pb.GetJobRequest{JobId: v.R.PathValue("id")})
}

func (p pages) showJob(v *web.Visit) error {
	page, err := p.jobPage(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "job", page)
}

// load stores the file that a job checked.
func (p pages) load(v *web.Visit) error {
	page, err := p.jobPage(v)
	if err != nil {
		return err
	}
	request := &pb.StartImportRequest{Kind: pb.ImportKind_IMPORT_KIND_UNITS, FileName: page.Job.GetSubject(), CheckedJobId: page.Job.GetId()}
	if page.Job.GetKind() == "import_ratings" {
		request.Kind = pb.ImportKind_IMPORT_KIND_RATINGS
	}
	started, err := v.Operations.StartImport(v.Context(), request)
	if words, mend := web.Message(err); mend {
		page.Problem = words
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "job", page)
	}
	if err != nil {
		return err
	}
	return v.Redirect("/admin/jobs/" + started.GetId())
}

// sendReport sends the whole report as a text that Windows programs read too.
func (p pages) sendReport(v *web.Visit) error {
	j, err := p.job(v)
	if err != nil {
		return err
	}
	v.W.Header().Set("Content-Type", "text/plain; charset=utf-8")
	v.W.Header().Set("Content-Disposition", `attachment; filename="bao-cao-`+j.GetId()+`.txt"`)
	_, _ = v.W.Write([]byte("\ufeff" + strings.ReplaceAll(j.GetReport(), "\n", "\r\n") + "\r\n"))
	return nil
}

func (p pages) cancelJob(v *web.Visit) error {
	j, err := v.Operations.CancelJob(v.Context(), &pb.CancelJobRequest{JobId: v.R.PathValue("id")})
	if err != nil {
		return err
	}
	if shown(j).Stoppable() {
		v.Notice(v.Text("operationspage.stopping"))
	}
	return v.Redirect("/admin/jobs/" + j.GetId())
}

package server

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"maps"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/analytics"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	ratingimport "github.com/hailong-vn/hailong/internal/importing/ratings"
	unitimport "github.com/hailong-vn/hailong/internal/importing/units"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/job"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// The kinds of jobs.
const (
	jobImportUnits   = "import_units"
	jobImportRatings = "import_ratings"
	jobReconcile     = "reconcile"
)

func (a *application) openJobs(ctx context.Context) (*job.Runner, error) {
	return job.Open(ctx, a.engine, job.Options{
		Logger: a.Logger, Now: a.Clock,
		Kinds: map[string]job.Work{jobImportUnits: a.importUnitsJob, jobImportRatings: a.importRatingsJob, jobReconcile: a.reconcileJob},
	})
}

// checkEverything is the right to an action that concerns all units.
func checkEverything(ctx context.Context, action identity.Action) error {
	caller := callerOf(ctx)
	if err := caller.Check(action); err != nil {
		return err
	}
	if identity.Scope(caller) != "" {
		return fault.New(fault.Denied, "action_denied")
	}
	return nil
}

func (s operationsService) StartImport(ctx context.Context, request *pb.StartImportRequest) (*pb.Job, error) {
	if err := checkEverything(ctx, identity.RunJobs); err != nil {
		return nil, err
	}
	if id := request.GetCheckedJobId(); id != "" {
		var err error
		if request, err = s.checkedFile(ctx, id, request); err != nil {
			return nil, err
		}
	}
	request.FileName = path.Base(strings.ReplaceAll(request.GetFileName(), `\`, "/")) // as browsers of all systems give it
	kind := jobImportUnits
	if request.GetKind() == pb.ImportKind_IMPORT_KIND_RATINGS {
		kind = jobImportRatings
		// What is wrong with the mapping is told at once.
		if strings.TrimSpace(request.GetMapping()) == "" {
			return nil, fault.New(fault.Invalid, "job_mapping_missing")
		}
		if _, err := ratingimport.ParseMapping([]byte(request.GetMapping())); err != nil {
			return nil, err
		}
	} else if _, err := unitsMapping(request.GetMapping()); err != nil {
		return nil, err
	}
	keep := time.Duration(0)
	if request.GetCheckOnly() {
		keep = keepChecked
	}
	return s.startJob(ctx, kind, request.GetFileName(), request, keep)
}

// keepChecked is how long a file that was only checked is kept to be imported: a day, as the contract says.
const keepChecked = 24 * time.Hour

// checkedFile is the request that a job of the caller checked, to be imported now.
func (s operationsService) checkedFile(ctx context.Context, id string, asked *pb.StartImportRequest) (*pb.StartImportRequest, error) {
	input, err := s.jobs.Kept(ctx, id, callerOf(ctx).AccountID)
	if err != nil {
		return nil, err
	}
	request := &pb.StartImportRequest{}
	if err := proto.Unmarshal(input, request); err != nil {
		return nil, err
	}
	if request.GetKind() != asked.GetKind() {
		return nil, fault.New(fault.Invalid, "job_keeps_nothing")
	}
	request.CheckOnly = asked.GetCheckOnly()
	return request, nil
}

var aMonth = regexp.MustCompile(`^(\d{4}-(0[1-9]|1[0-2]))?$`)

func (s operationsService) StartReconcile(ctx context.Context, request *pb.StartReconcileRequest) (*pb.Job, error) {
	if err := checkEverything(ctx, identity.RunJobs); err != nil {
		return nil, err
	}
	from, to := request.GetFromMonth(), request.GetToMonth()
	for _, month := range []string{from, to} {
		if !aMonth.MatchString(month) {
			return nil, fault.New(fault.Invalid, "job_month_invalid", "month", month)
		}
	}
	if to != "" && from > to {
		return nil, fault.New(fault.Invalid, "job_months_reversed", "from", from, "to", to)
	}
	subject := strings.Trim(from+" – "+to, " –")
	if from != "" && to != "" {
		subject = from + " – " + to
	}
	return s.startJob(ctx, jobReconcile, subject, request, 0)
}

func (s operationsService) startJob(ctx context.Context, kind, subject string, request proto.Message, keep time.Duration) (*pb.Job, error) {
	input, err := proto.Marshal(request)
	if err != nil {
		return nil, err
	}
	caller := callerOf(ctx)
	started, err := s.jobs.Start(ctx, job.New{Kind: kind, Subject: subject, Input: input, Keep: keep,
		By: job.By{Account: caller.AccountID, Name: caller.Name, Language: string(languageOf(ctx))}})
	if err != nil {
		return nil, err
	}
	return jobProto(started, languageOf(ctx)), nil
}

func (s operationsService) ListJobs(ctx context.Context, request *pb.ListJobsRequest) (*pb.ListJobsResponse, error) {
	if err := checkEverything(ctx, identity.ReadJobs); err != nil {
		return nil, err
	}
	jobs, next, err := s.jobs.List(ctx, pageSize(request.GetPageSize()), store.Cursor(request.GetPageToken()))
	if err != nil {
		return nil, err
	}
	response := &pb.ListJobsResponse{NextPageToken: string(next)}
	for _, j := range jobs {
		first := 1 // line; the whole report is GetJob's
		if len(j.Report) > 0 && j.Report[0].Key == checkOnly {
			first = 2
		}
		j.Report, j.More = j.Report[:min(len(j.Report), first)], 0
		response.Jobs = append(response.Jobs, jobProto(j, languageOf(ctx)))
	}
	return response, nil
}

func (s operationsService) GetJob(ctx context.Context, request *pb.GetJobRequest) (*pb.Job, error) {
	if err := checkEverything(ctx, identity.ReadJobs); err != nil {
		return nil, err
	}
	j, err := s.jobs.Get(ctx, request.GetJobId())
	if err != nil {
		return nil, err
	}
	return jobProto(j, languageOf(ctx)), nil
}

func (s operationsService) CancelJob(ctx context.Context, request *pb.CancelJobRequest) (*pb.Job, error) {
	if err := checkEverything(ctx, identity.RunJobs); err != nil {
		return nil, err
	}
	j, err := s.jobs.Cancel(ctx, request.GetJobId())
	if err != nil {
		return nil, err
	}
	return jobProto(j, languageOf(ctx)), nil
}

var jobStates = map[job.State]pb.JobState{
	job.Running: pb.JobState_JOB_STATE_RUNNING, job.Done: pb.JobState_JOB_STATE_DONE, job.Failed: pb.JobState_JOB_STATE_FAILED,
	job.Cancelled: pb.JobState_JOB_STATE_CANCELLED, job.Interrupted: pb.JobState_JOB_STATE_INTERRUPTED,
}

func jobProto(j job.Job, in language.Language) *pb.Job {
	lines := make([]string, 0, len(j.Report)+1)
	for _, line := range j.Report {
		lines = append(lines, lineWords(line, in))
	}
	if j.More > 0 {
		lines = append(lines, in.Text("job.more", "count", in.Number(float64(j.More), 0)))
	}
	return &pb.Job{
		Id: j.ID, Kind: j.Kind, Subject: j.Subject, State: jobStates[j.State], Done: uint64(max(j.Done, 0)), Total: uint64(max(j.Total, 0)),
		Report: strings.Join(lines, "\n"), StartedBy: j.By.Name, StartedAt: timestamp(j.StartedAt), EndedAt: timestamp(j.EndedAt),
	}
}

// lineWords are the words of one line of a report; it stays one line whatever stands in it.
func lineWords(line job.Line, in language.Language) string {
	words := line.Words
	if line.Key != "" {
		args := slices.Clone(line.Args)
		for i, arg := range args {
			switch value := arg.(type) {
			case int64:
				args[i] = in.Number(float64(value), 0)
			case int32:
				args[i] = in.Number(float64(value), 0)
			}
		}
		words = in.Text(line.Key, args...)
	}
	switch {
	case line.Row > 0 && line.Column != "":
		words = in.Text("job.row_column", "row", line.Row, "column", line.Column, "value", line.Value, "reason", words)
	case line.Row > 0 && line.Value != "":
		words = in.Text("job.row_value", "row", line.Row, "value", line.Value, "reason", words)
	case line.Row > 0:
		words = in.Text("job.row", "row", line.Row, "reason", words)
	}
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(words)
}

// unitsFrom says how a list of units is meant; for units it stands where ratings have their mapping.
type unitsFrom struct {
	ValidFrom string `yaml:"valid_from"`
	Edition   string `yaml:"edition"`
}

func unitsMapping(text string) (unitimport.Options, error) {
	options := unitimport.Options{ValidFrom: unitimport.BuiltInFrom}
	if strings.TrimSpace(text) == "" {
		return options, nil
	}
	var from unitsFrom
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&from); err != nil {
		return options, fault.New(fault.Invalid, "job_units_mapping").Because(err)
	}
	if from.ValidFrom != "" {
		day, err := localday.Parse(from.ValidFrom)
		if err != nil {
			return options, fault.New(fault.Invalid, "unitimport_day_invalid", "day", from.ValidFrom)
		}
		options.ValidFrom = day
	}
	options.Edition = from.Edition
	return options, nil
}

func importRequest(ctx context.Context, run *job.Run) (*pb.StartImportRequest, error) {
	request := &pb.StartImportRequest{}
	return request, readInput(ctx, run, request)
}

func readInput(ctx context.Context, run *job.Run, into proto.Message) error {
	input, err := run.Input(ctx)
	if err != nil {
		return err
	}
	return proto.Unmarshal(input, into)
}

func (a *application) importUnitsJob(ctx context.Context, run *job.Run) error {
	request, err := importRequest(ctx, run)
	if err != nil {
		return err
	}
	options, err := unitsMapping(request.GetMapping())
	if err != nil {
		return err
	}
	options.Progress = func(done, total int) { run.Progress(int64(done), int64(total)) }
	list := bytes.NewReader(request.GetCsv())
	var summary unitimport.Summary
	if request.GetCheckOnly() {
		summary, err = unitimport.Check(a.directory, list, options)
	} else {
		summary, err = unitimport.Import(ctx, a.directory, list, options)
	}
	if summary.Rows > 0 {
		lines := checkedOnly(request.GetCheckOnly())
		lines = append(lines, job.Says("job.units_done", "rows", summary.Rows, "created", summary.Created, "changed", summary.Changed,
			"unchanged", summary.Unchanged, "errors", summary.Failed))
		for _, refused := range summary.Errors {
			line := job.Of(refused.Err)
			line.Row = int64(refused.Line)
			lines = append(lines, line)
		}
		run.Report(lines, int64(summary.Failed-len(summary.Errors)))
	}
	if err == nil {
		run.Progress(int64(summary.Rows), int64(summary.Rows))
	}
	return err
}

const checkOnly = "job.check_only"

func checkedOnly(check bool) []job.Line {
	if check {
		return []job.Line{job.Says(checkOnly)}
	}
	return nil
}

// workFolder is where a rating import keeps its file while it goes on. In the data folder it is there still after a crash, and the
// import goes on where it was; elsewhere it begins again, and what was stored is found as DUPLICATE.
func (a *application) workFolder(id string) (folder string, err error) {
	if a.MongoDB != "" {
		return os.MkdirTemp("", "hailong-import-")
	}
	folder = filepath.Join(a.Data, "jobs", id)
	return folder, os.MkdirAll(folder, 0o700)
}

func (a *application) importRatingsJob(ctx context.Context, run *job.Run) (err error) {
	request, err := importRequest(ctx, run)
	if err != nil {
		return err
	}
	mapping, err := ratingimport.ParseMapping([]byte(request.GetMapping()))
	if err != nil {
		return err
	}
	folder, err := a.workFolder(run.ID)
	if err != nil {
		return fault.New(fault.Unavailable, "job_folder").Because(err)
	}
	defer func() {
		// What the next run would go on from is kept only where the program itself is stopping.
		if a.MongoDB != "" || err == nil || a.ending.Err() == nil {
			_ = os.RemoveAll(folder)
		}
	}()
	file, refused := filepath.Join(folder, "ratings.csv"), filepath.Join(folder, "errors.csv")
	if err := os.WriteFile(file, request.GetCsv(), 0o600); err != nil {
		return fault.New(fault.Unavailable, "job_folder").Because(err)
	}
	options := ratingimport.Options{
		DryRun: request.GetCheckOnly(), ErrorsPath: refused, StatePath: filepath.Join(folder, "state.json"),
		Units: unitResolver{a.directory}, SaltKey: a.importSalt, Language: language.Language(run.By.Language), BatchSize: jobBatch,
		Progress: func(p ratingimport.Progress) {
			run.Progress(p.Bytes, p.Size)
			run.Report(append(checkedOnly(request.GetCheckOnly()), countLine(*p.Summary)), 0)
		},
	}
	source := ratingimport.Source{Name: request.GetFileName(), Path: file}
	summary, err := ratingimport.Run(ctx, source, mapping, jobSubmitter{a, run, request.GetFileName()}, options)
	if summary.Rows > 0 {
		lines := append(checkedOnly(request.GetCheckOnly()), summaryLines(summary)...)
		rows, more := refusedRows(refused, job.MaxLines-len(lines))
		run.Report(append(lines, rows...), more)
	}
	return err
}

// jobBatch is how many ratings a job hands over at a time: few enough that progress moves and a wish to stop is soon met.
const jobBatch = 250

func countLine(s ratingimport.Summary) job.Line {
	return job.Says("job.ratings_done", "rows", s.Rows, "ready", s.Ready, "stored", s.Stored, "duplicate", s.Duplicate, "conflict", s.Conflict,
		"rejected", s.Rejected, "skipped", s.Skipped, "errors", s.Errors)
}

func summaryLines(s ratingimport.Summary) []job.Line {
	lines := []job.Line{countLine(s)}
	if s.ResumedAt > 0 {
		lines = append(lines, job.Says("import.resumed", "line", s.ResumedAt))
	}
	if s.Ready > 0 {
		lines = append(lines, job.Says("import.period", "from", moment(s.First), "to", moment(s.Last)))
		scores := []any{}
		for i, name := range []string{"none", "one", "two", "three", "four", "five"} {
			scores = append(scores, name, s.Scores[i])
		}
		lines = append(lines, job.Says("job.scores", scores...))
		if s.Identical+s.SameIdentity+s.OtherContent > 0 {
			lines = append(lines, job.Says("import.identical", "identical", s.Identical, "same", s.SameIdentity, "other", s.OtherContent))
		}
	}
	for _, list := range []struct {
		key    string
		counts map[string]int64
	}{{"job.ignored", s.Labels}, {"job.unknown_label", s.UnknownLabels}, {"job.unknown_unit", s.UnknownUnits}} {
		names := slices.Sorted(maps.Keys(list.counts))
		for _, name := range names[:min(len(names), maxNamed)] {
			lines = append(lines, job.Says(list.key, "name", name, "count", list.counts[name]))
		}
		if rest := len(names) - maxNamed; rest > 0 {
			lines = append(lines, job.Says("job.others", "count", rest))
		}
	}
	return lines
}

// maxNamed is how many labels of a kind a report names.
const maxNamed = 50

func moment(at time.Time) string { return at.In(zone).Format("02/01/2006 15:04") }

// refusedRows reads back which rows were refused, at most limit of them, and counts the others.
func refusedRows(name string, limit int) (lines []job.Line, more int64) {
	file, err := os.Open(name) //nolint:gosec // our own file
	if err != nil {
		return nil, 0
	}
	defer func() { _ = file.Close() }()
	rows := csv.NewReader(file)
	rows.FieldsPerRecord = 5
	if _, err := rows.Read(); err != nil {
		return nil, 0
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return lines, more
		}
		if err != nil {
			return lines, more + 1
		}
		if len(lines) >= limit {
			more++
			continue
		}
		number, err := strconv.ParseInt(row[0], 10, 64)
		if err != nil {
			number = 0
		}
		line := job.Line{Row: number, Column: row[1], Value: row[3], Words: row[4]}
		if key := "import.reason." + row[2]; language.Vietnamese.Text(key) != key {
			line.Key, line.Words = key, ""
		}
		lines = append(lines, line)
	}
}

// jobSubmitter hands batches to intake as the program itself.
type jobSubmitter struct {
	*application
	run    *job.Run
	source string
}

func (s jobSubmitter) Submit(ctx context.Context, items []*pb.SealedRating) ([]*pb.ItemOutcome, error) {
	outcomes, err := s.intake.Submit(ctx, identity.System(), intake.Batch{Items: items, Source: s.source, Language: language.Language(s.run.By.Language)})
	s.metrics.count(outcomes)
	return outcomes, err
}

func (a *application) reconcileJob(ctx context.Context, run *job.Run) error {
	request := &pb.StartReconcileRequest{}
	if err := readInput(ctx, run, request); err != nil {
		return err
	}
	report, err := analytics.Reconcile(ctx, a.engine, analytics.Reconciling{
		From: request.GetFromMonth(), To: request.GetToMonth(), Repair: request.GetRepair(), Clock: a.Clock,
		Progress: func(done, total int) { run.Progress(int64(done), int64(total)) },
	})
	if report.Cells > 0 || err == nil {
		run.Report(reconcileLines(report, request.GetRepair()))
	}
	if err == nil {
		run.Progress(int64(report.Records), int64(report.Records))
	}
	return err
}

func reconcileLines(report analytics.Report, repair bool) (lines []job.Line, more int64) {
	lines = append(lines, job.Says("job.reconciled", "cells", report.Cells, "ratings", report.Records, "again", report.CountedAgain))
	for _, problem := range slices.Sorted(maps.Keys(report.Counts)) {
		lines = append(lines, job.Says("job.problem."+string(problem), "count", report.Counts[problem]))
	}
	behind := report.Counts[analytics.Behind]
	switch {
	case report.Repaired > 0:
		lines = append(lines, job.Says("job.repaired", "count", report.Repaired))
	case !report.Clean() && !repair:
		lines = append(lines, job.Says("job.drift"))
	case report.Clean() && behind > 0:
		lines = append(lines, job.Says("reconcile.clean_but", "count", behind))
	case report.Clean():
		lines = append(lines, job.Says("reconcile.clean"))
	}
	for _, finding := range report.Findings {
		if finding.Problem != analytics.Behind {
			lines = append(lines, job.Says("job.finding."+string(finding.Problem), "name", finding.Name, "stands", finding.Stands, "folded", finding.Folded))
		}
	}
	total := 0
	for problem, count := range report.Counts {
		if problem != analytics.Behind {
			total += count
		}
	}
	more = int64(min(total, math.MaxInt32) - countFindings(report.Findings))
	return lines, max(more, 0)
}

func countFindings(findings []analytics.Finding) int {
	n := 0
	for _, finding := range findings {
		if finding.Problem != analytics.Behind {
			n++
		}
	}
	return n
}

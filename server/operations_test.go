package server

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// ended waits until a job has ended.
func (s *running) ended(ctx context.Context, id string) *pb.Job {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		j, err := s.operations().GetJob(ctx, &pb.GetJobRequest{JobId: id})
		if err != nil {
			s.t.Fatal(err)
		}
		if j.GetState() != pb.JobState_JOB_STATE_RUNNING {
			return j
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the job goes on: %v", j)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *running) imports(ctx context.Context, request *pb.StartImportRequest) *pb.Job {
	s.t.Helper()
	started, err := s.operations().StartImport(ctx, request)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.ended(ctx, started.GetId())
}

const someUnits = `code,level,name,full_name,name_en,parent_code
91,province,Thử,Tỉnh Thử,Thu,
91001,commune,Một,Xã Một,Mot,91
91002,commune,Hai,Xã Hai,Hai,91
91003,commune,Lạc,Xã Lạc,Lac,77
`

const slipMapping = `
source: phieu
time: {column: time, formats: ["yyyy-MM-dd HH:mm:ss"]}
constants: {channel: paper, questionnaire: "kiosk@1", language: vi}
columns: {unit: unit}
overall: {column: score, labels: {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}}
identity: {columns: [time, slip]}
`

func slips(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "2026-03-%02d %02d:00:00,91001,%d,%d\n", 1+i%28, 8+i%9, 1+i%5, i)
	}
	return b.String()
}

const slipHeader = "time,unit,score,slip\n"

func TestImportJobs(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		admin := s.admin()
		units := &pb.StartImportRequest{Kind: pb.ImportKind_IMPORT_KIND_UNITS, FileName: `C:\Tài liệu\don-vi.csv`, Csv: []byte(someUnits), CheckOnly: true}
		checked := s.imports(admin, units)
		if checked.GetState() != pb.JobState_JOB_STATE_DONE || checked.GetSubject() != "don-vi.csv" || checked.GetStartedBy() != "admin" ||
			!strings.Contains(checked.GetReport(), "Units: 3 new") || !strings.Contains(checked.GetReport(), "Row 5: ") {
			t.Errorf("checked: %v", checked)
		}
		if listed, err := s.directory().ListUnits(admin, &pb.ListUnitsRequest{}); err != nil || len(listed.GetUnits()) != 0 {
			t.Errorf("a check stored %v, %v", listed, err)
		}
		units.CheckOnly = false
		if stored := s.imports(admin, units); !strings.Contains(stored.GetReport(), "Units: 3 new") || stored.GetDone() != stored.GetTotal() || stored.GetTotal() != 4 {
			t.Errorf("stored: %v", stored)
		}
		if again := s.imports(admin, units); !strings.Contains(again.GetReport(), "Units: 0 new, 0 changed, 3 unchanged; rows with errors: 1") {
			t.Errorf("again: %v", again)
		}

		bad := "2026-03-01 09:00:00,91001,7,x\n2026-03-01 09:00:00,12345,4,y\nyesterday,91001,4,z\n"
		ratings := &pb.StartImportRequest{Kind: pb.ImportKind_IMPORT_KIND_RATINGS, FileName: "phieu.csv", Mapping: slipMapping,
			Csv: []byte(slipHeader + slips(0, 600) + bad), CheckOnly: true}
		checked = s.imports(admin, ratings)
		if !strings.Contains(checked.GetReport(), "Only checked") ||
			!strings.Contains(checked.GetReport(), "Rows read: 603, understood: 600. Stored: 0") || !strings.Contains(checked.GetReport(), "Row 602, column score, “7”: ") ||
			!strings.Contains(checked.GetReport(), "Row 603, column unit, “12345”: ") || !strings.Contains(checked.GetReport(), "Row 604, column time, “yesterday”: ") {
			t.Errorf("checked: %v", checked)
		}
		ratings.CheckOnly = false
		kept := &pb.StartImportRequest{Kind: ratings.GetKind(), FileName: "phieu.csv", CheckedJobId: checked.GetId()}
		if stored := s.imports(admin, kept); !strings.Contains(stored.GetReport(), "Stored: 600, there before: 0") || strings.Contains(stored.GetReport(), "Only checked") ||
			stored.GetSubject() != "phieu.csv" || stored.GetState() != pb.JobState_JOB_STATE_DONE {
			t.Errorf("stored: %v", stored)
		}
		if again := s.imports(admin, ratings); !strings.Contains(again.GetReport(), "Stored: 0, there before: 600") {
			t.Errorf("again: %v", again)
		}
		s.summary2026(admin, "vn-91-2025", 600)
		if config.MongoDB == "" {
			if left, err := filepath.Glob(filepath.Join(config.Data, "jobs", "*")); err != nil || len(left) > 0 {
				t.Errorf("files were left behind: %v, %v", left, err)
			}
		}

		started, err := s.operations().StartReconcile(admin, &pb.StartReconcileRequest{FromMonth: "2026-03", ToMonth: "2026-03"})
		if err != nil {
			t.Fatal(err)
		}
		if counted := s.ended(admin, started.GetId()); counted.GetState() != pb.JobState_JOB_STATE_DONE || !strings.Contains(counted.GetReport(), "of 600 ratings") {
			t.Errorf("reconcile: %v", counted)
		}
		listed, err := s.operations().ListJobs(admin, &pb.ListJobsRequest{PageSize: 2})
		if err != nil || len(listed.GetJobs()) != 2 || listed.GetJobs()[0].GetId() != started.GetId() || listed.GetNextPageToken() == "" {
			t.Errorf("listed: %v, %v", listed, err)
		}
		if cancelled, err := s.operations().CancelJob(admin, &pb.CancelJobRequest{JobId: started.GetId()}); err != nil || cancelled.GetState() != pb.JobState_JOB_STATE_DONE {
			t.Errorf("what has ended cannot be stopped: %v, %v", cancelled, err)
		}
		testImportRefusals(admin, t, s)
	})
}

// summary2026 waits until a unit's figures of March 2026 hold n ratings.
func (s *running) summary2026(ctx context.Context, unit string, n uint32) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		summary, err := s.analytics().GetUnitSummary(ctx, &pb.GetUnitSummaryRequest{UnitId: unit, From: "2026-03-01", To: "2026-03-31"})
		if err != nil {
			s.t.Fatal(err)
		}
		if summary.GetPooled().GetN() == n {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d ratings, want %d", summary.GetPooled().GetN(), n)
		}
	}
}

func testImportRefusals(admin context.Context, t *testing.T, s *running) {
	p := newProvince(admin, s)
	leader, scoped := p.as("lãnh đạo", pb.Role_ROLE_LEADER, ""), p.as("quản trị xã", pb.Role_ROLE_ADMINISTRATOR, p.mine)
	good := func() *pb.StartImportRequest {
		return &pb.StartImportRequest{Kind: pb.ImportKind_IMPORT_KIND_RATINGS, FileName: "a.csv", Csv: []byte("x"), Mapping: slipMapping}
	}
	for _, c := range []struct {
		name   string
		ctx    context.Context
		change func(*pb.StartImportRequest)
		code   codes.Code
		reason string
	}{
		{"a leader", leader, func(*pb.StartImportRequest) {}, codes.PermissionDenied, "action_denied"},
		{"an administrator of a commune", scoped, func(*pb.StartImportRequest) {}, codes.PermissionDenied, "action_denied"},
		{"nobody", t.Context(), func(*pb.StartImportRequest) {}, codes.Unauthenticated, "sign_in_needed"},
		{"no kind", admin, func(r *pb.StartImportRequest) { r.Kind = 0 }, codes.InvalidArgument, "request_invalid"},
		{"empty file", admin, func(r *pb.StartImportRequest) { r.Csv = nil }, codes.InvalidArgument, "request_invalid"},
		{"15 MB and one byte", admin, func(r *pb.StartImportRequest) { r.Csv = make([]byte, 15_000_001) }, codes.InvalidArgument, "request_invalid"},
		{"no mapping", admin, func(r *pb.StartImportRequest) { r.Mapping = "" }, codes.InvalidArgument, "job_mapping_missing"},
		{"a mapping with a slip", admin, func(r *pb.StartImportRequest) { r.Mapping = "tine: {}" }, codes.InvalidArgument, "import_ratings_mapping_field"},
		{"units from a day that is none", admin, func(r *pb.StartImportRequest) {
			r.Kind, r.Mapping = pb.ImportKind_IMPORT_KIND_UNITS, "valid_from: hôm nay"
		}, codes.InvalidArgument, "unitimport_day_invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			request := good()
			c.change(request)
			_, err := s.operations().StartImport(c.ctx, request)
			wantRefused(t, err, c.code, c.reason)
		})
	}
	checked := s.imports(admin, &pb.StartImportRequest{Kind: pb.ImportKind_IMPORT_KIND_UNITS, FileName: "u.csv", Csv: []byte(someUnits), CheckOnly: true})
	for _, c := range []struct {
		name   string
		ctx    context.Context
		kind   pb.ImportKind
		id     string
		code   codes.Code
		reason string
	}{
		{"checked by another", p.as("quản trị hai", pb.Role_ROLE_ADMINISTRATOR, ""), pb.ImportKind_IMPORT_KIND_UNITS, checked.GetId(), codes.PermissionDenied, "job_kept_for_another"},
		{"checked as something else", admin, pb.ImportKind_IMPORT_KIND_RATINGS, checked.GetId(), codes.InvalidArgument, "job_keeps_nothing"},
		{"no such check", admin, pb.ImportKind_IMPORT_KIND_UNITS, "none", codes.NotFound, "job_unknown"},
	} {
		_, err := s.operations().StartImport(c.ctx, &pb.StartImportRequest{Kind: c.kind, FileName: "u.csv", CheckedJobId: c.id})
		if t.Run(c.name, func(t *testing.T) { wantRefused(t, err, c.code, c.reason) }); t.Failed() {
			return
		}
	}
	failed := s.imports(admin, &pb.StartImportRequest{Kind: pb.ImportKind_IMPORT_KIND_UNITS, FileName: "b.csv", Csv: []byte("a,b\n1,2\n")})
	if failed.GetState() != pb.JobState_JOB_STATE_FAILED || !strings.Contains(failed.GetReport(), "column") {
		t.Errorf("a file without the columns: %v", failed)
	}
	_, err := s.operations().StartReconcile(admin, &pb.StartReconcileRequest{FromMonth: "2026-13"})
	wantRefused(t, err, codes.InvalidArgument, "job_month_invalid")
	_, err = s.operations().StartReconcile(admin, &pb.StartReconcileRequest{FromMonth: "2026-12", ToMonth: "2026-01"})
	wantRefused(t, err, codes.InvalidArgument, "job_months_reversed")
	_, err = s.operations().GetJob(admin, &pb.GetJobRequest{JobId: "none"})
	wantRefused(t, err, codes.NotFound, "job_unknown")
	for _, ctx := range []context.Context{leader, scoped} {
		_, err = s.operations().ListJobs(ctx, &pb.ListJobsRequest{})
		wantRefused(t, err, codes.PermissionDenied, "action_denied")
	}
}

// An import goes on after the server was stopped in the middle and started again.
func TestImportGoesOnAfterAStop(t *testing.T) {
	config := Config{Data: t.TempDir()}
	s := start(t, config)
	admin := s.admin()
	s.imports(admin, &pb.StartImportRequest{Kind: pb.ImportKind_IMPORT_KIND_UNITS, FileName: "u.csv", Csv: []byte(someUnits)})
	const many = 6_000
	started, err := s.operations().StartImport(admin, &pb.StartImportRequest{Kind: pb.ImportKind_IMPORT_KIND_RATINGS, FileName: "p.csv",
		Mapping: slipMapping, Csv: []byte(slipHeader + slips(0, many))})
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(config.Data, "jobs", started.GetId(), "state.json")
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(state); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the import did not begin")
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(state); err != nil {
		t.Fatalf("the import had ended before the stop: %v", err)
	}
	s = start(t, config)
	admin = s.admin()
	done := s.ended(admin, started.GetId())
	for done.GetState() == pb.JobState_JOB_STATE_INTERRUPTED { // until it is taken up
		time.Sleep(20 * time.Millisecond)
		done = s.ended(admin, started.GetId())
	}
	if done.GetState() != pb.JobState_JOB_STATE_DONE || !strings.Contains(done.GetReport(), "Rows read: 6,000, understood: 6,000. Stored: ") ||
		!strings.Contains(done.GetReport(), "Going on after line") {
		t.Errorf("%v", done)
	}
	s.summary2026(admin, "vn-91-2025", many)
}

func TestQuarantineIsReadAndDiscarded(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		admin := s.admin()
		p := newProvince(admin, s)
		scoped := p.as("quản trị xã", pb.Role_ROLE_ADMINISTRATOR, p.mine)
		wrong := freshRating(p.sibling, 9)
		refused := s.submit(admin, seal(t, wrong), &pb.SealedRating{Rating: []byte("\x0a\xffgarbage")})
		for i, readable := range []bool{true, false} {
			got, err := s.operations().GetQuarantined(admin, &pb.GetQuarantinedRequest{QuarantineId: refused[i].GetQuarantineId()})
			if err != nil || (got.GetRating() != nil) != readable || got.GetItem().GetReason() == "" || got.GetHasPrivate() {
				t.Errorf("item %d: %v, %v", i, got, err)
			}
			if readable && got.GetRating().GetOverallScore() != 9 {
				t.Errorf("read %v", got.GetRating())
			}
			if reason := got.GetItem().GetReason(); readable && !strings.Contains(reason, "it is out of range") {
				t.Errorf("why it waits is told as %q", reason)
			}
		}
		id := refused[0].GetQuarantineId()
		_, err := s.operations().GetQuarantined(scoped, &pb.GetQuarantinedRequest{QuarantineId: id})
		wantRefused(t, err, codes.NotFound, "quarantine_unknown")
		_, err = s.operations().DiscardQuarantined(scoped, &pb.DiscardQuarantinedRequest{QuarantineId: id, Reason: "thử"})
		wantRefused(t, err, codes.NotFound, "quarantine_unknown")
		_, err = s.operations().DiscardQuarantined(admin, &pb.DiscardQuarantinedRequest{QuarantineId: id})
		wantRefused(t, err, codes.InvalidArgument, "request_invalid")
		discarded, err := s.operations().DiscardQuarantined(admin, &pb.DiscardQuarantinedRequest{QuarantineId: id, Reason: "gõ nhầm"})
		if err != nil || discarded.GetDiscardReason() != "gõ nhầm" || discarded.GetDiscardedAt() == nil {
			t.Errorf("discarded: %v, %v", discarded, err)
		}
		again, err := s.operations().DiscardQuarantined(admin, &pb.DiscardQuarantinedRequest{QuarantineId: id, Reason: "lý do khác"})
		if err != nil || again.GetDiscardReason() != "gõ nhầm" {
			t.Errorf("discarded again: %v, %v", again, err)
		}
		_, err = s.operations().ReleaseQuarantined(admin, &pb.ReleaseQuarantinedRequest{QuarantineId: id, Vouch: true})
		wantRefused(t, err, codes.InvalidArgument, "quarantine_discarded")
		for released, want := range map[bool]int{false: 1, true: 2} {
			listed, err := s.operations().ListQuarantine(admin, &pb.ListQuarantineRequest{IncludeReleased: released})
			if err != nil || len(listed.GetItems()) != want {
				t.Errorf("with what no longer waits (%t): %v, %v", released, listed, err)
			}
		}
		if again := s.submit(admin, seal(t, wrong))[0]; again.GetQuarantineId() != id {
			t.Errorf("sent again it is another item: %v", again)
		}
	})
}

// audited lists what was done, oldest first, as "name action subject outcome".
func (s *running) audited(ctx context.Context, request *pb.ListAuditRequest) []string {
	s.t.Helper()
	answer, err := s.operations().ListAudit(ctx, request)
	if err != nil {
		s.t.Fatal(err)
	}
	var lines []string
	for _, e := range answer.GetEntries() {
		if e.GetAddress() == "" || e.GetAt() == nil || e.GetId() == "" {
			s.t.Errorf("entry without address, time or id: %v", e)
		}
		lines = append(lines, strings.Join([]string{e.GetAccountName(), e.GetAction(), e.GetSubject(), e.GetOutcome()}, " | "))
	}
	slices.Reverse(lines)
	return lines
}

func TestAudit(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		admin := s.admin()
		p := newProvince(admin, s)
		leader := p.as("lãnh đạo", pb.Role_ROLE_LEADER, p.mine)
		scoped := p.as("quản trị xã", pb.Role_ROLE_ADMINISTRATOR, p.mine)
		wantOutcome(t, s.submit(admin, seal(t, freshRating(p.mine, 4)))[0], stored, "")
		_, err := s.ratings().CreateRating(admin, &pb.CreateRatingRequest{Rating: freshRating(p.mine, 4)})
		if err != nil {
			t.Fatal(err)
		}
		s.summary(admin, p.mine, 2)
		_, err = s.ratings().ListRatings(leader, &pb.ListRatingsRequest{UnitId: p.mine, From: "2026-01-01", To: "2026-01-31"})
		ratings := outcomeOf(err)
		for range 2 {
			_, err = s.analytics().GetUnitSummary(leader, &pb.GetUnitSummaryRequest{UnitId: p.sibling})
			wantRefused(t, err, codes.NotFound, "unit_unknown")
		}
		_, err = s.analytics().GetUnitSummary(leader, &pb.GetUnitSummaryRequest{UnitId: "nowhere"})
		wantRefused(t, err, codes.NotFound, "unit_unknown")
		watch, err := s.analytics().WatchUnit(leader, &pb.WatchUnitRequest{UnitId: p.sibling})
		if err == nil {
			_, err = watch.Recv()
		}
		wantRefused(t, err, codes.NotFound, "unit_unknown")
		_, err = s.identity().DisableAccount(leader, &pb.DisableAccountRequest{AccountId: p.accounts["lãnh đạo"].GetId()})
		wantRefused(t, err, codes.PermissionDenied, "action_denied")
		for _, name := range []string{"LÃNH ĐẠO", "mật khẩu gõ nhầm vào ô tên"} {
			_, err = s.identity().CreateSession(t.Context(), &pb.CreateSessionRequest{Name: name, Password: "một mật khẩu sai"})
			wantRefused(t, err, codes.Unauthenticated, "sign_in_wrong")
		}
		if _, err := s.identity().ChangePassword(leader, &pb.ChangePasswordRequest{CurrentPassword: rolePassword, NewPassword: "mật khẩu mới hẳn"}); err != nil {
			t.Fatal(err)
		}
		ids := map[string]string{"leader": p.accounts["lãnh đạo"].GetId(), "scoped": p.accounts["quản trị xã"].GetId()}
		ofLeader := []string{
			"lãnh đạo | CreateSession | " + ids["leader"] + " | OK",
			"lãnh đạo | ListRatings | " + p.mine + " | " + ratings,
			"lãnh đạo | GetUnitSummary | " + p.sibling + " | NotFound",
			"lãnh đạo | GetUnitSummary | " + p.sibling + " | NotFound",
			"lãnh đạo | WatchUnit | " + p.sibling + " | NotFound",
			"lãnh đạo | DisableAccount | " + ids["leader"] + " | PermissionDenied",
			"lãnh đạo | ChangePassword |  | OK",
		}
		sorted := func(lines []string) string { return strings.Join(slices.Sorted(slices.Values(lines)), "\n") }
		eventuallyIs(t, func() string { // refusals are written a moment later
			return sorted(s.audited(admin, &pb.ListAuditRequest{AccountId: ids["leader"]}))
		}, sorted(ofLeader))
		within := append(ofLeader, "quản trị xã | CreateSession | "+ids["scoped"]+" | OK", " | CreateSession | lãnh đạo | Unauthenticated")
		eventuallyIs(t, func() string { return sorted(s.audited(scoped, &pb.ListAuditRequest{})) }, sorted(within))
		if got := s.audited(admin, &pb.ListAuditRequest{AccountId: ids["leader"], Action: "ChangePassword"}); len(got) != 1 {
			t.Errorf("by account and action: %q", got)
		}
		all := s.audited(admin, &pb.ListAuditRequest{PageSize: 1000})
		for _, want := range []string{"admin | CreateUnit | " + p.mine + " | OK", "admin | CreateAccount | " + ids["leader"] + " | OK"} {
			if !slices.Contains(all, want) {
				t.Errorf("no %q in\n%s", want, strings.Join(all, "\n"))
			}
		}
		text := strings.Join(all, "\n")
		for _, secret := range []string{"mật khẩu", "CreateRating", "SubmitRatings", "nowhere"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in the audit:\n%s", secret, text)
			}
		}
		var paged []string
		for token, pages := "", 0; pages == 0 || token != ""; pages++ {
			answer, err := s.operations().ListAudit(admin, &pb.ListAuditRequest{PageSize: 3, PageToken: token})
			if err != nil || pages > 100 {
				t.Fatalf("page %d: %v", pages, err)
			}
			for _, e := range answer.GetEntries() {
				paged = append(paged, e.GetId())
			}
			token = answer.GetNextPageToken()
		}
		if unique := slices.Compact(slices.Sorted(slices.Values(paged))); len(unique) != len(all) || len(paged) != len(all) {
			t.Errorf("%d entries in pages, %d of them different, %d at once", len(paged), len(unique), len(all))
		}
		_, err = s.operations().ListAudit(leader, &pb.ListAuditRequest{})
		wantRefused(t, err, codes.PermissionDenied, "action_denied")
		for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodPost} {
			if status, _ := s.json(method, "/v1/audit", "", "{}"); status < 400 {
				t.Errorf("%s /v1/audit: %d", method, status)
			}
		}
	})
}

func eventuallyIs(t *testing.T, read func() string, want string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := read()
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// Nothing in the contract takes an entry of the audit in, and one call gives them out.
func TestAuditIsOnlyRead(t *testing.T) {
	entry := (&pb.AuditEntry{}).ProtoReflect().Descriptor().FullName()
	var holds func(message protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool
	holds = func(message protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool {
		if message.FullName() == entry {
			return true
		}
		if seen[message.FullName()] {
			return false
		}
		seen[message.FullName()] = true
		for i := range message.Fields().Len() {
			if inner := message.Fields().Get(i).Message(); inner != nil && holds(inner, seen) {
				return true
			}
		}
		return false
	}
	var gives []string
	for _, file := range []protoreflect.FileDescriptor{
		pb.File_hailong_v1_operations_proto, pb.File_hailong_v1_rating_proto, pb.File_hailong_v1_identity_proto, pb.File_hailong_v1_device_proto,
		pb.File_hailong_v1_directory_proto, pb.File_hailong_v1_analytics_proto, pb.File_hailong_v1_citizen_proto, pb.File_hailong_v1_desk_proto,
	} {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				method := methods.Get(j)
				if holds(method.Input(), map[protoreflect.FullName]bool{}) {
					t.Errorf("%s takes entries of the audit", method.FullName())
				}
				if holds(method.Output(), map[protoreflect.FullName]bool{}) {
					gives = append(gives, string(method.Name()))
				}
			}
		}
	}
	if fmt.Sprint(gives) != "[ListAudit]" {
		t.Errorf("entries are given out by %v", gives)
	}
}

func TestHealth(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		admin := s.admin()
		p := newProvince(admin, s)
		s.submit(admin, seal(t, freshRating(p.mine, 9)))
		s.submit(admin, seal(t, freshRating(p.mine, 4)))
		s.summary(admin, p.mine, 1)
		eventuallyIs(t, func() string {
			got, err := s.operations().GetHealth(admin, &pb.GetHealthRequest{})
			if err != nil {
				t.Fatal(err)
			}
			var parts []string
			for _, part := range got.GetParts() {
				parts = append(parts, fmt.Sprint(part.GetName(), " ", part.GetHealthy()))
				if part.GetDetail() == "" || strings.Contains(part.GetDetail(), "health.") || strings.Contains(part.GetDetail(), "{") {
					t.Errorf("%s has no words: %q", part.GetName(), part.GetDetail())
				}
			}
			return fmt.Sprint(strings.Join(parts, ", "), "; fresh ", got.GetFreshThrough() != nil, ", version ", got.GetVersion() != "", ", started ", got.GetStartedAt() != nil)
		}, "engine true, bus true, figures true, quarantine false, devices true, storage true; fresh true, version true, started true")
		_, err := s.operations().GetHealth(p.as("lãnh đạo", pb.Role_ROLE_LEADER, ""), &pb.GetHealthRequest{})
		wantRefused(t, err, codes.PermissionDenied, "action_denied")
	})
}

package operations_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

const mapping = `source: phieu
time: {column: time, formats: ["yyyy-MM-dd HH:mm:ss"]}
constants: {channel: paper, questionnaire: "kiosk@1", language: vi}
columns: {unit: unit}
overall: {column: score, labels: {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5}}
identity: {columns: [time, slip]}
`

// slips is a file of n good rows and two bad ones.
func slips(n int) string {
	var b strings.Builder
	b.WriteString("time,unit,score,slip\n")
	for i := range n {
		fmt.Fprintf(&b, "2026-03-%02d 09:00:00,TN-03,%d,%d\n", 1+i%28, 1+i%5, i)
	}
	b.WriteString("2026-03-01 09:00:00,TN-99,3,<b>x</b>\n2026-03-01 09:00:00,TN-03,9,y\n")
	return b.String()
}

// choose puts a file into a field, as a person who picks it does. content is an expression of JavaScript.
func choose(page *browser.Page, field, name, content string) {
	browser.Eval[int](page, fmt.Sprintf(`(() => { const files = new DataTransfer(); files.items.add(new File([%s], %s)); const field = document.querySelector(%s);
		field.files = files.files; field.dispatchEvent(new Event("change", {bubbles: true})); return field.files.length })()`, content, quoted(name), quoted(`[name="`+field+`"]`)))
}

func quoted(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

func operations(t *testing.T, p *webtest.Program, who webtest.Who) pb.OperationsServiceClient {
	return pb.NewOperationsServiceClient(p.Conn(t, who))
}

// refused sends ratings that go to quarantine and answers their ids there.
func refused(t *testing.T, p *webtest.Program, ratings ...*pb.Rating) []string {
	t.Helper()
	var items []*pb.SealedRating
	for _, r := range ratings {
		encoded, err := proto.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, &pb.SealedRating{Rating: encoded})
	}
	answer, err := pb.NewRatingServiceClient(p.Conn(t, webtest.Administrator)).SubmitRatings(t.Context(), &pb.SubmitRatingsRequest{Items: items})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, outcome := range answer.GetOutcomes() {
		if outcome.GetQuarantineId() == "" {
			t.Fatalf("not in quarantine: %v", outcome)
		}
		ids = append(ids, outcome.GetQuarantineId())
	}
	return ids
}

func slip(unit string, score int32) *pb.Rating {
	return &pb.Rating{
		Id: uuid.Must(uuid.NewV7()).String(), UnitId: unit, Channel: pb.Channel_CHANNEL_PAPER, QuestionnaireId: "kiosk",
		QuestionnaireVersion: 1, OverallScore: score, OccurredAt: timestamppb.Now(), Language: "vi", SlipNumber: `<script>alert("x")</script>`,
	}
}

func TestImport(t *testing.T) {
	var later atomic.Int64 // how far the clock is ahead
	p := webtest.Start(t, webtest.Change(func(c *server.Config) {
		c.Clock = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	}))
	page := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, page, webtest.Administrator)
	form := `form:has([name="ratings_file"]) `
	checked := "" // address of a job that only checked a file

	t.Run("checked beside the form, which keeps its file", func(t *testing.T) {
		page := page.In(t)
		page.Go(p.HTTP + "/admin/imports")
		choose(page, "ratings_file", "phiếu tháng 3.csv", quoted(slips(700)))
		page.Fill(`[name="mapping"]`, mapping)
		page.Click(form + `[formaction]`)
		page.WaitText("#checked .badge", "Đã xong")
		report := page.Text("#checked")
		for _, want := range []string{"Chỉ kiểm tra, chưa ghi gì.", "Đọc 702 dòng, hiểu được 700. Đã ghi: 0", "Dòng 702, cột unit, “TN-99”", "Dòng 703, cột score, “9”"} {
			if !strings.Contains(report, want) {
				t.Errorf("no %q in\n%s", want, report)
			}
		}
		page.CheckConsole()
		page.Submit(form + `[type="submit"]:not([formaction])`)
		page.WaitText("#job .badge", "Đã xong")
		if report := page.Text("#job"); !strings.Contains(report, "Đã ghi: 700") {
			t.Errorf("the file was not kept: %s", report)
		}
		p.Figures(t, p.Quiet, 1+700)
		if page.Visible(`form[action$="/cancel"]`) {
			t.Error("a job that has ended can be stopped")
		}
		page.CheckConsole()
	})
	t.Run("what is wrong is told and what was typed is kept", func(t *testing.T) {
		page := page.In(t)
		page.Go(p.HTTP + "/admin/imports")
		browser.Eval[bool](page, `(() => { for (const f of document.forms) f.noValidate = true; return true })()`)
		page.Fill(`[name="mapping"]`, "tine: {}\n<b>")
		if status := page.Submit(form + `[type="submit"]:not([formaction])`); status != http.StatusUnprocessableEntity {
			t.Errorf("status %d", status)
		}
		if page.Value(`[name="mapping"]`) != "tine: {}\n<b>" || page.Text("#ratings_file-error") == "" || page.Text(".problem") == "" {
			t.Errorf("not told or not kept:\n%s", page.Text("main"))
		}
		browser.Eval[bool](page, `(() => { for (const f of document.forms) f.noValidate = true; return true })()`)
		page.Fill(`[name="mapping"]`, "tine: {}")
		choose(page, "ratings_file", "a.csv", quoted(slips(1)))
		page.Submit(form + `[type="submit"]:not([formaction])`)
		if words := page.Text(".problem"); !strings.Contains(words, "tine") {
			t.Errorf("the mapping: %q", words)
		}
		choose(page, "units_file", "lớn.csv", `"x".repeat(15000001)`)
		page.Submit(`form:has([name="units_file"]) [type="submit"]:not([formaction])`)
		if words := page.Text("#units_file-error"); !strings.Contains(words, "hailong-server import") {
			t.Errorf("15 MB and one byte: %q", words)
		}
	})
	t.Run("sent after the session ended", func(t *testing.T) {
		page := browser.Open(t).Page(t, browser.Options{NoScript: true})
		p.GiveSession(t, page, webtest.Administrator)
		page.Go(p.HTTP + "/admin/imports")
		choose(page, "ratings_file", "a.csv", quoted(slips(50_000)))
		page.Fill(`[name="mapping"]`, mapping+"# <b>\"chữ\"</b>")
		for _, c := range page.Cookies() {
			if c.Name == "hailong_session" {
				other := p.Visitor(t, "")
				other.SetCookie(c.Name, c.Value)
				other.Post("/sign-out", nil)
			}
		}
		if status := page.Submit(form + `[type="submit"]:not([formaction])`); status != http.StatusUnauthorized {
			t.Errorf("answered %d", status)
		}
		if words := page.Text("main"); !strings.Contains(words, "xin chọn lại tệp") {
			t.Errorf("the sign-in says %q", words)
		}
		page.Screenshot("sign-in-file-left")
		page.CheckAccessible()
		page.Fill("#name", string(webtest.Administrator))
		page.Fill("#password", "nhầm mất rồi")
		page.Submit("main button")
		page.Fill("#password", webtest.Password)
		page.Submit("main button")
		if words := page.Text("main"); !strings.Contains(words, "xin chọn lại tệp") {
			t.Errorf("before it is sent: %q", words)
		}
		if status := page.Submit("text=Gửi ngay"); status != http.StatusUnprocessableEntity || page.Value(`[name="mapping"]`) != mapping+"# <b>\"chữ\"</b>" || !page.Visible("#ratings_file-error") {
			t.Errorf("then %d\n%s", status, page.Text("main"))
		}
		page.Screenshot("imports-file-left")
		choose(page, "ratings_file", "a.csv", quoted(slips(3)))
		page.Submit(form + `[formaction]`)
		// Without JavaScript the page is loaded again until the check is done, then the file is stored without being sent a second time.
		until := func(selector string) {
			for deadline := time.Now().Add(20 * time.Second); !page.Exists(selector) && time.Now().Before(deadline); {
				page.Go(page.URL())
			}
		}
		until(`form[action$="/load"]`)
		checked = strings.TrimPrefix(page.URL(), p.HTTP)
		page.Screenshot("job-checked-without-javascript")
		page.CheckAccessible()
		page.Submit(`form[action$="/load"] button`)
		until("[data-ended]")
		if report := page.Text("#job"); !strings.Contains(report, "Đã ghi: 0, đã có từ trước: 3") || strings.Contains(report, "Chỉ kiểm tra") || page.Exists(`form[action$="/load"]`) {
			t.Errorf("the checked file, stored: %s", report)
		}
	})
	t.Run("units", func(t *testing.T) {
		page := page.In(t)
		page.Go(p.HTTP + "/admin/imports")
		choose(page, "units_file", "don-vi.csv", quoted("code,level,name,full_name,name_en,parent_code\n91,province,Mới,Tỉnh Mới,New,\n"))
		page.Submit(`form:has([name="units_file"]) [type="submit"]:not([formaction])`)
		page.WaitText("#job .badge", "Đã xong")
		if report := page.Text("#job"); !strings.Contains(report, "1 đơn vị mới") {
			t.Errorf("%s", report)
		}
	})
	t.Run("moves by itself and is stopped", func(t *testing.T) {
		page := page.In(t)
		page.Go(p.HTTP + "/admin/imports")
		choose(page, "ratings_file", "dài.csv", quoted(slips(200_000)))
		page.Fill(`[name="mapping"]`, mapping)
		page.Submit(form + `[type="submit"]:not([formaction])`)
		page.Until(`document.querySelector("#bar") && document.querySelector("#bar").value > 0`)
		first := browser.Eval[float64](page, `document.querySelector("#bar").value`)
		page.Until(fmt.Sprintf(`document.querySelector("#bar") && document.querySelector("#bar").value > %g`, first))
		page.Screenshot("import-running")
		page.CheckAccessible()
		p.Restart(t) // the page sees the server stop, come back and go on with the import
		page.Until(fmt.Sprintf(`document.querySelector("#bar") && document.querySelector("#bar").value > %g`, max(first, 0.2)))
		page.ForgetConsole()
		page.Submit(`form[action$="/cancel"] button`)
		page.WaitText("#job .badge", "Đã dừng")
	})
	p.Look(t, webtest.View{Who: webtest.Administrator, Path: "/admin/imports", Name: "imports"})
	jobs, err := operations(t, p, webtest.Administrator).ListJobs(t.Context(), &pb.ListJobsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	p.Look(t, webtest.View{Who: webtest.Administrator, Path: "/admin/jobs/" + jobs.GetJobs()[len(jobs.GetJobs())-1].GetId(), Name: "job"})
	p.Look(t, webtest.View{Who: webtest.Administrator, Path: "/admin/jobs", Name: "jobs"})
	t.Run("a checked file is kept for a day", func(t *testing.T) {
		later.Store(int64(23 * time.Hour))
		v := p.Visitor(t, webtest.Administrator)
		if page := v.Get(checked); !strings.Contains(page.Body, "Ghi tệp đã kiểm tra") {
			t.Errorf("after 23 hours: %d %s", page.Status, page.Body)
		}
		later.Store(int64(25 * time.Hour))
		v = p.Visitor(t, webtest.Administrator)
		if page := v.Get(checked); strings.Contains(page.Body, "Ghi tệp đã kiểm tra") || !strings.Contains(page.Body, "chỉ được giữ một ngày, nay không còn") {
			t.Errorf("after a day: %d %s", page.Status, page.Body)
		}
		if page := v.Post(checked+"/load", nil); page.Status != http.StatusUnprocessableEntity || !strings.Contains(page.Body, "nay không còn. Xin chọn lại tệp") {
			t.Errorf("stored after a day: %d %s", page.Status, page.Body)
		}
	})
}

func TestReconcilePage(t *testing.T) {
	p := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, page, webtest.Administrator)
	page.Go(p.HTTP + "/admin/jobs")
	page.Fill(`[name="from_month"]`, "2026-99")
	if status := page.Submit(`form:has([name="from_month"]) button`); status != http.StatusUnprocessableEntity || page.Value(`[name="from_month"]`) != "2026-99" {
		t.Errorf("a month that is none: %d, kept %q", status, page.Value(`[name="from_month"]`))
	}
	page.Fill(`[name="from_month"]`, "")
	page.Submit(`form:has([name="from_month"]) button`)
	page.WaitText("#job .badge", "Đã xong")
	if report := page.Text("#job"); !strings.Contains(report, "khớp với phiếu gốc") {
		t.Error(report)
	}
}

func TestQuarantine(t *testing.T) {
	p := webtest.Start(t)
	page := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, page, webtest.Administrator)
	page.Go(p.HTTP + "/admin/quarantine")
	if !page.Exists(".empty") {
		t.Errorf("at first: %s", page.Text("main"))
	}
	missing := slip(p.Ward, 4)
	missing.CounterId = "quầy <b>chưa</b> có"
	ids := refused(t, p, slip(p.Ward, 9), slip(p.Commune, 8), missing, slip(p.Ward, 7))
	box := func(id string) string { return `[name="id"][value="` + id + `"]` }

	page.Go(p.HTTP + "/admin/quarantine")
	if page.Count(`[name="id"]`) != 4 || !strings.Contains(page.Text("main"), "Phường Sông Xanh") {
		t.Fatalf("listed: %s", page.Text("main"))
	}
	if status := page.Submit(`[value="release"]`); status != http.StatusUnprocessableEntity || !page.Exists(".problem") {
		t.Errorf("nothing chosen: %d", status)
	}
	page.Click(box(ids[0]))
	page.Click(box(ids[1]))
	if status := page.Submit(`[value="discard"]`); status != http.StatusUnprocessableEntity || page.Text("#reason-error") == "" || !page.Checked(box(ids[0])) || page.Checked(box(ids[2])) {
		t.Errorf("without a reason: %d %s", status, page.Text("main"))
	}
	page.Fill(`[name="reason"]`, "Máy thử & <i>gõ nhầm</i>")
	page.Submit(`[value="discard"]`)
	if said := page.Text(".said"); !strings.Contains(said, "Đã loại bỏ 2 phiếu") || page.Count(`[name="id"]`) != 2 {
		t.Errorf("discarded: %q", said)
	}
	page.Follow(`a[href="/admin/quarantine/` + ids[3] + `"]`)
	if words := page.Text("main"); !strings.Contains(words, "7") || !strings.Contains(words, "<script>") {
		t.Errorf("one item: %s", words)
	}
	page.Submit(`[value="release"]`)
	if said := page.Text(".said"); !strings.Contains(said, "Đã nhận lại 0 phiếu") || !strings.Contains(said, "overall_score") || !strings.HasSuffix(page.URL(), ids[3]) {
		t.Errorf("what cannot be released: %q", said)
	}
	page.Go(p.HTTP + "/admin/quarantine?all=1")
	if words := page.Text("main"); !strings.Contains(words, "Máy thử & <i>gõ nhầm</i>") || page.Count(`[name="id"]`) != 2 {
		t.Errorf("settled too: %s", words)
	}
	page.CheckConsole()
	p.Look(t, webtest.View{Who: webtest.Administrator, Path: "/admin/quarantine?all=1", Name: "quarantine"})
	p.Look(t, webtest.View{Who: webtest.Administrator, Path: "/admin/quarantine/" + ids[2], Name: "quarantined"})

	other := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, other, webtest.CommuneAdministrator)
	if status := other.Go(p.HTTP + "/admin/quarantine/" + ids[2]); status != http.StatusNotFound {
		t.Errorf("an item of a unit outside the scope: %d", status)
	}
	for _, path := range []string{"/admin/imports", "/admin/jobs"} {
		if status := other.Go(p.HTTP + path); status != http.StatusNotFound {
			t.Errorf("%s for an administrator of a commune: %d", path, status)
		}
	}
}

func TestHealthPage(t *testing.T) {
	p := webtest.Shared(t)
	p.Look(t, webtest.View{Who: webtest.Administrator, Path: "/admin/health", Name: "health", Then: func(page *browser.Page) {
		if parts := page.Count("tbody tr"); parts != 6 {
			t.Errorf("%d parts: %s", parts, page.Text("main"))
		}
	}})
}

func TestAuditPage(t *testing.T) {
	p := webtest.Start(t)
	page := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, page, webtest.Administrator)
	leader := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, leader, webtest.CommuneLeader)
	if status := leader.Go(p.HTTP + "/units/" + p.Ward); status != http.StatusNotFound {
		t.Errorf("a unit outside the subtree: %d", status)
	}
	for _, path := range []string{"/admin/audit", "/admin/audit.csv", "/admin/health", "/admin/quarantine", "/admin/imports", "/admin/jobs"} {
		if status := leader.Go(p.HTTP + path); status != http.StatusNotFound {
			t.Errorf("%s for a leader: %d", path, status)
		}
	}
	seen := func() bool {
		page.Go(p.HTTP + "/admin/audit")
		return slices.ContainsFunc(page.Texts("tbody tr"), func(row string) bool {
			return strings.Contains(row, string(webtest.CommuneLeader)) && strings.Contains(row, "Phường Sông Xanh") && strings.Contains(row, "ngoài phạm vi")
		})
	}
	// What was done is told by names that people know, with the id behind it.
	client := operations(t, p, webtest.Administrator)
	started, err := client.StartReconcile(t.Context(), &pb.StartReconcileRequest{FromMonth: "2026-01", ToMonth: "2026-02"})
	if err != nil {
		t.Fatal(err)
	}
	gone := slip(p.Ward, 9)
	waiting := refused(t, p, gone)[0]
	if _, err := client.DiscardQuarantined(t.Context(), &pb.DiscardQuarantinedRequest{QuarantineId: waiting, Reason: "thử"}); err != nil {
		t.Fatal(err)
	}
	for action, want := range map[string][]string{
		"CreateUnit": {"Xã Đồi Nắng", p.Commune}, "CreateCounter": {"Quầy", p.WardCounters[0]}, "CreateOfficial": {p.WardOfficials[0]}, "CreateDevice": {p.Device},
		"CreateAccount": {string(webtest.CommuneLeader)}, "StartReconcile": {"2026-01 – 2026-02", started.GetId()}, "DiscardQuarantined": {waiting},
	} {
		page.Go(p.HTTP + "/admin/audit?action=" + action)
		rows := strings.Join(page.Texts("tbody tr"), "\n")
		for _, words := range want {
			if !strings.Contains(rows, words) {
				t.Errorf("%s: no %q in\n%s", action, words, rows)
			}
		}
		if links, names := page.Count("tbody td a"), page.Count("tbody tr"); links != names {
			t.Errorf("%s: %d of %d subjects are named and can be opened\n%s", action, links, names, rows)
		}
	}
	if status := page.Go(p.HTTP + page.Attribute("tbody td a", "href")); status != http.StatusOK {
		t.Errorf("a subject opens %d", status)
	}
	page.Go(p.HTTP + "/admin/audit")
	if crumbs := page.Attribute(".crumbs a", "href"); crumbs != "/admin" {
		t.Errorf("the way back leads to %q", crumbs)
	}
	// An administrator of a part sees names of it, and asking for them is no try to look elsewhere.
	commune := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, commune, webtest.CommuneAdministrator)
	if status := commune.Go(p.HTTP + "/admin/audit"); status != http.StatusOK || strings.Contains(commune.Text("main"), "Phường Sông Xanh") {
		t.Errorf("a commune's administrator: %d\n%s", status, commune.Text("main"))
	}
	for deadline := time.Now().Add(20 * time.Second); !seen(); {
		if time.Now().After(deadline) {
			t.Fatalf("the leader's try is not in the audit:\n%s", page.Text("tbody"))
		}
	}
	page.Fill("#action", "CreateUnit")
	page.Submit(`form.filters button`)
	rows := page.Texts("tbody tr")
	if len(rows) != 7 || slices.ContainsFunc(rows, func(row string) bool { return !strings.Contains(row, "Thêm đơn vị") }) {
		t.Errorf("units made: %q", rows)
	}
	text := browser.Eval[string](page, `(() => { const r = new XMLHttpRequest(); r.open("GET", document.querySelector("a[download]").href, false); r.send(); return r.responseText })()`)
	if lines := strings.Split(strings.TrimSpace(text), "\n"); len(lines) != 8 || !strings.Contains(lines[0], "Tài khoản") || !strings.Contains(lines[1], "Thêm đơn vị") {
		t.Errorf("CSV:\n%s", text)
	}
	page.CheckConsole()
	p.Look(t, webtest.View{Who: webtest.Administrator, Path: "/admin/audit", Name: "audit"})
}

// Every call that is audited has words, in both languages.
func TestActionsHaveWords(t *testing.T) {
	protoregistry.GlobalFiles.RangeFilesByPackage("hailong.v1", func(file protoreflect.FileDescriptor) bool {
		if file.Path() == "hailong/v1/device_service.proto" { // devices are no accounts
			return true
		}
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				name := string(methods.Get(j).Name())
				switch {
				case slices.Contains([]string{"CreateRating", "SubmitRatings", "StreamRatings", "EnterSlip", "MarkNoticesRead", "SaveDraft", "KeepCaseOpen", "SaveCall"}, name):
					continue // their own record, or only what keeps a page
				case slices.Contains([]string{"FollowCase", "FollowRating", "GiveVerdict"}, name): // nobody is signed in
					continue
				case name != "ListRatings" && name != "GetCase" && regexp.MustCompile("^(Get|List|Watch|Rank|Compare)").MatchString(name):
					continue
				}
				for _, in := range language.All {
					if key := "operationspage.action." + name; in.Text(key) == key {
						t.Errorf("%s has no words in %s", name, in)
					}
				}
			}
		}
		return true
	})
}

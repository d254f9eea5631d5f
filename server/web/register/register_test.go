package register_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

// later is a clock that a test moves.
type later struct {
	mu sync.Mutex
	by time.Duration
}

func (l *later) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Add(l.by)
}

func (l *later) pass(by time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.by += by
}

// opened opens a case that the new commune receives, whose register holds nothing else.
func opened(t *testing.T, p *webtest.Program, title string) *pb.Case {
	t.Helper()
	made, err := pb.NewCaseServiceClient(p.Conn(t, webtest.Leader)).OpenCase(t.Context(), &pb.OpenCaseRequest{
		CaseId: uuid.Must(uuid.NewV7()).String(), ReceivingUnitId: p.Empty, AboutUnitId: p.Empty, Source: "letter", Title: title, Words: "Nói ba lần vẫn bảo chờ.",
		Contact: &pb.CaseContact{Name: "Bác Minh Hoạ", Phone: "0912 345 678", Address: "Xóm Đồi"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// says checks an answer's status and that its page says some words and not others ("!" before them).
func says(t *testing.T, answer webtest.Answer, status int, words ...string) {
	t.Helper()
	if answer.Status != status {
		t.Errorf("answered %d to %s, want %d", answer.Status, answer.Location(), status)
	}
	for _, want := range words {
		absent := strings.HasPrefix(want, "!")
		if strings.Contains(answer.Body, strings.TrimPrefix(want, "!")) == absent {
			t.Errorf("the page should say %q:\n%s", want, answer.Body)
		}
	}
}

// TestAYearOfARegister goes through it as people do, until it is sealed.
func TestAYearOfARegister(t *testing.T) {
	clock := &later{}
	p := webtest.Start(t, webtest.Change(func(c *server.Config) { c.Clock = clock.Now }))
	for _, title := range []string{"Chờ lâu <script>alert(1)</script>", "=HYPERLINK(1)", "Thái độ"} {
		opened(t, p, title)
	}
	today, _ := localday.Of(clock.Now())
	year := strconv.Itoa(today.Year())
	address := "/register?unit=" + p.Empty + "&year=" + year
	of := "?unit=" + p.Empty + "&year=" + year
	leader := p.Visitor(t, webtest.Leader)

	t.Run("what lacks a result is on top, nobody is named", func(t *testing.T) {
		says(t, leader.Get(address), http.StatusOK, "Chưa cập nhật kết quả: 3", "Chờ lâu &lt;script&gt;", "(đã ghi)", "!Minh Hoạ", "!Khoá sổ<")
		says(t, leader.Get("/register/missing"+of), http.StatusOK, "Thái độ", "0 ngày")
	})
	t.Run("numbers and days can be gone to", func(t *testing.T) {
		says(t, leader.Get(address+"&from=3"), http.StatusOK, "Thái độ", "!HYPERLINK")
		says(t, leader.Get(address+"&from=4"), http.StatusUnprocessableEntity, "số cuối cùng là 3", `value="4"`)
		says(t, leader.Get(address+"&as_of="+string(today.Add(-1))), http.StatusOK, "!Thái độ")
		says(t, leader.Get(address+"&as_of=31/31/2026"), http.StatusUnprocessableEntity, "31/31/2026")
		says(t, leader.Get("/register?q=moi+lap"), http.StatusOK, "Xã Mới Lập")
		says(t, leader.Get("/register/print"+of), http.StatusOK, "SỔ TIẾP NHẬN", "NGƯỜI GIỮ SỔ", "Thụ lý")
	})
	t.Run("others see only their own", func(t *testing.T) {
		says(t, p.Visitor(t, webtest.CommuneLeader).Get(address), http.StatusNotFound, "!Thái độ")
		says(t, p.Visitor(t, webtest.Official).Get(address), http.StatusNotFound)
		says(t, p.Visitor(t, webtest.CommuneLeader).Get("/register"), http.StatusOK, "Xã Đồi Nắng")
	})
	t.Run("as files", func(t *testing.T) {
		sheet := leader.Get("/register/file" + of + "&format=xlsx")
		file, err := excelize.OpenReader(bytes.NewReader([]byte(sheet.Body)))
		if err != nil || !strings.Contains(sheet.Header.Get("Content-Disposition"), "so-tiep-nhan-"+year+".xlsx") {
			t.Fatalf("%v %v", err, sheet.Header)
		}
		defer func() { _ = file.Close() }()
		if cell, err := file.GetCellValue(year, "E8"); err != nil || cell != "=HYPERLINK(1)" {
			t.Errorf("%q %v", cell, err)
		}
		says(t, leader.Get("/register/file"+of+"&format=csv"), http.StatusOK, "'=HYPERLINK(1)", "!Minh Hoạ")
	})
	t.Run("names only for a reason, which is kept", func(t *testing.T) {
		form := url.Values{"unit": {p.Empty}, "year": {year}}
		says(t, leader.Post("/register/persons", form), http.StatusUnprocessableEntity, "Xin ghi lý do", "!Minh Hoạ")
		form.Set("reason", "Mời dân họp trả lời chung")
		answer := leader.Post("/register/persons", form)
		says(t, answer, http.StatusOK, "Bác Minh Hoạ, Xóm Đồi, 0912 345 678")
		if answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("names may be kept by the browser: %v", answer.Header)
		}
		form.Set("format", "csv")
		says(t, leader.Post("/register/file", form), http.StatusOK, "Bác Minh Hoạ")
		entries, err := pb.NewOperationsServiceClient(p.Conn(t, webtest.Administrator)).ListAudit(t.Context(), &pb.ListAuditRequest{})
		if err != nil {
			t.Fatal(err)
		}
		told := map[string]bool{}
		for _, e := range entries.GetEntries() {
			if e.GetReason() == "Mời dân họp trả lời chung" && e.GetSubject() == p.Empty+"/"+year {
				told[e.GetAction()] = true
			}
		}
		if !told["RevealRegister"] || !told["ExportRegister"] {
			t.Errorf("the audit tells %v", told)
		}
	})
	t.Run("while the year runs it is not sealed", func(t *testing.T) {
		says(t, leader.Post("/register/seal", url.Values{"unit": {p.Empty}, "year": {year}}), http.StatusUnprocessableEntity, "chưa kết thúc")
	})
	clock.pass(366 * 24 * time.Hour)
	leader = p.Visitor(t, webtest.Leader)
	t.Run("then it is, for ever", func(t *testing.T) {
		says(t, leader.Get(address), http.StatusOK, "Khoá sổ<")
		says(t, leader.Get("/register/seal"+of), http.StatusOK, "không bao giờ đổi", "Còn 3 vụ việc")
		if got := leader.Post("/register/seal", url.Values{"unit": {p.Empty}, "year": {year}}); got.Status != http.StatusSeeOther {
			says(t, got, http.StatusSeeOther)
		}
		says(t, leader.Get(address), http.StatusOK, "Sổ đã khoá.", "!Khoá sổ<", "Chờ lâu")
		says(t, leader.Get("/register/check"+of), http.StatusOK, "Sổ nguyên vẹn.", "Đã đọc 3 dòng")
		says(t, leader.Get(address+"&annex=1"), http.StatusOK, "sau khi khoá")
		says(t, leader.Get("/register/print"+of), http.StatusOK, "Mã niêm phong SHA-256")
		if got := leader.Get("/register/seal" + of).Location(); !strings.HasPrefix(got, "/register?") {
			t.Errorf("a sealed register is to be sealed again: %q", got)
		}
		says(t, p.Visitor(t, webtest.Operator).Post("/register/seal", url.Values{"unit": {p.Empty}, "year": {year}}), http.StatusNotFound)
	})
}

func TestLook(t *testing.T) {
	p := webtest.Shared(t)
	opened(t, p, "Chờ hai tiếng không được giải thích vì sao hồ sơ đất đai chưa có kết quả")
	opened(t, p, "Thái độ ở quầy số hai")
	of := "?unit=" + p.Empty
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/register" + of, Name: "register"})
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/register/print" + of, Name: "register-print"})
	page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
	p.GiveSession(t, page, webtest.Leader)
	for _, path := range []string{"/register/persons", "/register/check", "/register/missing", "/register/seal"} {
		if status := page.Go(p.HTTP + path + of); status != http.StatusOK {
			t.Errorf("%s was answered %d", path, status)
		}
		page.NoHorizontalScroll()
		page.CheckAccessible()
		page.CheckConsole()
	}
}

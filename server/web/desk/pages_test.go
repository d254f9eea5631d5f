package desk_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// enter types a slip through the contract.
func enter(t *testing.T, program *webtest.Program, who webtest.Who, address, number string, score int32, change ...func(*pb.EnterSlipRequest)) {
	t.Helper()
	asked := &pb.EnterSlipRequest{BatchId: address[strings.LastIndex(address, "/")+1:], Number: number, OverallScore: score}
	for _, c := range change {
		c(asked)
	}
	answer, err := pb.NewDeskServiceClient(program.Conn(t, who)).EnterSlip(t.Context(), asked)
	if err != nil || answer.GetOutcome().GetOutcome() != pb.Outcome_OUTCOME_STORED {
		t.Fatalf("slip %s: %v %v", number, answer, err)
	}
}

func TestDesk(t *testing.T) {
	program := webtest.Shared(t) // each test has batches and numbers of its own
	for name, test := range map[string]func(*testing.T, *webtest.Program){
		"for everybody":                       testForEverybody,
		"without JavaScript":                  testWithoutScript,
		"session ends while typing":           testSessionEnds,
		"corrected by somebody meanwhile":     testCorrectedMeanwhile,
		"a correction keeps the comment":      testKeepsComment,
		"the number counts up":                testNumber,
		"a wrong number":                      testWrongNumber,
		"closing":                             testClosing,
		"who may not":                         testWhoMayNot,
		"markup and odd numbers":              testMarkup,
		"on paper":                            testOnPaper,
		"telephone":                           testTelephone,
		"telephone, sent twice":               testTelephoneTwice,
		"telephone without JavaScript":        testTelephoneWithoutScript,
		"telephone, one unit":                 testTelephoneOneUnit,
		"a key taken back, another gone back": testKeys,
	} {
		t.Run(name, func(t *testing.T) { test(t, program) })
	}
}

func testForEverybody(t *testing.T, program *webtest.Program) {
	long := pile(t, program, webtest.Operator, "sipas", 40)
	for n := range 23 {
		enter(t, program, webtest.Operator, long, fmt.Sprint("E", n), int32(n%6)) //nolint:gosec // 0 to 5
	}
	three := pile(t, program, webtest.Operator, "kiosk3", 0)
	k := open(t, program, webtest.Operator, browser.Options{})
	for name, path := range map[string]string{
		"desk": "/desk", "new": "/desk/new?q=", "new-unit": "/desk/new?unit=" + program.CommuneOffice,
		"batch": strings.TrimPrefix(long, program.HTTP), "three": strings.TrimPrefix(three, program.HTTP),
		"correct": strings.TrimPrefix(long, program.HTTP) + "?correct=E22", "renumber": strings.TrimPrefix(long, program.HTTP) + "/number?slip=E22",
		"search": "/desk/phone?q=" + url.QueryEscape("phuong"), "nothing": "/desk/phone?q=zzz", "phone": "/desk/phone?unit=" + program.WardOffice,
	} {
		mark := "?"
		if strings.Contains(path, "?") {
			mark = "&"
		}
		// axe-core takes most of the time: each language is held to its rules once, in the light and in the dark.
		for _, language := range []string{"vi", "en"} {
			k.Emulate(browser.Options{Dark: language == "en"})
			if status := k.Go(program.HTTP + path + mark + "lang=" + language); status != 200 {
				t.Errorf("%s: status %d", path, status)
			}
			if missing := missingWords(k.Text("body")); missing != "" {
				t.Errorf("%s in %s has no words for %s", path, language, missing)
			}
			for _, width := range []int{1280, 320} {
				k.Emulate(browser.Options{Width: width, Dark: language == "en"})
				k.NoHorizontalScroll()
				k.Screenshot(fmt.Sprintf("desk/%s-%s-%d", name, language, width))
			}
			k.CheckAccessible()
			k.CheckConsole()
		}
	}
	k.Emulate(browser.Options{Scale: 2})
	k.Go(long + "?lang=vi")
	k.NoHorizontalScroll()
	if weight := k.Weight().Total(); weight > 120<<10 {
		t.Errorf("a page of %d bytes", weight)
	}
}

// missingWords answers a key that stands where words should.
func missingWords(text string) string {
	for word := range strings.FieldsSeq(text) {
		if strings.HasPrefix(word, "deskpage.") || strings.HasPrefix(word, "web.") || strings.HasPrefix(word, "fault.") {
			return word
		}
	}
	return ""
}

func testWithoutScript(t *testing.T, program *webtest.Program) {
	address := pile(t, program, webtest.Operator, "kiosk", 0)
	k := open(t, program, webtest.Operator, browser.Options{NoScript: true})
	k.Go(address + "?after=N-1")
	k.Press("5", "Tab", "1", "3", "Shift+Tab") // the cursor stands in the first question
	if status := k.PressAndLoad("Enter"); status != 200 {
		t.Errorf("status %d", status)
	}
	k.WaitText(".said", "N-2")
	slip := batch(t, program, address).GetSlips()[0]
	if slip.GetOverallScore() != 5 || fmt.Sprint(slip.GetAnswers()[0].GetChoiceIds()) != "[attitude guidance]" {
		t.Errorf("slip %v", slip)
	}
	k.Press("8", "Tab", "2")
	if status := k.PressAndLoad("Enter"); status != 422 {
		t.Errorf("a key that is none: status %d", status)
	}
	k.WaitText("#q\\.overall-error", "8")
	if k.Value("#q\\.reasons") != "2" || k.Value("#number") != "N-3" {
		t.Errorf("what was typed is lost: %q %q", k.Value("#number"), k.Value("#q\\.reasons"))
	}
	k.CheckAccessible()
	k.Fill("#q\\.overall", " ")
	k.PressAndLoad("Enter")
	if slip := batch(t, program, address).GetSlips()[0]; slip.GetOverallScore() != 0 || slip.GetNumber() != "N-3" {
		t.Errorf("a space is no answer: %v", slip)
	}
	k.Follow("text=Nhập phiếu")
	k.WaitFor("table")
}

func testSessionEnds(t *testing.T, program *webtest.Program) {
	address := pile(t, program, webtest.Operator, "kiosk", 0)
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(address + "?after=S-1")
	k.Press("2", "2", "Enter")
	k.Type("Chờ rất lâu")
	k.ClearCookies()
	if status := k.PressAndLoad("Enter"); status != 401 {
		t.Errorf("status %d", status)
	}
	k.Fill("#name", string(webtest.Operator))
	k.Fill("#password", webtest.Password)
	k.PressAndLoad("Enter")
	k.Submit("main form [type=submit]")
	k.WaitText(".said", "S-2")
	slip := batch(t, program, address).GetSlips()[0]
	if slip.GetNumber() != "S-2" || slip.GetOverallScore() != 2 || !slip.GetHasComment() {
		t.Errorf("slip %v", slip)
	}
	k.CheckConsole()
}

func testCorrectedMeanwhile(t *testing.T, program *webtest.Program) {
	address := pile(t, program, webtest.Operator, "kiosk", 0)
	enter(t, program, webtest.Operator, address, "M-1", 5)
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(address)
	k.Follow("td a.touch")
	if k.Value("#q\\.overall") != "5" {
		t.Errorf("the slip's answer is %q", k.Value("#q\\.overall"))
	}
	enter(t, program, webtest.CommuneOperator, address, "M-1", 1, func(r *pb.EnterSlipRequest) { r.CorrectionReason = "gõ nhầm" })
	k.Press("4", "0", "Enter")
	k.Type("đọc nhầm")
	if status := k.PressAndLoad("Enter"); status != 409 {
		t.Errorf("status %d", status)
	}
	k.WaitText(".note", "vừa sửa")
	k.WaitText("[role=alert]", string(webtest.CommuneOperator))
	if k.Value("#correction_reason") != "đọc nhầm" {
		t.Errorf("the reason is lost: %q", k.Value("#correction_reason"))
	}
	if counts := fmt.Sprint(batch(t, program, address).GetBatch().GetCounts()); counts != "[0 1 0 0 0 0]" {
		t.Errorf("counts %s", counts)
	}
	k.PressAndLoad("Enter")
	if counts := fmt.Sprint(batch(t, program, address).GetBatch().GetCounts()); counts != "[0 0 0 0 1 0]" {
		t.Errorf("counts %s after both were seen", counts)
	}
	// The other ways out of the comparison.
	k.Fill("#number", "M-1")
	k.Fill("#q\\.overall", "3")
	k.Focus("#comment")
	k.PressAndLoad("Enter")
	k.Submit("text=Sửa số phiếu hoặc câu trả lời")
	if k.Value("#q\\.overall") != "3" || !strings.HasPrefix(k.Focused(), "input#number") {
		t.Errorf("back with %q at %s", k.Value("#q\\.overall"), k.Focused())
	}
	k.Fill("#number", "M-7")
	k.Focus("#comment")
	k.PressAndLoad("Enter")
	k.WaitText(".said", "M-7")
}

func testKeepsComment(t *testing.T, program *webtest.Program) {
	address := pile(t, program, webtest.Operator, "kiosk", 0)
	enter(t, program, webtest.Operator, address, "G-1", 5, func(r *pb.EnterSlipRequest) { r.Private = &pb.Private{Comment: "cán bộ rất tận tình"} })
	comment := func() string {
		t.Helper()
		id := batch(t, program, address).GetSlips()[0].GetRatingId()
		list, err := pb.NewRatingServiceClient(program.Conn(t, webtest.Leader)).ListRatings(t.Context(), &pb.ListRatingsRequest{UnitId: program.CommuneOffice})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list.GetRatings() {
			if r.GetId() == id {
				return r.GetComment()
			}
		}
		t.Fatalf("rating %s is not listed", id)
		return ""
	}
	k := open(t, program, webtest.Operator, browser.Options{})
	correct := func(score string, then func()) {
		t.Helper()
		k.Go(address + "?correct=G-1")
		k.Press(score, "0", "Enter") // the comment is gone past
		then()
		k.Fill("#correction_reason", "gõ nhầm mức "+score)
		if status := k.PressAndLoad("Enter"); status != 200 {
			t.Errorf("status %d", status)
		}
		k.WaitText(".said", "Đã lưu phiếu G-1")
	}
	correct("4", func() {
		k.WaitText("#comment-help", "giữ nguyên")
		k.CheckAccessible()
		k.Screenshot("desk/correct-with-comment")
	})
	if got := comment(); got != "cán bộ rất tận tình" {
		t.Errorf("the comment is %q", got)
	}
	correct("3", func() { k.Fill("#comment", "cán bộ tận tình") })
	if got := comment(); got != "cán bộ tận tình" {
		t.Errorf("the comment is %q", got)
	}
	// Somebody corrects it meanwhile: both are shown, and what was chosen for the comment stands.
	k.Go(address + "?correct=G-1")
	enter(t, program, webtest.CommuneOperator, address, "G-1", 1, func(r *pb.EnterSlipRequest) { r.CorrectionReason = "đọc lại" })
	k.Press("2", "0", "Enter")
	k.Fill("#correction_reason", "đọc nhầm")
	if status := k.PressAndLoad("Enter"); status != 409 {
		t.Errorf("status %d", status)
	}
	k.WaitText("table", "giữ ý kiến đã nhập")
	k.PressAndLoad("Enter")
	if got := comment(); got != "cán bộ tận tình" {
		t.Errorf("after both were seen the comment is %q", got)
	}
	correct("5", func() { k.Click(`[for="drop_comment"]`) })
	if got := comment(); got != "" || batch(t, program, address).GetSlips()[0].GetHasComment() {
		t.Errorf("a comment that was dropped is %q", got)
	}
	k.CheckConsole()
}

func testNumber(t *testing.T, program *webtest.Program) {
	address := pile(t, program, webtest.Operator, "kiosk", 0)
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(address)
	if label := k.Text(`label[for="number"]`); label != "Số phiếu" {
		t.Errorf("before the first slip the number is called %q", label)
	}
	k.WaitText(".slip-hint", "Gõ số in trên phiếu đầu tiên")
	k.Type("12")
	k.WaitText("#slip", "Phiếu số 12")
	k.Press("Enter", "4", "0")
	k.PressAndLoad("Enter")
	k.WaitText("#slip", "Phiếu số 13")
	k.WaitText(".slip-hint", "Phím gõ đầu tiên là câu trả lời của câu 1")
	if label := k.Text(`label[for="number"]`); label != "Số phiếu (tự tăng)" {
		t.Errorf("the number is called %q", label)
	}
	k.Screenshot("desk/next-slip")
	k.Emulate(browser.Options{Width: 320, Height: 640})
	k.Screenshot("desk/next-slip-phone")
	k.NoHorizontalScroll()
	k.CheckConsole()
}

func testWrongNumber(t *testing.T, program *webtest.Program) {
	address := pile(t, program, webtest.Operator, "kiosk", 0)
	for i, number := range []string{"20", "21", "32"} {
		enter(t, program, webtest.Operator, address, number, int32(i+2)) //nolint:gosec // 2 to 4
	}
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(address)
	k.Follow(`td a[href$="slip=32"]`) // of the slip just typed, with the keyboard from here on
	k.WaitText("dl", "4 Hài lòng")
	k.Type("21")
	k.Press("Enter")
	if status := k.PressAndLoad("Enter"); status != 409 {
		t.Errorf("a number that is taken: status %d", status)
	}
	k.WaitText("#number-error", "Số 21 đã có phiếu khác do "+string(webtest.Operator))
	if k.Value("#number") != "21" || k.Value("#correction_reason") != "Gõ nhầm số phiếu" || !strings.HasPrefix(k.Focused(), "input#number") {
		t.Errorf("%q, %q, at %s", k.Value("#number"), k.Value("#correction_reason"), k.Focused())
	}
	k.CheckAccessible()
	k.Screenshot("desk/renumber-taken")
	k.Fill("#number", "22")
	k.Press("Enter")
	if status := k.PressAndLoad("Enter"); status != 200 {
		t.Errorf("status %d", status)
	}
	k.WaitText(".said", "Đã đổi phiếu 32 thành phiếu 22")
	if k.Value("#number") != "23" {
		t.Errorf("typing goes on at %q", k.Value("#number"))
	}
	got := batch(t, program, address)
	if s := got.GetSlips()[0]; s.GetNumber() != "22" || s.GetOverallScore() != 4 || fmt.Sprint(got.GetBatch().GetCounts()) != "[0 0 1 1 1 0]" {
		t.Errorf("slips %v", got)
	}
	// Somebody else changes the slip or takes it away, while this one still looks at it; without JavaScript.
	k = open(t, program, webtest.CommuneOperator, browser.Options{NoScript: true})
	k.Go(address + "/number?slip=22")
	enter(t, program, webtest.Operator, address, "22", 1, func(r *pb.EnterSlipRequest) { r.CorrectionReason = "đọc lại" })
	k.Fill("#number", "24")
	if status := k.Submit("form.card [type=submit]"); status != 409 {
		t.Errorf("changed meanwhile: status %d", status)
	}
	k.WaitText(".note", "vừa sửa")
	k.WaitText("dl", "1 Rất không hài lòng")
	enter(t, program, webtest.Operator, address, "23", 1, func(r *pb.EnterSlipRequest) { r.CorrectsNumber, r.CorrectionReason = "22", "gõ nhầm" })
	if status := k.Submit("form.card [type=submit]"); status != 409 || !strings.Contains(k.Text("[role=alert]"), "chuyển sang số 23") {
		t.Errorf("moved meanwhile: status %d, %s", status, k.Text("main"))
	}
	k.CheckAccessible()
	// The page for corrections never types a slip anew under a number that is free again.
	k.Go(address + "?correct=21")
	for n := range 21 { // it is no longer among the last
		enter(t, program, webtest.Operator, address, fmt.Sprint(100+n), 5)
	}
	enter(t, program, webtest.Operator, address, "25", 3, func(r *pb.EnterSlipRequest) { r.CorrectsNumber, r.CorrectionReason = "21", "gõ nhầm" })
	k.Fill("#q\\.overall", "2")
	k.Fill("#correction_reason", "đọc nhầm")
	if status := k.Submit("form.card [type=submit]"); status != 422 || !strings.Contains(k.Text("[role=alert]"), "chuyển sang số 25") {
		t.Errorf("corrected after it moved: status %d, %s", status, k.Text("main"))
	}
	if n := batch(t, program, address).GetBatch().GetTyped(); n != 24 {
		t.Errorf("%d slips", n)
	}
	if status := k.Go(address + "/number"); status != 404 {
		t.Errorf("no slip: status %d", status)
	}
}

func testClosing(t *testing.T, program *webtest.Program) {
	address := pile(t, program, webtest.Operator, "kiosk", 2)
	enter(t, program, webtest.Operator, address, "C-1", 4)
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(address)
	if status := k.Submit("text=Đóng tập phiếu"); status != 422 {
		t.Errorf("status %d", status)
	}
	k.WaitText("#close-error", "lý do")
	k.CheckAccessible()
	k.Type("một phiếu trắng")
	k.PressAndLoad("Enter")
	k.WaitText(".note", "một phiếu trắng")
	if k.Exists("#number") {
		t.Error("a closed pile takes slips")
	}
	k.Screenshot("desk/closed")
	k.Follow("td a.touch") // what was wrong can still be put right
	k.Press("2", "0", "Enter")
	k.Type("gõ nhầm")
	k.PressAndLoad("Enter")
	if counts := fmt.Sprint(batch(t, program, address).GetBatch().GetCounts()); counts != "[0 0 1 0 0 0]" {
		t.Errorf("counts %s", counts)
	}
	k.CheckConsole()
}

func testWhoMayNot(t *testing.T, program *webtest.Program) {
	address := pile(t, program, webtest.Operator, "kiosk", 0)
	ward, err := pb.NewDeskServiceClient(program.Conn(t, webtest.Operator)).OpenBatch(t.Context(), &pb.OpenBatchRequest{UnitId: program.WardOffice, QuestionnaireId: "kiosk"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who    webtest.Who
		path   string
		status int
	}{
		{webtest.Leader, "/desk", 404}, {webtest.Official, strings.TrimPrefix(address, program.HTTP), 404},
		{webtest.CommuneOperator, strings.TrimPrefix(address, program.HTTP), 200}, {webtest.CommuneOperator, "/desk/batches/" + ward.GetId(), 404},
		{webtest.CommuneOperator, "/desk/phone?unit=" + program.WardOffice, 404}, {webtest.CommuneOperator, "/desk/new?unit=" + program.WardOffice, 404},
		{webtest.Operator, "/desk/batches/none", 404},
	} {
		k := open(t, program, c.who, browser.Options{})
		if status := k.Go(program.HTTP + c.path); status != c.status {
			t.Errorf("%s at %s: %d, want %d", c.who, c.path, status, c.status)
		}
	}
}

func testMarkup(t *testing.T, program *webtest.Program) {
	address := pile(t, program, webtest.Operator, "kiosk", 0)
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(address)
	k.Fill("#number", `<b>"1"&2</b>`)
	k.Fill("#comment", `<script>document.title="hỏng"</script>`)
	k.PressAndLoad("Enter")
	k.WaitText(".said", `<b>"1"&2</b>`)
	k.WaitText("th.number", `<b>"1"&2</b>`)
	k.Follow(`td a.touch`)
	if k.Value("#number") != `<b>"1"&2</b>` {
		t.Errorf("number %q", k.Value("#number"))
	}
	k.Go(address)
	k.Fill("#number", strings.Repeat("9", 64))
	k.Fill("#comment", strings.Repeat("ạ ", 5_000))
	if status := k.PressAndLoad("Enter"); status != 200 {
		t.Errorf("a long comment: status %d", status)
	}
	k.CheckConsole()
}

func testOnPaper(t *testing.T, program *webtest.Program) {
	address := pile(t, program, webtest.Operator, "kiosk", 9)
	for n := range 7 {
		enter(t, program, webtest.Operator, address, fmt.Sprint("P", n), 5)
	}
	k := open(t, program, webtest.Operator, browser.Options{Print: true})
	k.Go(address)
	for _, gone := range []string{"#number", "#last", "#close", "header.top", "[data-print] button"} {
		if k.Visible(gone) {
			t.Errorf("%s is printed", gone)
		}
	}
	k.WaitText(".signatures", "Người kiểm")
	k.WaitText(".tally", "5 Rất hài lòng")
	if k.Count(".strokes") != 2 {
		t.Errorf("seven are drawn in %d groups", k.Count(".strokes"))
	}
	k.Screenshot("desk/print")
}

func testKeys(t *testing.T, program *webtest.Program) {
	address := pile(t, program, webtest.Operator, "kiosk", 0)
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(address + "?after=K-1")
	k.Press("5", "1", "2", "1") // taken back
	if k.Value("#q\\.reasons") != "2" {
		t.Errorf("reasons %q", k.Value("#q\\.reasons"))
	}
	k.Press("Backspace", "Backspace") // empty, then back to the first question
	if !strings.HasPrefix(k.Focused(), "input#q.overall") {
		t.Errorf("gone back to %s", k.Focused())
	}
	k.Press("3", "Space", "Enter")
	k.WaitText(".said", "K-2")
	if slip := batch(t, program, address).GetSlips()[0]; slip.GetOverallScore() != 3 || len(slip.GetAnswers()) != 0 {
		t.Errorf("slip %v", slip)
	}
	k.CheckConsole()
}

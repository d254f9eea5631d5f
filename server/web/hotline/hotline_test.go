package hotline_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

func open(t *testing.T, program *webtest.Program, who webtest.Who) *browser.Page {
	t.Helper()
	page := browser.Open(t).Page(t, browser.Options{})
	program.GiveSession(t, page, who)
	return page
}

// begin opens an empty call.
func begin(page *browser.Page, program *webtest.Program) {
	page.Go(program.HTTP + "/hotline")
	page.WaitFor("[data-hotline=ready]") // people type later than machines
}

func calls(t *testing.T, program *webtest.Program, who webtest.Who) pb.CallServiceClient {
	t.Helper()
	return pb.NewCallServiceClient(program.Conn(t, who))
}

const saved = `#saved[data-state="saved"]`

// callID is the id of the call that a page shows.
func callID(page *browser.Page) string {
	action := page.Attribute("form[data-call]", "data-call")
	return action[strings.LastIndex(action, "/")+1:]
}

func get(t *testing.T, program *webtest.Program, id string) *pb.Call {
	t.Helper()
	call, err := calls(t, program, webtest.Operator).GetCall(t.Context(), &pb.GetCallRequest{CallId: id})
	if err != nil {
		t.Fatal(err)
	}
	return call
}

var aCode = regexp.MustCompile(`^\d{4} \d{4} \d{4}$`)

// A whole call with the keyboard alone: nothing but what is said is pressed, nothing is waited for, and it is saved meanwhile.
func TestCall(t *testing.T) {
	program := webtest.Start(t)
	if _, err := calls(t, program, webtest.Operator).SetSnippet(t.Context(), &pb.SetSnippetRequest{Key: "cho", Text: "Người dân chờ quá lâu."}); err != nil {
		t.Fatal(err)
	}
	k := open(t, program, webtest.Operator)
	begin(k, program)
	id := callID(k)
	k.Type("0912.345.678")
	k.WaitText("#caller", "chưa gọi lần nào")
	k.WaitFor(saved)
	if call := get(t, program, id); !call.GetOpen() || call.GetPhone() != "0912 345 678" {
		t.Errorf("saved without a press: %v", call)
	}
	if !strings.HasSuffix(k.URL(), "/hotline/calls/"+id) {
		t.Errorf("loaded again, the call would be another: %s", k.URL())
	}
	k.Press("Enter", "1") // the kind goes on to the unit by itself
	k.Type("mot cua phuong song xanh")
	k.WaitText("#units", "Bộ phận Một cửa phường Sông Xanh")
	k.WaitText("#officials", "Nguyễn Thị Mẫu")
	k.Press("Enter")
	k.Type("/cho")
	k.Press("Tab")
	k.Type(`Đến 10 giờ mới gọi số. <script>document.title = "hỏng"</script>`)
	k.WaitFor(saved)
	if call := get(t, program, id); call.GetSummary() != `Người dân chờ quá lâu. Đến 10 giờ mới gọi số. <script>document.title = "hỏng"</script>` || call.GetAboutUnitId() != program.WardOffice || call.GetKind() != "complaint" {
		t.Errorf("saved without a press: %v", call)
	}
	k.CheckAccessible()
	k.Screenshot("hotline/call")
	k.PressAndLoad("Ctrl+Enter")
	k.WaitText(".said", "vào nhật ký")
	if code := k.Text(".read-back .code"); !aCode.MatchString(code) {
		t.Errorf("the code is read as %q", code)
	}
	k.WaitText(".read-back", "Cơ quan sẽ trả lời")
	k.CheckAccessible()
	k.Screenshot("hotline/read-back")
	call := get(t, program, id)
	opened, err := pb.NewCaseServiceClient(program.Conn(t, webtest.Operator)).GetCase(t.Context(), &pb.GetCaseRequest{CaseId: call.GetCaseId()})
	if err != nil || opened.GetCase().GetCallId() != id || opened.GetCase().GetSource() != "call" || opened.GetHasContact() || call.GetOpen() || call.GetResult() != "case" {
		t.Errorf("the case is %v of %v, %v", opened, call, err)
	}
	if left := browser.Eval[int](k, `sessionStorage.length + localStorage.length`); left != 0 {
		t.Errorf("%v things are left in the browser", left)
	}

	// The same person again: known while the number is typed.
	begin(k, program)
	k.Type("5678")
	k.WaitText("#caller", "Phản ánh, kiến nghị")
	k.WaitText("#caller", "<script>document.title")
	k.CheckConsole()

	t.Run("two tabs", func(t *testing.T) { testTabs(t, program) })
	t.Run("one call in two tabs", func(t *testing.T) { testOneCallInTwoTabs(t, program) })
	t.Run("it rings", func(t *testing.T) { testRings(t, program) })
	t.Run("without a script", func(t *testing.T) { testPlain(t, program) })
	t.Run("pages", func(t *testing.T) { testPages(t, program) })
	t.Run("restart", func(t *testing.T) { testRestart(t, program) })
}

// Each tab is a call of its own.
func testTabs(t *testing.T, program *webtest.Program) {
	one, other := open(t, program, webtest.Operator), open(t, program, webtest.Operator)
	begin(one, program)
	begin(other, program)
	if callID(one) == callID(other) {
		t.Fatal("both tabs write one call")
	}
	one.Type("0900000001")
	other.Type("0900000002")
	one.WaitFor(saved)
	other.WaitFor(saved)
	for tab, want := range map[*browser.Page]string{one: "0900 000 001", other: "0900 000 002"} {
		if got := get(t, program, callID(tab)).GetPhone(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	one.Go(program.HTTP + "/hotline")
	one.WaitText("main", "Cuộc gọi chưa kết thúc của tôi")
}

// Of one call in two tabs the second to write is told, and loses nothing.
func testOneCallInTwoTabs(t *testing.T, program *webtest.Program) {
	one := open(t, program, webtest.Operator)
	begin(one, program)
	one.Press("F8")
	one.Type("Tab một")
	one.WaitFor(saved)
	id := callID(one)
	other := open(t, program, webtest.Operator)
	other.Go(program.HTTP + "/hotline/calls/" + id)
	other.WaitFor("[data-hotline=ready]")
	other.Press("F8", "End")
	other.Type(" sửa")
	other.WaitFor(saved)
	one.Type(" viết tiếp")
	one.WaitFor(`#saved[data-state="changed"]`)
	if got := one.Value("#summary"); got != "Tab một viết tiếp" {
		t.Errorf("what was typed is %q", got)
	}
	one.WaitText("#saved", "Tab một sửa")
	one.CheckAccessible()
	one.Click("#overwrite")
	one.WaitFor(saved)
	if got := get(t, program, id).GetSummary(); got != "Tab một viết tiếp" {
		t.Errorf("stands as %q", got)
	}
}

// What rings shows on the open page, and fills in its number.
func testRings(t *testing.T, program *webtest.Program) {
	made, err := calls(t, program, webtest.Administrator).CreateCallHook(t.Context(), &pb.CreateCallHookRequest{UnitId: program.Top, Name: "Tổng đài"})
	if err != nil {
		t.Fatal(err)
	}
	k := open(t, program, webtest.Operator)
	begin(k, program)
	k.Until("performance.getEntriesByType('resource').length > 0")
	ring := func(token string) int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, program.HTTP+"/v1/calls:ring", strings.NewReader(`{"number": "+84 912 345 678", "line": "101"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	if status := ring(made.GetToken()); status != http.StatusOK {
		t.Fatalf("ringing was answered %d", status)
	}
	k.WaitText("#rings", "0912 345 678")
	k.WaitText("#caller", "Phản ánh, kiến nghị") // earlier calls, while it rings
	if k.Value("#phone") != "0912 345 678" || !strings.HasPrefix(k.Focused(), "input#kind") {
		t.Errorf("the number is %q, the cursor at %s", k.Value("#phone"), k.Focused())
	}
	k.CheckAccessible()
	if _, err := calls(t, program, webtest.Administrator).RevokeCallHook(t.Context(), &pb.RevokeCallHookRequest{HookId: made.GetHook().GetId()}); err != nil {
		t.Fatal(err)
	}
	if status := ring(made.GetToken()); status != http.StatusUnauthorized {
		t.Errorf("a revoked token was answered %d", status)
	}
}

// testPlain goes through the forms as a browser without scripts does.
func testPlain(t *testing.T, program *webtest.Program) {
	v := program.Visitor(t, webtest.Operator)
	path := "/hotline/calls/" + uuid.Must(uuid.NewV7()).String()
	form := url.Values{"version": {"0"}, "phone": {"0911111111"}, "kind": {"1"}, "about_q": {"doi nang"}, "summary": {"Thu thừa\r\nlệ phí"}, "open_case": {"1"}, "do": {"find"}}
	found := v.Post(path, form)
	if found.Status != http.StatusOK || !strings.Contains(found.Body, "Xã Đồi Nắng") || !strings.Contains(found.Body, `value="0911111111"`) {
		t.Fatalf("%d %s", found.Status, found.Body)
	}
	form.Set("about", program.Commune)
	form.Set("about_was", "doi nang")
	form.Set("do", "finish")
	form.Set("call_back_on", "31/02/2027")
	if wrong := v.Post(path, form); wrong.Status != http.StatusUnprocessableEntity || !strings.Contains(wrong.Body, "Thu thừa") || !strings.Contains(wrong.Body, "31/02/2027") {
		t.Errorf("%d %s", wrong.Status, wrong.Body)
	}
	form.Set("call_back_on", "")
	form.Set("kind", "")
	if wrong := v.Post(path, form); wrong.Status != http.StatusUnprocessableEntity || !strings.Contains(wrong.Body, "Xin chọn loại cuộc gọi") {
		t.Errorf("%d %s", wrong.Status, wrong.Body)
	}
	form.Set("kind", "1")
	for range 2 { // a form sent twice is one call and one case
		if done := v.Post(path, form); done.Status != http.StatusSeeOther || done.Location() != path {
			t.Fatalf("%d to %q: %s", done.Status, done.Location(), done.Body)
		}
	}
	line := v.Get(path)
	if line.Status != http.StatusOK || !strings.Contains(line.Body, "Đọc lại cho người gọi") || strings.Contains(line.Body, "0911") {
		t.Errorf("%d %s", line.Status, line.Body)
	}
	if shown := v.Post(path+"/reveal", nil); !strings.Contains(shown.Body, "0911 111 111") {
		t.Errorf("%d %s", shown.Status, shown.Body)
	}
	list, err := pb.NewCaseServiceClient(program.Conn(t, webtest.Operator)).ListCases(t.Context(), &pb.ListCasesRequest{UnitId: program.Commune, List: "all", Source: "call"})
	if err != nil {
		t.Fatal(err)
	}
	var opened []string
	for _, c := range list.GetCases() {
		if c.GetCallId() == path[len("/hotline/calls/"):] {
			opened = append(opened, c.GetId())
		}
	}
	if len(opened) != 1 {
		t.Fatalf("%d cases of one call", len(opened))
	}
	// A call about a case that is there opens no other.
	other := "/hotline/calls/" + uuid.Must(uuid.NewV7()).String()
	again := url.Values{"version": {"0"}, "kind": {"1"}, "about": {program.Commune}, "summary": {"Hỏi lại việc hôm trước"}, "open_case": {"1"}, "about_case": {opened[0]}, "do": {"finish"}}
	if done := v.Post(other, again); done.Status != http.StatusSeeOther {
		t.Errorf("%d %s", done.Status, done.Body)
	}
	if got := get(t, program, other[len("/hotline/calls/"):]).GetCaseId(); got != opened[0] {
		t.Errorf("the call is about %q", got)
	}
	// Session gone in the middle: the text waits behind the sign-in.
	v.SetCookie("hailong_session", "gone")
	kept := v.Post("/hotline/calls/"+uuid.Must(uuid.NewV7()).String(), url.Values{"summary": {"Đang ghi dở"}, "do": {"save"}})
	if kept.Status != http.StatusUnauthorized || !strings.Contains(kept.Body, "Đang ghi dở") {
		t.Errorf("%d %s", kept.Status, kept.Body)
	}
}

// testPages looks at the other pages in every way.
func testPages(t *testing.T, program *webtest.Program) {
	client := calls(t, program, webtest.Operator)
	take := func(kind string, change func(*pb.CallDraft)) *pb.Call {
		t.Helper()
		draft := &pb.CallDraft{Id: uuid.Must(uuid.NewV7()).String(), Kind: kind, AboutUnitId: program.WardOffice, Phone: "0987654321", Summary: webtest.Markup}
		if change != nil {
			change(draft)
		}
		call, err := client.FinishCall(t.Context(), &pb.FinishCallRequest{Call: draft})
		if err != nil {
			t.Fatal(err)
		}
		return call
	}
	praised := take("praise", func(d *pb.CallDraft) {
		d.OfficialId, d.Summary = program.WardOfficials[0], "Cô Mẫu hướng dẫn rất tận tình"
	})
	take("question", func(d *pb.CallDraft) { d.CallBackOn = "2026-11-20" })

	leader := program.Visitor(t, webtest.Leader)
	if answer := leader.Get("/praise"); !strings.Contains(answer.Body, "Cô Mẫu hướng dẫn") || !strings.Contains(answer.Body, "Nguyễn Thị Mẫu") {
		t.Errorf("praise: %d %s", answer.Status, answer.Body)
	}
	if answer := leader.Get("/hotline"); answer.Status != http.StatusNotFound {
		t.Errorf("a leader at the desk: %d", answer.Status)
	}
	if answer := leader.Get("/hotline/calls/" + praised.GetId()); answer.Status != http.StatusOK || strings.Contains(answer.Body, "4321") {
		t.Errorf("a leader reads who called: %d %s", answer.Status, answer.Body)
	}
	if answer := program.Visitor(t, webtest.CommuneOperator).Get("/hotline/calls/" + praised.GetId()); answer.Status != http.StatusNotFound {
		t.Errorf("an operator elsewhere: %d", answer.Status)
	}
	csv := leader.Get("/hotline/log.csv?kind=praise")
	if csv.Status != http.StatusOK || !strings.HasPrefix(csv.Body, "\ufeff") || strings.Count(csv.Body, "Khen, cảm ơn") != 1 || strings.Contains(csv.Body, "4321") {
		t.Errorf("file: %d %s", csv.Status, csv.Body)
	}

	operator := program.Visitor(t, webtest.Operator)
	correction := url.Values{"version": {"1"}, "kind": {"3"}, "summary": {"Thật ra là hỏi"}, "about": {program.WardOffice}, "do": {"correct"}}
	if answer := operator.Post("/hotline/calls/"+praised.GetId()+"/correct", correction); answer.Status != http.StatusUnprocessableEntity || !strings.Contains(answer.Body, "Xin ghi lý do") {
		t.Errorf("without a reason: %d %s", answer.Status, answer.Body)
	}
	correction.Set("reason", "Nghe lại")
	correction.Set("version", version(praised))
	if answer := operator.Post("/hotline/calls/"+praised.GetId()+"/correct", correction); answer.Status != http.StatusSeeOther {
		t.Errorf("corrected: %d %s", answer.Status, answer.Body)
	}
	if answer := operator.Get("/hotline/calls/" + praised.GetId()); !strings.Contains(answer.Body, "Cô Mẫu hướng dẫn") || !strings.Contains(answer.Body, "Nghe lại") {
		t.Errorf("history: %s", answer.Body)
	}

	waiting, err := client.ListCallBacks(t.Context(), &pb.ListCallBacksRequest{})
	if err != nil || len(waiting.GetCallBacks()) == 0 || !waiting.GetCallBacks()[0].GetLate() {
		t.Fatalf("waiting: %v, %v", waiting, err)
	}
	for _, view := range []webtest.View{
		{Who: webtest.Operator, Path: "/hotline", Name: "hotline/desk", Then: func(p *browser.Page) { p.WaitFor("[data-hotline=ready]") }},
		{Who: webtest.Operator, Path: "/hotline/call-backs", Name: "hotline/call-backs"},
	} {
		program.Look(t, view)
	}
	note := url.Values{"call": {waiting.GetCallBacks()[0].GetCall().GetId()}, "outgoing": {uuid.Must(uuid.NewV7()).String()}, "do": {"show"}}
	if answer := operator.Post("/hotline/call-backs", note); !strings.Contains(answer.Body, "0987 654 321") {
		t.Errorf("shown: %d %s", answer.Status, answer.Body)
	}
	note.Set("do", "reached")
	for range 2 {
		if answer := operator.Post("/hotline/call-backs", note); answer.Status != http.StatusSeeOther {
			t.Errorf("noted: %d %s", answer.Status, answer.Body)
		}
	}
	after, err := client.ListCallBacks(t.Context(), &pb.ListCallBacksRequest{})
	if err != nil || len(after.GetCallBacks()) != len(waiting.GetCallBacks())-1 {
		t.Errorf("still waiting: %v, %v", after, err)
	}
	made := program.Visitor(t, webtest.Administrator).Post("/hotline/exchanges", url.Values{"name": {`Tổng đài <b>"1"</b>`}})
	if made.Status != http.StatusOK || !strings.Contains(made.Body, "hlpbx_") || strings.Contains(made.Body, `<b>"1"`) {
		t.Errorf("exchange: %d %s", made.Status, made.Body)
	}
	if answer := program.Visitor(t, webtest.Administrator).Get("/hotline/exchanges"); strings.Contains(answer.Body, "hlpbx_") {
		t.Error("the token is shown again")
	}
}

// testRestart types on while the server is away.
func testRestart(t *testing.T, program *webtest.Program) {
	k := open(t, program, webtest.Operator)
	begin(k, program)
	id := callID(k)
	k.Press("F8")
	k.Type("Trước khi mất điện")
	k.WaitFor(saved)
	program.Stop(t)
	k.Type(", và sau đó")
	k.WaitFor(`#saved[data-state="waits"]`)
	program.Restart(t)
	k.WaitFor(saved)
	if got := get(t, program, id).GetSummary(); got != "Trước khi mất điện, và sau đó" {
		t.Errorf("stands as %q", got)
	}
	k.Go(program.HTTP + "/hotline/calls/" + id)
	if got := k.Value("#summary"); got != "Trước khi mất điện, và sau đó" {
		t.Errorf("shown as %q", got)
	}
	k.ForgetConsole()
}

func version(call *pb.Call) string { return strconv.FormatInt(call.GetVersion(), 10) }

package desk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

// keyboard counts the keys pressed on a page.
type keyboard struct {
	*browser.Page
	pressed int
}

func (k *keyboard) key(keys ...string) {
	k.pressed += len(keys)
	k.Press(keys...)
}

func (k *keyboard) last(key string) int {
	k.pressed++
	return k.PressAndLoad(key)
}

// Focus puts the cursor into a field, as clicking does.
func (k *keyboard) Focus(selector string) {
	browser.Eval[bool](k.Page, `(document.querySelector("`+selector+`").focus(), true)`)
}

// pile opens a batch through the contract and answers its address.
func pile(t *testing.T, program *webtest.Program, who webtest.Who, form string, expected uint32) string {
	t.Helper()
	batch, err := pb.NewDeskServiceClient(program.Conn(t, who)).OpenBatch(t.Context(), &pb.OpenBatchRequest{
		UnitId: program.CommuneOffice, QuestionnaireId: form, Expected: expected, CounterId: program.CommuneCounters[0],
	})
	if err != nil {
		t.Fatal(err)
	}
	return program.HTTP + "/desk/batches/" + batch.GetId()
}

func batch(t *testing.T, program *webtest.Program, address string) *pb.GetBatchResponse {
	t.Helper()
	answer, err := pb.NewDeskServiceClient(program.Conn(t, webtest.Operator)).GetBatch(t.Context(), &pb.GetBatchRequest{BatchId: address[strings.LastIndex(address, "/")+1:]})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func open(t *testing.T, program *webtest.Program, who webtest.Who, options browser.Options) *keyboard {
	t.Helper()
	page := browser.Open(t).Page(t, options)
	program.GiveSession(t, page, who)
	return &keyboard{Page: page}
}

func TestWholePathWithTheKeyboardAlone(t *testing.T) {
	program := webtest.Shared(t)
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(program.HTTP + "/desk/new")
	k.WaitFor("#q[data-htmx-powered]") // people type later than machines
	k.Type("doi nang")                 // the cursor stands in the search; no diacritics needed
	k.WaitText("#found", "Xã Đồi Nắng")
	k.WaitGone("text=Phường Sông Xanh")
	k.PressAndLoad("Enter")
	k.WaitText("#found", "Bộ phận Một cửa xã Đồi Nắng")
	k.Screenshot("desk/search")
	k.Follow("text=Bộ phận Một cửa xã Đồi Nắng")
	k.Fill("#filled_on", "31/02x2026")
	if status := k.Submit("form.card [type=submit]"); status != 422 {
		t.Errorf("a day that is none: %d", status)
	}
	k.WaitText("#filled_on-error", "22/11/2026")
	k.CheckAccessible()
	k.Fill("#filled_on", "5/3/2024")
	k.Fill("#expected", "3")
	k.Screenshot("desk/new")
	k.Submit("form.card [type=submit]")
	k.WaitText("h1", "Bộ phận Một cửa xã Đồi Nắng")
	address := k.URL()
	if !strings.HasPrefix(k.Focused(), "input#number") {
		t.Errorf("the first slip of a pile begins with its number, not with %s", k.Focused())
	}
	k.Type("A-008")
	k.Press("Enter")
	k.pressed = 0
	k.key("4", "0") // satisfied, no reasons
	if status := k.last("Enter"); status != 200 {
		t.Fatalf("status %d", status)
	}
	t.Logf("a satisfied slip of the short form without a comment: %d keys", k.pressed)
	if k.pressed != 3 {
		t.Errorf("%d keys", k.pressed)
	}
	if got := k.Value("#number"); got != "A-009" {
		t.Errorf("the next slip is %q", got)
	}
	if got := k.Focused(); !strings.HasPrefix(got, "input#q.overall") {
		t.Errorf("the next slip begins with %s", got)
	}
	k.pressed = 0
	k.key("1", "2", "4", "Enter") // very dissatisfied: waited, late
	k.Type("Chờ lâu")
	k.last("Enter")
	k.WaitText(".said", "A-009")
	got := batch(t, program, address)
	if fmt.Sprint(got.GetBatch().GetCounts()) != "[0 1 0 0 1 0]" || got.GetBatch().GetFilledOn() != "2024-03-05" {
		t.Errorf("batch %v", got.GetBatch())
	}
	if last := got.GetSlips()[0]; last.GetNumber() != "A-009" || !last.GetHasComment() || fmt.Sprint(last.GetAnswers()[0].GetChoiceIds()) != "[late waiting]" {
		t.Errorf("slip %v", last)
	}
	k.Screenshot("desk/batch")
	k.CheckConsole()
}

func TestKeystrokesOfALongForm(t *testing.T) {
	program := webtest.Shared(t)
	address := pile(t, program, webtest.Operator, "sipas", 0)
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(address + "?after=1")
	asked := k.Count("input.key")
	for range asked {
		k.key("4")
	}
	k.last("Enter")
	t.Logf("a slip of %d questions: %d keys", asked, k.pressed)
	if k.pressed != asked+1 {
		t.Errorf("%d questions take %d keys", asked, k.pressed)
	}
	slip := batch(t, program, address).GetSlips()[0]
	if slip.GetNumber() != "2" || slip.GetOverallScore() != 4 || len(slip.GetAnswers()) != asked-1 {
		t.Errorf("slip %v", slip)
	}
	k.Screenshot("desk/long-form")
	k.CheckConsole()
}

func TestWrongKeyLosesNothing(t *testing.T) {
	program := webtest.Shared(t)
	address := pile(t, program, webtest.Operator, "kiosk", 0)
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(address + "?after=6")
	k.key("5")
	k.key("3", "9") // there is no ninth reason
	k.WaitText("#q\\.reasons-error", "9")
	k.Screenshot("desk/wrong-key")
	if k.Value("#q\\.overall") != "5" || k.Value("#q\\.reasons") != "3" || k.Attribute("#q\\.reasons", "aria-invalid") != "true" {
		t.Errorf("overall %q, reasons %q", k.Value("#q\\.overall"), k.Value("#q\\.reasons"))
	}
	k.CheckAccessible()
	k.key("1")
	k.WaitGone("#q\\.reasons-error")
	k.CheckConsole()
}

func TestNumberTypedTwiceShowsBoth(t *testing.T) {
	program := webtest.Shared(t)
	address := pile(t, program, webtest.Operator, "kiosk", 0)
	k := open(t, program, webtest.Operator, browser.Options{})
	k.Go(address)
	type_ := func(number, score string) int {
		k.Fill("#number", number)
		k.Fill("#q\\.overall", "")
		k.Press("Shift+Tab", "Tab")
		k.Fill("#q\\.overall", score)
		k.Press("0")
		return k.PressAndLoad("Enter")
	}
	type_("7", "5")
	if status := type_("007", "5"); status != 200 {
		t.Errorf("the same slip again: %d", status)
	}
	k.WaitText(".said", "cùng nội dung")
	if status := type_("7", "2"); status != 409 {
		t.Errorf("other answers: %d", status)
	}
	k.WaitText("[role=alert]", string(webtest.Operator))
	k.WaitText("tr.differs", "5 Rất hài lòng")
	k.WaitText("tr.differs", "2 Không hài lòng")
	k.CheckAccessible()
	k.Screenshot("desk/twice")
	if n := batch(t, program, address).GetBatch().GetTyped(); n != 1 {
		t.Errorf("%d slips before anybody decided", n)
	}
	if !strings.HasPrefix(k.Focused(), "input#correction_reason") {
		t.Errorf("the question is answered at %s", k.Focused())
	}
	if status := k.PressAndLoad("Enter"); status != 422 {
		t.Errorf("without a reason: %d", status)
	}
	k.WaitText("#slip", "Sửa phiếu")
	k.Fill("#correction_reason", "gõ nhầm lần trước")
	k.PressAndLoad("Enter")
	k.WaitText(".said", "Đã lưu phiếu 7")
	got := batch(t, program, address)
	if fmt.Sprint(got.GetBatch().GetCounts()) != "[0 0 1 0 0 0]" || !got.GetSlips()[0].GetCorrected() {
		t.Errorf("after the correction: %v", got)
	}
	k.CheckConsole()
}

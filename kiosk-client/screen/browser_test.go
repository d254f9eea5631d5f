package screen

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// on waits until the page shows a state.
func on(page *browser.Page, state State) {
	page.Until(`document.querySelector(".screen")?.dataset.state === "` + string(state) + `"`)
}

// A rating as a person gives it, by touch, over the real journal: not content, reasons, words on the keyboard of the screen, a change of
// mind, a number; the browser is killed in between; the program too.
func TestWholeRating(t *testing.T) {
	folder := t.TempDir()
	kept := openJournal(t, folder)
	k := run(t, configuration(t), func(o *Options) { o.Journal = kept })
	page := browser.Open(t).Page(t, browser.Options{})
	page.Go(k.URL())
	if weight := page.Weight(); weight.Total() > 150_000 {
		t.Errorf("the first screen weighs %v", weight)
	} else {
		t.Logf("the first screen: %v", weight)
	}
	page.Click("main") // its middle: anywhere on the screen
	on(page, Ask)
	if page.Focused() == "" || !strings.HasPrefix(page.Focused(), "h1") {
		t.Errorf("the focus is on %q", page.Focused())
	}
	page.Click("text=Không hài lòng")
	on(page, Reasons)
	page.Click("text=Chờ lâu")
	page.Click("text=Thái độ phục vụ")
	page.Until(`document.querySelectorAll('[aria-pressed=true].tick').length === 2`)
	page.Click("text=Tiếp tục")
	on(page, Words)
	for _, key := range "ddoiwj laau" { // Telex on the keys of the screen
		if key == ' ' {
			page.Click(`.kb [data-kind="text"] [data-does="space"]`)
			continue
		}
		page.Click(`.kb [data-kind="text"] [data-sign="` + string(key) + `"]`)
	}
	page.Until(`document.getElementById("comment").value.normalize() === "Đợi lâu"`)
	k.until(t, "told what is typed", func(f *Flow) bool { return f.session.draft == "Đợi lâu" })

	// The browser is killed; another one shows where it was.
	page = browser.Open(t).Page(t, browser.Options{})
	page.Go(k.URL())
	on(page, Words)
	if got := page.Value("#comment"); got != "Đợi lâu" {
		t.Errorf("what was typed is %q after the browser was started again", got)
	}
	page.Click("text=Gửi")
	on(page, CallBack)
	if page.Checked("#consent") {
		t.Error("consent is given before it was asked")
	}
	page.Click("#phone")
	for _, digit := range "0912345678" {
		page.Click(`.kb [data-kind="phone"] [data-sign="` + string(digit) + `"]`)
	}
	page.Click("text=Gửi")
	page.WaitText("#problem", "đánh dấu ô đồng ý")
	if got := page.Value("#phone"); !strings.HasPrefix(got, "0912") {
		t.Errorf("the number is gone: %q", got)
	}
	page.Click("#consent")
	page.Click("text=Gửi")
	on(page, Thanks)
	page.Click("text=Chọn lại")
	on(page, Ask)
	page.Click("text=Rất không hài lòng")
	on(page, Reasons)
	page.Click("text=Dừng ở đây")
	on(page, Thanks)
	page.CheckConsole()

	// Nobody touches it any more.
	k.clock.Pass(16 * time.Second)
	on(page, Idle)
	ratings := sealed(t, kept)
	if len(ratings) != 1 {
		t.Fatalf("%d ratings are sealed", len(ratings))
	}
	got := &pb.Rating{}
	unmarshal(t, ratings[0].GetRating(), got)
	private := ratings[0].GetPrivate()
	if got.GetOverallScore() != 1 || got.GetChanges() != 1 || len(got.GetAnswers()) != 1 || len(got.GetAnswers()[0].GetChoiceIds()) != 2 || got.GetOfficialId() != "o1" ||
		private.GetComment() != "Đợi lâu" || private.GetContact().GetPhone() != "0912345678" || private.GetConsentVersion() != consentVersion {
		t.Errorf("sealed: %v %v", got, private)
	}

	// The program is killed between the touch and the thank-you: its next start seals what was touched.
	page.Click(".everywhere")
	on(page, Ask)
	page.Click("text=Bình thường")
	on(page, Reasons)
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	again := openJournal(t, folder)
	if ratings := sealed(t, again); len(ratings) != 2 {
		t.Errorf("%d ratings after a power cut, want 2", len(ratings))
	}
	page.Click("text=Chờ lâu") // nothing is kept any more, and nobody is thanked
	on(page, Unkept)
	page.WaitText("h1", "Máy chưa ghi được")
}

// A rating by keys alone; a scanner; a call; a second tab.
func TestKeysScansCallsTabs(t *testing.T) {
	k := run(t, configuration(t, twoCounters))
	page := browser.Open(t).Page(t, browser.Options{})
	page.Go(k.URL())
	page.CheckKeyboard()
	page.Press("2")
	on(page, Place)
	page.Press("1")
	on(page, Ask)
	page.Press("5")
	on(page, Thanks)
	page.Press("Tab", "Enter") // "Xong" follows the heading
	on(page, Idle)

	// A scanner types faster than anybody, and than a test through a busy machine: its keys come at once.
	browser.Eval[bool](page, `[..."A017", "Enter"].every(key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true})))`)
	on(page, Place)
	page.Press("Tab", "Enter")
	on(page, Ask)
	page.Press("1")
	on(page, Reasons)
	k.event(t.Context(), Event{Name: Woken, Wake: Wake{Place: "ward/c2", Ticket: "B003"}}) // waits
	page.Press("Tab", "Space")
	page.Until(`document.querySelector(".tick").getAttribute("aria-pressed") === "true" && document.activeElement.classList.contains("tick")`)
	k.until(t, "told of the reason", func(f *Flow) bool { return len(f.session.answers) == 1 })
	k.clock.Pass(25 * time.Second)
	page.WaitText("#still", "sắp trở về trang đầu")
	page.Click("[data-stay]")
	page.Until(`document.getElementById("still").hidden`)
	k.until(t, "told that somebody is there", func(f *Flow) bool { return !f.warned })
	k.clock.Pass(41 * time.Second)
	page.WaitText(".called", "Mời ông/bà đánh giá")
	page.WaitText(".called", "B003")
	page.WaitText(".place", "Quầy 2")

	other := browser.Open(t).Page(t, browser.Options{})
	other.Go(k.URL())
	page.WaitText("h1", "Màn hình đang mở ở nơi khác")
	page.CheckConsole()
	other.Click("text=Hài lòng")
	on(other, Thanks)
	k.clock.Pass(9 * time.Second)
	on(other, Idle)
	other.Press("F8") // the official's button, at the first counter
	other.WaitText(".called", "Mời ông/bà đánh giá")
	other.WaitText(".place", "Quầy 1")
	k.clock.Pass(41 * time.Second)
	on(other, Idle)
	other.Press("F9")
	on(other, Staff)
	other.WaitText("dd", "Đã nối")

	var told []string
	for _, one := range k.notes.all() {
		told = append(told, one.told())
	}
	if want := "5 o1 c1 sealed 1|1 reasons=0attitude #A017 o1 c1 sealed 1|4 #B003 c2 sealed 1"; strings.Join(told, "|") != want {
		t.Errorf("kept %s, want %s", strings.Join(told, "|"), want)
	}
}

// The program is started again under the browser: the page finds it by itself, and says so meanwhile.
func TestProgramRestarts(t *testing.T) {
	k := run(t, configuration(t))
	page := browser.Open(t).Page(t, browser.Options{})
	page.Go(k.URL())
	page.Click(".everywhere")
	on(page, Ask)
	k.stop()
	page.WaitText("#down", "đang được nối lại")
	run(t, configuration(t), func(o *Options) { o.Listen = k.Addr() })
	on(page, Idle)
	page.WaitGone("#down")
	page.Click(".everywhere")
	on(page, Ask)
}

// A page of somebody else in another tab reads nothing, touches nothing, and does not become the screen.
func TestHostilePage(t *testing.T) {
	k := run(t, configuration(t))
	own := k.open(t)
	own.do("start")
	hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="vi"><title>Trang lạ</title><link rel="icon" href="data:,"><h1>Trang lạ</h1><iframe src="%[1]s"></iframe>
<form id="f" method="post" target="frame" action="%[1]sdo"><input name="tab" value="%[2]s"><input name="revision" value="%[3]s"><input name="do" value="pick:1"></form><iframe name="frame"></iframe>
<a href="%[1]s">Đi</a><script>
f.submit();
const get = (path, o) => fetch("%[1]s" + path, o).then(r => r.text()).catch(() => "");
tried = Promise.all([get(""), get("", {mode: "no-cors"}), get("screen?tab=%[2]s"),
	get("do", {method: "POST", mode: "no-cors", body: new URLSearchParams({tab: "%[2]s", revision: "%[3]s", do: "pick:1"})}),
	get("hook/wake", {method: "POST", mode: "no-cors", body: "{}"}), new Promise(done => { const s = new EventSource("%[1]sevents?tab=%[2]s"); s.onmessage = s.onerror = () => { s.close(); done("") } })]);
</script></html>`, k.URL(), own.token, own.revision) // the worst case: it knows both
	}))
	defer hostile.Close()
	page := browser.Open(t).Page(t, browser.Options{})
	page.Go(hostile.URL)
	if read := browser.Eval[[]string](page, "tried"); strings.Join(read, "") != "" {
		t.Errorf("read: %q", read)
	}
	if status := page.Follow("text=Đi"); status != http.StatusForbidden {
		t.Errorf("a link from there is answered %d", status)
	}
	if k.showing() != Ask || len(k.notes.all()) != 0 || !k.isTab(own.token) {
		t.Errorf("the screen shows %s, %d ratings are begun", k.showing(), len(k.notes.all()))
	}
}

// Without the script the screen works by forms.
func TestWithoutScript(t *testing.T) {
	k := run(t, configuration(t))
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	page.Go(k.URL())
	page.Submit(".everywhere")
	page.Submit("#face-2")
	page.Submit("#choice-waiting")
	page.Submit(".row .main")
	page.Fill("#comment", "Lâu")
	page.Submit(".row .main")
	page.Submit("text=Không cần gọi lại")
	page.WaitText("h1", "Xin cảm ơn")
	if got := k.notes.all()[0].told(); got != "2 reasons=0waiting 'Lâu' o1 c1 sealed 0" {
		t.Error(got)
	}
}

func openJournal(t testing.TB, folder string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), filepath.Join(folder), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	if j.ID() == "" {
		public, err := j.Enrolling(t.Context(), "https://hailong.example.vn")
		if err == nil {
			_, err = j.Enrolled(t.Context(), journal.Identity{DeviceID: "device", Name: "Kiosk 1"}, public)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return j
}

func sealed(t *testing.T, j *journal.Journal) []*pb.SealedRating {
	t.Helper()
	batch, err := j.Pending(context.WithoutCancel(t.Context()), 0, 100, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return batch.Items
}

package admin_test

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

const save = "main form[method=post] .actions button[type=submit]"

// From an empty installation to a counter that can be rated, without and with JavaScript: what the only IT person of an office does on the
// first day.
func TestFirstDay(t *testing.T) {
	for name, options := range map[string]browser.Options{"without JavaScript": {NoScript: true}, "with JavaScript": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := webtest.Start(t, webtest.Bare())
			page := browser.Open(t).Page(t, options)
			p.SignInPage(t, page, webtest.Administrator)
			page.Go(p.HTTP + "/admin")
			if done := page.Count(".steps li.done"); done != 1 { // the questionnaires that come with the product
				t.Errorf("%d steps are done at first", done)
			}
			unit, counter := firstUnitAndCounter(t, p, page)
			code := firstDevice(t, p, page)
			enrol(t, p, page, code)
			firstAccount(t, p, page)
			firstQuestionnaire(t, p, page)
			page.Go(p.HTTP + "/admin?first=1")
			if done := page.Count(".steps li.done"); done != 5 { // nobody has answered on a phone yet
				t.Errorf("%d steps are done in the end:\n%s", done, page.Text(".steps"))
			}
			citizen := browser.Open(t).Page(t, browser.Options{NoScript: true})
			if status := citizen.Go(p.HTTP + "/r/" + counter); status != http.StatusOK {
				t.Errorf("the counter's form answers %d", status)
			}
			closing(t, p, page, unit, counter)
			if status := citizen.Go(p.HTTP + "/r/" + counter); status != http.StatusNotFound {
				t.Errorf("the closed counter's form answers %d", status)
			}
			page.CheckConsole()
		})
	}
}

// looks checks a page that only stands there once, at a desk and on a phone.
func looks(page *browser.Page, name string) {
	for size, width := range map[string]int{"-phone": 320, "-desk": 1280} {
		page.Resize(width, 800, 1)
		page.NoHorizontalScroll()
		page.CheckAccessible()
		page.Screenshot(name + size)
	}
	page.Resize(1280, 800, 1)
}

var lastPart = regexp.MustCompile(`/admin/units/([^/#?]+)(?:/counters/([^/#?]+))?$`)

func firstUnitAndCounter(t *testing.T, p *webtest.Program, page *browser.Page) (unit, counter string) {
	t.Helper()
	page.Go(p.HTTP + "/admin/units")
	page.Follow("text=Tạo đơn vị đầu tiên")
	// What is missing is said beside its field, and what was typed stays.
	page.Fill("#name", "Phường Bến Trăng")
	page.Fill("#code", "mã có dấu")
	page.Fill("#level", "commune")
	if status := page.Submit(save); status != http.StatusUnprocessableEntity || page.Value("#name") != "Phường Bến Trăng" || page.Value("#level") != "commune" || !page.Exists("#code-error") {
		t.Fatalf("a wrong code: %d\n%s", status, page.Text("main"))
	}
	looks(page, "admin-mend")
	page.Fill("#code", "BT")
	page.Submit(save)
	page.WaitText("h1", "Phường Bến Trăng")
	above := lastPart.FindStringSubmatch(page.URL())
	// A unit below it, the parent searched without accents.
	page.Go(p.HTTP + "/admin/units/new")
	page.Fill("#name", "Bộ phận Một cửa")
	page.Fill("#level", "office")
	page.Fill("#parent_q", "ben trang")
	if status := page.Submit("[name=find]"); status != http.StatusOK || page.Exists(".problem") {
		t.Fatalf("a search answers %d\n%s", status, page.Text("main"))
	}
	if page.Value("#name") != "Bộ phận Một cửa" {
		t.Error("what was typed is lost by a search")
	}
	page.Click(`[name=parent][value="` + above[1] + `"]`)
	page.Submit(save)
	found := lastPart.FindStringSubmatch(page.URL())
	if found == nil {
		t.Fatalf("no unit is shown: %s\n%s", page.URL(), page.Text("main"))
	}
	unit = found[1]
	page.Follow("text=Thêm quầy")
	page.Fill("#code", "1")
	page.Fill("#name", "Quầy 1: Hộ tịch")
	page.Submit(save)
	if found = lastPart.FindStringSubmatch(page.URL()); found == nil || found[2] == "" {
		t.Fatalf("no counter is shown: %s\n%s", page.URL(), page.Text("main"))
	}
	counter = found[2]
	if !page.Visible("svg.qr") || page.Attribute(`main a[href*="/r/"]`, "href") != p.HTTP+"/r/"+counter {
		t.Errorf("the way to the form is not shown:\n%s", page.Text("main"))
	}
	page.Go(p.HTTP + "/admin/units/" + unit)
	page.Follow("text=Thêm cán bộ, công chức")
	page.Fill("#name", "Nguyễn Thị Mẫu")
	page.Fill("#position", "Công chức tư pháp")
	page.Submit(save)
	page.WaitText("main", "Nguyễn Thị Mẫu")
	return unit, counter
}

func firstDevice(t *testing.T, p *webtest.Program, page *browser.Page) (code string) {
	t.Helper()
	page.Go(p.HTTP + "/admin/devices/new")
	page.Fill("#name", "Kiosk sảnh chính")
	page.Fill("#unit_q", "mot cua")
	page.PressAndLoad("Enter") // as people do
	page.WaitFor("[name=unit]")
	page.Click("[name=unit]")
	page.Submit(save)
	if page.Exists(".problem") {
		t.Fatalf("being asked for counters is no mistake:\n%s", page.Text("main"))
	}
	if status := page.Submit(save); status != http.StatusUnprocessableEntity || !page.Visible("#counter-error") {
		t.Errorf("a device without a counter: %d\n%s", status, page.Text("main"))
	}
	page.Click(`[name=counter]:not([value="-"])`)
	page.Submit(save)
	code = page.Text(".once .code")
	if !regexp.MustCompile(`^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$`).MatchString(code) || !page.Visible(".once svg.qr") {
		t.Fatalf("the code is %q\n%s", code, page.Text("main"))
	}
	if cache := page.Header("Cache-Control"); !strings.Contains(cache, "no-store") {
		t.Errorf("a page with a secret may be kept: %q", cache)
	}
	looks(page, "admin-code-shown")
	page.Reload()
	if strings.Contains(page.Text("main"), code) {
		t.Error("the code is shown twice")
	}
	page.Go(p.HTTP + "/admin/devices")
	if rows := page.Texts("tbody tr"); len(rows) != 1 || !strings.Contains(rows[0], "Chờ ghi danh") {
		t.Errorf("the devices are %q", rows)
	}
	return code
}

// enrol does on the device what its page told.
func enrol(t *testing.T, p *webtest.Program, page *browser.Page, code string) {
	t.Helper()
	device, err := journal.Open(t.Context(), "", journal.Options{Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = device.Close() }()
	if err := uplink.NewCalls(device, p.Conn(t, ""), nil).Enroll(t.Context(), code); err != nil {
		t.Fatalf("the code does not enrol: %v", err)
	}
	page.Reload()
	if rows := page.Texts("tbody tr"); len(rows) != 1 || strings.Contains(rows[0], "Chờ ghi danh") {
		t.Errorf("the devices are %q", rows)
	}
}

func firstAccount(t *testing.T, p *webtest.Program, page *browser.Page) {
	t.Helper()
	page.Go(p.HTTP + "/admin/accounts/new")
	page.Fill("#name", "lê.thị.lãnh")
	if status := page.Submit(save); status != http.StatusUnprocessableEntity || !page.Visible("#role-error") || !page.Visible("#unit-error") || page.Value("#name") != "lê.thị.lãnh" {
		t.Errorf("an account without a role: %d\n%s", status, page.Text("main"))
	}
	page.Click("[value=ROLE_LEADER]")
	page.Fill("#unit_q", "ben trang")
	page.Submit("[name=find]")
	page.Click(`[name=unit]:not([value="-"])`)
	page.Submit(save)
	password := page.Text(".once .code")
	looks(page, "admin-password-shown")
	page.Reload()
	if page.Exists(".once") {
		t.Error("the password is shown twice")
	}
	// The person signs in with it and must change it.
	leader := browser.Open(t).Page(t, browser.Options{NoScript: true})
	leader.Go(p.HTTP + "/sign-in")
	leader.Fill("#name", "lê.thị.lãnh")
	leader.Fill("#password", password)
	leader.Submit("main button[type=submit]")
	if !strings.HasSuffix(leader.URL(), "/password") {
		t.Errorf("the one-time password leads to %s", leader.URL())
	}
	// Reset, disable, enable.
	account := page.URL()
	page.Follow("text=Đặt lại mật khẩu")
	page.Submit(save)
	if other := page.Text(".once .code"); other == password || other == "" {
		t.Errorf("reset to %q", other)
	}
	page.Follow("text=Khóa tài khoản")
	page.Submit(save)
	page.WaitText("main", "Đã khóa")
	page.Follow("text=Mở lại tài khoản")
	page.Submit(save)
	if page.Text(".once .code") == "" || page.URL() != account {
		t.Errorf("enabled at %s", page.URL())
	}
	// Not the own one.
	page.Go(p.HTTP + "/admin/accounts")
	page.Follow("text=admin")
	if page.Exists(`main a[href$="/disable"], main a[href$="/reset"]`) {
		t.Error("the own account can be disabled")
	}
	if status := page.Go(page.URL() + "/disable"); status != http.StatusNotFound {
		t.Errorf("disabling the own account answers %d", status)
	}
}

func firstQuestionnaire(t *testing.T, p *webtest.Program, page *browser.Page) {
	t.Helper()
	page.Go(p.HTTP + "/admin/questionnaires/kiosk/1")
	page.Follow("text=Soạn phiên bản tiếp theo từ đây")
	text := page.Value("#yaml")
	if !strings.Contains(text, "version: 2") {
		t.Fatalf("the draft is\n%s", text)
	}
	wrong := strings.Replace(text, "kind: score", "kind: điểm", 1) + "chẳng có: gì\n"
	page.Fill("#yaml", wrong)
	if status := page.Submit(save); status != http.StatusUnprocessableEntity || page.Count("tbody tr") < 2 {
		t.Errorf("two faults: %d\n%s", status, page.Text("main"))
	}
	looks(page, "admin-faults")
	if page.Value("#yaml") != wrong {
		t.Error("the text is lost")
	}
	if rows := strings.Join(page.Texts("tbody tr"), "\n"); !strings.Contains(rows, "kind: điểm") || !strings.Contains(rows, "chẳng có: gì") {
		t.Errorf("the lines stand not beside their faults:\n%s", rows)
	}
	page.Fill("#yaml", strings.Replace(text, "hôm nay", "ngày hôm nay", 1))
	page.Submit(save)
	if !strings.HasSuffix(page.URL(), "/admin/questionnaires/kiosk/2") {
		t.Fatalf("published at %s\n%s", page.URL(), page.Text("main"))
	}
	for _, side := range []string{`.paper[lang="vi"]`, `.paper[lang="en"]`} {
		if page.Count(side+" li") < 3 {
			t.Errorf("the preview %s is\n%s", side, page.Text(side))
		}
	}
	page.WaitText(`.paper[lang="vi"]`, "ngày hôm nay")
}

func closing(t *testing.T, p *webtest.Program, page *browser.Page, unit, counter string) {
	t.Helper()
	page.Go(p.HTTP + "/admin/units/" + unit + "/counters/" + counter)
	page.Follow("text=Đóng quầy")
	page.WaitText("main", "Kiosk sảnh chính") // what stands there is told
	page.Submit(save)
	page.WaitText("main", "Quầy đã đóng (1)")
	if status := page.Go(p.HTTP + "/units/" + unit + "/poster.pdf?size=a6&counter=" + counter); status != http.StatusBadRequest || !strings.Contains(page.Text("main"), "Hộ tịch đã đóng lúc") {
		t.Errorf("a card for a closed counter: %d\n%s", status, page.Text("main"))
	}
	page.ForgetConsole() // of the answer 400
	page.Go(p.HTTP + "/admin/units/" + unit + "/change")
	page.Fill("#name", "Trung tâm Phục vụ hành chính công")
	page.Submit(save)
	page.WaitText("h1", "Trung tâm Phục vụ hành chính công")
	if rows := page.Texts("tbody tr"); len(rows) != 2 || !strings.Contains(rows[1], "Bộ phận Một cửa") {
		t.Errorf("the history is %q", rows)
	}
	page.Follow("text=Kết thúc đơn vị")
	tomorrow := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	page.Fill("#valid_to", tomorrow)
	page.Fill("#successor_q", "ben trang")
	page.Submit("[name=find]")
	page.Click("[name=successor]")
	if page.Value("#valid_to") != tomorrow {
		t.Error("the day is lost by a search")
	}
	page.Submit(save)
	page.WaitText(".said", "kết thúc từ ngày")
	page.Go(p.HTTP + "/admin/devices")
	page.Follow("tbody a")
	page.Follow("text=Thu hồi thiết bị")
	page.Submit(save)
	page.WaitText("main", "Đã thu hồi")
}

// What changes the province, on one program.
func TestChanges(t *testing.T) {
	p := webtest.Start(t)
	for _, c := range []struct {
		name string
		test func(*testing.T, *webtest.Program)
	}{
		{"hostile names", testHostileNames}, {"sent twice", testSentTwice}, {"typed address", testTypedAddress}, {"own top is renamed", testOwnTopIsRenamed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, p) })
	}
}

// Names that would do harm, that are as long as they may be, or that come from another system.
func testHostileNames(t *testing.T, p *webtest.Program) {
	page := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, page, webtest.Administrator)
	long := strings.Repeat("ậ", 300)
	for name, typed := range map[string]string{
		"markup": `<script>document.title="hỏng"</script>"><img src=x onerror=alert(1)>'&`,
		"long":   norm.NFD.String(long),
		"apart":  norm.NFD.String("Phường Đồng Tâm ấ ở ữ"),
	} {
		t.Run(name, func(t *testing.T) {
			page := page.In(t)
			page.Emulate(browser.Options{Width: 320, Height: 640})
			page.Go(p.HTTP + "/admin/units/new?parent=" + p.Top)
			page.Fill("#name", typed)
			page.Fill("#level", "commune")
			page.Submit(save)
			want := norm.NFC.String(typed)
			if page.Text("h1") != want {
				t.Fatalf("the unit is called %q\n%s", page.Text("h1"), page.Text("main"))
			}
			page.NoHorizontalScroll()
			found := lastPart.FindStringSubmatch(page.URL())
			page.Go(p.HTTP + "/admin/units/" + found[1] + "/counters/new")
			page.Fill("#code", "1")
			page.Fill("#name", typed)
			page.Submit(save)
			if page.Text("h1") != want {
				t.Errorf("the counter is called %q", page.Text("h1"))
			}
			page.NoHorizontalScroll()
			page.CheckAccessible()
			page.Go(p.HTTP + "/admin/units?q=" + map[string]string{"markup": "hong", "long": "a", "apart": "dong+tam"}[name])
			page.NoHorizontalScroll()
			if title := page.Text("title"); strings.Contains(title, "hỏng") {
				t.Errorf("the title is %q", title)
			}
			page.Go(p.HTTP + "/admin/units?open=" + found[1])
			page.NoHorizontalScroll()
			page.CheckConsole()
		})
	}
	page.Go(p.HTTP + "/admin/units/new?parent=" + p.Top)
	page.Fill("#level", "commune")
	browser.Eval[bool](page, `(document.querySelector("#name").removeAttribute("maxlength"), true)`)
	page.Fill("#name", long+"ậ")
	if status := page.Submit(save); status != http.StatusUnprocessableEntity || !page.Visible("#name-error") || page.Value("#name") != long+"ậ" {
		t.Errorf("301 letters: %d\n%s", status, page.Text("main"))
	}
}

// Pages of administration are not there for others, and a commune's administrator sees the commune.
func TestWhoSeesWhat(t *testing.T) {
	p := webtest.Shared(t)
	for _, who := range []webtest.Who{webtest.Leader, webtest.Operator, webtest.Official} {
		page := browser.Open(t).Page(t, browser.Options{NoScript: true})
		p.GiveSession(t, page, who)
		for _, path := range []string{
			"/admin", "/admin/units", "/admin/units/" + p.Ward, "/admin/units/new", "/admin/devices", "/admin/devices/" + p.Device,
			"/admin/questionnaires", "/admin/questionnaires/new", "/admin/accounts", "/admin/accounts/new",
		} {
			if status := page.Go(p.HTTP + path); status != http.StatusNotFound {
				t.Errorf("%s opens %s: %d", who, path, status)
			}
		}
	}
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	p.GiveSession(t, page, webtest.CommuneAdministrator)
	accounts, err := pb.NewIdentityServiceClient(p.Conn(t, webtest.Administrator)).ListAccounts(t.Context(), &pb.ListAccountsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	foreign := ""
	for _, a := range accounts.GetAccounts() {
		if a.GetName() == string(webtest.Official) {
			foreign = a.GetId()
		}
	}
	for path, want := range map[string]int{
		"/admin": http.StatusOK, "/admin/units": http.StatusOK, "/admin/units/" + p.Commune: http.StatusOK, "/admin/units/" + p.CommuneOffice + "/counters/" + p.CommuneCounters[0]: http.StatusOK,
		"/admin/devices": http.StatusOK, "/admin/accounts": http.StatusOK, "/admin/questionnaires": http.StatusOK,
		"/admin/units/" + p.Ward: http.StatusNotFound, "/admin/units/" + p.Top + "/change": http.StatusNotFound,
		"/admin/units/" + p.CommuneOffice + "/counters/" + p.WardCounters[0]: http.StatusNotFound, "/admin/devices/" + p.Device: http.StatusNotFound,
		"/admin/accounts/" + foreign: http.StatusNotFound, "/admin/questionnaires/new": http.StatusNotFound,
		"/admin/units/khong-co": http.StatusNotFound, "/admin/units/%00": http.StatusNotFound, "/admin/accounts/%3Cscript%3E": http.StatusNotFound, "/admin/units?at=hom-qua": http.StatusUnprocessableEntity,
	} {
		if status := page.Go(p.HTTP + path); status != want {
			t.Errorf("a commune's administrator at %s: %d, want %d", path, status, want)
		}
	}
	page.Go(p.HTTP + "/admin/units")
	if text := page.Text("main"); strings.Contains(text, "Phường Sông Xanh") || !strings.Contains(text, "Xã Đồi Nắng") {
		t.Errorf("sees\n%s", text)
	}
}

// The tree opens level by level, and as it stood.
func TestTree(t *testing.T) {
	p := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	p.GiveSession(t, page, webtest.Administrator)
	page.Go(p.HTTP + "/admin/units")
	if page.Exists("#u-" + p.WardOffice) {
		t.Error("what is closed is shown")
	}
	page.Follow("#u-" + p.Ward + " .toggle")
	if !page.Exists("#u-" + p.WardOffice) {
		t.Errorf("what is below is not shown:\n%s", page.Text("main"))
	}
	page.Follow("#u-" + p.Ward + " .toggle")
	if page.Exists("#u-" + p.WardOffice) {
		t.Error("it does not close again")
	}
	page.Fill("#q", "song xanh")
	page.Submit("[role=search] button")
	if found := strings.Join(page.Texts("main li"), "\n"); !strings.Contains(found, "Phường Sông Xanh") {
		t.Errorf("found %q", found)
	}
	page.Go(p.HTTP + "/admin/units?at=2020-01-01")
	if !page.Exists(".note") {
		t.Error("the day is not said")
	}
}

// A form sent twice makes one thing; another one from the same page asks first.
func testSentTwice(t *testing.T, p *webtest.Program) {
	token := p.SignIn(t, webtest.Administrator)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	send := func(path string, form url.Values) (int, string, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.HTTP+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.AddCookie(&http.Cookie{Name: "hailong_session", Value: token})
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header.Get("Location"), string(body)
	}
	for name, c := range map[string]struct {
		path string
		form url.Values
	}{
		"unit":     {"/admin/units/new", url.Values{"name": {"Xã Hai Lần"}, "level": {"commune"}, "parent": {p.Top}}},
		"counter":  {"/admin/units/" + p.Empty + "/counters/new", url.Values{"code": {"7"}, "name": {"Quầy 7"}}},
		"official": {"/admin/units/" + p.Empty + "/officials/new", url.Values{"name": {"Lê Minh Hoạ"}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.form.Set("id", strings.Repeat("a", 31)+name[:1])
			if name == "unit" || name == "official" { // ids are hexadecimal
				c.form.Set("id", strings.Repeat("b", 31)+map[string]string{"unit": "0", "official": "1"}[name])
			}
			code, first, body := send(c.path, c.form)
			if code != http.StatusSeeOther {
				t.Fatalf("%d\n%s", code, body)
			}
			if code, again, _ := send(c.path, c.form); code != http.StatusSeeOther || again != first {
				t.Errorf("the same again: %d to %q, first to %q", code, again, first)
			}
			c.form.Set("name", "Tên khác")
			c.form.Set("code", "8")
			code, _, body = send(c.path, c.form)
			if code != http.StatusUnprocessableEntity || strings.Contains(body, c.form.Get("id")) || !strings.Contains(body, "Tên khác") {
				t.Errorf("other words under the same id: %d\n%s", code, body)
			}
		})
	}
	device := url.Values{"name": {"Kiosk hai lần"}, "unit": {p.Empty}, "counter": {"-"}}
	if code, to, body := send("/admin/devices/new", device); code != http.StatusSeeOther || !strings.HasSuffix(to, "/code") {
		t.Fatalf("%d to %q\n%s", code, to, body)
	}
	if code, _, body := send("/admin/devices/new", device); code != http.StatusUnprocessableEntity || !strings.Contains(body, "Đã có thiết bị mang tên này") {
		t.Errorf("a device sent twice: %d\n%s", code, body)
	}
}

// An administrator of a commune renames the commune, which stays where it is though the unit above cannot be seen.
func testOwnTopIsRenamed(t *testing.T, p *webtest.Program) {
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	p.GiveSession(t, page, webtest.CommuneAdministrator)
	page.Go(p.HTTP + "/admin/units/" + p.Commune + "/change")
	page.Fill("#name", "Phường Đồi Nắng")
	page.Submit(save)
	page.WaitText("h1", "Phường Đồi Nắng")
	unit, err := pb.NewDirectoryServiceClient(p.Conn(t, webtest.Administrator)).GetUnit(t.Context(), &pb.GetUnitRequest{UnitId: p.Commune})
	if err != nil || unit.GetParentId() != p.Top || unit.GetName() != "Phường Đồi Nắng" {
		t.Errorf("%v, %v", unit, err)
	}
}

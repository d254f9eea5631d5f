package screen

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/kiosk-client/clock"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestMain(m *testing.M) { browser.Main(m) }

// kiosk is a running screen.
type kiosk struct {
	*Screen
	notes *notebook
	line  *line
	clock *clock.Manual
	stop  func()
}

const hookToken = "a token of the queue system"

// run starts a screen over a notebook; options may be changed before.
func run(t testing.TB, config *pb.Configuration, changes ...func(*Options)) *kiosk {
	t.Helper()
	k := &kiosk{notes: &notebook{}, line: newLine(config), clock: clock.NewManual(monday())}
	options := Options{Journal: k.notes, Uplink: k.line, Clock: k.clock, HookToken: hookToken, HookListen: "127.0.0.1:0", Server: "https://hailong.example.vn", Version: "1.2.3", Folder: t.TempDir()}
	for _, change := range changes {
		change(&options)
	}
	var err error
	if k.Screen, err = New(options); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- k.Serve(ctx) }()
	k.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		k.stop()
		if len(k.notes.wrong) > 0 {
			t.Error(k.notes.wrong)
		}
	})
	k.until(t, "configured", func(f *Flow) bool { return f.setting.Configuration == config })
	return k
}

// until waits until the flow is as it should be.
func (k *kiosk) until(t testing.TB, what string, is func(*Flow) bool) {
	t.Helper()
	deadline := time.Now().Add(browser.Limit)
	for {
		k.mu.Lock()
		ok := is(k.flow)
		k.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not %s; the screen shows %s", what, k.showing())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (k *kiosk) showing() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.flow.state
}

// tab is a browser without a screen.
type tab struct {
	t        testing.TB
	kiosk    *kiosk
	client   *http.Client
	token    string
	revision string
	page     string
}

var hidden = regexp.MustCompile(`name="(tab|revision)" value="([^"]*)"`)

func (k *kiosk) open(t *testing.T) *tab {
	b := &tab{t: t, kiosk: k, client: newClient()}
	b.take(b.get("/"))
	return b
}

// newClient follows no redirects.
func newClient() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (b *tab) take(page string) {
	b.page = page
	for _, field := range hidden.FindAllStringSubmatch(page, 2) {
		if field[1] == "tab" {
			b.token = field[2]
		} else {
			b.revision = field[2]
		}
	}
}

// answered is what came of a request.
type answered struct {
	StatusCode int
	Header     http.Header
}

func (b *tab) request(method, path, body string, header ...string) (answered, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, strings.TrimSuffix(b.kiosk.URL(), "/")+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answered{response.StatusCode, response.Header}, string(text)
}

func (b *tab) get(path string) string {
	b.t.Helper()
	response, text := b.request(http.MethodGet, path, "")
	if response.StatusCode != http.StatusOK {
		b.t.Fatalf("GET %s: %d", path, response.StatusCode)
	}
	return text
}

// do touches the screen as this tab knows it.
func (b *tab) do(doing string, fields ...string) {
	b.t.Helper()
	form := url.Values{"tab": {b.token}, "revision": {b.revision}, "do": {doing}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	response, text := b.request(http.MethodPost, "/do", form.Encode(), "Origin", strings.TrimSuffix(b.kiosk.URL(), "/"), "X-Kiosk", "1")
	if response.StatusCode == http.StatusNoContent {
		return // the same screen
	}
	if response.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %d %s", doing, response.StatusCode, text)
	}
	b.take(text)
}

func (b *tab) shows(state State) {
	b.t.Helper()
	if !strings.Contains(b.page, `data-state="`+string(state)+`"`) {
		b.t.Fatalf("does not show %s but %s", state, regexp.MustCompile(`data-state="[^"]*"`).FindString(b.page))
	}
}

func TestRatingByForms(t *testing.T) {
	k := run(t, configuration(t))
	b := k.open(t)
	b.shows(Idle)
	b.do("start")
	b.do("pick:2")
	b.shows(Reasons)
	b.do("toggle:on:waiting")
	b.do("next")
	b.do("say", "comment", "Chờ  lâu\r\nquá\x00")
	b.do("contact", "phone", "0912 345 678", "consent", "yes")
	b.shows(Thanks)
	if !strings.Contains(b.page, "<svg") || !strings.Contains(b.page, "qr") {
		t.Error("there is no code to say more by telephone")
	}
	b.do("done")
	b.shows(Idle)
	if got := k.notes.all()[0].told(); got != "2 reasons=0waiting 'Chờ  lâu\nquá' 0912345678/call-back-1 o1 c1 sealed 1" {
		t.Error(got)
	}
	if k.line.woken != 1 {
		t.Error("the uplink was not told")
	}
	// Without the script a form is answered by the page.
	response, _ := b.request(http.MethodPost, "/do", url.Values{"tab": {b.token}, "revision": {b.revision}, "do": {"start"}}.Encode(), "Origin", strings.TrimSuffix(k.URL(), "/"))
	if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/" {
		t.Errorf("a form is answered %d", response.StatusCode)
	}
	b.take(b.get("/"))
	b.shows(Ask)
}

func TestWhoMayAsk(t *testing.T) {
	k := run(t, configuration(t))
	b := k.open(t)
	own := strings.TrimSuffix(k.URL(), "/")
	_, port, _ := strings.Cut(k.Addr(), ":")
	touch := url.Values{"tab": {b.token}, "revision": {b.revision}, "do": {"start"}}.Encode()
	for _, c := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
	}{
		{"a name that points here", "GET", "/", "", []string{"Host", "evil.example:" + port}, 403},
		{"another port", "GET", "/", "", []string{"Host", "127.0.0.1:1"}, 403},
		{"localhost", "GET", "/screen", "", []string{"Host", "localhost:" + port}, 200},
		{"a page of another site opens it", "GET", "/", "", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"another program of this machine", "GET", "/", "", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"a form of another site", "POST", "/do", touch, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		{"a form of nobody", "POST", "/do", touch, []string{"Origin", "null"}, 403},
		{"a form without an origin", "POST", "/do", touch, nil, 403},
		{"a form that says it was typed", "POST", "/do", touch, []string{"Sec-Fetch-Site", "none"}, 403},
		{"no such event", "POST", "/do", url.Values{"tab": {b.token}, "revision": {b.revision}, "do": {"began:x"}}.Encode(), []string{"Origin", own}, 400},
		{"no revision", "POST", "/do", url.Values{"tab": {b.token}, "do": {"start"}}.Encode(), []string{"Origin", own}, 400},
		{"too much", "POST", "/do", "comment=" + strings.Repeat("x", maxBody), []string{"Origin", own}, 400},
		{"a call without a token", "POST", "/hook/wake", `{"counter":"c1"}`, []string{"Authorization", "Bearer guess"}, 401},
		{"a call from another site's page", "POST", "/hook/wake", `{"counter":"c1"}`, []string{"Authorization", "Bearer " + hookToken, "Origin", "https://evil.example"}, 403},
		{"nothing there", "GET", "/etc/passwd", "", nil, 404},
		{"outside of the prompts", "GET", "/prompt/vi/..%2f..%2fsecret", "", nil, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &tab{t: t, kiosk: k, client: b.client}
			response, _ := b.request(c.method, c.path, c.body, c.header...)
			if response.StatusCode != c.status {
				t.Errorf("answered %d, want %d", response.StatusCode, c.status)
			}
			if h := response.Header; !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers: %v", h)
			}
		})
	}
	if k.showing() != Idle {
		t.Errorf("one of them touched the screen: %s", k.showing())
	}
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "kiosk.example:0"} {
		if _, err := New(Options{Journal: k.notes, Uplink: k.line, Listen: address}); err == nil {
			t.Errorf("listens on %q", address)
		}
	}
}

func TestTabsAndStaleTouches(t *testing.T) {
	k := run(t, configuration(t))
	first := k.open(t)
	first.do("start")
	tapped := first.revision
	first.do("pick:2")
	first.revision = tapped
	first.do("again") // on its way while the screen changed
	first.shows(Reasons)
	second := k.open(t)
	second.shows(Reasons) // a browser that was started again
	first.do("done")
	first.shows("moved")
	second.do("next")
	second.shows(Words)
	third := &tab{t: t, kiosk: k, client: second.client, token: "guess", revision: second.revision}
	third.do("done")
	third.shows("moved")
	if k.showing() != Words {
		t.Errorf("an older tab touched the screen: %s", k.showing())
	}
}

// news reads the stream until an event with this name and data.
func (b *tab) news(want string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), browser.Limit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.kiosk.URL()+"events?tab="+b.token, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	event := ""
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && event+" "+data == want {
			return
		}
	}
	b.t.Fatalf("%q is not told: %v", want, lines.Err())
}

func TestTimeAndNews(t *testing.T) {
	k := run(t, configuration(t))
	b := k.open(t)
	b.do("start")
	b.do("pick:2")
	k.clock.Pass(25 * time.Second)
	b.news("warned 1")
	b.request(http.MethodPost, "/do", url.Values{"tab": {b.token}, "revision": {b.revision}, "do": {"stay"}}.Encode(), "Origin", strings.TrimSuffix(k.URL(), "/"))
	b.news("warned 0")
	k.clock.Pass(41 * time.Second)
	k.until(t, "idle", func(f *Flow) bool { return f.state == Idle })
	b.take(b.get("/screen?tab=" + b.token))
	b.shows(Idle)
	if got := k.notes.all(); got[0].sealed != 1 {
		t.Error("what was touched is not sealed")
	}
	k.open(t)
	b.news("moved 1")
	b.token = "another-start-1"
	b.news("restarted 1")
}

// Who is called is invited, also where the first question is who served.
func TestWhoIsCalledIsInvited(t *testing.T) {
	for name, state := range map[string]State{"chosen": Official, "on duty": Ask} {
		t.Run(name, func(t *testing.T) {
			k := run(t, configuration(t, func(c *pb.Configuration) { c.Settings.ChooseOfficial = state == Official }))
			b := k.open(t)
			if strings.Contains(b.page, "A012") {
				t.Fatal("somebody is called already")
			}
			k.event(t.Context(), Event{Name: Woken, Wake: Wake{Place: "ward/c1", Ticket: "A012"}})
			b.take(b.get("/screen?tab=" + b.token))
			b.shows(state)
			if !strings.Contains(b.page, `<p class="called">Mời ông/bà đánh giá`) || !strings.Contains(b.page, "A012") {
				t.Errorf("nobody is invited: %s", b.page)
			}
		})
	}
}

func TestHook(t *testing.T) {
	k := run(t, configuration(t, twoCounters))
	b := k.open(t)
	wake := func(body string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+k.HookAddr()+"/hook/wake", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+hookToken)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		var told struct{ Result string }
		if err := json.NewDecoder(response.Body).Decode(&told); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, told.Result
	}
	for _, c := range []struct {
		body, result string
		status       int
	}{
		{`{"counter":"9"}`, "counter_unknown", 404}, {`{"ticket":"A1"}`, "counter_unknown", 404}, {`{"counter":"2","official":"o9"}`, "official_unknown", 404},
		{`nonsense`, "json", 400}, {`{"counter":"2","ticket":"` + strings.Repeat("1", 65) + `"}`, "too_long", 400},
		{`{"counter":"2","ticket":"A012"}`, "shown", 200}, {`{"counter":"1","ticket":"A013"}`, "waits", 202},
	} {
		if status, result := wake(c.body); status != c.status || result != c.result {
			t.Errorf("%s: %d %s, want %d %s", c.body, status, result, c.status, c.result)
		}
	}
	b.take(b.get("/screen?tab=" + b.token))
	b.shows(Ask)
	if !strings.Contains(b.page, "Mời ông/bà đánh giá") || !strings.Contains(b.page, "A012") || !strings.Contains(b.page, "Quầy 2") {
		t.Error("who is called is not said")
	}
	// Nothing but the hook is served to the office's network.
	for path, want := range map[string]int{"/": 404, "/screen": 404, "/events": 404, "/photo/o1": 404, "/call/c1": 403} {
		response, err := http.Get("http://" + k.HookAddr() + path) //nolint:noctx // one request of a test
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s is answered %d", path, response.StatusCode)
		}
	}
}

// An official's own page: its address carries a key once, and one press calls.
func TestCallPage(t *testing.T) {
	k := run(t, configuration(t))
	page := browser.Open(t).Page(t, browser.Options{Width: 360, Height: 640})
	address := "http://" + k.HookAddr() + "/call/c1"
	page.Go(address + "?key=" + CallKey(hookToken, "c2"))
	page.WaitText("[role=status]", "đường dẫn riêng")
	page.ForgetConsole()
	page.Go(address + "?key=" + CallKey(hookToken, "c1"))
	if page.URL() != address {
		t.Errorf("the key stays in the address: %s", page.URL())
	}
	page.CheckAccessible()
	page.Fill("#ticket", "A044")
	page.Submit("text=Mời đánh giá")
	page.WaitText("[role=status]", "Đã mời trên màn hình")
	picture(page, "call-page")
	page.NoHorizontalScroll()
	page.CheckConsole()
	k.until(t, "called", func(f *Flow) bool { return f.state == Ask && f.session.ticket == "A044" })
}

func TestPhotosPromptsLanguages(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("prompts/tay/ask.mp3", "ID3 audio")
	write("secret.mp3", "secret")
	if err := os.Symlink("../../secret.mp3", filepath.Join(folder, "prompts", "tay", "idle.mp3")); err != nil {
		t.Fatal(err)
	}
	write("languages/tay.json", `{"kiosk.language": "Tày", "kiosk.ask.keep": "Tày {x}", "kiosk.tools": "Tày"}`)
	write("languages/km.json", `not JSON`)
	k := run(t, configuration(t, func(c *pb.Configuration) { c.Settings.Languages = []string{"vi", "tay", "km"} }), func(o *Options) { o.Folder = folder })
	k.line.photos = map[string][]byte{"o1": []byte("<script>"), "o2": {0xff, 0xd8, 0xff, 0xe0}}
	b := k.open(t)
	if !strings.Contains(b.page, ">Tày<") || strings.Contains(b.page, `value="language:km"`) {
		t.Error("the languages are not those whose words are at hand")
	}
	if strings.Contains(b.page, "data-prompt") {
		t.Error("a button without a prompt")
	}
	b.do("start")
	b.do("language:tay")
	if !strings.Contains(b.page, `data-prompt="/prompt/tay/ask"`) || !strings.Contains(b.page, `data-lang="tay"`) {
		t.Error("no prompt, or not the language")
	}
	b.do("pick:5")
	if got := k.notes.all()[0].start.Language; got != "tay" {
		t.Errorf("given in %q", got)
	}
	for path, want := range map[string]string{
		"/prompt/tay/ask": "audio/mpeg", "/prompt/tay/idle": "", "/prompt/vi/ask": "", "/prompt/..%2f/secret": "",
		"/photo/o1": "", "/photo/o2": "image/jpeg", "/photo/o3": "",
	} {
		response, _ := b.request(http.MethodGet, path, "")
		if kind := response.Header.Get("Content-Type"); want == "" && response.StatusCode != http.StatusNotFound || want != "" && kind != want {
			t.Errorf("%s: %d %s", path, response.StatusCode, kind)
		}
	}
}

func TestFullDisk(t *testing.T) {
	k := run(t, configuration(t))
	b := k.open(t)
	b.do("start")
	k.notes.refuseAll(errors.New("disk full"))
	b.do("pick:5")
	b.shows(Unkept)
	if !strings.Contains(b.page, "phiếu giấy") {
		t.Error("nobody is pointed to paper")
	}
	k.notes.refuseAll(nil)
	b.do("done")
	b.do("start")
	b.do("pick:5")
	k.notes.refuseAll(errors.New("disk full"))
	b.do("done")
	b.shows(Idle)
	k.notes.refuseAll(nil)
	k.sealAgain(t.Context())
	if got := k.notes.all(); len(got) != 1 || got[0].sealed != 1 {
		t.Errorf("what could not be sealed at first: %v", got)
	}
}

func TestQuietSign(t *testing.T) {
	k := run(t, configuration(t))
	b := k.open(t)
	for _, c := range []struct {
		name, link string
		connected  bool
		journal    []string
		sign       string
	}{
		{"all is well", "", true, nil, ""},
		{"no network", uplink.TroubleUnreachable, false, nil, "Ngoại tuyến"},
		{"revoked", uplink.TroubleRevoked, false, nil, "Máy đã bị thu hồi"},
		{"nearly full", uplink.TroubleUnreachable, false, []string{"storage_low"}, "Ổ đĩa sắp đầy"},
		{"a trouble without words", "", true, []string{"new_trouble"}, "Trở ngại (new_trouble)"},
	} {
		k.notes.mu.Lock()
		k.notes.troubles = c.journal
		k.notes.mu.Unlock()
		k.lookAtJournal(t.Context())
		k.line.set(func(l *line) { l.state.Connected, l.state.Trouble = c.connected, c.link })
		k.until(t, "told", func(*Flow) bool { return k.link.Trouble == c.link && k.link.Connected == c.connected })
		b.take(b.get("/screen?tab=" + b.token))
		if c.sign == "" && strings.Contains(b.page, `class="quiet"`) || !strings.Contains(b.page, c.sign) {
			t.Errorf("%s: no sign %q", c.name, c.sign)
		}
	}
}

func TestSignInOutlivesTheProgram(t *testing.T) {
	config := configuration(t, func(c *pb.Configuration) { c.Officials[1].PinHash = pinHash("4711") })
	k := run(t, config)
	b := k.open(t)
	b.do("staff")
	b.do("pick:o2")
	b.do("pin", "pin", "1234")
	if !strings.Contains(b.page, "không đúng") {
		t.Error("a wrong PIN is not said to be one")
	}
	b.do("pin", "pin", "4 711")
	b.shows(Staff)
	b.do("sign_in:ward/c1")
	again := run(t, config, func(o *Options) { again := &notebook{kept: k.notes.kept}; o.Journal = again })
	b = again.open(t)
	b.do("start")
	b.do("pick:5")
	if got := again.options.Journal.(*notebook).all()[0].start.OfficialID; got != "o2" {
		t.Errorf("served by %q", got)
	}
}

func TestEnrolling(t *testing.T) {
	k := run(t, nil, func(o *Options) { o.Server = "" })
	k.line.set(func(l *line) { l.state = uplink.State{} })
	k.until(t, "not enrolled", func(f *Flow) bool { return !f.setting.Enrolled })
	answers := make(chan error)
	k.line.enroll = func(server, code string) error {
		if server != "https://hailong.example.vn" {
			t.Errorf("asks %q", server)
		}
		return <-answers
	}
	b := k.open(t)
	for err, words := range map[error]string{
		fault.New(fault.Unauthenticated, "enrollment_code_wrong"):                     "không đúng hoặc đã được dùng",
		fault.New(fault.Unauthenticated, "enrollment_code_expired"):                   "đã hết hạn",
		fault.New(fault.Unavailable, "kioskuplink_portal"):                            "đòi đăng nhập",
		fault.New(fault.Invalid, "kioskuplink_server_plain", "server", "http://a.vn"): "Địa chỉ http://a.vn không mã hóa",
		status.Error(codes.Unavailable, "x"):                                          "Không nối được",
		fault.New(fault.Internal, "internal"):                                         "Chưa ghi danh được",
		errors.New("x"):                                                               "Chưa ghi danh được",
	} {
		b.do("code", "code", "7F3K-9QWD-XM2P", "server", " https://hailong.example.vn/ ")
		b.shows(Setup)
		if !strings.Contains(b.page, "Đang nối") {
			t.Error("nothing says that it is under way")
		}
		answers <- err
		k.until(t, "told", func(f *Flow) bool { return !f.busy })
		b.take(b.get("/screen?tab=" + b.token))
		if !strings.Contains(b.page, words) {
			t.Errorf("%v is not told as %q", err, words)
		}
	}
	b.do("code", "code", "7F3K-9QWD-XM2P", "server", "https://hailong.example.vn")
	answers <- nil
	k.until(t, "enrolled", func(f *Flow) bool { return f.state == Ready })
	k.line.set(func(l *line) {
		l.state, l.config = uplink.State{Enrolled: true, DeviceName: "Kiosk 1"}, configuration(t)
	})
	k.until(t, "configured", func(f *Flow) bool { return f.setting.Configuration != nil })
	b.take(b.get("/screen?tab=" + b.token))
	b.shows(Ready)
	if !strings.Contains(b.page, "Kiosk 1, sảnh chính") || !strings.Contains(b.page, "Quầy 1") {
		t.Error("what it is and where it stands is not said")
	}
}

package citizen_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// visitor is somebody with a browser that does not follow where it is sent.
type visitor struct {
	t       *testing.T
	program *webtest.Program
	headers map[string]string
}

func (v visitor) do(method, path string, form url.Values) (code int, body string, header http.Header) {
	v.t.Helper()
	code, body, header, err := v.try(v.t.Context(), method, path, form)
	if err != nil {
		v.t.Fatal(err)
	}
	return code, body, header
}

func (v visitor) try(ctx context.Context, method, path string, form url.Values) (int, string, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, method, v.program.HTTP+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", nil, err
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range v.headers {
		request.Header.Set(name, value)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), response.Header, err
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)"`)

// open fetches the form and answers what its hidden fields hold.
func (v visitor) open(place string) url.Values {
	v.t.Helper()
	code, body, _ := v.do("GET", "/r/"+place, nil)
	if code != http.StatusOK {
		v.t.Fatalf("the form is answered %d", code)
	}
	return fields(body)
}

func fields(body string) url.Values {
	form := url.Values{}
	for _, match := range hidden.FindAllStringSubmatch(body, -1) {
		form.Add(match[1], html.UnescapeString(match[2]))
	}
	return form
}

func with(form url.Values, pairs ...string) url.Values {
	changed := url.Values{}
	for name, values := range form {
		changed[name] = append([]string(nil), values...)
	}
	for i := 0; i < len(pairs); i += 2 {
		changed.Set(pairs[i], pairs[i+1])
	}
	return changed
}

// found are the ratings of a unit whose comment holds words.
func found(t *testing.T, program *webtest.Program, unit, text string) []*pb.ListedRating {
	t.Helper()
	listed, err := pb.NewRatingServiceClient(program.Conn(t, webtest.Leader)).ListRatings(t.Context(), &pb.ListRatingsRequest{
		UnitId: unit, Text: text, Channels: []pb.Channel{pb.Channel_CHANNEL_WEB},
	})
	if err != nil {
		t.Fatal(err)
	}
	return listed.GetRatings()
}

func TestWhatIsWrongIsSaidAndNothingIsLost(t *testing.T) {
	program := webtest.Shared(t)
	v := visitor{t: t, program: program}
	place := program.WardCounters[0]
	const thanks, mend, fresh = http.StatusSeeOther, http.StatusUnprocessableEntity, http.StatusConflict
	for _, c := range []struct {
		name  string
		pairs []string
		code  int
		says  string
	}{
		{"content", []string{"score", "5"}, thanks, ""},
		{"discontent with everything", []string{"score", "1", "reason", "waiting", "comment", "Chờ lâu", "call_back", "yes", "phone", "0912 345 678", "name", "Bà Tư"}, thanks, ""},
		{"no face", []string{"comment", "Chờ lâu"}, mend, "Xin chọn một khuôn mặt."},
		{"a face that is none", []string{"score", "6", "comment", "Chờ lâu"}, mend, "Xin chọn một khuôn mặt."},
		{"a reason that is none", []string{"score", "2", "reason", "weather"}, thanks, ""},
		{"10,000 letters", []string{"score", "2", "comment", strings.Repeat("ế", 10_000)}, thanks, ""},
		{"10,000 letters, decomposed", []string{"score", "2", "comment", strings.Repeat("e\u0302\u0301", 10_000)}, thanks, ""},
		{"10,001 letters", []string{"score", "2", "comment", strings.Repeat("ế", 10_000) + "x"}, mend, "Góp ý dài 10.001 ký tự, nhiều nhất được 10.000"},
		{"100,000 letters", []string{"score", "2", "comment", strings.Repeat("ế", 100_000)}, mend, "Góp ý dài 100.000 ký tự"},
		{"a telephone number without consent", []string{"score", "2", "phone", "0912345678"}, mend, "xin đánh dấu đồng ý"},
		{"consent without a number", []string{"score", "2", "call_back", "yes"}, mend, "Xin ghi số điện thoại"},
		{"a number that is none", []string{"score", "2", "call_back", "yes", "phone", "gọi cho tôi"}, mend, "Số điện thoại chưa đúng"},
		{"a name without end", []string{"score", "2", "call_back", "yes", "phone", "0912345678", "name", strings.Repeat("a", 201)}, mend, "Tên dài quá 200"},
		{"content after all, with a number left over", []string{"score", "5", "phone", "không nhớ", "reason", "waiting"}, thanks, ""},
		{"a tampered page", []string{"score", "2", "comment", "Chờ lâu", "form_token", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, fresh, "Trang trước không còn dùng được"},
		{"a page without a token", []string{"score", "2", "comment", "Chờ lâu", "form_token", ""}, thanks, ""},
		{"another rating's page", []string{"score", "2", "comment", "Chờ lâu", "rating_id", "0198f6c0-0000-7000-8000-000000000000"}, fresh, "Trang trước không còn dùng được"},
		{"a form that was changed", []string{"score", "2", "comment", "Chờ lâu", "questionnaire", "kiosk@99"}, fresh, "Mẫu phiếu vừa được thay đổi"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := visitor{t: t, program: program}
			before := v.open(place)
			form := with(before, c.pairs...)
			code, body, header := v.do("POST", "/r/"+place, form)
			if code != c.code || !strings.Contains(html.UnescapeString(body), c.says) {
				t.Fatalf("%d %.2000s, want %d with %q", code, body, c.code, c.says)
			}
			if code == thanks {
				to, want := header.Get("Location"), "/r/"+place+"/thanks?lang=vi"
				if form.Get("call_back") != "" && form.Get("score") < "4" { // it becomes a case, to which the token of the form leads
					want += "&rating=" + form.Get("rating_id") + "&token=" + form.Get("form_token")
				}
				if to != want {
					t.Errorf("sent to %s, want %s", to, want)
				}
				return
			}
			if typed := form.Get("comment"); !strings.Contains(html.UnescapeString(body), ">"+typed+"</textarea>") {
				t.Error("the comment is not kept")
			}
			if typed := form.Get("phone"); typed != "" && !strings.Contains(html.UnescapeString(body), `value="`+typed+`"`) {
				t.Error("the number is not kept")
			}
			after := fields(body)
			if same := after.Get("rating_id") == before.Get("rating_id"); same != (c.code == mend) {
				t.Errorf("the rating is %q after %q", after.Get("rating_id"), before.Get("rating_id"))
			}
			if c.code == fresh {
				again := with(form, "rating_id", after.Get("rating_id"), "form_token", after.Get("form_token"), "questionnaire", after.Get("questionnaire"))
				if code, body, _ := v.do("POST", "/r/"+place, again); code != thanks {
					t.Errorf("the fresh form is answered %d %s", code, body)
				}
			}
		})
	}
	t.Run("a page of another place", func(t *testing.T) {
		form := with(v.open(program.CommuneCounters[0]), "score", "2", "comment", "Chờ lâu")
		if code, body, _ := v.do("POST", "/r/"+place, form); code != fresh || !strings.Contains(body, "Chờ lâu") {
			t.Errorf("%d %s", code, body)
		}
	})
	t.Run("bytes that are no text are refused, not a fault of ours", func(t *testing.T) {
		form := with(v.open(place), "score", "4", "comment", "\xff\xfe")
		if code, body, _ := v.do("POST", "/r/"+place, form); code != http.StatusBadRequest {
			t.Errorf("%d %s", code, body)
		}
	})
	t.Run("markup stays text", func(t *testing.T) {
		form := with(v.open(place), "comment", webtest.Markup+"</textarea>")
		if _, body, _ := v.do("POST", "/r/"+place, form); strings.Contains(body, "<script>document") || strings.Contains(body, "<img") {
			t.Errorf("%s", body)
		}
	})
}

func TestSentTwiceIsOnce(t *testing.T) {
	program := webtest.Shared(t)
	v := visitor{t: t, program: program}
	place := program.CommuneCounters[0]
	form := with(v.open(place), "score", "2", "comment", "Gửi hai lần vẫn là một")
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			code, body, _, err := v.try(context.Background(), "POST", "/r/"+place, form)
			if err != nil || code != http.StatusSeeOther {
				t.Errorf("%d %v %s", code, err, body)
			}
		})
	}
	group.Wait()
	if got := found(t, program, program.CommuneOffice, "gui hai lan"); len(got) != 1 || got[0].GetOverallScore() != 2 {
		t.Errorf("%d are stored: %v", len(got), got)
	}
	t.Run("other content from the same page is not lost, and said", func(t *testing.T) {
		code, body, _ := v.do("POST", "/r/"+place, with(form, "score", "4"))
		if code != http.StatusConflict || !strings.Contains(body, "đã được ghi nhận") || !strings.Contains(body, "Gửi hai lần vẫn là một") {
			t.Errorf("%d %s", code, body)
		}
	})
}

func TestWrongOriginIsRefused(t *testing.T) {
	program := webtest.Shared(t)
	place := program.WardCounters[0]
	for name, headers := range map[string]map[string]string{
		"another origin": {"Origin": "https://evil.example"}, "another site": {"Sec-Fetch-Site": "cross-site"},
	} {
		v := visitor{t: t, program: program, headers: headers}
		form := with(v.open(place), "score", "1")
		if code, body, _ := v.do("POST", "/r/"+place, form); code != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
}

func TestThanksTellNothing(t *testing.T) {
	program := webtest.Shared(t)
	v := visitor{t: t, program: program}
	place := program.WardCounters[0]
	form := with(v.open(place), "score", "1", "comment", "Không ai được đọc")
	_, _, header := v.do("POST", "/r/"+place, form)
	code, body, _ := v.do("GET", header.Get("Location"), nil)
	if code != http.StatusOK || strings.Contains(body, "Không ai được đọc") || strings.Contains(body, form.Get("rating_id")) {
		t.Errorf("%d %s", code, body)
	}
	if kept := header.Get("Cache-Control"); kept != "no-store" {
		t.Errorf("a shared machine keeps the page: %q", kept)
	}
	if cookies := header.Values("Set-Cookie"); len(cookies) != 0 && strings.Contains(fmt.Sprint(cookies), form.Get("rating_id")) {
		t.Errorf("cookies %v", cookies)
	}
}

// An official who is signed in rates the own office: nothing of the account is in the rating.
func TestSignedInIsNobody(t *testing.T) {
	program := webtest.Shared(t)
	v := visitor{t: t, program: program, headers: map[string]string{"Cookie": "hailong_session=" + program.SignIn(t, webtest.Operator)}}
	place := program.WardCounters[1]
	form := with(v.open(place), "score", "4", "comment", "Tôi là người trong nhà")
	if code, body, _ := v.do("POST", "/r/"+place, form); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, body)
	}
	answer, err := pb.NewRatingServiceClient(program.Conn(t, "")).CreateRating(t.Context(), &pb.CreateRatingRequest{
		FormToken: form.Get("form_token"), Rating: &pb.Rating{
			Id: form.Get("rating_id"), UnitId: program.WardOffice, CounterId: place, Channel: pb.Channel_CHANNEL_WEB, QuestionnaireId: "kiosk",
			QuestionnaireVersion: 1, OverallScore: 4, Language: "vi",
		}, Private: &pb.Private{Comment: "Tôi là người trong nhà"},
	})
	if err != nil || answer.GetOutcome() != pb.Outcome_OUTCOME_DUPLICATE {
		t.Errorf("what nobody would have sent is not the same: %v, %v", answer, err)
	}
}

// clock goes with the time and can be set ahead.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func TestPageLeftOpen(t *testing.T) {
	c := &clock{}
	program := webtest.Start(t, webtest.Change(func(config *server.Config) { config.Clock = c.Now }))
	v := visitor{t: t, program: program}
	place := program.WardCounters[0]
	form := with(v.open(place), "score", "2", "comment", "Để qua đêm", "reason", "late")
	c.ahead.Store(int64(25 * time.Hour))
	code, body, _ := v.do("POST", "/r/"+place, form)
	if code != http.StatusConflict || !strings.Contains(body, "mở quá một ngày") || !strings.Contains(body, "Để qua đêm") {
		t.Fatalf("%d %s", code, body)
	}
	if !strings.Contains(body, `value="2" checked`) || !strings.Contains(body, `value="late" checked`) {
		t.Error("what was chosen is not kept")
	}
}

func TestEngineDown(t *testing.T) {
	program := webtest.Start(t, webtest.OwnMongoDB())
	place := program.WardCounters[0]
	page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
	page.Go(program.HTTP + "/r/" + place)
	page.Click(`label[for="s2"]`)
	page.Fill("#comment", "Máy chủ nghỉ mà lời vẫn còn")
	program.EngineDown(t)
	if status := page.Submit(`button[type="submit"]`); status != http.StatusServiceUnavailable {
		t.Fatalf("answered %d: %s", status, page.Text("body"))
	}
	page.WaitText("h1", "Chưa gửi được")
	page.Screenshot("citizen-down-phone-vi")
	page.CheckAccessible()
	page.ForgetConsole()
	program.EngineUp(t)
	for deadline := time.Now().Add(2 * time.Minute); ; {
		if status := page.Submit(`button[type="submit"]`); status == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not recover")
		}
	}
	page.WaitText("h1", "Đã nhận")
	if got := found(t, program, program.WardOffice, "loi van con"); len(got) != 1 {
		t.Errorf("%d are stored", len(got))
	}
}

var errPressure = errors.New("the address is not under pressure")

// press sends ratings from the browser's address until work is asked, and goes on until ctx ends.
func press(ctx context.Context, t *testing.T, program *webtest.Program) (stop func()) {
	t.Helper()
	conn := program.Conn(t, "")
	once := func(ctx context.Context) error {
		form, err := pb.NewCitizenServiceClient(conn).GetForm(ctx, &pb.GetFormRequest{Place: program.Empty})
		if err != nil {
			return err
		}
		_, err = pb.NewRatingServiceClient(conn).CreateRating(ctx, &pb.CreateRatingRequest{FormToken: form.GetFormToken(), Rating: &pb.Rating{
			Id: form.GetRatingId(), UnitId: form.GetUnitId(), Channel: pb.Channel_CHANNEL_WEB, QuestionnaireId: "kiosk", QuestionnaireVersion: 1, OverallScore: 3,
		}})
		return err
	}
	var err error
	for range 1000 {
		if err = once(ctx); err != nil {
			break
		}
	}
	if err == nil {
		t.Fatal(errPressure)
	}
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		ticker := time.NewTicker(20 * time.Millisecond) // the budget gives back five a second
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				_ = once(ctx)
			}
		}
	})
	return func() {
		cancel()
		group.Wait()
	}
}

// Five hundred requests a second from one address, pages and forms with and without a token, while a person elsewhere rates.
func TestFlood(t *testing.T) {
	program := webtest.Start(t, webtest.Change(func(config *server.Config) { config.TrustedProxies = "127.0.0.1" }))
	place := program.WardCounters[0]
	script := visitor{t: t, program: program, headers: map[string]string{"X-Forwarded-For": "203.0.113.66"}}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	var sent, refused atomic.Int64
	due := make(chan int, 64)
	for range 16 {
		group.Go(func() {
			for i := range due {
				method, form := "GET", url.Values(nil)
				if i%2 == 1 {
					method, form = "POST", url.Values{"score": {"1"}, "questionnaire": {"kiosk@1"}, "form_token": {strings.Repeat("A", 28)[:i%3*14]}}
				}
				if code, _, _, err := script.try(ctx, method, "/r/"+place, form); err == nil {
					sent.Add(1)
					if code == http.StatusTooManyRequests {
						refused.Add(1)
					}
				}
			}
		})
	}
	group.Go(func() {
		defer close(due)
		ticker := time.NewTicker(2 * time.Millisecond)
		defer ticker.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			select {
			case due <- i:
			default: // the machine cannot send more
			}
		}
	})
	defer group.Wait()
	defer cancel()
	for deadline := time.Now().Add(2 * time.Minute); refused.Load() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("of %d requests none was refused", sent.Load())
		}
	}
	page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
	began := time.Now()
	for i := range 3 {
		page.Go(program.HTTP + "/r/" + place)
		page.Click(`label[for="s4"]`)
		page.Fill("#comment", fmt.Sprintf("Giữa lúc dồn dập %d", i))
		if status := page.Submit(`button[type="submit"]`); status != http.StatusOK {
			t.Fatalf("answered %d: %s", status, page.Text("body"))
		}
		page.WaitText("h1", "Đã nhận")
	}
	t.Logf("%d sent, %d refused; three ratings in a browser took %v", sent.Load(), refused.Load(), time.Since(began))
	if got := found(t, program, program.WardOffice, "giua luc don dap"); len(got) != 3 {
		t.Errorf("%d are stored", len(got))
	}
}

// held sends a form from a page until it is held back: now and then the budget has just given one back.
func held(t *testing.T, page *browser.Page, address, comment string) {
	t.Helper()
	for range 50 {
		page.Go(address)
		page.Click(`label[for="s2"]`)
		page.Fill("#comment", comment)
		if page.Submit(`button[type="submit"]`) == http.StatusTooManyRequests {
			return
		}
		comment += "." // what got through is not counted
	}
	t.Fatal(errPressure)
}

func TestUnderPressure(t *testing.T) {
	program := webtest.Start(t)
	address := program.HTTP + "/r/" + program.WardCounters[0]
	t.Run("the script does the work and sends", func(t *testing.T) {
		page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
		stop := press(t.Context(), t, program)
		defer stop()
		held(t, page, address, "Đông người mà vẫn gửi được")
		began := time.Now()
		page.WaitText("h1", "Đã nhận")
		t.Logf("the work took %v", time.Since(began))
		if got := found(t, program, program.WardOffice, "van gui duoc"); len(got) == 0 {
			t.Error("nothing is stored")
		}
	})
	t.Run("without a script one waits and presses again", func(t *testing.T) {
		page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640, NoScript: true})
		stop := press(t.Context(), t, program)
		defer stop()
		held(t, page, address, "Không có JavaScript vẫn gửi được")
		page.WaitText("h1", "Đang đông người gửi")
		page.Screenshot("citizen-wait-phone-vi")
		page.NoHorizontalScroll()
		stop()
		for deadline := time.Now().Add(time.Minute); ; {
			if page.Submit(`button[type="submit"]`) == http.StatusOK {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("it is never let in")
			}
		}
		page.WaitText("h1", "Đã nhận")
		if got := found(t, program, program.WardOffice, "khong co javascript"); len(got) == 0 {
			t.Error("nothing is stored")
		}
	})
}

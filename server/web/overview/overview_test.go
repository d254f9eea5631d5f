package overview_test

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

func TestLook(t *testing.T) {
	p := webtest.Shared(t)
	counted(t, p, p.WardOffice)
	for _, view := range []webtest.View{
		{Who: webtest.Leader, Path: "/units/" + p.Top, Name: "overview-province"},
		{Who: webtest.Official, Path: "/units/" + p.WardOffice, Name: "overview-office"},
		{Who: webtest.Leader, Path: "/units/" + p.WardOffice + "/counters/" + p.WardCounters[1], Name: "overview-counter"},
		{Who: webtest.Leader, Path: "/follow-ups", Name: "follow-ups"},
		{Who: webtest.Administrator, Path: "/units?q=xa", Name: "overview-find"},
	} {
		p.Look(t, view)
	}
}

func TestLookAtWhatIsOpenOrWrong(t *testing.T) {
	p := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{Width: 320})
	p.GiveSession(t, page, webtest.Leader)
	for _, c := range []struct {
		name, path string
		status     int
	}{
		{"all open", "/units/" + p.Top, http.StatusOK},
		{"suppressed", "/units/" + p.Quiet, http.StatusOK},
		{"empty", "/units/" + p.Empty, http.StatusOK},
		{"wrong", "/units/" + p.Top + "?from=2026-05-01&to=2026-01-01", http.StatusUnprocessableEntity},
		{"follow-ups open", "/follow-ups", http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			page := page.In(t)
			if status := page.Go(p.HTTP + c.path); status != c.status {
				t.Errorf("answered %d", status)
			}
			browser.Eval[bool](page, `(document.querySelectorAll("details").forEach(d => d.open = true), true)`)
			page.NoHorizontalScroll()
			page.CheckAccessible()
			page.CheckConsole()
		})
	}
}

func day(t *testing.T, p *webtest.Program, ago int) string {
	t.Helper()
	answer, err := pb.NewAnalyticsServiceClient(p.Conn(t, webtest.Leader)).GetUnitSummary(t.Context(), &pb.GetUnitSummaryRequest{UnitId: p.Top})
	if err != nil {
		t.Fatal(err)
	}
	return string(localday.Day(answer.GetTo()).Add(-ago))
}

func TestPeriods(t *testing.T) {
	p := webtest.Shared(t)
	v := p.Visitor(t, webtest.Leader)
	today := day(t, p, 0)
	const reversed, wrong = "Khoảng thời gian bị ngược", "xin viết dạng năm-tháng-ngày"
	for name, c := range map[string]struct {
		query  url.Values
		status int
		says   string
	}{
		"nothing asked":             {nil, 200, "Diễn biến tỷ lệ hài lòng"},
		"one day":                   {url.Values{"from": {day(t, p, 3)}, "to": {day(t, p, 3)}}, 200, "Mức độ hài lòng"},
		"today":                     {url.Values{"from": {today}, "to": {today}}, 200, ""},
		"ten years":                 {url.Values{"from": {day(t, p, 3651)}, "to": {today}}, 200, "Mức độ hài lòng"},
		"a hundred years":           {url.Values{"from": {"1926-01-01"}, "to": {today}}, 422, "Khoảng thời gian quá dài"},
		"the future":                {url.Values{"from": {day(t, p, -100)}, "to": {day(t, p, -200)}}, 200, "Chưa có lượt đánh giá nào"},
		"reversed":                  {url.Values{"from": {today}, "to": {day(t, p, 9)}}, 422, reversed},
		"no day":                    {url.Values{"from": {"2026-02-30"}, "to": {today}}, 422, wrong},
		"words":                     {url.Values{"from": {"hôm qua"}}, 422, wrong},
		"markup":                    {url.Values{"from": {`"><script>alert(1)</script>`}}, 422, wrong},
		"a number":                  {url.Values{"from": {"99999999999999999999"}}, 422, wrong},
		"only an end":               {url.Values{"to": {day(t, p, 9)}}, 200, ""},
		"an unknown channel":        {url.Values{"channel": {"CHANNEL_PIGEON"}}, 200, ""},
		"an unspecified channel":    {url.Values{"channel": {"CHANNEL_UNSPECIFIED"}}, 200, ""},
		"a channel":                 {url.Values{"channel": {"CHANNEL_PAPER"}}, 200, "Mức độ hài lòng"},
		"as today":                  {url.Values{"tree": {"today"}}, 200, `value="today" selected`},
		"an unknown tree":           {url.Values{"tree": {"oak"}}, 200, ""},
		"a year before":             {url.Values{"with": {"year"}}, 200, `value="year" selected`},
		"an other period, not said": {url.Values{"with": {"other"}}, 200, ""},
		"an other period, reversed": {url.Values{"with": {"other"}, "other_from": {today}, "other_to": {day(t, p, 9)}}, 422, reversed},
		"29 February":               {url.Values{"with": {"year"}, "from": {"2024-02-29"}, "to": {"2024-02-29"}}, 200, "Chưa có lượt"},
	} {
		for _, path := range []string{"/units/" + p.Top, "/follow-ups"} {
			if path == "/follow-ups" && (c.query.Has("with") || c.query.Has("from") && c.says == "Khoảng thời gian quá dài") {
				continue
			}
			t.Run(name+path[:6], func(t *testing.T) {
				answer := v.Get(path + "?" + c.query.Encode())
				if answer.Status != c.status {
					t.Errorf("answered %d, want %d\n%.3000s", answer.Status, c.status, answer.Body)
				}
				if strings.HasPrefix(path, "/units") && !strings.Contains(answer.Body, c.says) {
					t.Errorf("it does not say %q:\n%.6000s", c.says, answer.Body)
				}
				if strings.Contains(answer.Body, "<script>alert") || strings.Contains(answer.Body, "NaN") || strings.Contains(answer.Body, "Inf%") {
					t.Error("markup or no number on the page")
				}
				if answer.Status == http.StatusUnprocessableEntity {
					if !strings.Contains(answer.Body, `role="alert"`) || !strings.Contains(answer.Body, "<details open>") {
						t.Error("the form to mend is not open")
					}
				}
			})
		}
	}
}

func TestSmallCellsAreNotShown(t *testing.T) {
	p := webtest.Shared(t)
	v := p.Visitor(t, webtest.Leader)
	today, long := day(t, p, 0), day(t, p, 90)
	answer := v.Get("/units/" + p.Quiet + "?from=" + long + "&to=" + today)
	if answer.Status != http.StatusOK || !strings.Contains(answer.Body, "quá ít phiếu") {
		t.Errorf("answered %d; a single rating is not said to be too few:\n%s", answer.Status, answer.Body)
	}
	for _, secret := range []string{"0,0&nbsp;%", "100,0", "0,0 %", "vắng, chỉ có một mình"} {
		if strings.Contains(answer.Body, secret) {
			t.Errorf("the page of a single rating says %q", secret)
		}
	}
	if answer := v.Get("/units/" + p.Empty); answer.Status != http.StatusOK || !strings.Contains(answer.Body, "Chưa có lượt đánh giá nào") || strings.Contains(answer.Body, "<svg class=\"chart") {
		t.Errorf("a unit without ratings is answered %d\n%s", answer.Status, answer.Body)
	}
	// The parent's ranking names it without its figure.
	top := v.Get("/units/" + p.Top + "?from=" + long + "&to=" + today).Body
	if !strings.Contains(top, "Xã Vắng Khách") {
		t.Error("the quiet commune is not on the province's page")
	}
}

func TestOnlyWhatIsBelowIsThere(t *testing.T) {
	p := webtest.Shared(t)
	for _, who := range []webtest.Who{webtest.CommuneLeader, webtest.Official} {
		v := p.Visitor(t, who)
		other := map[webtest.Who]string{webtest.CommuneLeader: p.Ward, webtest.Official: p.CommuneOffice}[who]
		for _, path := range []string{
			"/units/" + other, "/units/" + p.Top, "/units/" + other + "/live", "/units/nowhere", "/units/" + p.WardOffice + "x/counters/" + p.WardCounters[0],
			"/units/" + p.Top + "/counters/" + p.WardCounters[0], "/follow-ups?unit=" + other, "/follow-ups.csv?unit=" + other,
		} {
			answer := v.Get(path)
			if answer.Status != http.StatusNotFound {
				t.Errorf("%s gets %s answered %d", who, path, answer.Status)
			}
			for _, name := range []string{"Phường Sông Xanh", "Tỉnh Thử Nghiệm"} {
				if strings.Contains(answer.Body, name) {
					t.Errorf("%s reads of %s at %s", who, name, path)
				}
			}
		}
	}
	leader := p.Visitor(t, webtest.CommuneLeader)
	if answer := leader.Post("/follow-ups/"+p.Ward+"/note", url.Values{"from": {day(t, p, 30)}, "to": {day(t, p, 0)}, "reason": {"không được"}}); answer.Status != http.StatusNotFound {
		t.Errorf("a note elsewhere is answered %d", answer.Status)
	}
	if found := leader.Get("/units?q=song"); strings.Contains(found.Body, "Sông Xanh") {
		t.Error("the search finds a unit elsewhere")
	}
	own := leader.Get("/units/" + p.CommuneOffice)
	if own.Status != http.StatusOK || strings.Contains(own.Body, "Tỉnh Thử Nghiệm") {
		t.Errorf("the own unit is answered %d; the crumbs begin above it", own.Status)
	}
	official := p.Visitor(t, webtest.Official)
	if answer := official.Get("/units/" + p.WardOffice); strings.Contains(answer.Body, "/ratings?") {
		t.Error("an official is led to single ratings")
	}
	if answer := p.Visitor(t, webtest.Operator).Get("/units/" + p.Top); answer.Status != http.StatusNotFound {
		t.Errorf("an operator gets figures answered %d", answer.Status)
	}
}

// counted waits until the counters of a unit are counted, which is done a little after the unit itself.
func counted(t *testing.T, p *webtest.Program, unit string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C {
		answer, err := pb.NewAnalyticsServiceClient(p.Conn(t, webtest.Leader)).ListFacets(t.Context(), &pb.ListFacetsRequest{
			UnitId: unit, From: day(t, p, 90), To: day(t, p, 0), Kind: pb.FacetKind_FACET_KIND_COUNTER,
		})
		switch {
		case err != nil:
			t.Fatal(err)
		case len(answer.GetFacets()) > 1:
			return
		case time.Now().After(deadline):
			t.Fatalf("the counters are not counted: %v", answer)
		}
	}
}

func TestDownToACounterAndBack(t *testing.T) {
	p := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, page, webtest.Leader)
	page.Go(p.HTTP + "/units/" + p.Top)
	page.Follow("text=90 ngày")
	counted(t, p, p.WardOffice)
	from := browser.Eval[string](page, `new URL(location.href).searchParams.get("from")`)
	if from != day(t, p, 90) && from != day(t, p, 89) || page.Text(".periods [aria-current]") != "90 ngày" {
		t.Errorf("90 days begin at %q, current %q", from, page.Text(".periods [aria-current]"))
	}
	for _, step := range []struct{ selector, title string }{
		{`#figures a[href*="` + p.Ward + `"]`, "Phường Sông Xanh"},
		{`#figures a[href*="` + p.WardOffice + `"]`, "Bộ phận Một cửa phường Sông Xanh"},
		{`#figures a[href*="/counters/` + p.WardCounters[1] + `"]`, `Quầy 2: Đất đai & <b>"Xây dựng"</b>`},
		{`.crumbs a[href*="` + p.WardOffice + `"]`, "Bộ phận Một cửa phường Sông Xanh"},
		{`.crumbs li:first-child a`, "Tỉnh Thử Nghiệm"},
	} {
		if status := page.Follow(step.selector); status != http.StatusOK || page.Text("h1") != step.title {
			t.Errorf("%s leads to %q with %d", step.selector, page.Text("h1"), status)
		}
		if !strings.Contains(page.URL(), "from="+from) {
			t.Errorf("the period is lost at %s", page.URL())
		}
	}
	page.Back()
	page.WaitText("h1", "Bộ phận Một cửa phường Sông Xanh")
	page.Back()
	page.WaitText("h1", "Quầy 2")
	page.CheckConsole()
}

// A counter is shown by whole months, but none of its days is yet to come; where it has no ratings the page says so and leads on.
func TestCounterByMonths(t *testing.T) {
	p := webtest.Shared(t)
	counted(t, p, p.WardOffice)
	v := p.Visitor(t, webtest.Leader)
	path := "/units/" + p.WardOffice + "/counters/" + p.WardCounters[0]
	today := web.Day(language.Vietnamese, day(t, p, 0))
	for name, c := range map[string]struct {
		query  url.Values
		status int
		says   []string
	}{
		"by default":   {nil, 200, []string{"đến " + today + ".", `aria-current="true">30 ngày`, "Tỷ lệ hài lòng theo tháng"}},
		"three months": {url.Values{"from": {day(t, p, 90)}, "to": {day(t, p, 0)}}, 200, []string{"đến " + today + ".", `aria-current="true">90 ngày`}},
		"long ago":     {url.Values{"from": {"2020-02-10"}, "to": {"2020-02-11"}}, 200, []string{"Từ 01/02/2020 đến 29/02/2020", "chưa có lượt đánh giá nào", "12 tháng"}},
		"to come":      {url.Values{"from": {"2090-02-10"}, "to": {"2090-02-11"}}, 200, []string{"Từ 01/02/2090 đến 28/02/2090", "chưa có lượt đánh giá nào"}},
	} {
		t.Run(name, func(t *testing.T) {
			answer := v.Get(path + "?" + c.query.Encode())
			if answer.Status != c.status {
				t.Fatalf("answered %d", answer.Status)
			}
			for _, want := range append(c.says, "Quầy 1: Hộ tịch, chứng thực") {
				if !strings.Contains(answer.Body, want) {
					t.Errorf("it does not say %q\n%.5000s", want, answer.Body)
				}
			}
		})
	}
	for _, none := range []string{"/units/" + p.WardOffice + "/counters/none", "/units/" + p.CommuneOffice + "/counters/" + p.WardCounters[0]} {
		if answer := v.Get(none); answer.Status != http.StatusNotFound {
			t.Errorf("%s is answered %d", none, answer.Status)
		}
	}
	office := v.Get("/units/" + p.WardOffice).Body
	if !strings.Contains(office, "Tính theo cả tháng, từ 01/") || !strings.Contains(office, "đến "+today+", nên số lượt ở đây có thể khác") {
		t.Error("the unit's page does not say why its counters have other numbers")
	}
}

func TestOtherPeriodByTheForm(t *testing.T) {
	p := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	p.GiveSession(t, page, webtest.Leader)
	page.Go(p.HTTP + "/units/" + p.Commune)
	page.Click("main > details > summary")
	page.Fill("#from", day(t, p, 20))
	page.Fill("#to", day(t, p, 0))
	page.Fill("#with", "other")
	page.Fill("#other_from", day(t, p, 60))
	page.Fill("#other_to", day(t, p, 40))
	page.Fill("#tree", "today")
	page.Submit("text=Xem")
	date := func(ago int) string {
		parts := strings.Split(day(t, p, ago), "-")
		return parts[2] + "/" + parts[1] + "/" + parts[0]
	}
	page.WaitText("#h-compared", "So với kỳ "+date(60)+" – "+date(40))
	page.WaitText(".lead", "Từ "+date(20)+" đến "+date(0))
	if page.Value("#other_from") != day(t, p, 60) || page.Value("#tree") != "today" || page.Value("#with") != "other" {
		t.Error("the form forgets what was asked")
	}
}

func TestFollowUpsFile(t *testing.T) {
	p := webtest.Shared(t)
	answer := p.Visitor(t, webtest.Leader).Get("/follow-ups.csv?from=" + day(t, p, 60) + "&to=" + day(t, p, 0))
	if answer.Status != http.StatusOK || answer.Header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(answer.Header.Get("Content-Disposition"), "attachment; filename=") {
		t.Fatalf("answered %d with %v", answer.Status, answer.Header)
	}
	body, bom := strings.CutPrefix(answer.Body, "\ufeff")
	if !bom {
		t.Error("a spreadsheet does not see that it is UTF-8")
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if rows[0][0] != "Đơn vị" || !strings.HasPrefix(rows[1][0], "Xã Đồi Nắng") && !strings.HasPrefix(rows[1][0], "Bộ phận Một cửa xã") {
		t.Errorf("rows %q", rows[:2])
	}
	if share := rows[1][5]; !strings.Contains(share, ",") || strings.Contains(share, ".") {
		t.Errorf("a share is %q: Vietnamese spreadsheets read a decimal comma", share)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("a spreadsheet would run %q", cell)
			}
		}
	}
}

func TestPageIsLightAndStandsStill(t *testing.T) {
	p := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, page, webtest.Leader)
	page.Go(p.HTTP + "/units/" + p.Top + "?from=" + day(t, p, 90) + "&to=" + day(t, p, 0))
	weight := page.Weight()
	t.Logf("%d bytes: %v", weight.Total(), weight)
	if weight.Total() > 120_000 {
		t.Errorf("the page weighs %d bytes: %v", weight.Total(), weight)
	}
	for _, kind := range []string{"document", "stylesheet", "script", "font"} {
		if weight[kind] == 0 {
			t.Errorf("no %s was weighed: %v", kind, weight)
		}
	}
	timings := page.Timings()
	t.Logf("%+v", timings)
	if shift := page.LayoutShift(); shift >= 0.1 {
		t.Errorf("the page moves by %v while it loads", shift)
	}
	page.CheckConsole()
}

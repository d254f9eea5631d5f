package ratings_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

func TestLook(t *testing.T) {
	p := webtest.Shared(t)
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/ratings?unit=" + p.Commune + "&score=1&score=2", Name: "ratings"})
	p.Look(t, webtest.View{
		Who: webtest.CommuneLeader, Path: "/ratings?unit_name=nowhere&from=2026-11-22&to=2026-11-21&reason=x&channel=CHANNEL_WEB", Name: "ratings-wrong",
		Status: http.StatusUnprocessableEntity,
	})
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/ratings?unit=" + p.Empty + "&text=duong", Name: "ratings-none"})
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/ratings?unit_name=xa", Name: "ratings-choice"})
}

// open is the page of somebody signed in.
func open(t *testing.T, p *webtest.Program, who webtest.Who, options browser.Options) *browser.Page {
	t.Helper()
	page := browser.Open(t).Page(t, options)
	p.GiveSession(t, page, who)
	return page
}

// days is a period that holds all ratings of the province.
func days(t *testing.T) url.Values {
	t.Helper()
	first, last := span()
	return url.Values{"from": {first}, "to": {last}}
}

func span() (first, last string) {
	today := localday.Day(pageToday())
	return string(today.Add(-webtest.Days - 2)), string(today)
}

// Without JavaScript everything works by pressing the button, and what was typed and ticked is kept.
func TestWithoutScript(t *testing.T) {
	p := webtest.Shared(t)
	page := open(t, p, webtest.Leader, browser.Options{NoScript: true})
	if status := page.Go(p.HTTP + "/ratings"); status != http.StatusOK || page.Text("#results h2") != "Tỉnh Thử Nghiệm" {
		t.Fatalf("%d, %q: an account begins with its own unit", status, page.Text("#results h2"))
	}
	page.Click("details summary")
	first, _ := span()
	page.Fill(`[name="from"]`, first)
	page.Fill(`[name="unit_name"]`, "doi nang")
	page.Fill(`[name="text"]`, "duong vao")
	page.Click("#score-1")
	if status := page.Submit(`[role="search"] [type="submit"]`); status != http.StatusOK {
		t.Fatal(status)
	}
	if choice := page.Texts(".rt-choice a"); !slices.Equal(choice, []string{"Xã Đồi Nắng", "Bộ phận Một cửa xã Đồi Nắng"}) {
		t.Fatalf("units to choose from: %q", choice)
	}
	page.Follow(`.rt-choice a`)
	if page.Value(`[name="unit_name"]`) != "Xã Đồi Nắng" || page.Value(`[name="text"]`) != "duong vao" || !page.Checked("#score-1") {
		t.Errorf("what was asked for is not kept: %q, %q, %v", page.Value(`[name="unit_name"]`), page.Value(`[name="text"]`), page.Checked("#score-1"))
	}
	for _, words := range page.Texts(".rt-words") {
		if !strings.Contains(words, "Đường vào") {
			t.Errorf("a comment without the words: %q", words)
		}
	}
	if page.Count(".rt-one") == 0 || page.Count(".rt-one") != page.Count(".rt-words") {
		t.Errorf("%d ratings, %d comments", page.Count(".rt-one"), page.Count(".rt-words"))
	}
	page.Fill(`[name="unit_name"]`, norm.NFD.String("bộ phận một cửa XA DOI NANG"))
	page.Submit(`[role="search"] [type="submit"]`)
	if page.Text("#results h2") != "Bộ phận Một cửa xã Đồi Nắng" {
		t.Errorf("a name typed in full means one unit: %q", page.Text("#results"))
	}
	page.CheckConsole()
}

// While somebody types only the results change; the address then holds the question.
func TestTypingChangesOnlyTheResults(t *testing.T) {
	p := webtest.Shared(t)
	page := open(t, p, webtest.Leader, browser.Options{})
	page.Go(p.HTTP + "/ratings?unit=" + p.Commune + "&" + days(t).Encode())
	before := page.Count(".rt-one")
	page.Fill(`[name="text"]`, "")
	page.Type(norm.NFD.String("đợi hơn"))
	page.Until(`document.querySelectorAll(".rt-one").length > 0 && [...document.querySelectorAll(".rt-one")].every(e => (e.querySelector(".rt-words")?.textContent ?? "").normalize("NFC").includes("Đợi hơn"))`)
	if after := page.Count(".rt-one"); after >= before {
		t.Errorf("%d ratings before, %d after", before, after)
	}
	if focus := page.Focused(); !strings.Contains(focus, "text") || page.Value(`[name="text"]`) == "" {
		t.Errorf("the focus is at %s", focus)
	}
	address, err := url.Parse(page.URL())
	if err != nil || address.Query().Get("text") == "" || address.Query().Get("unit") != p.Commune {
		t.Errorf("the address is %s", page.URL())
	}
	count := page.Count(".rt-one")
	page.Reload()
	if again := page.Count(".rt-one"); again != count {
		t.Errorf("%d ratings, %d when opened again", count, again)
	}
	page.Fill(`[name="text"]`, "…")
	page.WaitText("#results", "Chưa có từ nào để tìm")
	if page.Value(`[name="text"]`) != "…" {
		t.Error("what was typed is gone")
	}
}

func TestOlderAndNewer(t *testing.T) {
	p := webtest.Shared(t)
	page := open(t, p, webtest.CommuneLeader, browser.Options{})
	page.Go(p.HTTP + "/ratings?" + days(t).Encode())
	var pages [][]string
	seen := map[string]bool{}
	for {
		ids := listed(page)
		for _, id := range ids {
			if seen[id] {
				t.Errorf("%s comes twice", id)
			}
			seen[id] = true
		}
		pages = append(pages, ids)
		if !page.Exists(`#results [rel="next"]`) {
			break
		}
		page.Follow(`#results [rel="next"]`)
	}
	if len(seen) != p.Count(p.Commune) || len(pages) != 4 {
		t.Errorf("%d ratings on %d pages, want %d on 4", len(seen), len(pages), p.Count(p.Commune))
	}
	for i := len(pages) - 2; i >= 0; i-- {
		page.Follow(`#results [rel="prev"]`)
		if ids := listed(page); !slices.Equal(ids, pages[i]) {
			t.Errorf("page %d is another when come back to", i+1)
		}
	}
	if page.Exists(`#results [rel="prev"]`) {
		t.Error("there is nothing newer than the first page")
	}
	for _, given := range p.Given {
		if seen[given.GetId()] {
			t.Errorf("an office's own leader reads the id of a rating: %s", given.GetId())
		}
	}
}

// A page of fifty ratings is light, and stands still while it loads.
func TestWeight(t *testing.T) {
	p := webtest.Shared(t)
	page := open(t, p, webtest.Leader, browser.Options{})
	page.Go(p.HTTP + "/ratings")
	if weight := page.Weight(); weight.Total() > 120<<10 || weight["document"] > 16<<10 {
		t.Errorf("%d bytes: %v", weight.Total(), weight)
	} else {
		t.Logf("%d bytes: %v", weight.Total(), weight)
	}
	if shift := page.LayoutShift(); shift > 0.01 {
		t.Errorf("the page shifts by %v", shift)
	}
}

func TestMarkupIsText(t *testing.T) {
	p := webtest.Shared(t)
	page := open(t, p, webtest.Leader, browser.Options{})
	asked := days(t)
	asked.Set("unit", p.Commune)
	asked.Set("text", "script")
	page.Go(p.HTTP + "/ratings?" + asked.Encode())
	if words := page.Texts(".rt-words"); len(words) == 0 || words[0] != webtest.Markup {
		t.Errorf("%q", words)
	}
	if page.Exists(".rt-one img, .rt-one script") || strings.Contains(page.Text("title"), "hỏng") {
		t.Error("markup of a comment runs")
	}
	asked = days(t)
	for name := range map[string]bool{"unit_name": true, "text": true, "reason": true, "from": true, "page": true, "back": true} {
		asked.Set(name, `"><script>document.title="hỏng"</script>`)
	}
	page.Go(p.HTTP + "/ratings?" + asked.Encode())
	if page.Exists("main script") || Title(page) == "hỏng" {
		t.Error("markup of the address runs")
	}
}

func TestHostileAddresses(t *testing.T) {
	p := webtest.Shared(t)
	first, last := span()
	for name, c := range map[string]struct {
		who    webtest.Who
		query  string
		status int
		words  string
	}{
		"a deleted bookmark":    {webtest.Leader, "unit=khong-con", http.StatusNotFound, ""},
		"outside the subtree":   {webtest.CommuneLeader, "unit=" + p.Ward, http.StatusNotFound, ""},
		"above the subtree":     {webtest.CommuneLeader, "unit=" + p.Top, http.StatusNotFound, ""},
		"one who may not":       {webtest.Official, "", http.StatusNotFound, ""},
		"reversed":              {webtest.Leader, "from=" + last + "&to=" + first, http.StatusUnprocessableEntity, "#from-error"},
		"too long":              {webtest.Leader, "from=1950-01-01", http.StatusUnprocessableEntity, "#from-error"},
		"no day":                {webtest.Leader, "from=hôm+nay", http.StatusUnprocessableEntity, "#from-error"},
		"a token of nobody":     {webtest.Leader, "page=xyz", http.StatusUnprocessableEntity, ".problem"},
		"a long token":          {webtest.Leader, "page=" + strings.Repeat("x", 5000), http.StatusUnprocessableEntity, ".problem"},
		"a unit nobody has":     {webtest.Leader, "unit_name=Xã+Không+Có", http.StatusUnprocessableEntity, "#unit_name-error"},
		"a sibling by its name": {webtest.CommuneLeader, "unit_name=Phường+Sông+Xanh", http.StatusUnprocessableEntity, "#unit_name-error"},
		"a reason of no form":   {webtest.Leader, "reason=waiting", http.StatusUnprocessableEntity, "#reason-error"},
		"channels and scores":   {webtest.Leader, "channel=CHANNEL_77&score=9&score=-1&score=1&score=1", http.StatusOK, "#results"},
		"ten years":             {webtest.Leader, "from=2017-01-01", http.StatusOK, ".rt-one"},
		"the future":            {webtest.Leader, "from=2400-01-01&to=2400-01-02", http.StatusOK, ".empty"},
		"a unit without any":    {webtest.Leader, "unit=" + p.Empty, http.StatusOK, ".empty"},
		"a unit with one":       {webtest.Leader, "from=" + first + "&unit=" + p.Quiet, http.StatusOK, ".rt-one"},
		"bytes that are none":   {webtest.Leader, "text=%ff%fe", http.StatusOK, "#results"},
		"a long text":           {webtest.Leader, "text=" + strings.Repeat("x", 5000), http.StatusOK, ".empty"},
	} {
		t.Run(name, func(t *testing.T) {
			page := open(t, p, c.who, browser.Options{NoScript: true})
			if status := page.Go(p.HTTP + "/ratings?" + c.query); status != c.status {
				t.Errorf("%d, want %d: %s", status, c.status, page.Text("main"))
			}
			if c.words != "" && (!page.Exists(c.words) || page.Text(c.words) == "") {
				t.Errorf("there is no %s in %q", c.words, page.Text("main"))
			}
			if c.status == http.StatusNotFound && strings.Contains(page.Text("main"), "Sông Xanh") {
				t.Error("it tells of what is outside")
			}
		})
	}
}

// What changes the province has a program of its own.
func TestLongWordsCorrectionsAndEndedSessions(t *testing.T) {
	p := webtest.Start(t)
	desk := pb.NewRatingServiceClient(p.Conn(t, webtest.Operator))
	give := func(r *pb.Rating, comment string) string {
		t.Helper()
		r.UnitId, r.Channel, r.QuestionnaireId, r.QuestionnaireVersion = p.Quiet, pb.Channel_CHANNEL_PAPER, "kiosk", 1
		answer, err := desk.CreateRating(t.Context(), &pb.CreateRatingRequest{Rating: r, Private: &pb.Private{Comment: comment}})
		if err != nil || answer.GetOutcome() != pb.Outcome_OUTCOME_STORED {
			t.Fatal(answer, err)
		}
		return answer.GetRatingId()
	}
	give(&pb.Rating{OverallScore: 2}, strings.Repeat("dàikhôngdứt", 900))
	wrong := give(&pb.Rating{OverallScore: 1}, "gõ nhầm mức")
	give(&pb.Rating{OverallScore: 5, Revises: wrong, RevisionReason: "gõ nhầm"}, "")
	page := open(t, p, webtest.Leader, browser.Options{Width: 320, Height: 640})
	page.Go(p.HTTP + "/ratings?unit=" + p.Quiet)
	page.NoHorizontalScroll()
	page.Screenshot("ratings-long-phone-vi")
	if words := page.Text(".rt-words"); len([]rune(words)) > 1000 {
		t.Errorf("a comment of %d letters is shown whole", len([]rune(words)))
	}
	page.Click("text=Xem toàn bộ ý kiến")
	if words := page.Text("details[open] .rt-words"); len([]rune(words)) != 900*len([]rune("dàikhôngdứt")) {
		t.Errorf("%d letters when unfolded", len([]rune(words)))
	}
	page.NoHorizontalScroll()
	page.CheckAccessible()
	badges := page.Texts(".rt-one p > .badge")
	slices.Sort(badges)
	if fmt.Sprint(badges) != "[Phiếu đính chính Đã được đính chính bằng phiếu sau]" {
		t.Errorf("badges %v", badges)
	}
	page.CheckConsole()
	page.ClearCookies() // as when the session ends
	page.ForgetConsole()
	page.Fill(`[name="text"]`, "nham")
	page.WaitFor(`[name="password"]`)
	page.Fill(`[name="name"]`, string(webtest.Leader))
	page.Fill(`[name="password"]`, webtest.Password)
	page.Submit(`main form [type="submit"]`)
	if page.Value(`[name="text"]`) != "nham" || page.Count(".rt-one") != 1 {
		t.Errorf("what was typed before signing in again: %q, %d ratings, at %s", page.Value(`[name="text"]`), page.Count(".rt-one"), page.URL())
	}
}

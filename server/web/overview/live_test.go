package overview_test

import (
	"bufio"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// rate gives a unit one more rating.
func rate(t *testing.T, p *webtest.Program, unit string, score int32) {
	t.Helper()
	encoded, err := proto.Marshal(&pb.Rating{
		Id: uuid.Must(uuid.NewV7()).String(), UnitId: unit, Channel: pb.Channel_CHANNEL_WEB, QuestionnaireId: "kiosk", QuestionnaireVersion: 1,
		OverallScore: score, OccurredAt: timestamppb.Now(), Language: "vi",
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := pb.NewRatingServiceClient(p.Conn(t, webtest.Administrator)).SubmitRatings(t.Context(), &pb.SubmitRatingsRequest{Items: []*pb.SealedRating{{Rating: encoded}}})
	if err != nil || answer.GetOutcomes()[0].GetOutcome() != pb.Outcome_OUTCOME_STORED {
		t.Fatalf("%v, %v", answer, err)
	}
}

const total = `Array.from(document.querySelectorAll('[aria-labelledby="h-distribution"] td')).map(e => parseInt(e.textContent.replace(/[^0-9]/g, "")) || 0).join()`

func TestFiguresMoveWithoutReload(t *testing.T) {
	p := webtest.Start(t)
	page := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, page, webtest.Leader)
	page.Go(p.HTTP + "/units/" + p.WardOffice)
	page.Click(`[aria-labelledby="h-distribution"] summary`)
	page.Click("main > details > summary") // a form that somebody fills in meanwhile
	page.Fill("#from", "2026-01-02")
	page.Click(`[aria-labelledby="h-channels"] summary`)
	before := browser.Eval[string](page, total)
	browser.Eval[bool](page, "(window.sameDocument = true)")
	for range 6 { // fewer are not told at once, so that no single one is told from the difference
		rate(t, p, p.WardOffice, 5)
	}
	page.Until(total + " !== " + quote(before))
	if !browser.Eval[bool](page, "window.sameDocument === true") {
		t.Error("the page was loaded again")
	}
	for _, selector := range []string{`[aria-labelledby="h-distribution"] details`, `[aria-labelledby="h-channels"] details`, "main > details"} {
		if !browser.Eval[bool](page, "document.querySelector("+quote(selector)+").open") {
			t.Errorf("%s was closed", selector)
		}
	}
	if value := page.Value("#from"); value != "2026-01-02" {
		t.Errorf("what was typed is now %q", value)
	}
	page.CheckAccessible()
	page.CheckConsole()

	// Signing out ends the stream: whoever copied the session learns no more.
	copied := p.Visitor(t, "")
	for _, c := range page.Cookies() {
		copied.SetCookie(c.Name, c.Value)
	}
	request := copied.Request(http.MethodGet, "/units/"+p.WardOffice+"/live", nil)
	request.Header.Set("Accept", "text/event-stream")
	copied.Client.Timeout = 0
	response, err := copied.Client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" || response.StatusCode != http.StatusOK {
		t.Errorf("the stream is %d %q", response.StatusCode, got)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(response.Body)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
	}()
	if line := <-lines; line != "retry: 5000" {
		t.Errorf("the stream begins with %q", line)
	}
	page.Submit("text=Đăng xuất")
	for range 6 {
		rate(t, p, p.WardOffice, 1)
	}
	deadline := time.After(browser.Limit)
	for open := true; open; {
		var line string
		select {
		case line, open = <-lines:
			if strings.HasPrefix(line, "data:") {
				t.Error("the stream tells more after signing out")
			}
		case <-deadline:
			t.Fatal("the stream goes on after signing out")
		}
	}
	page.CheckConsole()
}

func TestNoteThatAFollowUpIsKnown(t *testing.T) {
	p := webtest.Start(t)
	page := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, page, webtest.Leader)
	path := "/follow-ups?from=" + day(t, p, 60) + "&to=" + day(t, p, 0)
	page.Go(p.HTTP + path)
	const reason = `=cmd|'/c calc'!A1 <script>alert(1)</script> đã họp với xã`
	page.Click("article details summary")
	page.Fill("article textarea", reason)
	if status := page.Submit("article details button"); status != http.StatusOK {
		t.Errorf("answered %d at %s", status, page.URL())
	}
	page.WaitText("[role=status]", "Đã ghi “đã nắm”.")
	page.WaitText(".notes", "lãnh đạo: "+reason)
	if !strings.Contains(page.URL(), "from="+day(t, p, 60)) {
		t.Errorf("the period is lost at %s", page.URL())
	}
	page.Reload() // and nothing is sent twice
	if notes := page.Count(".notes li"); notes != 1 || page.Exists("[role=status]") {
		t.Errorf("after reloading %d notes, or it is said again", notes)
	}
	page.CheckAccessible()
	v := p.Visitor(t, webtest.Leader)
	if file := v.Get(strings.Replace(path, "/follow-ups", "/follow-ups.csv", 1)).Body; !strings.Contains(file, "đã họp với xã") || strings.Contains(file, ",=cmd") || strings.Contains(file, `"=cmd`) {
		t.Errorf("the file says\n%s", file)
	}
	if top := v.Get("/units/" + p.Top + strings.TrimPrefix(path, "/follow-ups")).Body; !strings.Contains(top, `class="badge">Đã nắm`) {
		t.Error("the overview does not say that it is known")
	}
	audited, err := pb.NewOperationsServiceClient(p.Conn(t, webtest.Administrator)).ListAudit(t.Context(), &pb.ListAuditRequest{Action: "NoteFollowUp"})
	if err != nil || len(audited.GetEntries()) != 1 {
		t.Fatalf("the audit of notes holds %v, %v", audited, err)
	}
	noted := browser.Eval[string](page, `document.querySelector(".notes").closest("article").querySelector("form").action.split("/").at(-2)`)
	if entry := audited.GetEntries()[0]; entry.GetAccountName() != string(webtest.Leader) || entry.GetSubject() != noted || entry.GetOutcome() != "OK" {
		t.Errorf("the audit says %v, the note is about %s", entry, noted)
	}
	if answer := v.Post("/follow-ups/"+p.Commune+"/note", url.Values{"from": {day(t, p, 60)}, "to": {day(t, p, 0)}, "reason": {"hai"}, "back": {"//evil.example/"}}); answer.Status != http.StatusSeeOther || answer.Location() != "/" {
		t.Errorf("a hostile way back is answered %d to %q", answer.Status, answer.Location())
	}
	if answer := p.Visitor(t, webtest.Official).Post("/follow-ups/"+p.WardOffice+"/note", url.Values{"from": {day(t, p, 60)}, "to": {day(t, p, 0)}, "reason": {"tôi"}}); answer.Status != http.StatusNotFound {
		t.Errorf("an official's note is answered %d", answer.Status)
	}
	page.CheckConsole()
}

// A note that cannot be taken comes back in its form, with what is wrong beside the field and what was typed in it.
func TestNoteToBeMended(t *testing.T) {
	p := webtest.Shared(t)
	path := "/follow-ups?from=" + day(t, p, 60) + "&to=" + day(t, p, 0)
	v := p.Visitor(t, webtest.Leader)
	const empty, wrong, tooLong = "Xin ghi lý do, hoặc việc sẽ làm", "không có ký tự lạ", "nhiều nhất là 2.000"
	for name, c := range map[string]struct{ unit, typed, says string }{
		"nothing":                       {p.Commune, "", empty},
		"spaces":                        {p.Commune, "  ", empty},
		"too long":                      {p.Commune, strings.Repeat("dài ", 500) + "!", tooLong},
		"far too long":                  {p.Commune, strings.Repeat("dài ", 5000), tooLong},
		"letters that are none":         {p.Commune, "đã \a nắm", wrong},
		"markup":                        {p.Commune, "</textarea><script>alert(1)</script>\a", wrong},
		"about a unit without findings": {p.Ward, "  ", empty},
	} {
		t.Run(name, func(t *testing.T) {
			answer := v.Post("/follow-ups/"+c.unit+"/note", url.Values{"unit": {p.Top}, "from": {day(t, p, 60)}, "to": {day(t, p, 0)}, "reason": {c.typed}, "back": {path}})
			if answer.Status != http.StatusUnprocessableEntity {
				t.Fatalf("answered %d\n%.2000s", answer.Status, answer.Body)
			}
			for _, want := range []string{c.says, `<details open>`, html.EscapeString(strings.TrimSpace(c.typed)) + "</textarea>", `id="reason-` + c.unit + `-error"`, `value="` + html.EscapeString(path) + `"`} {
				if !strings.Contains(answer.Body, want) {
					t.Errorf("it is without %q", want)
				}
			}
			if strings.Contains(answer.Body, "<script>alert") {
				t.Error("markup runs")
			}
		})
	}
	// As a browser sends it: a line's end is one letter.
	lines := strings.TrimSuffix(strings.Repeat("dòng\r\n", 400), "\r\n")
	if answer := v.Post("/follow-ups/nowhere/note", url.Values{"unit": {p.Top}, "reason": {lines}}); answer.Status != http.StatusNotFound {
		t.Errorf("400 lines of a note about nowhere are answered %d", answer.Status)
	}
	if answer := v.Post("/follow-ups/"+p.Commune+"/note", url.Values{"from": {"hôm qua"}, "to": {day(t, p, 0)}, "reason": {"đã nắm"}}); answer.Status != http.StatusUnprocessableEntity {
		t.Errorf("days that are none are answered %d", answer.Status)
	}
	page := browser.Open(t).Page(t, browser.Options{Width: 320})
	p.GiveSession(t, page, webtest.Leader)
	page.Go(p.HTTP + path)
	page.Click("article details summary")
	browser.Eval[bool](page, `(document.querySelector("article textarea").removeAttribute("maxlength"), true)`)
	page.Fill("article textarea", strings.Repeat("đã họp với xã; ", 150))
	if status := page.Submit("article details button"); status != http.StatusUnprocessableEntity {
		t.Errorf("answered %d", status)
	}
	page.Screenshot("follow-ups-mend-phone-vi")
	page.NoHorizontalScroll()
	page.CheckAccessible()
	page.Fill("article details[open] textarea", " ") // what is typed now is taken
	if status := page.Follow("text=English"); status != http.StatusOK {
		t.Errorf("the other language is answered %d at %s", status, page.URL())
	}
}

func TestNamesWithMarkup(t *testing.T) {
	p := webtest.Start(t)
	directory := pb.NewDirectoryServiceClient(p.Conn(t, webtest.Administrator))
	name := `Xã <script>document.title="hỏng"</script>"><img src=x onerror=alert(1)> & 'nháy' {{.}}`
	unit, err := directory.CreateUnit(t.Context(), &pb.CreateUnitRequest{Unit: &pb.Unit{ParentId: p.Top, Code: "TN-99", Name: name, Level: "commune"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 12 {
		rate(t, p, unit.GetId(), 1)
	}
	p.Figures(t, p.Top, len(p.Given)+12)
	page := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, page, webtest.Leader)
	for _, path := range []string{"/units/" + unit.GetId(), "/units/" + p.Top, "/follow-ups", "/units?q=script"} {
		if status := page.Go(p.HTTP + path); status != http.StatusOK {
			t.Errorf("%s is answered %d", path, status)
		}
		if !browser.Eval[bool](page, "document.body.textContent.includes("+quote(name)+")") && path != "/units/"+p.Top { // names are clipped in drawings
			t.Errorf("%s does not show the name:\n%s", path, page.Text("main"))
		}
		if page.Exists("img[src=x]") || browser.Eval[bool](page, `document.title === "hỏng"`) {
			t.Errorf("%s runs the name", path)
		}
		page.CheckConsole()
	}
}

// quote is a text as JavaScript writes it.
func quote(text string) string {
	encoded, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text
	}
	return string(encoded)
}

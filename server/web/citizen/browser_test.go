package citizen_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/citizen"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// A person rates: on a small telephone, with scripts and without.
func TestRate(t *testing.T) {
	program := webtest.Shared(t)
	for name, options := range map[string]browser.Options{
		"script": {Width: 320, Height: 568}, "no script": {Width: 320, Height: 568, NoScript: true}, "desk": {},
	} {
		t.Run(name, func(t *testing.T) {
			page := browser.Open(t).Page(t, options)
			if status := page.Go(program.HTTP + "/r/" + program.WardCounters[0]); status != http.StatusOK {
				t.Fatal(status)
			}
			for _, unseen := range []string{".more", ".send"} {
				if page.Visible(unseen) {
					t.Errorf("%s shows before anything was chosen", unseen)
				}
			}
			page.Click("text=Hài lòng")
			if page.Visible(".why") || page.Visible(".call") || !page.Visible("#comment") || !page.Visible(".send") {
				t.Error("who is content is asked too much, or cannot send")
			}
			page.Click(`label[for="s1"]`)
			for _, seen := range []string{".why", ".call", "#comment", ".send"} {
				if !page.Visible(seen) {
					t.Errorf("%s does not show to who is not content", seen)
				}
			}
			if page.Checked("#call_back") || page.Visible("#phone") {
				t.Error("consent is given before it was asked")
			}
			page.Click(`label[for="r-waiting"]`)
			page.Click(`label[for="r-attitude"]`)
			comment := "Đợi hai tiếng, lần " + strings.ReplaceAll(name, " ", "-") + time.Now().Format("150405.000")
			page.Fill("#comment", comment)
			page.Click(`label[for="call_back"]`)
			page.Fill("#phone", "0912 345 678")
			if status := page.Submit(`button[type="submit"]`); status != http.StatusOK {
				t.Fatal(status)
			}
			page.WaitText("h1", "Đã nhận")
			if want := program.HTTP + "/r/" + program.WardCounters[0] + "/thanks?lang=vi&rating="; !strings.HasPrefix(page.URL(), want) {
				t.Errorf("at %s", page.URL())
			}
			page.CheckConsole()
			got := found(t, program, program.WardOffice, comment)
			if len(got) != 1 || got[0].GetOverallScore() != 1 || !got[0].GetCallBack() || len(got[0].GetAnswers()) != 1 || len(got[0].GetAnswers()[0].GetChoices()) != 2 {
				t.Errorf("stored: %v", got)
			}
			t.Run("back, and again", func(t *testing.T) {
				page := page.In(t)
				page.Back()
				page.WaitFor(".faces")
				page.Click(`label[for="s5"]`)
				page.Fill("#comment", "Lần hai của "+comment)
				if status := page.Submit(`button[type="submit"]`); status != http.StatusOK && status != http.StatusConflict {
					t.Errorf("answered %d", status)
				}
			})
		})
	}
}

func TestKeyboardAlone(t *testing.T) {
	program := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{})
	page.Go(program.HTTP + "/r/" + program.CommuneCounters[0])
	page.Press("Tab", "Tab", "Space")
	page.Until(`document.querySelector("[name=score]:checked")`)
	page.Press("ArrowDown", "ArrowDown", "ArrowDown")
	page.Until(`document.querySelector("[name=score]:checked").value === "2"`)
	page.Press("Tab", "Space")
	page.Until(`document.querySelector("[name=reason]:checked").value === "attitude"`)
	page.Until(`document.activeElement.name === "reason"`)
	for range 20 {
		if page.Focused() == "" || strings.Contains(page.Focused(), "button") {
			break
		}
		page.Press("Tab")
	}
	if status := page.PressAndLoad("Enter"); status != http.StatusOK {
		t.Errorf("answered %d", status)
	}
	page.WaitText("h1", "Đã nhận")
}

// A cold load over a bad connection: at most 50 KB for everything, no font, no script.
func TestWeight(t *testing.T) {
	program := webtest.Shared(t)
	for _, path := range []string{"", "/embed", "/thanks"} {
		page := browser.Open(t).Page(t, browser.Options{Width: 320})
		page.Go(program.HTTP + "/r/" + program.WardCounters[0] + path)
		weight := page.Weight()
		t.Logf("%s: %v", path, weight)
		if weight.Total() > 50_000 || weight["font"] > 0 || weight["script"] > 0 || weight.Total() == 0 {
			t.Errorf("%s weighs %v", path, weight)
		}
		if shift := page.LayoutShift(); shift > 0.01 {
			t.Errorf("%s shifts by %v", path, shift)
		}
	}
}

func TestEnglish(t *testing.T) {
	program := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{Width: 320})
	page.Go(program.HTTP + "/r/" + program.WardCounters[0])
	page.Follow("text=English")
	page.WaitText("h1", "How satisfied are you")
	page.Click("text=Dissatisfied")
	page.Submit(`button[type="submit"]`)
	page.WaitText("h1", "Thank you")
}

// The column in an office's own page: a listed origin may frame the form, and it works there; another may not, nor may anybody
// where none is listed.
func TestEmbed(t *testing.T) {
	program := webtest.Shared(t)
	place := program.CommuneCounters[1]
	for _, c := range []struct {
		name           string
		listed, framed bool
		path           string
	}{
		{"listed", true, true, "/embed"},
		{"not listed", false, false, "/embed"},
		{"listed, but the page that is not for frames", true, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var address string
			office := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = fmt.Fprintf(w, `<!doctype html><html lang="vi"><title>Ủy ban</title><link rel="icon" href="data:,"><h1>Ủy ban</h1><iframe title="Nhận xét" src="%s/r/%s%s" width="400" height="700"></iframe></html>`, address, place, c.path)
			}))
			defer office.Close()
			config := web.Config{
				Conn:    program.Conn(t, ""),
				Address: func(r *http.Request) string { host, _, _ := net.SplitHostPort(r.RemoteAddr); return host },
			}
			if c.listed {
				config.EmbedOrigins = []string{office.URL}
			}
			site, err := web.New(config)
			if err != nil {
				t.Fatal(err)
			}
			if err := citizen.Mount(site); err != nil {
				t.Fatal(err)
			}
			form := httptest.NewServer(site.Handler())
			defer form.Close()
			address = form.URL

			page := browser.Open(t).Page(t, browser.Options{})
			page.Go(office.URL)
			page.Weight() // everything is there
			if !c.framed {
				if told := strings.Join(page.ConsoleErrors(), "\n"); !strings.Contains(told, "frame-ancestors") {
					t.Errorf("the frame is not refused: %q", told)
				}
				return
			}
			page.CheckConsole()
			before := len(webRatings(t, program, program.CommuneOffice))
			page.Press("Tab", "Tab", "Space", "Tab", "Tab", "Enter") // language, the first face, comment, send
			for deadline := time.Now().Add(browser.Limit); len(webRatings(t, program, program.CommuneOffice)) == before; {
				if time.Now().After(deadline) {
					t.Fatal("what was sent from the frame did not arrive")
				}
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
}

func webRatings(t *testing.T, program *webtest.Program, unit string) []*pb.ListedRating {
	t.Helper()
	listed, err := pb.NewRatingServiceClient(program.Conn(t, webtest.Leader)).ListRatings(t.Context(), &pb.ListRatingsRequest{
		UnitId: unit, Channels: []pb.Channel{pb.Channel_CHANNEL_WEB}, Scores: []int32{5}, PageSize: 200,
	})
	if err != nil {
		t.Fatal(err)
	}
	return listed.GetRatings()
}

// What is wrong stands on top and beside its field, what was written stays, and mending it sends the same rating.
func TestMend(t *testing.T) {
	program := webtest.Shared(t)
	for _, in := range []string{"vi", "en"} {
		t.Run(in, func(t *testing.T) {
			page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
			page.Go(program.HTTP + "/r/" + program.WardCounters[0] + "?lang=" + in)
			page.Click(`label[for="s2"]`)
			page.Click(`label[for="r-late"]`)
			page.Fill("#comment", "Trễ hẹn ba lần")
			page.Click(`label[for="call_back"]`)
			page.Fill("#phone", "số cũ")
			id := page.Value(`[name="rating_id"]`)
			if status := page.Submit(`button[type="submit"]`); status != http.StatusUnprocessableEntity {
				t.Fatalf("answered %d", status)
			}
			if page.Value("#comment") != "Trễ hẹn ba lần" || !page.Checked("#r-late") || !page.Checked("#call_back") || page.Value("#phone") != "số cũ" || page.Value(`[name="rating_id"]`) != id {
				t.Error("what was given is not kept")
			}
			if page.Texts(".problems a")[0] != page.Text("#phone-error") {
				t.Errorf("on top %q, at the field %q", page.Texts(".problems a"), page.Text("#phone-error"))
			}
			page.Screenshot("citizen-mend-phone-" + in)
			page.NoHorizontalScroll()
			page.CheckAccessible()
			page.Fill("#phone", "+84 912 345 678")
			if status := page.Submit(`button[type="submit"]`); status != http.StatusOK {
				t.Errorf("answered %d", status)
			}
		})
	}
}

// A copied page: a fresh form with what was written, and why.
func TestCopiedPage(t *testing.T) {
	program := webtest.Shared(t)
	page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
	page.Go(program.HTTP + "/r/" + program.WardCounters[0])
	page.Click(`label[for="s3"]`)
	page.Fill("#comment", "Chép từ nơi khác")
	browser.Eval[bool](page, `(document.querySelector("[name=form_token]").value = "AbCd", true)`)
	if status := page.Submit(`button[type="submit"]`); status != http.StatusConflict {
		t.Errorf("answered %d", status)
	}
	page.WaitText(".notice", "vẫn còn ở dưới")
	page.Screenshot("citizen-copied-phone-vi")
	page.CheckAccessible()
	if status := page.Submit(`button[type="submit"]`); status != http.StatusOK {
		t.Errorf("the fresh form is answered %d", status)
	}
}

package chart

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
)

func TestMain(m *testing.M) { browser.Main(m) }

// crowded is charts whose texts are as long as they come.
func crowded() []shownDrawing {
	big := wilson(1_000_000, 1_234_567)
	ranking := Ranking{Title: "Dài", Parent: big, ParentName: hostile()[7]}
	reasons := Reasons{Title: "Dài", N: 1_234_567}
	channels := Channels{Title: "Dài", Pooled: big}
	for i, name := range append(hostile(), "Trung tâm Phục vụ hành chính công phường Tây Hồ") {
		ranking.Units = append(ranking.Units, Ranked{Name: name, Href: "/units/x", Figure: big, FollowUp: i%2 == 0}, Ranked{Name: name, Figure: Figure{Suppressed: true}})
		reasons.Reasons = append(reasons.Reasons, Reason{name, 1_234_567, ""})
		channels.Channels = append(channels.Channels, Channel{name, big})
	}
	var year []TrendPoint
	for i := range 400 {
		year = append(year, TrendPoint{time.Date(2025, 1, 1+i, 0, 0, 0, 0, time.UTC), wilson(50+i%50, 100)})
	}
	var heat Heat
	for day := range 7 {
		for hour := range 24 {
			heat.Cells[day][hour] = Figure{1, 0.9, 1, 100, false}
		}
	}
	return []shownDrawing{
		{"long-ranking", ranking}, {"long-reasons", reasons}, {"long-channels", channels}, {"long-interval", Interval{hostile()[7], wilson(1_234_567, 1_234_567), Good}},
		{"long-distribution", Distribution{Title: "Dài", Counts: [5]int{1_234_567, 1_234_567, 1_234_567, 0, 0}}},
		{"long-trend", Trend{Title: "Dài", Name: hostile()[7], BeforeName: hostile()[9], Points: year[:30], Before: year[100:130]}},
		{"long-year", Trend{Title: "Dài", Points: year}}, {"long-months", Trend{Title: "Dài", Points: year[:13], Monthly: true}}, {"long-heat", heat},
		{"long-difference", Difference{hostile()[7], -0.5, -0.9, 0.9, big, big, Bad}},
	}
}

// site serves a page of all charts in boxes of a width, under the policy that the pages have.
func site(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		if r.URL.Path == "/site.css" {
			w.Header().Set("Content-Type", "text/css")
			fmt.Fprint(w, siteSheet, `main{display:block}section{margin-bottom:2rem}`)
			fmt.Fprintf(w, `section{width:%spx}`, r.URL.Query().Get("width"))
			fmt.Fprint(w, Styles)
			return
		}
		if r.URL.Path == "/icon" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		l := language.Language(r.URL.Query().Get("language"))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="%s" class="%s"><head><meta name="viewport" content="width=device-width"><title>Charts</title><link rel="icon" href="/icon"><link rel="stylesheet" href="/site.css?width=%s"></head><body><main><h1>Charts</h1>`,
			l, r.URL.Query().Get("theme"), r.URL.Query().Get("width"))
		all := demonstration()
		if r.URL.Path == "/crowded" {
			all = crowded()
		}
		for _, d := range all {
			fmt.Fprintf(w, `<section id="box-%s">%s</section>`, d.name, Block(l, d.name, d.Drawing))
		}
		fmt.Fprint(w, `</main></body></html>`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// collisions lists drawn texts that leave their box or lie on one another.
const collisions = `(() => {
	const out = [];
	for (const svg of document.querySelectorAll(".chart-svg")) {
		const box = svg.getBoundingClientRect();
		const drawn = [...svg.querySelectorAll("text")].filter(e => getComputedStyle(e).visibility === "visible" && e.getClientRects().length && e.textContent.trim())
			.map(e => ({text: e.textContent, r: e.getBoundingClientRect()}));
		const where = svg.closest("section").id + ": ";
		for (const {text, r} of drawn) {
			if (r.left < box.left - 8 || r.right > box.right + 8) out.push(where + text.slice(0, 60) + " leaves its box: " + [r.left - box.left, r.right - box.right]);
		}
		for (let i = 0; i < drawn.length; i++) for (let j = 0; j < i; j++) {
			const a = drawn[i].r, b = drawn[j].r;
			const across = Math.min(a.right, b.right) - Math.max(a.left, b.left), down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
			if (across > 0 && down > 6) out.push(where + drawn[i].text.slice(0, 40) + " lies on " + drawn[j].text.slice(0, 40) + " by " + across);
		}
	}
	return out.slice(0, 20);
})()`

func TestTextsHaveRoom(t *testing.T) {
	base := site(t)
	page := browser.Open(t).Page(t, browser.Options{})
	for _, path := range []string{"/", "/crowded"} {
		for _, width := range []int{246, 330, 480, 660, 990} {
			for _, l := range language.All {
				t.Run(fmt.Sprintf("%s%d-%s", path, width, l), func(t *testing.T) {
					page := page.In(t)
					page.Go(fmt.Sprintf("%s%s?language=%s&width=%d", base, path, l, width))
					if found := browser.Eval[[]string](page, collisions); len(found) > 0 {
						t.Errorf("%s", strings.Join(found, "\n"))
					}
					page.CheckConsole()
				})
			}
		}
	}
}

func TestPageOfChartsIsAccessible(t *testing.T) {
	base := site(t)
	page := browser.Open(t).Page(t, browser.Options{})
	for _, c := range []struct{ language, theme, width string }{{"vi", "light", "288"}, {"en", "dark", "288"}, {"vi", "dark", "700"}} {
		t.Run(c.language+"-"+c.theme+"-"+c.width, func(t *testing.T) {
			page := page.In(t)
			page.Go(base + "/?language=" + c.language + "&theme=" + c.theme + "&width=" + c.width)
			page.CheckAccessible()
			page.CheckConsole()
		})
	}
	page.CheckKeyboard()
}

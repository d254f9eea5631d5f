package chart

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
)

// wilson is a figure of k among n, so that the demonstration looks as real figures do.
func wilson(k, n int) Figure {
	if n == 0 {
		return Figure{}
	}
	const z = 1.96
	p, m := float64(k)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return Figure{Value: p, Low: centre - half, High: centre + half, N: n, Suppressed: n < 10}
}

type shownDrawing struct {
	name string
	Drawing
}

// demonstration is every chart with data as an office has it.
func demonstration() []shownDrawing {
	random := rand.New(rand.NewPCG(1, 2))
	day := time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC)
	var points, before []TrendPoint
	for i := range 30 {
		n := 30 + random.IntN(50)
		at := day.AddDate(0, 0, i)
		if at.Weekday() == time.Sunday {
			n = 0
		}
		if at.Weekday() == time.Saturday {
			n = random.IntN(14)
		}
		points = append(points, TrendPoint{at, wilson(int(float64(n)*(0.78+0.003*float64(i)+0.06*random.Float64())), n)})
		before = append(before, TrendPoint{at.AddDate(0, 0, -30), wilson(int(float64(60)*(0.74+0.08*random.Float64())), 60)})
	}
	var months []TrendPoint
	for i := range 14 {
		months = append(months, TrendPoint{time.Date(2025, time.Month(10+i), 1, 0, 0, 0, 0, time.UTC), wilson(830+random.IntN(70), 1000)})
	}
	var year []TrendPoint
	for i := range 400 {
		n := 80 + random.IntN(60)
		year = append(year, TrendPoint{day.AddDate(0, 0, i-370), wilson(int(float64(n)*(0.8+0.05*math.Sin(float64(i)/40)+0.06*random.Float64())), n)})
	}
	names := []string{"Phường Hoàn Kiếm", "Phường Cửa Nam", "Phường Ba Đình", "Xã Sóc Sơn", "Phường Đống Đa", "Trung tâm Phục vụ hành chính công phường Tây Hồ",
		"Trung tâm Phục vụ hành chính công phường Vĩnh Tuy", "Xã Đông Anh", "Phường Long Biên", "Xã Ứng Hòa", "Xã Mỹ Đức", "Phường Hà Đông"}
	ranking := Ranking{Title: "Tỷ lệ hài lòng của các đơn vị", Parent: wilson(8123, 10000), ParentName: "Thành phố Hà Nội"}
	for i, name := range names {
		n := 40 + random.IntN(900)
		if i == 4 {
			n = 6
		}
		if i == 9 {
			n = 0
		}
		share := 0.93 - 0.022*float64(i)
		ranking.Units = append(ranking.Units, Ranked{Name: name, Href: fmt.Sprintf("/units/%d", i), Figure: wilson(int(float64(n)*share), n), FollowUp: i == 10 || i == 11})
	}
	var heat Heat
	heat.Title = "Không hài lòng theo thứ và giờ"
	for d := range 6 {
		for h := 7; h <= 17; h++ {
			n := random.IntN(120)
			if h == 12 {
				n = random.IntN(12)
			}
			if d == 5 && h > 11 {
				n = 0
			}
			heat.Cells[d][h] = wilson(int(float64(n)*(0.03+0.3*random.Float64()*random.Float64()+0.02*float64(h-7))), n)
		}
	}
	spark := Spark{Title: "Lượt đánh giá mỗi ngày", From: day}
	for i := range 30 {
		spark.Counts = append(spark.Counts, random.IntN(90)*min(1, (i+3)%7))
	}
	return []shownDrawing{
		{"interval-good", Interval{"Hài lòng", wilson(991, 1203), Good}},
		{"interval-bad", Interval{"Không hài lòng", wilson(87, 1203), Bad}},
		{"distribution", Distribution{Title: "Năm mức trả lời", Counts: [5]int{31, 56, 125, 411, 580}}},
		{"channels", Channels{Title: "Hài lòng theo kênh", Tone: Good, Pooled: wilson(991, 1203), Channels: []Channel{
			{"Màn hình tại quầy", wilson(702, 820)}, {"Trang web, mã QR", wilson(201, 271)}, {"Điện thoại", wilson(88, 105)}, {"Phiếu giấy", wilson(4, 7)}}}},
		{"trend", Trend{Title: "Hài lòng theo ngày", Name: "24/10/2026–22/11/2026", BeforeName: "24/09/2026–23/10/2026", Points: points, Before: before, Tone: Good}},
		{"trend-months", Trend{Title: "Hài lòng theo tháng", Points: months, Monthly: true}},
		{"trend-long", Trend{Title: "Hài lòng, 400 ngày", Points: year}},
		{"ranking", ranking},
		{"reasons", Reasons{Title: "Lý do không hài lòng", N: 87, Reasons: []Reason{{"Chờ lâu", 41, "/ratings?reason=wait"}, {"Phải đi lại nhiều lần", 29, ""},
			{"Hướng dẫn không rõ, hồ sơ phải bổ sung nhiều lần", 18, ""}, {"Thái độ phục vụ", 9, ""}, {"Nơi ngồi chờ, trang thiết bị", 4, ""}}}},
		{"heat", heat},
		{"difference-up", Difference{"Hài lòng so với kỳ trước", 0.032, 0.011, 0.053, wilson(991, 1203), wilson(950, 1200), Good}},
		{"difference-unsure", Difference{"Không hài lòng so với kỳ trước", -0.006, -0.031, 0.019, wilson(87, 1203), wilson(94, 1200), Bad}},
		{"spark", spark},
	}
}

// TestDemonstrationPage writes a page of all charts; `go test -artifacts` keeps it for people to look at.
func TestDemonstrationPage(t *testing.T) {
	for _, l := range language.All {
		for _, theme := range []string{"light", "dark"} {
			var page strings.Builder
			page.WriteString(`<!doctype html><html lang="` + string(l) + `" class="` + theme + `"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Charts</title><link rel="stylesheet" href="site.css"><main>`)
			for _, d := range demonstration() {
				svg := string(d.SVG(l, d.name))
				if len(svg) > 30_000 {
					t.Errorf("%s: %d bytes", d.name, len(svg))
				}
				t.Logf("%s %s: %d bytes", l, d.name, len(svg))
				fmt.Fprintf(&page, `<section class="%s"><h2>%s</h2>%s</section>`, d.name, d.name, Block(l, d.name, d.Drawing))
			}
			page.WriteString(`</main></html>`)
			if err := os.WriteFile(filepath.Join(t.ArtifactDir(), string(l)+"-"+theme+".html"), []byte(page.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "site.css"), []byte(siteSheet+Styles), 0o600); err != nil {
		t.Fatal(err)
	}
}

// siteSheet stands for the sheet of the site: its properties, light and dark.
const siteSheet = `:root{--ink:#1b1f24;--ink-soft:#55606b;--line:#d3d9df;--paper:#fff;--accent:#1f5f99;--bad:#a8382c;--neutral:#80868c;--good:#2f7d4f;--band:#dbe7f2}
.dark{--ink:#e8eaed;--ink-soft:#a9b1ba;--line:#3a424b;--paper:#171b20;--accent:#7fb5e6;--bad:#f08a7e;--neutral:#8d959d;--good:#7cc79a;--band:#23394d}
html{background:var(--paper);color:var(--ink);font:16px/1.5 "Noto Sans",sans-serif}body{margin:0}main{max-width:70rem;margin:0 auto;padding:1rem;display:grid;gap:2.5rem 3rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr))}
section{min-width:0}.ranking,.trend,.trend-long{grid-column:1/-1}h2{font-size:1rem;margin:0 0 .75rem}.chart-data{overflow-x:auto}`

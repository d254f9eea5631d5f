package web_test

import (
	"testing"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/server/web"
)

func TestPeriods(t *testing.T) {
	for name, c := range map[string]struct{ today, from, to, current string }{
		"nothing asked":        {"2026-11-22", "", "", "month"},
		"only until today":     {"2026-11-22", "", "2026-11-22", "month"},
		"until another day":    {"2026-11-22", "", "2026-11-20", ""},
		"a week":               {"2026-11-22", "2026-11-16", "2026-11-22", "week"},
		"a week ago":           {"2026-11-22", "2026-11-16", "2026-11-21", ""},
		"this year":            {"2026-11-22", "2026-01-01", "", "year"},
		"today":                {"2026-11-22", "2026-11-22", "2026-11-22", "today"},
		"twelve months":        {"2026-11-22", "2025-11-23", "2026-11-22", "twelve"},
		"what is no day":       {"2026-11-22", "hôm qua", "", ""},
		"the year began today": {"2026-01-01", "2026-01-01", "2026-01-01", "today year"},
	} {
		t.Run(name, func(t *testing.T) {
			current := ""
			for _, p := range web.Periods(localday.Day(c.today), c.from, c.to, func(from, to string) string { return from + " " + to }) {
				if p.Current {
					current += " " + p.Key
				}
				if p.Link[:10] > p.Link[11:] || p.Link[11:] != c.today {
					t.Errorf("%s is %s", p.Key, p.Link)
				}
			}
			if current != "" {
				current = current[1:]
			}
			if current != c.current {
				t.Errorf("current is %q, want %q", current, c.current)
			}
		})
	}
}

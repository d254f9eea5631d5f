package web

import "github.com/hailong-vn/hailong/internal/localday"

// Period is a period one press away. Its words are web.period.KEY; the part "periods" draws a row of them.
type Period struct {
	Key     string
	Link    string
	Current bool
}

// Periods are the periods that pages offer, each up to today; link answers the address of a page over other days. The days that a
// page was asked for tell which one it shows: where none are asked for that is the last thirty days and today.
func Periods(today localday.Day, from, to string, link func(from, to string) string) []Period {
	var list []Period
	for _, p := range []struct {
		key   string
		first localday.Day
	}{
		{"today", today}, {"week", today.Add(-6)}, {"month", today.Add(-30)}, {"quarter", today.Add(-90)},
		{"year", localday.Day(string(today)[:4] + "-01-01")}, {"twelve", today.Add(-364)},
	} {
		asked := from == string(p.first) || from == "" && p.key == "month"
		list = append(list, Period{p.key, link(string(p.first), string(today)), asked && (to == "" || to == string(today))})
	}
	return list
}

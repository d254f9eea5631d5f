package demo

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// How many ratings come at which time: weights of the 48 half hours of a day, as running sums.
type halfHours [48]int

// curve makes running sums of weights given by the hour of their beginning, such as 7.5 for half past seven.
func curve(weights map[float64]int) halfHours {
	var h halfHours
	for from, weight := range weights {
		h[int(from*2)] = weight
	}
	for i := 1; i < len(h); i++ {
		h[i] += h[i-1]
	}
	return h
}

// at draws a time of the day.
func (h *halfHours) at(rng *rand.Rand) time.Duration {
	want := rng.IntN(h[len(h)-1])
	slot, _ := slices.BinarySearch(h[:], want+1)
	return time.Duration(slot)*30*time.Minute + time.Duration(rng.Int64N(int64(30*time.Minute))).Truncate(time.Millisecond)
}

// clock holds the curves of the channels.
type clock struct{ office, paper, hotline, web, saturday halfHours }

func newClock() clock {
	return clock{
		office: curve(map[float64]int{
			7.5: 30, 8: 70, 8.5: 95, 9: 110, 9.5: 105, 10: 90, 10.5: 75, 11: 40, 11.5: 6, 12: 2, 12.5: 2, 13: 8, 13.5: 55, 14: 80, 14.5: 85, 15: 80, 15.5: 65,
			16: 45, 16.5: 22, 17: 3,
		}),
		paper:    curve(map[float64]int{8: 10, 8.5: 15, 9: 20, 9.5: 20, 10: 18, 10.5: 15, 11: 6, 13.5: 8, 14: 14, 14.5: 15, 15: 12, 15.5: 10, 16: 6}),
		hotline:  curve(map[float64]int{7: 4, 7.5: 8, 8: 18, 8.5: 20, 9: 22, 9.5: 20, 10: 18, 10.5: 15, 11: 10, 12: 4, 13: 8, 13.5: 15, 14: 18, 15: 16, 16: 12, 17: 8, 18: 6, 19: 6, 20: 3}),
		web:      curve(map[float64]int{6: 2, 7: 4, 8: 8, 9: 10, 10: 10, 11: 9, 11.5: 8, 12: 10, 12.5: 8, 13: 7, 14: 8, 15: 8, 16: 8, 17: 9, 18: 8, 19: 14, 19.5: 14, 20: 18, 20.5: 16, 21: 14, 22: 7, 23: 2}),
		saturday: curve(map[float64]int{7.5: 10, 8: 25, 8.5: 30, 9: 35, 9.5: 35, 10: 30, 10.5: 20, 11: 8}),
	}
}

func (c *clock) of(channel pb.Channel, saturday bool) *halfHours {
	switch {
	case channel == pb.Channel_CHANNEL_WEB:
		return &c.web
	case channel == pb.Channel_CHANNEL_HOTLINE:
		return &c.hotline
	case saturday:
		return &c.saturday
	case channel == pb.Channel_CHANNEL_PAPER:
		return &c.paper
	}
	return &c.office
}

// tet lists the first day of the lunar year; offices rest from two days before to four days after.
var tet = []localday.Day{
	"2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06", "2028-01-26", "2029-02-13", "2030-02-03", "2031-01-23", "2032-02-11",
}

// hung lists the Hùng Kings' day, the tenth of the third lunar month.
var hung = []localday.Day{
	"2024-04-18", "2025-04-07", "2026-04-26", "2027-04-16", "2028-04-04", "2029-04-23", "2030-04-12", "2031-04-01", "2032-04-19",
}

// holiday tells whether offices are closed for a holiday. It is an approximation for the demonstration; the calendar that
// deadlines go by is the office's own.
func holiday(day localday.Day) bool {
	switch day[5:] {
	case "01-01", "04-30", "05-01", "09-02":
		return true
	}
	if slices.Contains(hung, day) {
		return true
	}
	return slices.ContainsFunc(tet, func(first localday.Day) bool { return day >= first.Add(-2) && day <= first.Add(4) })
}

// busyness is how much of an ordinary day's work a day has, by channel: at the counters, on the web, by telephone.
func busyness(day localday.Day) (counters, web, hotline float64) {
	start := day.Start()
	season := 1.0
	switch start.Month() {
	case time.June, time.July, time.August: // school papers, university
		season = 1.15
	case time.February:
		season = 0.85
	}
	if holiday(day) {
		return 0, 0.3, 0
	}
	switch start.Weekday() {
	case time.Sunday:
		return 0, 0.5 * season, 0
	case time.Saturday:
		return 0.25 * season, 0.6 * season, 0.2
	case time.Monday:
		return 1.25 * season, 1.1 * season, 1.2
	case time.Friday:
		return 0.9 * season, season, 0.9
	}
	return season, season, 1
}

package kiosks

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/officehours"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// hoursPage is when offices are open: a week, and the special days of one year, as they were typed.
type hoursPage struct {
	Tabs []tab
	form
	MayChange bool
	Version   string
	Open      bool // now
	Year      int
	Years     []yearLink
	Missing   []int // years without holidays: this one until its Tết, and from autumn on the next
	Week      []weekdayRow
	Days      []dayRow
	Weekdays  []int
}

type yearLink struct {
	Year    int
	Current bool
}

// weekdayRow is a weekday with its opening times.
type weekdayRow struct {
	Weekday int
	Spans   []spanRow
}

// spanRow is one opening time; empty fields are none.
type spanRow struct {
	Name     string // of its fields: from_NAME and to_NAME
	From, To string
}

// dayRow is one special day; an empty day is none.
type dayRow struct {
	N         int
	Day, Name string
	As        int // 0 = closed, 1 to 7 = open as on that weekday
}

const (
	spansADay = 2 // to be typed, at least
	moreDays  = 5 // empty rows for further special days
	maxYears  = 10
	spring    = 2 // of a year the Tết of which is over nobody is asked any more
	autumn    = 8 // from so many months of a year on, the next one is asked for too
)

func (p pages) hours(v *web.Visit) error {
	kept, err := v.Directory.GetOfficeHours(v.Context(), &pb.GetOfficeHoursRequest{})
	if err != nil {
		return err
	}
	page := hoursOf(v, kept)
	page.fill(v, officehours.Of(kept))
	return v.Render(p.Pages, "hours", page)
}

// hoursOf is the page without what stands in its fields.
func hoursOf(v *web.Visit, kept *pb.OfficeHours) *hoursPage {
	hours := officehours.Of(kept)
	page := &hoursPage{Tabs: tabs(v, "hours"), Version: kept.GetVersion(), Open: hours.OpenAt(v.Clock()), Weekdays: []int{1, 2, 3, 4, 5, 6, 7}}
	page.MayChange = v.May("change_directory") && v.Account.GetUnitId() == ""
	today := v.Today()
	page.Year = today.Year()
	first, last := page.Year, page.Year+1
	for _, s := range hours.Days {
		first, last = min(first, s.Day.Year()), max(last, s.Day.Year())
	}
	if asked, err := strconv.Atoi(v.Value("year")); err == nil && asked >= first && asked <= last {
		page.Year = asked
	}
	for year := max(first, last-maxYears); year <= last; year++ {
		page.Years = append(page.Years, yearLink{year, year == page.Year})
	}
	if today.Start().Month() <= spring && hours.Missing(today.Year()) {
		page.Missing = append(page.Missing, today.Year())
	}
	if int(today.Start().Month()) > autumn && hours.Missing(today.Year()+1) {
		page.Missing = append(page.Missing, today.Year()+1)
	}
	return page
}

// fill puts hours into the fields.
func (page *hoursPage) fill(v *web.Visit, hours officehours.Hours) {
	for weekday := 1; weekday <= 7; weekday++ {
		row := weekdayRow{Weekday: weekday}
		for _, o := range hours.Week {
			if o.Weekday == weekday {
				row.Spans = append(row.Spans, spanRow{spanName(weekday, len(row.Spans)), clock(int32(o.From)), clock(int32(o.To))}) //nolint:gosec // of a day
			}
		}
		for page.MayChange && len(row.Spans) < spansADay {
			row.Spans = append(row.Spans, spanRow{Name: spanName(weekday, len(row.Spans))})
		}
		page.Week = append(page.Week, row)
	}
	for _, s := range hours.Days {
		if s.Day.Year() == page.Year {
			page.Days = append(page.Days, dayRow{len(page.Days), web.Day(v.Language, string(s.Day)), s.Name, s.OpenAs})
		}
	}
	page.leaveRoom()
}

func (page *hoursPage) leaveRoom() {
	for range moreDays {
		if page.MayChange {
			page.Days = append(page.Days, dayRow{N: len(page.Days)})
		}
	}
}

func spanName(weekday, n int) string { return fmt.Sprintf("%d_%d", weekday, n) }

func (p pages) setHours(v *web.Visit) error {
	kept, err := v.Directory.GetOfficeHours(v.Context(), &pb.GetOfficeHoursRequest{})
	if err != nil {
		return err
	}
	page := hoursOf(v, kept)
	if !page.MayChange {
		return web.ErrNotFound
	}
	wanted := page.read(v, officehours.Of(kept))
	if !page.bad() {
		_, err := v.Directory.SetOfficeHours(v.Context(), &pb.SetOfficeHoursRequest{OfficeHours: wanted.Proto(v.Value("version"))})
		if err == nil {
			v.Notice(v.Text("kioskspage.hours_saved"))
			return v.Redirect("/kiosks/hours?year=" + strconv.Itoa(page.Year))
		}
		if status.Code(err) != codes.Aborted { // changed meanwhile: saving once more, after looking, overwrites it
			page.Version = v.Value("version")
		}
		if err := page.refused(err); err != nil {
			return err
		}
	}
	page.leaveRoom()
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "hours", page)
}

// maxSpans and maxRows bound what a form is read for.
const (
	maxSpans = 10
	maxRows  = 400
)

// read takes the fields as they were typed, and the hours they mean: those of other years stay as they are kept.
func (page *hoursPage) read(v *web.Visit, kept officehours.Hours) officehours.Hours {
	var hours officehours.Hours
	for weekday := 1; weekday <= 7; weekday++ {
		row := weekdayRow{Weekday: weekday}
		for n := range maxSpans {
			name := spanName(weekday, n)
			span := spanRow{name, v.Value("from_" + name), v.Value("to_" + name)}
			if n >= spansADay && span.From == "" && span.To == "" {
				continue
			}
			row.Spans = append(row.Spans, span)
			if span.From == "" && span.To == "" {
				continue
			}
			from, fromOK := minute(span.From)
			to, toOK := minute(span.To)
			if toOK && to == 0 { // midnight, as the end of the day
				to = 24 * 60
			}
			if !fromOK || !toOK {
				page.wrong(v, "from_"+name, "kioskspage.both_times")
			} else if to <= from {
				page.wrong(v, "from_"+name, "kioskspage.times_turned")
			}
			hours.Week = append(hours.Week, officehours.Opening{Weekday: weekday, From: int(from), To: int(to)})
		}
		page.Week = append(page.Week, row)
	}
	hours.Days = slices.DeleteFunc(slices.Clone(kept.Days), func(s officehours.Special) bool { return s.Day.Year() == page.Year })
	for n := range maxRows {
		row := dayRow{N: len(page.Days), Day: v.Value(fmt.Sprint("day_", n)), Name: v.Value(fmt.Sprint("name_", n))}
		row.As, _ = strconv.Atoi(v.Value(fmt.Sprint("as_", n)))
		if row.Day == "" && row.Name == "" {
			continue
		}
		field := fmt.Sprint("day_", row.N)
		day, ok := dayOf(row.Day)
		switch {
		case !ok:
			page.wrong(v, field, "kioskspage.day_wrong")
		case row.Name == "":
			page.wrong(v, field, "kioskspage.name_missing")
		}
		page.Days = append(page.Days, row)
		hours.Days = append(hours.Days, officehours.Special{Day: day, Name: row.Name, OpenAs: row.As})
	}
	return hours
}

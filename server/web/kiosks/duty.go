package kiosks

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/hailong-vn/hailong/internal/duty"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// dutyPage is who serves at the counters of one unit: now, and in a week.
type dutyPage struct {
	Tabs []tab
	form
	unitChoice
	Places    places
	Officials []*pb.Official
	Counters  []counterNow
	Week      []counterWeek
	Days      []int // 1 to 7
	MayPhotos bool
}

// counterNow is a counter, or the unit as a whole, with who serves there now.
type counterNow struct {
	*pb.Counter              // its id is empty for the unit
	Here        *pb.Official // nil = nobody
	By          *pb.Duty     // nil where nobody serves
	Until       string       // HH:MM; "" = the end of the day
	Photo       string
	Choices     []*pb.Official
}

// counterWeek is the schedule of a counter.
type counterWeek struct {
	*pb.Counter
	Days [7][]lineRow // by weekday
	Once []lineRow    // those of single days, or with dates
	Any  bool         // there are lines of every week
}

// lineRow is a line of the schedule.
type lineRow struct {
	*pb.Duty
	Who  string
	Time string // "07:30–11:30"; "" = all day
	Link string
}

// duty shows who is on duty.
func (p pages) duty(v *web.Visit) error {
	page, err := showDuty(v)
	if err != nil {
		return err
	}
	if page.Unit == nil && len(page.Places.Units) == 1 && page.Query == "" {
		return v.Redirect(at("/kiosks/duty", page.Places.Units[0].GetId()))
	}
	return v.Render(p.Pages, "duty", page)
}

func showDuty(v *web.Visit) (*dutyPage, error) {
	choice, err := chooseUnit(v)
	page := &dutyPage{Tabs: tabs(v, "duty"), unitChoice: choice, Days: []int{1, 2, 3, 4, 5, 6, 7}, MayPhotos: v.May("change_directory")}
	if err != nil {
		return page, err
	}
	if choice.Unit == nil {
		page.Places, err = placesOf(v, "")
		return page, err
	}
	if page.Officials, err = officialsOf(v, choice.ID()); err != nil {
		return page, err
	}
	if len(page.Officials) == 0 {
		page.Places, err = placesOf(v, choice.ID())
		return page, err
	}
	counters, err := countersOf(v, choice.ID())
	if err != nil {
		return page, err
	}
	duties, err := dutiesOf(v, choice.ID())
	if err != nil {
		return page, err
	}
	if len(counters) != 1 { // one counter is the unit
		counters = append(counters, &pb.Counter{Name: v.Text("kioskspage.whole_unit"), UnitId: choice.ID()})
	}
	for _, c := range counters {
		page.Counters = append(page.Counters, page.now(v, c, duties))
		page.Week = append(page.Week, page.week(v, c, duties))
	}
	return page, nil
}

// dutiesOf lists the duties of one unit itself.
func dutiesOf(v *web.Visit, unit string) ([]*pb.Duty, error) {
	var list []*pb.Duty
	request := &pb.ListDutiesRequest{UnitId: unit, PageSize: 1000}
	for {
		page, err := v.Directory.ListDuties(v.Context(), request)
		if err != nil {
			return nil, err
		}
		for _, d := range page.GetDuties() {
			if d.GetUnitId() == unit {
				list = append(list, d)
			}
		}
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return list, nil
		}
	}
}

func (page *dutyPage) official(id string) *pb.Official {
	for _, o := range page.Officials {
		if o.GetId() == id {
			return o
		}
	}
	return nil
}

// now decides as a kiosk does.
func (page *dutyPage) now(v *web.Visit, c *pb.Counter, duties []*pb.Duty) counterNow {
	row := counterNow{Counter: c, By: duty.Deciding(duties, page.ID(), c.GetId(), v.Clock())}
	row.Here = page.official(row.By.GetOfficialId())
	if row.Here == nil {
		row.By = nil
	} else if row.Here.GetPhotoVersion() != "" {
		row.Photo = photoLink(row.Here)
	}
	if to := row.By.GetToMinute(); to%duty.EndOfDay != 0 {
		row.Until = clock(to)
	}
	for _, o := range page.Officials {
		if o.GetId() != row.Here.GetId() || !row.By.GetNow() {
			row.Choices = append(row.Choices, o)
		}
	}
	return row
}

// Ends is the duty that is taken away to go back to the schedule; "" where the schedule decides already. What is set for the whole
// unit is ended at the unit.
func (c counterNow) Ends() string {
	if c.By.GetNow() && c.By.GetCounterId() == c.GetId() {
		return c.By.GetId()
	}
	return ""
}

func (page *dutyPage) week(v *web.Visit, c *pb.Counter, duties []*pb.Duty) counterWeek {
	week := counterWeek{Counter: c}
	for _, d := range duties {
		if d.GetCounterId() != c.GetId() || d.GetNow() {
			continue
		}
		row := lineRow{Duty: d, Time: times(d), Who: v.Text("kioskspage.left_official"), Link: "/kiosks/duty/line?" + url.Values{"unit": {page.ID()}, "id": {d.GetId()}}.Encode()}
		if o := page.official(d.GetOfficialId()); o != nil {
			row.Who = o.GetName()
		}
		if d.GetValidFrom() != "" || d.GetValidTo() != "" {
			week.Once = append(week.Once, row)
			continue
		}
		week.Any = true
		for weekday := range week.Days {
			if len(d.GetWeekdays()) == 0 || slices.Contains(d.GetWeekdays(), int32(weekday+1)) { //nolint:gosec // 1 to 7
				week.Days[weekday] = append(week.Days[weekday], row)
			}
		}
	}
	for _, rows := range append(week.Days[:], week.Once) {
		slices.SortStableFunc(rows, func(a, b lineRow) int {
			return cmp.Or(cmp.Compare(a.GetValidFrom(), b.GetValidFrom()), cmp.Compare(a.GetFromMinute(), b.GetFromMinute()))
		})
	}
	return week
}

func times(d *pb.Duty) string {
	if d.GetFromMinute() == 0 && d.GetToMinute()%duty.EndOfDay == 0 {
		return ""
	}
	return clock(d.GetFromMinute()) + "–" + clock(cmp.Or(d.GetToMinute(), duty.EndOfDay))
}

// setNow sets who serves at a counter now: one tap.
func (p pages) setNow(v *web.Visit) error {
	wanted := &pb.Duty{UnitId: v.Value("unit"), CounterId: v.Value("counter"), OfficialId: v.Value("official"), Now: true}
	_, err := v.Directory.SetDuty(v.Context(), &pb.SetDutyRequest{Duty: wanted})
	return p.done(v, err, "kioskspage.now_set", "#now")
}

// endDuty takes a line away, or what was set for now.
func (p pages) endDuty(v *web.Visit) error {
	_, err := v.Directory.EndDuty(v.Context(), &pb.EndDutyRequest{DutyId: v.Value("id")})
	return p.done(v, err, "kioskspage.duty_ended", v.Value("part"))
}

// done goes back to the page of the unit, or shows there what was refused.
func (p pages) done(v *web.Visit, err error, said, part string) error {
	if err == nil {
		v.Notice(v.Text(said))
		if part != "#now" {
			part = "#week"
		}
		return v.Redirect(at("/kiosks/duty", v.Value("unit")) + part)
	}
	page, showErr := showDuty(v)
	if showErr != nil {
		return showErr
	}
	if err := page.refused(err); err != nil {
		return err
	}
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "duty", page)
}

// linePage is the form of one line of the schedule, as it was typed.
type linePage struct {
	Tabs []tab
	form
	Unit               *pb.Unit
	ID                 string // of the line that is changed; "" = a new one
	Counters           []choice
	Officials          []choice
	Days               []choice
	From, To           string
	ValidFrom, ValidTo string
	Back               string
}

func (p pages) line(v *web.Visit) error {
	page, err := lineOf(v)
	if err != nil {
		return err
	}
	d := &pb.Duty{CounterId: page.Counters[0].Value, Weekdays: []int32{1, 2, 3, 4, 5}}
	if page.ID != "" {
		duties, err := dutiesOf(v, page.Unit.GetId())
		if err != nil {
			return err
		}
		i := slices.IndexFunc(duties, func(d *pb.Duty) bool { return d.GetId() == page.ID && !d.GetNow() })
		if i < 0 {
			return web.ErrNotFound
		}
		d = duties[i]
		if page.From = clock(d.GetFromMinute()); d.GetFromMinute() == 0 {
			page.From = ""
		}
		page.ValidFrom, page.ValidTo = web.Day(v.Language, d.GetValidFrom()), web.Day(v.Language, d.GetValidTo())
		if d.GetToMinute()%duty.EndOfDay != 0 {
			page.To = clock(d.GetToMinute())
		}
	}
	page.show(v, d)
	return v.Render(p.Pages, "line", page)
}

func lineOf(v *web.Visit) (*linePage, error) {
	u, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: v.Value("unit")})
	if err != nil {
		return nil, err
	}
	page := &linePage{Tabs: tabs(v, "duty"), Unit: u, ID: v.Value("id"), Back: at("/kiosks/duty", u.GetId())}
	counters, err := countersOf(v, u.GetId())
	if err != nil {
		return nil, err
	}
	for _, c := range counters {
		page.Counters = append(page.Counters, choice{Value: c.GetId(), Words: c.GetName()})
	}
	page.Counters = append(page.Counters, choice{Words: v.Text("kioskspage.whole_unit")})
	officials, err := officialsOf(v, u.GetId())
	for _, o := range officials {
		page.Officials = append(page.Officials, choice{Value: o.GetId(), Words: o.GetName()})
	}
	return page, err
}

// show marks what is chosen.
func (page *linePage) show(v *web.Visit, d *pb.Duty) {
	for i := range page.Counters {
		page.Counters[i].Chosen = page.Counters[i].Value == d.GetCounterId()
	}
	for i := range page.Officials {
		page.Officials[i].Chosen = page.Officials[i].Value == d.GetOfficialId()
	}
	for n := int32(1); n <= 7; n++ {
		page.Days = append(page.Days, choice{
			Value: strconv.Itoa(int(n)), Words: v.Text("kioskspage.weekday_" + strconv.Itoa(int(n))),
			Chosen: len(d.GetWeekdays()) == 0 || slices.Contains(d.GetWeekdays(), n),
		})
	}
}

func (p pages) setLine(v *web.Visit) error {
	page, err := lineOf(v)
	if err != nil {
		return err
	}
	d := page.read(v)
	if !page.bad() {
		_, err := v.Directory.SetDuty(v.Context(), &pb.SetDutyRequest{Duty: d})
		if err == nil {
			v.Notice(v.Text("kioskspage.line_saved"))
			return v.Redirect(page.Back + "#week")
		}
		if err := page.refused(err); err != nil {
			return err
		}
	}
	return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "line", page)
}

// read takes the form as it was typed, and the duty it means.
func (page *linePage) read(v *web.Visit) *pb.Duty {
	d := &pb.Duty{Id: page.ID, UnitId: page.Unit.GetId(), CounterId: v.Value("counter"), OfficialId: v.Value("official")}
	page.From, page.To, page.ValidFrom, page.ValidTo = v.Value("from"), v.Value("to"), v.Value("valid_from"), v.Value("valid_to")
	for _, day := range v.Values("day") {
		if n, err := strconv.ParseInt(day, 10, 32); err == nil {
			d.Weekdays = append(d.Weekdays, int32(n)) //nolint:gosec // 32 bits were asked for
		}
	}
	page.show(v, d)
	if len(d.GetWeekdays()) == 0 {
		for i := range page.Days {
			page.Days[i].Chosen = false
		}
		page.wrong(v, "day", "kioskspage.no_day")
	}
	if len(d.GetWeekdays()) == 7 {
		d.Weekdays = nil
	}
	if d.GetOfficialId() == "" {
		page.wrong(v, "official", "web.required")
	}
	for _, of := range []struct {
		field, text string
		to          *int32
	}{{"from", page.From, &d.FromMinute}, {"to", page.To, &d.ToMinute}} {
		if n, ok := minute(of.text); ok {
			*of.to = n
		} else if of.text != "" {
			page.wrong(v, of.field, "kioskspage.time_wrong")
		}
	}
	for _, of := range []struct {
		field, text string
		to          *string
	}{{"valid_from", page.ValidFrom, &d.ValidFrom}, {"valid_to", page.ValidTo, &d.ValidTo}} {
		if day, ok := dayOf(of.text); ok {
			*of.to = string(day)
		} else if of.text != "" {
			page.wrong(v, of.field, "kioskspage.day_wrong")
		}
	}
	if d.GetFromMinute() == duty.EndOfDay {
		page.wrong(v, "from", "kioskspage.time_wrong")
	}
	return d
}

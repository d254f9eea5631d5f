package kiosks

import (
	"html/template"
	"net/url"
	"slices"
	"strings"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
	"github.com/hailong-vn/hailong/server/web/chart"
)

type fleetPage struct {
	Tabs []tab
	unitChoice
	Self    string // the page's own address, by which it moves
	State   string // the filter, "" = all but those revoked
	States  []stateCount
	Total   int32
	Queued  uint64
	Missing uint64
	Open    bool // offices are
	Devices []deviceRow
	Next    string
}

type stateCount struct {
	state
	Count   int32
	Share   int // of the widest bar, 0 to 100
	Link    string
	Current bool
}

// shownAtMost is how many devices a page lists.
const shownAtMost = 50

// fleet shows how the devices are, what asks for help first.
func (p pages) fleet(v *web.Visit) error {
	if !v.May("manage_devices") {
		return v.Redirect("/kiosks/duty")
	}
	choice, err := chooseUnit(v)
	if err != nil {
		return err
	}
	page := fleetPage{Tabs: tabs(v, "fleet"), unitChoice: choice, State: v.Value("state")}
	fleet, err := v.Directory.GetFleet(v.Context(), &pb.GetFleetRequest{UnitId: choice.ID()})
	if err != nil {
		return err
	}
	page.Queued, page.Missing, page.Open = fleet.GetQueued(), fleet.GetMissing(), fleet.GetOfficeHours()
	wanted := page.count(fleet)
	from := v.Value("after")
	page.Self = page.link(page.State, from)
	if page.Devices, page.Next, err = listed(v, choice.ID(), wanted, from); err != nil {
		return err
	}
	if page.Next != "" {
		page.Next = page.link(page.State, page.Next)
	}
	return v.Render(p.Pages, "fleet", page)
}

// count fills in how many devices are in each state, and answers the states that are listed.
func (page *fleetPage) count(fleet *pb.GetFleetResponse) (wanted []pb.DeviceState) {
	counts, most := map[pb.DeviceState]int32{}, int32(1)
	for _, of := range fleet.GetStates() {
		counts[of.GetState()] = of.GetCount()
		most = max(most, of.GetCount())
	}
	known := slices.ContainsFunc(states(), func(s pb.DeviceState) bool { return stateOf(s).Key == page.State })
	if !known {
		page.State = ""
	}
	for _, s := range states() {
		n, shown := counts[s], stateOf(s)
		if n == 0 {
			continue
		}
		if s != pb.DeviceState_DEVICE_STATE_REVOKED { // those are of the past
			page.Total += n
		}
		if shown.Key == page.State || page.State == "" && s != pb.DeviceState_DEVICE_STATE_REVOKED {
			wanted = append(wanted, s)
		}
		page.States = append(page.States, stateCount{state: shown, Count: n, Share: max(2, int(n*100/most)), Link: page.link(shown.Key, ""), Current: shown.Key == page.State})
	}
	return wanted
}

// link is the address of this page with another filter.
func (page fleetPage) link(state, after string) string {
	query := url.Values{}
	for name, value := range map[string]string{"unit": page.ID(), "state": state, "after": after} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if len(query) == 0 {
		return "/kiosks"
	}
	return "/kiosks?" + query.Encode()
}

// All is the address without a state.
func (page fleetPage) All() string { return page.link("", "") }

// listed lists devices of some states, one state after the other. Where it goes on is told as "STATE TOKEN".
func listed(v *web.Visit, unit string, wanted []pb.DeviceState, after string) (rows []deviceRow, next string, err error) {
	key, token, _ := strings.Cut(after, " ")
	begin := max(0, slices.IndexFunc(wanted, func(s pb.DeviceState) bool { return stateOf(s).Key == key }))
	names := namesOf(v)
	for i, s := range wanted[min(begin, len(wanted)):] {
		if i > 0 {
			token = ""
		}
		if len(rows) >= shownAtMost {
			return rows, stateOf(s).Key + " ", nil
		}
		page, err := v.Directory.ListDevices(v.Context(), &pb.ListDevicesRequest{
			UnitId: unit, States: []pb.DeviceState{s}, PageSize: int32(shownAtMost - len(rows)), PageToken: token, //nolint:gosec // small
		})
		if err != nil {
			return nil, "", err
		}
		for _, d := range page.GetDevices() {
			rows = append(rows, rowOf(v, names, d))
		}
		if page.GetNextPageToken() != "" {
			return rows, stateOf(s).Key + " " + page.GetNextPageToken(), nil
		}
	}
	return rows, "", nil
}

// deviceRow is a device as it is shown, in words.
type deviceRow struct {
	*pb.Device
	Link     string
	How      state
	Heard    string
	Touched  string
	Skew     string
	Free     string
	Screen   string // key of its words
	Troubles []string
	Places   []string
	Spark    template.HTML
}

// daysShown is for how many days the ratings of a device are drawn.
const daysShown = 14

func rowOf(v *web.Visit, names names, d *pb.Device) deviceRow {
	row := deviceRow{Device: d, Link: "/kiosks/devices/" + url.PathEscape(d.GetId()), How: stateOf(d.GetState()), Heard: ago(v, d.GetLastSeenAt())}
	for _, b := range d.GetBindings() {
		if b.GetValidTo() == nil || b.GetValidTo().AsTime().After(v.Clock()) {
			row.Places = append(row.Places, place(v, names, b))
		}
	}
	report := d.GetReport()
	if report == nil {
		return row
	}
	row.Touched = ago(v, report.GetLastTouch())
	row.Skew, row.Free = skew(v, report.GetSkew().AsDuration()), room(v, report.GetFreeBytes())
	row.Screen = strings.ToLower(strings.TrimPrefix(report.GetScreenState().String(), "SCREEN_STATE_"))
	for _, code := range report.GetTroubles() {
		row.Troubles = append(row.Troubles, trouble(v, code))
	}
	row.Spark = ratingsADay(v, d).SVG(v.Language, "days-"+d.GetId())
	return row
}

// ratingsADay are the ratings a device told of, by the day they were given.
func ratingsADay(v *web.Visit, d *pb.Device) chart.Spark {
	first := v.Today().Add(1 - daysShown)
	spark := chart.Spark{Title: v.Text("kioskspage.days_of", "name", d.GetName()), From: first.Start(), Counts: make([]int, daysShown)}
	for _, of := range d.GetReport().GetDays() {
		for n := range daysShown {
			if localday.Day(of.GetDay()) == first.Add(n) {
				spark.Counts[n] = int(of.GetCount())
			}
		}
	}
	return spark
}

func place(v *web.Visit, names names, b *pb.DeviceBinding) string {
	if b.GetCounterId() == "" {
		return v.Text("kioskspage.place_unit", "unit", names.Of(b.GetUnitId()))
	}
	return v.Text("kioskspage.place_counter", "counter", names.counter(b.GetUnitId(), b.GetCounterId()), "unit", names.Of(b.GetUnitId()))
}

// Alert is how many devices of a unit and those below it want looking at now, for pages of others.
type Alert struct {
	Silent, Behind, Cloned int32
	Link                   string // of the fleet page
}

// Any tells whether there is anything to say.
func (a Alert) Any() bool { return a.Silent+a.Behind+a.Cloned > 0 }

// AlertOf counts for a unit, "" = all the account sees. None where the account may not manage devices.
func AlertOf(v *web.Visit, unit string) (Alert, error) {
	alert := Alert{Link: at("/kiosks", unit)}
	if !v.May("manage_devices") {
		return alert, nil
	}
	fleet, err := v.Directory.GetFleet(v.Context(), &pb.GetFleetRequest{UnitId: unit})
	if err != nil {
		return alert, err
	}
	for _, of := range fleet.GetStates() {
		switch of.GetState() { //nolint:exhaustive // the others are as they should be
		case pb.DeviceState_DEVICE_STATE_SILENT:
			alert.Silent = of.GetCount()
		case pb.DeviceState_DEVICE_STATE_BEHIND:
			alert.Behind = of.GetCount()
		case pb.DeviceState_DEVICE_STATE_CLONED:
			alert.Cloned = of.GetCount()
		}
	}
	return alert, nil
}

// alert answers the box alone, to be fetched into a page of another topic: /kiosks/alert?unit=ID. Nothing where all is well.
func (p pages) alert(v *web.Visit) error {
	alert, err := AlertOf(v, v.Value("unit"))
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "alert", alert)
}

package device

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hailong-vn/hailong/internal/fault"
)

func TestCreateJudgesWhatItIsGiven(t *testing.T) {
	h := newHouse(t)
	d := h.process()
	many := make([]Binding, MaxBindings+1)
	for i := range many {
		many[i].UnitID = "U"
	}
	tests := []struct {
		name     string
		device   string
		bindings []Binding
		reason   string
	}{
		{"no name", "", []Binding{{UnitID: "U"}}, "device_name_invalid"},
		{"a long name", strings.Repeat("à", 151), []Binding{{UnitID: "U"}}, "device_name_invalid"},
		{"a name that is no text", "\xff", []Binding{{UnitID: "U"}}, "device_name_invalid"},
		{"no bindings", "Kiosk", nil, "device_bindings_count"},
		{"too many bindings", "Kiosk", many, "device_bindings_count"},
		{"a binding to nothing", "Kiosk", []Binding{{CounterID: "C"}}, "binding_without_unit"},
		{"a binding that ends first", "Kiosk", []Binding{{UnitID: "U", From: at, To: at}}, "binding_ends_before_begin"},
		{"a binding that ended before now", "Kiosk", []Binding{{UnitID: "U", To: at.Add(-time.Hour)}}, "binding_ends_before_begin"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := d.Create(t.Context(), "", test.device, test.bindings)
			wantFault(t, err, fault.Invalid, test.reason)
		})
	}
}

func TestBindingsAreDated(t *testing.T) {
	h := newHouse(t)
	d := h.process()
	device, _ := h.make(d)
	allowed := func(unit, counter string, when time.Time) bool {
		t.Helper()
		ok, err := d.Allowed(t.Context(), device.ID, unit, counter, when)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	before := func(moment time.Time) time.Time { return moment.Add(-clockTolerance) } // by a clock that is slow
	bind := func(b Binding) {
		t.Helper()
		var err error
		if device, err = d.Bind(t.Context(), "admin", device.ID, b); err != nil {
			t.Fatal(err)
		}
	}
	if !allowed("U", "C", before(at)) || allowed("U", "C", before(at).Add(-time.Millisecond)) || !allowed("U", "C", at.AddDate(10, 0, 0)) {
		t.Error("an open binding begins now and does not end")
	}
	if allowed("U", "D", at) || allowed("U", "", at) || allowed("V", "C", at) {
		t.Error("bound to one counter, allowed elsewhere")
	}
	h.clock.add(time.Hour)
	bind(Binding{UnitID: "V", From: at.Add(-24 * time.Hour), To: at.Add(48 * time.Hour)})
	if !allowed("V", "any", at.Add(-time.Hour)) || !allowed("V", "", at) || allowed("V", "", at.Add(48*time.Hour)) {
		t.Error("bound to a unit for three days")
	}
	bind(Binding{UnitID: "U", CounterID: "C", To: at.Add(2 * time.Hour)})
	if !allowed("U", "C", at.Add(2*time.Hour-1)) || allowed("U", "C", at.Add(2*time.Hour)) {
		t.Error("the open binding was not ended")
	}
	if len(device.Bindings) != 2 {
		t.Errorf("ended by another binding: %v", device.Bindings)
	}
	bind(Binding{UnitID: "U", CounterID: "C", From: at.Add(3 * time.Hour)})
	bind(Binding{UnitID: "U", CounterID: "C", From: at.Add(150 * time.Minute)})
	bind(Binding{UnitID: "U", CounterID: "C", From: at.Add(4 * time.Hour)})
	if len(device.Bindings) != 3 || allowed("U", "C", before(at.Add(149*time.Minute))) || !allowed("U", "C", before(at.Add(150*time.Minute))) {
		t.Errorf("bound again: %v", device.Bindings)
	}
	_, err := d.Bind(t.Context(), "", device.ID, Binding{UnitID: "U", CounterID: "C", To: at})
	wantFault(t, err, fault.Invalid, "binding_ends_before_begin")
	_, err = d.Bind(t.Context(), "", device.ID, Binding{})
	wantFault(t, err, fault.Invalid, "binding_without_unit")
	for _, id := range []string{"nobody", "", "\x00", "\xff", strings.Repeat("x", 10_000)} {
		_, err = d.Bind(t.Context(), "", id, Binding{UnitID: "U"})
		wantFault(t, err, fault.NotFound, "device_unknown")
		if ok, err := d.Allowed(t.Context(), id, "U", "C", at); ok || err != nil {
			t.Errorf("a device that is not there: %v, %v", ok, err)
		}
	}
	kept, err := d.Get(t.Context(), device.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(device, kept, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestABindingIsHeardOfInOtherProcesses(t *testing.T) {
	h := newHouse(t)
	here, there := h.process(), h.process()
	device, _ := h.make(here)
	if ok, err := there.Allowed(t.Context(), device.ID, "V", "", at); ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := here.Bind(t.Context(), "", device.ID, Binding{UnitID: "V"}); err != nil {
		t.Fatal(err)
	}
	// The clock stands: only the bus can have told.
	eventually(t, "the other process allows it", func() bool {
		ok, err := there.Allowed(t.Context(), device.ID, "V", "", at)
		return ok && err == nil
	})
}

func TestListPages(t *testing.T) {
	h := newHouse(t)
	d := h.process()
	var made []string
	for range 7 {
		device, _ := h.make(d)
		made = append(made, device.ID)
	}
	if err := d.Received(t.Context(), made[3], []uint64{1, 2, 3, 5}, nil); err != nil {
		t.Fatal(err)
	}
	h.beat(d, made[3], Beat{Report: Report{Version: "1.1"}})
	h.clock.add(time.Second)
	h.beat(d, made[3], Beat{Report: Report{Version: "1.2", QueueDepth: 4}})
	var listed []string
	for page := ""; ; {
		devices, next, err := d.List(t.Context(), 3, page, Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, device := range devices {
			listed = append(listed, device.ID)
			if device.ID == made[3] && (device.StoredThrough != 3 || !device.LastSeenAt.Equal(at.Add(time.Second)) ||
				device.Missing != 1 || !cmp.Equal(device.Report, &Report{Version: "1.2", QueueDepth: 4})) {
				t.Errorf("the device that was heard of is listed as %+v", device)
			}
		}
		if page = next; page == "" {
			break
		}
	}
	if diff := cmp.Diff(made, listed); diff != "" {
		t.Error(diff)
	}
	some, next, err := d.List(t.Context(), 2, "", Filter{Mine: func(device Device) bool { return device.ID >= made[5] }})
	if err != nil || len(some) != 2 || some[0].ID != made[5] || next != "" {
		t.Errorf("filtered: %v, %q, %v", some, next, err)
	}
	_, _, err = d.List(t.Context(), 3, "not a page", Filter{})
	wantFault(t, err, fault.Invalid, "device_page_invalid")
}

func TestListByWhatIsKeptApart(t *testing.T) {
	h := newHouse(t)
	d := h.process()
	var made, behind []string
	for i := range 2*readAlone + 9 {
		device, _ := h.make(d)
		made = append(made, device.ID)
		if i%2 == 0 {
			behind = append(behind, device.ID)
			if err := d.Received(t.Context(), device.ID, []uint64{2}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	filter := Filter{Mine: func(d Device) bool { return d.ID != made[0] }, Show: func(d Device) bool { return d.Missing > 0 }}
	var listed []string
	for page := ""; ; {
		devices, next, err := d.List(t.Context(), 2, page, filter)
		if err != nil || len(devices) > 2 {
			t.Fatal(devices, err)
		}
		for _, device := range devices {
			listed = append(listed, device.ID)
		}
		if page = next; page == "" {
			break
		}
	}
	if diff := cmp.Diff(behind[1:], listed); diff != "" {
		t.Error(diff)
	}
	if all, next, err := d.List(t.Context(), 0, "", Filter{}); len(all) != len(made) || next != "" || err != nil {
		t.Errorf("%d, %q, %v", len(all), next, err)
	}
}

func TestBeingHeardOfIsWrittenOnceAMinute(t *testing.T) {
	onStores(t, func(t *testing.T, h *house) {
		here, there := h.process(), h.process()
		device, _ := h.make(here)
		kept := func() (time.Time, string) {
			doc, _, err := here.health.Get(t.Context(), device.ID)
			if err != nil {
				t.Fatal(err)
			}
			return doc.SeenAt, doc.Report.Version
		}
		h.beat(here, device.ID, Beat{Report: Report{Version: "1"}})
		for range 59 {
			h.clock.add(time.Second)
			h.beat(here, device.ID, Beat{Report: Report{Version: "2"}, StartID: "a"})
		}
		if seen, version := kept(); !seen.Equal(at) || version != "1" {
			t.Errorf("written within the minute: %v %v", seen, version)
		}
		there.touch(t.Context(), device.ID, nil, Beat{}, 0)
		if seen, version := kept(); !seen.Equal(at.Add(59*time.Second)) || version != "1" {
			t.Errorf("another process wrote %v %v", seen, version)
		}
		h.clock.add(time.Second)
		h.beat(here, device.ID, Beat{Report: Report{Version: "3", Days: []DayCount{{"2026-11-22", 7}}, Troubles: []string{"storage_low"}}, StartID: "a"})
		if seen, version := kept(); !seen.Equal(at.Add(time.Minute)) || version != "3" {
			t.Errorf("not written after the minute: %v %v", seen, version)
		}
		doc, _, err := there.health.Get(t.Context(), device.ID)
		if want := []time.Time{at.Add(time.Second), at.Add(31 * time.Second)}; err != nil || len(doc.Starts) != 1 || !cmp.Equal(doc.Starts[0].Heard, want) {
			t.Errorf("what was heard within the minute is kept as %+v, %v, want %v", doc.Starts, err, want)
		}
		if of, err := there.Get(t.Context(), device.ID); err != nil || !cmp.Equal(of.Report.Days, []DayCount{{"2026-11-22", 7}}) {
			t.Errorf("%+v, %v", of.Report, err)
		}
	})
}

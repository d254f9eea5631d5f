package screen

import (
	"slices"

	"github.com/hailong-vn/hailong/internal/duty"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// placeKey names a place the device serves.
func placeKey(place *pb.ConfiguredPlace) string {
	return place.GetUnitId() + "/" + place.GetCounterId()
}

// place finds a place by its key; nil where it is not served.
func (f *Flow) place(key string) *pb.ConfiguredPlace {
	for _, place := range f.setting.Configuration.GetPlaces() {
		if placeKey(place) == key {
			return place
		}
	}
	return nil
}

// onDuty is who serves at a place now: who signed in here today, else by the console, else by the schedule; "" = not known.
func (f *Flow) onDuty(place *pb.ConfiguredPlace) string {
	if id := f.signedIn(place); id != "" {
		return id
	}
	id := duty.OnDuty(f.setting.Configuration.GetDuties(), place.GetUnitId(), place.GetCounterId(), f.now.Wall)
	if f.official(id) == nil {
		return ""
	}
	return id
}

// signedIn is who signed in at a place today; "" = nobody.
func (f *Flow) signedIn(place *pb.ConfiguredPlace) string {
	today, _ := localday.Of(f.now.Wall)
	if shift := f.shifts[placeKey(place)]; shift.Day == today && f.official(shift.Official) != nil {
		return shift.Official
	}
	return ""
}

// official finds somebody who may be on duty; nil where there is no such person.
func (f *Flow) official(id string) *pb.ConfiguredOfficial {
	for _, official := range f.setting.Configuration.GetOfficials() {
		if official.GetId() == id && id != "" {
			return official
		}
	}
	return nil
}

// officials are those of the place's unit, who is on duty first.
func (f *Flow) officials() []*pb.ConfiguredOfficial {
	var all []*pb.ConfiguredOfficial
	now := f.onDuty(f.session.place)
	for _, official := range f.setting.Configuration.GetOfficials() {
		if official.GetUnitId() != f.session.place.GetUnitId() {
			continue
		}
		if official.GetId() == now {
			all = slices.Insert(all, 0, official)
		} else {
			all = append(all, official)
		}
	}
	return all
}

// guarded are the officials who have a PIN.
func (f *Flow) guarded() []*pb.ConfiguredOfficial {
	var all []*pb.ConfiguredOfficial
	for _, official := range f.setting.Configuration.GetOfficials() {
		if official.GetPinHash() != "" {
			all = append(all, official)
		}
	}
	return all
}

// openStaff asks who holds the corner. Where nobody has a PIN there is nobody to sign in, and how the device is may be read.
func (f *Flow) openStaff(e Event) {
	if f.session.rating != "" {
		return
	}
	f.session = session{}
	if len(f.guarded()) == 0 {
		f.show(Staff)
		return
	}
	f.show(StaffWho)
}

func (f *Flow) pickStaff(e Event) {
	if official := f.official(e.Value); official.GetPinHash() != "" {
		f.staff = e.Value
		f.show(StaffPIN)
	}
}

// signIn puts who holds the corner on duty at a place of their unit, until somebody else signs in, they sign out, or the day ends.
func (f *Flow) signIn(e Event) {
	place, official := f.place(e.Value), f.official(f.staff)
	if place == nil || official == nil || place.GetUnitId() != official.GetUnitId() {
		return
	}
	today, _ := localday.Of(f.now.Wall)
	f.shifts[e.Value] = Shift{Official: f.staff, Day: today}
	f.acts = append(f.acts, Act{Kind: OnShift})
}

func (f *Flow) signOut(e Event) {
	if _, there := f.shifts[e.Value]; there && f.staff != "" {
		delete(f.shifts, e.Value)
		f.acts = append(f.acts, Act{Kind: OnShift})
	}
}

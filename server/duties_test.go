package server

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/http"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (p *province) official(unit, name string) *pb.Official {
	p.t.Helper()
	made, err := p.directory().CreateOfficial(p.admin, &pb.CreateOfficialRequest{Official: &pb.Official{UnitId: unit, Name: name}})
	if err != nil {
		p.t.Fatal(err)
	}
	return made
}

// TestWhoServesAndWhen: who may set duties, office hours, photos and numbers, and where.
func TestWhoServesAndWhen(t *testing.T) {
	s := start(t, Config{})
	p := newProvince(s.admin(), s)
	callers := map[string]context.Context{"administrator": p.as("quản trị", pb.Role_ROLE_ADMINISTRATOR, p.mine), "leader": p.as("lãnh đạo", pb.Role_ROLE_LEADER, p.mine), "operator": p.as("lễ tân", pb.Role_ROLE_OPERATOR, p.mine)}
	official := p.as("cán bộ", pb.Role_ROLE_OFFICIAL, p.mine)
	counter, foreign, closed := p.counter(p.office, "1"), p.counter(p.sibling, "1"), p.counter(p.office, "2")
	lan, beside, left := p.official(p.office, "Trần Thị Lan"), p.official(p.sibling, "Lê Văn Bình"), p.official(p.office, "Vũ Thị Xa")
	d := p.directory()
	if _, err := d.CloseCounter(p.admin, &pb.CloseCounterRequest{CounterId: closed.GetId()}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.CloseOfficial(p.admin, &pb.CloseOfficialRequest{OfficialId: left.GetId()}); err != nil {
		t.Fatal(err)
	}

	t.Run("duties", func(t *testing.T) {
		var last *pb.Duty
		for name, caller := range callers {
			made, err := d.SetDuty(caller, &pb.SetDutyRequest{Duty: &pb.Duty{UnitId: p.office, CounterId: counter.GetId(), OfficialId: lan.GetId(), Weekdays: []int32{1}}})
			if err != nil || made.GetId() == "" {
				t.Fatalf("%s: %v %v", name, made, err)
			}
			last = made
		}
		_, err := d.SetDuty(official, &pb.SetDutyRequest{Duty: &pb.Duty{UnitId: p.office, OfficialId: lan.GetId()}})
		wantRefused(t, err, codes.PermissionDenied, "action_denied")
		_, err = d.EndDuty(official, &pb.EndDutyRequest{DutyId: last.GetId()})
		wantRefused(t, err, codes.PermissionDenied, "action_denied")
		_, err = d.ListDuties(official, &pb.ListDutiesRequest{})
		wantRefused(t, err, codes.PermissionDenied, "action_denied")
		for _, c := range []struct {
			name, unit, counter, official string
			code                          codes.Code
			reason                        string
		}{
			{"a sibling", p.sibling, "", beside.GetId(), codes.NotFound, "unit_unknown"},
			{"the unit above", p.top, "", lan.GetId(), codes.NotFound, "unit_unknown"},
			{"no unit", "khong-co", "", lan.GetId(), codes.NotFound, "unit_unknown"},
			{"a counter elsewhere", p.office, foreign.GetId(), lan.GetId(), codes.NotFound, "directory_counter_missing"},
			{"a closed counter", p.office, closed.GetId(), lan.GetId(), codes.InvalidArgument, "directory_counter_closed"},
			{"somebody out of sight", p.office, "", beside.GetId(), codes.NotFound, "directory_official_missing"},
			{"somebody who left", p.office, "", left.GetId(), codes.InvalidArgument, "directory_official_closed"},
			{"somebody of another unit in sight", p.mine, "", lan.GetId(), codes.InvalidArgument, "duty_official_elsewhere"},
			{"nobody", p.office, "", "khong-co", codes.NotFound, "directory_official_missing"},
		} {
			_, err := d.SetDuty(callers["operator"], &pb.SetDutyRequest{Duty: &pb.Duty{UnitId: c.unit, CounterId: c.counter, OfficialId: c.official}})
			if err == nil {
				t.Errorf("%s was taken", c.name)
				continue
			}
			wantRefused(t, err, c.code, c.reason)
		}
		elsewhere, err := d.SetDuty(p.admin, &pb.SetDutyRequest{Duty: &pb.Duty{UnitId: p.sibling, CounterId: foreign.GetId(), OfficialId: beside.GetId()}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.EndDuty(callers["leader"], &pb.EndDutyRequest{DutyId: elsewhere.GetId()})
		wantRefused(t, err, codes.NotFound, "duty_unknown")
		for unit, want := range map[string]int{"": 3, p.mine: 3, p.office: 3} {
			if list, err := d.ListDuties(callers["operator"], &pb.ListDutiesRequest{UnitId: unit}); err != nil || len(list.GetDuties()) != want {
				t.Errorf("of %q: %v %v", unit, list, err)
			}
		}
		if list, err := d.ListDuties(p.admin, &pb.ListDutiesRequest{PageSize: 3}); err != nil || len(list.GetDuties()) != 3 || list.GetNextPageToken() == "" {
			t.Errorf("everywhere, a page of 3: %v %v", list, err)
		}
		_, err = d.ListDuties(callers["operator"], &pb.ListDutiesRequest{UnitId: p.sibling})
		wantRefused(t, err, codes.NotFound, "unit_unknown")
		if ended, err := d.EndDuty(callers["operator"], &pb.EndDutyRequest{DutyId: last.GetId()}); err != nil || ended.GetId() != last.GetId() {
			t.Errorf("%v %v", ended, err)
		}
	})

	t.Run("photos and numbers", func(t *testing.T) {
		var photo bytes.Buffer
		if err := png.Encode(&photo, image.NewGray(image.Rect(0, 0, 200, 300))); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"leader", "operator"} {
			_, err := d.SetOfficialPhoto(callers[name], &pb.SetOfficialPhotoRequest{OfficialId: lan.GetId(), Image: photo.Bytes()})
			wantRefused(t, err, codes.PermissionDenied, "action_denied")
			_, err = d.SetOfficialPin(callers[name], &pb.SetOfficialPinRequest{OfficialId: lan.GetId(), Pin: "1234"})
			wantRefused(t, err, codes.PermissionDenied, "action_denied")
		}
		mine := callers["administrator"]
		_, err := d.SetOfficialPhoto(mine, &pb.SetOfficialPhotoRequest{OfficialId: beside.GetId(), Image: photo.Bytes()})
		wantRefused(t, err, codes.NotFound, "directory_official_missing")
		_, err = d.SetOfficialPin(mine, &pb.SetOfficialPinRequest{OfficialId: beside.GetId(), Pin: "1234"})
		wantRefused(t, err, codes.NotFound, "directory_official_missing")
		with, err := d.SetOfficialPhoto(mine, &pb.SetOfficialPhotoRequest{OfficialId: lan.GetId(), Image: photo.Bytes()})
		if err != nil || with.GetPhotoVersion() == "" || with.GetHasPin() {
			t.Errorf("%v %v", with, err)
		}
		if with, err = d.SetOfficialPin(mine, &pb.SetOfficialPinRequest{OfficialId: lan.GetId(), Pin: "1234"}); err != nil || !with.GetHasPin() || with.GetPhotoVersion() == "" {
			t.Errorf("%v %v", with, err)
		}
		second := p.official(p.office, "Đỗ Thị Hai")
		_, err = d.SetOfficialPin(mine, &pb.SetOfficialPinRequest{OfficialId: second.GetId(), Pin: "1234"})
		wantRefused(t, err, codes.AlreadyExists, "directory_pin_taken")
		if _, err := d.SetOfficialPin(mine, &pb.SetOfficialPinRequest{OfficialId: lan.GetId(), Pin: "1234"}); err != nil {
			t.Errorf("one's own number again: %v", err)
		}
		for _, pin := range []string{"123", "123456789", "12a4", "١٢٣٤"} {
			if _, err := d.SetOfficialPin(mine, &pb.SetOfficialPinRequest{OfficialId: lan.GetId(), Pin: pin}); err == nil {
				t.Errorf("%q was taken", pin)
			}
		}
		listed, err := d.ListOfficials(mine, &pb.ListOfficialsRequest{UnitId: p.office, DirectOnly: true})
		if err != nil || !slices.ContainsFunc(listed.GetOfficials(), func(o *pb.Official) bool { return o.GetId() == lan.GetId() && o.GetHasPin() }) {
			t.Errorf("%v %v", listed, err)
		}
		if entries := p.audited(p.admin, &pb.ListAuditRequest{Action: "SetOfficialPin"}); len(entries) == 0 {
			t.Error("numbers that are set are not in the audit")
		}
	})

	t.Run("office hours", func(t *testing.T) {
		for name, caller := range callers {
			hours, err := d.GetOfficeHours(caller, &pb.GetOfficeHoursRequest{})
			if err != nil || len(hours.GetWeek()) == 0 || hours.GetVersion() == "" {
				t.Errorf("%s reads %v %v", name, hours, err)
			}
			if _, err = d.SetOfficeHours(caller, &pb.SetOfficeHoursRequest{OfficeHours: hours}); err == nil {
				t.Errorf("%s of a commune changed them for all", name)
			}
		}
		hours, err := d.GetOfficeHours(p.admin, &pb.GetOfficeHoursRequest{})
		if err != nil {
			t.Fatal(err)
		}
		changed, err := d.SetOfficeHours(p.admin, &pb.SetOfficeHoursRequest{OfficeHours: hours})
		if err != nil || changed.GetVersion() == hours.GetVersion() {
			t.Errorf("%v %v", changed, err)
		}
		_, err = d.SetOfficeHours(p.admin, &pb.SetOfficeHoursRequest{OfficeHours: hours})
		wantRefused(t, err, codes.Aborted, "officehours_changed")
		_, err = pb.NewDirectoryServiceClient(s.conn).GetOfficeHours(t.Context(), &pb.GetOfficeHoursRequest{})
		if err == nil {
			t.Error("nobody in particular reads them")
		}
		if status, _ := p.json(http.MethodGet, "/v1/office-hours", "", ""); status != http.StatusUnauthorized {
			t.Errorf("as JSON: %d", status)
		}
	})
}

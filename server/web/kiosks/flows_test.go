package kiosks_test

import (
	"bytes"
	"image"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/duty"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// says checks an answer's status and that its page says some words.
func says(t *testing.T, answer webtest.Answer, status int, words ...string) {
	t.Helper()
	if answer.Status != status {
		t.Errorf("answered %d to %s, want %d\n%s", answer.Status, answer.Location(), status, answer.Body)
	}
	for _, want := range words {
		if !strings.Contains(answer.Body, want) {
			t.Errorf("the page does not say %q:\n%s", want, answer.Body)
		}
	}
}

// TestPages goes through the forms as people do, right and wrong.
func TestPages(t *testing.T) {
	p, clock := start(t)
	d := directory(t, p)
	office := url.Values{"unit": {p.WardOffice}}

	t.Run("who sees what", func(t *testing.T) {
		says(t, p.Visitor(t, webtest.Official).Get("/kiosks"), http.StatusNotFound)
		if got := p.Visitor(t, webtest.Operator).Get("/kiosks").Location(); got != "/kiosks/duty" {
			t.Errorf("an operator, who has no devices, is led to %q", got)
		}
		says(t, p.Visitor(t, webtest.Operator).Get("/kiosks/devices/"+p.Device), http.StatusNotFound)
		says(t, p.Visitor(t, webtest.Operator).Get("/kiosks/officials/"+p.WardOfficials[0]), http.StatusNotFound)
		says(t, p.Visitor(t, webtest.CommuneAdministrator).Get("/kiosks/devices/"+p.Device), http.StatusNotFound)
		says(t, p.Visitor(t, webtest.CommuneLeader).Get("/kiosks/duty?unit="+p.WardOffice), http.StatusNotFound)
		if got := p.Visitor(t, webtest.CommuneLeader).Get("/kiosks/duty").Location(); got != "/kiosks/duty?unit="+p.CommuneOffice {
			t.Errorf("who has one place is led to %q", got)
		}
		says(t, p.Visitor(t, webtest.Leader).Get("/kiosks/duty"), http.StatusOK, p.WardOffice, p.CommuneOffice)
		says(t, p.Visitor(t, webtest.Leader).Get("/kiosks/duty?q=mot+cua+phuong+song+xanh"), http.StatusOK, "Quầy 1: Hộ tịch, chứng thực")
		says(t, p.Visitor(t, webtest.Leader).Get("/kiosks/duty?q=khong+co+o+dau"), http.StatusOK, "Không tìm thấy đơn vị nào")
		refused := p.Visitor(t, webtest.CommuneOperator).Post("/kiosks/duty/now", url.Values{"unit": {p.WardOffice}, "counter": {p.WardCounters[0]}, "official": {p.WardOfficials[0]}})
		says(t, refused, http.StatusNotFound)
	})

	t.Run("one tap", func(t *testing.T) {
		v := p.Visitor(t, webtest.Operator)
		tap := url.Values{"unit": {p.WardOffice}, "counter": {p.WardCounters[0]}, "official": {p.WardOfficials[0]}}
		if answer := v.Post("/kiosks/duty/now", tap); answer.Location() != "/kiosks/duty?unit="+p.WardOffice+"#now" {
			t.Errorf("answered %d to %q", answer.Status, answer.Location())
		}
		duties, err := d.ListDuties(t.Context(), &pb.ListDutiesRequest{UnitId: p.WardOffice})
		if err != nil || duty.OnDuty(duties.GetDuties(), p.WardOffice, p.WardCounters[0], clock.Now()) != p.WardOfficials[0] {
			t.Errorf("on duty: %v %v", duties, err)
		}
		says(t, v.Get("/kiosks/duty?"+office.Encode()), http.StatusOK, "Đặt tại chỗ, đến hết hôm nay", "Đã đổi người trực.")
		says(t, v.Post("/kiosks/duty/now", url.Values{"unit": {p.WardOffice}, "official": {p.CommuneOfficials[0]}}), http.StatusUnprocessableEntity, "không làm việc tại đơn vị này")
		if answer := v.Post("/kiosks/duty/end", url.Values{"unit": {p.WardOffice}, "id": {duties.GetDuties()[0].GetId()}, "part": {"#now"}}); answer.Status != http.StatusSeeOther {
			t.Errorf("back to the schedule: %d", answer.Status)
		}
		says(t, v.Post("/kiosks/duty/end", url.Values{"unit": {p.WardOffice}, "id": {duties.GetDuties()[0].GetId()}}), http.StatusNotFound)
	})

	t.Run("the schedule", func(t *testing.T) {
		v := p.Visitor(t, webtest.Leader)
		line := url.Values{"unit": {p.WardOffice}, "counter": {p.WardCounters[1]}, "official": {p.WardOfficials[1]}, "day": {"1", "5"}, "from": {"7h30"}, "to": {"1130"}}
		if answer := v.Post("/kiosks/duty/line", line); answer.Status != http.StatusSeeOther {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		duties, err := d.ListDuties(t.Context(), &pb.ListDutiesRequest{UnitId: p.WardOffice})
		if err != nil || len(duties.GetDuties()) != 1 {
			t.Fatal(duties, err)
		}
		made := duties.GetDuties()[0]
		if made.GetFromMinute() != 450 || made.GetToMinute() != 690 || !slices.Equal(made.GetWeekdays(), []int32{1, 5}) {
			t.Errorf("made %v", made)
		}
		says(t, v.Get("/kiosks/duty?"+office.Encode()), http.StatusOK, "07:30–11:30")
		edit := "/kiosks/duty/line?unit=" + p.WardOffice + "&id=" + made.GetId()
		says(t, v.Get(edit), http.StatusOK, `value="07:30"`, `value="11:30"`)
		says(t, v.Get("/kiosks/duty/line?unit="+p.WardOffice+"&id=none"), http.StatusNotFound)
		for name, change := range map[string]struct {
			field, value, words string
		}{
			"turned": {"to", "07:00", "sau giờ bắt đầu"}, "no time": {"from", "sáng", "07:30"}, "no day": {"valid_from", "31/02/2027", "Ngày không đúng"}, "nobody": {"official", "", "Xin"},
		} {
			wrong := url.Values{}
			for key, values := range line {
				wrong[key] = values
			}
			wrong.Set(change.field, change.value)
			answer := v.Post("/kiosks/duty/line", wrong)
			says(t, answer, http.StatusUnprocessableEntity, change.words)
			if change.value != "" && !strings.Contains(answer.Body, `value="`+change.value+`"`) {
				t.Errorf("%s: what was typed is lost", name)
			}
		}
		line.Set("id", made.GetId())
		line.Set("valid_from", "8/2/2027")
		line["day"] = []string{"1", "2", "3", "4", "5", "6", "7"}
		if answer := v.Post("/kiosks/duty/line", line); answer.Status != http.StatusSeeOther {
			t.Errorf("changed: %d %s", answer.Status, answer.Body)
		}
		duties, err = d.ListDuties(t.Context(), &pb.ListDutiesRequest{UnitId: p.WardOffice})
		if err != nil || len(duties.GetDuties()) != 1 || duties.GetDuties()[0].GetValidFrom() != "2027-02-08" || len(duties.GetDuties()[0].GetWeekdays()) != 0 {
			t.Errorf("%v %v", duties, err)
		}
	})

	t.Run("photo and number", func(t *testing.T) {
		v := p.Visitor(t, webtest.Administrator)
		page := "/kiosks/officials/" + p.WardOfficials[0]
		says(t, v.Get(page), http.StatusOK, "Chưa có ảnh.", "Chưa có mã PIN.")
		says(t, v.Get(page+"/photo"), http.StatusNotFound)
		says(t, upload(t, v, page+"/photo", []byte("<script>alert(1)</script>")), http.StatusUnprocessableEntity, "không phải ảnh JPEG hoặc PNG")
		says(t, upload(t, v, page+"/photo", nil), http.StatusUnprocessableEntity, "Xin chọn một tệp ảnh.")
		if answer := upload(t, v, page+"/photo", face(t)); answer.Status != http.StatusSeeOther {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		photo := v.Get(page + "/photo")
		if config, format, err := image.DecodeConfig(strings.NewReader(photo.Body)); err != nil || format != "jpeg" || config.Width != config.Height || photo.Header.Get("Content-Type") != "image/jpeg" {
			t.Errorf("%v %s %v", config, format, err)
		}
		says(t, p.Visitor(t, webtest.Official).Get(page+"/photo"), http.StatusNotFound)

		says(t, v.Post(page+"/number", url.Values{"password": {"12"}}), http.StatusUnprocessableEntity, "4 đến 8 chữ số")
		if answer := v.Post(page+"/number", url.Values{"password": {"2580"}}); answer.Status != http.StatusSeeOther {
			t.Errorf("%d %s", answer.Status, answer.Body)
		}
		answer := v.Post("/kiosks/officials/"+p.WardOfficials[1]+"/number", url.Values{"password": {"2580"}})
		says(t, answer, http.StatusUnprocessableEntity, "đã có người khác trong đơn vị dùng")
		if strings.Contains(answer.Body, "2580") {
			t.Error("the number stands on the page")
		}
		if answer := v.Post("/kiosks/officials/"+p.CommuneOfficials[0]+"/number", url.Values{"password": {"2580"}}); answer.Status != http.StatusSeeOther {
			t.Errorf("in another unit the number is free: %d", answer.Status)
		}
		says(t, v.Get(page), http.StatusOK, "Đã có mã PIN.", "Đã lưu mã PIN của")
		v.Post(page+"/number", url.Values{"remove": {"1"}})
		v.Post(page+"/photo", url.Values{"remove": {"1"}})
		says(t, v.Get(page), http.StatusOK, "Chưa có ảnh.", "Chưa có mã PIN.")
	})

	t.Run("office hours", func(t *testing.T) {
		says(t, p.Visitor(t, webtest.CommuneAdministrator).Get("/kiosks/hours"), http.StatusOK, "Chỉ quản trị viên của toàn hệ thống")
		says(t, p.Visitor(t, webtest.CommuneAdministrator).Post("/kiosks/hours", url.Values{}), http.StatusNotFound)
		v := p.Visitor(t, webtest.Administrator)
		kept, err := d.GetOfficeHours(t.Context(), &pb.GetOfficeHoursRequest{})
		if err != nil {
			t.Fatal(err)
		}
		next := v.Get("/kiosks/hours")
		says(t, next, http.StatusOK, "chưa có lịch nghỉ Tết")
		form := url.Values{
			"version": {kept.GetVersion()}, "from_1_0": {"7h30"}, "to_1_0": {"11:30"}, "from_1_1": {"13:00"}, "to_1_1": {"24:00"},
			"day_0": {"16/02/2026"}, "name_0": {"Tết Nguyên đán"}, "as_0": {"0"}, "day_3": {"2026-02-28"}, "name_3": {"Làm bù"}, "as_3": {"1"},
		}
		for name, change := range map[string]struct{ field, value, words string }{
			"one time": {"to_1_0", "", "cả giờ mở cửa và giờ đóng cửa"}, "turned": {"to_1_0", "7:00", "sau giờ mở cửa"}, "overlap": {"from_1_1", "11:00", "chồng lên nhau"},
			"no day": {"day_0", "30/02/2026", "Ngày không đúng"}, "no name": {"name_3", "", "ghi tên"}, "twice": {"day_3", "16/2/2026", "hai lần"},
		} {
			wrong := url.Values{}
			for key, values := range form {
				wrong[key] = values
			}
			wrong.Set(change.field, change.value)
			answer := v.Post("/kiosks/hours?year=2026", wrong)
			says(t, answer, http.StatusUnprocessableEntity, change.words)
			if !strings.Contains(answer.Body, `value="7h30"`) {
				t.Errorf("%s: what was typed is lost", name)
			}
		}
		if answer := v.Post("/kiosks/hours?year=2026", form); answer.Status != http.StatusSeeOther {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		kept, err = d.GetOfficeHours(t.Context(), &pb.GetOfficeHoursRequest{})
		if err != nil || len(kept.GetWeek()) != 2 || kept.GetWeek()[1].GetToMinute() != 1440 || len(kept.GetSpecialDays()) != 2 || kept.GetSpecialDays()[1].GetOpenAsWeekday() != 1 {
			t.Errorf("%v %v", kept, err)
		}
		says(t, v.Post("/kiosks/hours?year=2026", form), http.StatusUnprocessableEntity, "vừa được người khác thay đổi", kept.GetVersion())
		form.Set("version", kept.GetVersion())
		form = url.Values{"version": {kept.GetVersion()}, "day_0": {"01/01/2027"}, "name_0": {"Tết Dương lịch"}}
		if answer := v.Post("/kiosks/hours?year=2027", form); answer.Status != http.StatusSeeOther {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		if kept, err = d.GetOfficeHours(t.Context(), &pb.GetOfficeHoursRequest{}); err != nil || len(kept.GetSpecialDays()) != 3 {
			t.Errorf("another year's days: %v %v", kept, err)
		}
	})

	t.Run("how a screen works", func(t *testing.T) {
		v := p.Visitor(t, webtest.Administrator)
		page := "/kiosks/devices/" + p.Device
		form := url.Values{
			"vi": {"1"}, "en": {"1"}, "idle": {"45"}, "interval": {"7"}, "comment": {"1"}, "low_buttons": {"1"}, "tones": {"new"}, "invitation_vi": {"Mời bà con góp ý"}, "thanks_en": {"Thank you"},
			"ticket": {`^[A-Z]\d{3}$`}, "questionnaire": {""},
		}
		says(t, v.Get(page+"/settings"), http.StatusOK, `value="30"`)
		for _, change := range []struct{ field, value, words string }{
			{"idle", "999", "từ 5 đến 300"}, {"interval", "nhanh", "từ 1 đến 300"}, {"ticket", "(", "biểu thức chính quy"}, {"others", "xx-??", "xx-??"}, {"invitation_vi", strings.Repeat("góp ý ", 30), "Nhiều nhất 120"},
		} {
			wrong := url.Values{}
			for key, values := range form {
				wrong[key] = values
			}
			wrong.Set(change.field, change.value)
			says(t, v.Post(page+"/settings", wrong), http.StatusUnprocessableEntity, change.words)
		}
		says(t, v.Post(page+"/settings", url.Values{"idle": {"30"}, "interval": {"5"}}), http.StatusUnprocessableEntity, "ít nhất một ngôn ngữ")
		if answer := v.Post(page+"/settings", form); answer.Status != http.StatusSeeOther {
			t.Fatalf("%d %s", answer.Status, answer.Body)
		}
		device, err := d.GetDevice(t.Context(), &pb.GetDeviceRequest{DeviceId: p.Device})
		if err != nil {
			t.Fatal(err)
		}
		s := device.GetSettings()
		if s.GetIdleSeconds() != 45 || s.GetMinimumIntervalSeconds() != 7 || s.GetSkipComment() || !s.GetSkipCallBack() || !s.GetNewToneStyle() || !s.GetLowButtons() ||
			!slices.Equal(s.GetLanguages(), []string{"vi", "en"}) || len(s.GetInvitations()) != 1 || len(s.GetThanks()) != 1 || s.GetTicketPattern() != `^[A-Z]\d{3}$` {
			t.Errorf("kept %v", s)
		}
		says(t, v.Get(page+"/settings"), http.StatusOK, `value="45"`, "Mời bà con góp ý", "Thank you")
		says(t, v.Get(page), http.StatusOK, "45 giây")
	})
}

func upload(t *testing.T, v *webtest.Visitor, path string, photo []byte) webtest.Answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if photo != nil {
		file, err := form.CreateFormFile("photo", "ảnh thẻ.png")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = file.Write(photo)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	request := v.Request(http.MethodPost, path, nil)
	request.Body, request.ContentLength = io.NopCloser(&body), int64(body.Len())
	request.Header.Set("Content-Type", form.FormDataContentType())
	return v.Do(request)
}

// TestFleet: what is wrong comes first, is told in words, and is counted for the box on other pages.
func TestFleet(t *testing.T) {
	p, clock := start(t)
	v := p.Visitor(t, webtest.Administrator)
	says(t, v.Get("/kiosks/alert"), http.StatusOK)
	copied := fleet(t, p, clock)
	page := v.Get("/kiosks")
	says(t, page, http.StatusOK, "Bộ nhớ sắp đầy.", "Máy báo: something_new.", "nhanh 7 phút", "1.234", "Kiosk &lt;b&gt;mới&lt;/b&gt;")
	at := -1
	for _, name := range []string{"Kiosk chép đĩa", "Kiosk sảnh chính", "Kiosk xã Đồi Nắng", "Kiosk &lt;b&gt;mới", "Kiosk 2, quầy Hộ tịch"} { // copied, silent, behind, waiting, live
		next := strings.Index(page.Body, ">"+name)
		if next < at {
			t.Errorf("%s stands at %d, after %d", name, next, at)
		}
		at = next
	}
	says(t, v.Get("/kiosks?state=silent&unit="+p.Ward), http.StatusOK, "Kiosk sảnh chính")
	if body := v.Get("/kiosks?state=silent&unit=" + p.Commune).Body; strings.Contains(body, "Kiosk sảnh chính") || !strings.Contains(body, "Không có thiết bị nào ở tình trạng này.") {
		t.Error("the filter shows what is elsewhere")
	}
	says(t, v.Get("/kiosks/devices/"+copied), http.StatusOK, "Cần làm gì", "Tạo thiết bị mới", "Lấy mã mới", "Hai máy khác nhau gửi dưới cùng danh tính.")
	says(t, v.Get("/kiosks/alert"), http.StatusOK, "1 kiosk im lặng trong giờ làm việc", "1 kiosk bị sao chép", `href="/kiosks"`)
	says(t, v.Get("/kiosks/alert?unit="+p.Ward), http.StatusOK, "1 kiosk im lặng", "/kiosks?unit="+p.Ward)
	if body := strings.TrimSpace(p.Visitor(t, webtest.Leader).Get("/kiosks/alert").Body); body != "" {
		t.Errorf("who has no devices is told %q", body)
	}
}

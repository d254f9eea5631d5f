package admin

import (
	"net/url"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// bindForm makes a device, or binds one that is there: a unit is searched, then all of it or some of its counters are chosen.
type bindForm struct {
	form
	Device       *deviceRow // nil = a new one
	Name         string
	Unit         picker
	Counters     []choice
	Whole        bool // the whole unit
	Action, Back string
}

func bindingForm(v *web.Visit, f bindForm) (bindForm, error) {
	var first []string
	if unit := v.Account.GetUnitId(); unit != "" && f.Device == nil {
		first = append(first, unit)
	}
	var err error
	f.Unit, err = pick(v, picker{Name: "unit", Label: v.Text("adminpage.device_unit"), Help: v.Text("adminpage.device_unit_help")}, first...)
	if err != nil {
		return f, err
	}
	f.Name = v.Value("name")
	chosen := v.Values("counter")
	f.Whole = slices.Contains(chosen, top)
	if unit, ok := f.Unit.id(); ok {
		counters, err := v.CountersOf(unit)
		if err != nil {
			return f, err
		}
		for _, c := range counters {
			if c.GetClosedAt() == nil {
				f.Counters = append(f.Counters, choice{Value: c.GetId(), Words: c.GetName(), Chosen: slices.Contains(chosen, c.GetId())})
			}
		}
		f.Whole = f.Whole || len(f.Counters) == 0
	}
	return f, nil
}

// ready judges what was sent. False where the form only asks on: a unit was searched, or counters stand to be chosen now.
func (f *bindForm) ready(v *web.Visit) bool {
	if f.Device == nil {
		f.Name = f.text(v, "name", 1, 300)
		if len(f.Name) > 300 { // the contract counts letters here, the device's own limit bytes
			f.wrong(v, "name", "adminpage.too_long", "limit", 150)
		}
	}
	unit, ok := f.Unit.id()
	switch {
	case f.Unit.searching:
		f.forget()
		return false
	case !ok:
		f.wrong(v, "unit", "adminpage.choose_unit")
	case unit != v.Value("unit_before") && len(f.Counters) > 0 && len(f.bindings()) == 0:
		f.forget() // counters are shown for the first time
		return false
	case len(f.bindings()) == 0:
		f.wrong(v, "counter", "adminpage.choose_counter")
	}
	return !f.bad()
}

func (f *bindForm) bindings() []*pb.DeviceBinding {
	unit, ok := f.Unit.id()
	if !ok {
		return nil
	}
	if f.Whole {
		return []*pb.DeviceBinding{{UnitId: unit}}
	}
	var list []*pb.DeviceBinding
	for _, c := range f.Counters {
		if c.Chosen {
			list = append(list, &pb.DeviceBinding{UnitId: unit, CounterId: c.Value})
		}
	}
	return list
}

func newDeviceForm(v *web.Visit) (bindForm, error) {
	return bindingForm(v, bindForm{Action: "/admin/devices/new", Back: "/admin/devices"})
}

func (p pages) newDevice(v *web.Visit) error {
	f, err := newDeviceForm(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "device-form", f)
}

func (p pages) createDevice(v *web.Visit) error {
	f, err := newDeviceForm(v)
	if err != nil {
		return err
	}
	if !f.ready(v) {
		return v.RenderStatus(again(f.form), p.Pages, "device-form", f)
	}
	// A name in use is most often a form that was sent twice; a device cannot be told by its id beforehand.
	all, err := allDevices(v)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(d *pb.Device) bool { return d.GetRevokedAt() == nil && strings.EqualFold(d.GetName(), f.Name) }) {
		f.wrong(v, "name", "adminpage.device_name_taken")
		return v.RenderStatus(again(f.form), p.Pages, "device-form", f)
	}
	made, err := v.Directory.CreateDevice(v.Context(), &pb.CreateDeviceRequest{Name: f.Name, Bindings: f.bindings()})
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return v.RenderStatus(again(f.form), p.Pages, "device-form", f)
	}
	return tellCode(v, made)
}

func boundForm(v *web.Visit) (bindForm, error) {
	row, err := deviceOf(v)
	if err != nil {
		return bindForm{}, err
	}
	if row.GetRevokedAt() != nil {
		return bindForm{}, web.ErrNotFound
	}
	return bindingForm(v, bindForm{Device: &row, Action: row.Link + "/bind", Back: row.Link})
}

func (p pages) newBinding(v *web.Visit) error {
	f, err := boundForm(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "device-form", f)
}

func (p pages) bind(v *web.Visit) error {
	f, err := boundForm(v)
	if err != nil {
		return err
	}
	if !f.ready(v) {
		return v.RenderStatus(again(f.form), p.Pages, "device-form", f)
	}
	for _, b := range f.bindings() {
		if _, err := v.Directory.BindDevice(v.Context(), &pb.BindDeviceRequest{DeviceId: f.Device.GetId(), Binding: b}); err != nil {
			if err := f.refused(err); err != nil {
				return err
			}
			return v.RenderStatus(again(f.form), p.Pages, "device-form", f)
		}
	}
	v.Notice(v.Text("adminpage.saved"))
	return v.Redirect(f.Back)
}

// unbinding finds the binding that an address names.
func unbinding(v *web.Visit) (askPage, place, error) {
	row, err := deviceOf(v)
	if err != nil {
		return askPage{}, place{}, err
	}
	unit, counter := v.Value("unit"), v.Value("counter")
	for _, at := range row.Places {
		if at.GetUnitId() != unit || at.GetCounterId() != counter || at.GetValidTo() != nil {
			continue
		}
		where := at.Counter
		if where == "" {
			where = v.Text("adminpage.whole_unit")
		}
		return askPage{
			Title: v.Text("adminpage.unbind_title", "name", row.GetName()), Button: v.Text("adminpage.unbind"),
			Text:   []string{v.Text("adminpage.unbind_text")},
			Rows:   []choice{{Words: row.GetName(), Help: v.Text("adminpage.device")}, {Words: where, Help: v.Text("adminpage.counter")}, {Words: at.Unit, Help: v.Text("web.unit")}},
			Action: row.Link + "/unbind", Back: row.Link, BackTo: row.GetName(),
			Hidden: []choice{{Value: unit, Words: "unit"}, {Value: counter, Words: "counter"}},
		}, at, nil
	}
	return askPage{}, place{}, web.ErrNotFound
}

func (p pages) askUnbind(v *web.Visit) error {
	page, _, err := unbinding(v)
	if err != nil {
		return err
	}
	return p.ask(v, page)
}

func (p pages) unbind(v *web.Visit) error {
	page, at, err := unbinding(v)
	if err != nil {
		return err
	}
	_, err = v.Directory.BindDevice(v.Context(), &pb.BindDeviceRequest{DeviceId: v.R.PathValue("device"), Binding: &pb.DeviceBinding{
		UnitId: at.GetUnitId(), CounterId: at.GetCounterId(), ValidTo: timestamppb.New(v.Clock()),
	}})
	if err != nil {
		if err := page.refused(err); err != nil {
			return err
		}
		return p.ask(v, page)
	}
	v.Notice(v.Text("adminpage.unbound"))
	return v.Redirect("/admin/devices/" + url.PathEscape(v.R.PathValue("device")))
}

func revoking(v *web.Visit) (askPage, deviceRow, error) {
	row, err := deviceOf(v)
	if err != nil {
		return askPage{}, row, err
	}
	return askPage{
		Title: v.Text("adminpage.revoke_title", "name", row.GetName()), Button: v.Text("adminpage.revoke"),
		Text:   []string{v.Text("adminpage.revoke_text"), v.Text("adminpage.revoke_lost"), v.Text("adminpage.revoke_instead")},
		Rows:   []choice{{Words: row.GetName(), Help: v.Text("adminpage.device")}, {Words: row.Seen, Help: v.Text("adminpage.last_seen")}},
		Action: row.Link + "/revoke", Back: row.Link, BackTo: row.GetName(),
	}, row, nil
}

func (p pages) askRevoke(v *web.Visit) error {
	page, row, err := revoking(v)
	if err != nil {
		return err
	}
	if row.GetRevokedAt() != nil {
		return v.Redirect(row.Link)
	}
	return p.ask(v, page)
}

func (p pages) revoke(v *web.Visit) error {
	page, row, err := revoking(v)
	if err != nil {
		return err
	}
	if _, err := v.Directory.RevokeDevice(v.Context(), &pb.RevokeDeviceRequest{DeviceId: row.GetId()}); err != nil {
		if err := page.refused(err); err != nil {
			return err
		}
		return p.ask(v, page)
	}
	v.Notice(v.Text("adminpage.revoked", "name", row.GetName()))
	return v.Redirect(row.Link)
}

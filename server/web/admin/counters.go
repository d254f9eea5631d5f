package admin

import (
	"net/url"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type counterPage struct {
	Unit    *pb.Unit
	Counter *pb.Counter
	Sign    sign
	Devices []*pb.Device // bound to it now
	Link    string
	Back    string
}

// counterOf answers the unit and counter that a page's address names.
func counterOf(v *web.Visit) (*pb.Unit, *pb.Counter, error) {
	u, err := unitOf(v)
	if err != nil {
		return nil, nil, err
	}
	counters, err := v.CountersOf(u.GetId())
	if err != nil {
		return nil, nil, err
	}
	for _, c := range counters {
		if c.GetId() == v.R.PathValue("counter") {
			return u, c, nil
		}
	}
	return nil, nil, web.ErrNotFound
}

func counterLink(c *pb.Counter) string {
	return unitLink(c.GetUnitId()) + "/counters/" + url.PathEscape(c.GetId())
}

func showCounter(v *web.Visit) (counterPage, error) {
	u, c, err := counterOf(v)
	if err != nil {
		return counterPage{}, err
	}
	page := counterPage{Unit: u, Counter: c, Link: counterLink(c), Back: unitLink(u.GetId())}
	if page.Sign, err = signOf(v, u, c); err != nil || !v.May("manage_devices") {
		return page, err
	}
	devices, err := allDevices(v)
	for _, d := range devices {
		for _, b := range d.GetBindings() {
			if d.GetRevokedAt() == nil && b.GetCounterId() == c.GetId() && bound(v, b) {
				page.Devices = append(page.Devices, d)
				break
			}
		}
	}
	return page, err
}

func (p pages) counter(v *web.Visit) error {
	page, err := showCounter(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "counter", page)
}

// thingForm is a form for a counter or an official.
type thingForm struct {
	form
	Unit         *pb.Unit
	Kind         string // "counter" or "official"
	New          bool
	ID           string
	Code, Name   string // of a counter
	Position     string // of an official
	Action, Back string
}

func (f *thingForm) readCounter(v *web.Visit) {
	f.Code, f.Name = f.text(v, "code", 1, 64), f.text(v, "name", 1, 300)
}

func (p pages) newCounter(v *web.Visit) error {
	u, err := unitOf(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "thing-form", newThing(v, u, "counter"))
}

func newThing(v *web.Visit, u *pb.Unit, kind string) thingForm {
	return thingForm{Unit: u, Kind: kind, New: true, ID: newID(v), Action: unitLink(u.GetId()) + "/" + kind + "s/new", Back: unitLink(u.GetId())}
}

func (p pages) createCounter(v *web.Visit) error {
	u, err := unitOf(v)
	if err != nil {
		return err
	}
	f := newThing(v, u, "counter")
	if f.readCounter(v); f.bad() {
		return v.RenderStatus(again(f.form), p.Pages, "thing-form", f)
	}
	made, err := v.Directory.CreateCounter(v.Context(), &pb.CreateCounterRequest{Counter: &pb.Counter{Id: f.ID, UnitId: u.GetId(), Code: f.Code, Name: f.Name}})
	if err != nil {
		if reason(err) == "directory_counter_code_taken" {
			f.wrong(v, "code", "adminpage.sign_taken")
		} else if err := f.used(v, err, &f.ID); err != nil {
			return err
		}
		return v.RenderStatus(again(f.form), p.Pages, "thing-form", f)
	}
	v.Notice(v.Text("adminpage.counter_made", "name", made.GetName()))
	return v.Redirect(counterLink(made))
}

func (p pages) editCounter(v *web.Visit) error {
	u, c, err := counterOf(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "thing-form", counterForm(u, c))
}

func counterForm(u *pb.Unit, c *pb.Counter) thingForm {
	return thingForm{Unit: u, Kind: "counter", ID: c.GetId(), Code: c.GetCode(), Name: c.GetName(), Action: counterLink(c) + "/change", Back: counterLink(c)}
}

func (p pages) changeCounter(v *web.Visit) error {
	u, c, err := counterOf(v)
	if err != nil {
		return err
	}
	f := counterForm(u, c)
	if f.readCounter(v); f.bad() {
		return v.RenderStatus(again(f.form), p.Pages, "thing-form", f)
	}
	_, err = v.Directory.ChangeCounter(v.Context(), &pb.ChangeCounterRequest{Counter: &pb.Counter{Id: c.GetId(), UnitId: u.GetId(), Code: f.Code, Name: f.Name}})
	if err != nil {
		if reason(err) == "directory_counter_code_taken" {
			f.wrong(v, "code", "adminpage.sign_taken")
		} else if err := f.refused(err); err != nil {
			return err
		}
		return v.RenderStatus(again(f.form), p.Pages, "thing-form", f)
	}
	v.Notice(v.Text("adminpage.saved"))
	return v.Redirect(f.Back)
}

// askPage asks before something that cannot simply be taken back.
type askPage struct {
	form
	Title    string
	Text     []string // what will happen
	Rows     []choice // what it concerns: words, and beside them what they are
	Button   string
	Action   string
	Back     string
	BackTo   string // what is above, as words
	Hidden   []choice
	Harmless bool
}

func (p pages) ask(v *web.Visit, page askPage) error {
	return v.RenderStatus(again(page.form), p.Pages, "ask", page)
}

func closingCounter(v *web.Visit) (askPage, *pb.Counter, error) {
	shown, err := showCounter(v)
	if err != nil {
		return askPage{}, nil, err
	}
	page := askPage{
		Title: v.Text("adminpage.close_counter_title", "name", shown.Counter.GetName()), Button: v.Text("adminpage.close_counter"),
		Text:   []string{v.Text("adminpage.close_counter_ratings"), v.Text("adminpage.close_counter_form")},
		Rows:   []choice{{Words: shown.Counter.GetName(), Help: v.Text("adminpage.counter")}, {Words: shown.Unit.GetName(), Help: v.Text("web.unit")}},
		Action: shown.Link + "/close", Back: shown.Link, BackTo: shown.Counter.GetName(),
	}
	for _, d := range shown.Devices {
		page.Text = append(page.Text, v.Text("adminpage.close_counter_device", "name", d.GetName()))
	}
	return page, shown.Counter, nil
}

func (p pages) askCloseCounter(v *web.Visit) error {
	page, _, err := closingCounter(v)
	if err != nil {
		return err
	}
	return p.ask(v, page)
}

func (p pages) closeCounter(v *web.Visit) error {
	page, c, err := closingCounter(v)
	if err != nil {
		return err
	}
	if _, err := v.Directory.CloseCounter(v.Context(), &pb.CloseCounterRequest{CounterId: c.GetId()}); err != nil {
		if err := page.refused(err); err != nil {
			return err
		}
		return p.ask(v, page)
	}
	v.Notice(v.Text("adminpage.counter_closed", "name", c.GetName()))
	return v.Redirect(unitLink(c.GetUnitId()))
}

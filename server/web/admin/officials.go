package admin

import (
	"net/url"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

func officialOf(v *web.Visit) (*pb.Unit, *pb.Official, error) {
	u, err := unitOf(v)
	if err != nil {
		return nil, nil, err
	}
	officials, err := v.OfficialsOf(u.GetId(), true)
	if err != nil {
		return nil, nil, err
	}
	for _, o := range officials {
		if o.GetId() == v.R.PathValue("official") {
			return u, o, nil
		}
	}
	return nil, nil, web.ErrNotFound
}

func officialLink(o *pb.Official) string {
	return unitLink(o.GetUnitId()) + "/officials/" + url.PathEscape(o.GetId())
}

func (f *thingForm) readOfficial(v *web.Visit) {
	f.Name, f.Position = f.text(v, "name", 1, 300), f.text(v, "position", 0, 300)
}

func (p pages) newOfficial(v *web.Visit) error {
	u, err := unitOf(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "thing-form", newThing(v, u, "official"))
}

func (p pages) createOfficial(v *web.Visit) error {
	u, err := unitOf(v)
	if err != nil {
		return err
	}
	f := newThing(v, u, "official")
	if f.readOfficial(v); f.bad() {
		return v.RenderStatus(again(f.form), p.Pages, "thing-form", f)
	}
	made, err := v.Directory.CreateOfficial(v.Context(), &pb.CreateOfficialRequest{Official: &pb.Official{Id: f.ID, UnitId: u.GetId(), Name: f.Name, Position: f.Position}})
	if err != nil {
		if err := f.used(v, err, &f.ID); err != nil {
			return err
		}
		return v.RenderStatus(again(f.form), p.Pages, "thing-form", f)
	}
	v.Notice(v.Text("adminpage.official_made", "name", made.GetName()))
	return v.Redirect(f.Back + "#officials")
}

func (p pages) editOfficial(v *web.Visit) error {
	u, o, err := officialOf(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "thing-form", officialForm(u, o))
}

func officialForm(u *pb.Unit, o *pb.Official) thingForm {
	return thingForm{Unit: u, Kind: "official", ID: o.GetId(), Name: o.GetName(), Position: o.GetPosition(), Action: officialLink(o) + "/change", Back: unitLink(u.GetId())}
}

func (p pages) changeOfficial(v *web.Visit) error {
	u, o, err := officialOf(v)
	if err != nil {
		return err
	}
	f := officialForm(u, o)
	if f.readOfficial(v); f.bad() {
		return v.RenderStatus(again(f.form), p.Pages, "thing-form", f)
	}
	_, err = v.Directory.ChangeOfficial(v.Context(), &pb.ChangeOfficialRequest{Official: &pb.Official{Id: o.GetId(), UnitId: u.GetId(), Name: f.Name, Position: f.Position}})
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return v.RenderStatus(again(f.form), p.Pages, "thing-form", f)
	}
	v.Notice(v.Text("adminpage.saved"))
	return v.Redirect(f.Back + "#officials")
}

func closingOfficial(v *web.Visit) (askPage, *pb.Official, error) {
	u, o, err := officialOf(v)
	if err != nil {
		return askPage{}, nil, err
	}
	return askPage{
		Title: v.Text("adminpage.close_official_title", "name", o.GetName()), Button: v.Text("adminpage.close_official"),
		Text:   []string{v.Text("adminpage.close_official_text")},
		Rows:   []choice{{Words: o.GetName(), Help: v.Text("adminpage.official")}, {Words: u.GetName(), Help: v.Text("web.unit")}},
		Action: officialLink(o) + "/close", Back: unitLink(u.GetId()), BackTo: u.GetName(),
	}, o, nil
}

func (p pages) askCloseOfficial(v *web.Visit) error {
	page, _, err := closingOfficial(v)
	if err != nil {
		return err
	}
	return p.ask(v, page)
}

func (p pages) closeOfficial(v *web.Visit) error {
	page, o, err := closingOfficial(v)
	if err != nil {
		return err
	}
	if _, err := v.Directory.CloseOfficial(v.Context(), &pb.CloseOfficialRequest{OfficialId: o.GetId()}); err != nil {
		if err := page.refused(err); err != nil {
			return err
		}
		return p.ask(v, page)
	}
	v.Notice(v.Text("adminpage.official_closed", "name", o.GetName()))
	return v.Redirect(unitLink(o.GetUnitId()) + "#officials")
}

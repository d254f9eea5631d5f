package admin

import (
	"regexp"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type unitForm struct {
	form
	Unit             *pb.Unit // nil = a new one
	ID               string   // of a new one
	Name, Code, From string
	Levels           []choice
	Level            string
	Parent           picker
	Fixed            bool // the unit above lies outside of what the account governs: the unit stays where it is
	Action, Back     string
}

var plainCode = regexp.MustCompile(`^[A-Za-z0-9._-]{0,64}$`)

// read takes what was typed.
func (f *unitForm) read(v *web.Visit) {
	f.Name, f.Code, f.Level = f.text(v, "name", 1, 300), v.Value("code"), v.Value("level")
	if f.Level == "" {
		f.wrong(v, "level", "web.required")
	}
	if !plainCode.MatchString(f.Code) {
		f.wrong(v, "code", "adminpage.code_wrong")
	}
	if _, ok := f.parent(); !ok {
		f.wrong(v, "parent", "adminpage.choose_unit")
	}
}

// parent is the unit above, as it was chosen.
func (f *unitForm) parent() (string, bool) {
	if f.Fixed {
		return f.Unit.GetParentId(), true
	}
	return f.Parent.id()
}

// forget takes back what is wrong: the form was sent to search in it.
func (f *form) forget() { *f = form{} }

func parentPicker(v *web.Visit) picker {
	p := picker{Name: "parent", Label: v.Text("adminpage.parent"), Help: v.Text("adminpage.parent_help")}
	if everywhere(v) {
		p.Top = v.Text("adminpage.at_top")
	}
	return p
}

func (p pages) newUnit(v *web.Visit) error {
	f, err := newUnitForm(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "unit-form", f)
}

func newUnitForm(v *web.Visit) (unitForm, error) {
	f := unitForm{ID: newID(v), Action: "/admin/units/new", Back: "/admin/units"}
	parent := v.Value("parent")
	switch {
	case parent == "" && !everywhere(v):
		parent = v.Account.GetUnitId()
	case parent == "" && v.R.Method == "GET":
		parent = top
	}
	var err error
	f.Parent, err = pick(v, parentPicker(v), parent)
	if id, _ := f.Parent.id(); id != "" {
		f.Back = unitLink(id)
	}
	f.Levels = levelChoices(v, v.Value("level"))
	return f, err
}

func (p pages) createUnit(v *web.Visit) error {
	f, err := newUnitForm(v)
	if err != nil {
		return err
	}
	f.read(v)
	if f.From = v.Value("valid_from"); f.From != "" {
		f.day(v, "valid_from")
	}
	if f.Parent.searching {
		f.forget()
	}
	if f.bad() || f.Parent.searching {
		return v.RenderStatus(again(f.form), p.Pages, "unit-form", f)
	}
	parent, _ := f.Parent.id()
	made, err := v.Directory.CreateUnit(v.Context(), &pb.CreateUnitRequest{Unit: &pb.Unit{
		Id: f.ID, ParentId: parent, Name: f.Name, Code: f.Code, Level: f.Level, ValidFrom: f.From,
	}})
	if err != nil {
		if err := f.used(v, err, &f.ID); err != nil {
			return err
		}
		return v.RenderStatus(again(f.form), p.Pages, "unit-form", f)
	}
	v.Notice(v.Text("adminpage.unit_made", "name", made.GetName()))
	return v.Redirect(unitLink(made.GetId()))
}

func (p pages) editUnit(v *web.Visit) error {
	f, err := editUnitForm(v)
	if err != nil {
		return err
	}
	f.Name, f.Code, f.Level, f.From = f.Unit.GetName(), f.Unit.GetCode(), f.Unit.GetLevel(), string(v.Today())
	f.Levels = levelChoices(v, f.Level)
	return v.Render(p.Pages, "unit-form", f)
}

func editUnitForm(v *web.Visit) (unitForm, error) {
	u, err := unitOf(v)
	if err != nil {
		return unitForm{}, err
	}
	f := unitForm{Unit: u, Action: unitLink(u.GetId()) + "/change", Back: unitLink(u.GetId())}
	first := u.GetParentId()
	if first == "" {
		first = top
	}
	picking := parentPicker(v)
	picking.Not = u.GetId()
	if first == top {
		picking.Top = v.Text("adminpage.at_top") // it stays where it is
	}
	if f.Fixed = u.GetParentId() != "" && u.GetId() == v.Account.GetUnitId(); !f.Fixed {
		f.Parent, err = pick(v, picking, first)
	}
	if v.R.Method == "POST" {
		level := v.Value("level")
		f.Levels = levelChoices(v, level)
	}
	return f, err
}

func (p pages) changeUnit(v *web.Visit) error {
	f, err := editUnitForm(v)
	if err != nil {
		return err
	}
	f.read(v)
	f.From = f.day(v, "valid_from")
	if f.Parent.searching {
		f.forget()
	}
	if f.bad() || f.Parent.searching {
		return v.RenderStatus(again(f.form), p.Pages, "unit-form", f)
	}
	parent, _ := f.parent()
	_, err = v.Directory.ChangeUnit(v.Context(), &pb.ChangeUnitRequest{Unit: &pb.Unit{
		Id: f.Unit.GetId(), ParentId: parent, Name: f.Name, Code: f.Code, Level: f.Level, ValidFrom: f.From,
	}})
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return v.RenderStatus(again(f.form), p.Pages, "unit-form", f)
	}
	v.Notice(v.Text("adminpage.unit_changed", "day", web.Day(v.Language, f.From)))
	return v.Redirect(f.Back)
}

type closeUnitForm struct {
	form
	Unit       *pb.Unit
	To         string
	Successors picker
	Counters   int // open ones
	Back       string
}

func closingUnit(v *web.Visit) (closeUnitForm, error) {
	u, err := unitOf(v)
	if err != nil {
		return closeUnitForm{}, err
	}
	f := closeUnitForm{Unit: u, To: v.Value("valid_to"), Back: unitLink(u.GetId())}
	if v.R.Method == "GET" && f.To == "" {
		f.To = string(v.Today())
	}
	counters, err := v.CountersOf(u.GetId())
	if err != nil {
		return f, err
	}
	for _, c := range counters {
		if c.GetClosedAt() == nil {
			f.Counters++
		}
	}
	f.Successors, err = pick(v, picker{
		Name: "successor", Label: v.Text("adminpage.successors"), Help: v.Text("adminpage.successors_help"), Many: true, Not: u.GetId(),
	})
	return f, err
}

func (p pages) askCloseUnit(v *web.Visit) error {
	f, err := closingUnit(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "unit-close", f)
}

func (p pages) closeUnit(v *web.Visit) error {
	f, err := closingUnit(v)
	if err != nil {
		return err
	}
	f.day(v, "valid_to")
	if f.Successors.searching {
		f.forget()
	}
	if f.bad() || f.Successors.searching {
		return v.RenderStatus(again(f.form), p.Pages, "unit-close", f)
	}
	_, err = v.Directory.CloseUnit(v.Context(), &pb.CloseUnitRequest{UnitId: f.Unit.GetId(), ValidTo: f.To, SuccessorIds: f.Successors.ids()})
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return v.RenderStatus(again(f.form), p.Pages, "unit-close", f)
	}
	v.Notice(v.Text("adminpage.unit_closed", "name", f.Unit.GetName(), "day", web.Day(v.Language, f.To)))
	return v.Redirect(f.Back)
}

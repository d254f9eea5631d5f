package admin

import (
	"slices"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// personForm says who an account is: what colleagues call the person, which official that is, which units it heads. Nobody judges an
// explanation about themselves or of a unit they head, so this is what keeps them from it.
type personForm struct {
	form
	accountRow
	Display   string
	Officials []choice
	Heads     picker
	TooMany   bool // more officials serve there than a list can hold
}

// maxOfficials is how many officials a form offers.
const maxOfficials = 500

func (p pages) personForm(v *web.Visit) (*personForm, error) {
	row, err := accountOf(v)
	if err != nil {
		return nil, err
	}
	f := &personForm{accountRow: row, Display: row.GetDisplayName()}
	chosen := row.GetOfficialId()
	if v.R.Method != "GET" {
		f.Display, chosen = v.Value("display"), v.Value("official")
	}
	if row.GetUnitId() != "" {
		list, err := v.OfficialsOf(row.GetUnitId(), false)
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			if one.GetClosedAt() != nil && one.GetId() != chosen {
				continue
			}
			if len(f.Officials) == maxOfficials {
				f.TooMany = true
				break
			}
			f.Officials = append(f.Officials, choice{Value: one.GetId(), Words: one.GetName(), Help: one.GetPosition(), Chosen: one.GetId() == chosen})
		}
	}
	if chosen != "" && !slices.ContainsFunc(f.Officials, func(c choice) bool { return c.Chosen }) {
		f.Officials = append(f.Officials, choice{Value: chosen, Words: v.Text("adminpage.person_other"), Chosen: true})
	}
	f.Heads, err = pick(v, picker{Name: "heads", Label: v.Text("adminpage.person_heads"), Help: v.Text("adminpage.person_heads_help"), Many: true}, row.GetHeadsUnitIds()...)
	return f, err
}

func (p pages) editPerson(v *web.Visit) error {
	f, err := p.personForm(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "person", f)
}

func (p pages) changePerson(v *web.Visit) error {
	f, err := p.personForm(v)
	if err != nil {
		return err
	}
	f.Display = f.text(v, "display", 0, 100)
	if f.Heads.searching {
		f.forget()
	}
	if f.bad() || f.Heads.searching {
		return v.RenderStatus(again(f.form), p.Pages, "person", f)
	}
	_, err = v.Identity.UpdateAccount(v.Context(), &pb.UpdateAccountRequest{
		AccountId: f.GetId(), DisplayName: f.Display, OfficialId: v.Value("official"), HeadsUnitIds: f.Heads.ids(),
	})
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return v.RenderStatus(again(f.form), p.Pages, "person", f)
	}
	v.Notice(v.Text("adminpage.person_saved", "name", f.GetName()))
	return v.Redirect(f.Link)
}

// who is what the page of an account says of who it is.
type who struct {
	Official string
	Heads    []string
}

func whoIs(v *web.Visit, row accountRow) (who, error) {
	var w who
	names := v.UnitNames()
	for _, unit := range row.GetHeadsUnitIds() {
		w.Heads = append(w.Heads, names.Of(unit))
	}
	if row.GetOfficialId() == "" || row.GetUnitId() == "" {
		return w, nil
	}
	list, err := v.OfficialsOf(row.GetUnitId(), false)
	for _, one := range list {
		if one.GetId() == row.GetOfficialId() {
			w.Official = one.GetName()
		}
	}
	return w, err
}

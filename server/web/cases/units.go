package cases

import (
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// foundAtMost is how many units a search shows.
const foundAtMost = 12

// unitChoice is which unit a list is of.
type unitChoice struct {
	Unit  *pb.Unit // nil = all the account sees
	Query string
	Found []option
}

func (c unitChoice) id() string { return c.Unit.GetId() }

// chooseUnit reads the unit of the address: by its id, or by words that one unit alone has.
func chooseUnit(v *web.Visit) (unitChoice, error) {
	c := unitChoice{Query: cut(v.Value("unit_q"), 200)}
	id := v.Value("unit")
	if c.Query != "" {
		found, err := searchUnits(v, c.Query)
		if err != nil {
			return c, err
		}
		if c.Found = found; len(found) == 1 {
			id, c.Found, c.Query = found[0].Value, nil, ""
		}
	}
	if id == "" || c.Query != "" {
		return c, nil
	}
	var err error
	c.Unit, err = v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
	return c, err
}

// searchUnits finds units by words of their names, with or without diacritics.
func searchUnits(v *web.Visit, query string) ([]option, error) {
	answer, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{Query: cut(query, 200), PageSize: foundAtMost})
	if err != nil {
		return nil, err
	}
	names := v.UnitNames()
	var found []option
	for _, u := range answer.GetUnits() {
		above := ""
		if u.GetParentId() != "" {
			if above = names.Of(u.GetParentId()); above == u.GetParentId() { // beyond what the account sees
				above = ""
			}
		}
		found = append(found, option{Value: u.GetId(), Words: u.GetName(), Help: above})
	}
	return found, nil
}

// picker is the part of a form in which one unit is chosen: among those at hand, or by words. It works without a script: the form
// comes back with what was found, and with everything that was typed elsewhere.
type picker struct {
	ID        string // of its elements, once a page
	Label     string
	Query     string
	Options   []option
	Nothing   bool // a search found nothing
	Error     string
	searching bool
}

// pick reads the picker of a form from what was typed. at are the units at hand; in a form that was not sent the first one is chosen.
// What was searched for and found is chosen too, the first of it: whoever presses Enter after words sees what that meant.
func pick(v *web.Visit, typed typed, id, label string, at []option) (picker, error) {
	p := picker{ID: id, Label: label, Query: typed.value("unit_q"), Options: slices.Clone(at)}
	chosen := typed.value("unit")
	p.searching = p.Query != "" && (typed.value("find") != "" || p.Query != typed.value("unit_was"))
	if p.Query != "" {
		found, err := searchUnits(v, p.Query)
		if err != nil {
			return p, err
		}
		p.Nothing = len(found) == 0
		for _, one := range found {
			p.add(one)
		}
		if p.searching && len(found) > 0 {
			chosen = found[0].Value
		}
	}
	if chosen != "" && !slices.ContainsFunc(p.Options, func(o option) bool { return o.Value == chosen }) {
		u, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: chosen})
		if code := status.Code(err); code != codes.NotFound && code != codes.InvalidArgument {
			if err != nil {
				return p, err
			}
			p.add(option{Value: u.GetId(), Words: u.GetName()})
		}
	}
	if typed == nil && len(at) > 0 {
		chosen = at[0].Value
	}
	for i := range p.Options {
		p.Options[i].Chosen = p.Options[i].Value == chosen
	}
	return p, nil
}

func (p *picker) add(one option) {
	if !slices.ContainsFunc(p.Options, func(o option) bool { return o.Value == one.Value }) {
		p.Options = append(p.Options, one)
	}
}

// id is the unit chosen; "" = none.
func (p picker) id() string {
	for _, o := range p.Options {
		if o.Chosen {
			return o.Value
		}
	}
	return ""
}

// units answers the part of a picker that shows what was found, as words are typed.
func (p pages) units(v *web.Visit) error {
	chosen, err := pick(v, typedBy(v), cut(v.Value("picker"), 40), "", nil)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "units", chosen)
}

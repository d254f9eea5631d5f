package actions

import (
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// foundAtMost is how many units a search shows, and how many below one's own are at hand.
const foundAtMost = 12

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

// picker is the part of a form in which units are chosen: among those at hand, or by words. It works without a script: the form comes
// back with what was found, and with everything that was typed elsewhere. What was chosen before stays chosen.
type picker struct {
	ID        string // of its elements, once a page
	Label     string
	Help      string
	Kind      string // "checkbox": several, "radio": one
	Query     string
	Options   []option
	Nothing   bool // a search found nothing
	Error     string
	searching bool
	live      bool // words are still being typed: what is found is not chosen by itself
}

// pick reads the picker of a form from what was typed. at are the units at hand; in a form that was not sent they stand as they are.
func pick(v *web.Visit, sent typed, p picker, at []option) (picker, error) {
	p.Query, p.Options = cut(sent.value("unit_q"), 200), slices.Clone(at)
	chosen := slices.Clone(sent.values("unit"))
	p.searching = sent.value("find") != "" || p.Query != "" && p.Query != sent.value("unit_was")
	for _, id := range chosen {
		if id == "" || slices.ContainsFunc(p.Options, func(o option) bool { return o.Value == id }) {
			continue
		}
		u, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: cut(id, 64)})
		if code := status.Code(err); code == codes.NotFound || code == codes.InvalidArgument {
			continue
		}
		if err != nil {
			return p, err
		}
		p.add(option{Value: u.GetId(), Words: u.GetName()})
	}
	if p.Query != "" {
		found, err := searchUnits(v, p.Query)
		if err != nil {
			return p, err
		}
		p.Nothing = len(found) == 0
		for _, one := range found {
			p.add(one)
		}
		// Whoever presses Enter after words sees what that meant.
		if p.searching && !p.live && len(found) == 1 {
			if p.Kind == "radio" {
				chosen = nil
			}
			chosen = append(chosen, found[0].Value)
		}
	}
	if sent != nil {
		for i := range p.Options {
			p.Options[i].Chosen = slices.Contains(chosen, p.Options[i].Value)
		}
	}
	return p, nil
}

func (p *picker) add(one option) {
	if !slices.ContainsFunc(p.Options, func(o option) bool { return o.Value == one.Value }) {
		p.Options = append(p.Options, one)
	}
}

// chosen are the units chosen.
func (p picker) chosen() []string {
	var list []string
	for _, o := range p.Options {
		if o.Chosen {
			list = append(list, o.Value)
		}
	}
	return list
}

// units answers the part of a picker that shows what was found, as words are typed.
func (p pages) units(v *web.Visit) error {
	asked := picker{ID: cut(v.Value("picker"), 40), Kind: "checkbox", live: true}
	if v.Value("kind") == "radio" {
		asked.Kind = "radio"
	}
	chosen, err := pick(v, typedBy(v), asked, nil)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "units", chosen)
}

// below are the units right below the visitor's own, where they are few.
func below(v *web.Visit) ([]option, error) {
	own := v.Account.GetUnitId()
	if own == "" {
		return nil, nil
	}
	answer, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{ParentId: own, PageSize: foundAtMost + 1})
	if err != nil || len(answer.GetUnits()) > foundAtMost {
		return nil, err
	}
	var list []option
	for _, u := range answer.GetUnits() {
		list = append(list, option{Value: u.GetId(), Words: u.GetName()})
	}
	return list, nil
}

// officialsOf are those of a unit who serve there, to choose one from.
func officialsOf(v *web.Visit, unit, chosen string) ([]option, error) {
	if unit == "" || !v.May("read_officials") {
		return nil, nil
	}
	found, err := v.OfficialsOf(unit, true)
	if err != nil {
		return nil, err
	}
	var list []option
	for _, one := range found {
		if one.GetClosedAt() == nil && len(list) < maxOfficials {
			list = append(list, option{Value: one.GetId(), Words: one.GetName(), Help: one.GetPosition(), Chosen: one.GetId() == chosen})
		}
	}
	return list, nil
}

// maxOfficials is how many officials a form offers.
const maxOfficials = 60

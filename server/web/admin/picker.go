package admin

import (
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// top is what a form says instead of a unit's id: no unit above, or everywhere.
const top = "-"

// picker is the part of a form in which a unit is searched by words and chosen. It works without JavaScript: the form comes back
// with what was found, and with everything that was typed elsewhere.
type picker struct {
	Name, Label, Help string
	Top               string // words for "no unit"; "" = a unit must be chosen
	Many              bool   // several may be chosen
	Not               string // id of the unit that is no choice: the one the form is about
	Query             string
	Chosen            []option
	Found             []option
	Nothing           bool // a search found nothing
	More              bool // and there is more than is shown
	AtTop             bool // "no unit" is chosen
	searching         bool
}

// option is a unit with where it is.
type option struct {
	*pb.Unit
	Above string // name of the unit above
	Ended bool
}

const foundAtMost = 20

// pick reads the part of a form named name; where the form was not sent, what is chosen at first.
func pick(v *web.Visit, p picker, first ...string) (picker, error) {
	ids := v.Values(p.Name)
	if v.R.Method == "GET" && len(ids) == 0 {
		ids = first
	}
	if !p.Many && len(ids) > 1 {
		ids = ids[:1]
	}
	if len(ids) > 100 {
		ids = ids[:100]
	}
	for _, id := range ids {
		if id == top {
			p.AtTop = p.Top != ""
			continue
		}
		u, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
		if code := status.Code(err); code == codes.NotFound || code == codes.InvalidArgument {
			continue
		}
		if err != nil {
			return p, err
		}
		if !slices.ContainsFunc(p.Chosen, func(o option) bool { return o.GetId() == u.GetId() }) {
			p.Chosen = append(p.Chosen, placed(v, u))
		}
	}
	p.Query = v.Value(p.Name + "_q")
	// Enter in any field presses the form's first button, so new words to search tell more than the button.
	p.searching = v.Value("find") == p.Name || p.Query != "" && p.Query != v.Value(p.Name+"_was")
	if p.Query == "" {
		return p, nil
	}
	if len([]rune(p.Query)) > 200 {
		p.Query = string([]rune(p.Query)[:200])
	}
	found, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{Query: p.Query, PageSize: foundAtMost})
	if err != nil {
		return p, err
	}
	for _, u := range found.GetUnits() {
		if u.GetId() != p.Not && !slices.ContainsFunc(p.Chosen, func(o option) bool { return o.GetId() == u.GetId() }) {
			p.Found = append(p.Found, placed(v, u))
		}
	}
	p.Nothing, p.More = len(found.GetUnits()) == 0, found.GetNextPageToken() != ""
	return p, nil
}

func placed(v *web.Visit, u *pb.Unit) option {
	o := option{Unit: u, Ended: u.GetValidTo() != "" && u.GetValidTo() <= string(v.Today())}
	if u.GetParentId() != "" {
		if above, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: u.GetParentId()}); err == nil {
			o.Above = above.GetName()
		}
	}
	return o
}

// id is the one unit chosen; "" at the top. False where nothing was chosen.
func (p picker) id() (string, bool) {
	switch {
	case len(p.Chosen) > 0:
		return p.Chosen[0].GetId(), true
	case p.AtTop:
		return "", true
	}
	return "", false
}

func (p picker) ids() []string {
	var ids []string
	for _, o := range p.Chosen {
		ids = append(ids, o.GetId())
	}
	return ids
}

// allDevices lists every device the account may manage.
func allDevices(v *web.Visit) ([]*pb.Device, error) {
	var list []*pb.Device
	request := &pb.ListDevicesRequest{PageSize: 1000}
	for {
		page, err := v.Directory.ListDevices(v.Context(), request)
		if err != nil {
			return nil, err
		}
		list = append(list, page.GetDevices()...)
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return list, nil
		}
	}
}

package kiosks

import (
	"cmp"
	"net/url"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// unitChoice is the part of a page in which the unit it is about is chosen: by its words, without a script.
type unitChoice struct {
	Unit    *pb.Unit // nil = all the account sees
	Above   []*pb.Unit
	Query   string
	Found   []*pb.Unit
	Nothing bool // a search found nothing
	More    bool // and there is more than is shown
}

const foundAtMost = 20

// chooseUnit reads which unit the address names, by "unit", or by words in "q" that one unit alone has.
func chooseUnit(v *web.Visit) (unitChoice, error) {
	c := unitChoice{Query: v.Value("q")}
	if runes := []rune(c.Query); len(runes) > 200 {
		c.Query = string(runes[:200])
	}
	id := v.Value("unit")
	if c.Query != "" {
		found, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{Query: c.Query, PageSize: foundAtMost})
		if err != nil {
			return c, err
		}
		c.Found, c.More = found.GetUnits(), found.GetNextPageToken() != ""
		c.Nothing = len(c.Found) == 0
		if len(c.Found) == 1 {
			id, c.Found, c.Query = c.Found[0].GetId(), nil, ""
		}
	}
	if id == "" {
		return c, nil
	}
	var err error
	if c.Unit, err = v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id}); err != nil {
		return c, err
	}
	c.Above, err = v.Above(c.Unit)
	return c, err
}

// ID is the unit's; "" = all.
func (c unitChoice) ID() string { return c.Unit.GetId() }

// names answers names of units and counters, each unit asked for once.
type names struct {
	web.UnitNames
	v        *web.Visit
	counters map[string]map[string]string // by unit and id
}

func namesOf(v *web.Visit) names {
	return names{v.UnitNames(), v, map[string]map[string]string{}}
}

// counter is the name of a counter; words where it was closed.
func (n names) counter(unit, id string) string {
	known, ok := n.counters[unit]
	if !ok {
		known = map[string]string{}
		if list, err := countersOf(n.v, unit); err == nil {
			for _, c := range list {
				known[c.GetId()] = c.GetName()
			}
		}
		n.counters[unit] = known
	}
	if name, open := known[id]; open {
		return name
	}
	return n.v.Text("kioskspage.closed_counter")
}

// countersOf lists the open counters of one unit itself.
func countersOf(v *web.Visit, unit string) ([]*pb.Counter, error) {
	list, err := v.CountersOf(unit)
	return slices.DeleteFunc(list, func(c *pb.Counter) bool { return c.GetClosedAt() != nil }), err
}

// officialsOf lists those who serve at one unit itself.
func officialsOf(v *web.Visit, unit string) ([]*pb.Official, error) {
	list, err := v.OfficialsOf(unit, true)
	return slices.DeleteFunc(list, func(o *pb.Official) bool { return o.GetClosedAt() != nil }), err
}

// places are the units below one that have counters, for an account that has to choose where: the first that are found.
type places struct {
	Units []*pb.Unit
	More  bool
}

const placesAtMost = 30

// placesOf finds the places below a unit; "" = all the account sees.
func placesOf(v *web.Visit, unit string) (places, error) {
	var p places
	request := &pb.ListCountersRequest{UnitId: unit, PageSize: 1000}
	page, err := v.Directory.ListCounters(v.Context(), request)
	if err != nil {
		return p, err
	}
	p.More = page.GetNextPageToken() != ""
	var ids []string
	for _, c := range page.GetCounters() {
		if c.GetClosedAt() == nil && !slices.Contains(ids, c.GetUnitId()) {
			ids = append(ids, c.GetUnitId())
		}
	}
	if len(ids) > placesAtMost {
		ids, p.More = ids[:placesAtMost], true
	}
	for _, id := range ids {
		u, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
		if status.Code(err) == codes.NotFound {
			continue
		}
		if err != nil {
			return p, err
		}
		p.Units = append(p.Units, u)
	}
	slices.SortStableFunc(p.Units, func(a, b *pb.Unit) int { return cmp.Compare(a.GetCode(), b.GetCode()) })
	return p, nil
}

// at is an address of these pages about a unit.
func at(path, unit string) string {
	if unit == "" {
		return path
	}
	return path + "?unit=" + url.QueryEscape(unit)
}

// Choice is the choice itself, for the part of a page that shows it.
func (c unitChoice) Choice() unitChoice { return c }

package admin

import (
	"net/url"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type unitsPage struct {
	form
	Query, At string
	Found     []option // of a search
	Next      string
	Tree      []node // without a search
	Empty     bool
	Top       bool // a unit at the top may be made
	More      bool // there are more units than are shown
	levels    map[string]string
}

// node is a unit of the tree, with those below it where it is open.
type node struct {
	*pb.Unit
	Level  string
	Below  int    // how many units are directly below it
	Open   bool   // they are shown
	Toggle string // opens or closes it
	Nodes  []node
}

// atMost bounds how many units the tree is made of.
const atMost = 20_000

func (p pages) units(v *web.Visit) error {
	page := unitsPage{Query: v.Value("q"), At: v.Value("at"), Top: everywhere(v), levels: map[string]string{}}
	if page.At != "" {
		if _, err := localday.Parse(page.At); err != nil {
			page.wrong(v, "at", "adminpage.day_wrong")
			return v.RenderStatus(again(page.form), p.Pages, "units", page)
		}
	}
	if page.Query != "" {
		if len([]rune(page.Query)) > 200 {
			page.Query = string([]rune(page.Query)[:200])
		}
		found, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{Query: page.Query, At: page.At, PageSize: 50, PageToken: v.Value("page")})
		if words, mend := web.Message(err); mend {
			page.Problem = words
			return v.RenderStatus(again(page.form), p.Pages, "units", page)
		}
		if err != nil {
			return err
		}
		for _, u := range found.GetUnits() {
			page.Found = append(page.Found, placed(v, u))
		}
		if token := found.GetNextPageToken(); token != "" {
			page.Next = "/admin/units?" + url.Values{"q": {page.Query}, "at": {page.At}, "page": {token}}.Encode()
		}
		return v.Render(p.Pages, "units", page)
	}
	if err := page.grow(v); err != nil {
		return err
	}
	return v.Render(p.Pages, "units", page)
}

// grow makes the tree, open on the way down to the unit asked for.
func (page *unitsPage) grow(v *web.Visit) error {
	byID, below := map[string]*pb.Unit{}, map[string][]*pb.Unit{}
	request := &pb.ListUnitsRequest{PageSize: 1000, At: page.At}
	for {
		list, err := v.Directory.ListUnits(v.Context(), request)
		if err != nil {
			return err
		}
		for _, u := range list.GetUnits() {
			byID[u.GetId()] = u
		}
		for _, u := range list.GetUnits() {
			below[u.GetParentId()] = append(below[u.GetParentId()], u)
		}
		request.PageToken = list.GetNextPageToken()
		if page.More = request.PageToken != "" && len(byID) >= atMost; request.PageToken == "" || page.More {
			break
		}
	}
	page.Empty = len(byID) == 0
	open := map[string]bool{}
	for at := byID[v.Value("open")]; at != nil && !open[at.GetId()]; at = byID[at.GetParentId()] {
		open[at.GetId()] = true
	}
	var tops []*pb.Unit
	for parent, units := range below {
		if byID[parent] == nil {
			tops = append(tops, units...)
		}
	}
	slices.SortFunc(tops, byCode)
	if len(tops) == 1 { // nothing to choose from: what is below is what one looks for
		open[tops[0].GetId()] = true
	}
	var nodes func([]*pb.Unit) []node
	nodes = func(units []*pb.Unit) []node {
		var list []node
		for _, u := range units {
			n := node{Unit: u, Level: levelWords(v, u.GetLevel()), Below: len(below[u.GetId()]), Open: open[u.GetId()]}
			query := url.Values{"open": {u.GetId()}}
			if n.Open {
				query.Set("open", u.GetParentId())
			}
			if page.At != "" {
				query.Set("at", page.At)
			}
			n.Toggle = "/admin/units?" + query.Encode() + "#u-" + u.GetId()
			if n.Open {
				n.Nodes = nodes(below[u.GetId()])
			}
			list = append(list, n)
		}
		return list
	}
	page.Tree = nodes(tops)
	return nil
}

func byCode(a, b *pb.Unit) int {
	return slices.Compare([]string{a.GetCode(), a.GetName(), a.GetId()}, []string{b.GetCode(), b.GetName(), b.GetId()})
}

type unitPage struct {
	Unit       *pb.Unit
	Level      string
	At         string
	Above      []*pb.Unit
	Ended      bool
	Future     bool // it begins later
	Versions   []version
	Children   []node
	Successors []*pb.Unit
	Counters   []*pb.Counter
	Closed     []*pb.Counter
	Officials  []*pb.Official
	Left       []*pb.Official
	Sign       sign
	Link       string
}

// version is what held of a unit for a time.
type version struct {
	*pb.Unit
	Level, Parent string
	Now           bool
}

// unitOf answers the unit that a page's address names.
func unitOf(v *web.Visit) (*pb.Unit, error) {
	return v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: v.R.PathValue("unit")})
}

func unitLink(id string) string { return "/admin/units/" + url.PathEscape(id) }

func (p pages) unit(v *web.Visit) error {
	u, err := unitOf(v)
	if err != nil {
		return err
	}
	today := string(v.Today())
	page := unitPage{
		Unit: u, Level: levelWords(v, u.GetLevel()), Link: unitLink(u.GetId()),
		Ended: u.GetValidTo() != "" && u.GetValidTo() <= today, Future: u.GetValidFrom() > today,
	}
	if page.Above, err = v.Above(u); err != nil {
		return err
	}
	names := v.UnitNames()
	history, err := v.Directory.ListUnitVersions(v.Context(), &pb.ListUnitVersionsRequest{UnitId: u.GetId()})
	if err != nil {
		return err
	}
	for _, held := range slices.Backward(history.GetVersions()) {
		one := version{Unit: held, Level: levelWords(v, held.GetLevel()), Now: held.GetValidFrom() == u.GetValidFrom() && !page.Ended && !page.Future}
		if held.GetParentId() != "" {
			one.Parent = names.Of(held.GetParentId())
		}
		page.Versions = append(page.Versions, one)
	}
	children, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{ParentId: u.GetId(), PageSize: 1000})
	if err != nil {
		return err
	}
	for _, child := range children.GetUnits() {
		page.Children = append(page.Children, node{Unit: child, Level: levelWords(v, child.GetLevel())})
	}
	for _, id := range u.GetSuccessorIds() {
		heir, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
		if status.Code(err) == codes.NotFound {
			continue // outside of what the account sees
		}
		if err != nil {
			return err
		}
		page.Successors = append(page.Successors, heir)
	}
	if err := page.places(v); err != nil {
		return err
	}
	return v.Render(p.Pages, "unit", page)
}

// places adds counters, officials and the form for citizens.
func (page *unitPage) places(v *web.Visit) error {
	id := page.Unit.GetId()
	counters, err := v.CountersOf(id)
	if err != nil {
		return err
	}
	for _, c := range counters {
		if c.GetClosedAt() == nil {
			page.Counters = append(page.Counters, c)
		} else {
			page.Closed = append(page.Closed, c)
		}
	}
	officials, err := v.OfficialsOf(id, true)
	if err != nil {
		return err
	}
	for _, o := range officials {
		if o.GetClosedAt() == nil {
			page.Officials = append(page.Officials, o)
		} else {
			page.Left = append(page.Left, o)
		}
	}
	page.Sign, err = signOf(v, page.Unit, nil)
	return err
}

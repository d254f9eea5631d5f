package web

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// deepest is where the way up a tree of units is given up: none is so deep.
const deepest = 64

// Above are the units over one, from the top, as far up as the account may see.
func (v *Visit) Above(unit *pb.Unit) ([]*pb.Unit, error) {
	var list []*pb.Unit
	for at := unit; at.GetParentId() != "" && at.GetId() != v.Account.GetUnitId() && len(list) < deepest; {
		parent, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: at.GetParentId()})
		if status.Code(err) == codes.NotFound {
			break
		}
		if err != nil {
			return nil, err
		}
		list = append([]*pb.Unit{parent}, list...)
		at = parent
	}
	return list, nil
}

// Channels are the channels in the order in which pages show them.
func Channels() []pb.Channel {
	return []pb.Channel{pb.Channel_CHANNEL_KIOSK, pb.Channel_CHANNEL_WEB, pb.Channel_CHANNEL_HOTLINE, pb.Channel_CHANNEL_PAPER}
}

// UnitNames answers names of units for one page, each asked for once; where a name cannot be had, the id stands for it.
type UnitNames struct {
	visit *Visit
	known map[string]string
}

// UnitNames begins with no name known.
func (v *Visit) UnitNames() UnitNames { return UnitNames{v, map[string]string{}} }

// Of is a unit's name today.
func (n UnitNames) Of(id string) string {
	if name, ok := n.known[id]; ok {
		return name
	}
	name := id
	if u, err := n.visit.Directory.GetUnit(n.visit.Context(), &pb.GetUnitRequest{UnitId: id}); err == nil {
		name = u.GetName()
	}
	n.known[id] = name
	return name
}

// CountersOf lists the counters of one unit itself, closed ones too.
func (v *Visit) CountersOf(unit string) ([]*pb.Counter, error) {
	var list []*pb.Counter
	request := &pb.ListCountersRequest{UnitId: unit, DirectOnly: true, PageSize: 1000}
	for {
		page, err := v.Directory.ListCounters(v.Context(), request)
		if err != nil {
			return nil, err
		}
		list = append(list, page.GetCounters()...)
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return list, nil
		}
	}
}

// OfficialsOf lists the officials of one unit itself, or of its subtree, also those who serve there no longer.
func (v *Visit) OfficialsOf(unit string, itself bool) ([]*pb.Official, error) {
	var list []*pb.Official
	request := &pb.ListOfficialsRequest{UnitId: unit, DirectOnly: itself, PageSize: 1000}
	for {
		page, err := v.Directory.ListOfficials(v.Context(), request)
		if err != nil {
			return nil, err
		}
		list = append(list, page.GetOfficials()...)
		if request.PageToken = page.GetNextPageToken(); request.PageToken == "" {
			return list, nil
		}
	}
}

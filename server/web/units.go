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

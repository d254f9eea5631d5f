package server

import pb "github.com/hailong-vn/hailong/proto/hailong/v1"

// deskService is for operators who type paper slips.
type deskService struct {
	pb.UnimplementedDeskServiceServer
	*application
}

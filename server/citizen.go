package server

import pb "github.com/hailong-vn/hailong/proto/hailong/v1"

// citizenService answers what citizens need, who have no account.
type citizenService struct {
	pb.UnimplementedCitizenServiceServer
	*application
}

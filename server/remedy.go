package server

import pb "github.com/hailong-vn/hailong/proto/hailong/v1"

// remedyService keeps what offices did about what citizens said.
type remedyService struct {
	pb.UnimplementedRemedyServiceServer
	*application
}

package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/officehours"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s directoryService) GetOfficeHours(ctx context.Context, _ *pb.GetOfficeHoursRequest) (*pb.OfficeHours, error) {
	if _, err := readScope(ctx, identity.ReadDirectory); err != nil {
		return nil, err
	}
	hours, version, err := s.hours.Hours(ctx)
	if err != nil {
		return nil, err
	}
	return hours.Proto(version), nil
}

func (s directoryService) SetOfficeHours(ctx context.Context, request *pb.SetOfficeHoursRequest) (*pb.OfficeHours, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ChangeDirectory); err != nil {
		return nil, err
	}
	if identity.Scope(caller) != "" {
		return nil, fault.New(fault.Denied, "officehours_everything")
	}
	hours, version, err := s.hours.Set(ctx, officehours.Of(request.GetOfficeHours()), request.GetOfficeHours().GetVersion())
	if err != nil {
		return nil, err
	}
	s.retime(ctx)
	return hours.Proto(version), nil
}

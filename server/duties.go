package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s directoryService) ListDuties(ctx context.Context, request *pb.ListDutiesRequest) (*pb.ListDutiesResponse, error) {
	top, err := s.listScope(ctx, identity.ReadOfficials, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	tree := s.directory.Tree()
	alone := top != "" && len(tree.On(tree.Today()).Children(top)) == 0
	duties, next, err := s.roster.List(ctx, top, alone, func(unitID string) bool { return s.within(unitID, top) }, pageSize(request.GetPageSize()), request.GetPageToken())
	if err != nil {
		return nil, err
	}
	return &pb.ListDutiesResponse{Duties: duties, NextPageToken: next}, nil
}

// settingDuties checks that the caller may set duties in a unit: outside of the caller's scope it is not there.
func (s directoryService) settingDuties(ctx context.Context, unitID string) error {
	caller := callerOf(ctx)
	if err := caller.Check(identity.SetDuties); err != nil {
		return err
	}
	tree := s.directory.Tree()
	if !tree.On(tree.Today()).Has(unitID) || !s.within(unitID, identity.Scope(caller)) {
		return fault.New(fault.NotFound, "unit_unknown", "unit", unitID)
	}
	return nil
}

func (s directoryService) SetDuty(ctx context.Context, request *pb.SetDutyRequest) (*pb.Duty, error) {
	wanted := request.GetDuty()
	if err := s.settingDuties(ctx, wanted.GetUnitId()); err != nil {
		return nil, err
	}
	if wanted.GetCounterId() != "" {
		switch counter, ok := s.directory.Counter(wanted.GetCounterId()); {
		case !ok || counter.UnitID != wanted.GetUnitId():
			return nil, fault.New(fault.NotFound, "directory_counter_missing")
		case !counter.Open():
			return nil, fault.New(fault.Invalid, "directory_counter_closed", "code", counter.Code)
		}
	}
	switch official, ok := s.directory.Official(wanted.GetOfficialId()); {
	case !ok:
		return nil, fault.New(fault.NotFound, "directory_official_missing")
	case official.UnitID != wanted.GetUnitId():
		if !s.within(official.UnitID, identity.Scope(callerOf(ctx))) {
			return nil, fault.New(fault.NotFound, "directory_official_missing")
		}
		return nil, fault.New(fault.Invalid, "duty_official_elsewhere", "name", official.Name)
	case !official.Open():
		return nil, fault.New(fault.Invalid, "directory_official_closed", "name", official.Name)
	}
	return s.roster.Set(ctx, wanted)
}

func (s directoryService) EndDuty(ctx context.Context, request *pb.EndDutyRequest) (*pb.Duty, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.SetDuties); err != nil {
		return nil, err
	}
	stands, err := s.roster.Get(ctx, request.GetDutyId())
	if err != nil {
		return nil, err
	}
	if !s.within(stands.GetUnitId(), identity.Scope(caller)) { // of a unit that ended too: lines are taken away for ever
		return nil, fault.New(fault.NotFound, "duty_unknown")
	}
	return s.roster.End(ctx, request.GetDutyId())
}

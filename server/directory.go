package server

import (
	"context"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// directoryService keeps what ratings refer to.
type directoryService struct {
	pb.UnimplementedDirectoryServiceServer
	*application
}

// readScope is where the caller may read: its subtree for an account, everything for a device, which must know the names
// it shows.
func readScope(ctx context.Context, action identity.Action) (identity.Caller, error) {
	caller := callerOf(ctx)
	return caller, caller.Check(action)
}

// changing checks that the caller may change the directory at a unit.
func (s directoryService) changing(ctx context.Context, unitID string) error {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ChangeDirectory); err != nil {
		return err
	}
	if scope := identity.Scope(caller); scope != "" && (unitID == "" || !s.within(unitID, scope)) {
		return fault.New(fault.Denied, "unit_out_of_scope", "unit", unitID)
	}
	return nil
}

func (s directoryService) ListUnits(ctx context.Context, request *pb.ListUnitsRequest) (*pb.ListUnitsResponse, error) {
	caller, err := readScope(ctx, identity.ReadDirectory)
	if err != nil {
		return nil, err
	}
	units, next, err := s.directory.ListUnits(directory.UnitFilter{
		Within: identity.Scope(caller), ParentID: request.GetParentId(), Query: request.GetQuery(),
		Level: request.GetLevel(), At: localday.Day(request.GetAt()),
	}, directory.Page{Size: int(request.GetPageSize()), Token: request.GetPageToken()})
	if err != nil {
		return nil, err
	}
	at, err := s.dayOr(request.GetAt())
	if err != nil {
		return nil, err
	}
	response := &pb.ListUnitsResponse{NextPageToken: next}
	for _, u := range units {
		response.Units = append(response.Units, u.Proto(at))
	}
	return response, nil
}

// dayOr reads a day; today where none is given.
func (a *application) dayOr(text string) (localday.Day, error) {
	if text == "" {
		return a.directory.Tree().Today(), nil
	}
	day, err := localday.Parse(text)
	if err != nil {
		return "", fault.New(fault.Invalid, "day_invalid", "day", text)
	}
	return day, nil
}

func (s directoryService) GetUnit(ctx context.Context, request *pb.GetUnitRequest) (*pb.Unit, error) {
	caller, err := readScope(ctx, identity.ReadDirectory)
	if err != nil {
		return nil, err
	}
	at, err := s.dayOr(request.GetAt())
	if err != nil {
		return nil, err
	}
	found, ok := s.directory.Tree().Get(request.GetUnitId())
	if !ok || !s.within(request.GetUnitId(), identity.Scope(caller)) {
		return nil, fault.New(fault.NotFound, "unit_unknown", "unit", request.GetUnitId())
	}
	return found.Proto(at), nil
}

func (s directoryService) ListUnitVersions(ctx context.Context, request *pb.ListUnitVersionsRequest) (*pb.ListUnitVersionsResponse, error) {
	caller, err := readScope(ctx, identity.ReadDirectory)
	if err != nil {
		return nil, err
	}
	found, ok := s.directory.Tree().Get(request.GetUnitId())
	if !ok || !s.within(request.GetUnitId(), identity.Scope(caller)) {
		return nil, fault.New(fault.NotFound, "unit_unknown", "unit", request.GetUnitId())
	}
	response := &pb.ListUnitVersionsResponse{}
	for _, era := range found.Eras {
		response.Versions = append(response.Versions, found.Proto(era.ValidFrom))
	}
	return response, nil
}

func words(u *pb.Unit) unit.Words {
	return unit.Words{Code: u.GetCode(), Name: u.GetName(), Level: u.GetLevel(), ParentID: u.GetParentId()}
}

func (s directoryService) CreateUnit(ctx context.Context, request *pb.CreateUnitRequest) (*pb.Unit, error) {
	asked := request.GetUnit()
	if err := s.changing(ctx, asked.GetParentId()); err != nil {
		return nil, err
	}
	if asked.GetValidTo() != "" || len(asked.GetSuccessorIds()) > 0 {
		return nil, fault.New(fault.Invalid, "unit_closes_later")
	}
	var from localday.Day
	if asked.GetValidFrom() != "" {
		var err error
		if from, err = s.dayOr(asked.GetValidFrom()); err != nil {
			return nil, err
		}
	}
	made, err := s.directory.CreateUnit(ctx, asked.GetId(), from, words(asked))
	if err != nil {
		return nil, err
	}
	return made.Proto(max(from, s.directory.Tree().Today())), nil
}

func (s directoryService) ChangeUnit(ctx context.Context, request *pb.ChangeUnitRequest) (*pb.Unit, error) {
	asked := request.GetUnit()
	if err := s.changing(ctx, asked.GetId()); err != nil {
		return nil, err
	}
	if before, ok := s.directory.Tree().Get(asked.GetId()); ok && before.Near(s.directory.Tree().Today()).ParentID != asked.GetParentId() {
		if err := s.changing(ctx, asked.GetParentId()); err != nil { // a move needs the right at both ends
			return nil, err
		}
	}
	from, err := s.dayOr(asked.GetValidFrom())
	if err != nil {
		return nil, err
	}
	changed, err := s.directory.ChangeUnit(ctx, asked.GetId(), from, words(asked))
	if err != nil {
		return nil, err
	}
	return changed.Proto(from), nil
}

func (s directoryService) CloseUnit(ctx context.Context, request *pb.CloseUnitRequest) (*pb.Unit, error) {
	if err := s.changing(ctx, request.GetUnitId()); err != nil {
		return nil, err
	}
	to, err := s.dayOr(request.GetValidTo())
	if err != nil {
		return nil, err
	}
	closed, err := s.directory.CloseUnit(ctx, request.GetUnitId(), to, request.GetSuccessorIds())
	if err != nil {
		return nil, err
	}
	return closed.Proto(s.directory.Tree().Today()), nil
}

// listScope is the subtree a list is cut to: the one asked for within the caller's, or the caller's own.
func (s directoryService) listScope(ctx context.Context, action identity.Action, unitID string) (string, error) {
	caller, err := readScope(ctx, action)
	if err != nil {
		return "", err
	}
	scope := identity.Scope(caller)
	if unitID == "" {
		return scope, nil
	}
	if !s.within(unitID, scope) {
		return "", fault.New(fault.NotFound, "unit_unknown", "unit", unitID)
	}
	return unitID, nil
}

func (s directoryService) ListCounters(ctx context.Context, request *pb.ListCountersRequest) (*pb.ListCountersResponse, error) {
	within, err := s.listScope(ctx, identity.ReadDirectory, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	list := s.directory.ListCounters
	if request.GetDirectOnly() {
		list = s.directory.ListCountersOf
	}
	counters, next, err := list(within, directory.Page{Size: int(request.GetPageSize()), Token: request.GetPageToken()})
	if err != nil {
		return nil, err
	}
	response := &pb.ListCountersResponse{NextPageToken: next}
	for _, counter := range counters {
		response.Counters = append(response.Counters, counter.Proto())
	}
	return response, nil
}

func (s directoryService) CreateCounter(ctx context.Context, request *pb.CreateCounterRequest) (*pb.Counter, error) {
	asked := request.GetCounter()
	if err := s.changing(ctx, asked.GetUnitId()); err != nil {
		return nil, err
	}
	made, err := s.directory.CreateCounter(ctx, directory.Counter{ID: asked.GetId(), UnitID: asked.GetUnitId(), Code: asked.GetCode(), Name: asked.GetName()})
	if err != nil {
		return nil, err
	}
	return made.Proto(), nil
}

// changingAt is changing for what stands at a unit: outside of the caller's scope it is not found rather than denied.
func (s directoryService) changingAt(ctx context.Context, unitID string, there bool, missing string) error {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ChangeDirectory); err != nil {
		return err
	}
	if !there || !s.within(unitID, identity.Scope(caller)) {
		return fault.New(fault.NotFound, missing)
	}
	return nil
}

// changingCounter checks that the caller may change a counter.
func (s directoryService) changingCounter(ctx context.Context, id string) error {
	counter, ok := s.directory.Counter(id)
	return s.changingAt(ctx, counter.UnitID, ok, "directory_counter_missing")
}

// changingOfficial checks that the caller may change an official.
func (s directoryService) changingOfficial(ctx context.Context, id string) error {
	official, ok := s.directory.Official(id)
	return s.changingAt(ctx, official.UnitID, ok, "directory_official_missing")
}

func (s directoryService) ChangeCounter(ctx context.Context, request *pb.ChangeCounterRequest) (*pb.Counter, error) {
	asked := request.GetCounter()
	if err := s.changingCounter(ctx, asked.GetId()); err != nil {
		return nil, err
	}
	changed, err := s.directory.ChangeCounter(ctx, directory.Counter{ID: asked.GetId(), UnitID: asked.GetUnitId(), Code: asked.GetCode(), Name: asked.GetName()})
	if err != nil {
		return nil, err
	}
	return changed.Proto(), nil
}

func (s directoryService) CloseCounter(ctx context.Context, request *pb.CloseCounterRequest) (*pb.Counter, error) {
	if err := s.changingCounter(ctx, request.GetCounterId()); err != nil {
		return nil, err
	}
	closed, err := s.directory.CloseCounter(ctx, request.GetCounterId())
	if err != nil {
		return nil, err
	}
	return closed.Proto(), nil
}

func (s directoryService) ListOfficials(ctx context.Context, request *pb.ListOfficialsRequest) (*pb.ListOfficialsResponse, error) {
	within, err := s.listScope(ctx, identity.ReadOfficials, request.GetUnitId())
	if err != nil {
		return nil, err
	}
	list := s.directory.ListOfficials
	if request.GetDirectOnly() {
		list = s.directory.ListOfficialsOf
	}
	officials, next, err := list(within, directory.Page{Size: int(request.GetPageSize()), Token: request.GetPageToken()})
	if err != nil {
		return nil, err
	}
	response := &pb.ListOfficialsResponse{NextPageToken: next}
	for _, official := range officials {
		response.Officials = append(response.Officials, official.Proto())
	}
	return response, nil
}

func (s directoryService) CreateOfficial(ctx context.Context, request *pb.CreateOfficialRequest) (*pb.Official, error) {
	asked := request.GetOfficial()
	if err := s.changing(ctx, asked.GetUnitId()); err != nil {
		return nil, err
	}
	made, err := s.directory.CreateOfficial(ctx, directory.Official{ID: asked.GetId(), UnitID: asked.GetUnitId(), Name: asked.GetName(), Position: asked.GetPosition()})
	if err != nil {
		return nil, err
	}
	return made.Proto(), nil
}

func (s directoryService) ChangeOfficial(ctx context.Context, request *pb.ChangeOfficialRequest) (*pb.Official, error) {
	asked := request.GetOfficial()
	if err := s.changingOfficial(ctx, asked.GetId()); err != nil {
		return nil, err
	}
	changed, err := s.directory.ChangeOfficial(ctx, directory.Official{ID: asked.GetId(), UnitID: asked.GetUnitId(), Name: asked.GetName(), Position: asked.GetPosition()})
	if err != nil {
		return nil, err
	}
	return changed.Proto(), nil
}

func (s directoryService) CloseOfficial(ctx context.Context, request *pb.CloseOfficialRequest) (*pb.Official, error) {
	if err := s.changingOfficial(ctx, request.GetOfficialId()); err != nil {
		return nil, err
	}
	closed, err := s.directory.CloseOfficial(ctx, request.GetOfficialId())
	if err != nil {
		return nil, err
	}
	return closed.Proto(), nil
}

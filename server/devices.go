package server

import (
	"context"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/device"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// deviceService is what a device calls; managing devices is the directory's.
type deviceService struct {
	pb.UnimplementedDeviceServiceServer
	*application
}

func (s deviceService) EnrollDevice(ctx context.Context, request *pb.EnrollDeviceRequest) (*pb.EnrollDeviceResponse, error) {
	enrolled, err := s.devices.Enroll(ctx, request.GetCode(), request.GetPublicKey(), callerOf(ctx).Address)
	if err != nil {
		return nil, err
	}
	return &pb.EnrollDeviceResponse{DeviceId: enrolled.ID, Name: enrolled.Name, Bindings: device.ProtoBindings(enrolled.Bindings)}, nil
}

func (s deviceService) CreateDeviceNonce(_ context.Context, request *pb.CreateDeviceNonceRequest) (*pb.CreateDeviceNonceResponse, error) {
	return &pb.CreateDeviceNonceResponse{Nonce: s.devices.CreateNonce(request.GetDeviceId())}, nil
}

func (s deviceService) CreateDeviceToken(ctx context.Context, request *pb.CreateDeviceTokenRequest) (*pb.CreateDeviceTokenResponse, error) {
	token, expires, err := s.devices.CreateToken(ctx, request.GetDeviceId(), request.GetNonce(), request.GetSignature())
	if err != nil {
		return nil, err
	}
	return &pb.CreateDeviceTokenResponse{Token: token, ExpiresAt: timestamp(expires)}, nil
}

func (s deviceService) SendHeartbeat(ctx context.Context, request *pb.SendHeartbeatRequest) (*pb.SendHeartbeatResponse, error) {
	caller := callerOf(ctx)
	if caller.Kind != identity.CallerDevice || caller.DeviceID != request.GetDeviceId() {
		return nil, fault.New(fault.Denied, "device_other")
	}
	now := s.Clock()
	report := device.ReportOf(request, now)
	through, cloned, err := s.devices.Heartbeat(ctx, caller.DeviceID, device.Beat{Report: report, StartID: request.GetBootId(), MachineID: request.GetMachineId()})
	if err != nil {
		return nil, err
	}
	response := &pb.SendHeartbeatResponse{
		ServerTime: timestamppb.New(now), StoredThrough: through, Cloned: cloned,
		ConfigurationVersion: s.configurationVersion(ctx, caller.DeviceID, request.GetConfigurationVersion()),
	}
	if request.GetDeviceTime().IsValid() {
		response.Skew = durationpb.New(report.Skew)
	}
	return response, nil
}

// mayManage checks that the caller may manage a device with these bindings: every unit lies within its scope.
func (a *application) mayManage(caller identity.Caller, bindings []device.Binding) error {
	if err := caller.Check(identity.ManageDevices); err != nil {
		return err
	}
	for _, binding := range bindings {
		if !a.within(binding.UnitID, identity.Scope(caller)) {
			return fault.New(fault.Denied, "unit_out_of_scope", "unit", binding.UnitID)
		}
	}
	return nil
}

// checkBinding makes sure that the unit and counter are there.
func (a *application) checkBinding(binding device.Binding) error {
	if _, ok := a.directory.Tree().Get(binding.UnitID); !ok {
		return fault.New(fault.NotFound, "unit_unknown", "unit", binding.UnitID)
	}
	if counter, ok := a.directory.Counter(binding.CounterID); binding.CounterID != "" && (!ok || counter.UnitID != binding.UnitID) {
		return fault.New(fault.NotFound, "counter_unknown", "counter", binding.CounterID)
	} else if ok && !counter.Open() && binding.To.IsZero() { // a binding may still be ended
		return fault.New(fault.Invalid, "directory_counter_closed", "code", counter.Code)
	}
	return nil
}

// managed answers a device the caller may manage; another's is not found rather than denied.
func (a *application) managed(ctx context.Context, id string) (device.Device, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ManageDevices); err != nil {
		return device.Device{}, err
	}
	found, err := a.devices.Get(ctx, id)
	if err != nil {
		return found, err
	}
	if a.mayManage(caller, found.Bindings) != nil {
		return device.Device{}, fault.New(fault.NotFound, "device_unknown", "device", id)
	}
	return found, nil
}

func (s directoryService) CreateDevice(ctx context.Context, request *pb.CreateDeviceRequest) (*pb.CreateDeviceResponse, error) {
	caller := callerOf(ctx)
	bindings := make([]device.Binding, len(request.GetBindings()))
	for i, binding := range request.GetBindings() {
		bindings[i] = device.BindingOf(binding)
	}
	if err := s.mayManage(caller, bindings); err != nil {
		return nil, err
	}
	for _, binding := range bindings {
		if err := s.checkBinding(binding); err != nil {
			return nil, err
		}
	}
	created, code, err := s.devices.Create(ctx, caller.AccountID, request.GetName(), bindings)
	if err != nil {
		return nil, err
	}
	return s.codeResponse(ctx, created, code), nil
}

func (s directoryService) RenewDeviceCode(ctx context.Context, request *pb.RenewDeviceCodeRequest) (*pb.CreateDeviceResponse, error) {
	if _, err := s.managed(ctx, request.GetDeviceId()); err != nil {
		return nil, err
	}
	renewed, code, err := s.devices.RenewCode(ctx, callerOf(ctx).AccountID, request.GetDeviceId())
	if err != nil {
		return nil, err
	}
	return s.codeResponse(ctx, renewed, code), nil
}

func (s directoryService) codeResponse(ctx context.Context, of device.Device, code device.Code) *pb.CreateDeviceResponse {
	return &pb.CreateDeviceResponse{Device: s.judged(ctx, of), EnrollmentCode: code.Text, CodeExpiresAt: timestamp(code.ExpiresAt)}
}

func (s directoryService) BindDevice(ctx context.Context, request *pb.BindDeviceRequest) (*pb.Device, error) {
	if _, err := s.managed(ctx, request.GetDeviceId()); err != nil {
		return nil, err
	}
	binding := device.BindingOf(request.GetBinding())
	if err := s.mayManage(callerOf(ctx), []device.Binding{binding}); err != nil {
		return nil, err
	}
	if err := s.checkBinding(binding); err != nil {
		return nil, err
	}
	bound, err := s.devices.Bind(ctx, callerOf(ctx).AccountID, request.GetDeviceId(), binding)
	if err != nil {
		return nil, err
	}
	return s.judged(ctx, bound), nil
}

func (s directoryService) RevokeDevice(ctx context.Context, request *pb.RevokeDeviceRequest) (*pb.Device, error) {
	if _, err := s.managed(ctx, request.GetDeviceId()); err != nil {
		return nil, err
	}
	revoked, err := s.devices.Revoke(ctx, callerOf(ctx).AccountID, request.GetDeviceId())
	if err != nil {
		return nil, err
	}
	return s.judged(ctx, revoked), nil
}

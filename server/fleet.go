package server

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hailong-vn/hailong/internal/device"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/recent"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// judge judges how devices are at this moment.
type judge struct {
	now  time.Time
	open bool // offices are, and have been long enough for every device to be heard of
}

func (j judge) state(d device.Device) pb.DeviceState { return d.State(j.now, j.open) }

func (j judge) proto(d device.Device) *pb.Device { return d.Proto(j.state(d)) }

// judging answers the judge of this moment, and whether offices are open. Where the hours cannot be read they count as open: a
// silent device is then said to be silent.
func (a *application) judging(ctx context.Context) (j judge, officeHours bool) {
	j = judge{now: a.Clock(), open: true}
	hours, _, err := a.hours.Hours(ctx)
	if err != nil {
		a.Logger.WarnContext(ctx, "devices are judged as in office hours", "error", err)
		return j, true
	}
	officeHours = hours.OpenAt(j.now)
	j.open = officeHours && hours.OpenAt(j.now.Add(-device.SilentAfter))
	return j, officeHours
}

func (a *application) judged(ctx context.Context, d device.Device) *pb.Device {
	j, _ := a.judging(ctx)
	return j.proto(d)
}

// fleetOf answers which devices a caller sees of a subtree: those it may manage, with a binding there that has not ended, or, where
// all have, with any.
func (a *application) fleetOf(caller identity.Caller, unitID string) (func(device.Device) bool, error) {
	if err := caller.Check(identity.ManageDevices); err != nil {
		return nil, err
	}
	top := cmp.Or(unitID, identity.Scope(caller))
	if _, known := a.directory.Tree().Get(top); top != "" && !known || !a.within(top, identity.Scope(caller)) {
		return nil, fault.New(fault.NotFound, "unit_unknown", "unit", top)
	}
	now := a.Clock()
	return func(d device.Device) bool {
		if a.mayManage(caller, d.Bindings) != nil {
			return false
		}
		there := func(b device.Binding) bool { return a.within(b.UnitID, top) }
		lasts := func(b device.Binding) bool { return b.To.IsZero() || now.Before(b.To) }
		if slices.ContainsFunc(d.Bindings, lasts) {
			return slices.ContainsFunc(d.Bindings, func(b device.Binding) bool { return lasts(b) && there(b) })
		}
		return slices.ContainsFunc(d.Bindings, there)
	}, nil
}

func (s directoryService) ListDevices(ctx context.Context, request *pb.ListDevicesRequest) (*pb.ListDevicesResponse, error) {
	mine, err := s.fleetOf(callerOf(ctx), request.GetUnitId())
	if err != nil {
		return nil, err
	}
	j, _ := s.judging(ctx)
	filter := device.Filter{Mine: mine}
	if states := request.GetStates(); len(states) > 0 {
		filter.Show = func(d device.Device) bool { return slices.Contains(states, j.state(d)) }
	}
	listed, next, err := s.devices.List(ctx, pageSize(request.GetPageSize()), request.GetPageToken(), filter)
	if err != nil {
		return nil, err
	}
	response := &pb.ListDevicesResponse{NextPageToken: next}
	for _, d := range listed {
		response.Devices = append(response.Devices, j.proto(d))
	}
	return response, nil
}

func (s directoryService) GetDevice(ctx context.Context, request *pb.GetDeviceRequest) (*pb.Device, error) {
	found, err := s.managed(ctx, request.GetDeviceId())
	if err != nil {
		return nil, err
	}
	return s.judged(ctx, found), nil
}

func (s directoryService) GetFleet(ctx context.Context, request *pb.GetFleetRequest) (*pb.GetFleetResponse, error) {
	mine, err := s.fleetOf(callerOf(ctx), request.GetUnitId())
	if err != nil {
		return nil, err
	}
	j, officeHours := s.judging(ctx)
	listed, _, err := s.devices.List(ctx, 0, "", device.Filter{Mine: mine})
	if err != nil {
		return nil, err
	}
	response := &pb.GetFleetResponse{OfficeHours: officeHours}
	counts := map[pb.DeviceState]int32{}
	for _, d := range listed {
		counts[j.state(d)]++
		if !d.RevokedAt.IsZero() {
			continue // what it holds will not come any more
		}
		response.Missing += d.Missing
		if d.Report != nil {
			response.Queued += uint64(max(d.Report.QueueDepth, 0)) //nolint:gosec // not negative
		}
	}
	for _, state := range deviceStates() {
		if n := counts[state]; n > 0 {
			response.States = append(response.States, &pb.StateCount{State: state, Count: n})
		}
	}
	return response, nil
}

// deviceStates are all states, what asks for help first.
func deviceStates() []pb.DeviceState {
	states := make([]pb.DeviceState, 0, len(pb.DeviceState_name)-1)
	for n := range pb.DeviceState_name {
		if n != 0 {
			states = append(states, pb.DeviceState(n))
		}
	}
	slices.Sort(states)
	return states
}

func (s directoryService) SetKioskSettings(ctx context.Context, request *pb.SetKioskSettingsRequest) (*pb.Device, error) {
	if _, err := s.managed(ctx, request.GetDeviceId()); err != nil {
		return nil, err
	}
	settings, err := device.SettingsOf(request.GetSettings())
	if err != nil {
		return nil, err
	}
	if id := settings.Questionnaire; id != "" && len(s.versionsOf(id)) == 0 {
		return nil, fault.New(fault.Invalid, "device_questionnaire_unknown", "questionnaire", id)
	}
	set, err := s.devices.SetSettings(ctx, callerOf(ctx).AccountID, request.GetDeviceId(), settings)
	if err != nil {
		return nil, err
	}
	return s.judged(ctx, set), nil
}

// fleetGauge tells monitoring how many devices are in each state. Devices are counted once a minute at most.
type fleetGauge struct {
	*application
	description *prometheus.Desc
	counts      *recent.Values[struct{}, map[pb.DeviceState]int]
}

const (
	countedEvery = time.Minute
	countingTime = 5 * time.Second
)

func newFleetGauge(a *application) *fleetGauge {
	return &fleetGauge{
		application: a,
		description: prometheus.NewDesc("hailong_devices", "Devices by how they are; \"silent\": not heard of for ten minutes in office hours.", []string{"state"}, nil),
		counts:      recent.New[struct{}, map[pb.DeviceState]int](countedEvery, 1, time.Now),
	}
}

// Describe tells what is collected.
func (g *fleetGauge) Describe(out chan<- *prometheus.Desc) { out <- g.description }

// Collect counts; where that fails nothing is told, and what else is measured still is.
func (g *fleetGauge) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(g.ending, countingTime)
	defer cancel()
	counts, err := g.counts.Get(ctx, struct{}{}, func(ctx context.Context) (map[pb.DeviceState]int, error) {
		j, _ := g.judging(ctx)
		counts := map[pb.DeviceState]int{}
		devices, _, err := g.devices.List(ctx, 0, "", device.Filter{})
		for _, d := range devices {
			counts[j.state(d)]++
		}
		return counts, err
	})
	if err != nil {
		g.Logger.WarnContext(ctx, "devices cannot be counted", "error", err)
		return
	}
	for _, state := range deviceStates() {
		out <- prometheus.MustNewConstMetric(g.description, prometheus.GaugeValue, float64(counts[state]), stateLabel(state))
	}
}

// stateLabel is a state as monitoring names it, such as "silent".
func stateLabel(state pb.DeviceState) string {
	return strings.ToLower(strings.TrimPrefix(state.String(), "DEVICE_STATE_"))
}

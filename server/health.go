package server

import (
	"context"
	"time"

	"github.com/hailong-vn/hailong/internal/device"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/release"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// From when on a part wants looking at.
const (
	pingWithin    = 3 * time.Second
	figuresLate   = 5 * time.Minute // cells are swept every minute
	diskLow       = uint64(2) << 30 // bytes
	countedAtMost = 1000            // waiting items; beyond, "more than"
	devicesAtMost = 10_000          // devices looked at
)

// part is one part of the system and how it is.
type part struct {
	name    string
	healthy bool
	key     string
	args    []any
}

func (s operationsService) GetHealth(ctx context.Context, _ *pb.GetHealthRequest) (*pb.GetHealthResponse, error) {
	caller := callerOf(ctx)
	if err := caller.Check(identity.ReadHealth); err != nil {
		return nil, err
	}
	in := languageOf(ctx)
	response := &pb.GetHealthResponse{Version: release.Version(), StartedAt: timestamp(s.started)}
	engine := s.engineHealth(ctx, in)
	parts := []part{engine, s.busHealth(ctx)}
	if engine.healthy { // what follows is asked of the engine
		fresh, figures := s.figuresHealth(ctx, in)
		response.FreshThrough = timestamp(fresh)
		parts = append(parts, figures, s.quarantineHealth(ctx, caller, in), s.devicesHealth(ctx, caller, in))
	}
	parts = append(parts, s.storageHealth(in))
	for _, p := range parts {
		response.Parts = append(response.Parts, &pb.HealthPart{Name: p.name, Healthy: p.healthy, Detail: in.Text("health."+p.key, p.args...)})
	}
	return response, nil
}

func (s operationsService) engineHealth(ctx context.Context, in language.Language) part {
	ctx, cancel := context.WithTimeout(ctx, pingWithin)
	defer cancel()
	began := time.Now()
	if err := s.engine.Ping(ctx); err != nil {
		s.Logger.WarnContext(ctx, "the engine did not answer a question for its health", "error", err)
		return part{name: "engine", key: "engine_down." + s.engine.Name()}
	}
	return part{"engine", true, "engine_up." + s.engine.Name(), []any{"milliseconds", in.Number(float64(time.Since(began).Microseconds())/1000, 1)}}
}

func (s operationsService) busHealth(ctx context.Context) part {
	kind := "local"
	if s.Redis != "" {
		kind = "redis"
	}
	ctx, cancel := context.WithTimeout(ctx, pingWithin)
	defer cancel()
	if err := s.bus.Ping(ctx); err != nil {
		s.Logger.WarnContext(ctx, "the bus did not answer a question for its health", "error", err)
		return part{name: "bus", key: "bus_down"}
	}
	return part{name: "bus", healthy: true, key: "bus_up." + kind}
}

func (s operationsService) figuresHealth(ctx context.Context, in language.Language) (time.Time, part) {
	fresh, err := s.fresh(ctx)
	if err != nil {
		s.Logger.WarnContext(ctx, "how fresh figures are cannot be read", "error", err)
		return time.Time{}, part{name: "figures", key: "unknown"}
	}
	now := s.Clock()
	if fresh.IsZero() {
		return fresh, part{name: "figures", healthy: now.Sub(s.started) < figuresLate, key: "figures_first"}
	}
	age := max(now.Sub(fresh), 0)
	args := []any{"age", howLong(age, in), "time", moment(fresh)}
	if age > figuresLate {
		return fresh, part{"figures", false, "figures_late", args}
	}
	return fresh, part{"figures", true, "figures_fresh", args}
}

// span is a length of time in words.
func howLong(d time.Duration, in language.Language) string {
	switch {
	case d < 2*time.Minute:
		return in.Text("health.seconds", "count", in.Number(d.Seconds(), 0))
	case d < 2*time.Hour:
		return in.Text("health.minutes", "count", in.Number(d.Minutes(), 0))
	case d < 48*time.Hour:
		return in.Text("health.hours", "count", in.Number(d.Hours(), 0))
	}
	return in.Text("health.days", "count", in.Number(d.Hours()/24, 0))
}

func (s operationsService) quarantineHealth(ctx context.Context, caller identity.Caller, in language.Language) part {
	items, next, err := s.intake.Waiting(ctx, caller, intake.QuarantineQuery{Limit: countedAtMost})
	switch {
	case err != nil:
		return part{name: "quarantine", key: "unknown"}
	case len(items) == 0:
		return part{name: "quarantine", healthy: true, key: "quarantine_empty"}
	case next != "":
		return part{"quarantine", false, "quarantine_many", []any{"count", in.Number(float64(len(items)), 0)}}
	}
	return part{"quarantine", false, "quarantine_waiting", []any{"count", in.Number(float64(len(items)), 0)}}
}

func (s operationsService) devicesHealth(ctx context.Context, caller identity.Caller, in language.Language) part {
	tree := s.directory.Tree()
	working := func(d device.Device) bool {
		if d.EnrolledAt.IsZero() || !d.RevokedAt.IsZero() {
			return false
		}
		for _, binding := range d.Bindings {
			if tree.Within(binding.UnitID, identity.Scope(caller)) {
				return true
			}
		}
		return false
	}
	devices, _, err := s.devices.List(ctx, devicesAtMost, "", device.Filter{Mine: working})
	if err != nil {
		return part{name: "devices", key: "unknown"}
	}
	j, _ := s.judging(ctx)
	named := map[pb.DeviceState][]string{}
	for _, d := range devices {
		named[j.state(d)] = append(named[j.state(d)], d.Name)
	}
	count := func(n int) string { return in.Number(float64(n), 0) }
	if len(devices) == 0 {
		return part{"devices", true, "devices_none", nil}
	}
	for _, wrong := range []struct { // what asks for help first
		state pb.DeviceState
		key   string
	}{
		{pb.DeviceState_DEVICE_STATE_CLONED, "devices_cloned"},
		{pb.DeviceState_DEVICE_STATE_SILENT, "devices_silent"},
		{pb.DeviceState_DEVICE_STATE_BEHIND, "devices_behind"},
	} {
		if names := named[wrong.state]; len(names) > 0 {
			return part{"devices", false, wrong.key, []any{"count", count(len(devices)), "found", count(len(names)), "example", names[0]}}
		}
	}
	return part{"devices", true, "devices_heard", []any{"count", count(len(devices))}}
}

func (s operationsService) storageHealth(in language.Language) part {
	if s.MongoDB != "" {
		return part{name: "storage", healthy: true, key: "storage_mongodb"}
	}
	free, total, err := freeDisk(s.Data)
	if err != nil {
		return part{name: "storage", key: "unknown"}
	}
	args := []any{"free", in.Number(float64(free)/(1<<30), 1), "total", in.Number(float64(total)/(1<<30), 1)}
	if free < diskLow {
		return part{"storage", false, "storage_low", args}
	}
	return part{"storage", true, "storage_free", args}
}

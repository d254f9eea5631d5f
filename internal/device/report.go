package device

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Report is what a device tells of itself in a heartbeat.
type Report struct {
	Version         string         `bson:"version,omitempty"`
	QueueDepth      int64          `bson:"queue_depth,omitempty"` // ratings waiting to be sent
	FreeBytes       int64          `bson:"free_bytes,omitempty"`  // of its storage
	Skew            time.Duration  `bson:"skew,omitempty"`        // device clock less server clock
	LastTouch       time.Time      `bson:"last_touch,omitempty"`
	Screen          pb.ScreenState `bson:"screen,omitempty"`
	HighestSequence int64          `bson:"highest_sequence,omitempty"` // it has given; 0 where it does not tell
	Configuration   string         `bson:"configuration,omitempty"`    // version it works by
	Days            []DayCount     `bson:"days,omitempty"`
	Troubles        []string       `bson:"troubles,omitempty"` // stable codes
}

// DayCount is how many ratings a device sealed on a local day.
type DayCount struct {
	Day   string `bson:"day"`
	Count uint32 `bson:"count"`
}

// ReportOf reads a heartbeat that came at an instant.
func ReportOf(beat *pb.SendHeartbeatRequest, at time.Time) Report {
	report := Report{
		Version: beat.GetVersion(), QueueDepth: signed(beat.GetQueueDepth()), FreeBytes: signed(beat.GetFreeBytes()), Screen: beat.GetScreenState(),
		HighestSequence: signed(min(beat.GetHighestSequence(), MaxSequence)), Configuration: beat.GetConfigurationVersion(),
		Troubles: slices.Clone(beat.GetTroubles()),
	}
	if beat.GetDeviceTime().IsValid() {
		report.Skew = beat.GetDeviceTime().AsTime().Sub(at)
	}
	if beat.GetLastTouch().IsValid() {
		report.LastTouch = beat.GetLastTouch().AsTime()
	}
	for _, day := range beat.GetDays() {
		report.Days = append(report.Days, DayCount{day.GetDay(), day.GetCount()})
	}
	return report
}

// signed is the number as the store keeps it.
func signed(n uint64) int64 { return int64(min(n, 1<<62)) } //nolint:gosec // bounded just here

// unsigned is the number as the contract has it.
func unsigned(n int64) uint64 { return uint64(max(n, 0)) } //nolint:gosec // not negative

// Proto is the report as the contract has it.
func (r Report) Proto() *pb.DeviceReport {
	out := &pb.DeviceReport{
		Version: r.Version, QueueDepth: unsigned(r.QueueDepth), Skew: durationpb.New(r.Skew), LastTouch: timestamp(r.LastTouch),
		FreeBytes: unsigned(r.FreeBytes), ScreenState: r.Screen, HighestSequence: unsigned(r.HighestSequence),
		ConfigurationVersion: r.Configuration, Troubles: slices.Clone(r.Troubles),
	}
	for _, day := range r.Days {
		out.Days = append(out.Days, &pb.DayCount{Day: day.Day, Count: day.Count})
	}
	return out
}

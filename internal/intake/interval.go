package intake

import (
	"context"
	"time"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// DefaultInterval is the least time between people who rate at a kiosk, where its settings say nothing.
const DefaultInterval = 5 * time.Second

// minimumInterval is the least time between people who rate at a device.
func (s *Service) minimumInterval(ctx context.Context, deviceID string) time.Duration {
	if s.MinimumInterval != nil && deviceID != "" {
		if set := s.MinimumInterval(ctx, deviceID); set > 0 {
			return set
		}
	}
	return DefaultInterval
}

// tooSoon tells whether a kiosk's rating began sooner after the one before it than people follow each other: a child playing, a double
// tap, somebody who votes again and again. Such a rating is flagged and never refused. The time is the device's own measure, which no
// change of its clock alters; one that cannot be says nothing. least is asked only where there is a time.
func tooSoon(r *pb.Rating, least func() time.Duration) bool {
	since := r.GetSincePrevious()
	if r.GetChannel() != pb.Channel_CHANNEL_KIOSK || since == nil || !since.IsValid() || since.AsDuration() < 0 {
		return false
	}
	return since.AsDuration() < least()
}

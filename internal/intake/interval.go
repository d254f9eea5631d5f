package intake

import (
	"context"
	"time"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// DefaultInterval is how soon after one another people rate at a kiosk at most, where its settings say nothing.
const DefaultInterval = 5 * time.Second

// tooSoon tells whether a kiosk's rating began sooner after the one before it than people follow each other: a child playing, a double
// tap, somebody who votes again and again. Such a rating is flagged and never refused. The time is the device's own measure, which no
// change of its clock alters; one that cannot be says nothing.
func (s *Service) tooSoon(ctx context.Context, deviceID string, r *pb.Rating) bool {
	since := r.GetSincePrevious()
	if r.GetChannel() != pb.Channel_CHANNEL_KIOSK || since == nil || !since.IsValid() || since.AsDuration() < 0 {
		return false
	}
	least := DefaultInterval
	if s.MinimumInterval != nil && deviceID != "" {
		if set := s.MinimumInterval(ctx, deviceID); set > 0 {
			least = set
		}
	}
	return since.AsDuration() < least
}

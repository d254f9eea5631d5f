package rating

import (
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// How far occurred_at may be from received_at before it is held to be absurd.
const (
	furthestAhead = 10 * time.Minute
	furthestBack  = 400 * 24 * time.Hour
)

// Place decides where a rating counts, once and for ever: by occurred_at, or by the time it was received where
// occurred_at is absurd, in which case the rating carries a flag. Old times are absurd only where they cannot be
// meant: from a device or the web. Paper slips and imports may be years old.
func Place(r *pb.Rating, received time.Time, imported bool) (Counted, []string) {
	occurred := r.GetOccurredAt().AsTime()
	var flags []string
	switch {
	case occurred.After(received.Add(furthestAhead)):
		flags = []string{FlagFuture}
	case occurred.Before(received.Add(-furthestBack)) && !imported &&
		(r.GetDeviceId() != "" || r.GetChannel() == pb.Channel_CHANNEL_KIOSK || r.GetChannel() == pb.Channel_CHANNEL_WEB):
		flags = []string{FlagOld}
	}
	counted := occurred
	if flags != nil {
		counted = received
	}
	day, hour := localday.Of(counted)
	return Counted{
		Unit: r.GetUnitId(), Day: day, Hour: hour, Channel: r.GetChannel(),
		Questionnaire: r.GetQuestionnaireId(), Version: r.GetQuestionnaireVersion(), Fallback: flags != nil,
	}, flags
}

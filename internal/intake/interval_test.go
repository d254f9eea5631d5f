package intake_test

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestTooSoon(t *testing.T) {
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, engine)
	for _, c := range []struct {
		name   string
		caller identity.Caller
		since  *durationpb.Duration
		want   string
	}{
		{"the first since a start", device("unset"), nil, ""},
		{"at once", device("unset"), durationpb.New(0), rating.FlagTooSoon},
		{"a double tap", device("unset"), durationpb.New(300 * time.Millisecond), rating.FlagTooSoon},
		{"just before the default", device("unset"), durationpb.New(intake.DefaultInterval - 1), rating.FlagTooSoon},
		{"at the default", device("unset"), durationpb.New(intake.DefaultInterval), ""},
		{"a setting of a minute", device("slow"), durationpb.New(59 * time.Second), rating.FlagTooSoon},
		{"after a minute", device("slow"), durationpb.New(time.Minute), ""},
		{"a setting of a second", device("quick"), durationpb.New(2 * time.Second), ""},
		{"negative", device("unset"), durationpb.New(-time.Second), ""},
		{"no duration at all", device("unset"), &durationpb.Duration{Seconds: 1, Nanos: -1}, ""},
		{"beyond all measure", device("unset"), &durationpb.Duration{Seconds: 1 << 62}, ""},
		{"far below all measure", device("unset"), &durationpb.Duration{Seconds: -1 << 62}, ""},
		{"a kiosk's, sent by an administrator", administrator(), durationpb.New(time.Second), rating.FlagTooSoon},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := h.at(t)
			r := given("", func(r *pb.Rating) { r.SincePrevious = c.since })
			h.sent(c.caller, stored, r)
			if got := flagsOf(h.record(r)); got != c.want {
				t.Errorf("flags %q", got)
			}
		})
	}
	t.Run("on the web it says nothing", func(t *testing.T) {
		h := h.at(t)
		r := given("", func(r *pb.Rating) { r.Channel, r.SincePrevious = web, durationpb.New(0) })
		h.sent(identity.Anonymous(""), stored, r)
		if got := flagsOf(h.record(r)); got != "" {
			t.Errorf("flags %q", got)
		}
	})
	t.Run("both doubts, and it counts by the ticket", func(t *testing.T) {
		h := h.at(t)
		before, _ := h.counted(today)
		soon := func(r *pb.Rating) { r.SincePrevious = durationpb.New(time.Second) }
		first, second := given("A1", soon), given("A1", soon)
		h.sent(device("unset"), stored, first, second)
		if got := flagsOf(h.record(second)); got != rating.FlagTicketAgain+" "+rating.FlagTooSoon {
			t.Errorf("flags %q", got)
		}
		if after, _ := h.counted(today); after != before+1 {
			t.Errorf("%d count, %d before", after, before)
		}
	})
}

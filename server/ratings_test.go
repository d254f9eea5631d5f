package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	stored    = pb.Outcome_OUTCOME_STORED
	duplicate = pb.Outcome_OUTCOME_DUPLICATE
	conflict  = pb.Outcome_OUTCOME_CONFLICT
	rejected  = pb.Outcome_OUTCOME_REJECTED
)

func wantOutcome(t *testing.T, got *pb.ItemOutcome, want pb.Outcome, reason string) {
	t.Helper()
	if got.GetOutcome() != want || got.GetReasonCode() != reason {
		t.Errorf("outcome %v %q (%s), want %v %q", got.GetOutcome(), got.GetReasonCode(), got.GetReason(), want, reason)
	}
	if reason != "" && (got.GetReason() == "" || strings.HasPrefix(got.GetReason(), "fault.")) {
		t.Errorf("reason %q has no words", reason)
	}
	if (want == conflict || want == rejected) && got.GetQuarantineId() == "" {
		t.Errorf("%s is not in quarantine", reason)
	}
}

func TestRatingBecomesFigure(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		ctx := s.admin()
		top := s.unit(ctx, "", "Tỉnh thử")
		office := s.unit(ctx, top, "Bộ phận một cửa")
		for score, count := range map[int32]int{5: 4, 4: 3, 3: 2, 1: 1} {
			for range count {
				wantOutcome(t, s.submit(ctx, seal(t, freshRating(office, score)))[0], stored, "")
			}
		}
		summary := s.summary(ctx, top, 10)
		if got := summary.GetPooled().GetSatisfied(); got.GetValue() != 0.7 || math.Abs(got.GetLow()-0.3968) > 0.0001 || math.Abs(got.GetHigh()-0.8922) > 0.0001 {
			t.Errorf("7 of 10 satisfied: %v; Wilson's interval is 0.3968 to 0.8922", got)
		}
		if got := fmt.Sprint(summary.GetPooled().GetCounts()); got != "[1 0 2 3 4]" {
			t.Errorf("counts %s", got)
		}
		if len(summary.GetChannels()) != 1 || summary.GetChannels()[0].GetChannel() != pb.Channel_CHANNEL_PAPER {
			t.Errorf("channels %v", summary.GetChannels())
		}
	})
}

func TestOneBadItemNeverFailsItsBatch(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		ctx := s.admin()
		unit := s.unit(ctx, "", "Xã Thử")
		change := func(f func(*pb.Rating)) *pb.SealedRating {
			r := freshRating(unit, 4)
			f(r)
			return seal(t, r)
		}
		invalid := append(seal(t, freshRating(unit, 4)).GetRating(), protowire.AppendString(protowire.AppendTag(nil, 6, protowire.BytesType), "\xff\xfe")...)
		big := make([]byte, 10<<20)
		_, _ = rand.Read(big)
		cases := []struct {
			name, reason string
			item         *pb.SealedRating
		}{
			{"good before", "", change(func(*pb.Rating) {})},
			{"score 6", "rating_invalid", change(func(r *pb.Rating) { r.OverallScore = 6 })},
			{"score -1", "rating_invalid", change(func(r *pb.Rating) { r.OverallScore = -1 })},
			{"score 0 is not asked", "", change(func(r *pb.Rating) { r.OverallScore = 0 })},
			{"unknown unit", "unit_unknown", change(func(r *pb.Rating) { r.UnitId = "nowhere" })},
			{"unknown counter", "counter_unknown", change(func(r *pb.Rating) { r.CounterId = "nowhere" })},
			{"unknown official", "official_unknown", change(func(r *pb.Rating) { r.OfficialId = "nobody" })},
			{"unknown questionnaire", "questionnaire_unknown", change(func(r *pb.Rating) { r.QuestionnaireId = "none" })},
			{"unknown version", "questionnaire_unknown", change(func(r *pb.Rating) { r.QuestionnaireVersion = 99 })},
			{"no channel", "rating_invalid", change(func(r *pb.Rating) { r.Channel = 0 })},
			{"channel of the future", "rating_invalid", change(func(r *pb.Rating) { r.Channel = 77 })},
			{"no time", "rating_invalid", change(func(r *pb.Rating) { r.OccurredAt = nil })},
			{"time that is none", "rating_invalid", change(func(r *pb.Rating) { r.OccurredAt = &timestamppb.Timestamp{Seconds: math.MaxInt64} })},
			{"id that is none", "rating_invalid", change(func(r *pb.Rating) { r.Id = "1" })},
			{"id in capitals", "rating_invalid", change(func(r *pb.Rating) { r.Id = strings.ToUpper(r.GetId()) })},
			{"another's device", "device_other", change(func(r *pb.Rating) { r.DeviceId = "kiosk-1" })},
			{"correction of nothing", "revises_unknown", change(func(r *pb.Rating) { r.Revises, r.RevisionReason = uuid.NewString(), "gõ nhầm" })},
			{"correction without reason", "rating_invalid", change(func(r *pb.Rating) { r.Revises = uuid.NewString() })},
			{"comment without commitment", "commitment_missing", &pb.SealedRating{Rating: change(func(*pb.Rating) {}).GetRating(), Private: &pb.Private{Comment: "chờ lâu"}}},
			{"not a rating", "rating_unreadable", &pb.SealedRating{Rating: []byte("\x0a\xffgarbage")}},
			{"empty", "rating_unreadable", &pb.SealedRating{}},
			{"invalid UTF-8 in the rating", "rating_unreadable", &pb.SealedRating{Rating: invalid}},
			{"10 MB", "rating_too_large", &pb.SealedRating{Rating: big}},
			{"good after", "", change(func(*pb.Rating) {})},
		}
		var items []*pb.SealedRating
		for _, c := range cases {
			items = append(items, c.item)
		}
		outcomes := s.submit(ctx, items...)
		good := uint32(0)
		for i, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				if c.reason == "" {
					wantOutcome(t, outcomes[i], stored, "")
					return
				}
				wantOutcome(t, outcomes[i], rejected, c.reason)
			})
			if c.reason == "" && c.name != "score 0 is not asked" {
				good++
			}
		}
		again := s.submit(ctx, items...)
		for i := range cases {
			if cases[i].reason == "" && again[i].GetOutcome() != duplicate || cases[i].reason != "" && again[i].GetQuarantineId() != outcomes[i].GetQuarantineId() {
				t.Errorf("%s, again: %v, first %v", cases[i].name, again[i], outcomes[i])
			}
		}
		listed, err := s.operations().ListQuarantine(ctx, &pb.ListQuarantineRequest{PageSize: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if want := len(cases) - 3; len(listed.GetItems()) != want {
			t.Errorf("%d items in quarantine, want %d", len(listed.GetItems()), want)
		}
		_, err = s.ratings().SubmitRatings(ctx, &pb.SubmitRatingsRequest{Items: make([]*pb.SealedRating, 1001)})
		if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "1001") {
			t.Errorf("a batch of 1,001: %v", err)
		}
	})
}

// A comment with invalid UTF-8 would fail the decoding of the whole call: only its item may suffer.
func TestUnreadablePrivateFailsOnlyItsItem(t *testing.T) {
	s := start(t, Config{})
	ctx := s.admin()
	unit := s.unit(ctx, "", "Xã Thử")
	good, bad := seal(t, freshRating(unit, 5)), seal(t, freshRating(unit, 5))
	private := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "\xff\xfe")
	badItem, _ := proto.Marshal(bad)
	badItem = protowire.AppendBytes(protowire.AppendTag(badItem, 2, protowire.BytesType), private)
	goodItem, _ := proto.Marshal(good)
	var raw []byte
	for _, item := range [][]byte{goodItem, badItem, goodItem} {
		raw = protowire.AppendBytes(protowire.AppendTag(raw, 1, protowire.BytesType), item)
	}
	// A message with the same fields and no opinion about UTF-8 carries the bytes.
	request := &pb.GetUnitRequest{}
	request.ProtoReflect().SetUnknown(raw)
	var response pb.SubmitRatingsResponse
	if err := s.conn.Invoke(ctx, pb.RatingService_SubmitRatings_FullMethodName, request, &response); err != nil {
		t.Fatal(err)
	}
	wantOutcome(t, response.GetOutcomes()[0], stored, "")
	wantOutcome(t, response.GetOutcomes()[1], rejected, "rating_unreadable")
	wantOutcome(t, response.GetOutcomes()[2], duplicate, "")
}

func TestConflictKeepsTheFirst(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		ctx := s.admin()
		unit := s.unit(ctx, "", "Xã Thử")
		first := freshRating(unit, 5)
		other := proto.CloneOf(first)
		other.OverallScore = 1
		outcomes := s.submit(ctx, seal(t, first), seal(t, other), seal(t, first))
		wantOutcome(t, outcomes[0], stored, "")
		wantOutcome(t, outcomes[1], conflict, "rating_conflict")
		wantOutcome(t, outcomes[2], duplicate, "")
		wantOutcome(t, s.submit(ctx, seal(t, other))[0], conflict, "rating_conflict")
		// Other bytes, same content: fields in another order.
		encoded := seal(t, first).GetRating()
		var fields [][]byte
		for rest := encoded; len(rest) > 0; {
			_, _, n := protowire.ConsumeField(rest)
			fields = append([][]byte{rest[:n]}, fields...)
			rest = rest[n:]
		}
		var reversed []byte
		for _, field := range fields {
			reversed = append(reversed, field...)
		}
		wantOutcome(t, s.submit(ctx, &pb.SealedRating{Rating: reversed})[0], duplicate, "")
	})
}

func TestSameRatingFromManyCallersIsStoredOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		ctx := s.admin()
		unit := s.unit(ctx, "", "Xã Thử")
		var items []*pb.SealedRating
		for range 20 {
			items = append(items, seal(t, freshRating(unit, 4)))
		}
		var mu sync.Mutex
		counts := map[pb.Outcome]int{}
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				for _, outcome := range s.submit(ctx, items...) {
					mu.Lock()
					counts[outcome.GetOutcome()]++
					mu.Unlock()
				}
			})
		}
		group.Wait()
		if counts[stored] != 20 || counts[duplicate] != 15*20 {
			t.Errorf("outcomes %v, want 20 stored and 300 duplicates", counts)
		}
		s.summary(ctx, unit, 20)
	})
}

func TestCorrectionsTakeThePlaceOfTheirOriginal(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		ctx := s.admin()
		unit := s.unit(ctx, "", "Xã Thử")
		var items []*pb.SealedRating
		for range 9 {
			items = append(items, seal(t, freshRating(unit, 5)))
		}
		wrong := freshRating(unit, 1)
		wrong.OccurredAt = timestamppb.New(time.Now().Add(-26 * time.Hour))
		right, better := freshRating(unit, 2), freshRating(unit, 4)
		right.Revises, right.RevisionReason = wrong.GetId(), "gõ nhầm"
		better.Revises, better.RevisionReason = right.GetId(), "gõ nhầm lần nữa"
		// The correction of the correction first: order within a batch does not matter.
		items = append(items, seal(t, better), seal(t, right), seal(t, wrong))
		for i, outcome := range s.submit(ctx, items...) {
			if outcome.GetOutcome() != stored {
				t.Errorf("item %d: %v", i, outcome)
			}
		}
		summary := s.summary(ctx, unit, 10)
		if got := fmt.Sprint(summary.GetPooled().GetCounts()); got != "[0 0 0 1 9]" {
			t.Errorf("counts %s: only the last correction counts", got)
		}
	})
}

func TestClockAYearAheadCountsWhenReceived(t *testing.T) {
	s := start(t, Config{})
	ctx := s.admin()
	unit := s.unit(ctx, "", "Xã Thử")
	for range 5 {
		r := freshRating(unit, 5)
		r.OccurredAt = timestamppb.New(time.Now().AddDate(1, 0, 0))
		wantOutcome(t, s.submit(ctx, seal(t, r))[0], stored, "")
	}
	summary := s.summary(ctx, unit, 5)
	if summary.GetPooled().GetFlagged() != 5 {
		t.Errorf("%d flagged, want 5", summary.GetPooled().GetFlagged())
	}
}

func TestSmallCellsAreSuppressed(t *testing.T) {
	s := start(t, Config{})
	ctx := s.admin()
	unit := s.unit(ctx, "", "Xã Thử")
	for range 4 {
		s.submit(ctx, seal(t, freshRating(unit, 1)))
	}
	pooled := s.summary(ctx, unit, 4).GetPooled()
	if !pooled.GetSatisfied().GetSuppressed() || len(pooled.GetCounts()) != 0 || pooled.GetDissatisfied().GetValue() != 0 {
		t.Errorf("four ratings show %v", pooled)
	}
}

func TestCommentAndContactAreKeptApart(t *testing.T) {
	s := start(t, Config{})
	ctx := s.admin()
	unit := s.unit(ctx, "", "Xã Thử")
	r := freshRating(unit, 2)
	private := &pb.Private{Comment: "Cho\u031b\u0300 la\u0302u quá", Salt: []byte("sixteen bytes ok"), ConsentVersion: "1", Contact: &pb.Contact{Phone: "0912 345 678", CallBack: true}}
	r.PrivateCommitment, _ = rating.Commitment(private)
	item := seal(t, r)
	item.Private = private
	wantOutcome(t, s.submit(ctx, item)[0], stored, "")
	tampered := proto.CloneOf(item)
	tampered.Private.Comment = "không chờ"
	wantOutcome(t, s.submit(ctx, tampered)[0], rejected, "commitment_wrong")
	without := proto.CloneOf(item)
	without.Private.ConsentVersion = ""
	wantOutcome(t, s.submit(ctx, without)[0], rejected, "rating_invalid")
}

func TestStreamAnswersEveryItemInOrder(t *testing.T) {
	s := start(t, Config{})
	ctx, cancel := context.WithTimeout(s.admin(), time.Minute)
	defer cancel()
	unit := s.unit(ctx, "", "Xã Thử")
	stream, err := s.ratings().StreamRatings(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for range 50 {
		request := &pb.StreamRatingsRequest{}
		for range 10 {
			r := freshRating(unit, 4)
			ids = append(ids, r.GetId())
			request.Items = append(request.Items, seal(t, r))
		}
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		response, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if response.GetOutcome().GetRatingId() != id || response.GetOutcome().GetOutcome() != stored {
			t.Fatalf("got %v, want %s stored", response.GetOutcome(), id)
		}
	}
	s.summary(ctx, unit, 500)
}

func TestReleaseFromQuarantine(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		ctx := s.admin()
		r := freshRating("xa-moi", 4)
		waiting := s.submit(ctx, seal(t, r))[0]
		wantOutcome(t, waiting, rejected, "unit_unknown")
		release := func() *pb.ItemOutcome {
			response, err := s.operations().ReleaseQuarantined(ctx, &pb.ReleaseQuarantinedRequest{QuarantineId: waiting.GetQuarantineId()})
			if err != nil {
				t.Fatal(err)
			}
			return response.GetOutcome()
		}
		wantOutcome(t, release(), rejected, "unit_unknown")
		if _, err := s.directory().CreateUnit(ctx, &pb.CreateUnitRequest{Unit: &pb.Unit{Id: "xa-moi", Code: "1", Name: "Xã Mới", Level: "commune"}}); err != nil {
			t.Fatal(err)
		}
		if got := release(); got.GetOutcome() != stored || got.GetRatingId() != r.GetId() {
			t.Errorf("released: %v", got)
		}
		if got := release(); got.GetOutcome() != duplicate {
			t.Errorf("released twice: %v", got)
		}
		s.summary(ctx, "xa-moi", 1)
		listed, err := s.operations().ListQuarantine(ctx, &pb.ListQuarantineRequest{})
		if err != nil || len(listed.GetItems()) != 0 {
			t.Errorf("still waiting: %v %v", listed.GetItems(), err)
		}
	})
}

package desk_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/desk"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestOneSlipIsOneRating(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		batch := h.pile()
		first := h.enter(lan, slip(batch, "7", 4))
		wantOutcome(t, first, stored)
		again := h.enter(ba, slip(batch, " 007", 4))
		wantOutcome(t, again, duplicate)
		if again.Slip.GetTypedBy() != "lan" || again.Slip.GetRatingId() != first.Slip.GetRatingId() {
			t.Errorf("typed again: %v", again.Slip)
		}
		other := h.enter(ba, slip(batch, "7", 1))
		wantOutcome(t, other, conflict)
		if other.Slip.GetOverallScore() != 4 || other.Slip.GetTypedBy() != "lan" || other.Why.Reason != "desk_slip_typed_before" {
			t.Errorf("conflict shows %v, %v", other.Slip, other.Why)
		}
		if n := len(h.standing()["7"]); n != 1 {
			t.Fatalf("%d ratings of slip 7", n)
		}
		corrected := slip(batch, "7", 1)
		corrected.CorrectionReason = "gõ nhầm"
		right := h.enter(ba, corrected)
		wantOutcome(t, right, stored)
		wantOutcome(t, h.enter(ba, corrected), duplicate)
		stands := h.standing()["7"]
		if len(stands) != 1 || stands[0].GetOverallScore() != 1 || stands[0].GetRevises() != first.Slip.GetRatingId() || stands[0].GetRevisionReason() != "gõ nhầm" {
			t.Errorf("the correction is %v", stands)
		}
		if stands[0].GetRecordedBy() != ba.ID || stands[0].GetChannel() != pb.Channel_CHANNEL_PAPER {
			t.Errorf("the correction is %v", stands[0])
		}
		if got := right.Batch.Proto(""); got.GetTyped() != 1 || fmt.Sprint(got.GetCounts()) != "[0 1 0 0 0 0]" || !right.Slip.GetCorrected() {
			t.Errorf("totals after the correction: %v", got)
		}
	})
}

func TestSlipThatCannotBe(t *testing.T) {
	h := newHouse(t)
	batch := h.pile()
	for _, c := range []struct {
		name, reason string
		change       func(*pb.EnterSlipRequest)
	}{
		{"unknown question", "answer_question_unknown", func(s *pb.EnterSlipRequest) { s.Answers = []*pb.Answer{{QuestionId: "none", Score: 3}} }},
		{"unknown choice", "answer_choice_unknown", func(s *pb.EnterSlipRequest) {
			s.Answers = []*pb.Answer{{QuestionId: "reasons", ChoiceIds: []string{"none"}}}
		}},
		{"unknown official", "official_unknown", func(s *pb.EnterSlipRequest) { s.OfficialId = "nobody" }},
		{"endless comment", "desk_slip_invalid", func(s *pb.EnterSlipRequest) { s.Private = &pb.Private{Comment: strings.Repeat("ạ", 10_001)} }},
		{"contact without consent", "desk_slip_invalid", func(s *pb.EnterSlipRequest) { s.Private = &pb.Private{Contact: &pb.Contact{Phone: "0912345678"}} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := slip(batch, "9", 3)
			c.change(asked)
			got := h.enter(lan, asked)
			wantOutcome(t, got, rejected)
			if got.Why.Reason != c.reason {
				t.Errorf("reason %v, want %s", got.Why, c.reason)
			}
		})
	}
	for _, number := range []string{" ", "\x00", "a\u200bb", strings.Repeat("9", 129)} {
		_, err := h.Enter(t.Context(), lan, slip(batch, number, 3), language.English)
		wantFault(t, err, fault.Invalid, "desk_number_invalid")
	}
	if len(h.standing()) != 0 {
		t.Errorf("something was stored: %v", h.standing())
	}
	wantOutcome(t, h.enter(lan, slip(batch, "9", 3)), stored) // its number was not used up
}

func TestCrashBetweenTheWrites(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after int
	}{{"before intake", 1, 0}, {"after intake", 0, 1}, {"twice", 1, 1}} {
		t.Run(c.name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, h *house) {
				batch := h.pile()
				asked := slip(batch, "1", 2)
				asked.Private = &pb.Private{Comment: "chờ lâu"}
				die := func() {
					t.Helper()
					h.intake.before, h.intake.after = c.before, c.after
					for range c.before + c.after {
						if _, err := h.Enter(t.Context(), lan, asked, language.English); err == nil {
							t.Fatal("the process did not die")
						}
					}
				}
				die()
				wantOutcome(t, h.enter(ba, slip(batch, "1", 5)), conflict) // somebody else with the same number finds the first
				wantOutcome(t, h.enter(lan, asked), duplicate)             // the retry of what was never acknowledged
				asked.OverallScore, asked.CorrectionReason = 3, "gõ nhầm"
				die()
				wantOutcome(t, h.enter(lan, asked), duplicate)
				stands := h.standing()["1"]
				if len(stands) != 1 || stands[0].GetOverallScore() != 3 {
					t.Fatalf("slip 1 is %v", stands)
				}
				got, err := h.Batch(t.Context(), batch)
				if err != nil || fmt.Sprint(got.Proto("").GetCounts()) != "[0 0 0 1 0 0]" {
					t.Errorf("totals %v %v", got.Proto(""), err)
				}
				private, err := h.engine.Documents(t.Context(), intakePrivates(t))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := private.Get(t.Context(), "X/U/"+stands[0].GetId()); err != nil {
					t.Errorf("the comment was lost: %v", err)
				}
			})
		})
	}
}

func TestTotalsFinishWhatACrashLeft(t *testing.T) {
	h := newHouse(t)
	batch := h.pile()
	h.intake.before = 1
	if _, err := h.Enter(t.Context(), lan, slip(batch, "1", 2), language.English); err == nil {
		t.Fatal("the process did not die")
	}
	got, err := h.Batch(t.Context(), batch)
	if err != nil || got.Proto("").GetTyped() != 1 || len(h.standing()["1"]) != 1 {
		t.Errorf("totals %v, ratings %v, %v", got.Proto(""), h.standing(), err)
	}
}

func TestTwoOperatorsOneSlip(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		batch := h.pile()
		for number := range 20 {
			var got [2]desk.Entered
			var wait sync.WaitGroup
			for i, by := range []desk.Typist{lan, ba} {
				wait.Go(func() {
					var err error
					if got[i], err = h.Enter(t.Context(), by, slip(batch, fmt.Sprint("A-", number), int32(1+i)), language.English); err != nil { //nolint:gosec // 0 or 1
						t.Error(err)
					}
				})
			}
			wait.Wait()
			won := 0
			if got[1].Outcome == stored {
				won = 1
			}
			if got[won].Outcome != stored || got[1-won].Outcome != conflict || got[1-won].Slip.GetTypedBy() != []string{"lan", "ba"}[won] {
				t.Fatalf("slip %d: %v and %v", number, got[0], got[1])
			}
		}
	})
}

func TestTotalsAreExactUnderTwoOperators(t *testing.T) {
	h := newHouse(t)
	year := 2000
	rapid.Check(t, func(rt *rapid.T) {
		year++ // numbers of their own
		batch := h.pile(func(r *pb.OpenBatchRequest) { r.FilledOn = fmt.Sprintf("%d-05-02", 1900+year%100) })
		type typing struct {
			number, wrong, score int
			what                 string
		}
		one := rapid.Custom(func(t *rapid.T) typing {
			return typing{
				rapid.IntRange(1, 6).Draw(t, "number"), rapid.IntRange(1, 6).Draw(t, "wrong"), rapid.IntRange(0, 5).Draw(t, "score"),
				rapid.SampledFrom([]string{"type", "correct", "move"}).Draw(t, "what"),
			}
		})
		var wait sync.WaitGroup
		for _, by := range []desk.Typist{lan, ba} {
			typings := rapid.SliceOfN(one, 1, 8).Draw(rt, by.Name)
			wait.Go(func() {
				for _, typed := range typings {
					asked := slip(batch, fmt.Sprintf("%d.%d", year, typed.number), int32(typed.score)) //nolint:gosec // 0 to 5
					if typed.what != "type" {
						asked.CorrectionReason = "đối chiếu lại"
					}
					if typed.what == "move" {
						asked.CorrectsNumber = fmt.Sprintf("%d.%d", year, typed.wrong)
					}
					if _, err := h.Enter(t.Context(), by, asked, language.English); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		var want [6]uint32
		n := uint32(0)
		for number, ratings := range h.standing() {
			if !strings.HasPrefix(number, fmt.Sprint(year)+".") {
				continue
			}
			if len(ratings) != 1 {
				rt.Fatalf("slip %s counts %d times", number, len(ratings))
			}
			want[ratings[0].GetOverallScore()]++
			n++
		}
		got, err := h.Batch(t.Context(), batch)
		if err != nil {
			rt.Fatal(err)
		}
		if p := got.Proto(""); p.GetTyped() != n || fmt.Sprint(p.GetCounts()) != fmt.Sprint(want[:]) {
			rt.Fatalf("totals %d %v, ratings %d %v", p.GetTyped(), p.GetCounts(), n, want)
		}
	})
}

func TestWhenASlipCounts(t *testing.T) {
	for _, c := range []struct {
		name, filled string
		now          time.Time
		day          string
		hour         int
	}{
		{"today in the afternoon", "", time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC), "2026-03-10", 12},
		{"today in the morning", "", time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC), "2026-03-10", 9},
		{"just past midnight", "", time.Date(2026, 3, 9, 17, 1, 0, 0, time.UTC), "2026-03-10", 0},
		{"seven years ago", "2019-02-28", time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC), "2019-02-28", 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t)
			h.now = c.now
			batch := h.pile(func(r *pb.OpenBatchRequest) { r.FilledOn = c.filled })
			wantOutcome(t, h.enter(lan, slip(batch, "1", 5)), stored)
			for record, err := range h.engine.Ratings().Scan(t.Context(), "", "") {
				if err != nil || record.Counted.Day != localday.Day(c.day) || record.Counted.Hour != c.hour || len(record.Flags) > 0 {
					t.Errorf("counts for %v, flags %v, %v", record.Counted, record.Flags, err)
				}
			}
			h.now = c.now.Add(2 * time.Minute)
			wantOutcome(t, h.enter(lan, slip(batch, "1", 5)), duplicate)
		})
	}
	h := newHouse(t)
	batch := h.pile()
	asked := slip(batch, "1", 5)
	asked.FilledOn = "2026-03-11"
	_, err := h.Enter(t.Context(), lan, asked, language.English)
	wantFault(t, err, fault.Invalid, "desk_filled_future")
	asked.FilledOn = "31/12/2025"
	_, err = h.Enter(t.Context(), lan, asked, language.English)
	wantFault(t, err, fault.Invalid, "day_invalid")
	asked.FilledOn, asked.CorrectionReason = "2025-12-31", "gõ nhầm"
	nothing := h.enter(lan, asked)
	if wantOutcome(t, nothing, rejected); nothing.Why.Reason != "desk_nothing_to_correct" {
		t.Errorf("a correction of nothing: %v", nothing.Why)
	}
	asked.CorrectionReason = "" // another year's slip 1
	wantOutcome(t, h.enter(lan, asked), stored)
	wantOutcome(t, h.enter(lan, slip(batch, "1", 4)), stored)
}

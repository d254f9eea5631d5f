package desk_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/hailong-vn/hailong/internal/desk"
	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// renumbered is a slip that was typed under a wrong number.
func renumbered(batch, wrong, number string, score int32) *pb.EnterSlipRequest {
	asked := slip(batch, number, score)
	asked.CorrectsNumber, asked.CorrectionReason = wrong, "gõ nhầm số phiếu"
	return asked
}

func wantReason(t *testing.T, got desk.Entered, outcome pb.Outcome, reason, says string) {
	t.Helper()
	wantOutcome(t, got, outcome)
	if got.Why == nil || got.Why.Reason != reason || !strings.Contains(language.Vietnamese.Text("fault."+reason, got.Why.Args...), says) {
		t.Fatalf("why: %v, want %s with %q", got.Why, reason, says)
	}
}

func TestWrongNumber(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		batch := h.pile()
		first := slip(batch, "8", 4)
		first.Private = &pb.Private{Comment: "chờ lâu"}
		typed := h.enter(lan, first)
		asked := renumbered(batch, "08", "7", 4)

		// Without a reason nothing is stored, and what stands is shown.
		asked.CorrectionReason = ""
		shown := h.enter(ba, asked)
		if wantReason(t, shown, conflict, "desk_slip_typed_before", "8"); shown.Slip.GetRatingId() != typed.Slip.GetRatingId() {
			t.Errorf("shown: %v", shown.Slip)
		}
		asked.CorrectionReason = "gõ nhầm số phiếu"
		right := h.enter(ba, asked)
		wantOutcome(t, right, stored)
		if s := right.Slip; s.GetNumber() != "7" || !s.GetCorrected() || s.GetTypedBy() != "ba" || !s.GetHasComment() || right.Batch.Proto("").GetTyped() != 1 {
			t.Errorf("moved: %v, totals %v", s, right.Batch.Proto(""))
		}
		wantOutcome(t, h.enter(ba, asked), duplicate) // the same call again
		stands := h.standing()
		if len(stands) != 1 || len(stands["7"]) != 1 || stands["7"][0].GetRevises() != typed.Slip.GetRatingId() || stands["7"][0].GetRevisionReason() != "gõ nhầm số phiếu" {
			t.Fatalf("what counts: %v", stands)
		}
		if h.given("7").GetComment() != "chờ lâu" {
			t.Errorf("the comment was lost: %v", h.given("7"))
		}

		// The wrong number tells where its slip went, and takes the slip on which it is printed.
		late := slip(batch, "8", 1)
		late.CorrectionReason = "sửa bản cũ"
		wantReason(t, h.enter(lan, late), rejected, "desk_number_moved", "7")
		wantReason(t, h.enter(lan, renumbered(batch, "8", "9", 4)), rejected, "desk_number_moved", "7")
		wantReason(t, h.enter(lan, renumbered(batch, "99", "9", 4)), rejected, "desk_nothing_to_correct", "99")
		real8 := h.enter(lan, slip(batch, "8", 2))
		wantOutcome(t, real8, stored)
		if real8.Slip.GetCorrected() || fmt.Sprint(real8.Batch.Proto("").GetCounts()) != "[0 0 1 0 1 0]" {
			t.Errorf("the slip with that number: %v, totals %v", real8.Slip, real8.Batch.Proto(""))
		}
		wantReason(t, h.enter(ba, asked), conflict, "desk_number_taken", "7") // both stand: it is said, not guessed
		wantReason(t, h.enter(ba, renumbered(batch, "8", "7", 2)), conflict, "desk_number_taken", "7")

		// A slip may be corrected where it stands now, and move again, back too.
		again := slip(batch, "7", 5)
		again.CorrectionReason = "đọc lại"
		wantOutcome(t, h.enter(lan, again), stored)
		wantOutcome(t, h.enter(lan, renumbered(batch, "7", "10", 5)), stored)
		wantOutcome(t, h.enter(lan, renumbered(batch, "10", "7", 3)), stored) // its answers may change with it
		got := h.enter(lan, renumbered(batch, "007", "7", 3))                 // the same number, written otherwise
		wantOutcome(t, got, duplicate)
		if fmt.Sprint(got.Batch.Proto("").GetCounts()) != "[0 0 1 1 0 0]" || len(h.standing()) != 2 || h.given("7").GetComment() != "chờ lâu" {
			t.Errorf("in the end: %v, %v", got.Batch.Proto(""), h.standing())
		}
	})
}

func TestWrongNumberStaysInItsPile(t *testing.T) {
	h := newHouse(t)
	mine, other := h.pile(), h.pile()
	wantOutcome(t, h.enter(lan, slip(mine, "1", 4)), stored)
	if _, err := h.Close(t.Context(), lan, mine, ""); err != nil {
		t.Fatal(err)
	}
	moved := h.enter(ba, renumbered(other, "1", "2", 5)) // a closed pile is still corrected, whichever the operator has open
	wantOutcome(t, moved, stored)
	if moved.Slip.GetBatchId() != mine || moved.Batch.Proto("").GetTyped() != 0 {
		t.Errorf("moved into %v, totals of the other pile %v", moved.Slip, moved.Batch.Proto(""))
	}
	listed, _, err := h.List(t.Context(), "", false, 10, "", func(string) bool { return true })
	if err != nil || fmt.Sprint(listed[1].Proto("").GetCounts()) != "[0 0 0 0 0 1]" {
		t.Errorf("kept totals: %v, %v", listed[1].Proto(""), err)
	}
	wantOutcome(t, h.enter(lan, renumbered(mine, "2", "3", 0)), stored)
}

// A process is killed before and after each of the writes of a move; whoever comes next finishes it.
func TestWrongNumberAndCrashes(t *testing.T) {
	next := []struct {
		name string
		do   func(h *house, batch, wrong, right string, retry *pb.EnterSlipRequest)
	}{
		{"the same call again", func(h *house, _, _, _ string, retry *pb.EnterSlipRequest) { h.enter(lan, retry) }},
		{"totals are read", func(h *house, batch, _, _ string, _ *pb.EnterSlipRequest) {
			if _, err := h.Batch(h.t.Context(), batch); err != nil {
				h.t.Error(err)
			}
		}},
		{"the wrong number is typed", func(h *house, batch, wrong, _ string, _ *pb.EnterSlipRequest) { h.enter(ba, slip(batch, wrong, 3)) }},
		{"the right number is typed", func(h *house, batch, _, right string, _ *pb.EnterSlipRequest) { h.enter(ba, slip(batch, right, 3)) }},
	}
	onEngines(t, func(t *testing.T, h *house) {
		run := 0
		for _, after := range next {
			points := 0
			for point := 1; ; point++ {
				run++
				batch := h.pile()
				wrong, right := fmt.Sprint("W", run), fmt.Sprint("R", run)
				first := slip(batch, wrong, 4)
				first.Private = &pb.Private{Comment: "chờ lâu"}
				wantOutcome(t, h.enter(lan, first), stored)
				asked := renumbered(batch, wrong, right, 4)
				h.intake.dieAt(point)
				_, err := h.Enter(t.Context(), lan, asked, language.English)
				if lived := h.intake.dieAt(0); lived {
					if err != nil {
						t.Fatal(err)
					}
					break
				}
				if err == nil {
					t.Fatalf("%s, killed at %d: the call knew nothing of it", after.name, point)
				}
				points++
				after.do(h, batch, wrong, right, asked)
				got := h.enter(lan, asked)
				stands := h.standing()
				if typedThere := stands[right]; len(typedThere) == 1 && typedThere[0].GetRevises() == "" {
					// Killed before anything was written, and the right number was taken by another slip.
					wantReason(t, got, conflict, "desk_number_taken", right)
					continue
				}
				if len(stands[wrong]) == 1 && stands[wrong][0].GetOverallScore() == 3 { // the number was free, and took another
					delete(stands, wrong)
				}
				if len(stands[wrong]) != 0 || len(stands[right]) != 1 || h.given(right).GetComment() != "chờ lâu" {
					t.Fatalf("%s, killed at %d: %v under the wrong number, %v under the right one", after.name, point, stands[wrong], stands[right])
				}
				total, err := h.Batch(t.Context(), batch)
				counts := total.Proto("").GetCounts()
				if err != nil || counts[4] != 1 || counts[3] > 1 {
					t.Fatalf("%s, killed at %d: totals %v, %v", after.name, point, counts, err)
				}
			}
			if points != 10 { // claim, hold, intake, free, mark: before and after each
				t.Errorf("%s: died at %d points", after.name, points)
			}
		}
	})
}

// Of two operators who move one slip at once the first wins.
func TestTwoOperatorsOneWrongNumber(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		batch := h.pile()
		for n := range 10 {
			wrong := fmt.Sprint("8.", n)
			wantOutcome(t, h.enter(lan, slip(batch, wrong, 4)), stored)
			var got [2]desk.Entered
			var wait sync.WaitGroup
			for i, by := range []desk.Typist{lan, ba} {
				wait.Go(func() {
					var err error
					if got[i], err = h.Enter(t.Context(), by, renumbered(batch, wrong, fmt.Sprint(i, ".", n), 4), language.English); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			won := 0
			if got[1].Outcome == stored {
				won = 1
			}
			stands := h.standing()
			if got[won].Outcome != stored || got[1-won].Outcome == stored || len(stands[fmt.Sprint(won, ".", n)]) != 1 ||
				len(stands[fmt.Sprint(1-won, ".", n)])+len(stands[wrong]) != 0 {
				t.Fatalf("%v and %v leave %v", got[0], got[1], stands)
			}
		}
	})
}

package desk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/desk"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func intakePrivates(t *testing.T) store.Kind {
	for _, kind := range intake.Kinds() {
		if kind.Name == "privates" {
			return kind
		}
	}
	t.Fatal("intake keeps no privates")
	return store.Kind{}
}

func TestBatchThatCannotBe(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		name   string
		asked  *pb.OpenBatchRequest
		code   fault.Code
		reason string
	}{
		{"tomorrow's slips", &pb.OpenBatchRequest{UnitId: "U", QuestionnaireId: "kiosk", FilledOn: "2026-03-11"}, fault.Invalid, "desk_filled_future"},
		{"no day", &pb.OpenBatchRequest{UnitId: "U", QuestionnaireId: "kiosk", FilledOn: "hôm qua"}, fault.Invalid, "day_invalid"},
		{"no form", &pb.OpenBatchRequest{UnitId: "U", QuestionnaireId: "none"}, fault.NotFound, "questionnaire_unknown"},
		{"no version", &pb.OpenBatchRequest{UnitId: "U", QuestionnaireId: "kiosk", QuestionnaireVersion: 9}, fault.NotFound, "questionnaire_unknown"},
		{"no counter", &pb.OpenBatchRequest{UnitId: "U", QuestionnaireId: "kiosk", CounterId: "none"}, fault.NotFound, "counter_unknown"},
		{"a lorry of paper", &pb.OpenBatchRequest{UnitId: "U", QuestionnaireId: "kiosk", Expected: 2_001}, fault.Invalid, "desk_batch_too_large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := h.OpenBatch(t.Context(), lan, c.asked)
			wantFault(t, err, c.code, c.reason)
		})
	}
	for _, id := range []string{"none", "", "\x00"} {
		_, err := h.Batch(t.Context(), id)
		wantFault(t, err, fault.NotFound, "desk_batch_unknown")
	}
}

func TestCloseComparesWithTheCountByHand(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		batch := h.pile(func(r *pb.OpenBatchRequest) { r.Expected = 3 })
		for n := range 2 {
			wantOutcome(t, h.enter(lan, slip(batch, fmt.Sprint(n), 5)), stored)
		}
		_, err := h.Close(t.Context(), lan, batch, "")
		wantFault(t, err, fault.Invalid, "desk_count_differs")
		closed, err := h.Close(t.Context(), lan, batch, "một phiếu trắng")
		if err != nil || closed.Open || closed.Proto("").GetDifferenceReason() != "một phiếu trắng" || closed.Proto("").GetClosedAt() == nil {
			t.Fatalf("closed: %v %v", closed.Proto(""), err)
		}
		if _, err := h.Close(t.Context(), ba, batch, ""); err != nil {
			t.Errorf("closed again: %v", err)
		}
		_, err = h.Enter(t.Context(), lan, slip(batch, "9", 5), language.English)
		wantFault(t, err, fault.Stale, "desk_batch_closed")
		wantOutcome(t, h.enter(lan, slip(batch, "1", 5)), duplicate) // a late retry is still acknowledged
		// What was wrong stays to be corrected, and the totals follow in the list too.
		asked := slip(batch, "1", 2)
		asked.CorrectionReason = "gõ nhầm"
		wantOutcome(t, h.enter(lan, asked), stored)
		list, _, err := h.List(t.Context(), "X", false, 10, "", func(string) bool { return true })
		if err != nil || len(list) != 1 || fmt.Sprint(list[0].Proto("").GetCounts()) != "[0 0 1 0 0 1]" {
			t.Errorf("listed %v %v", list, err)
		}
	})
}

func TestLists(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		var ids []string
		for i := range 5 {
			h.mu.Lock()
			h.now = h.now.Add(time.Second)
			h.mu.Unlock()
			ids = append([]string{h.pile(func(r *pb.OpenBatchRequest) { r.UnitId = []string{"U", "V"}[i%2] })}, ids...)
		}
		if _, err := h.Close(t.Context(), lan, ids[0], ""); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name, within string
			open         bool
			want         []string
		}{
			{"everything", "", false, ids},
			{"a commune", "X", false, ids},
			{"an office", "V", false, []string{ids[1], ids[3]}},
			{"open ones", "X", true, ids[1:]},
			{"elsewhere", "W", false, nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				var got []string
				page := ""
				for first := true; first || page != ""; first = false {
					list, next, err := h.List(t.Context(), c.within, c.open, 2, page, func(string) bool { return true })
					if err != nil {
						t.Fatal(err)
					}
					for _, b := range list {
						got = append(got, b.Proto("").GetId())
					}
					page = next
				}
				if fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
			})
		}
		_, _, err := h.List(t.Context(), "X", false, 2, "no page", func(string) bool { return true })
		wantFault(t, err, fault.Invalid, "desk_page_invalid")
	})
}

func TestLastSlips(t *testing.T) {
	h := newHouse(t)
	batch := h.pile()
	for n := range 25 {
		wantOutcome(t, h.enter(lan, slip(batch, fmt.Sprint("S", n), 5)), stored)
	}
	last, err := h.Last(t.Context(), batch)
	if err != nil || len(last) != 20 || last[0].GetNumber() != "S24" || last[19].GetNumber() != "S5" {
		t.Errorf("%d slips, %v, %v", len(last), last, err)
	}
}

func TestFullBatch(t *testing.T) {
	h := newHouse(t)
	small, err := desk.Open(t.Context(), h.engine, desk.Options{Intake: h.intake, Directory: h.directory, Salts: h.salts, Now: h.clock, MaxSlips: 2})
	if err != nil {
		t.Fatal(err)
	}
	h.Desk = small
	batch := h.pile()
	wantOutcome(t, h.enter(lan, slip(batch, "1", 5)), stored)
	wantOutcome(t, h.enter(ba, slip(batch, "2", 5)), stored)
	_, err = h.Enter(t.Context(), lan, slip(batch, "3", 5), language.English)
	wantFault(t, err, fault.Exhausted, "desk_batch_full")
	wantOutcome(t, h.enter(lan, slip(batch, "2", 5)), duplicate)
	wantOutcome(t, h.enter(lan, slip(batch, "2", 4)), conflict)
}

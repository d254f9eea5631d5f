package citizen_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/citizen"
	"github.com/hailong-vn/hailong/internal/fault"
)

func TestCodesCannotBeGuessed(t *testing.T) {
	onBuses(t, func(t *testing.T, limits bus.Limits, _ *clock) {
		gate := citizen.New(signer(t), limits, citizen.Options{WorkBits: 6})
		// guess tries a code that no case has, as the server does.
		guess := func(address, code string, work bool) error {
			a := citizen.CodeAttempt{Code: code, Address: address}
			if work {
				a.Token = gate.IssueWork(code)
				a.Proof = citizen.Work(a.Token, gate.WorkBits)
			}
			err := gate.AdmitCode(t.Context(), a)
			if err == nil {
				gate.WrongCode(t.Context(), address)
			}
			return err
		}
		t.Run("a few slips cost nothing, then each needs work", func(t *testing.T) {
			free := 0
			for ; free < 100 && guess("203.0.113.1", fmt.Sprint(free), false) == nil; free++ {
			}
			if free != 20 {
				t.Errorf("%d wrong codes were free, want 20", free)
			}
			if err := guess("203.0.113.1", "x", false); reason(err) != "work_needed" || !fault.Is(err, fault.Exhausted) {
				t.Errorf("the next: %v", err)
			}
			if err := guess("203.0.113.1", "x", true); err != nil {
				t.Errorf("with work: %v", err)
			}
		})
		t.Run("work for one code opens no other", func(t *testing.T) {
			token := gate.IssueWork("1")
			a := citizen.CodeAttempt{Code: "2", Address: "203.0.113.1", Token: token, Proof: citizen.Work(token, gate.WorkBits)}
			if err := gate.AdmitCode(t.Context(), a); reason(err) != "work_needed" {
				t.Errorf("%v", err)
			}
		})
		t.Run("nor does the token of a form", func(t *testing.T) {
			token := gate.Issue(citizen.Form{Unit: "xa", Rating: "2"})
			a := citizen.CodeAttempt{Code: "2", Address: "203.0.113.1", Token: token, Proof: citizen.Work(token, gate.WorkBits)}
			if err := gate.AdmitCode(t.Context(), a); reason(err) != "work_needed" {
				t.Errorf("%v", err)
			}
		})
		t.Run("above a ceiling work does not help either", func(t *testing.T) {
			let := 0
			for ; let < 200; let++ {
				if err := guess("203.0.113.1", fmt.Sprint("p", let), true); err != nil {
					if reason(err) != "too_often" {
						t.Errorf("%v", err)
					}
					break
				}
			}
			if let > 122 {
				t.Errorf("%d proven codes were let in", let)
			}
		})
		t.Run("others are not held back", func(t *testing.T) {
			if err := guess("203.0.113.2", "y", false); err != nil {
				t.Error(err)
			}
		})
		t.Run("an IPv6 network is one", func(t *testing.T) {
			let := 0
			for i := range 30 {
				if guess(fmt.Sprintf("2001:db8:0:9::%x", i+1), "z", false) == nil {
					let++
				}
			}
			if let != 20 {
				t.Errorf("%d were let in, want 20", let)
			}
		})
		t.Run("right codes count for nothing against it", func(t *testing.T) {
			for i := range 100 {
				if err := gate.AdmitCode(t.Context(), citizen.CodeAttempt{Code: "1", Address: "203.0.113.3"}); err != nil {
					t.Fatalf("look %d: %v", i, err)
				}
			}
		})
		t.Run("who asks without end waits", func(t *testing.T) {
			let := 0
			for ; let < 300 && gate.AdmitCode(t.Context(), citizen.CodeAttempt{Code: "1", Address: "203.0.113.4"}) == nil; let++ {
			}
			if let < 120 || let > 140 {
				t.Errorf("%d were let in, want 120 and what seconds gave back", let)
			}
		})
	})
}

func TestManyNetworksTogetherNeedWork(t *testing.T) {
	onBuses(t, func(t *testing.T, limits bus.Limits, _ *clock) {
		budgets := citizen.DefaultBudgets()
		budgets.WrongOfAll = bus.Limit{Rate: 1, Per: time.Hour, Burst: 50}
		gate := citizen.New(signer(t), limits, citizen.Options{WorkBits: 6, Budgets: budgets})
		asked := 0
		for i := range 80 {
			address := fmt.Sprintf("198.51.100.%d", i)
			if err := gate.AdmitCode(t.Context(), citizen.CodeAttempt{Code: "1", Address: address}); reason(err) == "work_needed" {
				asked++
			} else if err == nil {
				gate.WrongCode(t.Context(), address)
			}
		}
		if asked != 30 {
			t.Errorf("%d of 80 networks were asked for work, want 30", asked)
		}
	})
}

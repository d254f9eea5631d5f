package server

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/actions"
	"github.com/hailong-vn/hailong/internal/demo"
	"github.com/hailong-vn/hailong/internal/localday"
)

// TestDemoActions: the demonstration has actions in every state, one of them late, and one contest; a second start adds nothing.
func TestDemoActions(t *testing.T) {
	config, err := Config{Data: t.TempDir(), Demo: true, AdminPassword: "mật khẩu để thử"}.complete()
	if err != nil {
		t.Fatal(err)
	}
	a, err := open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	now := a.Clock()
	for _, fill := range []func() error{
		func() error { return a.fillDemoDirectory(t.Context()) }, func() error { return a.fillDemoAccounts(t.Context()) },
		func() error { return a.fillDemoCases(t.Context()) },
		func() error { return a.fillDemoActions(t.Context()) }, func() error { return a.fillDemoActions(t.Context()) },
		func() error { _, err := a.fillDemoRatings(t.Context(), now.Add(-15*24*time.Hour), now); return err },
		func() error { return a.fillDemoContest(t.Context()) }, func() error { return a.fillDemoContest(t.Context()) },
	} {
		if err := fill(); err != nil {
			t.Fatal(err)
		}
	}
	today, _ := localday.Of(now)
	states, late := map[casework.State]int{}, 0
	for _, one := range demo.CorrectiveActions() {
		kept, err := a.actions.Get(t.Context(), uuid.NewSHA1(uuid.MustParse(one.Order), []byte(one.UnitID)).String())
		if err != nil {
			t.Fatal(err)
		}
		states[kept.State]++
		if kept.Late(today) {
			late++
		}
	}
	for _, state := range casework.ActionStates() {
		if states[state] == 0 {
			t.Errorf("no action is %s: %v", state, states)
		}
	}
	if late == 0 {
		t.Error("no action is late")
	}
	open, _, err := a.actions.List(t.Context(), actions.Filter{Unit: demo.ProvinceID}, "", 100)
	if want := len(demo.CorrectiveActions()) - states[casework.ActionConfirmed] - states[casework.ActionCancelled]; err != nil || len(open) != want {
		t.Errorf("%d actions are open, want %d: %v", len(open), want, err)
	}
	contests, _, err := a.actions.Contests(t.Context(), demo.ProvinceID, true, "", 10)
	if err != nil || len(contests) != 1 {
		t.Errorf("%d contests, %v", len(contests), err)
	}
}

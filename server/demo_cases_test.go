package server

import (
	"testing"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/demo"
	"github.com/hailong-vn/hailong/internal/localday"
)

// TestDemoCases: the demonstration has cases in every state of the table, some of them late, and a second start adds nothing.
func TestDemoCases(t *testing.T) {
	config, err := Config{Data: t.TempDir(), Demo: true, AdminPassword: "mật khẩu để thử"}.complete()
	if err != nil {
		t.Fatal(err)
	}
	a, err := open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.close() })
	for _, fill := range []func() error{
		func() error { return a.fillDemoDirectory(t.Context()) }, func() error { return a.fillDemoAccounts(t.Context()) },
		func() error { return a.fillDemoCases(t.Context()) }, func() error { return a.fillDemoCases(t.Context()) },
	} {
		if err := fill(); err != nil {
			t.Fatal(err)
		}
	}
	page, err := a.casebook.List(t.Context(), casebook.Filter{}, "", casebook.MaxPage)
	if err != nil || len(page.Cases) != len(demo.Cases()) {
		t.Fatalf("%d cases, %v", len(page.Cases), err)
	}
	states, late := map[casework.State]int{}, 0
	for _, c := range page.Cases {
		states[c.State]++
		today, _ := localday.Of(a.Clock())
		if c.Late(today) {
			late++
		}
	}
	for _, state := range casework.States() {
		if states[state] == 0 {
			t.Errorf("no case is %s: %v", state, states)
		}
	}
	if late < 3 || late > len(page.Cases)/2 {
		t.Errorf("%d of %d are late", late, len(page.Cases))
	}
}

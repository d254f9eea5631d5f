package identity

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/fault"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestNamesAndPasswordsAreJudged(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	h.account(a, "Đặng Thị Lan", pb.Role_ROLE_OPERATOR, "T")
	tests := []struct {
		name   string
		want   NewAccount
		code   fault.Code
		reason string
	}{
		{"the same name", NewAccount{Name: "Đặng Thị Lan"}, fault.Exists, "account_name_taken"},
		{"in capitals", NewAccount{Name: "ĐẶNG THỊ LAN"}, fault.Exists, "account_name_taken"},
		{"decomposed", NewAccount{Name: norm.NFD.String("Đặng Thị Lan")}, fault.Exists, "account_name_taken"},
		{"no name", NewAccount{}, fault.Invalid, "account_name_length"},
		{"a short name", NewAccount{Name: "ộ"}, fault.Invalid, "account_name_length"},
		{"a long name", NewAccount{Name: strings.Repeat("ộ", 101)}, fault.Invalid, "account_name_length"},
		{"a name that is no text", NewAccount{Name: "lan\xff"}, fault.Invalid, "account_name_invalid"},
		{"an invisible letter", NewAccount{Name: "la\u200bn"}, fault.Invalid, "account_name_invalid"},
		{"a line break", NewAccount{Name: "la\nn"}, fault.Invalid, "account_name_invalid"},
		{"a space at the end", NewAccount{Name: "lan "}, fault.Invalid, "account_name_invalid"},
		{"two spaces", NewAccount{Name: "lan  anh"}, fault.Invalid, "account_name_invalid"},
		{"right to left", NewAccount{Name: "lan\u202egnur"}, fault.Invalid, "account_name_invalid"},
		{"a short password", NewAccount{Name: "minh", Password: "chín ký t"}, fault.Invalid, "password_short"},
		{"a short password, decomposed", NewAccount{Name: "minh", Password: norm.NFD.String("chín ký t")}, fault.Invalid, "password_short"},
		{"a password that is the name", NewAccount{Name: "nguyễn văn minh", Password: "NGUYỄN VĂN MINH"}, fault.Invalid, "password_is_name"},
		{"a long password", NewAccount{Name: "minh", Password: strings.Repeat("x", 4001)}, fault.Invalid, "password_invalid"},
		{"a password that is no text", NewAccount{Name: "minh", Password: strings.Repeat("\xff", 20)}, fault.Invalid, "password_invalid"},
		{"no role", NewAccount{Name: "minh", Role: -1}, fault.Invalid, "account_role_unknown"},
		{"a role of tomorrow", NewAccount{Name: "minh", Role: 99}, fault.Invalid, "account_role_unknown"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.want.Password == "" {
				test.want.Password = password
			}
			if test.want.Role == 0 {
				test.want.Role = pb.Role_ROLE_OFFICIAL
			}
			_, err := a.Create(t.Context(), System(), inTree, test.want)
			wantFault(t, err, test.code, test.reason)
		})
	}
	h.account(a, "Dang Thi Lan", pb.Role_ROLE_OPERATOR, "T") // diacritics tell names apart
}

func TestFoldIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		folded := fold(name)
		for form, other := range map[string]string{"itself": folded, "NFC": norm.NFC.String(name), "NFD": norm.NFD.String(name), "composed again": norm.NFC.String(norm.NFD.String(name))} {
			if got := fold(other); got != folded {
				t.Fatalf("%q folds to %q, and %s to %q", name, folded, form, got)
			}
		}
	})
}

func TestOfManyWhoWantANameOneGetsIt(t *testing.T) {
	h := newHouse(t)
	processes := []*Accounts{h.process(), h.process()}
	var made atomic.Int32
	var callers sync.WaitGroup
	for i := range 16 {
		callers.Go(func() {
			name := []string{"Lan", "lan", "LAN"}[i%3]
			_, err := processes[i%2].Create(t.Context(), System(), inTree, NewAccount{Name: name, Password: password, Role: pb.Role_ROLE_OFFICIAL})
			switch {
			case err == nil:
				made.Add(1)
			case !fault.Is(err, fault.Exists):
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if made.Load() != 1 {
		t.Errorf("%d accounts of one name", made.Load())
	}
}

func TestAdministratorsActWithinTheirUnit(t *testing.T) {
	h := newHouse(t)
	a := h.process()
	everything := h.account(a, "everything", pb.Role_ROLE_ADMINISTRATOR, "")
	h.account(a, "province", pb.Role_ROLE_ADMINISTRATOR, "T.A")
	beside := h.account(a, "beside", pb.Role_ROLE_OFFICIAL, "T.C")
	below := h.account(a, "below", pb.Role_ROLE_OFFICIAL, "T.A.B")
	_, whole := h.signIn(a, "everything")
	_, province := h.signIn(a, "province")
	create := func(caller Caller, unit string) error {
		_, err := a.Create(t.Context(), caller, inTree, NewAccount{Name: "new-" + strings.ReplaceAll(unit, ".", ""), Password: password,
			Role: pb.Role_ROLE_OFFICIAL, UnitID: unit})
		return err
	}
	wantFault(t, create(province, ""), fault.Denied, "account_outside_unit")
	wantFault(t, create(province, "T"), fault.Denied, "account_outside_unit")
	wantFault(t, create(province, "T.AB"), fault.Denied, "account_outside_unit")
	wantFault(t, create(province, "T.C"), fault.Denied, "account_outside_unit")
	for _, unit := range []string{"T.A", "T.A.B"} {
		if err := create(province, unit); err != nil {
			t.Errorf("within its unit: %v", err)
		}
	}
	if err := create(whole, ""); err != nil {
		t.Error(err)
	}
	for _, other := range []Account{everything, beside} {
		_, err := a.Disable(t.Context(), province, inTree, other.ID)
		wantFault(t, err, fault.NotFound, "account_unknown")
		_, err = a.Get(t.Context(), province, inTree, other.ID)
		wantFault(t, err, fault.NotFound, "account_unknown")
		_, err = a.ResetPassword(t.Context(), province, inTree, other.ID, "")
		wantFault(t, err, fault.NotFound, "account_unknown")
	}
	if _, err := a.Disable(t.Context(), province, inTree, below.ID); err != nil {
		t.Error(err)
	}
	_, err := a.Disable(t.Context(), whole, inTree, everything.ID)
	wantFault(t, err, fault.Denied, "account_own")
	for _, id := range []string{"", "nobody", "\x00", "\xff"} {
		_, err = a.Disable(t.Context(), whole, inTree, id)
		wantFault(t, err, fault.NotFound, "account_unknown")
	}
	var names []string
	for page := ""; ; {
		accounts, next, err := a.List(t.Context(), province, inTree, 2, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, account := range accounts {
			names = append(names, account.Name)
		}
		if page = next; page == "" {
			break
		}
	}
	if diff := cmp.Diff([]string{"below", "new-TA", "new-TAB", "province"}, names); diff != "" {
		t.Error(diff)
	}
	_, _, err = a.List(t.Context(), whole, inTree, 10, "not a page")
	wantFault(t, err, fault.Invalid, "account_page_invalid")
	for _, caller := range []Caller{{}, {Kind: CallerDevice, DeviceID: "k1"}, {Kind: CallerAccount, Role: pb.Role_ROLE_LEADER}} {
		if create(caller, "T.A") == nil {
			t.Errorf("%+v makes accounts", caller)
		}
		if _, _, err := a.List(t.Context(), caller, inTree, 10, ""); err == nil {
			t.Errorf("%+v lists accounts", caller)
		}
		if _, err := a.Disable(t.Context(), caller, inTree, everything.ID); err == nil {
			t.Errorf("%+v disables accounts", caller)
		}
	}
}

func TestTheFirstAdministrator(t *testing.T) {
	t.Run("with a password given", func(t *testing.T) {
		h := newHouse(t)
		a := h.process()
		_, _, err := a.EnsureAdministrator(t.Context(), "ngắn")
		wantFault(t, err, fault.Invalid, "password_short")
		oneTime, created, err := a.EnsureAdministrator(t.Context(), password)
		if oneTime != "" || !created || err != nil {
			t.Fatal(oneTime, created, err)
		}
		_, caller := h.signIn(a, "Admin")
		if caller.MustChange || !caller.May(ManageAccounts) || Scope(caller) != "" {
			t.Errorf("%+v", caller)
		}
		if _, created, err := a.EnsureAdministrator(t.Context(), "another password"); created || err != nil {
			t.Errorf("made again: %v, %v", created, err)
		}
	})
	t.Run("with a one-time password", func(t *testing.T) {
		h := newHouse(t)
		processes := []*Accounts{h.process(), h.process()}
		var mu sync.Mutex
		var oneTimes []string
		var callers sync.WaitGroup
		for i := range 8 {
			callers.Go(func() {
				oneTime, created, err := processes[i%2].EnsureAdministrator(t.Context(), "")
				if err != nil || created != (oneTime != "") {
					t.Error(created, err)
				}
				if created {
					mu.Lock()
					oneTimes = append(oneTimes, oneTime)
					mu.Unlock()
				}
			})
		}
		callers.Wait()
		if len(oneTimes) != 1 || !regexp.MustCompile(`^[a-z2-9]{4}(-[a-z2-9]{4}){3}$`).MatchString(oneTimes[0]) {
			t.Fatalf("one-time passwords: %q", oneTimes)
		}
		a := processes[0]
		token, session, err := a.SignIn(t.Context(), "admin", oneTimes[0], "10.0.0.1")
		if err != nil || !session.Account.MustChange {
			t.Fatal(session, err)
		}
		caller, err := a.Authenticate(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		wantFault(t, caller.Check(ReadDirectory), fault.Denied, "password_must_change")
		if err := a.ChangePassword(t.Context(), caller, oneTimes[0], password); err != nil {
			t.Fatal(err)
		}
		if caller, err = a.Authenticate(t.Context(), token); err != nil || !caller.May(ManageAccounts) {
			t.Errorf("after the change: %+v, %v", caller, err)
		}
	})
}

func TestChangePassword(t *testing.T) {
	h := newHouse(t)
	here, there := h.process(), h.process()
	account := h.account(here, "lan", pb.Role_ROLE_OPERATOR, "T")
	other, _ := h.signIn(there, "lan")
	token, caller := h.signIn(here, "lan")
	wantFault(t, here.ChangePassword(t.Context(), caller, "sai mật khẩu", "mật khẩu mới tinh"), fault.Denied, "password_wrong")
	wantFault(t, here.ChangePassword(t.Context(), caller, password, "ngắn"), fault.Invalid, "password_short")
	wantFault(t, here.ChangePassword(t.Context(), caller, password, password), fault.Invalid, "password_same")
	wantFault(t, here.ChangePassword(t.Context(), Caller{}, password, "mật khẩu mới tinh"), fault.Unauthenticated, "sign_in_needed")
	// Typed on another keyboard, the same letters may be other bytes.
	if err := here.ChangePassword(t.Context(), caller, norm.NFD.String(password), norm.NFD.String("mật khẩu mới tinh")); err != nil {
		t.Fatal(err)
	}
	if _, err := here.Authenticate(t.Context(), token); err != nil {
		t.Errorf("the own session ended: %v", err)
	}
	_, err := here.Authenticate(t.Context(), other)
	wantFault(t, err, fault.Unauthenticated, "session_ended")
	eventually(t, "the other session ends elsewhere", func() bool {
		_, err := there.Authenticate(t.Context(), other)
		return err != nil
	})
	_, _, err = here.SignIn(t.Context(), "lan", password, "10.0.0.1")
	wantFault(t, err, fault.Unauthenticated, "sign_in_wrong")
	if _, _, err = here.SignIn(t.Context(), "lan", "mật khẩu mới tinh", "10.0.0.1"); err != nil {
		t.Error(err)
	}
	t.Run("a stolen session may not guess", func(t *testing.T) {
		for range 20 {
			err = here.ChangePassword(t.Context(), caller, "sai mật khẩu", "mật khẩu mới nữa")
		}
		wantFault(t, err, fault.Exhausted, "sign_in_too_often")
	})
	t.Run("of two changes one holds", func(t *testing.T) {
		h.clock.add(1e12)
		if _, err := here.ResetPassword(t.Context(), System(), inTree, account.ID, password); err != nil {
			t.Fatal(err)
		}
		var callers sync.WaitGroup
		var changed atomic.Int32
		_, one := h.signIn(here, "lan")
		_, two := h.signIn(there, "lan")
		for i, caller := range []Caller{one, two} {
			callers.Go(func() {
				err := []*Accounts{here, there}[i].ChangePassword(t.Context(), caller, password, fmt.Sprint("mật khẩu mới số ", i))
				if err == nil {
					changed.Add(1)
				} else if !fault.Is(err, fault.Stale) && !fault.Is(err, fault.Denied) {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if changed.Load() != 1 {
			t.Errorf("%d changes held", changed.Load())
		}
	})
}

func TestWhatEachCallerMay(t *testing.T) {
	all := []Action{GiveRating, SubmitRatings, RecordRatings, ReadDirectory, ReadOfficials, ChangeDirectory, ChangeCatalogues, ManageDevices,
		ManageAccounts, ManageQuarantine, ReadFigures, ReadRanking, ReadFollowUps, ExportReports}
	account := func(role pb.Role) Caller { return Caller{Kind: CallerAccount, Role: role} }
	for name, test := range map[string]struct {
		caller Caller
		may    []Action
	}{
		"the program":               {System(), all},
		"nobody":                    {Anonymous("10.0.0.1"), all[:1]},
		"zero":                      {Caller{}, all[:1]},
		"a device":                  {Caller{Kind: CallerDevice, DeviceID: "k1"}, []Action{SubmitRatings, ReadDirectory}},
		"administrator":             {account(pb.Role_ROLE_ADMINISTRATOR), append([]Action{GiveRating}, all[2:]...)},
		"leader":                    {account(pb.Role_ROLE_LEADER), []Action{GiveRating, ReadDirectory, ReadOfficials, ReadFigures, ReadRanking, ReadFollowUps, ExportReports}},
		"operator":                  {account(pb.Role_ROLE_OPERATOR), []Action{GiveRating, RecordRatings, ReadDirectory, ReadOfficials}},
		"official":                  {account(pb.Role_ROLE_OFFICIAL), []Action{GiveRating, ReadDirectory, ReadFigures}},
		"no role":                   {account(0), nil},
		"unknown role":              {account(99), nil},
		"unknown kind":              {Caller{Kind: 99, Role: pb.Role_ROLE_ADMINISTRATOR}, nil},
		"one-time":                  {Caller{Kind: CallerAccount, Role: pb.Role_ROLE_ADMINISTRATOR, MustChange: true}, nil},
		"a role without an account": {Caller{Role: pb.Role_ROLE_ADMINISTRATOR}, all[:1]},
	} {
		t.Run(name, func(t *testing.T) {
			var may []Action
			for _, action := range all {
				if test.caller.May(action) {
					may = append(may, action)
				}
				if err := test.caller.Check(action); (err == nil) != test.caller.May(action) {
					t.Errorf("Check(%s) answers %v", action, err)
				}
			}
			if diff := cmp.Diff(test.may, may); diff != "" {
				t.Error(diff)
			}
			if test.caller.Kind != CallerSystem && test.caller.May("an action of tomorrow") {
				t.Error("may what nobody declared")
			}
		})
	}
}

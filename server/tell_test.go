package server

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// tellingTree is a province with a commune, its office, an office that was merged into it, and a commune where nobody works.
func tellingTree(t *testing.T) *unit.Tree {
	t.Helper()
	const from = localday.Day("2020-01-01")
	make := func(id, above string) unit.Unit {
		return unit.New(id, "top", from, unit.Words{Code: id, Name: id, Level: "commune", ParentID: above})
	}
	gone, err := make("old", "commune").Close("2026-01-01", "office")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := unit.Build([]unit.Unit{make("top", ""), make("commune", "top"), make("office", "commune"), make("empty", "top"), gone}, "2026-11-23")
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestWhoIsMeant(t *testing.T) {
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	bus := local.New(local.Options{})
	t.Cleanup(func() { _ = bus.Close() })
	accounts, err := identity.Open(t.Context(), engine, identity.Options{Limits: bus, Feed: bus})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(accounts.Close)
	tree := tellingTree(t)
	ids := map[string]string{}
	for _, one := range []struct {
		name string
		role pb.Role
		unit string
		who  identity.Person
	}{
		{"op", pb.Role_ROLE_OPERATOR, "commune", identity.Person{}},
		{"op top", pb.Role_ROLE_OPERATOR, "top", identity.Person{}},
		{"chief", pb.Role_ROLE_LEADER, "commune", identity.Person{Display: "Chủ tịch xã"}},
		{"chief top", pb.Role_ROLE_LEADER, "top", identity.Person{}},
		{"boss", pb.Role_ROLE_LEADER, "", identity.Person{}},
		{"head", pb.Role_ROLE_HEAD, "office", identity.Person{}},
		{"writer", pb.Role_ROLE_OFFICIAL, "office", identity.Person{OfficialID: "o-writer"}},
		{"writer twice", pb.Role_ROLE_OPERATOR, "office", identity.Person{OfficialID: "o-writer"}},
		{"gone", pb.Role_ROLE_LEADER, "commune", identity.Person{OfficialID: "o-writer"}},
	} {
		made, err := accounts.Create(t.Context(), identity.System(), tree.Within, identity.NewAccount{Name: one.name, Password: "mật khẩu dài để thử", Role: one.role, UnitID: one.unit, Person: one.who})
		if err != nil {
			t.Fatal(err)
		}
		ids[one.name] = made.ID
	}
	if _, err := accounts.Disable(t.Context(), identity.System(), tree.Within, ids["gone"]); err != nil {
		t.Fatal(err)
	}
	leave := map[string]string{}
	a := audiences{
		accounts: accounts, tree: func() *unit.Tree { return tree },
		standIn:  func(_ context.Context, account string, _ localday.Day) (string, error) { return leave[account], nil },
		inCharge: func(context.Context, string) (string, error) { return "office", nil },
	}
	for name, c := range map[string]struct {
		to   []audience
		by   string
		want string
	}{
		"the desk":                              {[]audience{{To: casework.TellDesk, Unit: "commune"}}, "", "op"},
		"the desk of a unit that has one below": {[]audience{{To: casework.TellDesk, Unit: "office"}}, "", "writer twice"},
		"the desk above a unit without":         {[]audience{{To: casework.TellDesk, Unit: "empty"}}, "", "op top"},
		"leaders":                               {[]audience{{To: casework.TellLeaders, Unit: "commune"}}, "", "chief"},
		"leaders above":                         {[]audience{{To: casework.TellLeaders, Unit: "office"}}, "", "chief"},
		"a unit by its head":                    {[]audience{{To: casework.TellUnit, Unit: "office"}}, "", "head"},
		"a unit without a head by its leaders":  {[]audience{{To: casework.TellUnit, Unit: "commune"}}, "", "chief"},
		"a unit without anybody by those above": {[]audience{{To: casework.TellUnit, Unit: "empty"}}, "", "chief top"},
		"a unit that was merged":                {[]audience{{To: casework.TellUnit, Unit: "old"}}, "", "head"},
		"a unit that is nowhere":                {[]audience{{To: casework.TellUnit, Unit: "nowhere"}}, "", "boss"},
		"officials by all their accounts":       {[]audience{{To: casework.TellAsked, Officials: []string{"o-writer", "o-nobody"}}}, "", "writer, writer twice"},
		"the author":                            {[]audience{{To: casework.TellAuthor, Accounts: []string{ids["writer"], ids["gone"], "nobody"}}}, "", "writer"},
		"one level above":                       {[]audience{{To: casework.TellAbove, Unit: "office", Level: 1}}, "", "chief"},
		"two levels above":                      {[]audience{{To: casework.TellAbove, Unit: "office", Level: 2}}, "", "chief top"},
		"three levels above":                    {[]audience{{To: casework.TellAbove, Unit: "office", Level: 3}}, "", "boss"},
		"a hundred levels above":                {[]audience{{To: casework.TellAbove, Unit: "office", Level: 100}}, "", "boss"},
		"no level is one":                       {[]audience{{To: casework.TellAbove, Unit: "office"}}, "", "chief"},
		"whoever has the other case":            {[]audience{{To: casework.TellTarget, Unit: "commune", Into: "c2"}}, "", "head"},
		"an owner":                              {[]audience{{To: casework.TellOwner, Officials: []string{"o-writer"}}}, "", "writer, writer twice"},
		"citizens have no account":              {[]audience{{To: casework.TellCitizen, Unit: "commune"}}, "", ""},
		"each once":                             {[]audience{{To: casework.TellUnit, Unit: "commune"}, {To: casework.TellLeaders, Unit: "commune"}, {To: casework.TellDesk, Unit: "commune"}}, "", "chief, op"},
		"not whoever did it":                    {[]audience{{To: casework.TellDesk, Unit: "commune"}, {To: casework.TellLeaders, Unit: "commune"}}, ids["op"], "chief"},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := a.all(t.Context(), c.to, c.by, "2026-11-23")
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, one := range found {
				names = append(names, one.Name)
			}
			slices.Sort(names)
			if got := strings.Join(names, ", "); got != c.want {
				t.Errorf("%q are told, want %q", got, c.want)
			}
		})
	}
	t.Run("who stands in has a copy", func(t *testing.T) {
		leave[ids["chief"]], leave[ids["op"]] = ids["head"], ids["gone"]
		found, err := a.all(t.Context(), []audience{{To: casework.TellLeaders, Unit: "commune"}, {To: casework.TellDesk, Unit: "commune"}}, "", "2026-11-23")
		if err != nil || len(found) != 3 {
			t.Fatalf("%+v, %v", found, err)
		}
		if last := found[2]; last.Name != "head" || last.standsFor != "Chủ tịch xã" || last.as != casework.TellLeaders {
			t.Errorf("%+v", last)
		}
	})
	t.Run("an effect", func(t *testing.T) {
		if _, tells := audienceOf(casework.Effect{Kind: casework.ClockChanged}); tells {
			t.Error("a clock tells somebody")
		}
		one, tells := audienceOf(casework.Effect{Kind: casework.Tell, To: casework.TellAbove, Unit: "office", Level: 2})
		if !tells || one.To != casework.TellAbove || one.Unit != "office" || one.Level != 2 {
			t.Errorf("%+v", one)
		}
	})
}

package unit_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/unit"
)

func commune(id, code, name, parent string, from localday.Day) unit.Unit {
	return unit.New(id, "p", from, unit.Words{Code: code, Name: name, Level: "commune", ParentID: parent})
}

func province(id, code, name string) unit.Unit {
	return unit.New(id, "p", "", unit.Words{Code: code, Name: name, Level: "province"})
}

// must answers the unit of an event that is allowed.
func must(u unit.Unit, err error) unit.Unit {
	if err != nil {
		panic(err)
	}
	return u
}

func wantReason(t *testing.T, err error, reason string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Reason != reason {
		t.Fatalf("got %v, want %s", err, reason)
	}
	for _, l := range language.All {
		if l.Text("fault."+reason) == "fault."+reason {
			t.Errorf("%s has no words for %s", l, reason)
		}
	}
}

func TestALifeInTime(t *testing.T) {
	u := commune("c", "18562", "Thị trấn Thạch Hà", "p1", "2000-01-01")
	u = must(u.Rename("2020-01-01", "Xã Thạch Hà"))
	u = must(u.Move("2021-01-01", "p2"))
	u = must(u.Recode("2021-01-01", "18563")) // the same day: one era
	again := must(u.Recode("2021-01-01", "18563"))
	if diff := cmp.Diff(u, again); diff != "" {
		t.Errorf("the same event again changed something: %s", diff)
	}
	u = must(u.Close("2025-07-01", "x", "y"))
	if diff := cmp.Diff(u, must(u.Close("2025-07-01", "x", "y"))); diff != "" {
		t.Errorf("closed again: %s", diff)
	}
	var got []string
	for _, day := range []localday.Day{"1999-12-31", "2000-01-01", "2019-12-31", "2020-01-01", "2021-01-01", "2025-06-30", "2025-07-01"} {
		era, there := u.At(day)
		got = append(got, fmt.Sprintf("%s %v %s %s %s", day, there, era.Name, era.ParentID, era.Code))
	}
	want := []string{
		"1999-12-31 false   ", "2000-01-01 true Thị trấn Thạch Hà p1 18562", "2019-12-31 true Thị trấn Thạch Hà p1 18562",
		"2020-01-01 true Xã Thạch Hà p1 18562", "2021-01-01 true Xã Thạch Hà p2 18563", "2025-06-30 true Xã Thạch Hà p2 18563", "2025-07-01 false   ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if near := u.Near("2030-01-01"); near.Name != "Xã Thạch Hà" {
		t.Errorf("after its time: %s", near.Name)
	}
	if near := u.Near("1990-01-01"); near.Name != "Thị trấn Thạch Hà" {
		t.Errorf("before its time: %s", near.Name)
	}
}

func TestNFDNamesAreKeptInNFC(t *testing.T) {
	u := commune("c", "1", "Đu\u031bo\u031b\u0300ng", "", "")
	if got := u.Eras[0]; got.Name != "Đường" || got.Folded != "duong" {
		t.Errorf("got %q folded %q", got.Name, got.Folded)
	}
}

func TestBSONKeepsAUnit(t *testing.T) {
	u := must(must(commune("c", "1", "Xã A", "p1", "2000-01-01").Rename("2020-01-01", "Xã B")).Close("2025-07-01", "x"))
	body, err := bson.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	var back unit.Unit
	if err := bson.Unmarshal(body, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(u, back); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedEvents(t *testing.T) {
	open := must(commune("c", "1", "Xã A", "p1", "2000-01-01").Rename("2020-01-01", "Xã B"))
	closed := must(open.Close("2025-07-01"))
	for name, c := range map[string]struct {
		do     func() (unit.Unit, error)
		reason string
	}{
		"rename in the past":           {func() (unit.Unit, error) { return open.Rename("2019-01-01", "Xã C") }, "unit_change_in_past"},
		"rename after the end":         {func() (unit.Unit, error) { return closed.Rename("2025-07-01", "Xã C") }, "unit_closed"},
		"close before the last change": {func() (unit.Unit, error) { return open.Close("2020-01-01") }, "unit_change_in_past"},
		"close without a day":          {func() (unit.Unit, error) { return open.Close("") }, "unit_day_missing"},
		"close twice, otherwise":       {func() (unit.Unit, error) { return closed.Close("2025-08-01") }, "unit_closed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.do()
			wantReason(t, err, c.reason)
		})
	}
}

func TestRefusedUnits(t *testing.T) {
	p, q := province("p1", "01", "Tỉnh Một"), province("p2", "02", "Tỉnh Hai")
	c := commune("c", "10", "Xã A", "p1", "2000-01-01")
	long := make([]byte, 65)
	for i := range long {
		long[i] = 'a'
	}
	edit := func(change func(*unit.Unit)) unit.Unit {
		u := must(c.Rename("2020-01-01", "Xã B"))
		change(&u)
		return u
	}
	for name, tc := range map[string]struct {
		unit   unit.Unit
		reason string
	}{
		"id with a slash":        {commune("a/b", "1", "X", "p1", ""), "unit_id_invalid"},
		"id with an at sign":     {commune("a@b", "1", "X", "p1", ""), "unit_id_invalid"},
		"no id":                  {commune("", "1", "X", "p1", ""), "unit_id_invalid"},
		"id too long":            {commune(string(long), "1", "X", "p1", ""), "unit_id_invalid"},
		"no home":                {unit.New("x", "", "", unit.Words{Name: "X", Level: "office"}), "unit_home_invalid"},
		"no name":                {commune("x", "1", "", "p1", ""), "unit_name_invalid"},
		"name with a line break": {commune("x", "1", "X\nY", "p1", ""), "unit_name_invalid"},
		"code with a space":      {commune("x", "1 2", "X", "p1", ""), "unit_code_invalid"},
		"no level":               {unit.New("x", "p", "", unit.Words{Name: "X"}), "unit_level_invalid"},
		"day that is none":       {commune("x", "1", "X", "p1", "2025-02-30"), "unit_day_invalid"},
		"no eras":                {unit.Unit{ID: "x", Home: "p"}, "unit_eras_count"},
		"eras overlap":           {edit(func(u *unit.Unit) { u.Eras[0].ValidTo = "2020-02-01" }), "unit_eras_gap"},
		"eras with a hole":       {edit(func(u *unit.Unit) { u.Eras[0].ValidTo = "2019-12-01" }), "unit_eras_gap"},
		"era ends first":         {edit(func(u *unit.Unit) { u.Eras[1].ValidTo = "2020-01-01" }), "unit_days_order"},
		"open unit, successors":  {edit(func(u *unit.Unit) { u.SuccessorIDs = []string{"p2"} }), "unit_successors_open"},
		"succeeds itself":        {must(c.Close("2020-01-01", "c")), "unit_successor_invalid"},
		"successor twice":        {must(c.Close("2020-01-01", "p2", "p2")), "unit_successor_invalid"},
		"successor unknown":      {must(c.Close("2020-01-01", "nobody")), "unit_successor_absent"},
		"parent unknown":         {commune("x", "1", "X", "nobody", ""), "unit_parent_missing"},
		"parent younger":         {commune("x", "1", "X", "c", "1999-01-01"), "unit_parent_absent"},
		"its own parent":         {commune("x", "1", "X", "x", ""), "unit_cycle"},
		"above itself":           {must(p.Move("2020-01-01", "c")), "unit_cycle"},
		"code of a brother":      {commune("x", "10", "X", "p1", "2010-01-01"), "unit_code_taken"},
		"child left alone":       {must(p.Close("2020-01-01", "p2")), "unit_has_children"},
	} {
		t.Run(name, func(t *testing.T) {
			tree, err := unit.Build([]unit.Unit{p, q, c}, "2026-01-01")
			if err != nil {
				t.Fatal(err)
			}
			draft := tree.Draft()
			wantReason(t, draft.Put(tc.unit), tc.reason)
			after, err := draft.Tree("2026-01-01")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tree.SubtreeToday(""), after.SubtreeToday("")); diff != "" {
				t.Errorf("a refused unit left a trace: %s", diff)
			}
			units := []unit.Unit{p, q, c}
			for i := range units {
				if units[i].ID == tc.unit.ID {
					units = append(units[:i], units[i+1:]...)
					break
				}
			}
			if _, err = unit.Build(append(units, tc.unit), "2026-01-01"); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Exists) {
				t.Errorf("built all the same: %v", err)
			}
		})
	}
}

func TestTooDeepIsRefused(t *testing.T) {
	units := []unit.Unit{province("u0", "", "Đỉnh")}
	for i := 1; i <= 80; i++ {
		units = append(units, commune(fmt.Sprintf("u%d", i), "", "Xã", fmt.Sprintf("u%d", i-1), ""))
	}
	_, err := unit.Build(units, "2026-01-01")
	wantReason(t, err, "unit_too_deep")
	if _, err := unit.Build(units[:60], "2026-01-01"); err != nil {
		t.Error(err)
	}
}

func TestACodeMayComeAgainLater(t *testing.T) {
	old := must(commune("old", "10", "Xã A", "p1", "2000-01-01").Close("2020-01-01"))
	if _, err := unit.Build([]unit.Unit{province("p1", "01", "Tỉnh"), old, commune("new", "10", "Xã B", "p1", "2020-01-01")}, "2026-01-01"); err != nil {
		t.Error(err)
	}
}

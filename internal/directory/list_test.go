package directory_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/unit"
)

// every reads all pages.
func every[T any](t *testing.T, size int, list func(directory.Page) ([]T, string, error), id func(T) string) []string {
	t.Helper()
	var ids []string
	for page := (directory.Page{Size: size}); ; {
		values, next, err := list(page)
		if err != nil {
			t.Fatal(err)
		}
		if len(values) > size {
			t.Errorf("a page of %d, asked for %d", len(values), size)
		}
		for _, value := range values {
			ids = append(ids, id(value))
		}
		if page.Token = next; next == "" {
			return ids
		}
	}
}

func unitID(u unit.Unit) string { return u.ID }

func TestLists(t *testing.T) {
	ctx := t.Context()
	d := open(t, openSQLite(t, t.TempDir()))
	create(t, d, "p", province("01"))
	create(t, d, "q", province("02"))
	for i := range 7 {
		parent := []string{"p", "q"}[i%2]
		id := fmt.Sprintf("u%d", i)
		create(t, d, id, commune(fmt.Sprintf("%05d", 10-i), parent))
		if _, err := d.CreateCounter(ctx, directory.Counter{ID: "c" + id, UnitID: id, Code: "1", Name: "Quầy"}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.CreateOfficial(ctx, directory.Official{ID: "o" + id, UnitID: id, Name: "Đỗ"}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.CreateProcedure(ctx, directory.Procedure{Code: fmt.Sprintf("1.00%d", 9-i), Name: "Thủ tục"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.ChangeUnit(ctx, "u0", "2025-07-01", commune("00010", "q")); err != nil {
		t.Fatal(err)
	}
	units := func(filter directory.UnitFilter) func(directory.Page) ([]unit.Unit, string, error) {
		return func(page directory.Page) ([]unit.Unit, string, error) { return d.ListUnits(filter, page) }
	}
	for name, c := range map[string]struct {
		filter directory.UnitFilter
		want   []string
	}{
		"all by code":                {directory.UnitFilter{}, []string{"u6", "u5", "u4", "u3", "u2", "u1", "u0", "p", "q"}},
		"children today":             {directory.UnitFilter{ParentID: "p"}, []string{"u6", "u4", "u2"}},
		"children then":              {directory.UnitFilter{ParentID: "p", At: "2025-06-30"}, []string{"u6", "u4", "u2", "u0"}},
		"a level":                    {directory.UnitFilter{Level: "province"}, []string{"p", "q"}},
		"within, now or in the past": {directory.UnitFilter{Within: "p", Level: "commune"}, []string{"u6", "u4", "u2", "u0"}},
		"search":                     {directory.UnitFilter{Query: "xa 000"}, []string{"u6", "u5", "u4", "u3", "u2", "u1", "u0"}},
		"search by code":             {directory.UnitFilter{Query: "00005"}, []string{"u5"}},
		"search in a level":          {directory.UnitFilter{Query: "tinh", Level: "province", Within: "q"}, []string{"q"}},
		"nothing":                    {directory.UnitFilter{Query: "không có"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 3, 1000} {
				if diff := cmp.Diff(c.want, every(t, size, units(c.filter), unitID)); diff != "" {
					t.Errorf("pages of %d: %s", size, diff)
				}
			}
		})
	}
	for _, size := range []int{1, 2, 1000} {
		counters := every(t, size, func(p directory.Page) ([]directory.Counter, string, error) { return d.ListCounters("p", p) }, func(c directory.Counter) string { return c.ID })
		if diff := cmp.Diff([]string{"cu0", "cu2", "cu4", "cu6"}, counters); diff != "" {
			t.Error(diff)
		}
		officials := every(t, size, func(p directory.Page) ([]directory.Official, string, error) { return d.ListOfficials("", p) }, func(o directory.Official) string { return o.ID })
		if len(officials) != 7 || !slices.IsSorted(officials) {
			t.Errorf("officials %v", officials)
		}
		procedures := every(t, size, d.ListProcedures, func(p directory.Procedure) string { return p.Code })
		if len(procedures) != 7 || !slices.IsSorted(procedures) {
			t.Errorf("procedures %v", procedures)
		}
	}
	for _, size := range []int{1, 1000} {
		for unitID, want := range map[string][]string{"p": nil, "u2": {"cu2"}, "u": nil, "": nil, "u22": nil} {
			of := every(t, size, func(p directory.Page) ([]directory.Counter, string, error) { return d.ListCountersOf(unitID, p) }, func(c directory.Counter) string { return c.ID })
			if diff := cmp.Diff(want, of); diff != "" {
				t.Errorf("counters of %q alone: %s", unitID, diff)
			}
			if all := d.CountersOf(unitID); len(all) != len(want) {
				t.Errorf("all counters of %q: %v", unitID, all)
			}
		}
		if of := every(t, size, func(p directory.Page) ([]directory.Official, string, error) { return d.ListOfficialsOf("u3", p) }, func(o directory.Official) string { return o.UnitID }); len(of) != 1 || of[0] != "u3" {
			t.Errorf("officials of u3 alone: %v", of)
		}
	}
	for name, page := range map[string]directory.Page{"token": {Token: "%%%"}, "size": {Size: -1}, "large": {Size: 1001}} {
		if _, _, err := d.ListUnits(directory.UnitFilter{}, page); !fault.Is(err, fault.Invalid) {
			t.Errorf("bad %s: %v", name, err)
		}
	}
	_, _, err := d.ListUnits(directory.UnitFilter{At: "today"}, directory.Page{})
	wantFault(t, err, fault.Invalid, "directory_day_invalid")
	_, _, err = d.ListUnits(directory.UnitFilter{Query: "xa"}, directory.Page{Token: "eHg"})
	wantFault(t, err, fault.Invalid, "directory_page_token")
}

func TestImportUnits(t *testing.T) {
	d := open(t, openSQLite(t, t.TempDir()))
	row := func(id, code, parent string) directory.UnitRow {
		words := commune(code, parent)
		if parent == "" {
			words = province(code)
		}
		return directory.UnitRow{ID: id, From: "2025-07-01", Words: words}
	}
	rows := []directory.UnitRow{
		row("c1", "1", "p"), // before its parent
		row("p", "01", ""),
		row("c2", "1", "p"),            // the code of its brother
		row("c1", "9", "p"),            // twice
		row("x", "3", "y"),             // a ring
		row("y", "4", "x"),             //
		row("bad id", "5", "p"),        //
		row("orphan", "6", "nobody"),   //
		row("under", "7", "orphan"),    // below a refused one
		row("deep", "8", "c1"),         // a third level
		{ID: "n", Words: unit.Words{}}, // nothing at all
	}
	var progress []int
	results, err := d.ImportUnits(t.Context(), rows, func(done, total int) { progress = append(progress, done, total) })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, r := range results {
		line := rows[i].ID + " " + string(r.Imported)
		if r.Err != nil {
			line += " " + fault.Of(r.Err).Reason
		}
		got = append(got, line)
	}
	want := []string{
		"c1 created", "p created", "c2 refused unit_code_taken", "c1 refused directory_row_twice", "x refused unit_parent_missing",
		"y refused unit_parent_missing", "bad id refused unit_id_invalid", "orphan refused unit_parent_missing",
		"under refused unit_parent_missing", "deep created", "n refused unit_name_invalid",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{11, 11}, progress); diff != "" {
		t.Error(diff)
	}
	if u, _ := d.Tree().Get("deep"); u.Home != "p" {
		t.Errorf("home %q", u.Home)
	}
	// Again with another name: a correction on the day itself, a dated change later, and the first list again leaves both.
	again := []directory.UnitRow{row("c1", "1", "p"), row("deep", "8", "c1")}
	again[0].Words.Name = "Xã Một"
	again[1].From, again[1].Words.Name = "2026-01-01", "Xã Sâu"
	for range 2 {
		if results, err = d.ImportUnits(t.Context(), again, nil); err != nil {
			t.Fatal(err)
		}
	}
	c1, _ := d.Tree().Get("c1")
	deep, _ := d.Tree().Get("deep")
	if results[0].Imported != directory.Unchanged || len(c1.Eras) != 1 || c1.Eras[0].Name != "Xã Một" || len(deep.Eras) != 2 {
		t.Errorf("%+v\n%+v\n%+v", results, c1, deep)
	}
	if results, err = d.ImportUnits(t.Context(), rows[9:10], nil); err != nil || results[0].Imported != directory.Unchanged {
		t.Errorf("the first list again: %+v %v", results, err)
	}
}

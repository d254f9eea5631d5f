package unit_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/unit"
)

func build(t testing.TB, today localday.Day, units ...unit.Unit) *unit.Tree {
	t.Helper()
	tree, err := unit.Build(units, today)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// reform is a small reform: two provinces become one, a district goes, communes are merged and split.
func reform(t testing.TB) *unit.Tree {
	const before, day = localday.Day("2000-01-01"), localday.Day("2025-07-01")
	north, south := province("north", "01", "Tỉnh Bắc"), must(province("south", "02", "Tỉnh Nam").Close(day, "north"))
	district := must(unit.New("district", "p", before, unit.Words{Code: "001", Name: "Huyện Giữa", Level: "district", ParentID: "south"}).Close(day))
	return build(t, "2026-01-01", north, south, district,
		must(commune("merged1", "11", "Xã Thạch Hà", "district", before).Close(day, "whole")),
		must(commune("merged2", "12", "Xã Thạch Hội", "district", before).Close(day, "whole")),
		must(commune("split", "13", "Xã Đường Lâm", "district", before).Close(day, "whole", "part")),
		must(commune("gone", "14", "Xã Không", "district", before).Close(day)),
		must(commune("moved", "15", "Xã Dời", "district", before).Move(day, "north")),
		commune("whole", "21", "Phường Thạch Hà", "north", day),
		commune("part", "22", "Phường Đường", "north", day),
		commune("future", "23", "Phường Mới", "north", "2027-01-01"),
	)
}

func TestSubtrees(t *testing.T) {
	tree := reform(t)
	for name, c := range map[string]struct{ got, want []string }{
		"south as at the time":      {sorted(tree.SubtreeOn("south", "2025-06-30")), []string{"district", "gone", "merged1", "merged2", "moved", "south", "split"}},
		"south after":               {sorted(tree.SubtreeOn("south", "2025-07-01")), nil},
		"north before":              {sorted(tree.SubtreeOn("north", "2025-06-30")), []string{"north"}},
		"north after":               {sorted(tree.SubtreeOn("north", "2025-07-01")), []string{"moved", "north", "part", "whole"}},
		"north in the future":       {sorted(tree.SubtreeOn("north", "2027-01-01")), []string{"future", "moved", "north", "part", "whole"}},
		"north as today":            {sorted(tree.SubtreeToday("north")), []string{"district", "future", "gone", "merged1", "merged2", "moved", "north", "part", "south", "split", "whole"}},
		"whole as today":            {sorted(tree.SubtreeToday("whole")), []string{"merged1", "merged2", "whole"}},
		"part as today":             {sorted(tree.SubtreeToday("part")), []string{"part"}},
		"an ended unit as today":    {sorted(tree.SubtreeToday("south")), []string{"south"}},
		"unknown":                   {sorted(tree.SubtreeToday("nobody")), nil},
		"tops":                      {tree.TopsToday(), []string{"north"}},
		"everything then":           {sorted(tree.SubtreeOn("", "2025-06-30")), []string{"district", "gone", "merged1", "merged2", "moved", "north", "south", "split"}},
		"list begins with the root": {tree.ListToday("whole"), []string{"whole", "merged1", "merged2"}},
		"split counts at":           {[]string{tree.PlaceToday("split")}, []string{"north"}},
		"gone counts at":            {[]string{tree.PlaceToday("gone")}, []string{"north"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func ids(units []unit.Unit) []string {
	var ids []string
	for _, u := range units {
		ids = append(ids, u.ID)
	}
	return ids
}

func TestWays(t *testing.T) {
	tree := reform(t)
	for name, c := range map[string]struct{ got, want []string }{
		"children by code":    {ids(tree.ChildrenOn("district", "2025-06-30")), []string{"merged1", "merged2", "split", "gone", "moved"}},
		"children today":      {ids(tree.Children("north")), []string{"moved", "whole", "part"}},
		"tops then":           {ids(tree.ChildrenOn("", "2025-06-30")), []string{"north", "south"}},
		"ancestors then":      {ids(tree.AncestorsOn("moved", "2025-06-30")), []string{"district", "south"}},
		"ancestors today":     {ids(tree.Ancestors("moved")), []string{"north"}},
		"ancestors of nobody": {ids(tree.Ancestors("nobody")), nil},
		"communes then":       {ids(tree.DescendantsOn("south", "commune", "2025-06-30")), []string{"merged1", "merged2", "split", "gone", "moved"}},
		"communes anywhere":   {ids(tree.Descendants("", "commune")), []string{"moved", "whole", "part"}},
		"provinces anywhere":  {ids(tree.Descendants("", "province")), []string{"north"}},
		"home":                {[]string{tree.Home("moved"), tree.Home("nobody")}, []string{"p", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, c := range []struct {
		id, root string
		want     bool
	}{
		{"moved", "", true}, {"moved", "north", true}, {"moved", "south", true}, {"moved", "moved", true}, {"north", "moved", false},
		{"merged1", "whole", true}, {"merged1", "part", false}, {"merged1", "district", true}, {"split", "north", true},
		{"nobody", "north", false}, {"moved", "nobody", false}, {"nobody", "", true}, {"future", "north", true},
	} {
		if got := tree.Within(c.id, c.root); got != c.want {
			t.Errorf("Within(%s, %s) = %v", c.id, c.root, got)
		}
	}
}

func TestSplitBetweenProvincesWithoutCommonTop(t *testing.T) {
	tree := build(t, "2026-01-01", province("a", "01", "Tỉnh A"), province("b", "02", "Tỉnh B"),
		commune("a1", "1", "Xã A1", "a", ""), commune("b1", "1", "Xã B1", "b", ""),
		must(commune("old", "2", "Xã Cũ", "b", "").Close("2025-01-01", "a1", "b1")),
		must(unit.New("lone", "p", "", unit.Words{Name: "Tỉnh Cũ", Level: "province"}).Close("2025-01-01", "a", "b")),
	)
	if got := tree.PlaceToday("old"); got != "b" {
		t.Errorf("old counts at %s, want its last parent", got)
	}
	if got := tree.PlaceToday("lone"); got != "lone" {
		t.Errorf("lone counts at %s", got)
	}
	if diff := cmp.Diff([]string{"a", "b", "lone"}, tree.TopsToday()); diff != "" {
		t.Error(diff)
	}
}

func TestSearch(t *testing.T) {
	tree := build(t, "2026-01-01",
		unit.New("hn", "hn", "", unit.Words{Code: "01", Name: "Thành phố Hà Nội", NameEN: "Hanoi", Level: "province"}),
		unit.New("ht", "ht", "", unit.Words{Code: "42", Name: "Tỉnh Hà Tĩnh", NameEN: "Ha Tinh", Level: "province"}),
		commune("bd", "00004", "Phường Ba Đình", "hn", ""),
		must(commune("th", "18562", "Thị trấn Thạch Hà", "ht", "").Rename("2020-01-01", "Xã Thạch Hà")),
		commune("thk", "18563", "Xã Thạch Hạ Khê", "ht", ""),
		commune("tha", "18564", "Xã Hà Thạch", "ht", ""),
		must(commune("thx", "18565", "Xã Thạch Hà", "ht", "2000-01-01").Close("2020-01-01", "th")),
		commune("dl", "00100", "Xã Đường Lâm", "hn", ""),
		commune("dmc", "00101", "Xã Dương Minh Châu", "hn", ""),
	)
	for query, want := range map[string][]string{
		"thach ha":                {"th", "thx", "thk", "tha"},
		"THẠCH HÀ":                {"th", "thx", "thk", "tha"},
		"xã thạch hà":             {"th", "thx", "thk", "tha"},
		"thạch h":                 {"th", "thk", "thx", "tha"},
		"duong":                   {"dl", "dmc"},
		"dương":                   {"dmc", "dl"},
		"Đu\u031bo\u031b\u0300ng": {"dl", "dmc"},
		"đường lâm":               {"dl"},
		"lam duong":               {"dl"},
		"ba dinh ha noi":          {"bd"},
		"ba dinh, hanoi":          {"bd"},
		"hanoi":                   {"hn"},
		"thi tran thach":          {"th", "thx"}, // an earlier name, and one that counts with it
		"00004":                   {"bd"},
		"0010":                    {"dl", "dmc"},
		"42":                      {"ht"},
		"nothing of that":         nil,
		" -- ":                    nil,
		"":                        nil,
	} {
		t.Run(query, func(t *testing.T) {
			if diff := cmp.Diff(want, ids(tree.Search(query, 0))); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := ids(tree.Search("thach ha", 2)); len(got) != 2 {
		t.Errorf("limit not kept: %v", got)
	}
}

// country is a large tree: provinces, communes, offices and desks, five levels with the country itself.
func country(size int) []unit.Unit {
	units := []unit.Unit{unit.New("vn", "vn", "", unit.Words{Name: "Việt Nam", Level: "country"})}
	for p := 0; len(units) < size && p < 34; p++ {
		id := fmt.Sprintf("p%d", p)
		units = append(units, unit.New(id, "vn", "", unit.Words{Code: fmt.Sprintf("%02d", p), Name: fmt.Sprintf("Tỉnh %d", p), Level: "province", ParentID: "vn"}))
		for c := range size / 34 / 4 {
			commune := fmt.Sprintf("%sc%d", id, c)
			units = append(units, unit.New(commune, "vn", "", unit.Words{Code: fmt.Sprintf("%d%03d", p, c), Name: fmt.Sprintf("Phường Đường số %d", c), Level: "commune", ParentID: id}))
			for _, o := range []string{"a", "b", "c"} {
				units = append(units, unit.New(commune+o, "vn", "", unit.Words{Name: "Văn phòng " + o, Level: "office", ParentID: commune}))
			}
		}
	}
	return units
}

func BenchmarkTree(b *testing.B) {
	units := country(15000)
	tree := build(b, "2026-01-01", units...)
	b.Logf("%d units", tree.Len())
	b.Run("Build", func(b *testing.B) {
		for b.Loop() {
			build(b, "2026-01-01", units...)
		}
	})
	b.Run("change one", func(b *testing.B) {
		for b.Loop() {
			draft := tree.Draft()
			if err := draft.Put(must(units[100].Rename("2026-01-01", "Xã Khác"))); err != nil {
				b.Fatal(err)
			}
			if _, err := draft.Tree("2026-01-01"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("first shape", func(b *testing.B) {
		for b.Loop() {
			tree.As("2026-01-02").SubtreeOn("vn", "2026-01-01")
		}
	})
	b.Run("SubtreeOn", func(b *testing.B) {
		for b.Loop() {
			tree.SubtreeOn("p3", "2026-01-01")
		}
	})
	b.Run("Within", func(b *testing.B) {
		for b.Loop() {
			tree.Within("p3c10a", "p3")
		}
	})
	b.Run("Search", func(b *testing.B) {
		for b.Loop() {
			tree.Search("duong so 10", 20)
		}
	})
}

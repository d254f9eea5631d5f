package unitimport_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	unitimport "github.com/hailong-vn/hailong/internal/importing/units"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
)

func open(t testing.TB) *directory.Directory {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	now := func() time.Time { return time.Date(2026, 1, 1, 5, 0, 0, 0, time.UTC) }
	d, err := directory.Open(t.Context(), engine, directory.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func counts(s unitimport.Summary) []int {
	return []int{s.Rows, s.Created, s.Unchanged, s.Changed, s.Failed}
}

func TestTheOfficialList(t *testing.T) {
	d := open(t)
	var steps []int
	begun := time.Now()
	summary, err := unitimport.ImportBuiltIn(t.Context(), d, func(done, total int) {
		if total != 3355 {
			t.Errorf("total %d", total)
		}
		steps = append(steps, done)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("imported in %v", time.Since(begun))
	if diff := cmp.Diff([]int{3355, 3355, 0, 0, 0}, counts(summary)); diff != "" {
		t.Errorf("%s %v", diff, summary.Errors)
	}
	if len(steps) < 5 || steps[len(steps)-1] != 3355 {
		t.Errorf("progress %v", steps)
	}
	revision := d.Revision()
	if summary, err = unitimport.ImportBuiltIn(t.Context(), d, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{3355, 0, 3355, 0, 0}, counts(summary)); diff != "" || d.Revision() != revision {
		t.Errorf("again: %s, revision %d of %d", diff, d.Revision(), revision)
	}
	tree := d.Tree()
	if p, c := len(tree.Descendants("", "province")), len(tree.Descendants("", "commune")); p != 34 || c != 3321 {
		t.Errorf("%d provinces, %d communes", p, c)
	}
	hanoi, ok := tree.Get("vn-01-2025")
	if !ok || hanoi.Near("2026-01-01").Name != "Thành phố Hà Nội" {
		t.Errorf("%+v", hanoi)
	}
	baDinh, _ := tree.Get("vn-00004-2025")
	if !tree.Within("vn-00004-2025", "vn-01-2025") || baDinh.Home != "vn-01-2025" || baDinh.Start() != unitimport.BuiltInFrom {
		t.Errorf("%+v", baDinh)
	}
	for query, want := range map[string]string{
		"thach ha": "Xã Thạch Hà", "duong hoa": "Xã Đường Hoa", "đường": "Xã Ngọc Đường", "ba dinh ha noi": "Phường Ba Đình", "15": "Tỉnh Lào Cai", "00004": "Phường Ba Đình",
	} {
		found := tree.Search(query, 5)
		if len(found) == 0 {
			t.Errorf("%q finds nothing", query)
			continue
		}
		if found[0].Near("2026-01-01").Name != want {
			t.Errorf("%q finds %s first, want %s", query, found[0].Near("2026-01-01").Name, want)
		}
	}
	withD := 0
	for _, u := range tree.Search("duong", 1000) {
		if strings.Contains(u.Near("2026-01-01").Name, "Đường") {
			withD++
		}
	}
	if withD != 8 {
		t.Errorf("duong finds %d of 8 units with Đường", withD)
	}
}

const header = "code,level,name,full_name,name_en,parent_code\r\n"

var from = unitimport.Options{ValidFrom: "2025-07-01"}

func TestLines(t *testing.T) {
	d := open(t)
	long := strings.Repeat("x", unitimport.MaxLine+1)
	summary, err := unitimport.Import(t.Context(), d, strings.NewReader("\ufeff"+header+
		"00010,commune,Thạch Hà,"+norm.NFD.String("Xã Thạch Hà")+",Thach Ha,42\r\n"+ // 2: before its parent, NFD
		"42,province,Hà Tĩnh,Tỉnh Hà Tĩnh,Ha Tinh,\n"+ // 3
		"\r\n"+ // 4: empty
		"00011,commune,Một\r\n"+ // 5: too few
		",commune,Hai,Xã Hai,,42\r\n"+ // 6: no code
		"00012,commune,Ba,Xã Ba,,43\r\n"+ // 7: no such parent
		"00013,commune,Bốn,Xã \"Bốn,,42\r\n"+ // 8: quotes
		"00014,commune,"+long+",Xã Năm,,42\r\n"+ // 9: too long
		"00015,commune,Sáu,Xã S\xff,,42\r\n"+ // 10: not UTF-8
		"00016,commune,Bảy,,,42\r\n"+ // 11: full_name missing, name serves
		"00010,commune,Thạch Hà,Xã Khác,,42\r\n"+ // 12: twice
		"0 17,commune,Tám,Xã Tám,,42\r\n"+ // 13: code
		"00018,,Chín,Xã Chín,,42\r\n"+ // 14: level
		",,,,,\r\n"+ // 15: as spreadsheets leave it
		"\"00019\",commune,\"Mười, một\",\"Xã Mười, một\",,42"), from) // 16: quoted, no line end
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range summary.Errors {
		got = append(got, fmt.Sprint(e.Line, " ", e.Err.Reason))
		for _, l := range language.All {
			if said := l.Text("fault."+e.Err.Reason, e.Err.Args...); strings.Contains(said, "{") || strings.HasPrefix(said, "fault.") {
				t.Errorf("%s says %q", l, said)
			}
		}
	}
	want := []string{
		"5 unitimport_line_fields", "6 unitimport_code_missing", "7 unitimport_parent_missing", "8 unitimport_line_quotes", "9 unitimport_line_too_long",
		"10 unitimport_line_not_utf8", "12 directory_row_twice", "13 unit_id_invalid", "14 unit_level_invalid",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{13, 4, 0, 0, 9}, counts(summary)); diff != "" {
		t.Error(diff)
	}
	u, _ := d.Tree().Get("vn-00010-2025")
	if name := u.Near("2026-01-01").Name; name != "Xã Thạch Hà" {
		t.Errorf("name %q", name)
	}
	if found := d.Tree().Search("muoi mot", 1); len(found) != 1 || found[0].ID != "vn-00019-2025" {
		t.Errorf("found %v", found)
	}
}

func TestALaterListOfTheSameEdition(t *testing.T) {
	d := open(t)
	list := header + "42,province,Hà Tĩnh,Tỉnh Hà Tĩnh,Ha Tinh,\n00010,commune,Thạch Hà,Xã Thạch Hà,Thach Ha,42\n"
	later := strings.Replace(list, "Xã Thạch Hà", "Phường Thạch Hà", 1)
	offices := header + "1,office,Một cửa,Bộ phận Một cửa,,00010\n1,desk,Bàn,Bàn 1,,1\n" // a parent that stands already, a code in two levels
	march := unitimport.Options{ValidFrom: "2026-03-01", Edition: "2025"}
	for _, step := range []struct {
		list    string
		options unitimport.Options
		want    []int
	}{
		{list, from, []int{2, 2, 0, 0, 0}},
		{later, march, []int{2, 0, 1, 1, 0}},
		{later, march, []int{2, 0, 2, 0, 0}},
		{list, from, []int{2, 0, 2, 0, 0}},
		{offices, from, []int{2, 2, 0, 0, 0}},
		{strings.ReplaceAll(list, ",", ";"), from, []int{2, 0, 2, 0, 0}},
	} {
		summary, err := unitimport.Import(t.Context(), d, strings.NewReader(step.list), step.options)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, counts(summary)); diff != "" {
			t.Errorf("%s %v", diff, summary.Errors)
		}
	}
	u, _ := d.Tree().Get("vn-00010-2025")
	if len(u.Eras) != 2 || u.Near("2026-02-28").Name != "Xã Thạch Hà" || u.Near("2026-03-01").Name != "Phường Thạch Hà" {
		t.Errorf("%+v", u)
	}
	if desk, ok := d.Tree().Get("vn-desk-1-2025"); !ok || desk.Near("2026-01-01").ParentID != "vn-office-1-2025" || desk.Home != "vn-42-2025" {
		t.Errorf("%+v", desk)
	}
}

// endless answers the same line for ever.
type endless struct{ text string }

func (e endless) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		n += copy(p[n:], e.text)
	}
	return len(p), nil
}

func TestBadFiles(t *testing.T) {
	broken := errors.New("the disk is gone")
	for name, c := range map[string]struct {
		list    io.Reader
		options unitimport.Options
		reason  string
	}{
		"nothing":          {strings.NewReader(""), from, "unitimport_header_missing"},
		"column missing":   {strings.NewReader("code,level,name,full_name,name_en\n"), from, "unitimport_column_missing"},
		"column misspelt":  {strings.NewReader("code,level,name,fullname,name_en,parent_code\n"), from, "unitimport_column_unknown"},
		"column twice":     {strings.NewReader("code,code,level,name,full_name,name_en,parent_code\n"), from, "unitimport_column_twice"},
		"no header":        {strings.NewReader("01,province,Hà Nội,Thành phố Hà Nội,Hanoi,\n"), from, "unitimport_column_unknown"},
		"UTF-16":           {strings.NewReader("\xff\xfec\x00o\x00d\x00e\x00"), from, "unitimport_not_utf8"},
		"header too long":  {strings.NewReader(strings.Repeat("a,", unitimport.MaxLine)), from, "unitimport_header_missing"},
		"a line of 100 MB": {io.MultiReader(strings.NewReader(header), io.LimitReader(endless{"x"}, 100<<20)), from, "unitimport_file_too_large"},
		"endless":          {io.MultiReader(strings.NewReader(header), endless{"1,a,b,c,d,\n"}), from, "unitimport_too_many_rows"},
		"unreadable":       {io.MultiReader(strings.NewReader(header), failing{broken}), from, "unitimport_read_failed"},
		"no day":           {strings.NewReader(header), unitimport.Options{}, "unitimport_day_invalid"},
		"bad day":          {strings.NewReader(header), unitimport.Options{ValidFrom: "1.7.2025"}, "unitimport_day_invalid"},
		"bad edition":      {strings.NewReader(header), unitimport.Options{ValidFrom: "2025-07-01", Edition: "a/b"}, "unitimport_edition_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := unitimport.Import(t.Context(), open(t), c.list, c.options)
			if err == nil || fault.Of(err).Reason != c.reason {
				t.Fatalf("got %v, want %s", err, c.reason)
			}
			for _, l := range language.All {
				if said := l.Text("fault."+c.reason, fault.Of(err).Args...); strings.Contains(said, "{") || strings.HasPrefix(said, "fault.") {
					t.Errorf("%s says %q", l, said)
				}
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestALongLineFailsAlone(t *testing.T) {
	d := open(t)
	list := io.MultiReader(strings.NewReader(header), io.LimitReader(endless{"x"}, 30<<20), strings.NewReader("\n42,province,Hà Tĩnh,Tỉnh Hà Tĩnh,Ha Tinh,\n"))
	summary, err := unitimport.Import(t.Context(), d, list, from)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{2, 1, 0, 0, 1}, counts(summary)); diff != "" || summary.Errors[0].Line != 2 {
		t.Errorf("%s %v", diff, summary.Errors)
	}
}

func BenchmarkImportBuiltIn(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		d := open(b)
		b.StartTimer()
		if _, err := unitimport.ImportBuiltIn(b.Context(), d, nil); err != nil {
			b.Fatal(err)
		}
	}
}

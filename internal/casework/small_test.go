package casework_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"flag"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"encoding/xml"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/language"
)

func TestCodeTellsEveryErrorPeopleMake(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 200, 200).Draw(r, "random")
		code, err := casework.NewCode(bytes.NewReader(append(seed, bytes.Repeat([]byte{7}, 20)...)))
		if err != nil || len(code) != 12 || code[0] == '0' {
			r.Fatalf("%q, %v", code, err)
		}
		for _, said := range []string{string(code), code.String(), strings.ReplaceAll(code.String(), " ", "-"), " " + strings.Join(strings.Split(string(code), ""), ". ") + "\n", strings.ReplaceAll(code.String(), " ", "\u00a0–\t")} {
			if got, err := casework.ParseCode(said); err != nil || got != code {
				r.Fatalf("%q is read as %q, %v", said, got, err)
			}
		}
		wrong := []byte(code)
		for i := range wrong {
			for digit := byte('0'); digit <= '9'; digit++ {
				if digit == code[i] {
					continue
				}
				wrong[i] = digit
				if _, err := casework.ParseCode(string(wrong)); reason(err) != "casework_code_check" {
					r.Fatalf("%s for %s: %v", wrong, code, err)
				}
			}
			wrong[i] = code[i]
			if i > 0 && code[i] != code[i-1] {
				wrong[i], wrong[i-1] = wrong[i-1], wrong[i]
				if _, err := casework.ParseCode(string(wrong)); reason(err) != "casework_code_check" {
					r.Fatalf("%s for %s: %v", wrong, code, err)
				}
				wrong[i], wrong[i-1] = wrong[i-1], wrong[i]
			}
		}
	})
	for text, want := range map[string]string{
		"": "casework_code_length", "5724 9381 650": "casework_code_length", "5724 9381 6508 1": "casework_code_length", "5724 9381 65O8": "casework_code_sign",
		strings.Repeat("5", 101): "casework_code_length", "５７２４ ９３８１ ６５０８": "", "572493816508": "", "0000 0000 0000": "casework_code_check",
	} {
		if _, err := casework.ParseCode(text); reason(err) != want {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := casework.NewCode(bytes.NewReader(make([]byte, 5))); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a source that ends: %v", err)
	}
	seen := map[casework.Code]bool{}
	for range 1000 {
		code, err := casework.NewCode(rand.Reader)
		if err != nil || seen[code] {
			t.Fatalf("%s came twice, or %v", code, err)
		}
		seen[code] = true
	}
	if casework.Code("12").String() != "12" {
		t.Error("what is no code is written otherwise")
	}
}

const earlier = "Do lượng hồ sơ tăng cao trong tháng mười, cán bộ tiếp nhận chưa kịp hướng dẫn đầy đủ thành phần hồ sơ, dẫn đến người dân phải đi lại nhiều lần. Đơn vị đã rút kinh nghiệm và bố trí thêm một người ở quầy."

func TestMostAlike(t *testing.T) {
	before := map[string]casework.Shingles{
		"same matter": casework.ShinglesOf(earlier),
		"other":       casework.ShinglesOf("Phần mềm một cửa bị lỗi kết nối từ 8 giờ đến 10 giờ sáng, kỹ thuật viên đã khắc phục trong ngày và xin lỗi từng người."),
		"empty":       nil,
	}
	for name, c := range map[string]struct {
		text      string
		id        string
		low, high float64
	}{
		"copied":               {earlier, "same matter", 1, 1},
		"decomposed":           {norm.NFD.String(earlier), "same matter", 1, 1},
		"without diacritics":   {strings.ToUpper("do luong ho so tang cao trong thang muoi can bo tiep nhan chua kip huong dan day du thanh phan ho so dan den nguoi dan phai di lai nhieu lan don vi da rut kinh nghiem va bo tri them mot nguoi o quay"), "same matter", 1, 1},
		"another month":        {strings.Replace(earlier, "tháng mười", "tháng chín", 1), "same matter", casework.LikeEnough, 0.99},
		"its half":             {"Do lượng hồ sơ tăng cao trong tháng mười, cán bộ tiếp nhận chưa kịp hướng dẫn đầy đủ thành phần hồ sơ, nhưng chúng tôi thấy nguyên nhân chính là bảng niêm yết bị che khuất sau tủ.", "same matter", 0.2, casework.LikeEnough},
		"of its own":           {"Ngày 12/10 quầy số 3 vắng người vì cán bộ đi tập huấn, không ai được phân công làm thay.", "", 0, 0},
		"two words in common":  {"Đơn vị đã thay bảng niêm yết.", "", 0, 0},
		"nothing":              {" … ", "", 0, 0},
		"other matter, copied": {"Phần mềm một cửa bị lỗi kết nối từ 8 giờ đến 10 giờ sáng, kỹ thuật viên đã khắc phục trong ngày.", "other", casework.LikeEnough, 0.99},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := casework.MostAlike(c.text, maps.All(before))
			if ok != (c.id != "") || got.ID != c.id || got.Share < c.low || got.Share > c.high {
				t.Errorf("%+v", got)
			}
		})
	}
	if twice := casework.ShinglesOf(earlier + " " + earlier).Like(before["same matter"]); twice < 0.9 || twice >= 1 {
		t.Errorf("said twice: %v", twice) // but for the runs across the seam the same
	}
	short := casework.ShinglesOf("Đã sửa")
	if short.Like(casework.ShinglesOf("đã  sửa!")) != 1 || short.Like(nil) != 0 || casework.Shingles(nil).Like(nil) != 0 {
		t.Error("short texts")
	}
}

func TestLikeIsAShare(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"hồ", "sơ", "chậm", "đường", "quầy", "người"}), 0, 12)
		draw := func(name string) casework.Shingles {
			return casework.ShinglesOf(strings.Join(words.Draw(r, name), " "))
		}
		a, b := draw("a"), draw("b")
		like := a.Like(b)
		if like < 0 || like > 1 || math.Abs(like-b.Like(a)) > 0 || len(a) > 0 && a.Like(a) != 1 {
			r.Fatalf("%v", like)
		}
	})
}

func TestRegister(t *testing.T) {
	n := casework.Number{Unit: commune, Year: 2026, N: 12}
	if n.String() != "commune/2026/12" || n.Shown("PA-BĐ") != "12/2026/PA-BĐ" || n.Next().N != 13 || n.Compare(n.Next()) >= 0 {
		t.Errorf("%s", n)
	}
	if got, err := casework.ParseNumber(n.String()); err != nil || got != n {
		t.Errorf("%v, %v", got, err)
	}
	for _, wrong := range []string{"", "commune/2026", "commune/2026/0", "commune/2026/012", "commune/26/1", "/2026/1", "a/b/2026/1", "commune/2026/-1", "commune/2026/x"} {
		if _, err := casework.ParseNumber(wrong); reason(err) != "casework_number" {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	columns := casework.Columns()
	if len(columns) != 12 || columns[7].Under != "handling" || columns[0].Under != "" {
		t.Errorf("%+v", columns)
	}
	m := machine(t)
	c, _, err := m.Open(opening("c1"), operator(), start)
	if err != nil {
		t.Fatal(err)
	}
	away := step(t, m, c, full(casework.PutOutOfScope), deputy(), start)
	elsewhere := full(casework.PutOutOfScope)
	elsewhere.Route.Kind = casework.Elsewhere
	for want, one := range map[casework.Handling]casework.Case{
		casework.NotHandled: c, casework.HandledHere: explained(t, m), casework.HandledOn: away, casework.HandledBack: step(t, m, c, elsewhere, deputy(), start),
	} {
		if got := one.Handling(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if !slices.ContainsFunc(columns, func(c casework.Column) bool { return c.Key == string(want) }) && want != casework.NotHandled {
			t.Errorf("%s is no column", want)
		}
	}
}

func TestExplanationIsChecked(t *testing.T) {
	pdf := casework.Attachment{ID: "b1", Name: "Biên bản.PDF", Type: "application/pdf", Size: 10}
	with := func(change func(*casework.Attachment)) func(*casework.Explanation) {
		return func(x *casework.Explanation) {
			one := pdf
			change(&one)
			x.Attachments = []casework.Attachment{one}
		}
	}
	for name, c := range map[string]struct {
		change func(*casework.Explanation)
		want   []string
	}{
		"whole":             {func(*casework.Explanation) {}, nil},
		"with a file":       {with(func(*casework.Attachment) {}), nil},
		"of the whole unit": {func(x *casework.Explanation) { x.Responsible, x.Together = nil, true }, nil},
		"not upheld":        {func(x *casework.Explanation) { x.Responsible, x.Remedy, x.Finding = nil, "", casework.NotUpheld }, nil},
		"nothing":           {func(x *casework.Explanation) { *x = casework.Explanation{} }, []string{"cause", "analysis", "remedy", "responsible", "apology", "finding"}},
		"a cause unknown":   {func(x *casework.Explanation) { x.Cause = "weather" }, []string{"cause"}},
		"short": {func(x *casework.Explanation) {
			x.Analysis = "Do quá tải công việc" + strings.Repeat(" ", 50)
			x.Analysis = "Quá tải."
		}, []string{"analysis"}},
		"no remedy":          {func(x *casework.Explanation) { x.Remedy = " " }, []string{"remedy"}},
		"nobody":             {func(x *casework.Explanation) { x.Responsible = nil }, []string{"responsible"}},
		"no word of apology": {func(x *casework.Explanation) { x.Apology = "" }, []string{"apology"}},
		"many files":         {func(x *casework.Explanation) { x.Attachments = slices.Repeat([]casework.Attachment{pdf}, 11) }, []string{"attachments"}},
	} {
		t.Run(name, func(t *testing.T) {
			x := explanation()
			c.change(&x)
			_, err := x.Check()
			var faults casework.Faults
			errors.As(err, &faults)
			var got []string
			for _, f := range faults {
				got = append(got, strings.TrimPrefix(f.Reason, "casework_explanation_"))
			}
			if !slices.Equal(got, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	for name, c := range map[string]struct {
		change func(*casework.Explanation)
		want   string
	}{
		"an executable":          {with(func(a *casework.Attachment) { a.Name, a.Type = "a.exe", "application/x-msdownload" }), "casework_attachment_type"},
		"disguised":              {with(func(a *casework.Attachment) { a.Name = "a.pdf.exe" }), "casework_attachment_type"},
		"another type's ending":  {with(func(a *casework.Attachment) { a.Type = "image/png" }), "casework_attachment_type"},
		"no ending":              {with(func(a *casework.Attachment) { a.Name = "pdf" }), "casework_attachment_type"},
		"a path":                 {with(func(a *casework.Attachment) { a.Name = "../a.pdf" }), "casework_attachment_name"},
		"a hidden file":          {with(func(a *casework.Attachment) { a.Name = ".pdf" }), "casework_attachment_name"},
		"two lines":              {with(func(a *casework.Attachment) { a.Name = "a\nb.pdf" }), "casework_attachment_name"},
		"no bytes' id":           {with(func(a *casework.Attachment) { a.ID = "" }), "casework_attachment_name"},
		"empty":                  {with(func(a *casework.Attachment) { a.Size = 0 }), "casework_attachment_size"},
		"50 MB":                  {with(func(a *casework.Attachment) { a.Size = 50 << 20 }), "casework_attachment_size"},
		"a text without an end":  {func(x *casework.Explanation) { x.Analysis = strings.Repeat("dài ", 4000) }, "casework_text_long"},
		"a text nobody can read": {func(x *casework.Explanation) { x.Analysis += "\x00" }, "casework_text_unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			x := explanation()
			c.change(&x)
			if _, err := x.Check(); !strings.Contains(reason(err), c.want) && !strings.Contains(errText(err), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	x := explanation()
	x.Analysis = "  " + norm.NFD.String(x.Analysis) + "\r\nDòng hai "
	kept, err := x.Check()
	if err != nil || !norm.NFC.IsNormalString(kept.Analysis) || !strings.HasSuffix(kept.Analysis, "\nDòng hai") || strings.HasPrefix(kept.Analysis, " ") {
		t.Errorf("%q, %v", kept.Analysis, err)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

var write = flag.Bool("write", false, "write casework.svg anew")

// TestDiagram: the committed drawing is that of the tables ("go test ./internal/casework -run Diagram -write" makes it), it is XML with a title and a
// description, names every state and event, and no words run into others.
func TestDiagram(t *testing.T) {
	const file = "casework.svg"
	drawn := casework.Diagram(language.Vietnamese)
	if *write {
		if err := os.WriteFile(file, []byte(drawn), 0o644); err != nil { //nolint:gosec // a drawing anybody may read
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil || string(kept) != drawn {
		t.Errorf("%s is not the drawing of the tables: %v", file, err)
	}
	for _, l := range language.All {
		drawn := casework.Diagram(l)
		if drawn != casework.Diagram(l) {
			t.Error("it is drawn otherwise the second time")
		}
		decoder := xml.NewDecoder(strings.NewReader(drawn))
		elements := map[string]int{}
		for {
			token, err := decoder.Token()
			if err == io.EOF { //nolint:errorlint // Token answers io.EOF itself
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if start, ok := token.(xml.StartElement); ok {
				elements[start.Name.Local]++
				for _, attribute := range start.Attr {
					if (attribute.Name.Local == "stroke" || attribute.Name.Local == "fill") && attribute.Value != "currentColor" && attribute.Value != "none" {
						t.Errorf("a colour of its own: %s", attribute.Value)
					}
				}
			}
		}
		if elements["title"] != 1 || elements["desc"] != 1 || elements["rect"] != len(casework.States())+len(casework.ActionStates()) || elements["style"]+elements["script"] != 0 {
			t.Errorf("%s: %v", l, elements)
		}
		description := drawn[strings.Index(drawn, "<desc"):strings.Index(drawn, "</desc>")]
		for _, row := range append(casework.Rows(), casework.ActionRows()...) {
			if row.From == "" {
				continue
			}
			event := l.Text("casework.event." + string(row.Event))
			if !strings.Contains(description, event) || strings.Count(drawn, ">"+event) == 0 {
				t.Errorf("%s: %q is not drawn", l, event)
			}
		}
		for line := range strings.SplitSeq(drawn, "\n") {
			if what, who, ok := strings.Cut(line, "</text><text"); ok {
				_, what, _ = strings.Cut(what, ">")
				_, who, _ = strings.Cut(who, ">")
				if wide := 7.3*float64(utf8.RuneCountInString(what)) + 6.2*float64(utf8.RuneCountInString(strings.TrimSuffix(who, "</text>"))); wide > 545 {
					t.Errorf("%s: %q runs into %q", l, what, who)
				}
			}
		}
	}
}

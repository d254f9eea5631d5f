package poster

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
)

var made = time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)

func places() map[string]Place {
	return map[string]Place{
		"plain": {"Ủy ban nhân dân phường Bến Nghé", "Quầy 3: Tư pháp – Hộ tịch", "https://danhgia.tphcm.gov.vn/r/26740-Q3", "", "1022"},
		"whole office": {
			Office: "Trung tâm Phục vụ hành chính công xã Ẩm Thực", Link: "http://10.0.0.5:8080/r/1",
		},
		"typed": {
			Office: "UBND xã Nghĩa Thuận", Counter: "Quầy 2", Link: "https://hl.gov.vn/r/" + strings.Repeat("0f", 16), Typed: "https://hl.gov.vn/r/26740/2",
		},
		"decomposed": {
			norm.NFD.String("Ủy ban nhân dân xã Nghĩa Thuận"), norm.NFD.String("Quầy Đất đai (số 1)"), "https://hl.gov.vn/r/2", "", norm.NFD.String("Gọi 1022"),
		},
		"long": {
			strings.Repeat("Trung tâm Phục vụ hành chính công ", 10)[:300], strings.Repeat("Tiếp nhận hồ sơ đất đai ", 11)[:300],
			"https://hl.gov.vn/r/" + strings.Repeat("abcdefgh-", 20), "", "1022 hoặc 028 3829 5555, giờ hành chính",
		},
		"widest": {
			strings.Repeat("W", MaxName), strings.Repeat("Ẫ", MaxName), "https://hl.gov.vn/r/" + strings.Repeat("W", 180), "", strings.Repeat("W", MaxHotline),
		},
		"hostile": {
			"UBND \\( ) <script>alert(1)</script> %s\x00\x1b[31m\u202e {hotline} \xff 😀👩‍👩‍👧 漢字", "Quầy\r\n\t1 🏳️‍🌈", "https://hl.gov.vn/r/(1)?a=\\)&b=%20", "", "{hotline}",
		},
	}
}

func each(t *testing.T, do func(t *testing.T, place Place, options Options)) {
	for name, place := range places() {
		for _, piece := range Pieces() {
			for _, second := range []language.Language{"", language.English} {
				t.Run(name+"/"+string(piece)+"/"+string(second), func(t *testing.T) {
					do(t, place, Options{Piece: piece, Second: second, Made: made})
				})
			}
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	each(t, func(t *testing.T, place Place, options Options) {
		if options.Second == "" {
			return // the second language only adds to it
		}
		first, err := Poster(place, options)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Poster(place, options)
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("another document, %v", err)
		}
		if len(first) > 100_000 {
			t.Errorf("%d bytes", len(first))
		}
	})
}

// Nothing overlaps and nothing leaves the margins, whatever the names.
func TestBlocksStandApart(t *testing.T) {
	check := func(t rapid.TB, place Place, piece Piece, second language.Language) {
		c, err := read(place, second)
		if err != nil {
			t.Fatal(err)
		}
		s, _ := sheetsOf(piece)
		bottom := s.measures.margin
		for i, b := range arrange(newPen(s.paper), s.measures, c) {
			if b.top < bottom-1e-6 {
				t.Errorf("block %d begins at %.2f, the one before ends at %.2f", i, b.top, bottom)
			}
			bottom = b.top + b.height
		}
		if bottom > s.measures.height-s.measures.margin+1e-6 {
			t.Errorf("ends at %.2f of %.0f mm", bottom, s.measures.height)
		}
	}
	each(t, func(t *testing.T, place Place, options Options) { check(t, place, options.Piece, options.Second) })
	rapid.Check(t, func(t *rapid.T) {
		check(t, Place{
			Office: "U" + longText(t, "office", MaxName-1), Counter: longText(t, "counter", MaxName),
			Link:    "https://hl.gov.vn/" + rapid.StringMatching(`[a-zA-Z0-9]{0,180}`).Draw(t, "path"),
			Hotline: rapid.StringMatching(`[0-9W ]{0,60}`).Draw(t, "hotline"),
		}, rapid.SampledFrom(Pieces()).Draw(t, "piece"), rapid.SampledFrom([]language.Language{"", language.English}).Draw(t, "second"))
	})
}

// longText draws a text of up to so many characters; long ones are as likely as short ones.
func longText(t *rapid.T, label string, most int) string {
	part := rapid.StringOfN(rapid.RuneFrom([]rune("WẪ aiĐấ đường.—1")), 1, 40, -1).Draw(t, label)
	text := []rune(strings.Repeat(part, 1+most/utf8.RuneCountInString(part)))
	return string(text[:rapid.IntRange(1, most).Draw(t, label+" length")])
}

func TestFitKeepsWordsAndRoom(t *testing.T) {
	p := newPen(point{210, 297})
	rapid.Check(t, func(t *rapid.T) {
		text := printable(longText(t, "text", MaxName))
		if text == "" {
			return
		}
		width := rapid.Float64Range(20, 170).Draw(t, "width")
		s := style{bold: rapid.Bool().Draw(t, "bold"), size: 24, small: 12, room: rapid.Float64Range(10, 40).Draw(t, "room")}
		set := p.fit(text, width, s)
		if got := strings.Join(set.lines, ""); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(text, " ", "") {
			t.Errorf("letters lost: %q of %q", got, text)
		}
		if len(set.lines) > 1 && set.height() > s.room && set.size > 1 {
			t.Errorf("%.1f mm high, room for %.1f", set.height(), s.room)
		}
		for _, line := range set.lines {
			if wide := p.width(line, s.bold, set.size); wide > width+0.01 && utf8.RuneCountInString(line) > 1 {
				t.Errorf("%q is %.2f mm wide, column %.2f", line, wide, width)
			}
		}
	})
}

func TestPrintable(t *testing.T) {
	for name, c := range map[string][2]string{
		"composed":      {norm.NFD.String("Đường Nguyễn Ẫ"), "Đường Nguyễn Ẫ"},
		"spaces":        {" \t a\u00a0\u2028 b\r\n", "a b"},
		"controls":      {"a\x00b\x1b[0m", "a b [0m"},
		"emoji":         {"vui 😀👩‍👩‍👧 nhé", "vui ? nhé"},
		"other letters": {"漢字 ខ្មែរ", "? ?"},
		"bidirectional": {"a\u202eb\u200b\ufeff", "ab"},
		"not UTF-8":     {"a\xff\xfeb", "a?b"},
		"lonely mark":   {"b\u0303c", "bc"},
		"nothing":       {"\u200d \n", ""},
	} {
		if got := printable(c[0]); got != c[1] {
			t.Errorf("%s: %q, want %q", name, got, c[1])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		got := printable(rapid.String().Draw(t, "text"))
		if got != printable(got) {
			t.Fatalf("%q changes again", got)
		}
		for _, r := range got {
			if !covered(r) {
				t.Fatalf("%q has no glyph for %U", got, r)
			}
		}
	})
}

// The list of characters in Go and the fonts agree, in both directions.
func TestCoveredIsWhatTheFontsHave(t *testing.T) {
	for name, font := range map[string][]byte{"regular": regular, "bold": bold} {
		has := characters(t, font)
		for r := rune(0); r <= 0xFFFF; r++ {
			if covered(r) != has[r] {
				t.Errorf("%s, %U: covered %v, in the font %v", name, r, covered(r), has[r])
			}
		}
	}
}

// characters reads a font's table of characters (OpenType "cmap", format 4, the only one these fonts have).
func characters(t *testing.T, font []byte) map[rune]bool {
	t.Helper()
	word := func(at int) int { return int(binary.BigEndian.Uint16(font[at:])) }
	long := func(at int) int { return int(binary.BigEndian.Uint32(font[at:])) }
	has := map[rune]bool{}
	for i := range word(4) {
		if entry := 12 + 16*i; string(font[entry:entry+4]) == "cmap" {
			table := long(entry + 8)
			sub := table + long(table+8)
			if word(sub) != 4 {
				t.Fatalf("format %d", word(sub))
			}
			segments := word(sub+6) / 2
			for s := range segments {
				last, first := word(sub+14+2*s), word(sub+16+2*segments+2*s)
				for c := first; c <= last && c != 0xFFFF; c++ {
					has[rune(c)] = true
				}
			}
		}
	}
	return has
}

func TestRefuses(t *testing.T) {
	good := places()["plain"]
	for name, c := range map[string]struct {
		change func(*Place)
		reason string
	}{
		"no office":       {func(p *Place) { p.Office = " \u200b\n" }, "poster_office_missing"},
		"endless name":    {func(p *Place) { p.Counter = strings.Repeat("a", MaxName+1) }, "poster_name_long"},
		"endless hotline": {func(p *Place) { p.Hotline = strings.Repeat("1", MaxHotline+1) }, "poster_hotline_long"},
		"endless link":    {func(p *Place) { p.Link = "https://a.vn/" + strings.Repeat("a", MaxLink) }, "poster_link_long"},
		"no link":         {func(p *Place) { p.Link = "" }, "poster_link_invalid"},
		"script":          {func(p *Place) { p.Link = "javascript:alert(1)" }, "poster_link_invalid"},
		"relative":        {func(p *Place) { p.Link = "/r/1" }, "poster_link_invalid"},
		"no host":         {func(p *Place) { p.Link = "https://:80/r" }, "poster_link_invalid"},
		"user in it":      {func(p *Place) { p.Link = "https://hl.gov.vn@evil.example/r" }, "poster_link_invalid"},
		"space":           {func(p *Place) { p.Link = "https://a.vn/ b" }, "poster_link_invalid"},
		"typed is none":   {func(p *Place) { p.Typed = "//a.vn/r/1" }, "poster_link_invalid"},
		"accents":         {func(p *Place) { p.Link = "https://a.vn/đ" }, "poster_link_invalid"},
	} {
		place := good
		c.change(&place)
		_, err := Poster(place, Options{})
		if err == nil || fault.Of(err).Reason != c.reason || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want %s", name, err, c.reason)
		}
		if words := language.Vietnamese.Text("fault." + c.reason); strings.HasPrefix(words, "fault.") {
			t.Errorf("%s has no words", c.reason)
		}
	}
	if _, err := Poster(good, Options{Piece: "a0"}); err == nil || fault.Of(err).Reason != "poster_piece_unknown" {
		t.Errorf("piece: %v", err)
	}
}

func TestWholeOffice(t *testing.T) {
	for name, c := range map[string]struct {
		places, pages int
		piece         Piece
	}{
		"five posters": {5, 5, A4Poster}, "five cards": {5, 5, A6Card}, "five on sheets": {5, 2, A4Cards}, "eight on sheets": {8, 2, A4Cards},
	} {
		t.Run(name, func(t *testing.T) {
			var all []Place
			for i := range c.places {
				all = append(all, Place{Office: "UBND xã Nghĩa Thuận", Counter: fmt.Sprintf("Quầy %d", i+1), Link: fmt.Sprintf("https://hl.gov.vn/r/q%d", i+1)})
			}
			document, err := Posters(all, Options{Piece: c.piece, Made: made})
			if err != nil {
				t.Fatal(err)
			}
			if got := bytes.Count(document, []byte("/Type /Page\n")); got != c.pages {
				t.Errorf("%d pages, want %d", got, c.pages)
			}
			text := string(poppler(t, "pdftotext", document, "-raw", "-enc", "UTF-8"))
			for _, place := range all {
				if strings.Count(text, place.Counter+"\n") != 1 || strings.Count(text, strings.TrimPrefix(place.Link, "https://")+"\n") != 1 {
					t.Errorf("%s is not there once", place.Counter)
				}
			}
		})
	}
	for _, n := range []int{0, MaxPlaces + 1} {
		if _, err := Posters(make([]Place, n), Options{}); err == nil || fault.Of(err).Reason != "poster_places_count" {
			t.Errorf("%d places: %v", n, err)
		}
	}
}

// What a reader of the file is told: title and language of the document, and the date that was given.
func TestDocumentSaysWhatItIs(t *testing.T) {
	document, err := Poster(places()["decomposed"], Options{Made: made})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(document, []byte("/Lang (vi)")) {
		t.Error("the document does not say its language")
	}
	info := string(poppler(t, "pdfinfo", document))
	for _, want := range []string{"Xin mời bà con đánh giá – Ủy ban nhân dân xã Nghĩa Thuận – Quầy Đất đai (số 1)\n", "2026", "A4"} {
		if !strings.Contains(info, want) {
			t.Errorf("no %q in:\n%s", want, info)
		}
	}
}

// poppler runs a program of poppler-utils on a document, or skips the test and says so.
// The program's answer is read from its standard output, which pdftotext calls "-".
func poppler(t *testing.T, program string, document []byte, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s (poppler-utils) is not installed: what it would read in the document is not checked", program)
	}
	file := filepath.Join(t.TempDir(), "piece.pdf")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		t.Fatal(err)
	}
	args = append(args, file)
	if program == "pdftotext" {
		args = append(args, "-")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%s: %v: %s", program, err, exit.Stderr)
		}
		t.Fatal(err)
	}
	return out
}

func TestTextCanBeCopied(t *testing.T) {
	unspaced := func(s string) string { return strings.Join(strings.Fields(s), "") }
	each(t, func(t *testing.T, place Place, options Options) {
		document, err := Poster(place, options)
		if err != nil {
			t.Fatal(err)
		}
		text := string(poppler(t, "pdftotext", document, "-raw", "-enc", "UTF-8"))
		if !norm.NFC.IsNormalString(text) {
			t.Error("the text is not in NFC")
		}
		c, err := read(place, options.Second)
		if err != nil {
			t.Fatal(err)
		}
		wants := []string{c.office, c.counter, c.shown, c.hotline, "Xin mời bà con đánh giá", "Rất không hài lòng", "Đánh giá ẩn danh"}
		if options.Second != "" {
			wants = append(wants, "Anonymous: no name")
		}
		if place.Typed != "" && (c.shown != strings.TrimPrefix(place.Typed, "https://") || strings.Contains(unspaced(text), strings.TrimPrefix(place.Link, "https://"))) {
			t.Errorf("the address to type is not the one shown:\n%s", text)
		}
		for _, want := range wants {
			if !strings.Contains(unspaced(text), unspaced(want)) {
				t.Errorf("no %q in:\n%s", want, text)
			}
		}
	})
}

// The code on paper reads at a coarse resolution; of four cards the first is looked at.
func TestPrintedCodeReads(t *testing.T) {
	for name, place := range places() {
		for _, piece := range Pieces() {
			if piece == A4Cards && name != "plain" {
				continue // the same card as A6
			}
			t.Run(name+"/"+string(piece), func(t *testing.T) {
				document, err := Poster(place, Options{Piece: piece, Second: language.English, Made: made})
				if err != nil {
					t.Fatal(err)
				}
				args := []string{"-png", "-gray", "-singlefile", "-r", "150", "-W", "620", "-H", "870"} // A6
				if piece == A4Poster {
					args[4], args[6], args[8] = "75", "620", "877"
				}
				page, err := png.Decode(bytes.NewReader(poppler(t, "pdftoppm", document, args...)))
				if err != nil {
					t.Fatal(err)
				}
				if got, err := scan(page); err != nil || got != place.Link {
					t.Errorf("read %q, %v; want %q", got, err, place.Link)
				}
			})
		}
	}
}

package searchtext_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/searchtext"
)

func TestFold(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"marks":                  {"Thạch Hà", "thach ha"},
		"đ":                      {"Đường", "duong"},
		"upper case":             {"XÃ ĐỨC THỌ", "xa duc tho"},
		"eth typed for Đ":        {"Ðồng Tháp", "dong thap"},
		"African d":              {"Ɖà Nẵng", "da nang"},
		"hyphen and dots":        {"Bà Rịa - Vũng Tàu (TP. cũ)", "ba ria vung tau tp cu"},
		"digits":                 {"Quận 1", "quan 1"},
		"spaces at both ends":    {" \t Ba  Đình\n", "ba dinh"},
		"no-break space":         {"Ba\u00a0Đình", "ba dinh"},
		"nothing left":           {"—…!", ""},
		"empty":                  {"", ""},
		"every Vietnamese vowel": {"ăâêôơư ắấếốớứ ằầềồờừ ẳẩểổởử ẵẫễỗỡữ ặậệộợự ỳýỷỹỵ", "aaeoou aaeoou aaeoou aaeoou aaeoou aaeoou yyyyy"},
		"dotted and dotless i":   {"İstanbul Iğdır", "istanbul igdir"},
		"final sigma":            {"ΣΑΣ σας", "σασ σασ"},
		"invalid UTF-8":          {"Ba\xff Đình", "ba dinh"},
		"a mark with nothing":    {"\u0301ba", "ba"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := searchtext.Fold(c.in); got != c.want {
				t.Errorf("Fold(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	if diff := cmp.Diff([]string{"xa", "thach", "ha"}, searchtext.Words("Xã Thạch-Hà")); diff != "" {
		t.Error(diff)
	}
	if got := searchtext.Words(" - "); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

func TestFoldProperties(t *testing.T) {
	vietnamese := rapid.StringOf(rapid.RuneFrom([]rune("aăâbcdđeêghiklmnoôơpqrstuưvxyÀẢÃÁẠĐỆỘỰ -.,\u0300\u0301\u0323 1290")))
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), vietnamese).Draw(t, "s")
		folded := searchtext.Fold(s)
		if again := searchtext.Fold(folded); again != folded {
			t.Fatalf("not settled: %q then %q", folded, again)
		}
		if nfc, nfd := searchtext.Fold(norm.NFC.String(s)), searchtext.Fold(norm.NFD.String(s)); nfc != nfd || nfc != folded {
			t.Fatalf("as given %q, NFC %q, NFD %q", folded, nfc, nfd)
		}
		if strings.Contains(folded, "  ") || strings.TrimSpace(folded) != folded {
			t.Fatalf("spaces left in %q", folded)
		}
		for _, r := range folded {
			if unicode.Is(unicode.Mn, r) || r == 'đ' {
				t.Fatalf("%q is left in %q", r, folded)
			}
		}
		if got := strings.Join(searchtext.Words(s), " "); got != folded {
			t.Fatalf("Words joined %q, Fold %q", got, folded)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		s := vietnamese.Draw(t, "s")
		if upper, lower := searchtext.Fold(strings.ToUpper(s)), searchtext.Fold(strings.ToLower(s)); upper != lower {
			t.Fatalf("upper %q, lower %q", upper, lower)
		}
	})
}

func BenchmarkFold(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		searchtext.Fold("Phường Đông Hòa Hiệp")
	}
}

package chart

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// What is taken for plain is drawn without looking closer: it must be what a close look would leave as it is.
func TestPlainLettersNeedNoCare(t *testing.T) {
	plains := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		text := string(r)
		if !plain(text) {
			continue
		}
		plains++
		if norm.NFC.String(text) != text || unicode.In(r, unicode.M, unicode.Cc, unicode.Cf, unicode.Cs) || unicode.IsSpace(r) || rightToLeft(r) {
			t.Errorf("%U is taken for plain", r)
		}
	}
	if plains < 600 {
		t.Errorf("only %d letters are plain", plains)
	}
	for _, letters := range []string{"Trung tâm Phục vụ hành chính công phường Ba Đình", "Thúy – hoà, ỷ ờ ẵ", "100 % “đúng hẹn” …"} {
		if !plain(letters) {
			t.Errorf("%q is not taken for plain", letters)
		}
	}
	for _, care := range []string{"", " a", "a ", "a  b", "a\tb", norm.NFD.String("ờ"), "a\u200bb", "\xff", "שלום"} {
		if plain(care) {
			t.Errorf("%q is taken for plain", care)
		}
	}
	for _, text := range []string{"Đường Nguyễn Huệ – quầy 12", "mW — fi"} {
		if got := strings.Join(clusters(text), ""); got != text {
			t.Errorf("%q is cut into %q", text, got)
		}
		if plainly, closely := widthOf(clusters(text)), widthOf(clusters(text+"\u0301")); plainly != closely {
			t.Errorf("%q is %v wide, and %v with a mark that has no width", text, plainly, closely)
		}
	}
}

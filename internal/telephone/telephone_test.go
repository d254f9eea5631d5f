package telephone_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/telephone"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, e164, shown string }{
		{"plain", "0912345678", "+84912345678", "0912 345 678"},
		{"with plus and country", "+84912345678", "+84912345678", "0912 345 678"},
		{"country without plus", "84912345678", "+84912345678", "0912 345 678"},
		{"international prefix", "0084 912 345 678", "+84912345678", "0912 345 678"},
		{"country and trunk", "+84 (0) 912 345 678", "+84912345678", "0912 345 678"},
		{"country and trunk without plus", "84 0912345678", "+84912345678", "0912 345 678"},
		{"spaces", " 091 234 5678 ", "+84912345678", "0912 345 678"},
		{"dots", "0912.345.678", "+84912345678", "0912 345 678"},
		{"dashes", "0912-345-678", "+84912345678", "0912 345 678"},
		{"dashes of typesetters", "0912–345—678", "+84912345678", "0912 345 678"},
		{"a no-break space", "0912\u00a0345\u00a0678", "+84912345678", "0912 345 678"},
		{"parentheses", "(0912) 345678", "+84912345678", "0912 345 678"},
		{"parentheses around the country", "(+84) 912 345 678", "+84912345678", "0912 345 678"},
		{"full-width digits", "０９１２３４５６７８", "+84912345678", "0912 345 678"},
		{"full-width plus", "＋８４９１２３４５６７８", "+84912345678", "0912 345 678"},
		{"the 0 a spreadsheet dropped", "912345678", "+84912345678", "0912 345 678"},
		{"a prefix that looks like the country", "0841234567", "+84841234567", "0841 234 567"},
		{"the same without its 0", "841234567", "+84841234567", "0841 234 567"},
		{"a link", "tel:+84912345678", "+84912345678", "0912 345 678"},

		{"old eleven digits", "01681234567", "+84381234567", "0381 234 567"},
		{"old eleven digits with country", "+84 168 123 4567", "+84381234567", "0381 234 567"},
		{"old eleven digits without 0", "1681234567", "+84381234567", "0381 234 567"},
		{"old, another operator", "0120.123.4567", "+84701234567", "0701 234 567"},
		{"old, of a small operator", "01991234567", "+84591234567", "0591 234 567"},

		{"landline of Hà Nội", "024 3825 1234", "+842438251234", "024 3825 1234"},
		{"landline of Hà Nội by its old code", "04 3825 1234", "+842438251234", "024 3825 1234"},
		{"landline of a province", "(0239) 3.855.555", "+842393855555", "0239 385 5555"},
		{"landline with country", "+84 239 3855 555", "+842393855555", "0239 385 5555"},
		{"landline without its 0", "2393855555", "+842393855555", "0239 385 5555"},
		{"landline by an old code of three digits", "0511.3822222", "+842363822222", "0236 382 2222"},
		{"landline by an old code of two digits", "061 3822222", "+842513822222", "0251 382 2222"},
		{"extension", "024 3825 1234 máy lẻ 12", "+842438251234", "024 3825 1234 #12"},
		{"extension in parentheses", "024 3825 1234 (lẻ 12)", "+842438251234", "024 3825 1234 #12"},
		{"extension in English", "02438251234 ext. 12", "+842438251234", "024 3825 1234 #12"},
		{"extension by a sign", "02438251234#12", "+842438251234", "024 3825 1234 #12"},
		{"extension, decomposed", "02438251234 ma\u0301y le\u0309 12", "+842438251234", "024 3825 1234 #12"},

		{"hotline of four digits", "1022", "1022", "1022"},
		{"police", "113", "113", "113"},
		{"hotline 1900 with four", "1900.1234", "19001234", "1900 1234"},
		{"hotline 1900 with six", "1900 123456", "1900123456", "1900 123 456"},
		{"hotline 1800", "18001091", "18001091", "1800 1091"},
		{"from abroad", "+1 (202) 555-0123", "+12025550123", "+12025550123"},
		{"from abroad with the prefix", "001 202 555 0123", "+12025550123", "+12025550123"},
	} {
		n, err := telephone.Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if n.E164() != c.e164 || n.Shown() != c.shown {
			t.Errorf("%s: %s shown as %q, want %s, %q", c.name, n.E164(), n.Shown(), c.e164, c.shown)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"nothing", ""}, {"only spaces", "   "}, {"only a plus", "+"}, {"words", "không nhớ số"},
		{"too short", "09123"}, {"one digit too few", "091234567"}, {"one digit too many", "09123456789"},
		{"a prefix nobody has", "0112345678"}, {"a letter for a digit", "O912345678"}, {"Arabic digits", "٠٩١٢٣٤٥٦٧٨"},
		{"two numbers", "0912345678, 0987654321"}, {"a script", "<script>0912345678</script>"}, {"an extension alone", "#12"},
		{"an extension of words", "02438251234 máy lẻ Lan"}, {"a long extension", "02438251234 #1234567"},
		{"endless", strings.Repeat("0", 65)}, {"all noughts", "0000000000"}, {"a plus within", "0912+345678"}, {"not UTF-8", "0912345678\xff"},
		{"foreign, too long", "+1234567890123456"},
	} {
		n, err := telephone.Parse(c.text)
		if !fault.Is(err, fault.Invalid) || fault.Of(err).Reason != "telephone_invalid" || !n.Zero() {
			t.Errorf("%s: %v, %v", c.name, n.E164(), err)
		}
	}
}

// Whatever is read is shown in a form that is read as the same number, and so is its E164.
func TestShownIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`(\+|00|0|84|\+84|)[ .(-]?[0-9 ().-]{2,13}( ?(ext|#|máy lẻ) ?[0-9]{1,4})?`).Draw(t, "text")
		n, err := telephone.Parse(text)
		if err != nil {
			return
		}
		again, err := telephone.Parse(n.Shown())
		if err != nil || again != n {
			t.Fatalf("%q is shown as %q, which is %v, %v", text, n.Shown(), again.E164(), err)
		}
		if bare, err := telephone.Parse(n.E164()); err != nil || bare.E164() != n.E164() || bare.Kind() != n.Kind() {
			t.Fatalf("%q is %q, which is read as %q, %v", text, n.E164(), bare.E164(), err)
		}
		if !strings.HasSuffix(n.E164(), n.LastFour()) {
			t.Fatalf("%q ends with %q", n.E164(), n.LastFour())
		}
	})
}

// A mobile number is the same however it is written.
func TestEveryWayOfWriting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		national := rapid.StringMatching(`[35789][0-9]{8}`).Draw(t, "national")
		var b strings.Builder
		for _, digit := range national {
			b.WriteRune(digit)
			b.WriteString(rapid.SampledFrom([]string{"", "", " ", ".", "-", "\u00a0"}).Draw(t, "between"))
		}
		before := rapid.SampledFrom([]string{"0", "+84", "84", "0084", "+84 (0) ", "(0)", "０", ""}).Draw(t, "before")
		n, err := telephone.Parse(before + b.String())
		if err != nil || n.E164() != "+84"+national {
			t.Fatalf("%q is %q, %v; want +84%s", before+b.String(), n.E164(), err, national)
		}
	})
}

func TestAnyTextIsJudged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		if n, err := telephone.Parse(text); (err == nil) == n.Zero() {
			t.Fatalf("%q: %q, %v", text, n.E164(), err)
		}
	})
}

func TestPrintedByMistake(t *testing.T) {
	n, err := telephone.Parse("0912345678")
	if err != nil {
		t.Fatal(err)
	}
	if shown := fmt.Sprintf("%v %s", n, n); strings.Contains(shown, "912345") || !strings.Contains(shown, "5678") {
		t.Error("printed:", shown)
	}
}

func TestReasonHasWords(t *testing.T) {
	for _, l := range language.All {
		if l.Text("fault.telephone_invalid") == "fault.telephone_invalid" {
			t.Error(l, "has no words")
		}
	}
}

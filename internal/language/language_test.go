package language

import (
	"regexp"
	"slices"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestCataloguesAgree(t *testing.T) {
	placeholder := regexp.MustCompile(`\{[a-z_]+\}`)
	for key, vietnamese := range catalogues[Vietnamese] {
		english, ok := catalogues[English][key]
		if !ok {
			t.Errorf("%q has no English", key)
			continue
		}
		a, b := placeholder.FindAllString(vietnamese, -1), placeholder.FindAllString(english, -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(slices.Compact(a), slices.Compact(b)) {
			t.Errorf("%q names %v in Vietnamese and %v in English", key, a, b)
		}
		if !norm.NFC.IsNormalString(vietnamese) {
			t.Errorf("%q is not in NFC", key)
		}
	}
	for key := range catalogues[English] {
		if _, ok := catalogues[Vietnamese][key]; !ok {
			t.Errorf("%q has no Vietnamese", key)
		}
	}
}

func TestAccepted(t *testing.T) {
	for header, want := range map[string]Language{
		"": Vietnamese, "vi-VN,vi;q=0.9,en;q=0.8": Vietnamese, "en-GB": English, "en;q=0.2,vi": Vietnamese,
		"fr": Vietnamese, "???": Vietnamese, "fr,en;q=0.5": English,
	} {
		if got := Accepted(header); got != want {
			t.Errorf("Accepted(%q) = %s, want %s", header, got, want)
		}
	}
}

func TestTextFillsPlaceholdersOnce(t *testing.T) {
	catalogues[Vietnamese]["test.pair"] = "{a} và {b}"
	defer delete(catalogues[Vietnamese], "test.pair")
	if got := Vietnamese.Text("test.pair", "a", "{b}", "b", 2); got != "{b} và 2" {
		t.Errorf("got %q", got)
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		value    float64
		decimals int
		vi, en   string
	}{{0, 0, "0", "0"}, {999, 0, "999", "999"}, {1000, 0, "1.000", "1,000"}, {-1234567.891, 2, "-1.234.567,89", "-1,234,567.89"}, {12.5, 1, "12,5", "12.5"}} {
		if got := Vietnamese.Number(c.value, c.decimals); got != c.vi {
			t.Errorf("%v: %s, want %s", c.value, got, c.vi)
		}
		if got := English.Number(c.value, c.decimals); got != c.en {
			t.Errorf("%v: %s, want %s", c.value, got, c.en)
		}
	}
}

func TestAValueIsNeverTakenForAName(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"{a} và {b}", "{b} và 2"}, {"{c} {a", "{c} {a"}, {"{{a}}", "{{b}}"}, {"không có", "không có"}, {"", ""}, {"}{b}", "}2"},
	} {
		if got := fill(c.text, []any{"a", "{b}", "b", 2}); got != c.want {
			t.Errorf("%q became %q, want %q", c.text, got, c.want)
		}
	}
}

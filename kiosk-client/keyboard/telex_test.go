package keyboard_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/kiosk-client/keyboard"
)

// asked calls a function body on the page, with telex.js as m and an argument as list.
func asked[T any](t *testing.T, page *browser.Page, body string, list any) T {
	t.Helper()
	argument, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return browser.Eval[T](page, `import("/keyboard/telex.js").then(m => { const list = `+string(argument)+`; `+body+` })`)
}

// typed answers what each of the key sequences writes into an empty field.
func typed(t *testing.T, page *browser.Page, style keyboard.Style, keys []string) []string {
	t.Helper()
	return asked[[]string](t, page, `return list.map(keys => m.compose("", keys, "`+string(style)+`"))`, keys)
}

// typeAll types words in every order and answers those that became something else, by order.
func typeAll(t *testing.T, page *browser.Page, style keyboard.Style, words []string) [][]string {
	t.Helper()
	misses := make([][]string, len(orders))
	for i, order := range orders {
		keys := make([]string, len(words))
		for j, word := range words {
			keys[j] = order.keys(unitsOf(word))
		}
		for j, got := range typed(t, page, style, keys) {
			if got != words[j] {
				misses[i] = append(misses[i], words[j]+" by "+keys[j]+" is "+got)
			}
		}
	}
	return misses
}

func TestTelex(t *testing.T) {
	page := browser.Open(t).Page(t, browser.Options{})
	page.Go(demo(t, language.Vietnamese, keyboard.NewStyle))

	t.Run("every syllable there could be", func(t *testing.T) {
		for _, style := range []keyboard.Style{keyboard.NewStyle, keyboard.OldStyle} {
			all := syllables(style)
			if len(all) < 15000 {
				t.Errorf("only %d syllables were made", len(all))
			}
			for i, misses := range typeAll(t, page.In(t), style, all) {
				t.Logf("%s style, %s: %d of %d", style, orders[i].name, len(all)-len(misses), len(all))
				if len(misses) > 0 {
					t.Errorf("%s style, %s: %d wrong: %s", style, orders[i].name, len(misses), strings.Join(misses[:min(len(misses), 30)], "; "))
				}
			}
		}
	})
	t.Run("every word of the list", func(t *testing.T) {
		words := dictionary(t)
		if len(words) < 6000 {
			t.Fatalf("the list has only %d words", len(words))
		}
		for i, misses := range typeAll(t, page.In(t), keyboard.NewStyle, words) {
			right := float64(len(words)-len(misses)) / float64(len(words))
			t.Logf("%s: %d of %d = %.2f %%; not: %s", orders[i].name, len(words)-len(misses), len(words), 100*right, strings.Join(misses, "; "))
			if right < 0.998 {
				t.Errorf("%s: only %.2f %% of the words come out right", orders[i].name, 100*right)
			}
		}
	})
}

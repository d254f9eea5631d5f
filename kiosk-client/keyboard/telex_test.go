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

// typeAll types words in every order and answers, by order, how many it typed and which became something else. Of every so many words
// one is typed, in each order another.
func typeAll(t *testing.T, page *browser.Page, style keyboard.Style, words []string, every int) (count []int, misses [][]string) {
	t.Helper()
	count, misses = make([]int, len(orders)), make([][]string, len(orders))
	for i, order := range orders {
		var keys, want []string
		for j := i % every; j < len(words); j += every {
			keys, want = append(keys, order.keys(unitsOf(words[j]))), append(want, words[j])
		}
		count[i] = len(want)
		for j, got := range typed(t, page, style, keys) {
			if got != want[j] {
				misses[i] = append(misses[i], want[j]+" by "+keys[j]+" is "+got)
			}
		}
	}
	return count, misses
}

func TestTelex(t *testing.T) {
	page := browser.Open(t).Page(t, browser.Options{})
	page.Go(demo(t, language.Vietnamese, keyboard.NewStyle))

	t.Run("every syllable there could be", func(t *testing.T) {
		all, old := syllables(keyboard.NewStyle), syllables(keyboard.OldStyle)
		var differ []string
		for i := range old {
			if old[i] != all[i] {
				differ = append(differ, old[i])
			}
		}
		if len(all) < 15000 || len(differ) < 300 {
			t.Fatalf("only %d syllables were made, of which %d have two spellings", len(all), len(differ))
		}
		for _, c := range []struct {
			name  string
			style keyboard.Style
			words []string
			every int
		}{{"new style", keyboard.NewStyle, all, 3}, {"old style, where it differs", keyboard.OldStyle, differ, 1}, {"old style", keyboard.OldStyle, old, 16}} {
			counts, misses := typeAll(t, page.In(t), c.style, c.words, c.every)
			for i, wrong := range misses {
				t.Logf("%s, %s: %d of %d", c.name, orders[i].name, counts[i]-len(wrong), counts[i])
				if len(wrong) > 0 {
					t.Errorf("%s, %s: %d wrong: %s", c.name, orders[i].name, len(wrong), strings.Join(wrong[:min(len(wrong), 30)], "; "))
				}
			}
		}
	})
	t.Run("every word of the list", func(t *testing.T) {
		words := dictionary(t)
		if len(words) < 6000 {
			t.Fatalf("the list has only %d words", len(words))
		}
		counts, misses := typeAll(t, page.In(t), keyboard.NewStyle, words, 1)
		for i, wrong := range misses {
			right := float64(counts[i]-len(wrong)) / float64(counts[i])
			t.Logf("%s: %d of %d = %.2f %%; not: %s", orders[i].name, counts[i]-len(wrong), counts[i], 100*right, strings.Join(wrong, "; "))
			if right < 0.998 {
				t.Errorf("%s: only %.2f %% of the words come out right", orders[i].name, 100*right)
			}
		}
	})
	t.Run("cases", func(t *testing.T) { checkCases(t, page.In(t)) })
	t.Run("a caret in the word", func(t *testing.T) { checkCarets(t, page.In(t)) })
	t.Run("variants to tap", func(t *testing.T) { checkVariants(t, page.In(t)) })
	t.Run("whatever is typed", func(t *testing.T) { checkMash(t, page.In(t)) })
	page.CheckConsole()
}

func checkCases(t *testing.T, page *browser.Page) {
	for _, c := range []struct{ keys, want string }{
		{"ddaay laf tieengs vieetj", "đây là tiếng việt"},
		{"ass offf ddd aaa eee ooo aww uww ww www", "as off dd aa ee oo aw uw w ww"}, // twice undoes
		{"baass tooisz hoafz", "bâs tôi hoa"},
		{"asf afs tosr", "à á tỏ"},               // the last tone counts
		{"aaw awa oow uoow uowo", "ă â ơ uơ uô"}, // so does the last mark
		{"windows web wifi facebook google email class soft black", "windows web wifi facebook google email class soft black"},
		{"test tesst passs booss", "tét test pass bôs"},                // what looks Vietnamese takes marks as everywhere
		{"tieengsk nghieengz thuongwq", "tieengsk nghieengz thuongwq"}, // what cannot be goes back to what was typed
		{"Ddaawngf DDAATS DDoongf NGUWOWIF Wow Uw", "Đằng ĐẤT Đồng NGƯỜI Ươ Ư"},
		{"HDDND QDD-UBND NDD UBNDDD add", "HĐND QĐ-UBND NĐ UBNDDD add"}, // abbreviations have no vowels
		{"Krong Kroong DDawks Lawks", "Krong Krông Đắk Lắk"},
		{"hoaf hoafn hoes thuys khuyur quys giaf giwowngf gif ngoaos mooocs xooong", "hoà hoàn hoé thuý khuỷu quý già giường gì ngoáo moóc xoong"},
		{"thuowr huow huown quowr quoocs uow", "thuở huơ hươn quở quốc uơ"},
	} {
		keys := strings.Fields(c.keys)
		if got := strings.Join(typed(t, page, keyboard.NewStyle, keys), " "); got != c.want {
			t.Errorf("%s\n is   %s\n want %s", c.keys, got, c.want)
		}
	}
}

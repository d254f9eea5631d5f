package keyboard_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
)

// place is a word with a caret, written with a bar: "to|an".
func place(word string) map[string]string {
	before, after, _ := strings.Cut(word, "|")
	return map[string]string{"before": before, "after": after}
}

func checkCarets(t *testing.T, page *browser.Page) {
	for _, c := range []struct{ word, keys, style, want string }{
		{"to|an", "s", "new", "to|án"},
		{"t|oan", "s", "new", "t|oán"},
		{"t|oan", "r", "new", "tr|oan"}, // a letter where there is room for one
		{"|oan", "t", "new", "t|oan"},
		{"ti|ng", "ee", "new", "tiê|ng"},
		{"tie|ng", "ses", "new", "tiês|ng"},
		{"hò|a", "", "new", "hò|a"},
		{"hòa|", "n", "new", "hoàn|"},
		{"hoà|", "s", "old", "hóa|"},
		{"duo|ng", "wf", "new", "dườ|ng"},
		{"d|uong", "d", "new", "đ|uong"},
		{"hoàn|", "<", "old", "hòa|"},
		{"hoàn|", "<", "new", "hoà|"},
		{"to|án", "<", "new", "t|án"},
		{"tiế|ng", "<", "new", "ti|ng"},
		{"tieengs|", "", "new", "tieengs|"},
		{"|", "tieengsk<", "new", "tiếng|"}, // one key less, and it is Vietnamese again
		{"|", "tieengsk<<<<", "new", "ti|"},
		{"Win|dows", "s", "new", "Wins|dows"},
		{"e\u0301|", "<", "new", "|"},
		{"ñ|", "<", "new", "|"},
		{"🙂|", "<", "new", "|"},
		{"👨‍👩‍👧|", "<", "new", "|"},
	} {
		got := asked[map[string]any](t, page, `return [...list.keys].reduce((w, key) => key === "<" ? m.erase(w, list.style) : m.type(w, key, list.style), list.word)`,
			map[string]any{"word": place(c.word), "keys": c.keys, "style": c.style})
		if text := got["before"].(string) + "|" + got["after"].(string); text != c.want {
			t.Errorf("%s %s (%s) is %s, want %s", c.word, c.keys, c.style, text, c.want)
		}
	}
}

func checkVariants(t *testing.T, page *browser.Page) {
	type offered struct{ Shapes, Tones []string }
	for _, c := range []struct{ word, shapes, tones string }{
		{"a|", "ă â", "a á à ả ã ạ"},
		{"duong|", "đuong duông dương", "duong duóng duòng duỏng duõng duọng"},
		{"đương|", "dương đuông", "đương đướng đường đưởng đưỡng đượng"},
		{"tieng|", "", "tiêng tiếng tiềng tiểng tiễng tiệng"}, // there is no "ieng"
		{"t|oan", "toăn", "toan toán toàn toản toãn toạn"},
		{"viet|", "", "viêt viết - - - việt"}, // before t only two tones are spoken
		{"Quy|", "", "Quy Quý Quỳ Quỷ Quỹ Quỵ"},
		{"HOA|", "HOĂ", "HOA HOÁ HOÀ HOẢ HOÃ HOẠ"},
		{"Krong|", "Krông", "Krong Króng Kròng Krỏng Krõng Krọng"},
		{"Playku|", "ư", "u ú ù ủ ũ ụ"}, // no syllable: the nearest vowel alone
		{"Pl|ayku", "ă â", "a á à ả ã ạ"},
		{"NBC|", "", ""},
		{"NDBC|", "Đ", ""},
		{"|", "", ""},
		{"d|", "đ", ""},
	} {
		got := asked[offered](t, page, `const v = m.variants(list); return {Shapes: v.shapes.map(s => s.label), Tones: v.tones.map(s => s?.label ?? "-")}`, place(c.word))
		if shapes, tones := strings.Join(got.Shapes, " "), strings.Join(got.Tones, " "); shapes != c.shapes || tones != c.tones {
			t.Errorf("%s offers %q and %q, want %q and %q", c.word, shapes, tones, c.shapes, c.tones)
		}
	}
}

// checkMash types at random and looks at what must hold whatever is typed.
func checkMash(outer *testing.T, page *browser.Page) {
	letters := rapid.SampledFrom(strings.Split("aaeeoouuiyywwddssffrrxxjjzbcghklmnpqtvADSWOE", ""))
	any := rapid.OneOf(rapid.SampledFrom(strings.Split("aăâeêioôơuưydđtnghctmàấểữỵqGiÔĐƯ", "")), rapid.SampledFrom([]string{"ñ", "ß", "é", "İ", "о", "字", "e\u0301", "a\u0323\u0302"}))
	type mash struct {
		Before string   `json:"before"`
		After  string   `json:"after"`
		Keys   []string `json:"keys"`
		Style  string   `json:"style"`
	}
	type text struct{ Before, After string }
	type told struct {
		Typed  []text // after each key
		Erased []text // after each backspace that followed
		Taps   []text // what variants of the last word would make of it
	}
	mashes := rapid.Custom(func(t *rapid.T) mash {
		one := mash{Style: rapid.SampledFrom([]string{"new", "old"}).Draw(t, "style"), Keys: rapid.SliceOfN(letters, 1, 14).Draw(t, "keys")}
		if rapid.Bool().Draw(t, "seeded") {
			one.Before = strings.Join(rapid.SliceOfN(any, 0, 6).Draw(t, "before"), "")
			one.After = strings.Join(rapid.SliceOfN(any, 0, 4).Draw(t, "after"), "")
		}
		return one
	})
	rapid.Check(outer, func(t *rapid.T) {
		list := rapid.SliceOfN(mashes, 12, 24).Draw(t, "list")
		answers := asked[[]told](outer, page, `return list.map(({before, after, keys, style}) => {
			let word = {before, after};
			const cut = ({before: Before, after: After}) => ({Before, After});
			const Typed = keys.map(key => cut(word = m.type(word, key, style)));
			if (!before && !after && m.compose("", keys.join(""), style) !== word.before) throw new Error("all at once differs: " + keys);
			const {shapes, tones} = m.variants(word, style), Taps = [...shapes.filter(v => v.before !== word.seed + word.keys), ...tones.filter(v => v)].map(cut);
			const Erased = [];
			while (word.before && Erased.length < 99) Erased.push(cut(word = m.erase(word, style)));
			return {Typed, Erased, Taps};
		})`, list)
		for i, told := range answers {
			one := list[i]
			last := text{norm.NFC.String(one.Before), norm.NFC.String(one.After)}
			for j, now := range told.Typed {
				key := strings.ToLower(one.Keys[j])
				if now == last {
					t.Fatalf("%+v: the key %d (%s) did nothing", one, j, key)
				}
				if !norm.NFC.IsNormalString(now.Before + now.After) {
					t.Fatalf("%+v: %q is not in NFC", one, now.Before+now.After)
				}
				last = now
			}
			if lost := lostLetter(norm.NFC.String(one.Before), norm.NFC.String(one.After), one.Keys, last.Before+last.After); lost != "" {
				t.Fatalf("%+v: %q has lost %s", one, last.Before+last.After, lost)
			}
			for _, tap := range told.Taps {
				if !norm.NFC.IsNormalString(tap.Before+tap.After) || bare(tap.Before) != bare(last.Before) || bare(tap.After) != bare(last.After) {
					t.Fatalf("%+v: a tap made %v of %v", one, tap, last)
				}
			}
			length := utf8.RuneCountInString(last.Before)
			for _, now := range told.Erased {
				left := utf8.RuneCountInString(now.Before)
				if left >= length || bare(now.After) != bare(last.After) || !norm.NFC.IsNormalString(now.Before+now.After) {
					t.Fatalf("%+v: backspace made %v of %v", one, now, last)
				}
				length, last = left, now
			}
			if last.Before != "" {
				t.Fatalf("%+v: %q is left before the caret", one, last.Before)
			}
		}
	})
}

// bare is a text without the marks and tones of Vietnamese, in small letters.
func bare(text string) string {
	text = norm.NFD.String(strings.ToLower(text))
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if strings.ContainsRune("\u0301\u0300\u0309\u0303\u0323\u0306\u0302\u031b", r) {
			return -1
		}
		if r == 'đ' {
			return 'd'
		}
		return r
	}, text))
}

// lostLetter answers what was lost: a letter that was typed and stands nowhere, though it can be no mark or tone, or something that stood
// there first. A w may stand as ư.
func lostLetter(before, after string, keys []string, got string) string {
	rest := []rune(bare(got))
	head, tail := []rune(bare(before)), []rune(bare(after))
	if len(rest) < len(head)+len(tail) || !slices.Equal(rest[:len(head)], head) || !slices.Equal(rest[len(rest)-len(tail):], tail) {
		return "what stood there first"
	}
	if !comeFrom(rest[len(head):len(rest)-len(tail)], keys) {
		return "a letter, or has one that was never typed"
	}
	return ""
}

// comeFrom tells whether letters are what keys wrote, in their order, where the keys left over can all be marks or tones.
func comeFrom(letters []rune, keys []string) bool {
	if len(keys) == 0 {
		return len(letters) == 0
	}
	key := []rune(strings.ToLower(keys[0]))[0]
	if len(letters) > 0 && (letters[0] == key || key == 'w' && letters[0] == 'u') && comeFrom(letters[1:], keys[1:]) {
		return true
	}
	return strings.ContainsRune("sfrxjzwaeod", key) && comeFrom(letters, keys[1:])
}

package keyboard

import (
	"strings"

	"github.com/hailong-vn/hailong/internal/language"
)

// view is what part.html draws.
type view struct {
	Name  string
	Style Style
	Kinds []kind
}

type kind struct {
	Kind        Kind
	First       bool
	Pad         bool   // of digits
	Typing      string // "vi" or "en"
	Strip, Hint string // of the strip of tones; "" = has none
	Slots       []struct{}
	Rows        [][]key
}

// key is one button. A key with two signs shows the second while the layer of signs is on.
type key struct {
	Sign, Other string // Other on a key without a sign is its label while what it does is off
	Does        string // what a key does that writes no sign: "shift", "erase", "space", "line", "done", "layer", "typing", "left", "right"
	Label       string // words on the key
	Name        string // for a screen reader, where the label says too little
	Toggle      bool   // it is on or off
	Class       string
	First       bool // the one that the Tab key reaches; arrows go on from there
}

// slots is how many variants of a word the strip has room for: four forms of its letters and six tones.
const slots = 10

func newView(lang language.Language, style Style, kinds []Kind) view {
	v := view{Name: lang.Text("kioskkeys.name"), Style: style}
	for i, k := range kinds {
		one := kind{Kind: k, First: i == 0, Typing: "en"}
		switch k {
		case Phone, Number:
			one.Pad, one.Rows = true, padRows(lang)
		case Text:
			one.Typing = string(lang)
			one.Strip, one.Hint, one.Slots = lang.Text("kioskkeys.strip"), lang.Text("kioskkeys.hint"), make([]struct{}, slots)
			one.Rows = letterRows(lang, k)
		default:
			one.Rows = append([][]key{signs("1234567890", "")}, letterRows(lang, k)...)
		}
		one.Rows[0][0].First = true
		v.Kinds = append(v.Kinds, one)
	}
	return v
}

// letterRows is the order of keys that every typewriter and telephone in Vietnam has.
func letterRows(lang language.Language, k Kind) [][]key {
	digits := "1234567890"
	if k == Plain { // which has a row of digits of its own
		digits = "~`<>[]{}|\\"
	}
	third := append([]key{{Does: "shift", Label: "⇧", Name: lang.Text("kioskkeys.shift"), Toggle: true, Class: "wide"}}, signs("zxcvbnm", "+=%?!*#")...)
	third = append(third, erase(lang))
	bottom := []key{{Does: "layer", Label: "123", Name: lang.Text("kioskkeys.signs"), Toggle: true, Class: "wide"}}
	if k == Text {
		bottom = append(bottom,
			key{Does: "typing", Label: "VI", Other: "EN", Name: lang.Text("kioskkeys.telex"), Toggle: true, Class: "wide"},
			key{Sign: ","}, space(lang), key{Sign: "."},
			key{Does: "line", Label: "↵", Name: lang.Text("kioskkeys.line")})
	} else {
		bottom = append(bottom, key{Sign: "-"}, key{Sign: "/"}, space(lang), key{Sign: ":"}, key{Sign: "."})
	}
	bottom = append(bottom,
		key{Does: "left", Label: "←", Name: lang.Text("kioskkeys.left")}, key{Does: "right", Label: "→", Name: lang.Text("kioskkeys.right")}, done(lang))
	return [][]key{signs("qwertyuiop", digits), signs("asdfghjkl", "-/:;()@&\""), third, bottom}
}

func padRows(lang language.Language) [][]key {
	return [][]key{
		signs("123", ""), signs("456", ""), signs("789", ""), {erase(lang), {Sign: "0"}, done(lang)},
	}
}

// signs are keys that write what stands on them; others are what they write while the layer of signs is on.
func signs(of, others string) []key {
	second := strings.Split(others, "")
	var keys []key
	for i, sign := range strings.Split(of, "") {
		k := key{Sign: sign}
		if i < len(second) {
			k.Other = second[i]
		}
		keys = append(keys, k)
	}
	return keys
}

func space(lang language.Language) key {
	return key{Does: "space", Label: lang.Text("kioskkeys.space"), Class: "space"}
}

func erase(lang language.Language) key {
	return key{Does: "erase", Label: "⌫", Name: lang.Text("kioskkeys.erase"), Class: "wide"}
}

func done(lang language.Language) key {
	return key{Does: "done", Label: lang.Text("kioskkeys.done"), Class: "wide main"}
}

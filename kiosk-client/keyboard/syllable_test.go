package keyboard_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/kiosk-client/keyboard"
)

// unit is a letter of a syllable as it is typed: its plain letter, the key that marks it, the key of the tone it carries.
type unit struct{ plain, mark, tone string }

// The tones: the sign that Unicode puts upon a letter, and the key of Telex.
var tones = []struct{ sign, key string }{{"", ""}, {"\u0301", "s"}, {"\u0300", "f"}, {"\u0309", "r"}, {"\u0303", "x"}, {"\u0323", "j"}}

var markKeys = map[string][2]string{"ă": {"a", "w"}, "â": {"a", "a"}, "ê": {"e", "e"}, "ô": {"o", "o"}, "ơ": {"o", "w"}, "ư": {"u", "w"}, "đ": {"d", "d"}}

// unitsOf takes a written word apart.
func unitsOf(word string) []unit {
	var units []unit
	for _, r := range norm.NFC.String(word) {
		letter := string(r)
		lower := strings.ToLower(letter)
		var u unit
		parts := norm.NFD.String(lower)
		for _, tone := range tones[1:] {
			if strings.Contains(parts, tone.sign) {
				u.tone, parts = tone.key, strings.Replace(parts, tone.sign, "", 1)
			}
		}
		u.plain = norm.NFC.String(parts)
		if keys, marked := markKeys[u.plain]; marked {
			u.plain, u.mark = keys[0], keys[1]
		}
		if lower != letter {
			u.plain = strings.ToUpper(u.plain)
		}
		units = append(units, u)
	}
	// oo is typed with a third o, which takes back the mark that the second made.
	for i := range units[:max(len(units)-1, 0)] {
		if o, next := units[i], units[i+1]; o.mark == "" && next.mark == "" && strings.EqualFold(o.plain, "o") && strings.EqualFold(next.plain, "o") {
			units[i+1].plain += "o"
		}
	}
	return units
}

func join(units []unit, write func(unit) string) string {
	var b strings.Builder
	for _, u := range units {
		b.WriteString(write(u))
	}
	return b.String()
}

func plain(u unit) string { return u.plain }
func tone(u unit) string  { return u.tone }

// marks are the keys that mark letters of the word, each once: one w is enough for ươ.
func marks(units []unit) string {
	var keys []string
	for _, u := range units {
		if u.mark != "" && !slices.Contains(keys, u.mark) {
			keys = append(keys, u.mark)
		}
	}
	return strings.Join(keys, "")
}

// orders are the ways in which people type a word by Telex.
var orders = []struct {
	name string
	keys func([]unit) string
}{
	{"each mark at once, the tone last (dduwowcj)", func(u []unit) string {
		return join(u, func(u unit) string { return u.plain + u.mark }) + join(u, tone)
	}},
	{"all letters, then marks, then the tone (duocdwj)", func(u []unit) string { return join(u, plain) + marks(u) + join(u, tone) }},
	{"all letters, then the tone, then marks (duocjdw)", func(u []unit) string { return join(u, plain) + join(u, tone) + marks(u) }},
	{"each mark at once, the tone right after its vowel (dduwowjc)", func(u []unit) string {
		return join(u, func(u unit) string { return u.plain + u.mark + u.tone })
	}},
	{"the tone right after its plain vowel, marks last (duojcdw)", func(u []unit) string {
		return join(u, func(u unit) string { return u.plain + u.tone }) + marks(u)
	}},
	{"the tone between a vowel and its mark (dduwojwc)", func(u []unit) string {
		return join(u, func(u unit) string { return u.plain + u.tone + u.mark })
	}},
	{"w alone as ư, one w for ươ (dduowcj, tw)", func(units []unit) string {
		var b strings.Builder
		for i, u := range units {
			switch next := min(i+1, len(units)-1); {
			case u.mark == "w" && u.plain == "u" && next > i && units[next].mark == "w":
				b.WriteString("u")
			case u.mark == "w" && u.plain == "u":
				b.WriteString("w")
			default:
				b.WriteString(u.plain + u.mark)
			}
		}
		return b.String() + join(units, tone)
	}},
	{"vowels together, then their marks and the tone, then the end (dduowjc)", func(units []unit) string {
		last := len(units) // where the end begins: behind the last vowel
		for last > 0 && !strings.ContainsAny(strings.ToLower(units[last-1].plain), "aeiouy") {
			last--
		}
		first := 0
		for first < last && !strings.ContainsAny(strings.ToLower(units[first].plain), "aeiouy") {
			first++
		}
		return join(units[:first], func(u unit) string { return u.plain + u.mark }) + join(units[first:last], plain) +
			marks(units[first:last]) + join(units, tone) + join(units[last:], func(u unit) string { return u.plain + u.mark })
	}},
}

// What Vietnamese syllables are made of. In each rime the letter that carries the tone is followed by a dot; where the styles differ, the old
// one's is followed by a comma.
const (
	onsetTable = `b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x`
	rimeTable  = `a. a.c a.ch a.i a.m a.n a.ng a.nh a.o a.p a.t a.u a.y ă.c ă.m ă.n ă.ng ă.p ă.t â.c â.m â.n â.ng â.p â.t â.u â.y
		e. e.c e.m e.n e.ng e.o e.p e.t ê. ê.ch ê.m ê.n ê.nh ê.p ê.t ê.u i. i.a i.ch i.m i.n i.nh i.p i.t i.u
		iê.c iê.m iê.n iê.ng iê.p iê.t iê.u yê.m yê.n yê.ng yê.t yê.u y.
		o. o.c o.i o.m o.n o.ng o.p o.t o,a. oa.c oa.ch oa.i oa.m oa.n oa.ng oa.nh oa.o oa.p oa.t oa.y oă.c oă.m oă.n oă.ng oă.t
		o,e. oe.m oe.n oe.o oe.t oo.c oo.ng ô. ô.c ô.i ô.m ô.n ô.ng ô.p ô.t ơ. ơ.i ơ.m ơ.n ơ.p ơ.t
		u. u.a u.c u.i u.m u.n u.ng u.p u.t uâ.n uâ.ng uâ.t uâ.y uê. uê.ch uê.n uê.nh uô.c uô.i uô.m uô.n uô.ng uô.t uơ.
		u,y. uy.a uy.ch uy.n uy.nh uy.p uy.t uy.u uyê.n uyê.t ư. ư.a ư.c ư.i ư.m ư.n ư.ng ư.t ư.u
		ươ.c ươ.i ươ.m ươ.n ươ.ng ươ.p ươ.t ươ.u`
)

// syllables makes every syllable that the spelling of Vietnamese allows, spoken by anybody or not.
func syllables(style keyboard.Style) []string {
	var all []string
	for _, onset := range append([]string{""}, strings.Fields(onsetTable)...) {
		for _, rime := range strings.Fields(rimeTable) {
			letters := []rune(strings.NewReplacer(".", "", ",", "").Replace(rime))
			if !spelled(onset, string(letters)) {
				continue
			}
			at := strings.Index(rime, ".")
			if comma := strings.Index(rime, ","); comma >= 0 {
				if style == keyboard.OldStyle {
					at = comma
				} else {
					rime = strings.Replace(rime, ",", "", 1)
					at = strings.Index(rime, ".")
				}
			}
			head, tail := rime[:at], strings.NewReplacer(".", "", ",", "").Replace(rime[at:])
			stopped := strings.HasSuffix(string(letters), "c") || strings.HasSuffix(string(letters), "ch") || strings.HasSuffix(string(letters), "p") || strings.HasSuffix(string(letters), "t")
			for i, tone := range tones {
				if stopped && i != 0 && i != 1 && i != 5 {
					continue
				}
				all = append(all, norm.NFC.String(onset+head+tone.sign+tail))
			}
		}
	}
	return all
}

// spelled tells whether an onset is written before a rime.
func spelled(onset, rime string) bool {
	first := string([]rune(rime)[0])
	front := strings.Contains("eêiy", first)
	switch onset {
	case "":
		return !strings.HasPrefix(rime, "iê")
	case "k", "gh", "ngh":
		return front && first != "y"
	case "c", "ng":
		return !front
	case "g":
		return !front || rime == "i" || rime == "in" || rime == "iêng" || rime == "iêt"
	case "gi":
		return !strings.Contains("iy", first) && rime != "oo" && !strings.HasPrefix(rime, "ê")
	case "qu":
		return !strings.Contains("uưoi", first) && !strings.HasPrefix(rime, "yê") && (rime[0] != 'y' || rime == "y") && !strings.HasPrefix(rime, "ô") || rime == "yên" || rime == "yêt" || rime == "ôc"
	}
	return !strings.HasPrefix(rime, "yê")
}

// dictionary is the word list of Debian's package hunspell-vi. It is not ours to hand on, so it is read where it is installed.
func dictionary(t *testing.T) []string {
	t.Helper()
	const path = "/usr/share/hunspell/vi_VN.dic"
	text, err := os.ReadFile(path)
	if err != nil {
		const missing = "the word list " + path + " is not on this machine; install Debian's hunspell-vi"
		if slices.Contains(strings.Split(os.Getenv("HAILONG_REQUIRE"), ","), "hunspell-vi") {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	var words []string
	for _, line := range strings.Split(string(text), "\n")[1:] { // the first says how many there are
		if word, _, _ := strings.Cut(strings.TrimSpace(line), "/"); word != "" {
			words = append(words, norm.NFC.String(word))
		}
	}
	return words
}

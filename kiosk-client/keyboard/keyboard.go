// Package keyboard is the on-screen keyboard of the kiosk: Telex and a strip of tones to tap for Vietnamese, plain letters for
// codes and addresses, a pad of digits for telephone numbers and PINs.
//
// A screen that wants it does four things:
//
//   - It serves Assets under one folder, say /keyboard/, and names two of the files in its head. Both live under the content policy
//     default-src 'self'; the script is a module and needs no call:
//
//     <link rel="stylesheet" href="/keyboard/keyboard.css"><script type="module" src="/keyboard/keyboard.js"></script>
//
//   - It puts Part where the keyboard shall stand, once a page. What is drawn does not change its size afterwards.
//
//   - It marks each field that the keyboard may write into with the kind of keys, and keeps the machine's own keyboard away:
//
//     <textarea name="comment" data-keyboard="text" inputmode="none" maxlength="2000" autofocus></textarea>
//     <input name="phone" type="tel" data-keyboard="phone" inputmode="none">
//
//   - It reads the field as any form does. Text is in NFC. A telephone number has spaces between its groups, as it is shown:
//     Digits takes them off.
//
// The keys serve the field that has, or had last, the focus; before any had it, the first marked one on the page. Keys of a kind that
// Part was not given never show. A field keeps its focus and its caret while keys are tapped, and is told of every change by an
// "input" event as by a real keyboard; maxlength, readonly and disabled are obeyed. Real keyboards go on working beside it, and scanners.
//
// "Xong" goes to the next marked field of the form and sends the form from the last. Before that the field gets the event
// "keyboard:done", which bubbles; a screen that cancels it (preventDefault) decides by itself.
//
// Colours come from the variables --kb-ground, --kb-key, --kb-ink, --kb-soft, --kb-edge, --kb-accent and --kb-accent-ink, the height of
// a key from --kb-size; keyboard.css gives each a value for light, dark and high contrast.
package keyboard

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"strings"

	"github.com/hailong-vn/hailong/internal/language"
)

// Kind is a set of keys; its value is what a field's data-keyboard says.
type Kind string

// The kinds.
const (
	Text   Kind = "text"   // Vietnamese words by Telex or by the strip of tones; one key switches to English and back
	Plain  Kind = "plain"  // letters, digits and signs as they are: codes, addresses
	Phone  Kind = "phone"  // a telephone number: digits, shown in groups
	Number Kind = "number" // digits as they are: PINs, numbers of a ticket
)

// Style is where the tone of the open rimes oa, oe and uy stands.
type Style string

// The styles. Both are in use; schoolbooks and official texts since the 1980s have the new one.
const (
	NewStyle Style = "new" // hoà, khoẻ, thuý
	OldStyle Style = "old" // hòa, khỏe, thúy
)

// StyleOf answers the style that a kiosk's configuration asks for by its new_tone_style.
func StyleOf(newToneStyle bool) Style {
	if newToneStyle {
		return NewStyle
	}
	return OldStyle
}

//go:embed assets/*.js assets/*.css
var assets embed.FS

//go:embed part.html
var source string

var part = template.Must(template.New("part").Parse(source))

// Assets holds keyboard.css, keyboard.js, and the modules telex.js and phone.js that keyboard.js loads from beside it. The screen serves
// all of them, the scripts as text/javascript.
func Assets() fs.FS {
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return files
}

// Part draws the keyboard with its words in a language, for the kinds of keys that the page's fields ask for. Kinds lie upon each other, so
// that nothing moves when another field gets the focus; the first is seen first. Vietnamese is typed in both languages: language is
// that of the words on the keys. Text of an English page begins with Telex off.
func Part(lang language.Language, style Style, kinds ...Kind) template.HTML {
	var b bytes.Buffer
	if err := part.Execute(&b, newView(lang, style, kinds)); err != nil {
		panic(err) // the template and all it is given stand in this package
	}
	return template.HTML(b.String()) //nolint:gosec // html/template made it
}

// Digits takes off what a telephone number is shown with: spaces, dots, dashes, brackets. It does not judge what is left.
func Digits(shown string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		if strings.ContainsRune(" .-()\u00a0", r) {
			return -1
		}
		return r
	}, shown)
}

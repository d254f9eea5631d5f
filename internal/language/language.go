// Package language holds every word a person reads: one folder of JSON catalogues a language, Vietnamese first.
// Code names a text by its key; no text stands in code.
package language

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	textlanguage "golang.org/x/text/language"
)

// Language is one of the languages spoken here.
type Language string

// The languages. Vietnamese is the default wherever nobody asked for another.
const (
	Vietnamese Language = "vi"
	English    Language = "en"
)

// All lists the languages, the default first.
var All = []Language{Vietnamese, English}

//go:embed vi/*.json en/*.json
var files embed.FS

var catalogues = load()

// load runs once at start: a catalogue that does not parse is a programming fault and stops the program.
func load() map[Language]map[string]string {
	all := map[Language]map[string]string{}
	for _, language := range All {
		all[language] = map[string]string{}
		names, err := fs.Glob(files, string(language)+"/*.json")
		if err != nil {
			panic(err)
		}
		for _, name := range names {
			data, err := files.ReadFile(name)
			if err != nil {
				panic(err)
			}
			texts := map[string]string{}
			if err := json.Unmarshal(data, &texts); err != nil {
				panic(fmt.Sprintf("catalogue %s: %v", name, err))
			}
			for key, text := range texts {
				if _, twice := all[language][key]; twice {
					panic(fmt.Sprintf("catalogue %s: %q stands twice", name, key))
				}
				all[language][key] = text
			}
		}
	}
	return all
}

// Text answers the words of a key; args are pairs of a name and a value that replace {name}.
// A key that is missing answers itself, so that a screen never breaks; a test keeps keys complete.
func (l Language) Text(key string, args ...any) string {
	text, ok := catalogues[l][key]
	if !ok {
		if text, ok = catalogues[Vietnamese][key]; !ok {
			return key
		}
	}
	if len(args) == 0 {
		return text
	}
	return fill(text, args)
}

// fill puts values in the place of their names, once over the text: what a value holds is never taken for a name.
func fill(text string, args []any) string {
	var b strings.Builder
	b.Grow(len(text) + 16*len(args))
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		value, known := "", false
		for i := 0; closed && i+1 < len(args) && !known; i += 2 {
			if known = fmt.Sprint(args[i]) == name; known {
				value = fmt.Sprint(args[i+1])
			}
		}
		if !known {
			b.WriteByte('{')
			text = rest
			continue
		}
		b.WriteString(value)
		text = after
	}
}

var matcher = textlanguage.NewMatcher([]textlanguage.Tag{textlanguage.Vietnamese, textlanguage.English})

// Accepted picks the language for an Accept-Language header, Vietnamese where it says nothing known.
func Accepted(header string) Language {
	tags, _, err := textlanguage.ParseAcceptLanguage(header)
	if err != nil || len(tags) == 0 {
		return Vietnamese
	}
	_, index, confidence := matcher.Match(tags...)
	if confidence == textlanguage.No {
		return Vietnamese
	}
	return All[index]
}

// Number writes a number with so many decimals as the language does: a decimal comma and dots between thousands in
// Vietnamese, the other way round in English.
func (l Language) Number(value float64, decimals int) string {
	text := strconv.FormatFloat(value, 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	point, group := ",", "."
	if l == English {
		point, group = ".", ","
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + group + whole[i:]
	}
	if fraction != "" {
		whole += point + fraction
	}
	return sign + whole
}

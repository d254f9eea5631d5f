package unit

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/searchtext"
)

// Limits of a search: what a person types is short.
const (
	maxQuery      = 200 // bytes, cut
	maxQueryWords = 16
	defaultFound  = 20
)

// entry is what is searched of a unit. Texts are folded, with a space before the first word and after the last, so that
// " "+word finds words by their beginning.
type entry struct {
	unit   *Unit
	code   string // folded, of today or nearest
	codes  string // " 00004 04 ", of all times
	name   string // of today or nearest
	others string // earlier names and English ones
	level  string
	ended  bool // not there today
	depth  int
	parent int32 // as counted today, or top
}

func (t *Tree) index() []entry {
	view := t.todays().view
	entries := make([]entry, len(t.ids))
	for _, position := range view.order { // parents come first
		u := t.forest.units[t.ids[position]]
		near := u.Near(t.today)
		e := entry{unit: u, code: searchtext.Fold(near.Code), name: padded(near.Folded), level: near.Level, parent: view.parent[position]}
		_, there := u.At(t.today)
		e.ended = !there
		if e.parent >= 0 {
			e.depth = entries[e.parent].depth + 1
		}
		for _, era := range u.Eras {
			if era.Code != "" {
				e.codes += padded(searchtext.Fold(era.Code))
			}
			if era.Folded != near.Folded {
				e.others += padded(era.Folded)
			}
			if english := searchtext.Fold(era.NameEN); english != "" && english != near.Folded {
				e.others += padded(english)
			}
		}
		entries[position] = e
	}
	return entries
}

func padded(s string) string { return " " + s + " " }

// How well a unit answers a query, best first.
const (
	exactCode   = iota
	exactName   // "xa thach ha"
	endOfName   // "thach ha": the name without the word for its kind
	wholeWords  // the words as they stand, side by side
	beginWords  // the same, the last word only begun
	eachWord    // every word begins one of the name's, in any order
	otherName   // an earlier name, an English name, the beginning of a code
	withParents // some words are those of units above: "ba dinh ha noi"
	noMatch
)

// Search finds units by code or name, with or without diacritics, words in any order and the last one only begun. The
// best come first, and where diacritics were typed, names that have them; equals stand in a fixed order (units of today first, then nearer the top, then by name). Ended
// units are found too. limit 0 = 20.
func (t *Tree) Search(query string, limit int) []Unit {
	if limit <= 0 {
		limit = defaultFound
	}
	if len(query) > maxQuery {
		query = strings.ToValidUTF8(query[:maxQuery], "")
	}
	words := searchtext.Words(query)
	if len(words) == 0 {
		return nil
	}
	words = words[:min(len(words), maxQueryWords)]
	phrase := strings.Join(words, " ")
	spoken := strings.ToLower(norm.NFC.String(strings.Join(strings.Fields(query), " ")))
	marked := spoken != phrase // typed with diacritics: names that have them come before names that do not
	type hit struct {
		*entry
		quality int
		unlike  bool
	}
	var hits []hit
	entries := t.searchable()
	for i := range entries {
		if quality := match(entries, &entries[i], words, phrase); quality < noMatch {
			unlike := marked && !strings.Contains(strings.ToLower(entries[i].unit.Near(t.today).Name), spoken)
			hits = append(hits, hit{&entries[i], quality, unlike})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(
			boolCompare(a.unlike, b.unlike), cmp.Compare(a.quality, b.quality), boolCompare(a.ended, b.ended), cmp.Compare(a.depth, b.depth),
			cmp.Compare(len(a.name), len(b.name)), cmp.Compare(a.name, b.name), cmp.Compare(a.code, b.code), cmp.Compare(a.unit.ID, b.unit.ID))
	})
	found := make([]Unit, min(limit, len(hits)))
	for i := range found {
		found[i] = *hits[i].unit
	}
	return found
}

func match(entries []entry, e *entry, words []string, phrase string) int {
	switch {
	case e.code != "" && e.code == phrase:
		return exactCode
	case len(e.name) == len(phrase)+2 && e.name[1:len(e.name)-1] == phrase:
		return exactName
	}
	if at := strings.Index(e.name, " "+phrase); at >= 0 {
		switch rest := e.name[at+1+len(phrase):]; {
		case rest == " ":
			return endOfName
		case strings.Contains(e.name, padded(phrase)):
			return wholeWords
		}
		return beginWords
	}
	own, other, above := 0, 0, 0
	for _, word := range words {
		begun := " " + word
		switch {
		case strings.Contains(e.name, begun):
			own++
		case strings.Contains(e.others, begun), strings.Contains(e.codes, begun):
			other++
		case inParents(entries, e, begun):
			above++
		default:
			return noMatch
		}
	}
	switch {
	case own == len(words):
		return eachWord
	case above == 0:
		return otherName
	case own+other == 0: // only the units above are meant
		return noMatch
	}
	return withParents
}

func inParents(entries []entry, e *entry, begun string) bool {
	for p := e.parent; p >= 0; p = entries[p].parent {
		if strings.Contains(entries[p].name, begun) || strings.Contains(entries[p].others, begun) {
			return true
		}
	}
	return false
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

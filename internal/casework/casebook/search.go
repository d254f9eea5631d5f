package casebook

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/searchtext"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
)

// narrow is how many units a subtree has at most whose cases are walked through; of more, the texts that hold the longest of the words
// are read. A common word is in a third of all texts of a country, so in a commune the walk looks at fewer.
const narrow = 40

func (q *query) wide() bool {
	return q.Unit == "" || len(q.book.options.Tree().SubtreeToday(q.Unit)) > narrow
}

// ofWords reads the texts that hold the longest of the words, the newest first.
func (q *query) ofWords() stream {
	term := slices.MaxFunc(q.terms, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	tree := q.book.options.Tree()
	return func(ctx context.Context, from place) iter.Seq2[hit, error] {
		query := store.Query{Index: "words", Equal: []any{term}, Desc: true, After: from.At}
		return func(yield func(hit, error) bool) {
			for doc, err := range inChunks(ctx, q.book.words, query, 4*q.limit) {
				h := hit{skip: true}
				if err == nil && holds(doc.Value.Words, q.terms) && (q.Unit == "" || top(tree, doc.Value.Unit) == top(tree, q.Unit)) {
					h, err = q.of(ctx, doc.Value.Case)
					if err == nil && !h.skip {
						h.skip, err = q.another(ctx, h.document, doc.Value)
					}
				}
				h.place = func() place { return place{At: doc.Cursor} }
				if !yield(h, err) || err != nil {
					return
				}
			}
		}
	}
}

// top is the highest unit with which one counts today. Texts of cases that were received under another top are not looked at: a case is put
// in charge of a unit of its own province.
func top(tree *unit.Tree, id string) string {
	id = tree.PlaceToday(id)
	if above := tree.Ancestors(id); len(above) > 0 {
		return above[len(above)-1].ID
	}
	return id
}

// of is the hit of a case's id.
func (q *query) of(ctx context.Context, id string) (hit, error) {
	q.looked++ // it costs a reading of its own
	d, there, err := q.book.find(ctx, id)
	if err != nil || !there {
		return hit{skip: true}, err
	}
	takes, err := q.takes(ctx, d)
	return hit{document: d, skip: !takes}, err
}

// another tells that a later text of the case holds the words too, and was listed for it.
func (q *query) another(ctx context.Context, d document, w wordsDoc) (bool, error) {
	if w.Kind == saidOpening && !d.More && !slices.ContainsFunc(d.History, func(e casework.Entry) bool { return e.Event.Private != "" }) {
		return d.Said != w.ID, nil // there is no other
	}
	all, err := q.book.wordsOf(ctx, d)
	if err != nil {
		return false, err
	}
	for _, other := range slices.Backward(all) {
		if holds(other.Words, q.terms) {
			return other.ID != w.ID, nil
		}
	}
	return true, nil // no text the case names
}

// said tells whether the words stand in the title of a case or in what was said, all of them in one text.
func (q *query) said(ctx context.Context, d document) (bool, error) {
	if holds(searchtext.Words(d.Title), q.terms) {
		return true, nil
	}
	q.looked++
	all, err := q.book.wordsOf(ctx, d)
	return slices.ContainsFunc(all, func(w wordsDoc) bool { return holds(w.Words, q.terms) }), err
}

func holds(words, terms []string) bool {
	return !slices.ContainsFunc(terms, func(term string) bool { return !slices.Contains(words, term) })
}

// phoneKey is the index, and the value in it, by which a number or its last four digits are found.
func (b *Book) phoneKey(text string) (index, key string, err error) {
	_, digits := phoneDigits(text)
	if len(digits) == 4 {
		return "last_four", b.blind("last", digits), nil
	}
	if phone, ok := NormalPhone(text); ok {
		return "phones", b.blind("number", phone), nil
	}
	return "", "", fault.New(fault.Invalid, "casebook_phone")
}

// ofContacts reads the contacts with a number, the newest first.
func (q *query) ofContacts(index, key string) stream {
	return func(ctx context.Context, from place) iter.Seq2[hit, error] {
		query := store.Query{Index: index, Equal: []any{key}, Desc: true, After: from.At}
		return func(yield func(hit, error) bool) {
			for doc, err := range inChunks(ctx, q.book.contacts, query, q.limit+1) {
				h := hit{skip: true}
				if err == nil {
					h, err = q.of(ctx, doc.Value.Case)
					h.skip = h.skip || h.Reach != doc.Value.ID
				}
				h.place = func() place { return place{At: doc.Cursor} }
				if !yield(h, err) || err != nil {
					return
				}
			}
		}
	}
}

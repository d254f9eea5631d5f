package casebook

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

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

// ofWords reads the texts that hold the rarest of the words, the newest first.
func (q *query) ofWords() stream {
	tree := q.book.options.Tree()
	return func(ctx context.Context, from place) iter.Seq2[hit, error] {
		return func(yield func(hit, error) bool) {
			term := from.Term
			if !slices.Contains(q.terms, term) {
				rarest, err := q.rarest(ctx)
				if err != nil {
					yield(hit{}, err)
					return
				}
				term, from.At = rarest, ""
			}
			query := store.Query{Index: "words", Equal: []any{term}, Desc: true, After: from.At}
			for item, err := range inChunks(ctx, q.book.rawWords, query, 4*q.limit) {
				h := hit{skip: true}
				if err == nil && q.promises(item, tree) {
					h, err = q.ofText(ctx, item)
				}
				h.place = func() place { return place{At: item.Cursor, Term: term} }
				if !yield(h, err) || err != nil {
					return
				}
			}
		}
	}
}

// sampled is how many texts of a word are read to tell how rare it is, and compared how many words are.
const (
	sampled  = 20
	compared = 4
)

// rarest answers the word of which a few texts reach back the furthest: there are the least of it lately.
func (q *query) rarest(ctx context.Context) (string, error) {
	terms := slices.SortedStableFunc(slices.Values(q.terms), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	if len(terms) == 1 {
		return terms[0], nil
	}
	best, furthest := terms[0], time.Time{}
	for i, term := range terms[:min(len(terms), compared)] {
		read, last := 0, time.Time{}
		for item, err := range q.book.rawWords.Find(ctx, store.Query{Index: "words", Equal: []any{term}, Desc: true, Limit: sampled}) {
			if err != nil {
				return "", err
			}
			read++
			last, _ = bson.Raw(item.Body).Lookup("at").TimeOK()
		}
		if read < sampled { // all there are
			return term, nil
		}
		if i == 0 || last.Before(furthest) {
			best, furthest = term, last
		}
	}
	return best, nil
}

// promises tells whether a text holds all words and may be of a case of the subtree.
func (q *query) promises(item store.Item, tree *unit.Tree) bool {
	body := bson.Raw(item.Body)
	list, ok := body.Lookup("words").ArrayOK()
	if !ok || slices.ContainsFunc(q.terms, func(term string) bool { return !listed(list, term) }) {
		return false
	}
	of, _ := body.Lookup("unit").StringValueOK()
	return q.Unit == "" || top(tree, of) == top(tree, q.Unit)
}

// ofText is the hit of a text.
func (q *query) ofText(ctx context.Context, item store.Item) (hit, error) {
	var w wordsDoc
	if err := store.Decode(item.Body, &w); err != nil {
		return hit{skip: true}, err
	}
	return q.of(ctx, w.Case, func(_ glance, d document) (bool, error) { return q.another(ctx, d, w) })
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

// of is the hit of a case's id, unless it is to be left out.
func (q *query) of(ctx context.Context, id string, leave func(glance, document) (bool, error)) (hit, error) {
	q.looked++ // it costs a reading of its own
	item, err := q.book.raw.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return hit{skip: true}, nil
	}
	if err != nil {
		return hit{skip: true}, err
	}
	g := glanceAt(item)
	if !q.passes(g) {
		return hit{glance: g, skip: true}, nil
	}
	d, err := g.document()
	if err != nil {
		return hit{skip: true}, err
	}
	left, err := leave(g, d)
	return hit{glance: g, skip: left}, err
}

// another tells that a later text of the case holds the words too, and was listed for it.
func (q *query) another(ctx context.Context, d document, w wordsDoc) (bool, error) {
	if w.Kind == saidOpening && !d.More {
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
func (q *query) said(ctx context.Context, g glance) (bool, error) {
	if !g.mayHold(q.marks) {
		return false, nil
	}
	d, err := g.document()
	if err != nil {
		return false, err
	}
	if holds(searchtext.Words(d.Title), q.terms) {
		return true, nil
	}
	q.looked++
	all, err := q.book.wordsOf(ctx, d)
	return slices.ContainsFunc(all, func(w wordsDoc) bool { return holds(w.Words, q.terms) }), err
}

// A case keeps two bytes for each word of its opening, made under a key: too little to tell a word by, and enough to know of most
// cases that they do not hold one. They go when the words are erased.
const markSize = 2

func (b *Book) marks(words []string) []byte {
	var out []byte
	for _, word := range words {
		out = append(out, b.content.Sum([]byte("word/" + word))[:markSize]...)
	}
	return out
}

// mayHold tells whether the texts of a case may hold all words that have these marks.
func (g glance) mayHold(marks []byte) bool {
	mine := g.bytes("marks")
	for want := range slices.Chunk(marks, markSize) {
		found := false
		for mark := range slices.Chunk(mine, markSize) {
			if found = bytes.Equal(mark, want); found {
				break
			}
		}
		if !found {
			return g.more()
		}
	}
	return true
}

// more tells that something was said after the opening.
func (g glance) more() bool {
	more, _ := bson.Raw(g.item.Body).Lookup("more").BooleanOK()
	return more
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
			for item, err := range inChunks(ctx, q.book.rawContacts, query, q.limit+1) {
				h := hit{skip: true}
				if err == nil {
					of, _ := bson.Raw(item.Body).Lookup("case").StringValueOK()
					h, err = q.of(ctx, of, func(g glance, d document) (bool, error) {
						if d.Reach != item.ID {
							return true, nil
						}
						if len(q.terms) == 0 {
							return false, nil
						}
						said, err := q.said(ctx, g)
						return !said, err
					})
				}
				h.place = func() place { return place{At: item.Cursor} }
				if !yield(h, err) || err != nil {
					return
				}
			}
		}
	}
}

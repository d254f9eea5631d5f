package casebook

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash/fnv"
	"iter"
	"slices"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/searchtext"
	"github.com/hailong-vn/hailong/internal/store"
)

// Filter says which cases to list. The zero Filter is all of them. What is given must all hold.
type Filter struct {
	Unit          string           // whose subtree the receiving unit or the one in charge stands in; "" = everywhere
	States        []casework.State // any of these; none = all
	Waiting       bool             // only what is open
	Late          bool             // only what is late today: see Kept.Late
	ResultMissing bool             // only what the register has no result of yet
	Source        casework.Source  // "" = all
	From, To      localday.Day     // received on, inclusive; "" = open
	Official      string           // only what is about this official
	Asked         string           // only what this official is asked to explain
	Assigned      string           // only what a unit of this one's subtree is in charge of
	Text          string           // words of the title or of what the citizen said, with or without diacritics, all of them
	Phone         string           // a whole number in any form, or its last four digits
	Number        casework.Number  // only the one of this number
}

// Limits of a list.
const (
	MaxPage  = 1000
	maxLook  = 800 // documents looked at for one page; what is looked for among many may come in several short pages
	maxTerms = 12
)

// Page is a page of a list.
type Page struct {
	Cases []Kept
	Next  store.Cursor // where the next page goes on; "" = there is none. A page may hold fewer cases than asked for and still have a next one.
}

// List answers a page of cases, limit at most (0 = 50). What is open comes with the most urgent first; where the filter lets what is
// ended through too, the newest first. Invalid "casebook_page", "casebook_phone".
func (b *Book) List(ctx context.Context, f Filter, after store.Cursor, limit int) (Page, error) {
	if limit <= 0 {
		limit = 50
	}
	q := query{Filter: f, book: b, limit: min(limit, MaxPage), today: b.today(), states: f.states()}
	if f.Text != "" {
		q.terms = searchtext.Words(f.Text)
		q.terms = q.terms[:min(len(q.terms), maxTerms)]
		if len(q.terms) == 0 {
			return Page{}, nil
		}
		q.marks = b.marks(q.terms)
	}
	if f.Number != (casework.Number{}) {
		return q.numbered(ctx)
	}
	if len(q.states) == 0 {
		return Page{}, nil
	}
	source, err := q.plan()
	if err != nil {
		return Page{}, err
	}
	page, err := q.read(ctx, source, after)
	if errors.Is(err, store.ErrInvalid) {
		return Page{}, fault.New(fault.Invalid, "casebook_page").Because(err)
	}
	return page, told("list cases", err)
}

func (b *Book) today() localday.Day {
	today, _ := localday.Of(b.now())
	return today
}

// states are those a filter lets through.
func (f Filter) states() []casework.State {
	return slices.DeleteFunc(casework.States(), func(s casework.State) bool {
		c := casework.Case{State: s}
		return len(f.States) > 0 && !slices.Contains(f.States, s) || f.Waiting && s.Terminal() || (f.Late || f.ResultMissing) && !c.ResultMissing()
	})
}

// query is a filter at work.
type query struct {
	Filter
	book   *Book
	limit  int
	today  localday.Day
	states []casework.State
	terms  []string // folded
	marks  []byte   // of the terms
	looked int
}

func (q *query) numbered(ctx context.Context) (Page, error) {
	k, err := q.book.ByNumber(ctx, q.Number)
	if fault.Is(err, fault.NotFound) {
		return Page{}, nil
	}
	if err != nil {
		return Page{}, err
	}
	item, err := q.book.raw.Get(ctx, k.ID)
	if err != nil {
		return Page{}, told("read a case", err)
	}
	takes, err := q.takes(ctx, glanceAt(item))
	if err != nil || !takes {
		return Page{}, err
	}
	return Page{Cases: []Kept{k}}, nil
}

// hit is a document that was read for a list.
type hit struct {
	glance
	skip  bool         // it does not belong to the list, or not here
	again bool         // an earlier page looked at it
	place func() place // where to go on after it
}

// stream reads one range of an index from a place on, in the order of the list.
type stream func(ctx context.Context, from place) iter.Seq2[hit, error]

// plan chooses the index that leaves the least to look at.
func (q *query) plan() (stream, error) {
	open := !slices.ContainsFunc(q.states, casework.State.Terminal)
	switch {
	case q.Phone != "":
		index, key, err := q.book.phoneKey(q.Phone)
		return q.ofContacts(index, key), err
	case q.Asked != "" && open:
		return q.waiting(byAsked, q.Asked), nil
	case q.Asked != "":
		return q.ofCases(store.Query{Index: byAsked, Equal: []any{q.Asked}, Desc: true}), nil
	case q.Official != "":
		return q.opened(byAbout, q.Official), nil
	case len(q.terms) > 0 && q.wide():
		return q.ofWords(), nil
	case len(q.terms) > 0:
		return q.opened(byOpened, q.Unit), nil
	case open:
		return q.waiting(byWaits, q.Unit), nil
	}
	return q.opened(byOpened, q.Unit), nil
}

// opened reads everything under a key, the newest first.
func (q *query) opened(index, key string) stream {
	query := store.Query{Index: index, Equal: []any{key}, Desc: true}
	if q.From != "" {
		query.From = q.From.Start()
	}
	if q.To != "" {
		query.To = q.To.Add(1).Start()
	}
	return q.ofCases(query)
}

func (q *query) ofCases(query store.Query) stream {
	return func(ctx context.Context, from place) iter.Seq2[hit, error] {
		query.After = from.At
		return func(yield func(hit, error) bool) {
			for item, err := range inChunks(ctx, q.book.raw, query, q.limit+1) {
				h := hit{glance: glanceAt(item), place: func() place { return place{At: item.Cursor} }}
				if err == nil {
					var takes bool
					takes, err = q.takes(ctx, h.glance)
					h.skip = !takes
				}
				if !yield(h, err) || err != nil {
					return
				}
			}
		}
	}
}

// inChunks reads a query in pieces, so that an engine hands over no more than is needed: first so many documents, then more.
func inChunks(ctx context.Context, docs store.Documents, query store.Query, first int) iter.Seq2[store.Item, error] {
	return func(yield func(store.Item, error) bool) {
		for query.Limit = first; ; query.Limit = min(2*query.Limit, maxChunk) {
			read := 0
			for item, err := range docs.Find(ctx, query) {
				if !yield(item, err) || err != nil {
					return
				}
				read++
				query.After = item.Cursor
			}
			if read < query.Limit {
				return
			}
		}
	}
}

const maxChunk = 400

// passes tells whether a case passes all of the filter but its words.
func (q *query) passes(g glance) bool {
	if q.Unit != "" && !g.holds("above", q.Unit) || !slices.Contains(q.states, casework.State(g.text("state"))) || q.Late && (g.due == "" || g.due >= q.today) ||
		q.Source != "" && g.text("source") != string(q.Source) || q.Official != "" && !g.holds("about", q.Official) || q.Asked != "" && !g.holds("asked", q.Asked) {
		return false
	}
	if q.Assigned != "" {
		if assigned := g.text("assigned"); assigned == "" || !q.book.options.Tree().Within(assigned, q.Assigned) {
			return false
		}
	}
	if q.From == "" && q.To == "" {
		return true
	}
	opened := g.opened()
	return opened >= q.From && (q.To == "" || opened <= q.To)
}

// takes tells whether a case passes all of the filter.
func (q *query) takes(ctx context.Context, g glance) (bool, error) {
	passes := q.passes(g)
	if passes && len(q.terms) > 0 {
		return q.said(ctx, g)
	}
	return passes, nil
}

// place is where a page ended. Of what waits it also says what was held back (see waiting), of a search by which word it goes.
type place struct {
	Of   uint64       `json:"f"` // the filter
	At   store.Cursor `json:"c"`
	Read rung         `json:"r,omitzero"`
	Held rung         `json:"h,omitzero"`
	Term string       `json:"t,omitempty"` // the word whose texts are read, of a search
}

func (q *query) mark() uint64 {
	h := fnv.New64a()
	text, _ := json.Marshal(q.Filter) // plain fields
	_, _ = h.Write(text)              // never fails
	return h.Sum64()
}

func (q *query) resume(after store.Cursor) (place, error) {
	var at place
	if after == "" {
		return at, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(string(after))
	if err == nil {
		err = json.Unmarshal(raw, &at)
	}
	if err != nil || at.Of != q.mark() {
		return at, fault.New(fault.Invalid, "casebook_page")
	}
	return at, nil
}

func (q *query) at(p place) (store.Cursor, error) {
	p.Of = q.mark()
	raw, err := json.Marshal(p)
	return store.Cursor(base64.RawURLEncoding.EncodeToString(raw)), err
}

// read makes a page of a stream.
func (q *query) read(ctx context.Context, source stream, after store.Cursor) (Page, error) {
	from, err := q.resume(after)
	if err != nil {
		return Page{}, err
	}
	var page Page
	last := func() place { return from }
	for h, err := range source(ctx, from) {
		if err != nil {
			return Page{}, err
		}
		takes := !h.skip && !slices.ContainsFunc(page.Cases, func(k Kept) bool { return k.ID == h.id })
		if takes && len(page.Cases) == q.limit || q.looked >= maxLook {
			page.Next, err = q.at(last())
			return page, err
		}
		if takes {
			d, err := h.document()
			if err != nil {
				return Page{}, err
			}
			page.Cases = append(page.Cases, d.kept())
		}
		if last = h.place; !h.again {
			q.looked++
		}
	}
	return page, nil
}

// Register answers the register of a receiving unit and year in the order of its numbers.
func (b *Book) Register(ctx context.Context, unitID string, year int, after store.Cursor, limit int) (Page, error) {
	if limit <= 0 {
		limit = 50
	}
	docs, next, err := b.cases.Page(ctx, store.Query{Index: byNumber, Equal: []any{unitID, year}, After: after}, min(limit, MaxPage))
	if errors.Is(err, store.ErrInvalid) {
		return Page{}, fault.New(fault.Invalid, "casebook_page").Because(err)
	}
	if err != nil {
		return Page{}, told("read a register", err)
	}
	return Page{Cases: keptAll(docs), Next: next}, nil
}

// LastNumber is the highest number in the register of a receiving unit and year; 0 where it is empty. As there are no gaps, it is how
// many cases stand in it.
func (b *Book) LastNumber(ctx context.Context, unitID string, year int) (int, error) {
	doc, err := b.numbers.First(ctx, store.Query{Index: byNumber, Equal: []any{unitID, year}, Desc: true})
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return doc.Value.Number.N, told("read a register", err)
}

func keptAll(docs []document) []Kept {
	out := make([]Kept, len(docs))
	for i, d := range docs {
		out[i] = d.kept()
	}
	return out
}

// ByRating answers the cases that hold a rating, by its record id (rating.RecordID).
func (b *Book) ByRating(ctx context.Context, recordID string) ([]Kept, error) {
	docs, _, err := b.cases.Page(ctx, store.Query{Index: byRating, Equal: []any{recordID}}, MaxPage)
	return keptAll(docs), told("find cases of a rating", err)
}

// HeldRatings answers which of some ratings (by record id) are in cases, and in which.
func (b *Book) HeldRatings(ctx context.Context, recordIDs ...string) (map[string][]Kept, error) {
	out := map[string][]Kept{}
	for _, id := range recordIDs {
		cases, err := b.ByRating(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(cases) > 0 {
			out[id] = cases
		}
	}
	return out, nil
}

// Collectives answers the collective requests for explanation that may be about ratings of a unit's subtree: those of the unit, of what is
// below it, and of what is above it, whose period meets from to to (inclusive), the newest first.
func (b *Book) Collectives(ctx context.Context, unitID string, from, to localday.Day) ([]Kept, error) {
	queries := []store.Query{{Index: byAsks, Equal: []any{unitID}, Desc: true}}
	if unitID != "" {
		for _, above := range b.above(unitID) {
			if above != unitID && above != "" {
				queries = append(queries, store.Query{Index: byAsksUnit, Equal: []any{above}, Desc: true})
			}
		}
	}
	var out []Kept
	for _, query := range queries {
		for doc, err := range b.cases.Find(ctx, query) {
			if err != nil {
				return nil, told("find collective requests", err)
			}
			d := doc.Value
			if d.Collective.From <= to && d.Collective.To >= from && !slices.ContainsFunc(out, func(k Kept) bool { return k.ID == d.ID }) {
				out = append(out, d.kept())
			}
		}
	}
	return out, nil
}

package casebook

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash/fnv"
	"iter"
	"slices"

	"golang.org/x/sync/errgroup"

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
	maxLook  = 1500 // documents looked at for one page; what is looked for among many may come in several short pages
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
	}
	if f.Number != (casework.Number{}) {
		return q.numbered(ctx)
	}
	if len(q.states) == 0 {
		return Page{}, nil
	}
	streams, less, err := q.plan()
	if err != nil {
		return Page{}, err
	}
	page, err := q.read(ctx, streams, less, after)
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
	d, _, err := q.book.get(ctx, k.ID)
	if err != nil {
		return Page{}, err
	}
	takes, err := q.takes(ctx, d)
	if err != nil || !takes {
		return Page{}, err
	}
	return Page{Cases: []Kept{k}}, nil
}

// hit is a case that one stream of a list found.
type hit struct {
	document
	cursor store.Cursor
	skip   bool // there is no such case, or another hit stands for it
}

// stream reads one range of an index from a place on.
type stream func(ctx context.Context, after store.Cursor) iter.Seq2[hit, error]

type ordering func(a, b hit) int

func urgent(a, b hit) int { return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.ID, b.ID)) }
func newest(a, b hit) int {
	return cmp.Or(b.OpenedAt.Compare(a.OpenedAt), cmp.Compare(b.ID, a.ID))
}
func byID(a, b hit) int { return cmp.Compare(b.ID, a.ID) }

// plan chooses the index that leaves the least to look at.
func (q *query) plan() ([]stream, ordering, error) {
	open := !slices.ContainsFunc(q.states, casework.State.Terminal)
	switch {
	case q.Phone != "":
		index, key, err := q.book.phoneKey(q.Phone)
		return []stream{q.ofContacts(index, key)}, newest, err
	case q.Asked != "":
		return q.ofStates(byAsked, q.Asked), byStateOrder(open), nil
	case q.Official != "":
		return []stream{q.opened(byAbout, q.Official)}, newest, nil
	case len(q.terms) > 0 && q.wide():
		return []stream{q.ofWords()}, newest, nil
	case len(q.terms) > 0:
		return []stream{q.opened(byOpened, q.Unit)}, newest, nil
	case open:
		return q.ofStates(byState, q.Unit), urgent, nil
	case len(q.states) == 1 && q.From == "" && q.To == "":
		return q.ofStates(byState, q.Unit), byID, nil
	}
	return []stream{q.opened(byOpened, q.Unit)}, newest, nil
}

func byStateOrder(open bool) ordering {
	if open {
		return urgent
	}
	return byID
}

// ofStates reads what is in each state, the most urgent first; of ended ones the newest.
func (q *query) ofStates(index, key string) []stream {
	open := !slices.ContainsFunc(q.states, casework.State.Terminal)
	streams := make([]stream, 0, len(q.states))
	for _, state := range q.states {
		query := store.Query{Index: index, Equal: []any{key, string(state)}, Desc: !open}
		if q.Late {
			query.From, query.To = "", string(q.today)
		}
		streams = append(streams, q.ofCases(query, q.reach(false)))
	}
	return streams
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
	return q.ofCases(query, q.reach(len(q.states) < len(casework.States())))
}

func (q *query) ofCases(query store.Query, limit int) stream {
	return func(ctx context.Context, after store.Cursor) iter.Seq2[hit, error] {
		query := query
		query.After, query.Limit = after, limit
		return func(yield func(hit, error) bool) {
			for doc, err := range q.book.cases.Find(ctx, query) {
				if !yield(hit{document: doc.Value, cursor: doc.Cursor}, err) || err != nil {
					return
				}
			}
		}
	}
}

// reach is how many documents of one range may be needed for a page. sifted tells that the plan leaves states to be filtered.
func (q *query) reach(sifted bool) int {
	if sifted || q.Source != "" || q.From != "" || q.To != "" || q.Official != "" || q.Asked != "" || q.Assigned != "" || len(q.terms) > 0 || q.Phone != "" {
		return maxLook + 1
	}
	return q.limit + 1
}

// takes tells whether a case passes all of the filter.
func (q *query) takes(ctx context.Context, d document) (bool, error) {
	opened, _ := localday.Of(d.OpenedAt)
	switch {
	case q.Unit != "" && !slices.Contains(d.Above, q.Unit),
		!slices.Contains(q.states, d.State),
		q.Late && !d.Late(q.today),
		q.Source != "" && d.Source != q.Source,
		q.From != "" && opened < q.From, q.To != "" && opened > q.To,
		q.Official != "" && !slices.Contains(d.OfficialsAbout(), q.Official),
		q.Asked != "" && !slices.Contains(d.Asked, q.Asked),
		q.Assigned != "" && (d.Assigned == "" || !q.book.options.Tree().Within(d.Assigned, q.Assigned)):
		return false, nil
	}
	if len(q.terms) == 0 {
		return true, nil
	}
	return q.said(ctx, d)
}

// place is where a page ended: in each stream.
type place struct {
	Of uint64         `json:"f"` // the filter
	At []store.Cursor `json:"c"`
}

func (q *query) mark() uint64 {
	h := fnv.New64a()
	text, _ := json.Marshal(q.Filter) // plain fields
	_, _ = h.Write(text)              // never fails
	return h.Sum64()
}

func (q *query) resume(after store.Cursor, streams int) ([]store.Cursor, error) {
	at := place{At: make([]store.Cursor, streams)}
	if after == "" {
		return at.At, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(string(after))
	if err == nil {
		at.At = nil
		err = json.Unmarshal(raw, &at)
	}
	if err != nil || at.Of != q.mark() || len(at.At) != streams {
		return nil, fault.New(fault.Invalid, "casebook_page")
	}
	return at.At, nil
}

func (q *query) at(cursors []store.Cursor) (store.Cursor, error) {
	raw, err := json.Marshal(place{q.mark(), cursors})
	return store.Cursor(base64.RawURLEncoding.EncodeToString(raw)), err
}

// head is the next hit of a stream.
type head struct {
	hit
	next func() (hit, error, bool)
	ok   bool
	err  error
}

func (h *head) pull() { h.hit, h.err, h.ok = h.next() }

// read merges the streams into a page.
func (q *query) read(ctx context.Context, streams []stream, order ordering, after store.Cursor) (Page, error) {
	cursors, err := q.resume(after, len(streams))
	if err != nil {
		return Page{}, err
	}
	heads := make([]*head, len(streams))
	var group errgroup.Group
	for i, s := range streams {
		next, stop := iter.Pull2(s(ctx, cursors[i]))
		defer stop()
		heads[i] = &head{next: next}
		group.Go(func() error { heads[i].pull(); return heads[i].err })
	}
	if err := group.Wait(); err != nil {
		return Page{}, err
	}
	var page Page
	seen := map[string]bool{}
	for {
		first := -1
		for i, h := range heads {
			if h.ok && (first < 0 || order(h.hit, heads[first].hit) < 0) {
				first = i
			}
		}
		if first < 0 {
			return page, nil
		}
		h := heads[first]
		takes := !h.skip && !seen[h.ID]
		if takes {
			if takes, err = q.takes(ctx, h.document); err != nil {
				return Page{}, err
			}
		}
		if takes && len(page.Cases) == q.limit || q.looked >= maxLook {
			page.Next, err = q.at(cursors)
			return page, err
		}
		if takes {
			seen[h.ID] = true
			page.Cases = append(page.Cases, h.kept())
		}
		q.looked++
		cursors[first] = h.cursor
		if h.pull(); h.err != nil {
			return Page{}, h.err
		}
	}
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

package ratinglist

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
)

// A search reads the comments that hold the longest of the words asked for, hour by hour.
const (
	searchedUnits = 16 // so many units are looked up each for itself and merged; of more, all comments with the word are read
	getWeight     = 5  // what reading one rating costs beside reading one comment of the index
)

// searcher goes backwards through the comments of a query.
type searcher struct {
	*List
	*query
	looked int
}

// search finds ratings by words of their comments.
func (l *List) search(ctx context.Context, q *query) (found, error) {
	s := &searcher{List: l, query: q}
	to := string(q.to.Add(1)) + "/"
	if q.after != nil {
		if to = q.after.Hour; q.after.Name != "" {
			to += "~" // that hour too, in the middle of which the last page ended
		}
	}
	var f found
	var hour []intake.Private
	at := ""
	for private, err := range s.comments(ctx, string(q.from)+"/", to) {
		if err != nil {
			return f, err
		}
		if private.At != at {
			if done, err := s.hour(ctx, hour, &f); err != nil || done {
				return f, err
			}
			if s.looked >= l.Limits.Records {
				f.next = &place{Hour: at}
				return f, s.remark(ctx, f.rows)
			}
			hour, at = hour[:0], private.At
		}
		s.looked++
		if q.said(private) && q.counts(private.Unit, place{Hour: private.At}.day()) {
			hour = append(hour, private)
		}
	}
	if done, err := s.hour(ctx, hour, &f); err != nil || done {
		return f, err
	}
	return f, s.remark(ctx, f.rows)
}

// comments reads what holds the longest word, newest hour first.
func (s *searcher) comments(ctx context.Context, from, to string) iter.Seq2[intake.Private, error] {
	word := slices.MaxFunc(s.words, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	var units []string
	for _, id := range s.tree.IDs() {
		if s.tree.Within(id, s.unit) {
			if units = append(units, id); len(units) > searchedUnits {
				return s.Comments.Commented(ctx, word, "", from, to)
			}
		}
	}
	return merged(units, func(unit string) iter.Seq2[intake.Private, error] {
		return s.Comments.Commented(ctx, word, unit, from, to)
	})
}

// merged reads several sequences as one, newest hour first.
func merged(units []string, of func(unit string) iter.Seq2[intake.Private, error]) iter.Seq2[intake.Private, error] {
	type head struct {
		intake.Private
		next func() (intake.Private, error, bool)
	}
	return func(yield func(intake.Private, error) bool) {
		var heads []*head
		for _, unit := range units {
			next, stop := iter.Pull2(of(unit))
			defer stop()
			private, err, ok := next()
			if err != nil {
				yield(private, err)
				return
			}
			if ok {
				heads = append(heads, &head{private, next})
			}
		}
		for len(heads) > 0 {
			newest := slices.MaxFunc(heads, func(a, b *head) int { return cmp.Compare(a.At, b.At) })
			if !yield(newest.Private, nil) {
				return
			}
			private, err, ok := newest.next()
			if err != nil {
				yield(private, err)
				return
			}
			if newest.Private = private; !ok {
				heads = slices.DeleteFunc(heads, func(h *head) bool { return h == newest })
			}
		}
	}
}

// hour lists the ratings of one hour; done where the page is full.
func (s *searcher) hour(ctx context.Context, comments []intake.Private, f *found) (done bool, err error) {
	rows := make([]row, 0, len(comments))
	for _, private := range comments {
		at := place{Hour: private.At, Name: s.name(s.query, private.ID)}
		if s.after == nil || at.Hour < s.after.Hour || s.after.Name != "" && at.Name < s.after.Name {
			rows = append(rows, row{place: at, private: private, read: true})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(b.Name, a.Name) })
	for _, r := range rows {
		s.looked += getWeight
		r.record, err = s.Ratings.Get(ctx, r.private.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		if !s.takes(&r.record) {
			continue
		}
		if f.rows = append(f.rows, r); len(f.rows) > s.size {
			return true, s.remark(ctx, f.rows[:s.size])
		}
	}
	return false, nil
}

// remark reads what the cells of some rows say about them.
func (s *searcher) remark(ctx context.Context, rows []row) error {
	by := map[string]*remarks{}
	var cells []string
	for i := range rows {
		if cell := rows[i].record.Cell; by[cell] == nil {
			by[cell] = newRemarks()
			cells = append(cells, cell)
		}
	}
	for record, err := range s.Ratings.Cells(ctx, cells) {
		if err != nil {
			return err
		}
		by[record.Cell].read(&record)
	}
	for i := range rows {
		by[rows[i].record.Cell].mark(&rows[i])
	}
	return nil
}

// comment reads what was kept apart from a row where the query filters by it; keep is false where that leaves the row out.
func (l *List) comment(ctx context.Context, q *query, r *row) (keep bool, err error) {
	if !q.withComment {
		return true, nil
	}
	err = l.readPrivate(ctx, r)
	return r.private.Comment != "", err
}

// readPrivate reads what was kept apart from a row, once, where the rating says that there is something.
func (l *List) readPrivate(ctx context.Context, r *row) error {
	if r.read || !committed(&r.record) {
		return nil
	}
	private, ok, err := l.Comments.Private(ctx, r.record.ID)
	if err != nil {
		return err
	}
	r.read = true
	if ok {
		r.private = private
	}
	return nil
}

// committed tells whether a rating names something kept apart from it.
func committed(record *rating.Record) bool {
	return len(decoded(record).GetPrivateCommitment()) > 0
}

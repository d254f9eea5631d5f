// Package ratinglist answers single ratings: those of a unit's subtree as at the time, newest first by the day and hour they
// count for. It reads what intake stored and no figure, so a rating is listed as soon as it is acknowledged.
//
// A page costs about as many reads as it has ratings, plus a bounded look at what the filters leave out: days are walked backwards
// through the index of cells, words of comments through their own index, and where a call has looked at enough it answers what
// it found and where to go on. Who may read which unit is decided by the service; what of a rating a caller may see, here.
package ratinglist

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Sizes of a page.
const (
	DefaultPage = 50
	MaxPage     = 200
)

// Limits bound the work of one call; the page then holds fewer ratings, and a token to go on.
type Limits struct {
	Records int // ratings looked at; one cell is always looked at as a whole. 0 = 4,000
	Ranges  int // ranges of the index of cells that are read. 0 = 1,000
	Cells   int // cells named by them. 0 = 100,000
}

// Directory is what the list asks of the directory.
type Directory interface {
	Tree() *unit.Tree
	Counter(id string) (directory.Counter, bool)
	Questionnaire(id string, version int32) (*questionnaire.Questionnaire, bool)
}

// Comments is what is kept apart from ratings, as intake reads it.
type Comments interface {
	Private(ctx context.Context, recordID string) (intake.Private, bool, error)
	Commented(ctx context.Context, word, unit, from, to string) iter.Seq2[intake.Private, error]
	WantsCall(private intake.Private) (bool, error)
}

// Options is what a List works with.
type Options struct {
	Ratings   store.Ratings
	Directory Directory
	Comments  Comments
	Keys      secret.Keys
	Limits    Limits
	Now       func() time.Time // nil = time.Now
	Logger    *slog.Logger
}

// List lists ratings. Its methods may be called by many goroutines.
type List struct {
	Options
	names  secret.Signer // makes the names of ratings for callers of a single office
	tokens tokens
}

// New makes a List.
func New(options Options) (*List, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	l := &options.Limits
	for _, limit := range []struct {
		value *int
		usual int
	}{{&l.Records, 4_000}, {&l.Ranges, 1_000}, {&l.Cells, 100_000}} {
		if *limit.value == 0 {
			*limit.value = limit.usual
		}
	}
	list := &List{Options: options}
	var err error
	if list.names, err = options.Keys.Signer("listed-rating"); err != nil {
		return nil, err
	}
	list.tokens, err = newTokens(options.Keys)
	return list, err
}

// Page answers one page. The caller's right to the unit was checked before; here Denied "ratinglist_comments_denied" where it may
// not search comments, Invalid for a filter or token that cannot be.
func (l *List) Page(ctx context.Context, caller identity.Caller, request *pb.ListRatingsRequest, in language.Language) (*pb.ListRatingsResponse, error) {
	q, err := l.ask(caller, request)
	if err != nil {
		return nil, err
	}
	found, err := l.find(ctx, q)
	if err != nil {
		return nil, told(err)
	}
	response := &pb.ListRatingsResponse{From: string(q.from), To: string(q.to)}
	if len(found.rows) > q.size {
		found.rows = found.rows[:q.size]
		next := found.rows[q.size-1].place
		found.next = &next
	}
	for i := range found.rows {
		listed, err := l.listed(ctx, q, &found.rows[i], in)
		if err != nil {
			return nil, told(err)
		}
		response.Ratings = append(response.Ratings, listed)
	}
	if found.next != nil {
		response.NextPageToken, err = l.tokens.seal(resume{From: q.from, To: q.to, Place: *found.next}, q.binding)
	}
	return response, err
}

// found is what a call found: at most one row more than the page has, and where to go on where there may be more.
type found struct {
	rows []row
	next *place
}

func (l *List) find(ctx context.Context, q *query) (found, error) {
	if len(q.words) > 0 {
		return l.search(ctx, q)
	}
	return l.walk(ctx, q)
}

// told turns the engine's failure into words; other errors stay as they are.
func told(err error) error {
	var known *fault.Error
	if errors.Is(err, store.ErrUnavailable) && !errors.As(err, &known) {
		return fault.New(fault.Unavailable, "ratinglist_unavailable").Because(err)
	}
	return err
}

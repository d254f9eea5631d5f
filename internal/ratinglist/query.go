package ratinglist

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/searchtext"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// maxYears is the longest period, as for figures.
const maxYears = 20

// query is a question understood.
type query struct {
	unit         string
	tree         *unit.Tree
	from, to     localday.Day
	channels     []pb.Channel
	scores       []int32
	question     string // with choice: only ratings that took it
	choice       string
	words        []string // folded; every one stands in the comment
	withComment  bool
	size         int
	after        *place // where the last page ended
	readsComment bool
	opaque       string // the unit for whose callers ids are made unreadable; "" = ids are told
	binding      []byte // what a token is good for
}

// ask understands a request.
func (l *List) ask(caller identity.Caller, request *pb.ListRatingsRequest) (*query, error) {
	q := &query{
		unit: request.GetUnitId(), tree: l.Directory.Tree(), channels: request.GetChannels(), scores: request.GetScores(),
		withComment: request.GetWithComment(), readsComment: caller.May(identity.ReadComments),
	}
	if (request.GetText() != "" || q.withComment) && !q.readsComment {
		return nil, fault.New(fault.Denied, "ratinglist_comments_denied")
	}
	if _, known := q.tree.Get(q.unit); !known {
		return nil, fault.New(fault.NotFound, "unit_unknown", "unit", q.unit)
	}
	if request.GetText() != "" {
		if q.words = searchtext.Words(request.GetText()); len(q.words) == 0 {
			return nil, fault.New(fault.Invalid, "ratinglist_text_wordless")
		}
	}
	if reason := request.GetReason(); reason != "" {
		var ok bool
		if q.question, q.choice, ok = strings.Cut(reason, ":"); !ok || q.question == "" || q.choice == "" {
			return nil, fault.New(fault.Invalid, "ratinglist_reason_invalid")
		}
	}
	if q.size = int(request.GetPageSize()); q.size <= 0 {
		q.size = DefaultPage
	}
	q.size = min(q.size, MaxPage)
	if scope := identity.Scope(caller); scope != "" && singleOffice(q.tree, scope) {
		q.opaque = scope
	}
	var err error
	if q.binding, err = binding(caller, request); err != nil {
		return nil, err
	}
	if request.GetPageToken() == "" {
		q.from, q.to, err = period(request.GetFrom(), request.GetTo(), l.today())
		return q, err
	}
	// The period is the token's: of one that ends "today", midnight may have passed since the first page.
	resumed, err := l.tokens.open(request.GetPageToken(), q.binding)
	if err != nil {
		return nil, err
	}
	q.from, q.to, q.after = resumed.From, resumed.To, &resumed.Place
	return q, nil
}

// binding tells apart what a page token is good for: the same question, whatever its size, by a caller of the same scope.
func binding(caller identity.Caller, request *pb.ListRatingsRequest) ([]byte, error) {
	question := proto.CloneOf(request)
	question.PageToken, question.PageSize = "", 0
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(question)
	if err != nil {
		return nil, fault.New(fault.Invalid, "ratinglist_token_invalid").Because(err)
	}
	sum := sha256.Sum256(append([]byte(identity.Scope(caller)+"\x00"), encoded...))
	return sum[:], nil
}

func (l *List) today() localday.Day {
	day, _ := localday.Of(l.Now())
	return day
}

// period reads the days asked for: thirty days up to today where nothing is said.
func period(from, to string, today localday.Day) (first, last localday.Day, err error) {
	last = today
	if to != "" {
		if last, err = parseDay("to", to); err != nil {
			return "", "", err
		}
	}
	first = last.Add(-30)
	if from != "" {
		if first, err = parseDay("from", from); err != nil {
			return "", "", err
		}
	}
	if first > last {
		return "", "", fault.New(fault.Invalid, "period_reversed", "from", first, "to", last)
	}
	if localday.Day(last.Start().AddDate(-maxYears, 0, 0).Format("2006-01-02")) > first {
		return "", "", fault.New(fault.Invalid, "period_too_long", "years", maxYears)
	}
	return first, last, nil
}

func parseDay(field, text string) (localday.Day, error) {
	day, err := localday.Parse(text)
	if err != nil {
		return "", fault.New(fault.Invalid, "period_day_invalid", "field", field, "day", text).Because(err)
	}
	return day, nil
}

// communeLevel is the lowest level whose units are not offices of another one.
const communeLevel = "commune"

// singleOffice tells whether a scope is so small that its people may know by sight who was there: an office without any below it, a
// commune, or what is below one.
func singleOffice(tree *unit.Tree, scope string) bool {
	if u, ok := tree.Get(scope); !ok || u.Near(tree.Today()).Level == communeLevel || len(tree.Children(scope)) == 0 {
		return true
	}
	return slices.ContainsFunc(tree.Ancestors(scope), func(above unit.Unit) bool {
		return above.Near(tree.Today()).Level == communeLevel
	})
}

// name is a rating's id as the caller sees it.
func (l *List) name(q *query, recordID string) string {
	if q.opaque == "" {
		_, _, id := rating.SplitRecordID(recordID)
		return id
	}
	sum := l.names.Sum([]byte(q.opaque + "\x00" + recordID))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// counts tells whether a unit is in the subtree asked for, as at a day.
func (q *query) counts(unitID string, day localday.Day) bool {
	return unitID == q.unit || q.tree.On(day).Subtree(q.unit)[unitID]
}

// takes tells whether a rating passes the filters that need nothing but it.
func (q *query) takes(record *rating.Record) bool {
	if record.Kind != rating.KindRating || !q.takesChannel(record.Counted.Channel) ||
		len(q.scores) > 0 && !slices.Contains(q.scores, record.Score) {
		return false
	}
	return q.question == "" || slices.ContainsFunc(record.Answers, func(answer rating.Answer) bool {
		return answer.Question == q.question && slices.Contains(answer.Choices, q.choice)
	})
}

func (q *query) takesChannel(channel pb.Channel) bool {
	return len(q.channels) == 0 || slices.Contains(q.channels, channel)
}

// said tells whether every word asked for stands in the comment.
func (q *query) said(private intake.Private) bool {
	words := searchtext.Words(private.Comment)
	for _, word := range q.words {
		if !slices.Contains(words, word) {
			return false
		}
	}
	return true
}

// place is where a page ended. Ratings come by hour, newest first; in an hour by cell, and in a cell by their listed id, last
// first. In a search the hour is not divided into cells. An empty Name says that all of the cell, or of the hour, was passed.
type place struct {
	Hour string `json:"h"` // as intake.HourOf
	Cell string `json:"c,omitempty"`
	Name string `json:"n,omitempty"`
}

func (p place) day() localday.Day { return localday.Day(p.Hour[:len("2006-01-02")]) }

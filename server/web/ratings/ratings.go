// Package ratings is the page of single ratings: what stands behind a figure, in the words of those who gave it.
package ratings

import (
	"embed"
	"net/http"
	"slices"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html
var files embed.FS

//go:embed ratings.css
var sheet []byte

type pages struct{ *web.Pages }

// Mount adds the page to a site.
func Mount(site *web.Site) error {
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	site.Style(sheet)
	site.Handle("GET "+path, web.SignedIn, pages{read}.show, web.Needs("read_ratings"))
	return nil
}

const path = "/ratings"

// soon is after how many seconds the page asks again for what is being loaded.
const soon = 3

// day is the ratings of one local day.
type day struct {
	Day     string
	Ratings []one
}

type one struct {
	*pb.ListedRating
	Until int32  // the hour after the one it counts for
	Begin string // of a comment so long that it is folded; "" = it is shown whole
}

// longWords is from how many letters on a comment is folded, and shownWords how many of it are shown then.
const longWords, shownWords = 1_000, 700

func listed(r *pb.ListedRating) one {
	shown := one{ListedRating: r, Until: r.GetHour() + 1}
	if letters := []rune(r.GetComment()); len(letters) > longWords {
		shown.Begin = string(letters[:shownWords])
	}
	return shown
}

type page struct {
	Asked        asked
	Unit         *pb.Unit
	MayComment   bool
	Periods      []web.Period
	Reasons      []reasonGroup
	Channels     []pb.Channel
	Scores       []int32
	Problem      string            // in one sentence; "" = none
	Wrong        map[string]string // field → what is wrong with it
	Choice       []choice          // units to choose from
	Found        *pb.ListRatingsResponse
	Days         []day
	Count        int
	Filling      bool     // the demonstration's sample data is being loaded
	Conditions   []string // in words, for those who read it on paper
	Previous     string   // link; "" = none
	Next         string
	First        string
	Longer       string // link to a longer period
	Unfiltered   string // link to the same period without conditions
	ReasonsAside bool   // the reason asked for is none of the list
}

// More tells whether anything is asked for, or wrong, in the part of the form that is folded away.
func (s *page) More() bool {
	return len(s.Asked.Channels) > 0 || s.Asked.Comment || s.Asked.Reason != "" || s.Wrong["from"] != "" ||
		s.Asked.From+s.Asked.To != "" && !slices.ContainsFunc(s.Periods, func(p web.Period) bool { return p.Current })
}

// choice is a unit that may be meant.
type choice struct {
	*pb.Unit
	Link string
}

// show answers the page: always whole, so that an address is all there is to it; htmx takes the results out of it.
func (p pages) show(v *web.Visit) error {
	shown := page{
		Asked: ask(v), MayComment: v.May("read_comments"), Wrong: map[string]string{},
		Channels: web.Channels(), Scores: []int32{5, 4, 3, 2, 1},
	}
	var err error
	if shown.Reasons, err = reasons(v); err != nil {
		return err
	}
	shown.ReasonsAside = shown.Asked.Reason != "" && !slices.ContainsFunc(shown.Reasons, func(g reasonGroup) bool {
		return slices.ContainsFunc(g.Choices, func(r reason) bool { return r.Value == shown.Asked.Reason })
	})
	if err := shown.findUnit(v); err != nil {
		return err
	}
	if shown.Unit == nil {
		return p.answer(v, &shown)
	}
	shown.Asked.Unit, shown.Asked.UnitName = shown.Unit.GetId(), shown.Unit.GetName()
	shown.Periods = shown.Asked.periods(v.Today())
	found, err := v.Ratings.ListRatings(v.Context(), shown.Asked.request(shown.MayComment))
	if message, mendable := web.Message(err); err != nil && mendable {
		shown.refused(err, message)
		return p.answer(v, &shown)
	}
	if err != nil {
		return err
	}
	shown.tell(v, found)
	if shown.Filling = v.Filling(); shown.Filling && shown.Count == 0 {
		v.Soon(soon)
	}
	return p.answer(v, &shown)
}

func (p pages) answer(v *web.Visit, shown *page) error {
	v.W.Header().Set("Cache-Control", "no-store") // the words of citizens are not left on a shared machine
	if shown.Problem != "" {
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "ratings", shown)
	}
	if v.R.Header.Get("HX-Request") == "true" {
		v.W.Header().Set("HX-Replace-Url", shown.Asked.Link())
	}
	return v.Render(p.Pages, "ratings", shown)
}

// refused puts what the service says of the question beside the field it is about.
func (s *page) refused(err error, message string) {
	s.Problem = message
	s.First = s.Asked.at("").Link()
	for _, detail := range status.Convert(err).Details() {
		info, ok := detail.(*errdetails.ErrorInfo)
		if !ok {
			continue
		}
		switch info.GetReason() {
		case "period_reversed", "period_too_long", "period_day_invalid":
			s.Wrong["from"] = message
		case "ratinglist_text_wordless":
			s.Wrong["text"] = message
		case "ratinglist_reason_invalid":
			s.Wrong["reason"] = message
		}
	}
}

// tell puts what was found into the page.
func (s *page) tell(v *web.Visit, found *pb.ListRatingsResponse) {
	s.Found, s.Count = found, len(found.GetRatings())
	for _, r := range found.GetRatings() {
		if len(s.Days) == 0 || s.Days[len(s.Days)-1].Day != r.GetDay() {
			s.Days = append(s.Days, day{Day: r.GetDay()})
		}
		last := &s.Days[len(s.Days)-1]
		last.Ratings = append(last.Ratings, listed(r))
	}
	s.Conditions = s.conditions(v)
	if next := found.GetNextPageToken(); next != "" {
		s.Next = s.Asked.then(next).Link()
	}
	if s.Asked.Page != "" {
		s.First = s.Asked.at("").Link()
		if before, ok := s.Asked.before(); ok {
			s.Previous = before.Link()
		}
	}
	s.Longer = s.Asked.over(string(v.Today().Add(-364)), string(v.Today())).Link()
	if len(s.Conditions) > 0 {
		s.Unfiltered = s.Asked.bare().Link()
	}
}

// conditions tells in words what the list was narrowed to.
func (s *page) conditions(v *web.Visit) []string {
	var words []string
	for _, score := range s.Asked.Scores {
		words = append(words, v.Text("web.score."+score))
	}
	for _, channel := range s.Asked.channels() {
		words = append(words, v.Text("web.channel."+channel.String()))
	}
	if s.Asked.Reason != "" {
		words = append(words, v.Text("ratingspage.condition.reason", "reason", s.reasonWords()))
	}
	if s.MayComment && s.Asked.Text != "" {
		words = append(words, v.Text("ratingspage.condition.text", "text", s.Asked.Text))
	}
	if s.MayComment && s.Asked.Comment {
		words = append(words, v.Text("ratingspage.with_comment"))
	}
	return words
}

func (s *page) reasonWords() string {
	for _, group := range s.Reasons {
		for _, reason := range group.Choices {
			if reason.Value == s.Asked.Reason {
				return reason.Words
			}
		}
	}
	return s.Asked.Reason
}

// findUnit finds the unit that is meant: by its id, by the name that was typed, else the top of the account's scope.
func (s *page) findUnit(v *web.Visit) error {
	id, name := s.Asked.Unit, s.Asked.UnitName
	if id == "" && name == "" {
		id = v.Account.GetUnitId()
	}
	if id != "" {
		unit, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
		if err != nil {
			return err
		}
		if name == "" || same(name, unit.GetName()) {
			s.Unit = unit
			return nil
		}
	}
	request := &pb.ListUnitsRequest{Query: name, PageSize: choiceAtMost}
	if name == "" {
		request.Level = "province"
	}
	list, err := v.Directory.ListUnits(v.Context(), request)
	if message, mendable := web.Message(err); err != nil && mendable {
		s.Problem, s.Wrong["unit_name"] = message, message
		return nil
	}
	if err != nil {
		return err
	}
	units := list.GetUnits()
	if called := slices.DeleteFunc(slices.Clone(units), func(u *pb.Unit) bool { return !same(name, u.GetName()) }); len(called) == 1 {
		units = called
	}
	switch {
	case len(units) == 1:
		s.Unit = units[0]
	case len(units) == 0 && name != "":
		s.Problem = v.Text("ratingspage.unit_none", "name", name)
		s.Wrong["unit_name"] = s.Problem
	default:
		for _, unit := range units {
			with := s.Asked.at("")
			with.Unit, with.UnitName = unit.GetId(), ""
			s.Choice = append(s.Choice, choice{unit, with.Link()})
		}
	}
	return nil
}

// choiceAtMost is how many units are shown to choose from.
const choiceAtMost = 20

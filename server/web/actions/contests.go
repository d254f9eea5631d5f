package actions

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// contestsPage is what officials say against their ratings, as an official or as a leader meets it.
type contestsPage struct {
	Raises, Decides    bool
	Official           bool // the visitor's account is that of somebody who is rated
	Contestable        []contestable
	Open, Ended        []contest
	NextOpen, NextEnds string
	Figures            []figures
	Problem            string
	Lost               []web.Field
}

// contestable is a rating of one's own, with the form that contests it.
type contestable struct {
	*pb.ContestedRating
	Form form
}

// contest is one that was raised, with the form of what may be done to it.
type contest struct {
	*pb.Contest
	Form    form
	Clock   *clock
	Figures string // address at which both figures of the official stand
}

// form is what was typed beside a rating. Ratings are named anew each time they are shown, so that a form that comes back is known
// by what stands in it.
type form struct {
	ID, Key, Token string
	Reason, Upheld string
	Ask            bool // it must be mended
	Problem        string
}

// May tells whether the visitor may do something to it.
func (c contest) May(what string) bool { return slices.Contains(c.GetChoices(), what) }

func keyOf(values ...any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", values))
	return hex.EncodeToString(sum[:8])
}

// contestsShown is how many contests a page has.
const contestsShown = 50

func (p pages) contests(v *web.Visit) error {
	page, err := readContests(v, nil, "")
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "contests", page)
}

// readContests reads the page. sent is a form that was sent and must be mended, and problem what is wrong with it.
func readContests(v *web.Visit, sent typed, problem string) (*contestsPage, error) {
	if !contestant(v) {
		return nil, web.ErrNotFound
	}
	page := &contestsPage{Raises: v.May("contest_ratings"), Official: v.Account.GetOfficialId() != ""}
	page.Decides = v.May("decide_contests") || v.Account.GetRole() == pb.Role_ROLE_INSPECTOR
	found := false
	again := func(kind, key, token string, n int) form {
		f := form{ID: kind + "-" + strconv.Itoa(n), Key: key, Token: token}
		if !found && sent.value("key") == key && sent.value("kind") == kind {
			found = true
			f.Token, f.Reason, f.Upheld, f.Ask, f.Problem = sent.value("rating"), sent.value("reason"), sent.value("upheld"), true, problem
		}
		return f
	}
	if page.Raises && page.Official {
		answer, err := v.Correct.ListContestable(v.Context(), &pb.ListContestableRequest{})
		if err != nil {
			return nil, err
		}
		for i, one := range answer.GetRatings() {
			key := keyOf(one.GetOn(), one.GetOverallScore(), one.GetReasons(), one.GetComment())
			page.Contestable = append(page.Contestable, contestable{one, again("raise", key, one.GetRatingId(), i)})
		}
	}
	add := func(list []*pb.Contest) {
		for _, one := range list {
			kind := "drop"
			if slices.Contains(one.GetChoices(), "decide") {
				kind = "decide"
			}
			shown := contest{Contest: one, Form: again(kind, keyOf(one.GetOfficialId(), one.GetRaisedAt().AsTime().UnixNano()), one.GetRatingId(), len(page.Open)+len(page.Ended))}
			if one.GetClock() != nil {
				shown.Clock = clockOf(v, one.GetClock())
			}
			if page.Decides {
				shown.Figures = "/contests?" + url.Values{"official": {one.GetOfficialId()}}.Encode() + "#figures"
			}
			if one.GetState() == "open" {
				page.Open = append(page.Open, shown)
			} else {
				page.Ended = append(page.Ended, shown)
			}
		}
	}
	if page.Decides {
		open, err := v.Correct.ListContests(v.Context(), &pb.ListContestsRequest{OpenOnly: true, PageSize: contestsShown, PageToken: cut(v.R.URL.Query().Get("open"), 1000)})
		if err != nil {
			return nil, err
		}
		add(open.GetContests())
		page.NextOpen = next("open", open.GetNextPageToken())
	}
	ended, err := v.Correct.ListContests(v.Context(), &pb.ListContestsRequest{PageSize: contestsShown, PageToken: cut(v.R.URL.Query().Get("ended"), 1000)})
	if err != nil {
		return nil, err
	}
	add(ended.GetContests())
	page.NextEnds = next("ended", ended.GetNextPageToken())
	if sent != nil && !found {
		page.Problem = problem
		if words := sent.value("reason"); words != "" {
			page.Lost = []web.Field{{Name: v.Text("actionspage.field.reason"), Value: words}}
		}
	}
	return page, page.draw(v)
}

func next(name, token string) string {
	if token == "" {
		return ""
	}
	return "/contests?" + url.Values{name: {token}}.Encode()
}

// draw adds both figures: an official's own, else those of the official asked for and of whoever waits for a decision.
func (c *contestsPage) draw(v *web.Visit) error {
	var officials []string
	add := func(id string) {
		if id != "" && !slices.Contains(officials, id) && len(officials) < figuresShown {
			officials = append(officials, id)
		}
	}
	if c.Decides {
		add(cut(v.R.URL.Query().Get("official"), 64))
		for _, one := range c.Open {
			add(one.GetOfficialId())
		}
	} else {
		add(v.Account.GetOfficialId())
	}
	for _, id := range officials {
		one, err := figuresOf(v, id)
		if err != nil {
			return err
		}
		if one != nil {
			c.Figures = append(c.Figures, *one)
		}
	}
	for i := range c.Figures {
		c.Figures[i].draw(v, i)
		for _, one := range slices.Concat(c.Open, c.Ended) {
			if one.GetOfficialId() == c.Figures[i].GetOfficialId() {
				c.Figures[i].Name = one.GetOfficialName()
			}
		}
	}
	return nil
}

func (p pages) contest(v *web.Visit) error {
	sent := typedBy(v)
	_, err := v.Correct.ContestRating(v.Context(), &pb.ContestRatingRequest{RatingId: sent.value("rating"), Reason: sent.value("reason")})
	return p.contested(v, sent, "raised", err)
}

func (p pages) drop(v *web.Visit) error {
	sent := typedBy(v)
	_, err := v.Correct.DropContest(v.Context(), &pb.DropContestRequest{RatingId: sent.value("rating"), Reason: sent.value("reason")})
	return p.contested(v, sent, "dropped", err)
}

func (p pages) decide(v *web.Visit) error {
	sent := typedBy(v)
	if upheld := sent.value("upheld"); upheld != "yes" && upheld != "no" {
		return p.contestAgain(v, sent, v.Text("actionspage.choose_decision"), http.StatusUnprocessableEntity)
	}
	_, err := v.Correct.DecideContest(v.Context(), &pb.DecideContestRequest{
		RatingId: sent.value("rating"), Upheld: sent.value("upheld") == "yes", Reason: sent.value("reason"),
	})
	return p.contested(v, sent, "decided", err)
}

// contested leads on from what was done, or shows the page again with what was typed and why it was not.
func (p pages) contested(v *web.Visit, sent typed, done string, err error) error {
	if err == nil {
		v.Notice(v.Text("actionspage.contest_" + done))
		return v.Redirect("/contests")
	}
	words, mendable := web.Message(err)
	code := http.StatusUnprocessableEntity
	switch status.Code(err) { //nolint:exhaustive // the others are as web.Message says
	case codes.Aborted:
		code = http.StatusConflict
	case codes.NotFound, codes.PermissionDenied: // of this rating: the page itself was there
		mendable = true
	}
	if sent.value("reason") == "" {
		words = v.Text("actionspage.say_why")
	}
	if !mendable {
		return err
	}
	return p.contestAgain(v, sent, words, code)
}

func (p pages) contestAgain(v *web.Visit, sent typed, problem string, code int) error {
	page, err := readContests(v, sent, problem)
	if err != nil {
		return err
	}
	return v.RenderStatus(code, p.Pages, "contests", page)
}

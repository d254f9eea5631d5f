package citizen

import (
	"cmp"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/poster"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// A case is followed at /p, by the code alone. Pages with a case on them are kept by no browser and found by no search.

type followPage struct {
	place
	Code    string // as it was typed
	Problem string
}

func (p followPage) Given() bool { return p.Code != "" }

// worked is the work that was done for a code, carried from page to page of the same visit.
type worked struct{ Token, Proof string }

func workedBy(v *web.Visit) worked {
	return worked{cut(v.Value("work_token"), maxWork), cut(v.Value("proof_of_work"), maxWork)}
}

// maxWork and maxCode bound what is read of a form, in bytes.
const (
	maxWork = 40
	maxCode = 40
)

func cut(text string, limit int) string {
	if len(text) > limit {
		return ""
	}
	return text
}

// query carries the language, and the work, to the next page.
func (w worked) query(v *web.Visit) string {
	values := url.Values{"lang": {string(v.Language)}}
	if w.Token != "" && w.Proof != "" {
		values.Set("work_token", w.Token)
		values.Set("proof_of_work", w.Proof)
	}
	return "?" + values.Encode()
}

func following(v *web.Visit) place { return place{Base: "/p", Lang: string(v.Language)} }

func private(v *web.Visit) {
	v.W.Header().Set("Cache-Control", "no-store")
	v.W.Header().Set("X-Robots-Tag", "noindex, nofollow")
}

// askCode is the one field in which a code is typed.
func (p pages) askCode(v *web.Visit) error {
	private(v)
	return v.Render(p.citizens, "follow", followPage{place: following(v)})
}

// typedCode leads a code that was typed to its case.
func (p pages) typedCode(v *web.Visit) error {
	private(v)
	typed, work := v.Value("code"), workedBy(v)
	if typed == "" {
		return p.codeProblem(v, http.StatusUnprocessableEntity, typed, v.Text("citizenpage.follow.code_missing"))
	}
	found, err := v.Cases.FollowCase(nobody(v), &pb.FollowCaseRequest{Code: shortCode(typed), WorkToken: work.Token, ProofOfWork: work.Proof})
	if err != nil {
		return p.notFollowed(v, typed, err, nil)
	}
	return v.Redirect(address(found) + work.query(v))
}

// shortCode lets a code arrive that somebody typed with very much between its digits.
func shortCode(typed string) string {
	if len(typed) <= maxCode {
		return typed
	}
	if code, err := casework.ParseCode(typed); err == nil {
		return string(code)
	}
	return "?" // whatever it is, it is none
}

func address(c *pb.PublicCase) string { return "/p/" + strings.ReplaceAll(c.GetCode(), " ", "") }

func (p pages) codeProblem(v *web.Visit, code int, typed, words string) error {
	if runes := []rune(typed); len(runes) > 100 {
		typed = string(runes[:100])
	}
	return v.RenderStatus(code, p.citizens, "follow", followPage{place: following(v), Code: typed, Problem: words})
}

// notFollowed says why a code leads nowhere. kept are fields of a form that go on with the work that is asked for.
func (p pages) notFollowed(v *web.Visit, typed string, err error, kept []web.Field) error {
	at := following(v)
	switch status.Code(err) { //nolint:exhaustive // the others have a page of their own
	case codes.InvalidArgument:
		return p.codeProblem(v, http.StatusUnprocessableEntity, typed, v.Text("citizenpage.follow.wrong")+" "+status.Convert(err).Message())
	case codes.NotFound:
		return p.codeProblem(v, http.StatusNotFound, typed, v.Text("citizenpage.follow.unknown"))
	case codes.ResourceExhausted:
		page := waitPage{place: at, Title: v.Text("citizenpage.follow.busy"), Words: status.Convert(err).Message(), Kept: kept}
		if kept == nil {
			page.Kept = []web.Field{{Name: "code", Value: typed}}
		} else {
			page.Base += "/" + url.PathEscape(v.R.PathValue("code"))
		}
		if reasonOf(err) == "work_needed" {
			page.Words = v.Text("citizenpage.follow.work")
			if work, err := v.Cases.GetCodeWork(nobody(v), &pb.GetCodeWorkRequest{Code: shortCode(cmp.Or(typed, "?"))}); err == nil {
				page.Work, page.Token, page.Bits = true, work.GetWorkToken(), work.GetWorkBits()
				page.Kept = append(page.Kept, web.Field{Name: "work_token", Value: page.Token})
			}
		}
		v.W.Header().Set("Retry-After", "10")
		return v.RenderStatus(http.StatusTooManyRequests, p.citizens, "wait", page)
	}
	return p.refuse(v, err)
}

// casePage is a case as whoever holds its code sees it.
type casePage struct {
	place
	*pb.PublicCase
	Steps   []step
	QR      template.HTML // for paper; "" where it cannot be drawn
	Link    string
	Hidden  []web.Field // what binds the verdict: round, work
	Reasons []box
	Words   string
	Wrong   string // what is wrong with the verdict
	Unsent  string // words that could not be sent any more
}

// step is one thing that happened, on a day.
type step struct{ On, Event, State string }

// Open tells that the form for those whom the reply does not answer is shown open.
func (p casePage) Open() bool {
	return p.Wrong != "" || p.Words != "" || slices.ContainsFunc(p.Reasons, func(b box) bool { return b.Checked })
}

func (p pages) newCasePage(v *web.Visit, found *pb.PublicCase, work worked) casePage {
	page := casePage{place: following(v), PublicCase: found, Link: v.PublicAddress() + address(found)}
	page.Base = address(found)
	for _, one := range found.GetSteps() {
		page.Steps = append(page.Steps, step{one.GetOn(), one.GetEvent(), one.GetState()})
	}
	if code, err := poster.QR(page.Link); err == nil {
		page.QR = code.SVG(v.Text("citizenpage.follow.qr"))
	}
	page.Hidden = []web.Field{{Name: "round", Value: web.Count(v.Language, found.GetRound())}}
	if work.Token != "" && work.Proof != "" {
		page.Hidden = append(page.Hidden, web.Field{Name: "work_token", Value: work.Token}, web.Field{Name: "proof_of_work", Value: work.Proof})
	}
	for _, reason := range casework.ReopenReasons() {
		if reason != casework.OtherReason { // own words are that
			page.Reasons = append(page.Reasons, box{string(reason), v.Text("casework.reopen." + string(reason)), slices.Contains(v.Values("reason"), string(reason))})
		}
	}
	return page
}

func (p pages) showCase(v *web.Visit) error {
	private(v)
	typed, work := v.R.PathValue("code"), workedBy(v)
	found, err := v.Cases.FollowCase(nobody(v), &pb.FollowCaseRequest{Code: shortCode(typed), WorkToken: work.Token, ProofOfWork: work.Proof})
	if err != nil {
		return p.notFollowed(v, typed, err, nil)
	}
	return v.Render(p.citizens, "case", p.newCasePage(v, found, work))
}

// maxVerdict is the contract's limit of a citizen's words, in characters.
const maxVerdict = 5000

// verdict takes whether the reply answers.
func (p pages) verdict(v *web.Visit) error {
	private(v)
	typed, work := v.R.PathValue("code"), workedBy(v)
	request := &pb.GiveVerdictRequest{Code: shortCode(typed), Answered: v.Value("answered") == "yes", Round: round(v.Value("round")), WorkToken: work.Token, ProofOfWork: work.Proof}
	if !request.GetAnswered() {
		request.Words = words(v.Value("words"))
		for _, reason := range casework.ReopenReasons() {
			if reason != casework.OtherReason && slices.Contains(v.Values("reason"), string(reason)) {
				request.Reasons = append(request.Reasons, string(reason))
			}
		}
		if request.GetWords() != "" {
			request.Reasons = append(request.Reasons, string(casework.OtherReason))
		}
	}
	problem := ""
	switch n := utf8.RuneCountInString(request.GetWords()); {
	case !request.GetAnswered() && len(request.GetReasons()) == 0:
		problem = v.Text("citizenpage.follow.no_reason")
	case n > maxVerdict:
		problem = v.Text("citizenpage.problem.comment", "length", web.Count(v.Language, n), "limit", web.Count(v.Language, maxVerdict))
	}
	if problem == "" {
		after, err := v.Cases.GiveVerdict(nobody(v), request)
		if err == nil {
			v.Notice(v.Text("citizenpage.follow.taken"))
			return v.Redirect(address(after) + work.query(v))
		}
		code := status.Code(err)
		if code != codes.Aborted && (code != codes.InvalidArgument || !strings.HasPrefix(reasonOf(err), "casework_missing")) {
			return p.notFollowed(v, typed, err, p.keptVerdict(v))
		}
		problem = status.Convert(err).Message()
	}
	found, err := v.Cases.FollowCase(nobody(v), &pb.FollowCaseRequest{Code: shortCode(typed), WorkToken: work.Token, ProofOfWork: work.Proof})
	if err != nil {
		return p.notFollowed(v, typed, err, p.keptVerdict(v))
	}
	page := p.newCasePage(v, found, work)
	if page.Wrong, page.Words = problem, request.GetWords(); !found.GetMayAnswer() {
		page.Unsent = page.Words
		return v.RenderStatus(http.StatusConflict, p.citizens, "case", page)
	}
	return v.RenderStatus(http.StatusUnprocessableEntity, p.citizens, "case", page)
}

func round(text string) int32 {
	n := int32(0)
	for _, r := range text {
		if r < '0' || r > '9' || n > 100 {
			return 0
		}
		n = 10*n + r - '0'
	}
	return min(n, 1000)
}

// keptVerdict is what was given, for a page from which it can be sent again.
func (p pages) keptVerdict(v *web.Visit) []web.Field {
	kept := []web.Field{{Name: "answered", Value: v.Value("answered")}, {Name: "round", Value: v.Value("round")}, {Name: "words", Value: v.Value("words")}}
	for _, reason := range v.Values("reason") {
		kept = append(kept, web.Field{Name: "reason", Value: reason})
	}
	return kept
}

// rated leads whoever gave a rating, and asked to be called back, to the case that was opened from it.
func (p pages) rated(v *web.Visit) error {
	private(v)
	answer, err := v.Cases.FollowRating(nobody(v), &pb.FollowRatingRequest{
		UnitId: cut(v.Value("unit"), 64), CounterId: cut(v.Value("counter"), 64), RatingId: cut(v.Value("rating"), 64), FormToken: cut(v.Value("token"), maxWork),
	})
	switch {
	case status.Code(err) == codes.InvalidArgument:
		return v.RenderStatus(http.StatusNotFound, p.citizens, "message", messagePage{place: following(v), Title: v.Text("citizenpage.follow.no_link"), Words: v.Text("citizenpage.follow.no_link_words"), Retry: true})
	case err != nil:
		return p.refuse(v, err)
	case answer.GetCode() != "":
		return v.Redirect("/p/" + answer.GetCode() + "?lang=" + string(v.Language))
	}
	v.Soon(10)
	return v.Render(p.citizens, "message", messagePage{place: following(v), Title: v.Text("citizenpage.follow.not_yet"), Words: v.Text("citizenpage.follow.not_yet_words")})
}

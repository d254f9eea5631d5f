package server

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/citizen"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// answered brings a case to a reply.
func (p *casePeople) answered(t *testing.T, c *pb.Case) *pb.Case {
	t.Helper()
	if c.GetState() == "received" || c.GetState() == "reopened" {
		c = p.apply(p.operator, t, c, &pb.CaseEvent{Name: "assign", UnitId: p.office})
	}
	c = p.apply(p.leader, t, c, &pb.CaseEvent{Name: "request_explanation"})
	c = p.apply(p.head, t, c, &pb.CaseEvent{Name: "submit", Explanation: goodExplanation()})
	c = p.apply(p.leader, t, c, &pb.CaseEvent{Name: "accept", Finding: "upheld"})
	return p.apply(p.operator, t, c, &pb.CaseEvent{Name: "reply", Text: "Xin lỗi ông bà. Đã bố trí thêm người."})
}

func TestWhoHoldsACodeFollows(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		p := newCasePeople(t, config)
		nobody := t.Context()
		c := p.open(t)
		typed := c.GetCode()[:4] + "." + c.GetCode()[4:8] + " " + c.GetCode()[8:]
		seen, err := p.cases().FollowCase(nobody, &pb.FollowCaseRequest{Code: typed})
		if err != nil || seen.GetState() != "received" || seen.GetMayAnswer() || seen.GetReplyDueOn() == "" || len(seen.GetSteps()) != 1 || seen.GetRound() != 0 {
			t.Fatalf("%v %v", seen, err)
		}
		c = p.answered(t, c)
		seen, err = p.cases().FollowCase(nobody, &pb.FollowCaseRequest{Code: c.GetCode()})
		if err != nil || seen.GetReply() != "Xin lỗi ông bà. Đã bố trí thêm người." || !seen.GetMayAnswer() || !seen.GetMayReopen() || seen.GetRound() != 1 || seen.GetAnswerUntil() == "" {
			t.Fatalf("%v %v", seen, err)
		}
		for _, hidden := range []string{"Tèo", "0912", "Bình", "chị", "tiếng", "chủ tịch", "trực máy", p.ratedID} {
			if strings.Contains(seen.String(), hidden) {
				t.Errorf("the public sees %q: %v", hidden, seen)
			}
		}
		no := &pb.GiveVerdictRequest{Code: c.GetCode(), Reasons: []string{"not_done", "said"}, Words: "Vẫn chưa ai gọi lại cho tôi", Round: 1}
		t.Run("a verdict without a reason is no verdict", func(t *testing.T) {
			if _, err := p.cases().GiveVerdict(nobody, &pb.GiveVerdictRequest{Code: c.GetCode(), Round: 1}); status.Code(err) != codes.InvalidArgument {
				t.Errorf("%v", err)
			}
		})
		t.Run("sent many times at once it is given once", func(t *testing.T) {
			var group sync.WaitGroup
			for range 5 {
				group.Go(func() {
					if after, err := p.cases().GiveVerdict(nobody, no); err != nil || after.GetState() != "reopened" {
						t.Errorf("%v %v", after, err)
					}
				})
			}
			group.Wait()
			shown, err := p.cases().GetCase(p.leader, &pb.GetCaseRequest{CaseId: c.GetId()})
			if err != nil {
				t.Fatal(err)
			}
			times := 0
			for _, e := range shown.GetHistory() {
				if e.GetEvent() == "reopen" {
					times++
				}
			}
			words := ""
			for _, w := range shown.GetWords() {
				if w.GetEvent() == "reopen" {
					words += w.GetText()
				}
			}
			if times != 1 || words != no.GetWords() {
				t.Errorf("reopened %d times, with the words %q", times, words)
			}
		})
		t.Run("an old form says nothing about a new reply", func(t *testing.T) {
			now, err := p.cases().GetCase(p.leader, &pb.GetCaseRequest{CaseId: c.GetId()})
			if err != nil {
				t.Fatal(err)
			}
			p.answered(t, now.GetCase())
			after, err := p.cases().GiveVerdict(nobody, no)
			if err != nil || after.GetState() != "replied" || after.GetRound() != 2 || after.GetMayReopen() || !after.GetMayAnswer() {
				t.Errorf("%v %v", after, err)
			}
		})
		t.Run("the second no ends it", func(t *testing.T) {
			after, err := p.cases().GiveVerdict(nobody, &pb.GiveVerdictRequest{Code: c.GetCode(), Reasons: []string{"not_true"}, Round: 2})
			if err != nil || after.GetState() != "closed" || after.GetMayAnswer() {
				t.Errorf("%v %v", after, err)
			}
			if _, err := p.cases().GiveVerdict(nobody, &pb.GiveVerdictRequest{Code: c.GetCode(), Answered: true, Round: 3}); status.Code(err) != codes.Aborted {
				t.Errorf("about a reply that never was: %v", err)
			}
		})
	})
}

func TestCodesOverHTTPCannotBeGuessed(t *testing.T) {
	p := newCasePeople(t, Config{TrustedProxies: "127.0.0.1"})
	c := p.open(t)
	follow := func(address, body string) (int, string) {
		code, answer, err := p.from(t.Context(), address, http.MethodPost, "/v1/public/cases:follow", []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return code, string(answer)
	}
	const guesser = "203.0.113.9"
	for i := range 20 { // codes that cannot be one cost as much as those that no case has
		body := `{"code":"100000000009"}`
		if i%2 == 0 {
			body = `{"code":"1234"}`
		}
		if got, answer := follow(guesser, body); got == http.StatusTooManyRequests || got == http.StatusOK {
			t.Fatalf("guess %d: %d %s", i, got, answer)
		}
	}
	if got, answer := follow(guesser, `{"code":"`+c.GetCode()+`"}`); got != http.StatusTooManyRequests || strings.Contains(answer, c.GetNumber().GetShown()) {
		t.Errorf("after 20 guesses even a right code needs work: %d %s", got, answer)
	}
	if got, _ := follow("203.0.113.10", `{"code":"`+c.GetCode()+`"}`); got != http.StatusOK {
		t.Errorf("somebody else is held back: %d", got)
	}
	work, err := p.cases().GetCodeWork(t.Context(), &pb.GetCodeWorkRequest{Code: c.GetCode()})
	if err != nil {
		t.Fatal(err)
	}
	proof := citizen.Work(work.GetWorkToken(), uint(work.GetWorkBits()))
	if got, answer := follow(guesser, `{"code":"`+c.GetCode()+`","work_token":"`+work.GetWorkToken()+`","proof_of_work":"`+proof+`"}`); got != http.StatusOK {
		t.Errorf("with work: %d %s", got, answer)
	}
}

func TestAWebRatingLeadsToItsCase(t *testing.T) {
	p := newCasePeople(t, Config{})
	form := p.form(t.Context(), p.office)
	ask := &pb.FollowRatingRequest{RatingId: form.GetRatingId(), UnitId: form.GetUnitId(), FormToken: form.GetFormToken()}
	if answer, err := p.cases().FollowRating(t.Context(), ask); err != nil || answer.GetCode() != "" {
		t.Errorf("before there is a case: %v %v", answer, err)
	}
	request := ratingOf(form, 1)
	request.Private = &pb.Private{Comment: "Chờ hai tiếng.", ConsentVersion: citizen.ConsentVersion, Contact: &pb.Contact{Phone: "0912345678", CallBack: true}}
	if _, err := p.ratings().CreateRating(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the rating leads to its case", func() bool {
		answer, err := p.cases().FollowRating(t.Context(), ask)
		if err != nil {
			t.Fatal(err)
		}
		if answer.GetCode() == "" {
			return false
		}
		seen, err := p.cases().FollowCase(t.Context(), &pb.FollowCaseRequest{Code: answer.GetCode()})
		return err == nil && seen.GetState() == "received"
	})
	stolen := &pb.FollowRatingRequest{RatingId: p.form(t.Context(), p.office).GetRatingId(), UnitId: form.GetUnitId(), FormToken: form.GetFormToken()}
	if _, err := p.cases().FollowRating(t.Context(), stolen); status.Code(err) != codes.InvalidArgument {
		t.Errorf("another's rating: %v", err)
	}
}

package desk

import (
	"net/http"
	"net/url"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// renumberPage gives a slip that was typed under a wrong number its right one; its answers stay.
type renumberPage struct {
	Batch   *pb.Batch
	Slip    *pb.Slip // as it stands; nil = there is none any more
	Lines   []compared
	Wrong   string // the number it was typed under
	Number  string // the right one, as typed
	Reason  string
	Note    string
	Problem string
	Errors  map[string]string // by field
	Focus   string
}

// standing answers the slip that stands under a number, and where there is none the words why.
func standing(v *web.Visit, page *batchPage, number string) (*pb.Slip, string, error) {
	for _, slip := range page.Slips {
		if slip.GetNumber() == number {
			return slip, "", nil
		}
	}
	// Without a reason nothing is stored, and the answer is what stands.
	answer, err := v.Desk.EnterSlip(v.Context(), &pb.EnterSlipRequest{BatchId: page.Batch.GetId(), Number: number, CorrectsNumber: number})
	if err != nil {
		words, mendable := web.Message(err)
		if mendable {
			err = nil
		}
		return nil, words, err
	}
	if answer.GetOutcome().GetOutcome() == pb.Outcome_OUTCOME_CONFLICT {
		return answer.GetSlip(), "", nil
	}
	return nil, answer.GetOutcome().GetReason(), nil
}

func (p pages) renumberPage(v *web.Visit, wrong string) (*batchPage, *renumberPage, error) {
	batch, err := p.batchPage(v)
	if err != nil {
		return nil, nil, err
	}
	page := &renumberPage{Batch: batch.Batch, Wrong: wrong, Focus: "number", Errors: map[string]string{}}
	if wrong == "" || len([]rune(wrong)) > 64 {
		return nil, nil, web.ErrNotFound
	}
	if page.Slip, page.Problem, err = standing(v, batch, wrong); err != nil {
		return nil, nil, err
	}
	if page.Slip != nil {
		page.Wrong = page.Slip.GetNumber()
		for _, a := range batch.Form.Asks {
			page.Lines = append(page.Lines, compared{Words: a.Words, Before: a.said(v, page.Slip)})
		}
	}
	return batch, page, nil
}

func (p pages) showRenumber(v *web.Visit) error {
	_, page, err := p.renumberPage(v, v.Value("slip"))
	if err != nil {
		return err
	}
	page.Reason = v.Text("deskpage.renumber_reason")
	return v.Render(p.Pages, "renumber", page)
}

func (p pages) renumber(v *web.Visit) error {
	batch, page, err := p.renumberPage(v, v.Value("slip"))
	if err != nil {
		return err
	}
	page.Number, page.Reason = v.Value("number"), v.Value("correction_reason")
	again := func(code int) error { return v.RenderStatus(code, p.Pages, "renumber", page) }
	if page.Number == "" || len([]rune(page.Number)) > 64 {
		page.Errors["number"] = v.Text("deskpage.number_wrong")
	}
	if page.Reason == "" {
		page.Errors["reason"] = v.Text("deskpage.reason_needed")
		if page.Errors["number"] == "" {
			page.Focus = "reason"
		}
	}
	asked := &pb.EnterSlipRequest{
		BatchId: page.Batch.GetId(), Number: page.Number, CorrectsNumber: page.Wrong, CorrectionReason: page.Reason,
		OverallScore: page.Slip.GetOverallScore(), Answers: page.Slip.GetAnswers(),
	}
	switch {
	case len(page.Errors) > 0:
		page.Problem = v.Text("deskpage.mend")
		return again(http.StatusUnprocessableEntity)
	case page.Slip == nil: // moved before, or by this very form sent twice
		return again(http.StatusConflict)
	case page.Slip.GetRatingId() != v.Value("seen"):
		page.Note = v.Text("deskpage.changed_meanwhile")
		return again(http.StatusConflict)
	}
	answer, err := v.Desk.EnterSlip(v.Context(), asked)
	if err != nil {
		var mendable bool
		if page.Problem, mendable = web.Message(err); !mendable {
			return err
		}
		return again(http.StatusUnprocessableEntity)
	}
	switch answer.GetOutcome().GetOutcome() { //nolint:exhaustive // what is not stored has a reason
	case pb.Outcome_OUTCOME_STORED, pb.Outcome_OUTCOME_DUPLICATE:
		v.Notice(v.Text("deskpage.renumbered", "wrong", page.Wrong, "number", answer.GetSlip().GetNumber()))
	default:
		page.Errors["number"] = answer.GetOutcome().GetReason()
		page.Problem = v.Text("deskpage.mend")
		return again(http.StatusConflict)
	}
	last := batch.lastOf(v.Account.GetName()) // typing goes on where the pile was
	if last == page.Wrong {
		last = page.Number
	}
	return v.Redirect(page.Back() + "?" + url.Values{"after": {last}}.Encode())
}

// Back is the address of the batch.
func (r *renumberPage) Back() string { return "/desk/batches/" + r.Batch.GetId() }

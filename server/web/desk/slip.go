package desk

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// batchPage is a batch, and the slip that is being typed.
type batchPage struct {
	Batch       *pb.Batch
	Open        bool
	Counter     string
	Tally       []tally
	Form        form
	Slips       []*pb.Slip
	Number      string
	Filled      string
	Reason      string
	Seen        string // rating id of what a correction would take the place of; "" = no correction
	Note        string
	HadComment  bool // the slip that is corrected has a comment, which stays where no other is typed
	DropComment bool
	Problem     string
	Errors      map[string]string // by field
	Focus       string            // field that has the focus
	Before      *before           // the number was typed before, with other answers
	Close       string            // the reason typed for a difference
}

// before sets what was typed before beside what was typed now.
type before struct {
	Slip  *pb.Slip
	Lines []compared
}

type compared struct {
	Words, Before, Now string
	Differs            bool
}

// tally is one line of the totals.
type tally struct {
	Score  int
	Count  uint32
	Groups []int // strokes as on paper: fives and a rest; empty for large counts
}

// maxStrokes is how many strokes are drawn; beyond it nobody counts them.
const maxStrokes = 100

func tallies(counts []uint32) []tally {
	var lines []tally
	for score := 5; score >= 0 && score < len(counts); score-- {
		line := tally{Score: score, Count: counts[score]}
		for rest := counts[score]; counts[score] <= maxStrokes && rest > 0; rest -= min(rest, 5) {
			line.Groups = append(line.Groups, int(min(rest, 5)))
		}
		lines = append(lines, line)
	}
	return lines
}

// batchPage reads a batch and makes its empty form.
func (p pages) batchPage(v *web.Visit) (*batchPage, error) {
	found, err := v.Desk.GetBatch(v.Context(), &pb.GetBatchRequest{BatchId: v.R.PathValue("id")})
	if err != nil {
		return nil, err
	}
	page := &batchPage{Slips: found.GetSlips(), Errors: map[string]string{}}
	page.show(found.GetBatch())
	all, err := questionnaires(v)
	if err != nil {
		return nil, err
	}
	form := find(all, page.Batch.GetQuestionnaireId()+"@"+strconv.Itoa(int(page.Batch.GetQuestionnaireVersion())))
	if form == nil {
		return nil, web.ErrNotFound
	}
	page.Form = newForm(v, form)
	if id := page.Batch.GetCounterId(); id != "" {
		counters, err := v.Directory.ListCounters(v.Context(), &pb.ListCountersRequest{UnitId: page.Batch.GetUnitId(), PageSize: 1000})
		if err != nil {
			return nil, err
		}
		for _, c := range counters.GetCounters() {
			if c.GetId() == id {
				page.Counter = c.GetName()
			}
		}
	}
	return page, nil
}

func (b *batchPage) show(batch *pb.Batch) {
	b.Batch, b.Open, b.Tally = batch, batch.GetClosedAt() == nil, tallies(batch.GetCounts())
}

func (p pages) showBatch(v *web.Visit) error {
	page, err := p.batchPage(v)
	if err != nil {
		return err
	}
	if number := v.Value("correct"); number != "" {
		for _, slip := range page.Slips {
			if slip.GetNumber() == number {
				page.correct(v, slip)
				return v.Render(p.Pages, "batch", page)
			}
		}
		page.Note = v.Text("deskpage.correct_by_typing", "number", number)
		page.Number = number
	}
	if page.Number == "" {
		page.Number = following(cmp.Or(v.Value("after"), page.lastOf(v.Account.GetName())))
	}
	page.focus()
	return v.Render(p.Pages, "batch", page)
}

// correct begins the correction of a slip: its answers stand in the form.
func (b *batchPage) correct(v *web.Visit, slip *pb.Slip) {
	b.Form.fill(slip)
	b.Number, b.Seen = slip.GetNumber(), slip.GetRatingId()
	b.Note = v.Text("deskpage.correcting", "number", slip.GetNumber(), "by", slip.GetTypedBy())
	b.HadComment = slip.GetHasComment()
	b.focus()
}

// lastOf is the number the account typed last in this batch, else the last one typed by anybody.
func (b *batchPage) lastOf(name string) string {
	for _, slip := range b.Slips {
		if slip.GetTypedBy() == name {
			return slip.GetNumber()
		}
	}
	if len(b.Slips) > 0 {
		return b.Slips[0].GetNumber()
	}
	return ""
}

// following is the number after a number: the digits at its end go up by one, in as many places. "" where it ends in none.
func following(number string) string {
	head := strings.TrimRight(number, "0123456789")
	digits := number[len(head):]
	if digits == "" || len(digits) > 18 {
		return ""
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return ""
	}
	next := strconv.FormatInt(n+1, 10)
	return head + strings.Repeat("0", max(0, len(digits)-len(next))) + next
}

// focus puts the focus where typing goes on: what must be mended, else the number where there is none, else the first question.
func (b *batchPage) focus() {
	switch {
	case b.Before != nil:
		b.Focus = "reason"
		return
	case b.Errors["number"] != "" || b.Number == "":
		b.Focus = "number"
		return
	}
	for _, a := range b.Form.Asks {
		if a.Error != "" {
			b.Focus = a.Field
			return
		}
	}
	for _, name := range []string{"comment", "reason", "filled_on"} {
		if b.Errors[name] != "" || name == "comment" && b.Form.Comment.Error != "" {
			b.Focus = name
			return
		}
	}
	b.Focus = "comment"
	if len(b.Form.Asks) > 0 {
		b.Focus = b.Form.Asks[0].Field
	}
}

// enter takes in one slip, or takes it back into the form to be changed.
func (p pages) enter(v *web.Visit) error {
	page, err := p.batchPage(v)
	if err != nil {
		return err
	}
	said, ok := page.Form.read(v)
	page.Number, page.Filled, page.Reason, page.Seen = v.Value("number"), v.Value("filled_on"), v.Value("correction_reason"), v.Value("seen")
	asked := &pb.EnterSlipRequest{BatchId: page.Batch.GetId(), Number: page.Number, OverallScore: said.Overall, Answers: said.Answers}
	page.HadComment, page.DropComment = v.Value("had_comment") != "", v.Value("drop_comment") != ""
	if !page.keeps(said) { // a correction without a Private keeps the one there is
		asked.Private = &pb.Private{Comment: said.Comment}
	}
	if page.Number == "" || len([]rune(page.Number)) > 64 {
		page.Errors["number"], ok = v.Text("deskpage.number_wrong"), false
	}
	var day bool
	if asked.FilledOn, day = isoDay(page.Filled); !day {
		page.Errors["filled_on"], ok = v.Text("deskpage.day_wrong"), false
	}
	if page.Seen != "" && page.Reason == "" {
		page.Errors["reason"], ok = v.Text("deskpage.reason_needed"), false
	}
	if v.Value("back") != "" { // from the comparison: the number was wrong, or a key
		page.Seen, page.Reason, page.HadComment, page.Errors = "", "", false, map[string]string{}
		page.Focus = "number"
		return v.Render(p.Pages, "batch", page)
	}
	if !ok {
		page.Problem = v.Text("deskpage.mend")
		return p.again(v, http.StatusUnprocessableEntity, page)
	}
	answer, err := p.store(v, page, asked)
	if err != nil {
		var mendable bool
		if page.Problem, mendable = web.Message(err); !mendable {
			return err
		}
		return p.again(v, http.StatusUnprocessableEntity, page)
	}
	page.show(answer.GetBatch())
	switch answer.GetOutcome().GetOutcome() {
	case pb.Outcome_OUTCOME_STORED:
		v.Notice(v.Text("deskpage.stored", "number", answer.GetSlip().GetNumber(), "score", v.Text("deskpage.score."+strconv.Itoa(int(answer.GetSlip().GetOverallScore())))))
	case pb.Outcome_OUTCOME_DUPLICATE:
		v.Notice(v.Text("deskpage.duplicate", "number", answer.GetSlip().GetNumber(), "by", answer.GetSlip().GetTypedBy()))
	case pb.Outcome_OUTCOME_CONFLICT:
		page.compare(v, answer.GetSlip(), said)
		return p.again(v, http.StatusConflict, page)
	default:
		page.Problem = answer.GetOutcome().GetReason()
		return p.again(v, http.StatusUnprocessableEntity, page)
	}
	after := page.Number
	if page.Seen != "" { // after a correction the operator goes on where the pile was
		after = page.lastOf(v.Account.GetName())
	}
	return v.Redirect("/desk/batches/" + page.Batch.GetId() + "?" + url.Values{"after": {after}}.Encode())
}

// store sends the slip. A correction of one that is not among the last as it was seen is sent without its reason first: where what it would take the place of is not what the operator
// saw, somebody else corrected it meanwhile, and both are shown instead.
func (p pages) store(v *web.Visit, page *batchPage, asked *pb.EnterSlipRequest) (*pb.EnterSlipResponse, error) {
	for _, slip := range page.Slips {
		if page.Seen != "" && slip.GetRatingId() == page.Seen { // it stands as the operator saw it
			asked.CorrectionReason = page.Reason
			return v.Desk.EnterSlip(v.Context(), asked)
		}
	}
	if page.Seen != "" {
		asked.CorrectsNumber = asked.Number // nothing is stored even where its number is free again meanwhile
	}
	answer, err := v.Desk.EnterSlip(v.Context(), asked)
	if err != nil || answer.GetOutcome().GetOutcome() != pb.Outcome_OUTCOME_CONFLICT || page.Seen == "" {
		return answer, err
	}
	if answer.GetSlip().GetRatingId() != page.Seen {
		page.Note = v.Text("deskpage.changed_meanwhile")
		return answer, nil
	}
	asked.CorrectionReason, asked.CorrectsNumber = page.Reason, ""
	return v.Desk.EnterSlip(v.Context(), asked)
}

// again shows the page with what was typed.
func (p pages) again(v *web.Visit, code int, page *batchPage) error {
	page.focus()
	return v.RenderStatus(code, p.Pages, "batch", page)
}

// compare sets both versions of a slip side by side.
func (b *batchPage) compare(v *web.Visit, slip *pb.Slip, now answered) {
	b.Seen, b.Before = slip.GetRatingId(), &before{Slip: slip}
	for _, a := range b.Form.Asks {
		line := compared{Words: a.Words, Before: a.said(v, slip), Now: a.said(v, now.slip())}
		line.Differs = line.Before != line.Now
		b.Before.Lines = append(b.Before.Lines, line)
	}
	comment := map[bool]string{true: v.Text("deskpage.with_comment"), false: v.Text("deskpage.without_comment")}
	line := compared{Words: b.Form.Comment.Label, Before: comment[slip.GetHasComment()], Now: cmp.Or(now.Comment, comment[false])}
	line.Differs = slip.GetHasComment() || now.Comment != ""
	if b.keeps(now) {
		line.Now, line.Differs = v.Text("deskpage.comment_kept"), false
	}
	b.Before.Lines = append(b.Before.Lines, line)
}

// keeps tells whether the comment of the slip that is corrected stays as it is.
func (b *batchPage) keeps(said answered) bool {
	return b.HadComment && !b.DropComment && said.Comment == ""
}

// Next is the address for the slip after this one.
func (b *batchPage) Next() string {
	return "/desk/batches/" + b.Batch.GetId() + "?" + url.Values{"after": {b.Number}}.Encode()
}

// CorrectLink is the address to correct a slip.
func (b *batchPage) CorrectLink(slip *pb.Slip) string {
	return "/desk/batches/" + b.Batch.GetId() + "?" + url.Values{"correct": {slip.GetNumber()}}.Encode()
}

// WrongLink is the address to change the number of the slip that is looked at.
func (b *batchPage) WrongLink() string { return b.RenumberLink(&pb.Slip{Number: b.Number}) }

// RenumberLink is the address to change a slip's number.
func (b *batchPage) RenumberLink(slip *pb.Slip) string {
	return "/desk/batches/" + b.Batch.GetId() + "/number?" + url.Values{"slip": {slip.GetNumber()}}.Encode()
}

// Differs tells whether the count differs from the one by hand.
func (b *batchPage) Differs() bool {
	return b.Batch.GetExpected() != 0 && b.Batch.GetExpected() != b.Batch.GetTyped()
}

// Printed is when the page was made, for paper.
func (b *batchPage) Printed() *timestamppb.Timestamp { return timestamppb.Now() }

func (p pages) backToBatch(v *web.Visit) error {
	return v.Redirect("/desk/batches/" + url.PathEscape(v.R.PathValue("id")))
}

func (p pages) close(v *web.Visit) error {
	batch, err := v.Desk.CloseBatch(v.Context(), &pb.CloseBatchRequest{BatchId: v.R.PathValue("id"), DifferenceReason: v.Value("difference_reason")})
	if err != nil {
		message, mendable := web.Message(err)
		if !mendable {
			return err
		}
		page, err := p.batchPage(v)
		if err != nil {
			return err
		}
		page.Number = following(page.lastOf(v.Account.GetName()))
		page.Close, page.Errors["close"], page.Focus = v.Value("difference_reason"), message, "difference_reason"
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "batch", page)
	}
	v.Notice(v.Text("deskpage.closed", "count", web.Count(v.Language, batch.GetTyped())))
	return v.Redirect("/desk/batches/" + batch.GetId())
}

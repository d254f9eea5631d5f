package hotline

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/hotline"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// callerPart is what is known of a number: its earlier calls and cases.
type callerPart struct {
	Number string
	Exact  bool
	Calls  []*pb.Call
	Cases  []caseLine
	Asked  bool // a number was looked for
	Wrong  string
}

// casesPart are open cases like the one that is being told.
type casesPart struct{ Cases []caseLine }

// caseLine is a case that the call may be about.
type caseLine struct {
	*pb.Case
	Chosen bool
}

// leastDigits is from how many characters a number is looked for.
const leastDigits = 4

// known looks a number up. While it is being typed it is none yet, which is no mistake.
func known(v *web.Visit, callID, number, chosen string) callerPart {
	part := callerPart{}
	if len(number) < leastDigits {
		return part
	}
	found, err := v.Calls.FindCaller(v.Context(), &pb.FindCallerRequest{Number: number})
	if err != nil {
		if words, mendable := web.Message(err); mendable && status.Code(err) == codes.ResourceExhausted {
			part.Wrong = words
		}
		return part
	}
	part.Asked, part.Number, part.Exact = true, found.GetNumber(), found.GetExact()
	for _, call := range found.GetCalls() {
		if call.GetId() != callID { // the one that is being written
			part.Calls = append(part.Calls, call)
		}
	}
	for _, c := range found.GetCases() {
		part.Cases = append(part.Cases, caseLine{c, c.GetId() == chosen})
	}
	return part
}

// shownCases is how many similar cases are shown beside a call.
const shownCases = 5

// leastWords is from how many characters a summary says anything to look for.
const leastWords = 8

// alike looks for open cases of the unit that the summary may be about. Nobody waits for it: where it cannot be had, nothing is shown.
func alike(v *web.Visit, page *callPage) casesPart {
	part := casesPart{}
	if page.Kind() != string(hotline.Complaint) || page.Units.Chosen == "" {
		return part
	}
	for _, text := range []string{lastWords(page.Summary), ""} {
		if text == "" && len(part.Cases) > 0 {
			break
		}
		found, err := v.Cases.ListCases(v.Context(), &pb.ListCasesRequest{UnitId: page.Units.Chosen, List: "open", Text: text, PageSize: shownCases})
		if err != nil {
			return part
		}
		for _, c := range found.GetCases() {
			if c.GetId() != hotline.CaseOf(page.ID) {
				part.Cases = append(part.Cases, caseLine{c, c.GetId() == page.AboutCase})
			}
		}
	}
	return part
}

// lastWords are the last few words of a summary, as what a search takes; "" where it says too little.
func lastWords(summary string) string {
	runes := []rune(summary)
	if len(runes) < leastWords {
		return ""
	}
	words := fields(summary)
	return clip(join(words[max(len(words)-3, 0):]), 200)
}

// caller answers the part of the page about a number, while it is typed.
func (p pages) caller(v *web.Visit) error {
	return v.Render(p.Pages, "part-caller", known(v, v.R.PathValue("id"), v.Value("phone"), v.Value("about_case")))
}

// units answers the units that words find, and the officials of the one chosen.
func (p pages) units(v *web.Visit) error {
	part, err := findUnits(v, v.Value("about_q"), v.Value("about"), v.Value("official"))
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "part-units", part)
}

// officials answers the officials of the unit chosen.
func (p pages) officials(v *web.Visit) error {
	part := unitPart{Chosen: v.Value("about")}
	if err := part.people(v, v.Value("official")); err != nil {
		return err
	}
	return v.Render(p.Pages, "part-officials", part)
}

// similar answers open cases like the one that is told.
func (p pages) similar(v *web.Visit) error {
	page := &callPage{ID: v.R.PathValue("id"), Kinds: kinds(), Key: v.Value("kind"), Summary: v.Value("summary"), AboutCase: v.Value("about_case")}
	page.Units.Chosen = v.Value("about")
	return v.Render(p.Pages, "part-similar", alike(v, page))
}

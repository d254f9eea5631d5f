package coverage

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// pile is a group of ratings that nobody touched, as a row of the page.
type pile struct {
	*pb.UncoveredPile
	Value   string // what a form sends to ask for an explanation of it
	Note    string // link to the page on which it is noted
	Ratings string // link to the ratings; "" = the account may not read them
}

// failed is a request that was not made.
type failed struct{ Unit, Problem, Value string }

func pilesOf(v *web.Visit, a asked, list []*pb.UncoveredPile) ([]pile, error) {
	var out []pile
	for _, one := range list {
		value, err := Value(one.GetScope())
		if err != nil {
			return nil, err
		}
		scope := one.GetScope()
		shown := pile{UncoveredPile: one, Value: value, Note: asked{scope.GetUnitId(), scope.GetFrom(), scope.GetTo()}.Link("/coverage/note",
			"reason", scope.GetReason(), "official", scope.GetOfficialId(), "back", a.Link("/coverage"))}
		if v.May("read_ratings") && scope.GetOfficialId() == "" {
			query := url.Values{"unit": {scope.GetUnitId()}, "from": {scope.GetFrom()}, "to": {scope.GetTo()}, "score": {"1", "2"}}
			if scope.GetReason() != "" {
				query.Set("reason", scope.GetReason())
			}
			shown.Ratings = "/ratings?" + query.Encode()
		}
		out = append(out, shown)
	}
	return out, nil
}

// Value is what a form sends in a field "pile" to /coverage/requests to ask for an explanation: the id of the case that will be, so that a
// form sent twice asks once, and what it is about.
func Value(scope *pb.CaseScope) (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	return strings.Join([]string{id.String(), scope.GetUnitId(), scope.GetFrom(), scope.GetTo(), scope.GetReason(), scope.GetOfficialId()}, "|"), nil
}

// parse reads what Value wrote; false where it did not.
func parse(value string) (*pb.ExplanationRequest, bool) {
	parts := strings.Split(value, "|")
	if len(parts) != 6 {
		return nil, false
	}
	return &pb.ExplanationRequest{CaseId: parts[0], Scope: &pb.CaseScope{UnitId: parts[1], From: parts[2], To: parts[3], Reason: parts[4], OfficialId: parts[5]}}, true
}

// request asks for explanations: of one pile by its own button, or of all that are ticked.
func (p pages) request(v *web.Visit) error {
	values := v.Values("only")
	if len(values) == 0 {
		values = v.Values("pile")
	}
	a := ask(v)
	asking := &pb.RequestExplanationsRequest{}
	for _, value := range values {
		if one, ok := parse(value); ok {
			asking.Requests = append(asking.Requests, one)
		}
	}
	if len(asking.GetRequests()) == 0 {
		return p.render(v, a, http.StatusUnprocessableEntity, v.Text("coveragepage.none_ticked"), nil)
	}
	answer, err := v.Coverage.RequestExplanations(v.Context(), asking)
	if message, mendable := web.Message(err); err != nil && mendable {
		return p.render(v, a, http.StatusUnprocessableEntity, message, again(v, asking, message))
	}
	if err != nil {
		return err
	}
	done := 0
	var left []failed
	for i, result := range answer.GetResults() {
		if result.GetRequested() {
			done++
			continue
		}
		left = append(left, failed{unitName(v, result.GetUnitId()), result.GetProblem(), valueOf(asking.GetRequests()[i])})
	}
	if len(left) > 0 {
		return p.render(v, a, http.StatusUnprocessableEntity, v.Text("coveragepage.not_all", "done", done, "left", len(left)), left)
	}
	v.Notice(v.Text("coveragepage.requested", "n", web.Count(v.Language, done)))
	if back := v.Value("back"); back != "" {
		return v.Redirect(back)
	}
	return v.Redirect(a.Link("/coverage"))
}

func again(v *web.Visit, asking *pb.RequestExplanationsRequest, message string) []failed {
	var left []failed
	for _, one := range asking.GetRequests() {
		left = append(left, failed{unitName(v, one.GetScope().GetUnitId()), message, valueOf(one)})
	}
	return left
}

// valueOf is the same request again.
func valueOf(one *pb.ExplanationRequest) string {
	scope := one.GetScope()
	return strings.Join([]string{one.GetCaseId(), scope.GetUnitId(), scope.GetFrom(), scope.GetTo(), scope.GetReason(), scope.GetOfficialId()}, "|")
}

func unitName(v *web.Visit, id string) string {
	unit, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
	if err != nil {
		return id
	}
	return unit.GetName()
}

package casework

import (
	"slices"

	"github.com/hailong-vn/hailong/internal/fault"
)

// take answers an event as it is kept: what the row needs, and what may stand beside it. Everything else is left out.
func (row Row) take(event Event, c Case) (Event, error) {
	kept := Event{Name: event.Name}
	var err error
	if kept.Reason, err = clean("reason", event.Reason, MaxReason); err != nil {
		return kept, err
	}
	for _, need := range row.Needs {
		if err := need.take(&kept, event, c); err != nil {
			return kept, err
		}
	}
	if event.Name == RequestExplanation && len(event.Officials) > 0 {
		if !areIDs(event.Officials, MaxOfficials) {
			return kept, fault.New(fault.Invalid, "casework_officials", "limit", MaxOfficials)
		}
		kept.Officials = unique(event.Officials, nil)
	}
	return kept, nil
}

func missing(need Need) error { return fault.New(fault.Invalid, "casework_missing_"+string(need)) }

// take moves what is needed from an event to what is kept of it.
func (n Need) take(kept *Event, event Event, c Case) (err error) {
	switch n {
	case NeedUnit:
		if kept.Unit = event.Unit; !isID(event.Unit) {
			return missing(n)
		}
	case NeedReason:
		if kept.Reason == "" {
			return missing(n)
		}
	case NeedReturnReasons:
		kept.Reasons = unique(event.Reasons, nil)
		if len(kept.Reasons) == 0 || !among(kept.Reasons, ReturnReasons()) || slices.Contains(kept.Reasons, Other) && kept.Reason == "" {
			return missing(n)
		}
		if c.Returns >= MaxReturns {
			return fault.New(fault.Exhausted, "casework_returns_many", "limit", MaxReturns)
		}
	case NeedReopenReasons:
		kept.Reasons, kept.Private = unique(event.Reasons, nil), event.Private
		if len(kept.Reasons) == 0 || !among(kept.Reasons, ReopenReasons()) || slices.Contains(kept.Reasons, OtherReason) && !isID(event.Private) || len(event.Private) > maxID {
			return missing(n)
		}
	case NeedWithdrawal:
		if kept.Private = event.Private; kept.Reason == "" && event.Private == "" || event.Private != "" && !isID(event.Private) {
			return missing(n)
		}
	case NeedExplanation:
		if event.Explanation == nil {
			return missing(n)
		}
		explanation, err := event.Explanation.Check()
		if err != nil {
			return err
		}
		kept.Explanation = &explanation
	case NeedFinding:
		if kept.Finding = event.Finding; !event.Finding.valid() {
			return missing(n)
		}
	case NeedText:
		if kept.Text, err = clean("text", event.Text, MaxReply); err == nil && kept.Text == "" {
			return missing(n)
		}
	case NeedDocument:
		if kept.Document, err = clean("document", event.Document, MaxReason); err == nil && kept.Document == "" {
			return missing(n)
		}
	case NeedRoute:
		kept.Route.Kind = event.Route.Kind
		if kept.Route.To, err = clean("to", event.Route.To, MaxName); err == nil && (kept.Route.To == "" || !slices.Contains(RouteKinds(), event.Route.Kind)) {
			return missing(n)
		}
	case NeedTarget:
		if kept.Into = event.Into; !isID(event.Into.ID) {
			return missing(n)
		}
	case NeedRatings:
		if len(event.Ratings) == 0 || !areIDs(event.Ratings, MaxRatings) {
			return missing(n)
		}
		if kept.Ratings = unique(event.Ratings, c.Attached); len(kept.Ratings) == 0 {
			return fault.New(fault.Exists, "casework_ratings_held")
		}
		if len(kept.Ratings)+len(c.Attached) > MaxRatings {
			return fault.New(fault.Exhausted, "casework_ratings_many", "limit", MaxRatings)
		}
	case NeedClock:
		if kept.Clock = event.Clock; c.running(event.Clock) < 0 {
			return missing(n)
		}
	case NeedDays:
		if kept.Days = event.Days; event.Days < 1 {
			return missing(n)
		}
	default:
		return missing(n)
	}
	return err
}

func among[T comparable](list, of []T) bool {
	return !slices.ContainsFunc(list, func(one T) bool { return !slices.Contains(of, one) })
}

// unique answers what is in a list and not in another, each once, in order.
func unique[T comparable](list, not []T) []T {
	var out []T
	for _, one := range list {
		if !slices.Contains(out, one) && !slices.Contains(not, one) {
			out = append(out, one)
		}
	}
	return out
}

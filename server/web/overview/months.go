package overview

import (
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// wholeMonths are the days that figures by counter or procedure rest on: they are kept by month, so that nobody can be told from
// them, and the months of a period begin before it.
type wholeMonths struct{ From, To string }

// monthsOf are the months of an answer, until today where the last one is not over; nil where it holds nothing.
func monthsOf(v *web.Visit, facets *pb.ListFacetsResponse) *wholeMonths {
	if len(facets.GetFacets()) == 0 {
		return nil
	}
	return &wholeMonths{facets.GetFrom(), untilToday(v, facets)}
}

// untilToday is the last day of an answer's months that has come.
func untilToday(v *web.Visit, facets *pb.ListFacetsResponse) string {
	if today := string(v.Today()); facets.GetFrom() <= today {
		return min(facets.GetTo(), today)
	}
	return facets.GetTo()
}

// countersLater tells whether the unit has counters but no figures by counter. Those are counted some minutes after the unit's
// own; whether the ratings named a counter at all is not known before.
func countersLater(v *web.Visit, unit string, got figures) (bool, error) {
	if got.counters == nil || len(got.counters.GetFacets()) > 0 || len(got.ranking.GetUnits()) > 0 {
		return false, nil
	}
	counters, err := v.Directory.ListCounters(v.Context(), &pb.ListCountersRequest{UnitId: unit, PageSize: 1})
	return len(counters.GetCounters()) > 0, err
}

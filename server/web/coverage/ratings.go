package coverage

import (
	"net/http"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type ratingsPage struct {
	Asked   asked
	Unit    *pb.Unit
	Problem string
	Found   *pb.ListUncoveredResponse
	List    []untouched
	Next    string
	Back    string
	MayNote bool
}

type untouched struct {
	*pb.ListedRating
	Until int32  // the hour after its own
	Open  string // link that opens a case of it; "" = the account may not
}

// ratings lists ratings that nobody touched, those with words first.
func (p pages) ratings(v *web.Visit) error {
	unit, err := scopeUnit(v)
	if err != nil {
		return err
	}
	if unit == nil {
		return web.ErrNotFound
	}
	a := ask(v)
	a.Unit = unit.GetId()
	shown := ratingsPage{Asked: a, Unit: unit, MayNote: v.May("note_ratings")}
	shown.Found, err = v.Coverage.ListUncovered(v.Context(), &pb.ListUncoveredRequest{UnitId: a.Unit, From: a.From, To: a.To, PageSize: 30, PageToken: v.Value("page")})
	if message, mendable := web.Message(err); err != nil && mendable {
		shown.Problem = message
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "ratings", shown)
	}
	if err != nil {
		return err
	}
	shown.Asked.From, shown.Asked.To = shown.Found.GetFrom(), shown.Found.GetTo()
	shown.Back = shown.Asked.Link("/coverage/ratings")
	for _, one := range shown.Found.GetRatings() {
		shown.List = append(shown.List, untouched{ListedRating: one, Until: one.GetHour() + 1})
	}
	if token := shown.Found.GetNextPageToken(); token != "" {
		shown.Next = shown.Asked.Link("/coverage/ratings", "page", token)
	}
	return v.Render(p.Pages, "ratings", shown)
}

package desk

import (
	"net/url"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// shownUnits is how many units a search answers at once.
const shownUnits = 20

// search is the step in which the unit is chosen: by part of its name, with or without diacritics.
type search struct {
	Path  string // of the page that goes on with ?unit=
	Query string
	Found []foundUnit
	More  bool // there are more than are shown
}

type foundUnit struct {
	Name, Above, Link string
}

func newSearch(v *web.Visit, path string) (search, error) {
	s := search{Path: path, Query: v.Value("q")}
	query := s.Query
	if len([]rune(query)) > 200 {
		query = string([]rune(query)[:200])
	}
	answer, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{PageSize: shownUnits, Query: query})
	if err != nil {
		return s, err
	}
	s.More = answer.GetNextPageToken() != ""
	above := map[string]string{"": ""}
	for _, u := range answer.GetUnits() {
		name, known := above[u.GetParentId()]
		if !known {
			if name, err = unitName(v, u.GetParentId()); err != nil {
				return s, err
			}
			above[u.GetParentId()] = name
		}
		s.Found = append(s.Found, foundUnit{u.GetName(), name, path + "?" + url.Values{"unit": {u.GetId()}}.Encode()})
	}
	return s, nil
}

// unitName is a unit's name; "" where the visitor may not see it.
func unitName(v *web.Visit, id string) (string, error) {
	u, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
	if status.Code(err) == codes.NotFound {
		return "", nil
	}
	return u.GetName(), err
}

// unit is the unit of the request's field; where none is named and the visitor has only one, that one. nil = to be searched.
func unit(v *web.Visit) (*pb.Unit, error) {
	if id := v.Value("unit"); id != "" {
		return v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
	}
	answer, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{PageSize: 2})
	if err != nil || len(answer.GetUnits()) != 1 || v.R.URL.Query().Has("q") {
		return nil, err
	}
	return answer.GetUnits()[0], nil
}

package overview

import (
	"net/url"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

const foundAtMost = 50

type findPage struct {
	Query string
	Units []*pb.Unit
	More  bool
}

// find lists the units an account begins with, or those that match some words.
func (p pages) find(v *web.Visit) error {
	page := findPage{Query: v.Value("q")}
	if scope := v.Account.GetUnitId(); page.Query == "" && scope != "" {
		return v.Redirect("/units/" + url.PathEscape(scope))
	}
	request := &pb.ListUnitsRequest{Query: page.Query, PageSize: foundAtMost}
	if page.Query == "" {
		request.Level = "province"
	}
	units, err := v.Directory.ListUnits(v.Context(), request)
	if err != nil {
		return err
	}
	page.Units, page.More = units.GetUnits(), units.GetNextPageToken() != ""
	if page.Query == "" && len(page.Units) == 1 {
		return v.Redirect("/units/" + url.PathEscape(page.Units[0].GetId()))
	}
	return v.Render(p.Pages, "find", page)
}

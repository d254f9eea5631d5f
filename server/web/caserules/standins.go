package caserules

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"net/url"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// standInsPage is who stands in for whom: the visitor's own, and for administrators those of others.
type standInsPage struct {
	form
	Mine      []*pb.StandIn
	All       []*pb.StandIn
	Next      string
	MayMine   bool // the visitor acts on cases, so somebody may stand in
	MayOthers bool
	SeesAll   bool

	Account, Deputy, From, To, Reason string
}

func (p pages) standIns(v *web.Visit) error {
	page := standInsPage{From: string(v.Today())}
	if err := page.fill(v); err != nil {
		return err
	}
	return v.Render(p.Pages, "stand-ins", page)
}

func (page *standInsPage) fill(v *web.Visit) error {
	page.MayMine, page.MayOthers = v.May("act_on_cases"), v.May("manage_accounts")
	page.SeesAll = page.MayOthers || v.May("read_audit")
	mine, err := v.CaseRules.ListStandIns(v.Context(), &pb.ListStandInsRequest{})
	if err != nil {
		return err
	}
	page.Mine = mine.GetStandIns()
	if !page.SeesAll {
		return nil
	}
	all, err := v.CaseRules.ListStandIns(v.Context(), &pb.ListStandInsRequest{All: true, PageSize: 50, PageToken: v.R.URL.Query().Get("page")})
	if err != nil {
		return err
	}
	page.All = all.GetStandIns()
	if token := all.GetNextPageToken(); token != "" {
		page.Next = "/stand-ins?" + url.Values{"page": {token}}.Encode()
	}
	return nil
}

func (p pages) setStandIn(v *web.Visit) error {
	page := standInsPage{
		Account: v.Value("account"), Deputy: v.Value("deputy"), From: v.Value("from"), To: v.Value("to"), Reason: v.Value("reason"),
	}
	required := map[string]string{"deputy": page.Deputy, "from": page.From, "to": page.To}
	if !v.May("act_on_cases") {
		required["account"] = page.Account
	}
	for field, value := range required {
		if value == "" {
			page.wrong(v, field, v.Text("web.required"))
		}
	}
	if !page.bad() {
		made, err := v.CaseRules.SetStandIn(v.Context(), &pb.SetStandInRequest{
			AccountName: page.Account, DeputyName: page.Deputy, From: page.From, To: page.To, Reason: page.Reason,
		})
		if err == nil {
			v.Notice(v.Text("caserulespage.stand_in_made", "deputy", made.GetDeputyName(), "name", made.GetAccountName(),
				"from", web.Day(v.Language, made.GetFrom()), "to", web.Day(v.Language, made.GetTo())))
			return v.Redirect("/stand-ins")
		}
		if err := page.refused(err); err != nil {
			return err
		}
	}
	if err := page.fill(v); err != nil {
		return err
	}
	return v.RenderStatus(unprocessable, p.Pages, "stand-ins", page)
}

// endPage asks before a stand-in is ended.
type endPage struct{ *pb.StandIn }

// askEnd looks the stand-in up among those the visitor may see; the list of others is looked through as far as needed.
func (p pages) askEnd(v *web.Visit) error {
	request := &pb.ListStandInsRequest{PageSize: 1000}
	for {
		list, err := v.CaseRules.ListStandIns(v.Context(), request)
		if err != nil {
			return err
		}
		for _, one := range list.GetStandIns() {
			if one.GetId() == v.R.PathValue("id") && one.GetMayEnd() {
				return v.Render(p.Pages, "end", endPage{one})
			}
		}
		request.PageToken = list.GetNextPageToken()
		if request.GetPageToken() != "" {
			continue
		}
		if request.GetAll() || !v.May("manage_accounts") {
			return web.ErrNotFound
		}
		request.All = true
	}
}

func (p pages) end(v *web.Visit) error {
	ended, err := v.CaseRules.EndStandIn(v.Context(), &pb.EndStandInRequest{StandInId: v.R.PathValue("id")})
	if status.Code(err) == codes.NotFound {
		return web.ErrNotFound
	}
	if err != nil {
		return err
	}
	v.Notice(v.Text("caserulespage.stand_in_ended", "deputy", ended.GetDeputyName(), "name", ended.GetAccountName()))
	return v.Redirect("/stand-ins")
}

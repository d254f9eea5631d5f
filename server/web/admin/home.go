package admin

import (
	"context"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type homePage struct {
	Steps  []step
	Done   int // steps that are done
	First  bool
	Cards  []card
	Tools  []card
	Rules  bool // the account may change the rules of casework
	Papers bool // and the templates of documents
}

// step is one of the first steps, done or not as the data says.
type step struct {
	Key, Link string
	Done      bool
	Number    int
}

// card is something there is here.
type card struct {
	Key, Link string
	Count     int
	More      bool // at least so many
}

// counted is the size of a list, as far as one page of it tells.
type counted struct {
	n    int
	more bool
}

type inventory struct {
	units, counters, officials, devices, forms, accounts counted
	enrolled, rated                                      bool
}

func (p pages) home(v *web.Visit) error {
	there, err := take(v)
	if err != nil {
		return err
	}
	page := homePage{Rules: v.May("change_case_rules"), Papers: v.May("change_templates")}
	all := everywhere(v)
	page.Steps = []step{
		{Key: "units", Link: "/admin/units", Done: there.units.n > 0},
		{Key: "counters", Link: "/admin/units", Done: there.counters.n > 0},
		{Key: "questionnaire", Link: "/admin/questionnaires", Done: there.forms.n > 0},
		{Key: "accounts", Link: "/admin/accounts", Done: there.accounts.n > 1},
		{Key: "poster", Link: "/admin/units", Done: there.rated},
		{Key: "kiosk", Link: "/admin/devices", Done: there.enrolled},
	}
	for i := range page.Steps {
		page.Steps[i].Number = i + 1
		if page.Steps[i].Done {
			page.Done++
		}
	}
	page.First = v.Value("first") == "1" || there.units.n == 0 || there.counters.n == 0 || there.accounts.n <= 1
	list := func(key, link, action string, c counted) {
		if v.May(action) {
			page.Cards = append(page.Cards, card{key, link, c.n, c.more})
		}
	}
	list("units", "/admin/units", "change_directory", there.units)
	list("counters", "/admin/units", "change_directory", there.counters)
	list("officials", "/admin/units", "change_directory", there.officials)
	list("devices", "/admin/devices", "manage_devices", there.devices)
	list("questionnaires", "/admin/questionnaires", "change_catalogues", there.forms)
	list("accounts", "/admin/accounts", "manage_accounts", there.accounts)
	for _, tool := range []struct {
		key, action string
		everywhere  bool
	}{{"imports", "run_jobs", true}, {"quarantine", "manage_quarantine", false}, {"jobs", "read_jobs", true}, {"health", "read_health", false}, {"webhooks", "manage_webhooks", false}, {"audit", "read_audit", false}} {
		if v.May(tool.action) && (all || !tool.everywhere) {
			page.Tools = append(page.Tools, card{Key: tool.key, Link: "/admin/" + tool.key})
		}
	}
	return v.Render(p.Pages, "home", page)
}

// take looks at everything there is, at once.
func take(v *web.Visit) (inventory, error) {
	var there inventory
	group, ctx := errgroup.WithContext(v.Context())
	look := func(action string, call func(context.Context) error) {
		if v.May(action) {
			group.Go(func() error { return call(ctx) })
		}
	}
	look("change_directory", func(ctx context.Context) error {
		list, err := v.Directory.ListUnits(ctx, &pb.ListUnitsRequest{PageSize: 1000})
		there.units = counted{len(list.GetUnits()), list.GetNextPageToken() != ""}
		return err
	})
	look("change_directory", func(ctx context.Context) error {
		list, err := v.Directory.ListCounters(ctx, &pb.ListCountersRequest{PageSize: 1000})
		there.counters.more = list.GetNextPageToken() != ""
		for _, c := range list.GetCounters() {
			if c.GetClosedAt() == nil {
				there.counters.n++
			}
		}
		return err
	})
	look("read_officials", func(ctx context.Context) error {
		list, err := v.Directory.ListOfficials(ctx, &pb.ListOfficialsRequest{PageSize: 1000})
		there.officials.more = list.GetNextPageToken() != ""
		for _, o := range list.GetOfficials() {
			if o.GetClosedAt() == nil {
				there.officials.n++
			}
		}
		return err
	})
	look("manage_devices", func(ctx context.Context) error {
		list, err := v.Directory.ListDevices(ctx, &pb.ListDevicesRequest{PageSize: 1000})
		there.devices.more = list.GetNextPageToken() != ""
		for _, d := range list.GetDevices() {
			if d.GetRevokedAt() == nil {
				there.devices.n++
				there.enrolled = there.enrolled || d.GetEnrolledAt() != nil
			}
		}
		return err
	})
	look("read_directory", func(ctx context.Context) error {
		list, err := v.Directory.ListQuestionnaires(ctx, &pb.ListQuestionnairesRequest{PageSize: 1000})
		there.forms = counted{len(list.GetQuestionnaires()), list.GetNextPageToken() != ""}
		return err
	})
	look("manage_accounts", func(ctx context.Context) error {
		list, err := v.Identity.ListAccounts(ctx, &pb.ListAccountsRequest{PageSize: 1000})
		there.accounts.more = list.GetNextPageToken() != ""
		for _, a := range list.GetAccounts() {
			if a.GetDisabledAt() == nil {
				there.accounts.n++
			}
		}
		return err
	})
	look("read_figures", func(ctx context.Context) (err error) {
		there.rated, err = rated(ctx, v)
		return err
	})
	return there, group.Wait()
}

// rated tells whether somebody answered on a phone in the last year: the codes hang where people see them.
func rated(ctx context.Context, v *web.Visit) (bool, error) {
	unit := v.Account.GetUnitId()
	if unit == "" {
		list, err := v.Directory.ListUnits(ctx, &pb.ListUnitsRequest{PageSize: 1})
		if err != nil || len(list.GetUnits()) == 0 {
			return false, err
		}
		unit = topOf(ctx, v, list.GetUnits()[0])
	}
	today := v.Today()
	summary, err := v.Analytics.GetUnitSummary(ctx, &pb.GetUnitSummaryRequest{
		UnitId: unit, From: string(today.Add(-365)), To: string(today), Channels: []pb.Channel{pb.Channel_CHANNEL_WEB},
	})
	switch status.Code(err) { //nolint:exhaustive // what cannot be counted at once is left open
	case codes.OK:
		return summary.GetPooled().GetN() > 0 || summary.GetPooled().GetSatisfied().GetSuppressed(), nil
	case codes.ResourceExhausted, codes.InvalidArgument, codes.NotFound:
		return false, nil
	}
	return false, err
}

func topOf(ctx context.Context, v *web.Visit, u *pb.Unit) string {
	for range 64 {
		if u.GetParentId() == "" {
			break
		}
		above, err := v.Directory.GetUnit(ctx, &pb.GetUnitRequest{UnitId: u.GetParentId()})
		if err != nil {
			break
		}
		u = above
	}
	return u.GetId()
}

package server

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func (s *running) identity() pb.IdentityServiceClient { return pb.NewIdentityServiceClient(s.conn) }

// province is a small tree with an account of each role in one of its communes.
type province struct {
	*running
	admin                      context.Context
	top, mine, office, sibling string // mine and sibling are communes, office is below mine
	accounts                   map[string]*pb.Account
}

func newProvince(admin context.Context, s *running) *province {
	p := &province{running: s, admin: admin, accounts: map[string]*pb.Account{}}
	p.top = s.unit(admin, "", "Tỉnh Thử")
	p.mine, p.sibling = s.unit(admin, p.top, "Xã Một"), s.unit(admin, p.top, "Xã Hai")
	p.office = s.unit(admin, p.mine, "Bộ phận một cửa")
	return p
}

const rolePassword = "mật khẩu của vai"

// as makes an account and signs it in.
func (p *province) as(name string, role pb.Role, unit string) context.Context {
	p.t.Helper()
	account, err := p.identity().CreateAccount(p.admin, &pb.CreateAccountRequest{Name: name, Password: rolePassword, Role: role, UnitId: unit})
	if err != nil {
		p.t.Fatal(err)
	}
	p.accounts[name] = account
	return p.signIn(name, rolePassword)
}

func (p *province) at(t *testing.T) *province {
	other := *p
	other.running = p.in(t)
	return &other
}

func TestRolesAndScopes(t *testing.T) {
	onEngines(t, func(t *testing.T, config Config) {
		s := start(t, config)
		p := newProvince(s.admin(), s)
		for _, unit := range []string{p.top, p.mine, p.office, p.sibling} {
			for range 5 {
				wantOutcome(t, s.submit(p.admin, seal(t, freshRating(unit, 4)))[0], stored, "")
			}
		}
		s.summary(p.admin, p.top, 20)
		t.Run("operator", func(t *testing.T) { testOperator(p.at(t)) })
		t.Run("leader", func(t *testing.T) { testLeader(p.at(t)) })
		t.Run("official", func(t *testing.T) { testOfficial(p.at(t)) })
		t.Run("administrator of a commune", func(t *testing.T) { testScopedAdministrator(p.at(t)) })
		t.Run("disabled", func(t *testing.T) { testDisabled(p.at(t)) })
	})
}

func testOperator(p *province) {
	operator := p.as("nhập liệu", pb.Role_ROLE_OPERATOR, p.mine)
	for _, c := range []struct {
		name, unit string
		reason     string
		change     func(*pb.Rating)
	}{
		{"its unit", p.mine, "", func(*pb.Rating) {}},
		{"a unit below", p.office, "", func(*pb.Rating) {}},
		{"a call", p.office, "", func(r *pb.Rating) { r.Channel = pb.Channel_CHANNEL_HOTLINE }},
		{"under its own name", p.office, "", func(r *pb.Rating) { r.RecordedBy = p.accounts["nhập liệu"].GetId() }},
		{"a sibling", p.sibling, "unit_out_of_scope", func(*pb.Rating) {}},
		{"the unit above", p.top, "unit_out_of_scope", func(*pb.Rating) {}},
		{"as a kiosk", p.office, "channel_denied", func(r *pb.Rating) { r.Channel = pb.Channel_CHANNEL_KIOSK }},
		{"as a device", p.office, "device_other", func(r *pb.Rating) { r.DeviceId, r.DeviceSequence = "kiosk", 1 }},
		{"under another's name", p.office, "recorded_by_other", func(r *pb.Rating) { r.RecordedBy = "another" }},
	} {
		p.t.Run(c.name, func(t *testing.T) {
			want := stored
			if c.reason != "" {
				want = rejected
			}
			r := freshRating(c.unit, 3)
			c.change(r)
			wantOutcome(t, p.in(t).submit(operator, seal(t, r))[0], want, c.reason)
			created, err := p.ratings().CreateRating(operator, &pb.CreateRatingRequest{Rating: func() *pb.Rating { r.Id = ""; return r }()})
			if err != nil || created.GetOutcome() != want || created.GetReasonCode() != c.reason {
				t.Errorf("by CreateRating: %v, %v", created, err)
			}
		})
	}
	_, figures := p.analytics().GetUnitSummary(operator, &pb.GetUnitSummaryRequest{UnitId: p.mine})
	_, quarantine := p.operations().ListQuarantine(operator, &pb.ListQuarantineRequest{})
	_, unit := p.directory().CreateUnit(operator, &pb.CreateUnitRequest{Unit: &pb.Unit{ParentId: p.mine, Name: "Tổ", Level: "office"}})
	for _, err := range []error{figures, quarantine, unit} {
		wantRefused(p.t, err, codes.PermissionDenied, "action_denied")
	}
}

// reads makes every call that answers figures of a unit.
func (p *province) reads(ctx context.Context, unit string) map[string]error {
	errs := map[string]error{}
	_, errs["summary"] = p.analytics().GetUnitSummary(ctx, &pb.GetUnitSummaryRequest{UnitId: unit})
	_, errs["trend"] = p.analytics().GetTrend(ctx, &pb.GetTrendRequest{UnitId: unit})
	_, errs["ranking"] = p.analytics().RankUnits(ctx, &pb.RankUnitsRequest{UnitId: unit})
	_, errs["follow-ups"] = p.analytics().ListFollowUps(ctx, &pb.ListFollowUpsRequest{UnitId: unit})
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := p.analytics().WatchUnit(watching, &pb.WatchUnitRequest{UnitId: unit})
	if err == nil {
		_, err = stream.Recv()
	}
	errs["watch"] = err
	return errs
}

func testLeader(p *province) {
	leader := p.as("lãnh đạo", pb.Role_ROLE_LEADER, p.mine)
	for _, unit := range []string{p.mine, p.office} {
		for name, err := range p.reads(leader, unit) {
			if err != nil {
				p.t.Errorf("%s of its own: %v", name, err)
			}
		}
	}
	for name, unit := range map[string]string{"sibling": p.sibling, "above": p.top, "no unit": "khong-co"} {
		for call, err := range p.reads(leader, unit) {
			p.t.Run(name+" "+call, func(t *testing.T) { wantRefused(t, err, codes.NotFound, "unit_unknown") })
		}
	}
	session, err := p.identity().CreateSession(p.t.Context(), &pb.CreateSessionRequest{Name: "lãnh đạo", Password: rolePassword})
	if err != nil {
		p.t.Fatal(err)
	}
	for unit, want := range map[string]int{p.mine: http.StatusOK, p.sibling: http.StatusNotFound, p.top: http.StatusNotFound} {
		if code, answer := p.json("GET", "/v1/units/"+unit+"/summary", session.GetToken(), ""); code != want {
			p.t.Errorf("JSON: %d %v, want %d", code, answer, want)
		}
	}
	listed, err := p.directory().ListUnits(leader, &pb.ListUnitsRequest{PageSize: 1000})
	if err != nil || len(listed.GetUnits()) != 2 {
		p.t.Errorf("the leader sees units %v, %v", listed.GetUnits(), err)
	}
	_, err = p.directory().GetUnit(leader, &pb.GetUnitRequest{UnitId: p.sibling})
	wantRefused(p.t, err, codes.NotFound, "unit_unknown")
	wantOutcome(p.t, p.submit(leader, seal(p.t, freshRating(p.mine, 5)))[0], rejected, "action_denied")
}

func testOfficial(p *province) {
	official := p.as("cán bộ", pb.Role_ROLE_OFFICIAL, p.office)
	if _, err := p.analytics().GetUnitSummary(official, &pb.GetUnitSummaryRequest{UnitId: p.office}); err != nil {
		p.t.Error(err)
	}
	_, err := p.analytics().GetUnitSummary(official, &pb.GetUnitSummaryRequest{UnitId: p.mine})
	wantRefused(p.t, err, codes.NotFound, "unit_unknown")
	errs := map[string]error{}
	_, errs["devices"] = p.directory().ListDevices(official, &pb.ListDevicesRequest{})
	_, errs["accounts"] = p.identity().ListAccounts(official, &pb.ListAccountsRequest{})
	_, errs["quarantine"] = p.operations().ListQuarantine(official, &pb.ListQuarantineRequest{})
	_, errs["release"] = p.operations().ReleaseQuarantined(official, &pb.ReleaseQuarantinedRequest{QuarantineId: "x", Vouch: true})
	_, errs["gaps"] = p.operations().ListSequenceGaps(official, &pb.ListSequenceGapsRequest{})
	_, errs["officials"] = p.directory().ListOfficials(official, &pb.ListOfficialsRequest{})
	_, errs["ranking"] = p.analytics().RankUnits(official, &pb.RankUnitsRequest{UnitId: p.office})
	_, errs["follow-ups"] = p.analytics().ListFollowUps(official, &pb.ListFollowUpsRequest{UnitId: p.office})
	_, errs["unit"] = p.directory().CreateUnit(official, &pb.CreateUnitRequest{Unit: &pb.Unit{ParentId: p.office, Name: "Tổ", Level: "office"}})
	_, errs["account"] = p.identity().CreateAccount(official, &pb.CreateAccountRequest{Name: "bạn", Password: rolePassword, Role: pb.Role_ROLE_OFFICIAL, UnitId: p.office})
	for name, err := range errs {
		p.t.Run(name, func(t *testing.T) { wantRefused(t, err, codes.PermissionDenied, "action_denied") })
	}
}

func testScopedAdministrator(p *province) {
	mine := p.as("quản trị xã", pb.Role_ROLE_ADMINISTRATOR, p.mine)
	p.as("quản trị xã bên", pb.Role_ROLE_ADMINISTRATOR, p.sibling)
	theirs := p.newKiosk(p.admin)
	unit := func(parent string) error {
		_, err := p.directory().CreateUnit(mine, &pb.CreateUnitRequest{Unit: &pb.Unit{ParentId: parent, Name: "Tổ mới", Level: "office"}})
		return err
	}
	account := func(name, unit string) error {
		_, err := p.identity().CreateAccount(mine, &pb.CreateAccountRequest{Name: name, Password: rolePassword, Role: pb.Role_ROLE_OPERATOR, UnitId: unit})
		return err
	}
	device := func(unit string) error {
		_, err := p.directory().CreateDevice(mine, &pb.CreateDeviceRequest{Name: "Kiosk", Bindings: []*pb.DeviceBinding{{UnitId: unit}}})
		return err
	}
	change := func(id, parent string) error {
		_, err := p.directory().ChangeUnit(mine, &pb.ChangeUnitRequest{Unit: &pb.Unit{Id: id, ParentId: parent, Name: "Tên khác", Level: "office"}})
		return err
	}
	for name, err := range map[string]error{
		"a unit below": unit(p.office), "an account below": account("người mới", p.office), "a device below": device(p.office), "its office renamed": change(p.office, p.mine),
	} {
		if err != nil {
			p.t.Errorf("%s: %v", name, err)
		}
	}
	_, revoke := p.directory().RevokeDevice(mine, &pb.RevokeDeviceRequest{DeviceId: theirs.id})
	_, renew := p.directory().RenewDeviceCode(mine, &pb.RenewDeviceCodeRequest{DeviceId: theirs.id})
	_, seize := p.directory().BindDevice(mine, &pb.BindDeviceRequest{DeviceId: theirs.id, Binding: &pb.DeviceBinding{UnitId: p.mine}})
	_, disable := p.identity().DisableAccount(mine, &pb.DisableAccountRequest{AccountId: p.accounts["quản trị xã bên"].GetId()})
	_, closed := p.directory().CloseUnit(mine, &pb.CloseUnitRequest{UnitId: p.sibling, ValidTo: "2030-01-01"})
	_, procedure := p.directory().CreateProcedure(mine, &pb.CreateProcedureRequest{Procedure: &pb.Procedure{Code: "1.1", Name: "Thủ tục"}})
	_, counter := p.directory().CreateCounter(mine, &pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: p.sibling, Code: "1", Name: "Quầy"}})
	for name, c := range map[string]struct {
		err    error
		code   codes.Code
		reason string
	}{
		"a unit at the top":            {unit(""), codes.PermissionDenied, "unit_out_of_scope"},
		"a unit beside":                {unit(p.top), codes.PermissionDenied, "unit_out_of_scope"},
		"a unit below a sibling":       {unit(p.sibling), codes.PermissionDenied, "unit_out_of_scope"},
		"its office given away":        {change(p.office, p.sibling), codes.PermissionDenied, "unit_out_of_scope"},
		"its commune at the top":       {change(p.mine, ""), codes.PermissionDenied, "unit_out_of_scope"},
		"a sibling changed":            {change(p.sibling, p.top), codes.PermissionDenied, "unit_out_of_scope"},
		"a sibling taken":              {change(p.sibling, p.mine), codes.PermissionDenied, "unit_out_of_scope"},
		"a sibling closed":             {closed, codes.PermissionDenied, "unit_out_of_scope"},
		"a counter of a sibling":       {counter, codes.PermissionDenied, "unit_out_of_scope"},
		"a device for a sibling":       {device(p.sibling), codes.PermissionDenied, "unit_out_of_scope"},
		"a procedure for all":          {procedure, codes.PermissionDenied, "action_denied"},
		"an account for everywhere":    {account("kẻ leo thang", ""), codes.PermissionDenied, "account_outside_unit"},
		"an account of a sibling":      {account("kẻ sang ngang", p.sibling), codes.PermissionDenied, "account_outside_unit"},
		"another's device revoked":     {revoke, codes.NotFound, "device_unknown"},
		"another's device enrolled":    {renew, codes.NotFound, "device_unknown"},
		"another's device bound":       {seize, codes.NotFound, "device_unknown"},
		"another's account disabled":   {disable, codes.NotFound, "account_unknown"},
		"the figures of a sibling":     {p.reads(mine, p.sibling)["summary"], codes.NotFound, "unit_unknown"},
		"an account of no unit at all": {account("người lạ", "khong-co"), codes.NotFound, "unit_unknown"},
	} {
		p.t.Run(name, func(t *testing.T) { wantRefused(t, c.err, c.code, c.reason) })
	}
	accounts, err := p.identity().ListAccounts(mine, &pb.ListAccountsRequest{PageSize: 1000})
	if err != nil || len(accounts.GetAccounts()) == 0 || slices.ContainsFunc(accounts.GetAccounts(), func(a *pb.Account) bool { return a.GetUnitId() != p.mine && a.GetUnitId() != p.office }) {
		p.t.Errorf("sees accounts %v, %v", accounts.GetAccounts(), err)
	}
	devices, err := p.directory().ListDevices(mine, &pb.ListDevicesRequest{PageSize: 1000})
	if err != nil || len(devices.GetDevices()) != 1 {
		p.t.Errorf("sees devices %v, %v", devices.GetDevices(), err)
	}
	bad := func(unit string) string {
		r := freshRating(unit, 5)
		r.CounterId = "khong-co"
		return p.submit(p.admin, seal(p.t, r))[0].GetQuarantineId()
	}
	own, foreign := bad(p.office), bad(p.sibling)
	waiting, err := p.operations().ListQuarantine(mine, &pb.ListQuarantineRequest{PageSize: 1000})
	has := func(id string) bool {
		return slices.ContainsFunc(waiting.GetItems(), func(item *pb.QuarantinedItem) bool { return item.GetId() == id })
	}
	if err != nil || !has(own) || has(foreign) {
		p.t.Errorf("sees quarantine %v, %v", waiting.GetItems(), err)
	}
	_, err = p.operations().ReleaseQuarantined(mine, &pb.ReleaseQuarantinedRequest{QuarantineId: foreign, Vouch: true})
	wantRefused(p.t, err, codes.NotFound, "quarantine_unknown")
}

func testDisabled(p *province) {
	leaving := p.as("người nghỉ việc", pb.Role_ROLE_ADMINISTRATOR, p.mine)
	stream, err := p.ratings().StreamRatings(leaving)
	if err != nil {
		p.t.Fatal(err)
	}
	send := func() error {
		if err := stream.Send(&pb.StreamRatingsRequest{Items: []*pb.SealedRating{seal(p.t, freshRating(p.mine, 5))}}); err != nil {
			return err
		}
		_, err := stream.Recv()
		return err
	}
	if err := send(); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.identity().DisableAccount(p.admin, &pb.DisableAccountRequest{AccountId: p.accounts["người nghỉ việc"].GetId()}); err != nil {
		p.t.Fatal(err)
	}
	_, err = p.directory().ListUnits(leaving, &pb.ListUnitsRequest{})
	wantRefused(p.t, err, codes.Unauthenticated, "session_ended")
	wantRefused(p.t, send(), codes.Unauthenticated, "session_ended") // on the stream that was open
	_, err = p.identity().CreateSession(p.t.Context(), &pb.CreateSessionRequest{Name: "người nghỉ việc", Password: rolePassword})
	wantRefused(p.t, err, codes.Unauthenticated, "sign_in_wrong")
	self, err := p.identity().GetSession(p.admin, &pb.GetSessionRequest{})
	if err != nil {
		p.t.Fatal(err)
	}
	_, err = p.identity().DisableAccount(p.admin, &pb.DisableAccountRequest{AccountId: self.GetAccount().GetId()})
	wantRefused(p.t, err, codes.PermissionDenied, "account_own")
}

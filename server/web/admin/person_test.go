package admin_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// TestPerson: an administrator says who an account is; units are searched for within the form, and nothing typed is lost.
func TestPerson(t *testing.T) {
	p := webtest.Shared(t)
	identity := pb.NewIdentityServiceClient(p.Conn(t, webtest.Administrator))
	made, err := identity.CreateAccount(t.Context(), &pb.CreateAccountRequest{Name: "phó chủ tịch", Password: webtest.Password, Role: pb.Role_ROLE_LEADER, UnitId: p.Commune})
	if err != nil {
		t.Fatal(err)
	}
	at := "/admin/accounts/" + made.GetId()
	page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
	p.GiveSession(t, page, webtest.Administrator)
	page.Go(p.HTTP + at + "/person")
	page.NoHorizontalScroll()
	page.CheckAccessible()
	page.CheckConsole()
	v := p.Visitor(t, webtest.Administrator)
	form := url.Values{"display": {"anh Phú"}, "official": {p.CommuneOfficials[0]}, "heads_q": {"mot cua xa doi nang"}, "find": {"heads"}}
	found := v.Post(at+"/person", form)
	if found.Status != http.StatusOK || !strings.Contains(found.Body, "anh Phú") || !strings.Contains(found.Body, p.CommuneOffice) {
		t.Fatalf("%d\n%s", found.Status, found.Body)
	}
	wrong := url.Values{"display": {strings.Repeat("chị Lan ", 20)}}
	if answer := v.Post(at+"/person", wrong); answer.Status != http.StatusUnprocessableEntity || !strings.Contains(answer.Body, "chị Lan chị Lan") {
		t.Errorf("a name too long: %d", answer.Status)
	}
	form = url.Values{"display": {"anh Phú"}, "official": {p.CommuneOfficials[0]}, "heads": {p.CommuneOffice}}
	if answer := v.Post(at+"/person", form); answer.Location() != at {
		t.Fatalf("%d\n%s", answer.Status, answer.Body)
	}
	shown := v.Get(at)
	for _, words := range []string{"anh Phú", "Lê Minh Hoạ", "Bộ phận Một cửa xã Đồi Nắng"} {
		if !strings.Contains(shown.Body, words) {
			t.Errorf("the account's page does not say %q", words)
		}
	}
	list, err := identity.ListAccounts(t.Context(), &pb.ListAccountsRequest{PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list.GetAccounts(), func(a *pb.Account) bool { return a.GetId() == made.GetId() })
	if got := list.GetAccounts()[i]; got.GetDisplayName() != "anh Phú" || got.GetOfficialId() != p.CommuneOfficials[0] || !slices.Equal(got.GetHeadsUnitIds(), []string{p.CommuneOffice}) {
		t.Errorf("kept %v", got)
	}
	if answer := p.Visitor(t, webtest.CommuneAdministrator).Get("/admin/accounts/" + made.GetId() + "/person"); answer.Status != http.StatusOK {
		t.Errorf("the commune's own administrator: %d", answer.Status)
	}
	if answer := p.Visitor(t, webtest.Leader).Get(at + "/person"); answer.Status != http.StatusNotFound {
		t.Errorf("a leader: %d", answer.Status)
	}
}

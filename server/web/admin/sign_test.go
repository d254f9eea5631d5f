package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

const formLink = `main a[href*="/r/"]`

// What hangs on a wall is typed by people: the shortest address that leads to the place, and to it alone.
func testTypedAddress(t *testing.T, p *webtest.Program) {
	page := browser.Open(t).Page(t, browser.Options{NoScript: true})
	p.GiveSession(t, page, webtest.Administrator)
	office := "/admin/units/" + p.WardOffice
	page.Go(p.HTTP + office + "/counters/" + p.WardCounters[0])
	if link := page.Attribute(formLink, "href"); link != p.HTTP+"/r/TN-01-1/1" || page.Exists(".card .help") {
		t.Errorf("the counter's form is at %s\n%s", link, page.Text("main"))
	}
	page.Follow(formLink)
	page.WaitText("header", "Bộ phận Một cửa phường Sông Xanh")
	if page.Text(".place span") == "" {
		t.Errorf("no counter is named: %s", page.Text("header"))
	}
	// What is sent from there stands for the counter.
	page.Click(`label[for="s5"]`)
	if status := page.Submit(`[type="submit"]`); status != http.StatusOK || !strings.HasPrefix(page.URL(), p.HTTP+"/r/TN-01-1/1/thanks") {
		t.Errorf("sent: %d at %s", status, page.URL())
	}
	page.Go(p.HTTP + office)
	if link := page.Attribute(formLink, "href"); link != p.HTTP+"/r/TN-01-1" {
		t.Errorf("the unit's form is at %s", link)
	}
	directory := pb.NewDirectoryServiceClient(p.Conn(t, webtest.Administrator))
	for _, sign := range []string{"2/Đ", "embed", ".."} { // none of which can stand in an address
		made, err := directory.CreateCounter(t.Context(), &pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: p.WardOffice, Code: sign, Name: "Quầy lạ"}})
		if err != nil {
			t.Fatal(err)
		}
		page.Go(p.HTTP + office + "/counters/" + made.GetId())
		if link := page.Attribute(formLink, "href"); link != p.HTTP+"/r/"+made.GetId() || !page.Exists(".card .help") {
			t.Errorf("the counter %q has its form at %s", sign, link)
		}
	}
	// Two units of one code are told apart by their ids alone.
	if _, err := directory.CreateUnit(t.Context(), &pb.CreateUnitRequest{Unit: &pb.Unit{Name: "Nơi khác", Code: "tn-01-1", Level: "office", ParentId: p.Commune}}); err != nil {
		t.Fatal(err)
	}
	if _, err := directory.CreateUnit(t.Context(), &pb.CreateUnitRequest{Unit: &pb.Unit{Name: "Nơi khác nữa", Code: "TN-01-1", Level: "office", ParentId: p.Quiet}}); err != nil {
		t.Fatal(err)
	}
	page.Go(p.HTTP + office + "/counters/" + p.WardCounters[0])
	if link := page.Attribute(formLink, "href"); strings.Contains(link, "TN-01-1/") {
		t.Errorf("the form of two units is at %s", link)
	}
	page.Follow(formLink)
	page.WaitText("header", "Bộ phận Một cửa phường Sông Xanh")
}

// What is printed or copied with an address that only this machine can open is said to be so, until an address is set.
func TestAddressOfThisMachineAlone(t *testing.T) {
	for name, c := range map[string]struct {
		public string
		warned bool
	}{"as the visitor came": {"", true}, "set": {"https://danhgia.example.vn", false}} {
		t.Run(name, func(t *testing.T) {
			p := webtest.Start(t, webtest.Bare(), webtest.Change(func(config *server.Config) { config.PublicURL = c.public }))
			directory := pb.NewDirectoryServiceClient(p.Conn(t, webtest.Administrator))
			unit, err := directory.CreateUnit(t.Context(), &pb.CreateUnitRequest{Unit: &pb.Unit{Name: "Xã Mới", Code: "XM", Level: "commune"}})
			if err != nil {
				t.Fatal(err)
			}
			device, err := directory.CreateDevice(t.Context(), &pb.CreateDeviceRequest{Name: "Kiosk", Bindings: []*pb.DeviceBinding{{UnitId: unit.GetId()}}})
			if err != nil {
				t.Fatal(err)
			}
			page := browser.Open(t).Page(t, browser.Options{NoScript: true})
			p.GiveSession(t, page, webtest.Administrator)
			warned := func(where string) {
				t.Helper()
				if got := strings.Contains(page.Text("main"), "-public-url"); got != c.warned {
					t.Errorf("%s: warned %t\n%s", where, got, page.Text("main"))
				}
				page.CheckAccessible()
			}
			page.Go(p.HTTP + "/admin/units/" + unit.GetId())
			warned("the unit's page")
			if link, base := page.Attribute(formLink, "href"), c.public; base != "" && link != base+"/r/XM" {
				t.Errorf("the form is at %s", link)
			}
			page.Screenshot("admin-sign-" + strings.ReplaceAll(name, " ", "-"))
			page.Go(p.HTTP + "/admin/devices/" + device.GetDevice().GetId() + "/code")
			page.Submit(save)
			if !page.Exists(".once .code") {
				t.Fatalf("no code is shown:\n%s", page.Text("main"))
			}
			warned("the page of an enrolment code")
			page.Screenshot("admin-code-" + strings.ReplaceAll(name, " ", "-"))
			page.Go(p.HTTP + "/admin/accounts/new")
			page.Fill("#name", "người mới")
			page.Click("[value=ROLE_LEADER]")
			page.Click(`[name=unit][value="-"]`)
			page.Submit(save)
			warned("the page of a new account")
		})
	}
}

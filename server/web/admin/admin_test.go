package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

// The pages that are used most, in every way they must stand.
func TestLook(t *testing.T) {
	p := webtest.Shared(t)
	for _, view := range []webtest.View{
		{Path: "/admin?first=1", Name: "admin-first"},
		{Path: "/admin/units?open=" + p.Ward, Name: "admin-units"},
		{Path: "/admin/units/" + p.WardOffice, Name: "admin-unit"},
		{Path: "/admin/units/" + p.WardOffice + "/change", Name: "admin-unit-change"},
		{Path: "/admin/devices", Name: "admin-devices"},
		{Path: "/admin/accounts", Name: "admin-accounts"},
	} {
		view.Who = webtest.Administrator
		p.Look(t, view)
	}
}

// All others: in both languages, at a desk and 320 pixels wide, for everybody.
func TestEveryPage(t *testing.T) {
	p := webtest.Shared(t)
	office := "/admin/units/" + p.WardOffice
	page := browser.Open(t).Page(t, browser.Options{})
	p.GiveSession(t, page, webtest.Administrator)
	widths := map[string]int{"desk": 1280, "phone": 320}
	for name, path := range map[string]string{
		"admin":                   "/admin",
		"admin-units-found":       "/admin/units?q=mot+cua",
		"admin-unit-new":          "/admin/units/new?parent=" + p.Ward + "&parent_q=song",
		"admin-unit-close":        office + "/close?successor_q=xa",
		"admin-counter":           office + "/counters/" + p.WardCounters[1],
		"admin-counter-new":       office + "/counters/new",
		"admin-counter-change":    office + "/counters/" + p.WardCounters[1] + "/change",
		"admin-counter-close":     office + "/counters/" + p.WardCounters[0] + "/close",
		"admin-official-new":      office + "/officials/new",
		"admin-official-close":    office + "/officials/" + p.WardOfficials[0] + "/close",
		"admin-device":            "/admin/devices/" + p.Device,
		"admin-device-new":        "/admin/devices/new?unit=" + p.WardOffice,
		"admin-device-bind":       "/admin/devices/" + p.Device + "/bind?unit=" + p.WardOffice,
		"admin-device-unbind":     "/admin/devices/" + p.Device + "/unbind?unit=" + p.WardOffice + "&counter=" + p.WardCounters[0],
		"admin-device-code":       "/admin/devices/" + p.Device + "/code",
		"admin-device-revoke":     "/admin/devices/" + p.Device + "/revoke",
		"admin-questionnaires":    "/admin/questionnaires",
		"admin-questionnaire":     "/admin/questionnaires/sipas/1",
		"admin-questionnaire-new": "/admin/questionnaires/new?from=kiosk@1",
		"admin-account-new":       "/admin/accounts/new",
	} {
		t.Run(name, func(t *testing.T) {
			page := page.In(t)
			// axe-core takes most of the time: each language and each size is held to its rules once.
			for _, way := range []struct {
				language, first, second string
			}{{"vi", "desk", "phone"}, {"en", "phone", "desk"}} {
				page.Resize(widths[way.first], 800, 1)
				if status := page.Go(p.HTTP + path + join(path) + "lang=" + way.language); status != http.StatusOK {
					t.Fatalf("%d\n%s", status, page.Text("main"))
				}
				if way.language == "vi" {
					page.CheckKeyboard()
				}
				for _, size := range []string{way.first, way.second} {
					page.Resize(widths[size], 800, 1)
					page.NoHorizontalScroll()
					page.Screenshot(name + "-" + size + "-" + way.language)
				}
				page.CheckAccessible()
			}
			page.CheckConsole()
		})
	}
}

func join(path string) string {
	for _, r := range path {
		if r == '?' {
			return "&"
		}
	}
	return "?"
}

// A device's page here and the one about how it works say the same, and lead to each other.
func TestDeviceIsSaidToBeTheSame(t *testing.T) {
	p := webtest.Shared(t)
	d, err := pb.NewDirectoryServiceClient(p.Conn(t, webtest.Administrator)).GetDevice(t.Context(), &pb.GetDeviceRequest{DeviceId: p.Device})
	if err != nil {
		t.Fatal(err)
	}
	state := strings.ToLower(strings.TrimPrefix(d.GetState().String(), "DEVICE_STATE_"))
	here, there := "/admin/devices/"+p.Device, "/kiosks/devices/"+p.Device
	v := p.Visitor(t, webtest.Administrator)
	for at, other := range map[string]string{here: there, there: here} {
		page := v.Get(at)
		if page.Status != http.StatusOK || !strings.Contains(page.Body, `href="`+other+`"`) ||
			!strings.Contains(page.Body, language.Vietnamese.Text("kioskspage.state."+state)) || !strings.Contains(page.Body, language.Vietnamese.Text("kioskspage.state_help."+state)) {
			t.Errorf("%s, %s: %d %s", at, state, page.Status, page.Body)
		}
	}
	for who, path := range map[webtest.Who]string{webtest.Administrator: "/admin/devices/none", webtest.CommuneAdministrator: here} {
		if page := p.Visitor(t, who).Get(path); page.Status != http.StatusNotFound {
			t.Errorf("%s for %s: %d", path, who, page.Status)
		}
	}
}

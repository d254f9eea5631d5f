package admin_test

import (
	"net/http"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
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
			page := browser.Open(t).Page(t, browser.Options{})
			p.GiveSession(t, page, webtest.Administrator)
			for _, language := range []string{"vi", "en"} {
				page.Resize(1280, 800, 1)
				if status := page.Go(p.HTTP + path + join(path) + "lang=" + language); status != http.StatusOK {
					t.Fatalf("%d\n%s", status, page.Text("main"))
				}
				if language == "vi" {
					page.CheckKeyboard()
				}
				for size, width := range map[string]int{"desk": 1280, "phone": 320} {
					page.Resize(width, 800, 1)
					page.NoHorizontalScroll()
					page.CheckAccessible()
					page.Screenshot(name + "-" + size + "-" + language)
				}
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

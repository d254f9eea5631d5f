package admin_test

import (
	"testing"

	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

// Every page in every way it must stand.
func TestLook(t *testing.T) {
	p := webtest.Shared(t)
	unit, counter := p.WardOffice, p.WardCounters[1]
	for name, path := range map[string]string{
		"admin":               "/admin",
		"admin-first":         "/admin?first=1",
		"admin-units":         "/admin/units?open=" + p.Ward,
		"admin-units-found":   "/admin/units?q=mot+cua",
		"admin-unit":          "/admin/units/" + unit,
		"admin-unit-new":      "/admin/units/new?parent=" + unit + "&parent_q=song",
		"admin-unit-change":   "/admin/units/" + unit + "/change",
		"admin-unit-close":    "/admin/units/" + unit + "/close?successor_q=xa",
		"admin-counter":       "/admin/units/" + unit + "/counters/" + counter,
		"admin-counter-new":   "/admin/units/" + unit + "/counters/new",
		"admin-counter-close": "/admin/units/" + unit + "/counters/" + p.WardCounters[0] + "/close",
		"admin-official-new":  "/admin/units/" + unit + "/officials/new",
		"admin-devices":       "/admin/devices",
		"admin-device":        "/admin/devices/" + p.Device,
		"admin-device-new":    "/admin/devices/new?unit=" + unit,
		"admin-device-code":   "/admin/devices/" + p.Device + "/code",
		"admin-device-revoke": "/admin/devices/" + p.Device + "/revoke",
		"admin-forms":         "/admin/questionnaires",
		"admin-form":          "/admin/questionnaires/kiosk/1",
		"admin-publish":       "/admin/questionnaires/new?from=kiosk@1",
		"admin-accounts":      "/admin/accounts",
		"admin-account-new":   "/admin/accounts/new",
	} {
		p.Look(t, webtest.View{Who: webtest.Administrator, Path: path, Name: name})
	}
}

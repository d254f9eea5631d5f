// Package admin is where an administrator sets up an office or a province: units in time, counters and officials, devices with
// their one-time codes, questionnaires, and accounts. What keeps the system going is package operations.
package admin

import (
	"embed"

	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html
var files embed.FS

//go:embed admin.css
var styles []byte

type pages struct{ *web.Pages }

// maxForm is how much a form with a questionnaire may carry; the contract takes a text of 1,000,000 bytes.
const maxForm = 3 << 20

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	site.Style(styles)
	p := pages{read}
	places, devices := web.Needs("change_directory"), web.Needs("manage_devices")
	forms, accounts := web.Needs("change_catalogues"), web.Needs("manage_accounts")
	for _, page := range []struct {
		pattern string
		handler func(*web.Visit) error
		options []web.Option
	}{
		{"GET /admin", p.home, []web.Option{places}},

		{"GET /admin/units", p.units, []web.Option{places}},
		{"GET /admin/units/new", p.newUnit, []web.Option{places}},
		{"POST /admin/units/new", p.createUnit, []web.Option{places}},
		{"GET /admin/units/{unit}", p.unit, []web.Option{places}},
		{"GET /admin/units/{unit}/change", p.editUnit, []web.Option{places}},
		{"POST /admin/units/{unit}/change", p.changeUnit, []web.Option{places}},
		{"GET /admin/units/{unit}/close", p.askCloseUnit, []web.Option{places}},
		{"POST /admin/units/{unit}/close", p.closeUnit, []web.Option{places}},

		{"GET /admin/units/{unit}/counters/new", p.newCounter, []web.Option{places}},
		{"POST /admin/units/{unit}/counters/new", p.createCounter, []web.Option{places}},
		{"GET /admin/units/{unit}/counters/{counter}", p.counter, []web.Option{places}},
		{"GET /admin/units/{unit}/counters/{counter}/change", p.editCounter, []web.Option{places}},
		{"POST /admin/units/{unit}/counters/{counter}/change", p.changeCounter, []web.Option{places}},
		{"GET /admin/units/{unit}/counters/{counter}/close", p.askCloseCounter, []web.Option{places}},
		{"POST /admin/units/{unit}/counters/{counter}/close", p.closeCounter, []web.Option{places}},

		{"GET /admin/units/{unit}/officials/new", p.newOfficial, []web.Option{places}},
		{"POST /admin/units/{unit}/officials/new", p.createOfficial, []web.Option{places}},
		{"GET /admin/units/{unit}/officials/{official}/change", p.editOfficial, []web.Option{places}},
		{"POST /admin/units/{unit}/officials/{official}/change", p.changeOfficial, []web.Option{places}},
		{"GET /admin/units/{unit}/officials/{official}/close", p.askCloseOfficial, []web.Option{places}},
		{"POST /admin/units/{unit}/officials/{official}/close", p.closeOfficial, []web.Option{places}},

		{"GET /admin/devices", p.devices, []web.Option{devices}},
		{"GET /admin/devices/new", p.newDevice, []web.Option{devices}},
		{"POST /admin/devices/new", p.createDevice, []web.Option{devices}},
		{"GET /admin/devices/{device}", p.device, []web.Option{devices}},
		{"GET /admin/devices/{device}/code", p.code, []web.Option{devices}},
		{"POST /admin/devices/{device}/code", p.renewCode, []web.Option{devices}},
		{"GET /admin/devices/{device}/bind", p.newBinding, []web.Option{devices}},
		{"POST /admin/devices/{device}/bind", p.bind, []web.Option{devices}},
		{"GET /admin/devices/{device}/unbind", p.askUnbind, []web.Option{devices}},
		{"POST /admin/devices/{device}/unbind", p.unbind, []web.Option{devices}},
		{"GET /admin/devices/{device}/revoke", p.askRevoke, []web.Option{devices}},
		{"POST /admin/devices/{device}/revoke", p.revoke, []web.Option{devices}},

		{"GET /admin/questionnaires", p.questionnaires, []web.Option{forms}},
		{"GET /admin/questionnaires/new", p.newQuestionnaire, []web.Option{forms}},
		{"POST /admin/questionnaires/new", p.publish, []web.Option{forms, web.MaxBody(maxForm)}},
		{"GET /admin/questionnaires/{id}/{version}", p.questionnaire, []web.Option{forms}},
		{"GET /admin/questionnaires/{id}/{version}/yaml", p.download, []web.Option{forms}},

		{"GET /admin/accounts", p.accounts, []web.Option{accounts}},
		{"GET /admin/accounts/new", p.newAccount, []web.Option{accounts}},
		{"POST /admin/accounts/new", p.createAccount, []web.Option{accounts}},
		{"GET /admin/accounts/{account}", p.account, []web.Option{accounts}},
		{"GET /admin/accounts/{account}/person", p.editPerson, []web.Option{accounts}},
		{"POST /admin/accounts/{account}/person", p.changePerson, []web.Option{accounts}},
		{"GET /admin/accounts/{account}/reset", p.askReset, []web.Option{accounts}},
		{"POST /admin/accounts/{account}/reset", p.reset, []web.Option{accounts}},
		{"GET /admin/accounts/{account}/disable", p.askDisable, []web.Option{accounts}},
		{"POST /admin/accounts/{account}/disable", p.disable, []web.Option{accounts}},
		{"GET /admin/accounts/{account}/enable", p.askEnable, []web.Option{accounts}},
		{"POST /admin/accounts/{account}/enable", p.enable, []web.Option{accounts}},
	} {
		site.Handle(page.pattern, web.SignedIn, page.handler, page.options...)
	}
	return nil
}

// everywhere tells whether the account governs all units.
func everywhere(v *web.Visit) bool { return v.Account.GetUnitId() == "" }

package browser

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
)

// Go opens an address, waits until the page has loaded and answers the HTTP status.
func (p *Page) Go(url string) int {
	p.t.Helper()
	return p.arrive("open "+url, func() {
		p.t.Helper()
		if answer := call(p, page.Navigate, page.NavigateParams{URL: url}); answer.ErrorText != "" {
			p.fatal("open %s: %s", url, answer.ErrorText)
		}
	})
}

// Submit clicks what sends a form or follows a link, waits until the next page has loaded and answers its HTTP status.
func (p *Page) Submit(selector string) int {
	p.t.Helper()
	return p.arrive("the page after clicking "+selector, func() {
		p.t.Helper()
		p.Click(selector)
	})
}

// Follow is Submit, said of a link.
func (p *Page) Follow(selector string) int {
	p.t.Helper()
	return p.Submit(selector)
}

// PressAndLoad presses keys, waits until the next page has loaded and answers its HTTP status.
func (p *Page) PressAndLoad(keys ...string) int {
	p.t.Helper()
	return p.arrive("the page after a key", func() {
		p.t.Helper()
		p.Press(keys...)
	})
}

// Back goes back as the browser's button does and answers the status the page was answered with.
func (p *Page) Back() int {
	p.t.Helper()
	return p.arrive("the page before", func() {
		p.t.Helper()
		history := call(p, page.GetNavigationHistory, cdp.Empty{})
		if history.CurrentIndex < 1 {
			p.fatal("there is no page before")
		}
		call(p, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: history.Entries[history.CurrentIndex-1].ID})
	})
}

// Reload asks for the page again and answers the HTTP status.
func (p *Page) Reload() int {
	p.t.Helper()
	return p.arrive("the page again", func() {
		p.t.Helper()
		call(p, page.Reload, page.ReloadParams{})
	})
}

// arrive does what leads to another page and waits until that has loaded.
func (p *Page) arrive(what string, do func()) (status int) {
	p.t.Helper()
	before := p.seen.moved()
	do()
	p.poll(what, func(context.Context) (arrived bool, err error) {
		arrived, status = p.seen.arrived(before)
		return arrived, nil
	})
	return status
}

// URL is the address of the page that is shown.
func (p *Page) URL() string {
	p.t.Helper()
	return Eval[string](p, "location.href")
}

// Header is a header the server answered the page with; "" where it was not.
func (p *Page) Header(name string) string { return p.seen.header(name) }

// Cookie is a cookie as the browser keeps it.
type Cookie struct {
	Name, Value, Path         string
	Secure, HTTPOnly, Lasting bool   // Lasting: kept when the browser is closed
	SameSite                  string // "Strict", "Lax", "None", or "" where the server did not say
}

// Cookies lists the cookies that the page's address gets, those that scripts cannot see too.
func (p *Page) Cookies() []Cookie {
	p.t.Helper()
	var cookies []Cookie
	for _, c := range call(p, network.GetCookies, network.GetCookiesParams{}).Cookies {
		cookies = append(cookies, Cookie{
			Name: c.Name, Value: c.Value, Path: c.Path, Secure: c.Secure, HTTPOnly: c.HTTPOnly, Lasting: !c.Session, SameSite: string(c.SameSite),
		})
	}
	return cookies
}

// SetCookie gives the page a cookie for an address, as a copied session would.
func (p *Page) SetCookie(url, name, value string) {
	p.t.Helper()
	call(p, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: url, HTTPOnly: new(true)})
}

// ClearCookies takes all cookies away, as an ended session would.
func (p *Page) ClearCookies() {
	p.t.Helper()
	call(p, network.ClearBrowserCookies, cdp.Empty{})
}

// Offline takes the network away, or gives it back.
func (p *Page) Offline(off bool) {
	p.t.Helper()
	conditions := []*network.Conditions{}
	if off {
		conditions = append(conditions, &network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	}
	call(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: conditions})
	call(p, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1})
}

// Throttle makes the page's processor that many times slower; 1 = as it is.
func (p *Page) Throttle(cpu float64) {
	p.t.Helper()
	call(p, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: cpu})
}

package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Options say who looks at a page, and through what. The zero value is a clerk at a desk: 1280 by 800, Vietnamese, light.
type Options struct {
	Width, Height int     // of the window, in pixels of the screen at 100 %; 0 = 1280 and 800
	Scale         float64 // zoom: 2 = 200 %, where the page has half as many CSS pixels; 0 = 1
	Dark          bool    // prefers dark colours
	NoScript      bool    // JavaScript is off
	Reduced       bool    // prefers reduced motion
	Print         bool    // as on paper
	Languages     string  // as in Accept-Language; "" = "vi"
}

// Page is one tab with cookies of its own. Its methods fail the test they were opened for: only that test's goroutine may
// call them; a subtest takes In.
type Page struct {
	t       testing.TB
	ctx     context.Context
	options Options
	seen    *record
}

// Page opens a page in a browser context of its own, which is closed with the test.
func (b *Browser) Page(t testing.TB, options Options) *Page {
	t.Helper()
	p := &Page{t: t, options: options, seen: newRecord()}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(p.seen.event))
	p.ctx = ctx
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("a page does not open: %v", err)
	}
	p.emulate()
	return p
}

// In answers the same page for a subtest.
func (p *Page) In(t testing.TB) *Page {
	other := *p
	other.t = t
	return &other
}

// Emulate makes the page look through other options from now on; scripts and languages count for the next page it opens.
func (p *Page) Emulate(options Options) {
	p.t.Helper()
	p.options = options
	p.emulate()
}

// Resize changes the window, as turning a phone or zooming does.
func (p *Page) Resize(width, height int, scale float64) {
	p.t.Helper()
	p.options.Width, p.options.Height, p.options.Scale = width, height, scale
	p.emulate()
}

func (p *Page) emulate() {
	p.t.Helper()
	o := p.options
	if o.Width == 0 {
		o.Width = 1280
	}
	if o.Height == 0 {
		o.Height = 800
	}
	if o.Scale == 0 {
		o.Scale = 1
	}
	if o.Languages == "" {
		o.Languages = "vi"
	}
	media := &emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: pick(o.Dark, "dark", "light")},
		{Name: "prefers-reduced-motion", Value: pick(o.Reduced, "reduce", "no-preference")},
	}}
	if o.Print {
		media.Media = "print"
	}
	version, err := chromedp.CallBrowser(p.ctx, browser.GetVersion, cdp.Empty{})
	if err != nil {
		p.fatal("the browser does not answer: %v", err)
	}
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: int64(float64(o.Width) / o.Scale), Height: int64(float64(o.Height) / o.Scale), DeviceScaleFactor: o.Scale,
	})
	call(p, emulation.SetEmulatedMedia, *media)
	call(p, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: strings.ReplaceAll(version.UserAgent, "HeadlessChrome", "Chrome"), AcceptLanguage: o.Languages,
	})
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: o.NoScript})
}

func pick(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// call gives the page one command of the DevTools protocol, and fails the test where it is refused.
func call[P, R any](p *Page, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Limit)
	defer cancel()
	answer, err := chromedp.Call(ctx, command, params)
	if err != nil {
		p.fatal("%s: %v", command.Method, err)
	}
	return answer
}

// poll asks until the answer is true, an error, or Limit is over.
func (p *Page) poll(what string, ask func(ctx context.Context) (bool, error)) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, Limit)
	defer cancel()
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for {
		done, err := ask(ctx)
		switch {
		case done && err == nil:
			return
		case err != nil && !errors.Is(err, context.DeadlineExceeded) && !moving(err):
			p.fatal("%s: %v", what, err)
		}
		select {
		case <-ctx.Done():
			if err != nil {
				what += ": " + err.Error()
			}
			p.fatal("%s: not within %s", what, Limit)
		case <-tick.C:
		}
	}
}

// moving tells whether an error only says that the page is just being replaced by the next.
func moving(err error) bool {
	for _, words := range []string{"Cannot find context", "context was destroyed", "navigated or closed", "Cannot find default execution context"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// fatal fails the test and leaves what helps to see why: the address, a picture, the console.
func (p *Page) fatal(format string, args ...any) {
	p.t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, format, args...)
	if address, err := run[string](p, "location.href"); err == nil {
		fmt.Fprintf(&text, "\n  at      %s", address)
	}
	if path, err := p.picture(failedFolder(), "failed-"+p.t.Name(), chromedp.FullScreenshot(100)); err == nil {
		fmt.Fprintf(&text, "\n  picture %s", path)
	}
	for _, problem := range p.ConsoleErrors() {
		fmt.Fprintf(&text, "\n  console %s", problem)
	}
	p.t.Fatal(text.String())
}

// Screenshots of failures outlive the test's own folder.
func failedFolder() string {
	if folder := os.Getenv("HAILONG_SCREENSHOTS"); folder != "" {
		return folder
	}
	return filepath.Join(os.TempDir(), "hailong-screenshots")
}

// Screenshot writes a picture of the whole page as name.png into the folder that HAILONG_SCREENSHOTS names, or into one that
// goes with the test, and answers its path. The name may hold folders.
func (p *Page) Screenshot(name string) string {
	p.t.Helper()
	folder := os.Getenv("HAILONG_SCREENSHOTS")
	if folder == "" {
		folder = p.t.TempDir()
	}
	path, err := p.picture(folder, name, chromedp.FullScreenshot(100))
	if err != nil {
		p.fatal("a picture of the page: %v", err)
	}
	return path
}

// ScreenshotTop is Screenshot of what is seen without scrolling.
func (p *Page) ScreenshotTop(name string) string {
	p.t.Helper()
	folder := os.Getenv("HAILONG_SCREENSHOTS")
	if folder == "" {
		folder = p.t.TempDir()
	}
	path, err := p.picture(folder, name, chromedp.CaptureScreenshot())
	if err != nil {
		p.fatal("a picture of the page: %v", err)
	}
	return path
}

func (p *Page) picture(folder, name string, capture chromedp.Action[[]byte]) (string, error) {
	ctx, cancel := context.WithTimeout(p.ctx, Limit)
	defer cancel()
	png, err := chromedp.Run(ctx, capture)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, filepath.Clean("/"+name)+".png")
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, png, 0o600)
}

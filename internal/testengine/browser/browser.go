// Package browser tests pages as people meet them: in a real Chromium. A test opens pages, each with cookies of its own, types,
// clicks, reads and measures; whatever goes wrong fails the test with the page's address, its console and a picture.
//
//	page := browser.Open(t).Page(t, browser.Options{Width: 320})
//	page.Go(address + "/sign-in")
//	page.Fill(`[name="name"]`, "admin")
//	page.Submit(`button[type="submit"]`)
//	page.WaitText("h1", "Tổng quan")
//	page.CheckAccessible()
//	page.CheckConsole()
//
// Nothing here waits for a time to pass: every call waits for what it needs, up to Limit. Selectors are CSS, or "text=Lưu" for the
// link, button or label with these words.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/testengine"
)

// Limit is how long a call waits for what it needs. Machines that test are busy.
const Limit = 20 * time.Second

// Browser is the one Chromium of the test's process.
type Browser struct{ ctx context.Context }

// shared is the process's one Chromium, started when the first test asks and ended by Close.
var shared struct {
	sync.Mutex
	ctx  context.Context
	stop context.CancelFunc // of the allocator
}

// Open answers the Chromium that all tests of the package share. Where there is none the test is skipped, or failed where
// HAILONG_REQUIRE names chromium.
func Open(t testing.TB) *Browser {
	t.Helper()
	path := testengine.Chromium(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.ctx != nil && shared.ctx.Err() == nil {
		return &Browser{shared.ctx}
	}
	if err := start(path); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return &Browser{shared.ctx}
}

// Close ends the Chromium, if one was started, and waits for its end. A test package that must leave nothing behind calls it
// when its tests are done; Main does. Without it, Chromium ends with the process.
func Close() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.ctx == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(shared.ctx, Limit)
	defer cancel()
	err := chromedp.Cancel(ctx)
	shared.stop()
	shared.ctx, shared.stop = nil, nil
	return err
}

// Main runs the tests of a package that opens pages, then ends the Chromium and fails where a goroutine is left:
//
//	func TestMain(m *testing.M) { browser.Main(m) }
//
// What else must end before, the package gives in order.
func Main(m *testing.M, end ...func() error) {
	code := m.Run()
	for _, f := range append(end, Close, leaks) {
		if err := f(); err != nil {
			fmt.Fprintln(os.Stderr, "after the tests:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

func leaks() error { return goleak.Find() }

// keeper runs Chromium and removes its folder when it is gone. Chromium ends when the pipe that drives it is closed, so both
// go with the test process however that ends.
const keeper = `trap : HUP INT QUIT TERM
folder=$1
shift
"$@"
for i in 1 2 3 4 5 6 7 8 9; do rm -rf "$folder" 2>/dev/null && exit; sleep 0.1; done
`

func start(path string) error {
	shell, err := exec.LookPath("sh")
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "hailong-chromium-")
	if err != nil {
		return err
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(folder, "profile")),
		chromedp.Flag("headless", "new"),
		chromedp.Flag("hide-scrollbars", true), // so that the width of a page is the width asked for
		chromedp.Flag("mute-audio", true),
		chromedp.Flag("no-sandbox", true), // tests run as root in containers; the pages are our own
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("no-first-run", true),
		chromedp.Flag("no-default-browser-check", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-default-apps", true),
		chromedp.Flag("disable-extensions", true),
		chromedp.Flag("disable-breakpad", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("disable-background-timer-throttling", true), // every page is at the front
		chromedp.Flag("disable-backgrounding-occluded-windows", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
		chromedp.Flag("disable-features", "Translate,OptimizationHints,MediaRouter,AutofillServerCommunication"),
		chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("metrics-recording-only", true),
		chromedp.Flag("password-store", "basic"),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
			cmd.Path, cmd.Args = shell, append([]string{"sh", "-c", keeper, "keeper", folder}, cmd.Args...)
		}),
	)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {}))
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		stop()
		_ = os.RemoveAll(folder)
		return err
	}
	shared.ctx = ctx
	shared.stop = func() {
		cancel()
		stop()
	}
	return nil
}

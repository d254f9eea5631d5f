package kiosk

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
)

// browserPause is how long the launcher waits before it opens the browser again, and between looks whether the screen is served yet.
const browserPause = 2 * time.Second

// show keeps the screen open in a full-screen browser until ctx ends: the screen itself is another process, so that a browser that
// ends takes nothing with it.
func show(ctx context.Context, t *terminal, args []string) error {
	config := Config{Stderr: t.stderr}
	var browser string
	if _, err := t.parse("show", args, 0, func(flags *flag.FlagSet) {
		config.registerState(flags, t.Language)
		text := textFlag(flags, t.Language)
		text(&config.Screen, "screen", "HAILONG_KIOSK_SCREEN_ADDR", "127.0.0.1:8070")
		text(&browser, "browser", "HAILONG_KIOSK_BROWSER", "")
	}); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		return fault.New(fault.Denied, "kioskcommand_root")
	}
	path, err := findBrowser(browser)
	if err != nil {
		return err
	}
	address := "http://" + config.Screen + "/"
	for ctx.Err() == nil {
		if !served(ctx, address) {
			pause(ctx)
			continue
		}
		run := exec.CommandContext(ctx, path, browserFlags(filepath.Join(config.State, "browser"), address)...) //nolint:gosec // the administrator names the browser
		run.Stderr = t.stderr
		run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
		run.WaitDelay = 10 * time.Second
		if err := run.Run(); errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrPermission) {
			return err
		}
		if ctx.Err() == nil {
			t.say("kioskcommand.browser_ended", "seconds", int(browserPause/time.Second))
			pause(ctx)
		}
	}
	return nil
}

func findBrowser(named string) (string, error) {
	if named != "" {
		return exec.LookPath(named)
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fault.New(fault.NotFound, "kioskcommand_no_browser")
}

// browserFlags leave nothing on the screen but the screen: no bars, bubbles, translations, gestures or questions, also after a power cut.
func browserFlags(profile, address string) []string {
	return []string{
		"--kiosk", "--user-data-dir=" + profile, "--no-first-run", "--no-default-browser-check", "--noerrdialogs",
		"--disable-session-crashed-bubble", "--hide-crash-restore-bubble", "--disable-infobars", "--disable-pinch",
		"--overscroll-history-navigation=0", "--disable-features=Translate,MediaRouter", "--disable-component-update", "--disable-sync",
		"--disable-background-networking", "--password-store=basic", "--touch-events=enabled", address,
	}
}

// served tells whether somebody serves the screen.
func served(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func pause(ctx context.Context) {
	select {
	case <-time.After(browserPause):
	case <-ctx.Done():
	}
}

// Package pictures_test makes the pictures of the README from the demonstration, in a real browser: `make pictures`.
package pictures_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/server"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

// TestPictures writes each picture as NAME.png into the folder HAILONG_SCREENSHOTS.
func TestPictures(t *testing.T) {
	if os.Getenv("HAILONG_SCREENSHOTS") == "" {
		t.Skip("pictures are made by `make pictures`, which names the folder HAILONG_SCREENSHOTS")
	}
	program := webtest.Start(t, webtest.Bare(), webtest.Change(func(c *server.Config) { c.Demo = true }))
	figures := browser.Open(t).Page(t, browser.Options{})
	signIn(figures, program.HTTP, "lanhdao")
	for deadline := time.Now().Add(2 * time.Minute); ; { // pictures of figures that are whole
		figures.Go(program.HTTP + "/units/minhhoa")
		if !strings.Contains(figures.Text("main"), "đang được tính") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the demonstration's figures are not whole after two minutes")
		}
	}
	for _, picture := range []struct {
		name, account, path string
		width, height       int
		top                 bool // only what is first seen
	}{
		{"overview", "lanhdao", "/units/minhhoa", 1100, 1500, true},
		{"overview-phone", "lanhdao", "/units/minhhoa-benkhoai", 360, 1100, true},
		{"cases", "lanhdao", "/cases", 1100, 1000, true},
		{"case", "lanhdao", "", 1100, 1000, true},
		{"register", "lanhdao", "/register?unit=minhhoa", 1100, 900, true},
		{"hotline", "tiepnhan", "/hotline", 1100, 1000, true},
		{"follow-ups", "lanhdao", "/follow-ups", 1100, 1000, true},
		{"ratings", "lanhdao", "/ratings?unit=minhhoa-benkhoai&score=1&score=2", 1100, 1000, true},
		{"citizen", "", "/r/minhhoa-benkhoai-q1", 360, 640, true},
		{"desk", "tiepnhan", "/desk", 1100, 800, true},
		{"admin", "quantri", "/admin", 1100, 900, true},
	} {
		t.Run(picture.name, func(t *testing.T) {
			page := browser.Open(t).Page(t, browser.Options{Width: picture.width, Height: picture.height})
			if picture.account != "" {
				signIn(page, program.HTTP, picture.account)
			}
			if picture.path == "" { // a case whose explanation waits for its leader
				page.Go(program.HTTP + "/cases?list=all&state=explained")
				picture.path = page.Attribute("main ul a[href^='/cases/']", "href")
			}
			if status := page.Go(program.HTTP + picture.path); status != 200 {
				t.Fatalf("%s answered %d", picture.path, status)
			}
			if picture.top {
				page.ScreenshotTop(picture.name)
			} else {
				page.Screenshot(picture.name)
			}
		})
	}
	t.Run("kiosk", func(t *testing.T) { kioskPictures(t, program) })
}

func signIn(page *browser.Page, site, account string) {
	page.Go(site + "/sign-in")
	page.Fill("#name", account)
	page.Fill("#password", account+"-demo")
	page.Submit("main button[type=submit]")
}

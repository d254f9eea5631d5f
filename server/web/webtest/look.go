package webtest

import (
	"net/http"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
)

// View is a page as somebody sees it.
type View struct {
	Who    Who                 // "" = nobody signed in
	Path   string              // such as "/follow-ups"
	Name   string              // of its pictures, such as "follow-ups"
	Status int                 // 0 = 200
	Then   func(*browser.Page) // what is done before it is looked at, each time; nil = nothing
	Except []string            // rules of axe-core that do not count here
}

// Look looks at a page in every way it must stand: in both languages, at a desk, 320 pixels wide, at 200 %, in the dark, on paper and with the
// keyboard alone. Each time it must answer with its status, hold WCAG 2.2 AA, fit its window and leave no error on the console. Each time a
// picture is taken: Name-desk-vi.png and so on.
func (p *Program) Look(t *testing.T, view View) {
	t.Helper()
	page := browser.Open(t).Page(t, browser.Options{})
	if view.Who != "" {
		p.GiveSession(t, page, view.Who)
	}
	want := view.Status
	if want == 0 {
		want = http.StatusOK
	}
	for _, way := range []struct {
		name, language  string
		options         browser.Options
		rules, keyboard bool
	}{
		// axe-core takes most of the time: each way of looking is held to its rules once, and both languages are.
		{name: "desk-vi", language: "vi", rules: true, keyboard: true},
		{name: "phone-vi", language: "vi", rules: true, options: browser.Options{Width: 320, Height: 640}},
		{name: "zoom-en", language: "en", rules: true, options: browser.Options{Scale: 2}},
		{name: "dark-vi", language: "vi", rules: true, options: browser.Options{Dark: true}},
		{name: "print-vi", language: "vi", options: browser.Options{Width: 720, Print: true}}, // A4 with its margins
		{name: "phone-en", language: "en", options: browser.Options{Width: 320, Height: 640}},
	} {
		t.Run(view.Name+" "+way.name, func(t *testing.T) {
			page := page.In(t)
			page.Emulate(way.options)
			page.SetCookie(p.HTTP, languageCookie, way.language)
			if status := page.Go(p.HTTP + view.Path); status != want {
				t.Errorf("%s was answered %d, want %d", view.Path, status, want)
			}
			if got := page.Attribute("html", "lang"); got != way.language {
				t.Errorf("the page says its language is %q", got)
			}
			if view.Then != nil {
				view.Then(page)
			}
			page.Screenshot(view.Name + "-" + way.name)
			page.NoHorizontalScroll()
			if way.rules {
				page.CheckAccessible(view.Except...)
			}
			if way.keyboard {
				page.CheckKeyboard()
			}
			page.CheckConsole()
		})
	}
}

// languageCookie holds the language somebody chose.
const languageCookie = "hailong_language"

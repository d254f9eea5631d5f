package ratings_test

import (
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
)

// Title is the page's title as the browser shows it.
func Title(page *browser.Page) string { return browser.Eval[string](page, "document.title") }

// listed are the ids of the ratings on a page, which are folded away.
func listed(page *browser.Page) []string {
	return browser.Eval[[]string](page, `[...document.querySelectorAll(".rt-one details code")].map(e => e.textContent)`)
}

// pageToday is the local day.
func pageToday() string {
	day, _ := localday.Of(time.Now())
	return string(day)
}

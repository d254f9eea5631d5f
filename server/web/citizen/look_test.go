package citizen_test

import (
	"net/http"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

// Every page of a citizen's way, in every way it must stand.
func TestLook(t *testing.T) {
	program := webtest.Shared(t)
	form := "/r/" + program.WardCounters[0]
	choose := func(score string) func(*browser.Page) {
		return func(page *browser.Page) { page.Click(`label[for="s` + score + `"]`) }
	}
	followed := opened(t, program)
	followed.answer("Kính gửi ông/bà,\nNgày hôm ấy hai quầy cùng nghỉ. Từ thứ hai có người trực thay. Chúng tôi xin lỗi ông/bà.")
	for _, view := range []webtest.View{
		{Path: "/p", Name: "citizen-follow"},
		{Path: "/p/" + followed.GetCode(), Name: "citizen-case"},
		{Path: form, Name: "citizen-form"},
		{Path: form, Name: "citizen-content", Then: choose("5")},
		{Path: form, Name: "citizen-discontent", Then: func(page *browser.Page) {
			choose("2")(page)
			page.Click(`label[for="r-waiting"]`)
			page.Click(`label[for="call_back"]`)
		}},
		{Path: form + "/embed", Name: "citizen-embed"},
		{Path: form + "/thanks", Name: "citizen-thanks"},
		{Path: "/r/khong-co", Name: "citizen-nowhere", Status: http.StatusNotFound},
		{Who: webtest.Leader, Path: "/remedies", Name: "remedies"},
	} {
		program.Look(t, view)
	}
	page := browser.Open(t).Page(t, browser.Options{Width: 320, Height: 640})
	page.Go(program.HTTP + "/p/" + followed.GetCode())
	page.Click("summary")
	page.NoHorizontalScroll()
	page.CheckAccessible()
	page.Screenshot("citizen-case-open")
}

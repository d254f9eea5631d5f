package webtest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestEverybodySignsInThroughTheForm(t *testing.T) {
	p := webtest.Shared(t)
	for _, who := range []webtest.Who{webtest.Administrator, webtest.Leader, webtest.Operator, webtest.Official} {
		page := browser.Open(t).Page(t, browser.Options{NoScript: true})
		p.SignInPage(t, page, who)
		if status := page.Go(p.HTTP + "/account"); status != http.StatusOK || !strings.HasSuffix(page.URL(), "/account") {
			t.Errorf("%s: %d at %s", who, status, page.URL())
		}
	}
}

func TestLook(t *testing.T) {
	p := webtest.Shared(t)
	p.Look(t, webtest.View{Path: "/sign-in", Name: "sign-in"})
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/account", Name: "account"})
	p.Look(t, webtest.View{Path: "/nowhere", Name: "not-found", Status: http.StatusNotFound})
}

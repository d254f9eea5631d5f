package ratings_test

import (
	"testing"

	"github.com/hailong-vn/hailong/server/web/webtest"
)

func TestMain(m *testing.M) { webtest.Main(m) }

func TestLook(t *testing.T) {
	p := webtest.Shared(t)
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/ratings?unit=" + p.Commune + "&score=1&score=2", Name: "ratings"})
	p.Look(t, webtest.View{Who: webtest.Leader, Path: "/ratings?unit=" + p.Empty, Name: "ratings-none"})
}

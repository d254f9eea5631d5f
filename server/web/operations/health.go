package operations

import (
	"net/http"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type healthPage struct {
	Tabs []tab
	*pb.GetHealthResponse
	Bad int // parts that want looking at
}

// showAway stands in for the health of the parts while the store is away, and with it who visits: it tells no more than anybody may know.
func (p pages) showAway(v *web.Visit) error {
	return v.RenderStatus(http.StatusServiceUnavailable, p.Pages, "health-away", nil)
}

func (p pages) showHealth(v *web.Visit) error {
	health, err := v.Operations.GetHealth(v.Context(), &pb.GetHealthRequest{})
	if err != nil {
		return err
	}
	page := healthPage{Tabs: tabs(v, "health"), GetHealthResponse: health}
	for _, part := range health.GetParts() {
		if !part.GetHealthy() {
			page.Bad++
		}
	}
	return v.Render(p.Pages, "health", page)
}

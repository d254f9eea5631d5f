package operations

import (
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type healthPage struct {
	Tabs []tab
	*pb.GetHealthResponse
	Bad int // parts that want looking at
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

package overview

import (
	"errors"
	"io"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// stillThere is how often a silent stream says so: proxies close what is silent for a minute.
const stillThere = 25 * time.Second

// live is a stream of events, one whenever the unit's figures of today moved. It says that they moved and not how: the page
// then asks for itself, with the rights it has at that time.
func (p pages) live(v *web.Visit) error {
	stream, err := v.Analytics.WatchUnit(v.Context(), &pb.WatchUnitRequest{UnitId: v.R.PathValue("unit")})
	if err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil { // the present state, which the page has
		return err
	}
	moved := make(chan error, 1)
	go func() {
		for {
			_, err := stream.Recv()
			select {
			case moved <- err:
			case <-v.R.Context().Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	v.W.Header().Set("Content-Type", "text/event-stream")
	v.W.Header().Set("X-Accel-Buffering", "no")
	control := http.NewResponseController(v.W)
	tick := time.NewTicker(stillThere)
	defer tick.Stop()
	for say := "retry: 5000\n\n"; ; {
		if _, err := io.WriteString(v.W, say); err != nil {
			return nil //nolint:nilerr // nobody listens any more
		}
		if err := control.Flush(); err != nil {
			return nil //nolint:nilerr // nobody listens any more
		}
		select {
		case err := <-moved:
			if err != nil {
				return ended(v, err)
			}
			say = "data: moved\n\n"
		case <-v.R.Context().Done():
			return nil // the page was closed
		case <-tick.C:
			say = ":\n\n"
		}
	}
}

// ended closes the stream. The browser opens it again by itself; nothing can be shown here.
func ended(v *web.Visit, err error) error {
	switch code := status.Code(err); {
	case errors.Is(err, io.EOF), code == codes.Canceled, code == codes.Unavailable, code == codes.Unauthenticated, code == codes.NotFound:
	default:
		v.Logger.WarnContext(v.R.Context(), "live figures ended", "error", err)
	}
	return nil
}

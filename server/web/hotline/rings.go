package hotline

import (
	"io"
	"net/http"
	"time"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// ringPart is what rings now.
type ringPart struct {
	Rings []*pb.Ring
	Line  string // at which the operator sits
}

func ringing(v *web.Visit) (ringPart, error) {
	ctx := v.Context()
	stream, err := v.Calls.WatchRings(ctx, &pb.WatchRingsRequest{})
	if err != nil {
		return ringPart{}, err
	}
	now, err := stream.Recv()
	return ringPart{now.GetRings(), now.GetLine()}, err
}

// rings answers what rings, into an open page.
func (p pages) rings(v *web.Visit) error {
	part, err := ringing(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "part-rings", part)
}

// stillThere is how often a silent stream says so: proxies close what is silent for a minute.
const stillThere = 25 * time.Second

// ringsLive is a stream of events, one whenever something rings or stops. It does not say what: the page then asks for itself, with the
// rights it has at that time.
func (p pages) ringsLive(v *web.Visit) error {
	stream, err := v.Calls.WatchRings(v.Context(), &pb.WatchRingsRequest{})
	if err != nil {
		return err
	}
	if _, err := stream.Recv(); err != nil { // what rings now, which the page has
		return err
	}
	rang := make(chan error, 1)
	go func() {
		for {
			_, err := stream.Recv()
			select {
			case rang <- err:
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
	for say := "retry: 3000\n\n"; ; {
		if _, err := io.WriteString(v.W, say); err != nil {
			return nil //nolint:nilerr // nobody listens any more
		}
		if err := control.Flush(); err != nil {
			return nil //nolint:nilerr // nobody listens any more
		}
		select {
		case err := <-rang:
			if err != nil {
				return nil //nolint:nilerr // the browser opens it again by itself; nothing can be shown here
			}
			say = "data: rings\n\n"
		case <-v.R.Context().Done():
			return nil // the page was closed
		case <-tick.C:
			say = ":\n\n"
		}
	}
}

// sit says at which line the operator sits.
func (p pages) sit(v *web.Visit) error {
	line := v.Value("line")
	if _, err := v.Calls.SetCallLine(v.Context(), &pb.SetCallLineRequest{Line: line}); err != nil {
		words, mendable := web.Message(err)
		if !mendable {
			return err
		}
		v.Notice(words)
		return v.Redirect("/hotline")
	}
	v.Notice(v.Text("hotlinepage.line_saved"))
	return v.Redirect("/hotline")
}

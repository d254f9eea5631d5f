package web

import (
	"context"
	"time"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Bell is how many notices wait, on top of every page.
type Bell struct {
	Count int32
	More  bool // there are more than are counted
	Here  bool // the page is that of notices
}

// bellPatience is how long a page waits for its bell.
const bellPatience = 500 * time.Millisecond

// bell counts what the visitor did not read yet. A page does not fail for its bell: where it cannot be counted it says nothing.
func (v *Visit) bell() *Bell {
	if v.Account == nil || v.newcomer || v.framed || !v.May("read_notices") {
		return nil
	}
	ctx, cancel := context.WithTimeout(v.Context(), bellPatience)
	defer cancel()
	bell := &Bell{Here: v.R.URL.Path == "/notices"}
	if answer, err := v.Notices.GetUnreadCount(ctx, &pb.GetUnreadCountRequest{}); err == nil {
		bell.Count, bell.More = answer.GetCount(), answer.GetMore()
	}
	return bell
}

package cases

import (
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// Waiting is a case that waits for the visitor, for a box on another page.
type Waiting struct {
	Link, Todo, Title, Number string
	Left                      string // of its most urgent clock; "" = none runs
}

// WaitingOf are the cases at the head of a desk; nil of no desk.
func WaitingOf(v *web.Visit, desk *pb.GetCaseDeskResponse) []Waiting {
	var list []Waiting
	for _, waits := range desk.GetWaiting() {
		r := rowOf(v, waits.GetCase())
		w := Waiting{Link: r.Link, Todo: todo(v, waits.GetEvent()), Title: r.GetTitle(), Number: r.GetNumber().GetShown()}
		if r.Clock != nil {
			w.Left = r.Clock.Left
		}
		list = append(list, w)
	}
	return list
}

package register

import (
	"errors"
	"io"
	"net/http"
	"net/url"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// file sends the whole register: ?format=xlsx or csv. With who spoke only where it is asked for by a form that says why.
func (p pages) file(v *web.Visit) error {
	w, err := choose(v)
	if err != nil {
		return err
	}
	if w.Cover == nil || w.Problem != "" {
		return web.ErrNotFound
	}
	request := &pb.ExportRegisterRequest{UnitId: w.Cover.GetUnitId(), Year: w.Cover.GetYear(), AsOf: w.AsOf, Format: v.Value("format")}
	if request.GetFormat() != "csv" {
		request.Format = "xlsx"
	}
	if v.R.Method == http.MethodPost {
		request.Reason = v.Value("reason")
		if problem := p.reasonProblem(v, request.GetReason()); problem != "" {
			shown := p.newPage(v, w)
			shown.Reason, shown.Wrong = request.GetReason(), problem
			return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "persons", shown)
		}
	}
	stream, err := v.Registers.ExportRegister(v.Context(), request)
	if err != nil {
		return err
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	h := v.W.Header()
	h.Set("Content-Type", first.GetType())
	h.Set("Content-Disposition", `attachment; filename*=UTF-8''`+url.PathEscape(first.GetName()))
	h.Set("Cache-Control", "no-store")
	for part := first; ; {
		if _, err := v.W.Write(part.GetContent()); err != nil {
			return nil //nolint:nilerr // whoever asked has gone
		}
		if part, err = stream.Recv(); errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			panic(http.ErrAbortHandler) // so that nobody takes a part for the whole
		}
	}
}

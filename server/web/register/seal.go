package register

import (
	"net/http"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

type sealPage struct {
	which
	Found     *pb.VerifyRegisterResponse
	GapReason string
	Problem   string
}

// maxGapReason is the contract's limit, in characters.
const maxGapReason = 1000

// look reads a register from end to end.
func (p pages) look(v *web.Visit) (sealPage, error) {
	w, err := choose(v)
	if err != nil {
		return sealPage{}, err
	}
	if w.Cover == nil {
		return sealPage{}, web.ErrNotFound
	}
	found, err := v.Registers.VerifyRegister(v.Context(), &pb.VerifyRegisterRequest{UnitId: w.Cover.GetUnitId(), Year: w.Cover.GetYear()})
	return sealPage{which: w, Found: found}, err
}

// check tells whether a register is whole, and what was sealed is what stands.
func (p pages) check(v *web.Visit) error {
	shown, err := p.look(v)
	if err != nil {
		return err
	}
	return v.Render(p.Pages, "check", shown)
}

func (p pages) askSeal(v *web.Visit) error {
	shown, err := p.look(v)
	if err != nil {
		return err
	}
	if shown.Cover.GetSeal() != nil {
		return v.Redirect(shown.Link("/register"))
	}
	return v.Render(p.Pages, "seal", shown)
}

func (p pages) seal(v *web.Visit) error {
	w, err := choose(v)
	if err != nil {
		return err
	}
	if w.Cover == nil {
		return web.ErrNotFound
	}
	reason := v.Value("gap_reason")
	if runes := []rune(reason); len(runes) > maxGapReason {
		shown, err := p.look(v)
		if err != nil {
			return err
		}
		shown.GapReason, shown.Problem = reason, v.Text("registerpage.reason_long", "limit", maxGapReason)
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "seal", shown)
	}
	_, err = v.Registers.SealRegister(v.Context(), &pb.SealRegisterRequest{UnitId: w.Cover.GetUnitId(), Year: w.Cover.GetYear(), GapReason: reason})
	if problem, ok := web.Message(err); ok {
		shown, lookErr := p.look(v)
		if lookErr != nil {
			return lookErr
		}
		shown.GapReason, shown.Problem = reason, problem
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "seal", shown)
	}
	if err != nil {
		return err
	}
	v.Notice(v.Text("registerpage.sealed_done", "year", v.Value("year")))
	return v.Redirect(w.Link("/register"))
}

// Package signin is how people come in and go out: signing in, a first set-up, the own account and password.
package signin

import (
	"embed"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

//go:embed templates/*.html
var files embed.FS

type pages struct {
	*web.Pages
}

// maxBody has room for what waits behind the sign-in: a megabyte of text, each byte of which may be sent as three.
const maxBody = 4 << 20

// Mount adds these pages to a site.
func Mount(site *web.Site) error {
	read, err := site.Pages(files)
	if err != nil {
		return err
	}
	p := pages{read}
	site.Handle("GET /{$}", web.NewcomerToo, func(v *web.Visit) error { return v.Redirect(v.Home()) })
	site.Handle("GET /sign-in", web.Anyone, p.showSignIn)
	site.Handle("POST /sign-in", web.Anyone, p.signIn, web.MaxBody(maxBody))
	site.Handle("POST /sign-out", web.Anyone, p.signOut)
	site.Handle("GET /account", web.SignedIn, p.showAccount)
	site.Handle("POST /account/sign-out-everywhere", web.NewcomerToo, p.signOutEverywhere)
	site.Handle("GET /password", web.NewcomerToo, p.showPassword)
	site.Handle("POST /password", web.NewcomerToo, p.changePassword)
	site.Handle("GET /set-up", web.Anyone, p.showSetUp)
	site.Handle("POST /set-up", web.Anyone, p.setUp)
	return nil
}

func (p pages) showSignIn(v *web.Visit) error {
	if v.Account != nil {
		return v.Redirect(v.Home())
	}
	return v.ShowSignIn(http.StatusOK, web.SignIn{Next: v.Value("next")})
}

func (p pages) signIn(v *web.Visit) error {
	session, err := v.Identity.CreateSession(v.Context(), &pb.CreateSessionRequest{Name: v.Value("name"), Password: v.R.PostFormValue("password")})
	if err != nil {
		code := http.StatusUnprocessableEntity
		switch status.Code(err) { //nolint:exhaustive // the others become a page of their own
		case codes.Unauthenticated, codes.InvalidArgument:
		case codes.ResourceExhausted:
			code = http.StatusTooManyRequests
		default:
			return err
		}
		message := status.Convert(err).Message()
		if v.Value("name") == "" || v.R.PostFormValue("password") == "" {
			message = v.Text("signin.both")
		}
		return v.ShowSignIn(code, web.SignIn{Name: v.Value("name"), Message: message, Next: v.Value("next"), Kept: keptAgain(v), FileLeft: v.R.PostForm.Has(web.FileLeftField)})
	}
	v.Begin(session.GetToken(), session.GetExpiresAt().AsTime())
	if kept := v.Kept(); len(kept) > 0 {
		v.Account = session.GetAccount()
		return v.ShowContinue(v.Value("next"), kept)
	}
	next := v.Value("next")
	if next == "" {
		next = "/"
	}
	return v.Redirect(next)
}

// signOut forgets the session here even where the services cannot be asked to.
func (p pages) signOut(v *web.Visit) error {
	if v.Account != nil {
		if _, err := v.Identity.DeleteSession(v.Context(), &pb.DeleteSessionRequest{}); err != nil && status.Code(err) != codes.Unauthenticated {
			return err
		}
	}
	v.End()
	return v.Redirect("/sign-in")
}

func (p pages) signOutEverywhere(v *web.Visit) error {
	if _, err := v.Identity.DeleteSession(v.Context(), &pb.DeleteSessionRequest{Everywhere: true}); err != nil {
		return err
	}
	v.End()
	v.Notice(v.Text("signin.everywhere_done"))
	return v.Redirect("/sign-in")
}

type accountPage struct {
	Account *pb.Account
	Unit    *pb.Unit // nil = everywhere
	Expires time.Time
}

func (p pages) showAccount(v *web.Visit) error {
	page := accountPage{Account: v.Account}
	if id := v.Account.GetUnitId(); id != "" {
		unit, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
		if err != nil {
			return err
		}
		page.Unit = unit
	}
	return v.Render(p.Pages, "account", page)
}

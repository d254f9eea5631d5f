package signin

import (
	"net/http"
	"net/url"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// keptAgain hands on what waits behind the sign-in when a password was wrong.
func keptAgain(v *web.Visit) []web.Field {
	var fields []web.Field
	for _, field := range v.Kept() {
		fields = append(fields, web.Field{Name: web.KeptPrefix + field.Name, Value: field.Value})
	}
	return fields
}

type passwordPage struct {
	Message string
	First   bool // set-up: name and one-time password are asked too
	Name    string
}

func (p pages) showPassword(v *web.Visit) error {
	page := passwordPage{}
	if v.Newcomer() {
		page.Message = v.Text("fault.password_must_change")
	}
	return v.Render(p.Pages, "password", page)
}

func (p pages) changePassword(v *web.Visit) error {
	wanted, problem := wantedPassword(v)
	if problem == "" {
		_, err := v.Identity.ChangePassword(v.Context(), &pb.ChangePasswordRequest{
			CurrentPassword: v.R.PostFormValue("current_password"), NewPassword: wanted,
		})
		if problem, err = mendable(err); err != nil {
			return err
		}
	}
	if problem != "" {
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "password", passwordPage{Message: problem})
	}
	v.Notice(v.Text("signin.password_changed"))
	return v.Redirect("/")
}

// wantedPassword reads the new password, typed twice.
func wantedPassword(v *web.Visit) (wanted, problem string) {
	wanted = v.R.PostFormValue("new_password")
	switch {
	case len([]rune(wanted)) < 10:
		return "", v.Text("fault.password_short", "min", 10)
	case wanted != v.R.PostFormValue("again_password"):
		return "", v.Text("signin.passwords_differ")
	}
	return wanted, ""
}

// mendable takes an error apart into what the visitor can mend and the rest.
func mendable(err error) (string, error) {
	if err == nil {
		return "", nil
	}
	switch status.Code(err) { //nolint:exhaustive // the rest is returned
	case codes.Unauthenticated, codes.PermissionDenied, codes.InvalidArgument, codes.ResourceExhausted, codes.AlreadyExists, codes.Aborted, codes.FailedPrecondition:
		return status.Convert(err).Message(), nil
	}
	return "", err
}

// Set-up: whoever reads the terminal has the one-time password, makes it a lasting one and is in.

func (p pages) showSetUp(v *web.Visit) error {
	if !v.FirstRun() {
		return v.Redirect("/sign-in")
	}
	return v.Render(p.Pages, "set-up", passwordPage{First: true, Name: v.AdministratorName})
}

func (p pages) setUp(v *web.Visit) error {
	again := func(problem string) error {
		return v.RenderStatus(http.StatusUnprocessableEntity, p.Pages, "set-up", passwordPage{First: true, Name: v.AdministratorName, Message: problem})
	}
	if !v.FirstRun() {
		return v.Redirect("/sign-in")
	}
	wanted, problem := wantedPassword(v)
	if problem != "" {
		return again(problem)
	}
	oneTime := v.Value("one_time_password")
	session, err := v.Identity.CreateSession(v.Context(), &pb.CreateSessionRequest{Name: v.AdministratorName, Password: oneTime})
	if problem, err = mendable(err); err != nil {
		return err
	}
	if problem != "" {
		if oneTime == "" {
			problem = v.Text("web.required")
		}
		return again(problem)
	}
	v.Begin(session.GetToken(), session.GetExpiresAt().AsTime())
	_, err = v.Identity.ChangePassword(v.Context(), &pb.ChangePasswordRequest{CurrentPassword: oneTime, NewPassword: wanted})
	if problem, err = mendable(err); err != nil {
		return err
	}
	if problem != "" {
		return again(problem)
	}
	v.Notice(v.Text("signin.set_up_done"))
	return v.Redirect("/admin?" + url.Values{"first": {"1"}}.Encode())
}

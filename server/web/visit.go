package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Visit is one request for a page: who visits, in which language, and how to answer.
type Visit struct {
	*Site
	W        http.ResponseWriter
	R        *http.Request
	Language language.Language
	Account  *pb.Account // nil where nobody is signed in
	Actions  []string    // what the account may do, such as "read_figures"
	newcomer bool        // the one-time password must be changed first
	ctx      context.Context
	token    string
	framed   bool
}

// Context carries the visitor's session, language and address to the services.
func (v *Visit) Context() context.Context { return v.ctx }

// Text answers words in the visitor's language.
func (v *Visit) Text(key string, args ...any) string { return v.Language.Text(key, args...) }

// May tells whether the visitor's account may do an action.
func (v *Visit) May(action string) bool { return slices.Contains(v.Actions, action) }

// Newcomer tells whether the one-time password must be changed before anything else.
func (v *Visit) Newcomer() bool { return v.newcomer }

// Today is the local day.
func (v *Visit) Today() localday.Day {
	day, _ := localday.Of(v.Clock())
	return day
}

// Value is one field of the form or query, without surrounding spaces.
func (v *Visit) Value(name string) string { return strings.TrimSpace(v.R.FormValue(name)) }

// Values are all values of a field.
func (v *Visit) Values(name string) []string {
	_ = v.R.FormValue(name) // parses the form
	return v.R.Form[name]
}

// Redirect sends the visitor to another page of this site (303: the next request is a GET).
func (v *Visit) Redirect(path string) error {
	http.Redirect(v.W, v.R, local(path), http.StatusSeeOther)
	return nil
}

// Notice keeps words for the next page that is shown, such as what was just done.
func (v *Visit) Notice(words string) {
	http.SetCookie(v.W, &http.Cookie{
		Name: noticeCookie, Value: url.QueryEscape(words), Path: "/", MaxAge: 60, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: v.Secure(v.R),
	})
}

const noticeCookie = "hailong_notice"

// takeNotice answers what was kept for this page; a part of a page that a script asks for leaves it to the next whole one.
func (v *Visit) takeNotice() string {
	if v.R.Header.Get("HX-Request") != "" {
		return ""
	}
	cookie, err := v.R.Cookie(noticeCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(v.W, &http.Cookie{Name: noticeCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: v.Secure(v.R)})
	words, err := url.QueryUnescape(cookie.Value)
	if err != nil || len(words) > 1000 {
		return ""
	}
	return words
}

// Soon lets a page that shows what is still being made load itself again after some seconds, with or without scripts.
func (v *Visit) Soon(seconds int) { v.W.Header().Set("Refresh", strconv.Itoa(seconds)) }

// Message is what a visitor may read of an error of a service, and whether the visitor can do something about it: input
// that cannot be right, something that is there already or was changed meanwhile, too often. Other errors are returned
// from the handler and become a page.
func Message(err error) (string, bool) {
	answer, ok := status.FromError(err)
	if !ok {
		return "", false
	}
	switch answer.Code() { //nolint:exhaustive // the others are not the visitor's to mend
	case codes.InvalidArgument, codes.AlreadyExists, codes.Aborted, codes.FailedPrecondition, codes.ResourceExhausted, codes.OutOfRange:
		return answer.Message(), true
	}
	return answer.Message(), false
}

// ErrNotFound makes the page for what is not there.
var ErrNotFound = status.Error(codes.NotFound, "")

func local(path string) string {
	// Browsers take a backslash for a slash and leave out tabs and ends of lines: "/\t/elsewhere" leads elsewhere.
	outside := strings.ContainsFunc(path, func(r rune) bool { return r == '\\' || unicode.IsControl(r) })
	if outside || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return "/"
	}
	return path
}

const languageCookie = "hailong_language"

// languageOf is the language the visitor chose here, else the one the browser asks for.
func (s *Site) languageOf(w http.ResponseWriter, r *http.Request) language.Language {
	if chosen := language.Language(r.URL.Query().Get("lang")); slices.Contains(language.All, chosen) {
		http.SetCookie(w, &http.Cookie{
			Name: languageCookie, Value: string(chosen), Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
			HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.Secure(r),
		})
		return chosen
	}
	if cookie, err := r.Cookie(languageCookie); err == nil && slices.Contains(language.All, language.Language(cookie.Value)) {
		return language.Language(cookie.Value)
	}
	// Browsers of Vietnamese offices are often English ones: Vietnamese unless somebody chose otherwise here.
	return language.Vietnamese
}

func (s *Site) serve(w http.ResponseWriter, r *http.Request, access Access, route route, handler func(*Visit) error) {
	began := &beginning{ResponseWriter: w}
	v := &Visit{Site: s, W: began, R: r, Language: s.languageOf(w, r), framed: route.framed}
	if route.framed {
		w.Header().Set("Content-Security-Policy", policy(s.ancestors()))
	}
	defer func() {
		if p := recover(); p != nil {
			v.panicked(p, began.began)
		}
	}()
	err := v.open(access, route, handler)
	if away(err) && route.meanwhile != nil && v.token != "" {
		v.later()
		err = route.meanwhile(v)
	}
	if err != nil {
		v.fail(err)
	}
}

// open finds out who visits and lets the handler answer.
func (v *Visit) open(access Access, route route, handler func(*Visit) error) error {
	if !utf8.ValidString(v.R.URL.Path) {
		return ErrNotFound
	}
	v.token = v.sessionToken()
	v.ctx = v.outgoing(v.token)
	if v.token != "" {
		if err := v.identify(); err != nil && (access != Anyone || status.Code(err) != codes.Unauthenticated) {
			return err
		}
	}
	switch {
	case access == Anyone:
	case v.Account == nil:
		return status.Error(codes.Unauthenticated, "")
	case v.newcomer && access != NewcomerToo:
		return v.Redirect("/password")
	}
	if route.needs != "" && !v.May(route.needs) {
		return ErrNotFound
	}
	if err := v.parse(); err != nil {
		return err
	}
	return handler(v)
}

var errTooLarge = errors.New("the form is too large")

// parse reads the form. The services take only text in UTF-8, which is all that browsers send: of an address typed or made
// wrong the rest is left out, a form that is sent is refused.
func (v *Visit) parse() error {
	var err error
	if strings.HasPrefix(v.R.Header.Get("Content-Type"), "multipart/") {
		err = v.R.ParseMultipartForm(1 << 20)
	} else {
		err = v.R.ParseForm()
	}
	valid := true
	for _, values := range v.R.Form {
		for i, value := range values {
			valid = valid && utf8.ValidString(value)
			values[i] = strings.ToValidUTF8(value, "")
		}
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return errTooLarge
	case v.R.Method == http.MethodPost && (err != nil || !valid):
		return status.Error(codes.InvalidArgument, v.Text("web.form_unreadable"))
	}
	return nil
}

// outgoing is the request's context with what the services are told.
func (v *Visit) outgoing(token string) context.Context {
	pairs := []string{"hailong-address", v.Address(v.R), "accept-language", string(v.Language)}
	if token != "" {
		pairs = append(pairs, "authorization", "Bearer "+token)
	}
	return metadata.NewOutgoingContext(v.R.Context(), metadata.Pairs(pairs...))
}

func (v *Visit) identify() error {
	session, err := v.Identity.GetSession(v.ctx, &pb.GetSessionRequest{})
	if err != nil {
		if status.Code(err) == codes.Unauthenticated { // it ended: what is open to anyone stays open
			v.ctx = v.outgoing("")
		}
		return err
	}
	v.Account, v.Actions, v.newcomer = session.GetAccount(), session.GetActions(), session.GetMustChangePassword()
	return nil
}

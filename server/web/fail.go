package web

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// fail answers a page for an error. There is one map from codes to HTTP here.
func (v *Visit) fail(err error) {
	if errors.Is(err, context.Canceled) && v.R.Context().Err() != nil {
		return // nobody reads it
	}
	if errors.Is(err, errTooLarge) {
		v.failed(http.StatusRequestEntityTooLarge, "too_large", "")
		return
	}
	answer, known := status.FromError(err)
	if !known {
		v.Logger.ErrorContext(v.R.Context(), "page failed", "path", v.R.URL.Path, "error", err)
		v.failed(http.StatusInternalServerError, "internal", "")
		return
	}
	switch answer.Code() { //nolint:exhaustive // all others are ours to mend
	case codes.Unauthenticated:
		v.signInFirst()
	case codes.NotFound:
		v.failed(http.StatusNotFound, "not_found", answer.Message())
	case codes.PermissionDenied:
		v.failed(http.StatusForbidden, "denied", answer.Message())
	case codes.InvalidArgument, codes.OutOfRange, codes.FailedPrecondition:
		v.failed(http.StatusBadRequest, "invalid", answer.Message())
	case codes.AlreadyExists, codes.Aborted:
		v.failed(http.StatusConflict, "conflict", answer.Message())
	case codes.ResourceExhausted:
		v.W.Header().Set("Retry-After", "10")
		v.failed(http.StatusTooManyRequests, "too_often", answer.Message())
	case codes.Unavailable, codes.DeadlineExceeded:
		v.later()
		v.failed(http.StatusServiceUnavailable, "unavailable", "")
	case codes.Canceled:
	default:
		v.failed(http.StatusInternalServerError, "internal", "")
	}
}

// away tells whether a service could not be served because what it needs is away.
func away(err error) bool {
	code := status.Code(err)
	return code == codes.Unavailable || code == codes.DeadlineExceeded
}

// later asks programs to come back, and a page to try again by itself.
func (v *Visit) later() {
	v.W.Header().Set("Retry-After", "5")
	if v.R.Method == http.MethodGet {
		v.W.Header().Set("Refresh", "5")
	}
}

// beginning notes whether an answer has begun.
type beginning struct {
	http.ResponseWriter
	began bool
}

func (b *beginning) WriteHeader(code int) {
	b.began = true
	b.ResponseWriter.WriteHeader(code)
}

func (b *beginning) Write(body []byte) (int, error) {
	b.began = true
	return b.ResponseWriter.Write(body)
}

// Unwrap lets http.ResponseController reach what is below.
func (b *beginning) Unwrap() http.ResponseWriter { return b.ResponseWriter }

// panicked answers a page for a fault of ours. An answer that has begun is cut off, so that nobody takes it for whole.
func (v *Visit) panicked(p any, began bool) {
	if p != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
		v.Logger.ErrorContext(v.R.Context(), "panic in a page", "path", v.R.URL.Path, "panic", p, "stack", string(debug.Stack()))
	}
	if began || p == http.ErrAbortHandler { //nolint:errorlint // as above
		panic(http.ErrAbortHandler)
	}
	v.failed(http.StatusInternalServerError, "internal", "")
}

// refused answers a form that was sent from a page of another site. What it held is not offered to be sent again.
func (s *Site) refused(w http.ResponseWriter, r *http.Request) {
	v := &Visit{Site: s, W: w, R: r, Language: s.languageOf(w, r)}
	s.Logger.WarnContext(r.Context(), "a form from another site was refused", "path", r.URL.Path, "address", s.Address(r), "origin", r.Header.Get("Origin"))
	if err := v.RenderStatus(http.StatusForbidden, s.pages, "failed", failure{Kind: "origin"}); err != nil {
		v.fail(err)
	}
}

type failure struct {
	Kind     string // a key: web.failed.KIND.title and .text
	Message  string // what the service said; may be empty
	Kept     []Field
	FileLeft bool // a file went with it and must be chosen again
	Back     string
}

func (v *Visit) failed(code int, kind, message string) {
	page := failure{Kind: kind, Message: message}
	if v.R.Method == http.MethodPost { // what was typed is not lost: it can be sent again
		page.Kept, page.FileLeft = v.sent()
		page.Back = v.R.URL.RequestURI()
	}
	if err := v.RenderStatus(code, v.pages, "failed", page); err != nil {
		v.Logger.ErrorContext(v.R.Context(), "page failed", "path", v.R.URL.Path, "error", err)
		http.Error(v.W, v.Text("fault.internal"), http.StatusInternalServerError)
	}
}

func (v *Visit) notFound() error { return ErrNotFound }

// Field is one typed value, kept over the sign-in.
type Field struct{ Name, Value string }

// SignIn is what the sign-in page shows.
type SignIn struct {
	Name     string
	Message  string
	Next     string // where to go then
	Kept     []Field
	FileLeft bool // a file went with it and must be chosen again
	Accounts []DemoAccount
	FirstRun bool
}

// signInFirst shows the sign-in page where the visitor wanted to be. What was typed goes through it.
func (v *Visit) signInFirst() {
	page := SignIn{Next: v.R.URL.RequestURI()}
	if v.R.Method == http.MethodPost {
		page.Message = v.Text("web.session_ended")
		page.Kept, page.FileLeft = v.kept()
		if len(page.Kept) == 0 && !v.opens(v.R.URL.Path) { // a button alone: there is no such page to come back to
			page.Next = "/"
		}
	} else if v.token != "" {
		page.Message = v.Text("web.session_ended")
		v.End()
	}
	if err := v.ShowSignIn(http.StatusUnauthorized, page); err != nil {
		v.fail(err)
	}
}

// ShowSignIn renders the sign-in page.
func (v *Visit) ShowSignIn(code int, page SignIn) error {
	page.Next = local(page.Next)
	if v.Accounts != nil {
		page.Accounts = v.Accounts()
	}
	page.FirstRun = v.FirstRun()
	v.Account = nil // the frame without a menu
	return v.RenderStatus(code, v.pages, "sign-in", page)
}

// KeptPrefix marks fields of a form that waits behind the sign-in.
const KeptPrefix = "kept."

// FileLeftField tells, in a form that waits behind the sign-in, that a file went with it and must be chosen again.
const FileLeftField = "file_left"

// sent are the form's fields; passwords are not kept, nor files, which no page could put into a form again.
func (v *Visit) sent() (fields []Field, fileLeft bool) {
	if strings.HasPrefix(v.R.Header.Get("Content-Type"), "multipart/") {
		fileLeft = v.sentInParts()
	} else {
		_ = v.R.ParseForm()
	}
	for name, values := range v.R.PostForm {
		if strings.Contains(name, "password") {
			continue
		}
		for _, value := range values {
			fields = append(fields, Field{name, value})
		}
	}
	slices.SortStableFunc(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return fields, fileLeft
}

// maxKept bounds the text of a form in parts that waits, in bytes; the form of the sign-in has room for it.
const maxKept = 1 << 20

// sentInParts reads the texts of a form that carries files, whose sender is not known yet: nothing is written to the disk, and the
// files themselves are passed over. It tells whether there was one.
func (v *Visit) sentInParts() (file bool) {
	if v.R.MultipartForm != nil || v.R.PostForm != nil { // it was read already
		return v.R.MultipartForm != nil && len(v.R.MultipartForm.File) > 0
	}
	v.R.PostForm = url.Values{}
	parts, err := v.R.MultipartReader()
	if err != nil {
		return false
	}
	for room := int64(maxKept); ; {
		part, err := parts.NextPart()
		if err != nil {
			return file
		}
		// Browsers send a field for files without a name where none was chosen.
		if _, about, err := mime.ParseMediaType(part.Header.Get("Content-Disposition")); err != nil || part.FormName() == "" {
			continue
		} else if name, ofFiles := about["filename"]; ofFiles {
			file = file || name != ""
			continue
		}
		text, err := io.ReadAll(io.LimitReader(part, max(room, 0)+1))
		if room -= int64(len(text)); err != nil || room < 0 || !utf8.Valid(text) {
			continue // half a text would be worse than none
		}
		v.R.PostForm.Add(part.FormName(), string(text))
	}
}

// kept are the form's fields as hidden ones that wait behind the sign-in.
func (v *Visit) kept() (fields []Field, fileLeft bool) {
	fields, fileLeft = v.sent()
	for i, f := range fields {
		fields[i].Name = KeptPrefix + strings.TrimPrefix(f.Name, KeptPrefix)
	}
	return fields, fileLeft
}

// opens tells whether there is a page at an address, and not only a form that is sent there.
func (v *Visit) opens(path string) bool {
	_, pattern := v.mux.Handler(&http.Request{Method: http.MethodGet, Host: v.R.Host, URL: &url.URL{Path: path}})
	return pattern != "" && pattern != "/"
}

// Kept are the fields of a form that waited behind the sign-in, with their own names.
func (v *Visit) Kept() []Field {
	var fields []Field
	waited, _ := v.kept()
	for _, f := range waited {
		if v.R.PostForm.Has(f.Name) {
			fields = append(fields, Field{strings.TrimPrefix(f.Name, KeptPrefix), f.Value})
		}
	}
	return fields
}

// ShowContinue renders a page from which a form that waited is sent on, by the visitor's own press.
func (v *Visit) ShowContinue(next string, fields []Field) error {
	return v.RenderStatus(http.StatusOK, v.pages, "continue", failure{Kept: fields, FileLeft: v.R.PostForm.Has(FileLeftField), Back: local(next)})
}

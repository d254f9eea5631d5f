package web

import (
	"net/http"
	"time"
)

// sessionCookie holds the session's token. Over TLS it has the prefix that keeps neighbours and plain HTTP from setting it.
const sessionCookie = "hailong_session"

func (v *Visit) cookieName() string {
	if v.Secure(v.R) {
		return "__Host-" + sessionCookie
	}
	return sessionCookie
}

func (v *Visit) sessionToken() string {
	cookie, err := v.R.Cookie(v.cookieName())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Begin keeps a session in the visitor's browser until it ends.
func (v *Visit) Begin(token string, expires time.Time) {
	v.token = token
	v.ctx = v.outgoing(token)
	http.SetCookie(v.W, &http.Cookie{
		Name: v.cookieName(), Value: token, Path: "/", Expires: expires, HttpOnly: true, Secure: v.Secure(v.R), SameSite: http.SameSiteLaxMode,
	})
}

// End forgets the session in the visitor's browser.
func (v *Visit) End() {
	http.SetCookie(v.W, &http.Cookie{
		Name: v.cookieName(), Path: "/", MaxAge: -1, HttpOnly: true, Secure: v.Secure(v.R), SameSite: http.SameSiteLaxMode,
	})
}

package web

import (
	"encoding/base64"
	"net/http"
)

// What is told once, such as a code or a password, is handed to the page after the form in a cookie of its own: for that page
// alone, for a minute, gone when it was shown. So neither reloading nor going back sends the form again, and no process
// keeps the secret.
const onceCookie = "hailong_once"

// TellOnce sends the visitor on to a page that shows a secret once.
func (v *Visit) TellOnce(path, secret string) error {
	v.setOnce(path, base64.RawURLEncoding.EncodeToString([]byte(secret)), 60)
	return v.Redirect(path)
}

// ToldOnce answers what was kept for this page; "" where there is nothing, or where it was shown before.
func (v *Visit) ToldOnce() string {
	cookie, err := v.R.Cookie(onceCookie)
	if err != nil {
		return ""
	}
	v.setOnce(v.R.URL.Path, "", -1)
	v.W.Header().Set("Cache-Control", "no-store")
	secret, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(secret) > 200 {
		return ""
	}
	return string(secret)
}

func (v *Visit) setOnce(path, value string, age int) {
	http.SetCookie(v.W, &http.Cookie{
		Name: onceCookie, Value: value, Path: path, MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: v.Secure(v.R),
	})
}

package screen

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"

	"github.com/hailong-vn/hailong/internal/typeface"
	"github.com/hailong-vn/hailong/kiosk-client/keyboard"
)

//go:embed assets/screen.css assets/screen.js templates/*.html
var files embed.FS

type asset struct {
	kind    string
	content []byte
}

// loadAssets gathers our own files, the keyboard's and the type.
func loadAssets() (map[string]asset, error) {
	all := map[string]asset{}
	add := func(name string, content []byte) { all[name] = asset{kindOf(name), content} }
	own, err := fs.Sub(files, "assets")
	if err != nil {
		return nil, err
	}
	for _, from := range []fs.FS{own, keyboard.Assets()} {
		names, err := fs.Glob(from, "*")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			content, err := fs.ReadFile(from, name)
			if err != nil {
				return nil, err
			}
			if _, twice := all[name]; twice {
				return nil, fmt.Errorf("screen: two files are called %s", name)
			}
			add(name, content)
		}
	}
	for _, name := range typeface.Names() {
		content, err := typeface.Read(name)
		if err != nil {
			return nil, err
		}
		add(name, content)
	}
	return all, nil
}

// kindOf does not ask the machine, whose tables differ.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func (s *Screen) asset(w http.ResponseWriter, r *http.Request) {
	file, ok := s.assets[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.kind)
	w.Header().Set("Cache-Control", "no-cache") // on this machine a look costs nothing, an old file after an update does
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.content))
}

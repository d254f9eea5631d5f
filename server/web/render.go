package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"

	"github.com/hailong-vn/hailong/internal/language"
)

//go:embed templates/*.html
var ownTemplates embed.FS

type templates = template.Template

// Pages are the pages of a topic: each file templates/NAME.html defines "title" and "main"; files that begin with _ are
// parts that all of them may use. A file that defines "layout" too has a frame of its own.
type Pages struct {
	sets map[language.Language]map[string]*templates
}

const frame, parts = "templates/_layout.html", "templates/_parts.html"

func (s *Site) baseTemplates() (map[language.Language]*templates, error) {
	base := map[language.Language]*templates{}
	for _, in := range language.All {
		set, err := template.New("").Funcs(s.functions(in)).ParseFS(ownTemplates, frame, parts)
		if err != nil {
			return nil, err
		}
		base[in] = set
	}
	return base, nil
}

// Pages reads a topic's pages, once for each language.
func (s *Site) Pages(files fs.FS) (*Pages, error) {
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	var shared, own []string
	for _, name := range names {
		switch {
		case files == fs.FS(ownTemplates) && (name == frame || name == parts):
		case strings.HasPrefix(path.Base(name), "_"):
			shared = append(shared, name)
		default:
			own = append(own, name)
		}
	}
	p := &Pages{sets: map[language.Language]map[string]*templates{}}
	for in, base := range s.base {
		p.sets[in] = map[string]*templates{}
		for _, name := range own {
			set, err := base.Clone()
			if err != nil {
				return nil, err
			}
			if set, err = set.ParseFS(files, append(shared, name)...); err != nil {
				return nil, err
			}
			p.sets[in][strings.TrimSuffix(path.Base(name), ".html")] = set
		}
	}
	return p, nil
}

// frameData is what the layout sees; the page's own templates see Data.
type frameData struct {
	*Visit
	Data    any
	Menu    []MenuItem
	Bell    *Bell  // nil = there is none to show
	Filling bool   // the demonstration has not all its data yet
	Said    string // what was just done
	Path    string
	Others  []otherLanguage
}

type otherLanguage struct{ Code, Link string }

// bodies are pages on their way; one larger than largeBody is not kept for the next.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const largeBody = 1 << 20

// Render answers a page.
func (v *Visit) Render(pages *Pages, name string, data any) error {
	return v.RenderStatus(http.StatusOK, pages, name, data)
}

// RenderStatus answers a page with a status other than 200, such as 422 for a form to be mended.
func (v *Visit) RenderStatus(code int, pages *Pages, name string, data any) error {
	set, ok := pages.sets[v.Language][name]
	if !ok {
		return fmt.Errorf("no page %q", name)
	}
	shown := frameData{Visit: v, Data: data, Menu: v.menu(), Bell: v.bell(), Filling: v.Filling(), Said: v.takeNotice(), Path: v.R.URL.Path}
	for _, in := range language.All {
		if in != v.Language {
			shown.Others = append(shown.Others, otherLanguage{string(in), v.linkIn(in)})
		}
	}
	body := bodies.Get().(*bytes.Buffer) // a template that fails must not leave half a page
	defer func() {
		if body.Cap() <= largeBody {
			body.Reset()
			bodies.Put(body)
		}
	}()
	if err := set.ExecuteTemplate(body, "layout", shown); err != nil {
		return err
	}
	v.W.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.W.WriteHeader(code)
	_, _ = v.W.Write(body.Bytes())
	return nil
}

// linkIn is this page in another language; after a POST its address alone, or the first page where there is none to open.
func (v *Visit) linkIn(in language.Language) string {
	path, query := v.R.URL.EscapedPath(), v.R.URL.Query()
	if v.R.Method == http.MethodPost && !v.opens(v.R.URL.Path) {
		path, query = "/", url.Values{}
	}
	query.Set("lang", string(in))
	return path + "?" + query.Encode()
}

package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/hailong-vn/hailong/internal/typeface"
)

// The frame's own files: a style sheet, htmx (https://htmx.org, version 4.0.1, Zero-Clause BSD) and a small script of ours.
//
//go:embed assets/site.css assets/live.js assets/htmx.min.js
var ownFiles embed.FS

type asset struct {
	kind   string
	plain  []byte
	zipped []byte // nil where zipping gains nothing
}

func newAsset(name string, content []byte) asset {
	a := asset{kind: mime.TypeByExtension(path.Ext(name)), plain: content}
	if path.Ext(name) == ".woff2" {
		a.kind = "font/woff2"
		return a
	}
	var zipped bytes.Buffer
	writer, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err == nil {
		_, err = writer.Write(content)
	}
	if err == nil && writer.Close() == nil && zipped.Len() < len(content) {
		a.zipped = zipped.Bytes()
	}
	return a
}

func (s *Site) ownAssets() error {
	for _, name := range []string{"live.js", "htmx.min.js"} {
		content, err := ownFiles.ReadFile("assets/" + name)
		if err != nil {
			return err
		}
		s.Asset(name, content)
	}
	for _, name := range typeface.Names() {
		content, err := typeface.Read(name)
		if err != nil {
			return err
		}
		s.Asset(name, content)
	}
	sheet, err := ownFiles.ReadFile("assets/site.css")
	if err != nil {
		return err
	}
	// The sheet names fonts by their plain names; addresses change with the content.
	for _, font := range typeface.Names() {
		if !bytes.Contains(sheet, []byte("url("+font+")")) {
			return fmt.Errorf("the style sheet does not use %s", font)
		}
		sheet = bytes.ReplaceAll(sheet, []byte("url("+font+")"), []byte("url("+s.links[font]+")"))
	}
	s.styles = sheet
	return nil
}

// link is the address of an asset.
func (s *Site) link(name string) (string, error) {
	address, ok := s.links[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return address, nil
}

func (s *Site) serveAsset(w http.ResponseWriter, r *http.Request) {
	found, ok := s.assets[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", found.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable") // its address changes with its content
	h.Set("Vary", "Accept-Encoding")
	body := found.plain
	if found.zipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = found.zipped
	}
	_, _ = w.Write(body)
}

var zippers = sync.Pool{New: func() any {
	writer, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is a valid one
	return writer
}}

// compress zips HTML and other text on the way out. Streams of events and what is zipped already go as they are.
func compress(next http.Handler, w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") || strings.HasPrefix(r.URL.Path, "/assets/") ||
		strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		next.ServeHTTP(w, r)
		return
	}
	zipping := &zippingWriter{ResponseWriter: w}
	defer zipping.close()
	next.ServeHTTP(zipping, r)
}

type zippingWriter struct {
	http.ResponseWriter
	zipper *gzip.Writer
	began  bool
}

func (z *zippingWriter) WriteHeader(status int) {
	if !z.began {
		z.began = true
		h := z.Header()
		kind := h.Get("Content-Type")
		text := strings.HasPrefix(kind, "text/") && !strings.HasPrefix(kind, "text/event-stream") || strings.HasPrefix(kind, "application/json")
		if text && h.Get("Content-Encoding") == "" && status != http.StatusNoContent && status != http.StatusNotModified {
			h.Set("Content-Encoding", "gzip")
			h.Add("Vary", "Accept-Encoding")
			h.Del("Content-Length")
			z.zipper = zippers.Get().(*gzip.Writer)
			z.zipper.Reset(z.ResponseWriter)
		}
	}
	z.ResponseWriter.WriteHeader(status)
}

func (z *zippingWriter) Write(body []byte) (int, error) {
	if !z.began {
		z.WriteHeader(http.StatusOK)
	}
	if z.zipper != nil {
		return z.zipper.Write(body)
	}
	return z.ResponseWriter.Write(body)
}

// Unwrap lets http.ResponseController reach what is below.
func (z *zippingWriter) Unwrap() http.ResponseWriter { return z.ResponseWriter }

func (z *zippingWriter) close() {
	if z.zipper != nil {
		_ = z.zipper.Close()
		zippers.Put(z.zipper)
	}
}

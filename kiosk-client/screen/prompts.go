package screen

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
)

// Recorded prompts stand as prompts/TAG/SCREEN.mp3 (or .ogg, .wav) in the state folder, one a screen and language, for people who
// do not read: SCREEN is a State, such as "ask" or "thanks". Their button shows only where there is one.
const promptsFolder = "prompts"

type promptKind struct{ ext, kind string }

func promptKinds() []promptKind {
	return []promptKind{{".mp3", "audio/mpeg"}, {".ogg", "audio/ogg"}, {".wav", "audio/wav"}}
}

// openPrompts opens the folder so that nothing outside of it can be named; nil where there is none.
func openPrompts(folder string) (*os.Root, error) {
	if folder == "" {
		return nil, nil //nolint:nilnil // there is no folder
	}
	root, err := os.OpenRoot(filepath.Join(folder, promptsFolder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // there are no prompts
	}
	return root, err
}

var screenForm = regexp.MustCompile(`^[a-z_]{1,32}$`)

// promptOf is the address of a screen's prompt; "" where there is none.
func (s *Screen) promptOf(tag string, state State) string {
	if s.prompts == nil {
		return ""
	}
	for _, kind := range promptKinds() {
		if info, err := s.prompts.Stat(filepath.Join(tag, string(state)+kind.ext)); err == nil && info.Mode().IsRegular() {
			return "/prompt/" + url.PathEscape(tag) + "/" + url.PathEscape(string(state))
		}
	}
	return ""
}

func (s *Screen) prompt(w http.ResponseWriter, r *http.Request) {
	tag, screen := r.PathValue("tag"), r.PathValue("screen")
	if s.prompts == nil || !tagForm.MatchString(tag) || !screenForm.MatchString(screen) {
		http.NotFound(w, r)
		return
	}
	for _, kind := range promptKinds() {
		file, err := s.prompts.Open(filepath.Join(tag, screen+kind.ext))
		if err != nil {
			continue
		}
		defer func() { _ = file.Close() }()
		info, err := file.Stat()
		if err != nil || !info.Mode().IsRegular() {
			break
		}
		w.Header().Set("Content-Type", kind.kind)
		http.ServeContent(w, r, "", info.ModTime(), file)
		return
	}
	http.NotFound(w, r)
}

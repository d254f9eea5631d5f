package screen

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hailong-vn/hailong/internal/language"
)

// words are the texts of a language: of a catalogue, or of a file of the state folder over the Vietnamese catalogue.
type words struct {
	tag  string
	base language.Language
	own  map[string]string // nil = all is in the catalogue
}

// Text answers the words of a key; args are pairs of a name and a value.
func (w words) Text(key string, args ...any) string {
	text, ok := w.own[key]
	if !ok {
		return w.base.Text(key, args...)
	}
	var pairs []string
	for i := 0; i+1 < len(args); i += 2 {
		pairs = append(pairs, fmt.Sprintf("{%v}", args[i]), fmt.Sprint(args[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

const (
	languagesFolder = "languages"
	maxLanguageFile = 256 << 10
)

var tagForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// loadLanguages reads the catalogues and the files languages/TAG.json of the folder: {"kiosk.ask.title": "…"}. What a file lacks is
// shown in Vietnamese; a file that cannot be read is left out, and said in the log. Whoever translates starts from
// LanguageTemplate.
func loadLanguages(folder string, log *slog.Logger) (map[string]words, error) {
	all := map[string]words{}
	for _, one := range language.All {
		all[string(one)] = words{tag: string(one), base: one}
	}
	if folder == "" {
		return all, nil
	}
	folder = filepath.Join(folder, languagesFolder)
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		tag, isJSON := strings.CutSuffix(entry.Name(), ".json")
		if !isJSON || !tagForm.MatchString(tag) {
			continue
		}
		own, err := readLanguage(filepath.Join(folder, entry.Name()))
		if err != nil {
			log.Error("a language of the kiosk cannot be read and is left out", "file", entry.Name(), "error", err)
			continue
		}
		base := language.Vietnamese
		if known, ok := all[tag]; ok {
			base = known.base // an office's own wording of a language we have
		}
		all[tag] = words{tag: tag, base: base, own: own}
	}
	return all, nil
}

func readLanguage(path string) (map[string]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxLanguageFile {
		return nil, fmt.Errorf("more than %d bytes", maxLanguageFile)
	}
	data, err := os.ReadFile(path) //nolint:gosec // a file of the state folder
	if err != nil {
		return nil, err
	}
	var own map[string]string
	if err := json.Unmarshal(data, &own); err != nil {
		return nil, err
	}
	return own, nil
}

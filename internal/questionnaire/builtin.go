package questionnaire

import (
	"embed"
	"fmt"
	"path"
)

//go:embed builtin/*.yaml
var builtin embed.FS

// BuiltIn answers the questionnaires that come with the product, by file name: a short form for kiosks ("kiosk"), the same
// with three buttons ("kiosk3"), and a form of five factors in the manner of SIPAS ("sipas").
func BuiltIn() ([]*Questionnaire, error) {
	files, err := builtin.ReadDir("builtin")
	if err != nil {
		return nil, err
	}
	var all []*Questionnaire
	for _, file := range files {
		text, err := builtin.ReadFile(path.Join("builtin", file.Name()))
		if err != nil {
			return nil, err
		}
		q, err := Parse(text)
		if err != nil {
			return nil, fmt.Errorf("built-in questionnaire %s: %w", file.Name(), err)
		}
		all = append(all, q)
	}
	return all, nil
}

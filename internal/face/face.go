// Package face draws the five answers to the one question: the same faces on the kiosk, on a telephone and on the pages of an
// office.
//
// Each face differs from the others in its mouth and in its eyebrows, so that it is known without colour, on paper and at the
// size of a letter. Faces say nothing to a screen reader: words stand beside them always.
package face

import (
	"html/template"
	"strconv"
)

// Ends of the scale of scores.
const (
	Lowest  = 1
	Highest = 5
)

// SVG is the face of a score, 1 (very dissatisfied) to 5 (very satisfied); every other score, such as 0 (not asked), has a face
// without an opinion.
//
// All of it is drawn in the colour of the text around it (currentColor) and filled with nothing. A style sheet may change that:
// the element has the classes "face" and "face-SCORE", the disc "face-skin", what is drawn on it "face-line", and what of that is
// filled "face-full".
func SVG(score int) template.HTML {
	brows, mouth := features(score)
	if score < Lowest || score > Highest {
		score = 0
	}
	//nolint:gosec // all of it is written here but a number
	return template.HTML(`<svg class="face face-` + strconv.Itoa(score) + `" viewBox="0 0 48 48" width="48" height="48" fill="none" stroke="currentColor" aria-hidden="true" focusable="false">` +
		`<circle class="face-skin" cx="24" cy="24" r="22" stroke-width="2.5"/>` +
		`<g class="face-line" stroke-width="3" stroke-linecap="round" stroke-linejoin="round">` +
		`<path class="face-full" fill="currentColor" d="M15.5 20.5a1 1.4 0 1 0 2 0a1 1.4 0 1 0-2 0M30.5 20.5a1 1.4 0 1 0 2 0a1 1.4 0 1 0-2 0"/>` +
		brows + mouth + `</g></svg>`)
}

// features are what makes a face: eyebrows and mouth.
func features(score int) (brows, mouth string) {
	switch score {
	case 5: // raised brows, laughing
		return `<path d="M12 13.5c2-3.5 7-3.5 9 0M27 13.5c2-3.5 7-3.5 9 0"/>`, `<path class="face-full" fill="currentColor" d="M12.5 27h23c-.5 6.5-5 11-11.5 11s-11-4.5-11.5-11z"/>`
	case 4: // brows at rest, smiling
		return `<path d="M13 13.5c2-1 4-1 6 0M29 13.5c2-1 4-1 6 0"/>`, `<path d="M13.5 29c4.5 7.5 16.5 7.5 21 0"/>`
	case 3: // everything level
		return `<path d="M13 14h6.5M28.5 14h6.5"/>`, `<path d="M15 32h18"/>`
	case 2: // worried brows, corners down
		return `<path d="M12 15l6.5-2.5M36 15l-6.5-2.5"/>`, `<path d="M14.5 34.5c4-5.5 15-5.5 19 0"/>`
	case 1: // drawn brows, corners far down
		return `<path d="M12.5 12l7 3.5M35.5 12l-7 3.5"/>`, `<path d="M13 37.5c3.5-10 18.5-10 22 0"/>`
	}
	return "", `<path stroke-dasharray="0 6" d="M15 32h18"/>`
}

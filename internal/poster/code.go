package poster

import (
	"bytes"
	"html/template"
	"image"
	stdcolor "image/color"
	"image/png"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"github.com/hailong-vn/hailong/internal/fault"
)

// quiet is the empty border a reader needs around the code, in modules (ISO/IEC 18004).
const quiet = 4

// Code is a QR code: a square of dark and light modules.
type Code struct {
	size int
	dark []bool // row by row
}

// QR encodes a text with error correction M, or better where that costs no more modules. Empty text, text that is not
// UTF-8 and text beyond the largest code are fault.Invalid.
func QR(text string) (Code, error) {
	if text == "" || !utf8.ValidString(text) {
		return Code{}, fault.New(fault.Invalid, "poster_code_unreadable")
	}
	mode := modeOf(text)
	best, err := qr.Encode(text, qr.M, mode)
	if err != nil {
		return Code{}, fault.New(fault.Invalid, "poster_code_long").Because(err)
	}
	for _, level := range []qr.ErrorCorrectionLevel{qr.H, qr.Q} {
		if better, err := qr.Encode(text, level, mode); err == nil && better.Bounds() == best.Bounds() {
			best = better
			break
		}
	}
	return modules(best), nil
}

// modeOf picks the densest mode. The library's own choice takes a sign for a digit and loses it: "+0" would read "00".
func modeOf(text string) qr.Encoding {
	only := func(set string) bool { return strings.Trim(text, set) == "" }
	const digits = "0123456789"
	switch {
	case only(digits):
		return qr.Numeric
	case only(digits + "ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"):
		return qr.AlphaNumeric
	}
	return qr.Unicode
}

func modules(drawn barcode.Barcode) Code {
	bounds := drawn.Bounds()
	code := Code{size: bounds.Dx()}
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			gray, _, _, _ := drawn.At(bounds.Min.X+x, bounds.Min.Y+y).RGBA()
			code.dark = append(code.dark, gray < 0x8000)
		}
	}
	return code
}

// Size is the number of modules of a side, without the quiet zone.
func (c Code) Size() int { return c.size }

// Dark tells whether a module is dark; outside of the code everything is light.
func (c Code) Dark(x, y int) bool {
	return x >= 0 && y >= 0 && x < c.size && y < c.size && c.dark[y*c.size+x]
}

// SVG draws the code with its quiet zone, dark on white whatever the page's colours; it has no size of its own, the
// page's style sheet gives it one through the class "qr". The title is what a screen reader says.
func (c Code) SVG(title string) template.HTML {
	side := strconv.Itoa(c.size + 2*quiet)
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" class="qr" viewBox="0 0 ` + side + ` ` + side +
		`" role="img" shape-rendering="crispEdges"><title>` + template.HTMLEscapeString(title) +
		`</title><rect width="` + side + `" height="` + side + `" fill="#fff"/><path fill="#000" d="`)
	for _, outline := range c.outlines() {
		for i, p := range outline {
			letter := "L"
			if i == 0 {
				letter = "M"
			}
			b.WriteString(letter + strconv.Itoa(p.X+quiet) + " " + strconv.Itoa(p.Y+quiet))
		}
		b.WriteByte('z')
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String()) //nolint:gosec // the title is escaped above, the rest are numbers
}

// PNG draws the code with its quiet zone, so many pixels a module (1 to 40; others are brought into that range).
func (c Code) PNG(pixels int) ([]byte, error) {
	pixels = min(max(pixels, 1), 40)
	side := (c.size + 2*quiet) * pixels
	picture := image.NewPaletted(image.Rect(0, 0, side, side), stdcolor.Palette{stdcolor.White, stdcolor.Black})
	for y := range side {
		for x := range side {
			if c.Dark(x/pixels-quiet, y/pixels-quiet) {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fault.New(fault.Internal, "internal").Because(err)
	}
	return out.Bytes(), nil
}

// outlines walks around every dark area with the dark side on the right, holes the other way round, so that one filled
// path draws the whole code. Module by module, viewers that smooth edges would show hairlines between neighbours.
func (c Code) outlines() [][]image.Point {
	edges := map[image.Point][]image.Point{} // from a corner to the next ones
	var corners []image.Point                // where edges begin, in order, for the same path every time
	add := func(x0, y0, x1, y1 int) {
		from := image.Pt(x0, y0)
		edges[from] = append(edges[from], image.Pt(x1, y1))
		corners = append(corners, from)
	}
	for y := range c.size {
		for x := range c.size {
			if !c.Dark(x, y) {
				continue
			}
			if !c.Dark(x, y-1) {
				add(x, y, x+1, y)
			}
			if !c.Dark(x+1, y) {
				add(x+1, y, x+1, y+1)
			}
			if !c.Dark(x, y+1) {
				add(x+1, y+1, x, y+1)
			}
			if !c.Dark(x-1, y) {
				add(x, y+1, x, y)
			}
		}
	}
	var outlines [][]image.Point
	for _, start := range corners {
		var walk []image.Point
		for at := start; len(edges[at]) > 0; {
			next := edges[at][0]
			edges[at] = edges[at][1:]
			walk = append(walk, at)
			at = next
		}
		if len(walk) > 0 {
			outlines = append(outlines, bends(walk))
		}
	}
	return outlines
}

// bends keeps the points of a closed walk where it changes direction.
func bends(walk []image.Point) []image.Point {
	var kept []image.Point
	for i, p := range walk {
		before, after := walk[(i+len(walk)-1)%len(walk)], walk[(i+1)%len(walk)]
		if p.Sub(before) != after.Sub(p) {
			kept = append(kept, p)
		}
	}
	return kept
}

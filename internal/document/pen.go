package document

import (
	_ "embed" // the fonts
	"strings"

	"codeberg.org/go-pdf/fpdf"
)

//go:generate sh -c "cd fonts && ./subset.sh"

//go:embed fonts/NotoSerif-Regular.ttf
var regularFont []byte

//go:embed fonts/NotoSerif-Bold.ttf
var boldFont []byte

//go:embed fonts/NotoSerif-Italic.ttf
var italicFont []byte

//go:embed fonts/NotoSerif-BoldItalic.ttf
var boldItalicFont []byte

// face is one of the four cuts of the type.
type face int

const (
	regular face = iota
	bold
	italic
	boldItalic
)

const family = "NotoSerif"

const (
	millimetres = 25.4 / 72 // of a point
	// smaller makes up for Noto Serif's letters, which are that much larger than those of Times New Roman at the same size.
	smaller = 0.92
	// leading is the distance of two lines, in sizes. Vietnamese stacks two marks on a capital.
	leading = 1.38
)

// pen draws lines of text on the pages of one PDF, in millimetres.
type pen struct {
	pdf    *fpdf.Fpdf
	widths [4]map[rune]int // of the characters met so far, in thousandths of the size
}

func newPen() *pen {
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetMargins(0, 0, 0)
	pdf.SetCellMargin(0)
	for i, font := range [][]byte{regularFont, boldFont, italicFont, boldItalicFont} {
		pdf.AddUTF8FontFromBytes(family, weight(face(i)), font)
	}
	return &pen{pdf: pdf, widths: [4]map[rune]int{{}, {}, {}, {}}}
}

func weight(f face) string { return [...]string{"", "B", "I", "BI"}[f] }

// width of a text in millimetres. Widths add up, because nothing is kerned.
func (p *pen) width(text string, f face, size float64) float64 {
	total := 0
	for _, r := range text {
		wide, ok := p.widths[f][r]
		if !ok {
			p.pdf.SetFont(family, weight(f), 10)
			wide = p.pdf.GetStringSymbolWidth(string(r))
			p.widths[f][r] = wide
		}
		total += wide
	}
	return float64(total) / 1000 * size * smaller * millimetres
}

func lineHeight(size float64) float64 { return size * smaller * millimetres * leading }

// text writes one line with its top at y.
func (p *pen) text(x, y float64, line string, f face, size float64) {
	p.pdf.SetFont(family, weight(f), size*smaller)
	p.pdf.Text(x, y+0.74*lineHeight(size), line)
}

// justified writes one line so that it fills the width.
func (p *pen) justified(x, y, width float64, line string, f face, size float64) {
	if !strings.Contains(line, " ") {
		p.text(x, y, line, f, size)
		return
	}
	p.pdf.SetFont(family, weight(f), size*smaller)
	// The library puts the baseline 0.3 sizes below the middle of the cell; ours is at 0.74 of the line.
	high := lineHeight(size)
	p.pdf.SetXY(x, y+0.24*high-0.3*size*smaller*millimetres)
	p.pdf.CellFormat(width, high, line, "", 0, "J", false, 0, "")
}

func (p *pen) rule(x0, y0, x1, y1, width float64) {
	p.pdf.SetLineWidth(width)
	p.pdf.Line(x0, y0, x1, y1)
}

// wrap breaks a line at spaces, and inside a word only where the word alone is wider than the column. The first line is so much
// narrower.
func (p *pen) wrap(text string, width, indent float64, f face, size float64) []string {
	var lines []string
	var line strings.Builder
	used, space := 0.0, p.width(" ", f, size)
	room := width - indent
	flush := func() {
		lines = append(lines, line.String())
		line.Reset()
		used, room = 0, width
	}
	for word := range strings.FieldsSeq(printable(text)) {
		wide := p.width(word, f, size)
		if line.Len() > 0 {
			if used+space+wide <= room {
				line.WriteString(" " + word)
				used += space + wide
				continue
			}
			flush()
		}
		if wide <= room {
			line.WriteString(word)
			used = wide
			continue
		}
		for _, r := range word {
			letter := p.width(string(r), f, size)
			if line.Len() > 0 && used+letter > room {
				flush()
			}
			line.WriteRune(r)
			used += letter
		}
	}
	if line.Len() > 0 {
		flush()
	}
	return lines
}

// balanced wraps into as few lines as wrap does, with the least width, so that no centred line is left with a single word.
func (p *pen) balanced(text string, width float64, f face, size float64) []string {
	lines := p.wrap(text, width, 0, f, size)
	if len(lines) < 2 {
		return lines
	}
	low, high := 0.0, width
	for range 12 {
		middle := (low + high) / 2
		if len(p.wrap(text, middle, 0, f, size)) <= len(lines) {
			high = middle
		} else {
			low = middle
		}
	}
	return p.wrap(text, high, 0, f, size)
}

// shrunk is the largest size, from one down to two thirds of it, at which a line fits into one line of the width.
func (p *pen) shrunk(text string, width float64, f face, size float64) float64 {
	least := size * 2 / 3
	for size > least && p.width(printable(text), f, size) > width {
		size -= 0.25
	}
	return size
}

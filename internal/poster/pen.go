package poster

import (
	_ "embed" // the fonts
	"math"

	"codeberg.org/go-pdf/fpdf"
)

//go:generate sh -c "cd fonts && ./subset.sh"

//go:embed fonts/NotoSans-Regular.ttf
var regular []byte

//go:embed fonts/NotoSans-Bold.ttf
var bold []byte

const family = "NotoSans"

type color struct{ r, g, b int }

func ink() color  { return color{0x1b, 0x24, 0x26} }
func teal() color { return color{0x0f, 0x5e, 0x63} }
func soft() color { return color{0x52, 0x5f, 0x62} }
func pale() color { return color{0xc9, 0xdb, 0xdc} }

type point struct{ x, y float64 }

// pen draws on one page, in millimetres from the corner (x, y), so that a card is drawn alike anywhere on a sheet.
type pen struct {
	pdf    *fpdf.Fpdf
	x, y   float64
	widths [2]map[rune]int // of the regular and the bold characters met so far, in thousandths of the size
}

func newPen(paper point) *pen {
	pdf := fpdf.NewCustom(&fpdf.InitType{OrientationStr: "P", UnitStr: "mm", Size: fpdf.SizeType{Wd: paper.x, Ht: paper.y}})
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetMargins(0, 0, 0)
	pdf.AddUTF8FontFromBytes(family, "", regular)
	pdf.AddUTF8FontFromBytes(family, "B", bold)
	return &pen{pdf: pdf, widths: [2]map[rune]int{{}, {}}}
}

func (p *pen) font(isBold bool, size float64) {
	weight := ""
	if isBold {
		weight = "B"
	}
	p.pdf.SetFont(family, weight, size)
}

// width of a text in millimetres, at a size in points.
func (p *pen) width(text string, isBold bool, size float64) float64 {
	known := p.widths[0]
	if isBold {
		known = p.widths[1]
	}
	total := 0
	for _, r := range text {
		wide, ok := known[r]
		if !ok {
			p.font(isBold, 10)
			wide = p.pdf.GetStringSymbolWidth(string(r))
			known[r] = wide
		}
		total += wide
	}
	return float64(total) / 1000 * size * millimetres
}

// center sets a paragraph in the middle of a column.
func (p *pen) center(set paragraph, middle, top float64) {
	p.pdf.SetTextColor(set.color.r, set.color.g, set.color.b)
	for i, line := range set.lines {
		left := middle - p.width(line, set.bold, set.size)/2
		p.font(set.bold, set.size)
		p.pdf.Text(p.x+left, p.y+top+(float64(i)+0.77)*set.line(), line)
	}
}

func (p *pen) stroke(c color, width float64) {
	p.pdf.SetDrawColor(c.r, c.g, c.b)
	p.pdf.SetLineWidth(width)
	p.pdf.SetLineCapStyle("round")
}

func (p *pen) fill(c color) { p.pdf.SetFillColor(c.r, c.g, c.b) }

func (p *pen) line(x0, y0, x1, y1 float64) { p.pdf.Line(p.x+x0, p.y+y0, p.x+x1, p.y+y1) }

// code draws the modules without the quiet zone, which its frame leaves; side is that of the modules.
func (p *pen) code(c Code, left, top, side float64) {
	module := side / float64(c.size)
	p.fill(color{})
	for _, outline := range c.outlines() {
		for i, corner := range outline {
			x, y := p.x+left+float64(corner.X)*module, p.y+top+float64(corner.Y)*module
			if i == 0 {
				p.pdf.MoveTo(x, y)
			} else {
				p.pdf.LineTo(x, y)
			}
		}
		p.pdf.ClosePath()
	}
	p.pdf.DrawPath("F")
}

// face draws one of the five, 5 the happiest. All have one colour and one weight, so that none invites more than another.
func (p *pen) face(score int, middleX, middleY, radius float64) {
	at := func(x, y float64) (float64, float64) { return p.x + middleX + x*radius, p.y + middleY + y*radius }
	bow := func(x0, y0, pull float64, how string) {
		ax, ay := at(-x0, y0)
		bx, by := at(-x0*0.5, pull)
		cx, cy := at(x0*0.5, pull)
		dx, dy := at(x0, y0)
		p.pdf.MoveTo(ax, ay)
		p.pdf.CurveBezierCubicTo(bx, by, cx, cy, dx, dy)
		if how != "D" {
			p.pdf.ClosePath()
		}
		p.pdf.DrawPath(how)
	}
	p.stroke(teal(), radius*0.085)
	p.fill(teal())
	p.pdf.SetLineJoinStyle("round")
	x, y := at(0, 0)
	p.pdf.Circle(x, y, radius, "D")
	for _, side := range []float64{-1, 1} {
		x, y := at(side*0.34, -0.2)
		p.pdf.Circle(x, y, radius*0.105, "F")
		if score == 1 {
			x0, y0 := at(side*0.56, -0.4)
			x1, y1 := at(side*0.24, -0.56)
			p.pdf.Line(x0, y0, x1, y1)
		}
	}
	switch score {
	case 5:
		bow(0.5, 0.16, 0.8, "FD")
	case 4:
		bow(0.46, 0.24, 0.62, "D")
	case 3:
		bow(0.4, 0.36, 0.36, "D")
	case 2:
		bow(0.44, 0.5, 0.16, "D")
	default:
		bow(0.48, 0.58, 0.08, "D")
	}
}

// cutMarks show where to cut a sheet of four: at the middle of every side and a small cross in the centre.
func (p *pen) cutMarks(paper point) {
	const reach, cross = 9, 2.5
	p.stroke(soft(), 0.2)
	x, y := paper.x/2, paper.y/2
	p.line(x, 0, x, reach)
	p.line(x, paper.y-reach, x, paper.y)
	p.line(0, y, reach, y)
	p.line(paper.x-reach, y, paper.x, y)
	p.line(x-cross, y, x+cross, y)
	p.line(x, y-cross, x, y+cross)
}

// even rounds down to tenths of a millimetre, which keeps the file's numbers short.
func even(length float64) float64 { return math.Floor(length*10) / 10 }

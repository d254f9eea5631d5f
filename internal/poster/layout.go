package poster

import (
	"strconv"

	"github.com/hailong-vn/hailong/internal/language"
)

// measures is the design of one card or poster. Lengths are millimetres, sizes points.
type measures struct {
	width, height, margin     float64
	office, counter           style
	invitation, second        style
	word, secondWord          style
	scan, link, hotline, note style
	face                      float64 // diameter
	code, codeMost            float64 // least and greatest side of the code, without its quiet zone
	rule                      float64 // thickness of lines
	gap                       float64 // least distance of two blocks
}

// sheets is a paper and where on it the design stands.
type sheets struct {
	paper    point
	measures measures
	corners  []point
}

func sheetsOf(piece Piece) (sheets, bool) {
	a4, a6 := point{210, 297}, point{105, 148}
	switch piece {
	case A4Poster:
		return sheets{a4, posterMeasures(), []point{{}}}, true
	case A6Card:
		return sheets{a6, cardMeasures(), []point{{}}}, true
	case A4Cards:
		// Half of A4 is 148.5 mm high: the card stands in the middle of it.
		return sheets{a4, cardMeasures(), []point{{0, 0.25}, {105, 0.25}, {0, 148.75}, {105, 148.75}}}, true
	}
	return sheets{}, false
}

func posterMeasures() measures {
	return measures{
		width: 210, height: 297, margin: 20,
		office:     style{bold: true, size: 24, small: 18, room: 32, color: ink()},
		counter:    style{size: 20, small: 15, room: 24, color: ink()},
		invitation: style{bold: true, size: 40, small: 30, room: 36, color: teal()},
		second:     style{size: 17, small: 13, room: 16, color: soft()},
		word:       style{bold: true, size: 12.5, small: 12.5, room: 16, color: ink()},
		secondWord: style{size: 10, small: 10, room: 10, color: soft()},
		scan:       style{size: 15, small: 12, room: 14, color: ink()},
		link:       style{bold: true, size: 20, small: 11, room: 22, color: teal()},
		hotline:    style{size: 14, small: 11, room: 14, color: ink()},
		note:       style{size: 12, small: 10, room: 12, color: soft()},
		face:       23, code: 62, codeMost: 76, rule: 0.5, gap: 2.5,
	}
}

func cardMeasures() measures {
	return measures{
		width: 105, height: 148, margin: 9,
		office:     style{bold: true, size: 12.5, small: 9.5, room: 17, color: ink()},
		counter:    style{size: 10.5, small: 8, room: 13, color: ink()},
		invitation: style{bold: true, size: 20, small: 15, room: 18, color: teal()},
		second:     style{size: 9, small: 7, room: 9, color: soft()},
		word:       style{bold: true, size: 7, small: 7, room: 9, color: ink()},
		secondWord: style{size: 6, small: 5.6, room: 6, color: soft()},
		scan:       style{size: 8.5, small: 7, room: 8, color: ink()},
		link:       style{bold: true, size: 11.5, small: 7, room: 12, color: teal()},
		hotline:    style{size: 8.5, small: 7, room: 8, color: ink()},
		note:       style{size: 7.2, small: 6.2, room: 7, color: soft()},
		face:       12, code: 31, codeMost: 38, rule: 0.3, gap: 1,
	}
}

// block is one thing on the page: how high it is, how much air it wants above it, and how it is painted from its top.
type block struct {
	height, air, top float64
	paint            func(top float64)
}

// arrange stacks the blocks between the margins. Where names or the address are so long that too little air is left,
// they get less room until all stands apart.
func arrange(p *pen, m measures, c content) []block {
	for {
		blocks, free := stack(p, m, c)
		if free >= m.height*0.02 || m.office.room < 1 {
			return blocks
		}
		for _, long := range []*style{&m.office, &m.counter, &m.link, &m.hotline} {
			long.room *= 0.9
		}
	}
}

// stack places the blocks and answers the air that is left in millimetres, negative where they do not fit. The code
// grows first, then what is left becomes air.
func stack(p *pen, m measures, c content) ([]block, float64) {
	middle, inner := m.width/2, m.width-2*m.margin
	var blocks []block
	text := func(air float64, words string, s style) {
		set := p.fit(words, inner, s)
		blocks = append(blocks, block{height: set.height(), air: air, paint: func(top float64) { p.center(set, middle, top) }})
	}
	translated := func(key string, args ...any) string { return language.Vietnamese.Text(key, args...) }

	text(0, c.office, m.office)
	if c.counter != "" {
		text(0.2, c.counter, m.counter)
	}
	blocks = append(blocks, block{air: 1, paint: func(top float64) {
		p.stroke(teal(), 2*m.rule)
		p.line(middle-m.width*0.06, top, middle+m.width*0.06, top)
	}})
	text(1, translated("poster.invitation"), m.invitation)
	if c.second != "" {
		text(0, c.second.Text("poster.invitation"), m.second)
	}
	blocks = append(blocks, faces(p, m, c.second))
	framed := len(blocks)
	blocks = append(blocks, block{air: 1.3}) // the code, when its size is known
	text(0.6, translated("poster.scan"), m.scan)
	if c.second != "" {
		text(0, c.second.Text("poster.scan"), m.note)
	}
	linked := len(blocks)
	text(0.1, c.shown, m.link)
	if c.hotline != "" {
		words := translated("poster.hotline", "hotline", c.hotline)
		if c.second == "" {
			text(0.5, words, m.hotline)
		} else if also := c.second.Text("poster.hotline", "hotline", c.hotline); len(p.fit(words+" · "+also, inner, m.hotline).lines) == 1 {
			text(0.5, words+" · "+also, m.hotline)
		} else {
			text(0.5, words, m.hotline)
			text(0, also, m.note)
		}
	}
	blocks = append(blocks, block{air: 1, paint: func(top float64) {
		p.stroke(pale(), m.rule)
		p.line(m.margin, top, m.width-m.margin, top)
	}})
	text(0.3, translated("poster.anonymous"), m.note)
	if c.second != "" {
		text(0, c.second.Text("poster.anonymous"), m.note)
	}

	// A link that can be pressed where the file is read on a screen.
	paintLink := blocks[linked].paint
	blocks[linked].paint = func(top float64) {
		paintLink(top)
		p.pdf.LinkString(p.x+m.margin, p.y+top, inner, blocks[linked].height, c.link)
	}

	free, airs := m.height-2*m.margin, 0.0
	for _, b := range blocks {
		free -= b.height + min(b.air, 1)*m.gap
		airs += b.air
	}
	border := quiet / float64(c.code.size) // of the side
	side := even(min(max(free*0.72/(1+2*border), m.code), m.codeMost))
	frame := side * (1 + 2*border)
	blocks[framed].height = frame
	blocks[framed].paint = func(top float64) {
		left := middle - frame/2
		p.stroke(pale(), m.rule)
		p.pdf.RoundedRect(p.x+left, p.y+top, frame, frame, m.margin*0.15, "1234", "D")
		p.code(c.code, left+side*border, top+side*border, side)
	}
	free -= frame
	air := max(free, 0) / airs

	top := m.margin
	for i := range blocks {
		top += min(blocks[i].air, 1)*m.gap + air*blocks[i].air
		blocks[i].top = top
		top += blocks[i].height
	}
	return blocks, free
}

// faces are five columns: a face, its words, and its words in the second language, each row of words in one size.
func faces(p *pen, m measures, second language.Language) block {
	column := (m.width - 2*m.margin) / 5
	var rows [][]paragraph
	row := func(spoken language.Language, s style) {
		for {
			var words []paragraph
			smallest := s.size
			for score := 5; score >= 1; score-- {
				set := p.fit(spoken.Text("poster.face."+strconv.Itoa(score)), column*0.92, s)
				words = append(words, set)
				smallest = min(smallest, set.size)
			}
			if smallest == s.size {
				rows = append(rows, words)
				return
			}
			s.size, s.small = smallest, min(s.small, smallest)
		}
	}
	row(language.Vietnamese, m.word)
	if second != "" {
		row(second, m.secondWord)
	}
	height := 0.0
	for i := range 5 {
		column := 0.0
		for _, words := range rows {
			column += words[i].height()
		}
		height = max(height, column)
	}
	return block{height: m.face + m.gap + height, air: 1.3, paint: func(top float64) {
		for i := range 5 {
			middle := m.margin + column*(float64(i)+0.5)
			p.face(5-i, middle, top+m.face/2, m.face/2)
			y := top + m.face + m.gap
			for _, words := range rows {
				p.center(words[i], middle, y)
				y += words[i].height()
			}
		}
	}}
}

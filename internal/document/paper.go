package document

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
)

// Signer is who signs, as it is written below a paper.
type Signer struct {
	Authority string `bson:"authority,omitempty"` // lines above the position: "TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH"
	Position  string `bson:"position"`            // "PHÓ CHỦ TỊCH"
	Name      string `bson:"name"`
	Account   string `bson:"account,omitempty"` // of this system, where the signer has one
}

// Number is what makes a paper one of its office. The zero Number is that of a draft.
type Number struct {
	N   int
	Day localday.Day // on which it is issued
}

// Paper is a filled template, ready to be drawn. All its texts are clean.
type Paper struct {
	Title   string // what a reader of the file sees as its name
	Symbol  string // "BC-UBND"
	Number  string // "12/BC-UBND"; of a draft "/BC-UBND"
	Draft   bool
	Size    float64 // points
	Font    string
	Parent  []string
	Issuer  []string
	Subject []string
	Place   string // with the day
	Heading []string
	About   []string
	To      []string
	Blocks  []Block
	Signer  Signer
	Copies  []string
	margins margins
}

// Block is a paragraph, a heading or a table.
type Block struct {
	Style style
	Lines []string
	Table *Table
}

// Table is a table of texts, each of several lines.
type Table struct {
	Widths []float64 // shares of the width
	Header [][]string
	Rows   [][][]string
}

// Fill writes values into a template. For an issued paper (number.N > 0) nothing required may be missing; in a draft the place
// is left dotted. Invalid "document_value_long", "document_values_long", "document_value_missing", "document_text_long",
// "document_signer_missing".
func (t *Template) Fill(values map[string]string, signer Signer, number Number) (Paper, error) {
	clean, err := t.clean(values)
	if err != nil {
		return Paper{}, err
	}
	signer = Signer{Authority: Clean(signer.Authority, false), Position: Clean(signer.Position, true), Name: Clean(signer.Name, true), Account: signer.Account}
	for _, text := range []string{signer.Authority, signer.Position, signer.Name} {
		if utf8.RuneCountInString(text) > 300 {
			return Paper{}, fault.New(fault.Invalid, "document_value_long", "field", language.Vietnamese.Text("document.field.signer"), "limit", 300)
		}
	}
	draft := number.N == 0
	if !draft && (signer.Name == "" || signer.Position == "") {
		return Paper{}, fault.New(fault.Invalid, "document_signer_missing")
	}
	for _, name := range t.Required {
		if clean[name] != "" || t.known(name).Given {
			continue
		}
		if !draft {
			return Paper{}, fault.New(fault.Invalid, "document_value_missing", "field", t.known(name).Words(language.Vietnamese))
		}
		clean[name] = strings.Repeat("…", 12)
	}
	clean["authority"], clean["position"], clean["signer"] = signer.Authority, signer.Position, signer.Name
	clean["day"], clean["month"], clean["year"] = dateParts(number.Day)
	f := &filler{values: clean, left: 4 * MaxText}
	symbol := Clean(f.fill(t.symbol), true)
	clean["number"] = "/" + symbol
	if !draft {
		clean["number"] = strconv.Itoa(number.N) + clean["number"]
	}
	p := t.paper(f)
	p.Symbol, p.Number, p.Draft, p.Signer = symbol, clean["number"], draft, signer
	if err := p.checkHead(); err != nil {
		return Paper{}, err
	}
	if f.left < 0 || p.length() > MaxText {
		return Paper{}, fault.New(fault.Invalid, "document_text_long", "limit", MaxText)
	}
	return p, nil
}

// dateParts are a day's parts as papers write them: one digit gets a zero before it, in months only January and February.
// A draft has none yet.
func dateParts(day localday.Day) (d, m, y string) {
	at, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return "…", "…", "…"
	}
	m = strconv.Itoa(int(at.Month()))
	if at.Month() < 3 {
		m = "0" + m
	}
	return at.Format("02"), m, at.Format("2006")
}

func (t *Template) known(name string) Field {
	for _, list := range [][]Field{Fields(), t.Own} {
		for _, f := range list {
			if f.Name == name {
				return f
			}
		}
	}
	return Field{Name: name}
}

func (t *Template) clean(values map[string]string) (map[string]string, error) {
	clean, total := make(map[string]string, len(values)), 0
	for name, value := range values {
		if t.known(name).Given {
			continue
		}
		value = Clean(value, false)
		n := utf8.RuneCountInString(value)
		if n > MaxValue {
			return nil, fault.New(fault.Invalid, "document_value_long", "field", t.known(name).Words(language.Vietnamese), "limit", MaxValue)
		}
		total += n
		clean[name] = value
	}
	if total > MaxValues {
		return nil, fault.New(fault.Invalid, "document_values_long", "limit", MaxValues)
	}
	return clean, nil
}

// paper fills every text.
func (t *Template) paper(f *filler) Paper {
	values := f.values
	lines := func(w words) []string { return split(f.fill(w)) }
	all := func(list []words) (out []string) {
		for _, w := range list {
			out = append(out, lines(w)...)
		}
		return out
	}
	p := Paper{
		Size: t.size, Font: t.font, margins: t.margins,
		Parent: lines(t.parent), Issuer: lines(t.issuer), Subject: lines(t.subject),
		Heading: lines(t.title), About: lines(t.about), To: all(t.to), Copies: all(t.copies),
		Place: strings.Join(lines(t.place), " "),
	}
	l := language.Vietnamese
	p.Place = l.Text("document.place_day", "place", p.Place, "day", values["day"], "month", values["month"], "year", values["year"])
	p.Title = strings.TrimSpace(strings.Join(append(append([]string{}, p.Heading...), p.About...), " "))
	if p.Title == "" {
		p.Title = strings.Join(p.Subject, " ")
	}
	for _, b := range t.body {
		if b.when != "" && values[b.when] == "" || b.unless != "" && values[b.unless] != "" {
			continue
		}
		filled := Block{Style: b.style}
		if b.table == nil {
			if filled.Lines = lines(b.text); len(filled.Lines) == 0 {
				continue
			}
		} else {
			filled.Table = b.table.fill(lines)
		}
		p.Blocks = append(p.Blocks, filled)
	}
	return p
}

func (t *table) fill(lines func(words) []string) *Table {
	filled := &Table{}
	sum := 0.0
	for _, w := range t.widths {
		sum += w
	}
	for _, w := range t.widths {
		filled.Widths = append(filled.Widths, w/sum)
	}
	cells := func(row []words) (out [][]string) {
		for _, w := range row {
			out = append(out, lines(w))
		}
		return out
	}
	filled.Header = cells(t.header)
	for _, row := range t.rows {
		filled.Rows = append(filled.Rows, cells(row))
	}
	return filled
}

// split makes a text lines without empty ones.
func split(text string) (lines []string) {
	for line := range strings.SplitSeq(Clean(text, false), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func (p Paper) length() int {
	n := 0
	add := func(lists ...[]string) {
		for _, list := range lists {
			for _, line := range list {
				n += utf8.RuneCountInString(line)
			}
		}
	}
	add(p.Parent, p.Issuer, p.Subject, p.Heading, p.About, p.To, p.Copies)
	for _, b := range p.Blocks {
		add(b.Lines)
		if b.Table != nil {
			add(b.Table.Header...)
			for _, row := range b.Table.Rows {
				add(row...)
			}
		}
	}
	return n
}

const maxHead = 1500 // characters of what stands above the text

// checkHead keeps what is drawn as one part short enough for a page.
func (p Paper) checkHead() error {
	n := utf8.RuneCountInString(p.Place)
	for _, list := range [][]string{p.Parent, p.Issuer, p.Subject, p.Heading, p.About} {
		for _, line := range list {
			n += utf8.RuneCountInString(line) + 20 // a line takes room even where it is short
		}
	}
	if n > maxHead {
		return fault.New(fault.Invalid, "document_head_long", "limit", maxHead)
	}
	return nil
}

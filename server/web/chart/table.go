package chart

import (
	"html/template"

	"github.com/hailong-vn/hailong/internal/language"
)

// Table is the figures behind a drawing, already in words and numbers of the reader's language. The first column
// names the row. Figures begins at the column where numbers begin; those columns are set to the right.
type Table struct {
	Caption string
	Head    []string
	Rows    [][]string
	Figures int
}

// HTML writes the table with the scope of its headings, so that a screen reader can say what a figure belongs to.
func (t Table) HTML() template.HTML {
	class := func(column int) []any {
		if t.Figures > 0 && column >= t.Figures {
			return []any{"class", "number"}
		}
		return nil
	}
	var c canvas
	c.open("table", "class", "chart-table")
	c.leaf("caption", full(t.Caption))
	c.open("thead")
	c.open("tr")
	for i, head := range t.Head {
		c.leaf("th", full(head), append([]any{"scope", "col"}, class(i)...)...)
	}
	c.close("tr")
	c.close("thead")
	c.open("tbody")
	for _, row := range t.Rows {
		c.open("tr")
		for i, cell := range row {
			if i == 0 {
				c.leaf("th", full(cell), "scope", "row")
				continue
			}
			c.leaf("td", full(cell), class(i)...)
		}
		c.close("tr")
	}
	c.close("tbody")
	c.close("table")
	return c.html()
}

// figureHead heads the columns that figureCells fills.
func figureHead(l language.Language, first string) []string {
	return []string{first, l.Text("chart.head_share"), l.Text("chart.head_low"), l.Text("chart.head_high"), l.Text("chart.head_n")}
}

// figureCells is a row of a figure; what is not shown is said in the first cell and the others stay empty.
func figureCells(l language.Language, name string, f Figure) []string {
	if text, ok := unshown(l, f); ok {
		return []string{name, text, "", "", ""}
	}
	f = f.tidy()
	return []string{name, percent(l, f.Value), percent(l, f.Low), percent(l, f.High), count(l, f.N)}
}

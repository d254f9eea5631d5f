package document

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
)

// Draw writes a paper in a format. The same paper with the same time gives the same bytes. Invalid "document_format_unknown",
// "document_pages" where it is longer than MaxPages; a context's end.
func (p Paper) Draw(ctx context.Context, format Format, made time.Time) ([]byte, error) {
	if err := CheckFormat(format); err != nil {
		return nil, err
	}
	if format == DOCX {
		return p.docx(made)
	}
	return p.pdf(ctx, made)
}

func (p Paper) pdf(ctx context.Context, made time.Time) ([]byte, error) {
	pen := newPen()
	l := layoutOf(pen, p)
	if err := l.print(ctx); err != nil {
		return nil, err
	}
	pen.pdf.SetTitle(printable(p.Title), true)
	pen.pdf.SetAuthor(printable(strings.Join(p.Issuer, " ")), true)
	pen.pdf.SetCreator("Hailong", true)
	pen.pdf.SetLang(string(language.Vietnamese))
	pen.pdf.SetCreationDate(made.UTC())
	pen.pdf.SetModificationDate(made.UTC())
	pen.pdf.SetCatalogSort(true)
	var out bytes.Buffer
	if err := pen.pdf.Output(&out); err != nil {
		return nil, fault.New(fault.Internal, "internal").Because(err)
	}
	return out.Bytes(), nil
}

// print puts the rows on pages.
func (l *layout) print(ctx context.Context) error {
	bottom := pageHeight - l.paper.margins.bottom
	full := bottom - l.paper.margins.top
	page, y := 0, bottom
	next := func() error {
		if page++; page > MaxPages {
			return fault.New(fault.Invalid, "document_pages", "limit", MaxPages)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		l.page(page)
		y = l.paper.margins.top
		return nil
	}
	for i, r := range l.rows {
		need := r.height
		for j := i; j+1 < len(l.rows) && l.rows[j].keep && need <= full; j++ {
			need += l.rows[j+1].height
		}
		if need > full {
			need = r.height
		}
		within := i > 0 && r.grid != nil && l.rows[i-1].grid == r.grid
		if y+need > bottom+1e-6 && (page == 0 || y > l.paper.margins.top) {
			if within {
				l.rule(r.grid.left, y, r.grid.right, y, thin)
			}
			if err := next(); err != nil {
				return err
			}
			if within {
				y = l.again(r.grid, y)
			}
		}
		r.paint(y)
		y += r.height
	}
	return nil
}

// again draws a table's header on a new page, and answers where the table goes on.
func (l *layout) again(g *grid, y float64) float64 {
	if len(g.header) <= 4 { // a higher one would leave no room for the table
		for _, r := range g.header {
			r.paint(y)
			y += r.height
		}
	}
	l.rule(g.left, y, g.right, y, thin)
	return y
}

// page begins a page: the number above from the second on, and the mark of a draft.
func (l *layout) page(n int) {
	l.pdf.AddPage()
	if l.paper.Draft {
		const size = 60
		mark := language.Vietnamese.Text("document.draft")
		wide := l.pen.width(mark, bold, size)
		l.pdf.TransformBegin()
		l.pdf.TransformRotate(50, pageWidth/2, pageHeight/2)
		l.pdf.SetTextColor(0xE4, 0xE4, 0xE4)
		l.text((pageWidth-wide)/2, (pageHeight-lineHeight(size))/2, mark, bold, size)
		l.pdf.TransformEnd()
		l.pdf.SetTextColor(0, 0, 0)
	}
	if n > 1 {
		number, size := strconv.Itoa(n), l.paper.Size-1
		l.text((pageWidth-l.pen.width(number, regular, size))/2, l.paper.margins.top/2-2, number, regular, size)
	}
}

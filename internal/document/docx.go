package document

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
)

// The least of Office Open XML (ECMA-376) that a word processor needs. Lengths are twentieths of a point, sizes half points.

const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

const wordNames = ` xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`

func (p Paper) docx(made time.Time) ([]byte, error) {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, part := range []struct{ name, content string }{
		{"[Content_Types].xml", contentTypes},
		{"_rels/.rels", packageRelations},
		{"docProps/core.xml", p.core(made)},
		{"word/_rels/document.xml.rels", documentRelations},
		{"word/styles.xml", p.styles()},
		{"word/header1.xml", p.header(true)},
		{"word/header2.xml", p.header(false)},
		{"word/document.xml", p.document()},
	} {
		w, err := archive.CreateHeader(&zip.FileHeader{Name: part.name, Method: zip.Deflate, Modified: made.UTC()})
		if err == nil {
			_, err = w.Write([]byte(xmlHead + part.content))
		}
		if err != nil {
			return nil, fault.New(fault.Internal, "internal").Because(err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, fault.New(fault.Internal, "internal").Because(err)
	}
	return out.Bytes(), nil
}

const contentTypes = `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
	`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
	`<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>` +
	`<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/>` +
	`<Override PartName="/word/header1.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml"/>` +
	`<Override PartName="/word/header2.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml"/>` +
	`<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>`

const packageRelations = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
	`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>` +
	`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>`

const documentRelations = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
	`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/>` +
	`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/header" Target="header1.xml"/>` +
	`<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/header" Target="header2.xml"/></Relationships>`

// escaped is text between tags or in an attribute; what XML cannot hold becomes U+FFFD.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}

func (p Paper) core(made time.Time) string {
	at := made.UTC().Format(time.RFC3339)
	return `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"` +
		` xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>` + escaped(p.Title) + `</dc:title><dc:creator>` +
		escaped(strings.Join(p.Issuer, " ")) + `</dc:creator><dc:language>vi-VN</dc:language><dcterms:created xsi:type="dcterms:W3CDTF">` + at +
		`</dcterms:created><dcterms:modified xsi:type="dcterms:W3CDTF">` + at + `</dcterms:modified></cp:coreProperties>`
}

func (p Paper) styles() string {
	font := escaped(p.Font)
	return `<w:styles` + wordNames + `><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="` + font + `" w:hAnsi="` + font + `" w:cs="` + font + `" w:eastAsia="` + font + `"/>` +
		`<w:sz w:val="` + halfPoints(p.Size) + `"/><w:szCs w:val="` + halfPoints(p.Size) + `"/><w:lang w:val="vi-VN"/></w:rPr></w:rPrDefault>` +
		`<w:pPrDefault><w:pPr><w:spacing w:before="0" w:after="0" w:line="264" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>` +
		`<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>` +
		`<w:style w:type="paragraph" w:styleId="Body"><w:name w:val="Body Text"/><w:basedOn w:val="Normal"/><w:pPr><w:spacing w:after="120"/><w:ind w:firstLine="567"/><w:jc w:val="both"/></w:pPr></w:style>` +
		`<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:basedOn w:val="Normal"/><w:next w:val="Body"/><w:pPr><w:keepNext/><w:spacing w:after="120"/><w:ind w:firstLine="567"/><w:outlineLvl w:val="0"/></w:pPr><w:rPr><w:b/></w:rPr></w:style>` +
		`<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:basedOn w:val="Normal"/><w:pPr><w:keepNext/><w:jc w:val="center"/></w:pPr><w:rPr><w:b/></w:rPr></w:style>` +
		`<w:style w:type="paragraph" w:styleId="Center"><w:name w:val="Center"/><w:basedOn w:val="Normal"/><w:pPr><w:jc w:val="center"/></w:pPr></w:style></w:styles>`
}

func halfPoints(size float64) string { return fmt.Sprint(int(math.Round(size * 2))) }

// twips are twentieths of a point.
func twips(mm float64) int { return int(math.Round(mm / millimetres * 20)) }

// header is what stands above the text: of the first page nothing, of the others their number; on every page the mark of a draft.
func (p Paper) header(first bool) string {
	d := &docx{}
	if p.Draft {
		d.paragraph("Center", `<w:b/><w:color w:val="A0A0A0"/><w:sz w:val="40"/>`, language.Vietnamese.Text("document.draft"))
	}
	if !first {
		d.b.WriteString(`<w:p><w:pPr><w:pStyle w:val="Center"/></w:pPr><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>`)
	} else if !p.Draft {
		d.paragraph("", "")
	}
	return `<w:hdr` + wordNames + `>` + d.b.String() + `</w:hdr>`
}

// docx writes the body.
type docx struct{ b strings.Builder }

// paragraph writes lines with one style; a line break between two. run is what is set of the letters.
func (d *docx) paragraph(style, run string, lines ...string) {
	d.b.WriteString(`<w:p>`)
	if style != "" {
		d.b.WriteString(`<w:pPr><w:pStyle w:val="` + style + `"/></w:pPr>`)
	}
	d.runs(run, lines...)
	d.b.WriteString(`</w:p>`)
}

func (d *docx) runs(run string, lines ...string) {
	for i, line := range lines {
		d.b.WriteString(`<w:r>`)
		if run != "" {
			d.b.WriteString(`<w:rPr>` + run + `</w:rPr>`)
		}
		if i > 0 {
			d.b.WriteString(`<w:br/>`)
		}
		d.b.WriteString(`<w:t xml:space="preserve">` + escaped(line) + `</w:t></w:r>`)
	}
}

// each writes a paragraph a line.
func (d *docx) each(style, run string, lines []string) {
	for _, line := range lines {
		d.paragraph(style, run, line)
	}
}

// rule is a short line drawn as the upper border of an empty paragraph of so many twips on either side.
func (d *docx) rule(inset int) {
	fmt.Fprintf(&d.b, `<w:p><w:pPr><w:pBdr><w:top w:val="single" w:sz="4" w:space="1" w:color="auto"/></w:pBdr><w:spacing w:line="120" w:lineRule="exact"/><w:ind w:left="%d" w:right="%d"/></w:pPr></w:p>`, inset, inset)
}

// columns writes a table without borders: parts side by side.
func (d *docx) columns(widths []int, cells ...func()) {
	d.begin(widths, "none")
	d.b.WriteString(`<w:tr><w:trPr><w:cantSplit/></w:trPr>`)
	for i, cell := range cells {
		d.cell(widths[i], cell)
	}
	d.b.WriteString(`</w:tr></w:tbl>`)
}

func (d *docx) begin(widths []int, border string) {
	total := 0
	for _, w := range widths {
		total += w
	}
	fmt.Fprintf(&d.b, `<w:tbl><w:tblPr><w:tblW w:w="%d" w:type="dxa"/><w:tblBorders>`, total)
	for _, side := range []string{"top", "left", "bottom", "right", "insideH", "insideV"} {
		fmt.Fprintf(&d.b, `<w:%s w:val="%s" w:sz="4" w:space="0" w:color="auto"/>`, side, border)
	}
	d.b.WriteString(`</w:tblBorders><w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>`)
	for _, w := range widths {
		fmt.Fprintf(&d.b, `<w:gridCol w:w="%d"/>`, w)
	}
	d.b.WriteString(`</w:tblGrid>`)
}

func (d *docx) cell(width int, fill func()) {
	fmt.Fprintf(&d.b, `<w:tc><w:tcPr><w:tcW w:w="%d" w:type="dxa"/></w:tcPr>`, width)
	before := d.b.Len()
	fill()
	if d.b.Len() == before {
		d.b.WriteString(`<w:p/>`) // a cell without a paragraph is no cell
	}
	d.b.WriteString(`</w:tc>`)
}

func (p Paper) document() string {
	d, width := &docx{}, twips(pageWidth-p.margins.left-p.margins.right)
	p.docxHead(d, width)
	d.paragraph("", "")
	d.each("Title", "", p.Heading)
	d.each("Title", "", p.About)
	if len(p.Heading)+len(p.About) > 0 {
		d.rule(width * 38 / 100)
	}
	to := language.Vietnamese.Text("document.to")
	if len(p.To) == 1 {
		d.paragraph("Center", "", to+" "+p.To[0])
	} else if len(p.To) > 1 {
		d.paragraph("Body", "", to)
		for _, line := range p.To {
			d.paragraph("Body", "", "- "+line)
		}
	}
	d.paragraph("", "")
	for _, b := range p.Blocks {
		switch {
		case b.Table != nil:
			d.table(*b.Table, width, p.Size)
		case b.Style == headingStyle:
			d.each("Heading1", "", b.Lines)
		case b.Style == centerStyle:
			d.each("Center", "", b.Lines)
		default:
			d.each("Body", "", b.Lines)
		}
	}
	p.docxEnd(d, width)
	section := fmt.Sprintf(`<w:sectPr><w:headerReference w:type="first" r:id="rId2"/><w:headerReference w:type="default" r:id="rId3"/><w:pgSz w:w="%d" w:h="%d"/>`+
		`<w:pgMar w:top="%d" w:right="%d" w:bottom="%d" w:left="%d" w:header="567" w:footer="567" w:gutter="0"/><w:titlePg/></w:sectPr>`,
		twips(pageWidth), twips(pageHeight), twips(p.margins.top), twips(p.margins.right), twips(p.margins.bottom), twips(p.margins.left))
	return `<w:document` + wordNames + `><w:body>` + d.b.String() + section + `</w:body></w:document>`
}

func (p Paper) docxHead(d *docx, width int) {
	l, left := language.Vietnamese, width*43/100
	small := func(of string, less float64) string { return of + `<w:sz w:val="` + halfPoints(p.Size-less) + `"/>` }
	number := p.Number
	if p.Draft {
		number = "       " + number
	}
	d.columns([]int{left, width - left}, func() {
		d.each("Center", small("", 1), p.Parent)
		d.each("Center", small("<w:b/>", 1), p.Issuer)
		d.rule(left * 30 / 100)
		d.paragraph("Center", small("", 1), l.Text("document.number_line", "number", number))
		d.each("Center", small("", 2), p.Subject)
	}, func() {
		d.paragraph("Center", small("<w:b/>", 1), l.Text("document.nation"))
		d.paragraph("Center", small("<w:b/>", 0), l.Text("document.motto"))
		d.rule((width - left) * 20 / 100)
		d.paragraph("Center", small("<w:i/>", 1), p.Place)
	})
}

func (p Paper) docxEnd(d *docx, width int) {
	d.paragraph("", "")
	d.columns([]int{width / 2, width / 2}, func() {
		if len(p.Copies) == 0 {
			return
		}
		d.paragraph("", `<w:b/><w:i/><w:sz w:val="`+halfPoints(p.Size-2)+`"/>`, language.Vietnamese.Text("document.copies"))
		for _, line := range p.Copies {
			d.paragraph("", `<w:sz w:val="`+halfPoints(p.Size-3)+`"/>`, "- "+line)
		}
	}, func() {
		for _, line := range append(split(p.Signer.Authority), split(p.Signer.Position)...) {
			d.paragraph("Center", "<w:b/>", line)
		}
		for range 4 {
			d.paragraph("Center", "")
		}
		d.paragraph("Center", "<w:b/>", p.Signer.Name)
	})
	d.paragraph("", "")
}

func (d *docx) table(t Table, width int, size float64) {
	widths := make([]int, len(t.Widths))
	for i, share := range t.Widths {
		widths[i] = int(math.Round(share * float64(width)))
	}
	run := `<w:sz w:val="` + halfPoints(size-1) + `"/>`
	d.begin(widths, "single")
	row := func(cells [][]string, head, run string) {
		d.b.WriteString(`<w:tr>` + head)
		for i, lines := range cells {
			d.cell(widths[i], func() { d.each("", run, lines) })
		}
		d.b.WriteString(`</w:tr>`)
	}
	if len(t.Header) > 0 {
		row(t.Header, `<w:trPr><w:tblHeader/></w:trPr>`, "<w:b/>"+run)
	}
	for _, cells := range t.Rows {
		row(cells, "", run)
	}
	d.b.WriteString(`</w:tbl>`)
	d.paragraph("", "")
}

package register

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Cover is what stands above and below the rows of a register on paper.
type Cover struct {
	Unit  string // name
	Year  int
	AsOf  string // local day; "" = as it stands, or as sealed
	Seal  *pb.RegisterSeal
	Made  time.Time
	Words language.Language
}

// Title is the register's heading.
func (c Cover) Title() string { return c.Words.Text("register.title", "year", strconv.Itoa(c.Year)) }

// State says as of when the rows are, and under which seal.
func (c Cover) State() string {
	switch {
	case c.AsOf != "":
		return c.Words.Text("register.as_of", "day", Day(c.AsOf))
	case c.Seal != nil:
		return c.Words.Text("register.sealed", "day", Day(c.Seal.GetAsOf()), "by", c.Seal.GetSealedBy(), "n", strconv.Itoa(int(c.Seal.GetRows())), "head", c.Seal.GetHead())
	}
	return c.Words.Text("register.open", "day", c.Made.In(saigon).Format("02/01/2006 15:04"))
}

var saigon = time.FixedZone("Asia/Ho_Chi_Minh", 7*60*60)

// Day writes a local day yyyy-mm-dd as dd/MM/yyyy.
func Day(day string) string {
	parsed, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return parsed.Format("02/01/2006")
}

// Cells are a row's texts in the order of casework.Columns.
func Cells(in language.Language, row *pb.RegisterRow) []string {
	if row.GetCaseId() == "" {
		return []string{strconv.Itoa(int(row.GetNumber())), "", "", "", in.Text("register.gap"), "", "", "", "", "", "", ""}
	}
	ticks := map[casework.Handling]string{}
	ticks[casework.Handling(row.GetHandling())] = "x"
	if row.GetHandling() == string(casework.HandledOn) {
		ticks[casework.HandledOn] = strings.Join(slices.DeleteFunc([]string{row.GetPassedTo(), row.GetPassedBy()}, func(s string) bool { return s == "" }), ", ")
	}
	if row.GetHandling() == string(casework.HandledBack) && row.GetPassedTo() != "" {
		ticks[casework.HandledBack] = row.GetPassedTo()
	}
	return []string{
		strconv.Itoa(int(row.GetNumber())), Day(row.GetReceivedOn()), person(in, row), "", row.GetContent(), kind(in, row), row.GetSettledBy(),
		ticks[casework.HandledHere], ticks[casework.HandledBack], ticks[casework.HandledOn], ResultWords(in, row.GetResult()), note(in, row),
	}
}

func person(in language.Language, row *pb.RegisterRow) string {
	if p := row.GetPerson(); p != nil {
		var parts []string
		for _, part := range []string{p.GetName(), p.GetAddress(), p.GetPhone(), p.GetEmail()} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		if len(parts) > 0 {
			return strings.Join(parts, ", ")
		}
	}
	switch {
	case row.GetHasPerson():
		return in.Text("register.person_kept")
	case row.GetPeople() == 0:
		return ""
	}
	return in.Text("register.person_none")
}

func kind(in language.Language, row *pb.RegisterRow) string {
	words := in.Text("register.kind.opinion")
	switch {
	case row.GetPeople() == 0:
		return in.Text("register.kind.collective")
	case row.GetKind() != Opinion:
		words = in.Text("casework.route." + row.GetKind())
	}
	return words + " / " + in.Text("register.people", "n", in.Number(float64(row.GetPeople()), 0))
}

// ResultWords says what came of a case.
func ResultWords(in language.Language, result *pb.RegisterResult) string {
	if result.GetState() == "" {
		return ""
	}
	words := in.Text("casework.state." + result.GetState())
	if result.GetOn() != "" {
		words = in.Text("register.result_on", "state", words, "day", Day(result.GetOn()))
	} else if (casework.Case{State: casework.State(result.GetState())}).ResultMissing() {
		words = in.Text("register.result_missing", "state", words)
	}
	if finding := result.GetFinding(); finding != "" {
		words += " " + in.Text("casework.finding."+finding) + "."
	}
	if text := result.GetText(); text != "" {
		words += " " + text
	}
	return words
}

func note(in language.Language, row *pb.RegisterRow) string {
	notes := []string{in.Text("casework.source." + row.GetSource())}
	if row.GetReturns() > 0 {
		notes = append(notes, in.Text("register.returns", "n", strconv.Itoa(int(row.GetReturns()))))
	}
	if row.GetReopened() {
		notes = append(notes, in.Text("register.reopened"))
	}
	if row.GetMergedInto() != "" {
		notes = append(notes, in.Text("register.merged", "number", row.GetMergedInto()))
	}
	if row.GetAfterSeal() {
		notes = append(notes, in.Text("register.after_seal"))
	}
	if later := row.GetLater(); later != nil {
		notes = append(notes, in.Text("register.later", "result", ResultWords(in, later)))
	}
	return strings.Join(notes, ". ")
}

// headings are the names of the columns, and those that stand over several.
func headings(in language.Language) (names, above []string) {
	for _, column := range casework.Columns() {
		names = append(names, in.Text("casework.register."+column.Key))
		over := ""
		if column.Under != "" {
			over = in.Text("casework.register." + column.Under)
		}
		above = append(above, over)
	}
	return names, above
}

// MaxFileRows is how many rows a file may hold; a spreadsheet opens no more than 1,048,576.
const MaxFileRows = 1_000_000

// WriteCSV writes a register as a table of text, in UTF-8 with the mark that spreadsheets know it by. Text that begins like a formula is
// guarded, because a spreadsheet runs whatever it reads from such a file.
func WriteCSV(to io.Writer, cover Cover, rows iter.Seq2[*pb.RegisterRow, error]) error {
	if _, err := io.WriteString(to, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(to)
	names, above := headings(cover.Words)
	for i, over := range above {
		if over != "" {
			names[i] = over + ": " + names[i]
		}
	}
	for _, line := range [][]string{{cover.Unit}, {cover.Title()}, {cover.State()}, names} {
		if err := out.Write(guarded(line)); err != nil {
			return err
		}
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		if err := out.Write(guarded(Cells(cover.Words, row))); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func guarded(cells []string) []string {
	for i, text := range cells {
		if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
			cells[i] = "'" + text
		}
	}
	return cells
}

// WriteXLSX writes a register as a workbook of one sheet, ready for A4 on its side: headings on every page, room to sign. Every cell is
// text, so none is ever run as a formula.
func WriteXLSX(to io.Writer, cover Cover, rows iter.Seq2[*pb.RegisterRow, error]) (err error) {
	file := excelize.NewFile()
	defer func() {
		if closing := file.Close(); err == nil {
			err = closing
		}
	}()
	sheet := strconv.Itoa(cover.Year)
	if err := file.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	styles, err := newStyles(file)
	if err != nil {
		return err
	}
	if err := pageSetup(file, sheet); err != nil { // before the rows, which are written as they come
		return err
	}
	s, err := file.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	w := writer{stream: s, styles: styles, columns: len(casework.Columns())}
	if err := w.head(cover); err != nil {
		return err
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		if err := w.cells(styles.cell, Cells(cover.Words, row)); err != nil {
			return err
		}
	}
	if err := w.foot(cover); err != nil {
		return err
	}
	if err := s.Flush(); err != nil {
		return err
	}
	_, err = file.WriteTo(to)
	return err
}

type styles struct{ plain, title, heading, cell, signature int }

func newStyles(file *excelize.File) (styles, error) {
	font := func(size float64, bold bool) *excelize.Font {
		return &excelize.Font{Family: "Times New Roman", Size: size, Bold: bold}
	}
	var border []excelize.Border
	for _, side := range []string{"left", "right", "top", "bottom"} {
		border = append(border, excelize.Border{Type: side, Color: "000000", Style: 1})
	}
	var all styles
	var first error
	for into, style := range map[*int]*excelize.Style{
		&all.plain:     {Font: font(11, false), NumFmt: 49},
		&all.title:     {Font: font(14, true), NumFmt: 49, Alignment: &excelize.Alignment{Horizontal: "center"}},
		&all.heading:   {Font: font(10, true), NumFmt: 49, Border: border, Alignment: &excelize.Alignment{Horizontal: "center", Vertical: "center", WrapText: true}},
		&all.cell:      {Font: font(10, false), NumFmt: 49, Border: border, Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}},
		&all.signature: {Font: font(11, true), NumFmt: 49, Alignment: &excelize.Alignment{Horizontal: "center"}},
	} {
		id, err := file.NewStyle(style)
		first, *into = cmp.Or(first, err), id
	}
	return all, first
}

// The rows above those of the register.
const (
	titleRows = 4 // unit, title, state, form
	headRows  = 2
)

type writer struct {
	stream  *excelize.StreamWriter
	styles  styles
	columns int
	row     int
}

// widths of the columns, in characters; together they fit A4 on its side.
func widths() []float64 { return []float64{6, 11, 20, 12, 34, 16, 18, 7, 9, 16, 30, 20} }

func (w *writer) head(cover Cover) error {
	for i, width := range widths() {
		if err := w.stream.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	for _, line := range []struct {
		style int
		text  string
	}{
		{w.styles.plain, cover.Unit}, {w.styles.title, cover.Title()}, {w.styles.plain, cover.State()}, {w.styles.plain, cover.Words.Text("casework.register.form")},
	} {
		if err := w.cells(line.style, []string{line.text}); err != nil {
			return err
		}
		if err := w.merge(1, w.row, w.columns, w.row); err != nil {
			return err
		}
	}
	names, above := headings(cover.Words)
	upper := slices.Clone(above)
	for i, over := range above {
		if over == "" {
			upper[i] = names[i]
		}
	}
	if err := w.cells(w.styles.heading, upper); err != nil {
		return err
	}
	if err := w.cells(w.styles.heading, names); err != nil {
		return err
	}
	for i := 0; i < len(above); i++ {
		if above[i] == "" {
			if err := w.merge(i+1, w.row-1, i+1, w.row); err != nil {
				return err
			}
			continue
		}
		last := i
		for last+1 < len(above) && above[last+1] == above[i] {
			last++
		}
		if err := w.merge(i+1, w.row-1, last+1, w.row-1); err != nil {
			return err
		}
		i = last
	}
	return nil
}

func (w *writer) foot(cover Cover) error {
	w.row++
	keeper, leader := 3, w.columns-1
	signs := make([]string, w.columns)
	signs[keeper-1], signs[leader-1] = cover.Words.Text("register.keeper"), cover.Words.Text("register.leader")
	if err := w.cells(w.styles.signature, signs); err != nil {
		return err
	}
	signs[keeper-1], signs[leader-1] = cover.Words.Text("register.sign"), cover.Words.Text("register.sign_seal")
	return w.cells(w.styles.plain, signs)
}

func (w *writer) cells(style int, texts []string) error {
	w.row++
	values := make([]any, len(texts))
	for i, text := range texts {
		values[i] = excelize.Cell{StyleID: style, Value: text}
	}
	at, err := excelize.CoordinatesToCellName(1, w.row)
	if err != nil {
		return err
	}
	return w.stream.SetRow(at, values)
}

func (w *writer) merge(fromColumn, fromRow, toColumn, toRow int) error {
	from, err := excelize.CoordinatesToCellName(fromColumn, fromRow)
	if err != nil {
		return err
	}
	to, err := excelize.CoordinatesToCellName(toColumn, toRow)
	if err != nil {
		return err
	}
	return w.stream.MergeCell(from, to)
}

// pageSetup lays the sheet out on A4 on its side, the headings on every page.
func pageSetup(file *excelize.File, sheet string) error {
	a4, landscape, wide, high := 9, "landscape", 1, 0
	if err := file.SetPageLayout(sheet, &excelize.PageLayoutOptions{Size: &a4, Orientation: &landscape, FitToWidth: &wide, FitToHeight: &high}); err != nil {
		return err
	}
	fit := true
	if err := file.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &fit}); err != nil {
		return err
	}
	if err := file.SetHeaderFooter(sheet, &excelize.HeaderFooterOptions{OddFooter: "&C&P/&N"}); err != nil {
		return err
	}
	return file.SetDefinedName(&excelize.DefinedName{
		Name: "_xlnm.Print_Titles", Scope: sheet, RefersTo: fmt.Sprintf("'%s'!$%d:$%d", sheet, titleRows+1, titleRows+headRows),
	})
}

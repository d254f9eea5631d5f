// Package poster makes what an office prints so that people can rate it from their own telephone: QR codes, an A4
// poster, an A6 card for the counter, and an A4 sheet of four such cards. Everything is drawn as vectors, the fonts are
// embedded, the text can be copied out, and the same input with the same date gives the same bytes.
package poster

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"codeberg.org/go-pdf/fpdf"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
)

// Piece is one kind of printed sheet.
type Piece string

// The pieces.
const (
	A4Poster Piece = "a4"       // one poster on A4, 210 x 297 mm
	A6Card   Piece = "a6"       // one counter card on A6, 105 x 148 mm
	A4Cards  Piece = "a4-cards" // four counter cards on A4, with marks where to cut
)

// Pieces lists every piece, in the order a person is offered them.
func Pieces() []Piece { return []Piece{A4Poster, A6Card, A4Cards} }

// Limits of what fits on paper and can still be read and scanned.
const (
	MaxName    = 400 // characters of an office's or a counter's name
	MaxHotline = 60  // characters of the hotline
	MaxPlaces  = 200 // places of one document
	MaxLink    = 200 // bytes of the link: above, the modules of the code on a card become smaller than half a millimetre
)

// Place is what is rated. Names may come in any Unicode form; characters the fonts lack are shown as "?".
type Place struct {
	Office  string // the office's name; required
	Counter string // the counter's name; empty for the whole office
	Link    string // the absolute http or https address behind the code, ASCII
	Typed   string // the address people read and type, where it is another; empty: Link
	Hotline string // a telephone number in words people read ("1022"); empty for none
}

// Options say how the piece is made.
type Options struct {
	Piece  Piece             // empty: A4Poster
	Second language.Language // a second language under the Vietnamese; empty for none
	Made   time.Time         // written into the document as its date; the zero time counts as 1 January 1970
}

// Poster draws one piece and answers a PDF. What cannot be printed is fault.Invalid and says why. A sheet of four
// cards has the same card four times.
func Poster(place Place, options Options) ([]byte, error) {
	if options.Piece == A4Cards {
		return Posters([]Place{place, place, place, place}, options)
	}
	return Posters([]Place{place}, options)
}

// Posters draws a piece for each place, one document for the whole office: a page a place, or four cards a sheet in
// the order given. Up to MaxPlaces; one place that cannot be printed fails the document.
func Posters(places []Place, options Options) ([]byte, error) {
	if options.Piece == "" {
		options.Piece = A4Poster
	}
	if len(places) == 0 || len(places) > MaxPlaces {
		return nil, fault.New(fault.Invalid, "poster_places_count", "max", MaxPlaces)
	}
	contents := make([]content, len(places))
	for i, place := range places {
		if i > 0 && place == places[i-1] {
			contents[i] = contents[i-1]
			continue
		}
		var err error
		if contents[i], err = read(place, options.Second); err != nil {
			return nil, err
		}
	}
	return draw(contents, options)
}

// content is a checked place: every text is printable by the fonts.
type content struct {
	office, counter string
	link, shown     string // the address, and the address as people read it
	hotline         string
	code            Code
	second          language.Language
}

func read(place Place, second language.Language) (content, error) {
	c := content{office: printable(place.Office), counter: printable(place.Counter), hotline: printable(place.Hotline)}
	if second == language.English {
		c.second = second
	}
	if c.office == "" {
		return c, fault.New(fault.Invalid, "poster_office_missing")
	}
	for _, name := range []string{c.office, c.counter} {
		if utf8.RuneCountInString(name) > MaxName {
			return c, fault.New(fault.Invalid, "poster_name_long", "max", MaxName)
		}
	}
	if utf8.RuneCountInString(c.hotline) > MaxHotline {
		return c, fault.New(fault.Invalid, "poster_hotline_long", "max", MaxHotline)
	}
	link, err := checkLink(place.Link)
	if err != nil {
		return c, err
	}
	typed := link
	if place.Typed != "" {
		if typed, err = checkLink(place.Typed); err != nil {
			return c, err
		}
	}
	c.link, c.shown = link, strings.TrimPrefix(typed, "https://")
	c.code, err = QR(link)
	return c, err
}

// checkLink accepts an address that a telephone opens as it stands and that a person can type.
func checkLink(link string) (string, error) {
	if len(link) > MaxLink {
		return "", fault.New(fault.Invalid, "poster_link_long", "max", MaxLink)
	}
	for _, c := range []byte(link) {
		if c <= ' ' || c > '~' {
			return "", fault.New(fault.Invalid, "poster_link_invalid")
		}
	}
	parsed, err := url.Parse(link)
	if err != nil || (parsed.Scheme != "https" && parsed.Scheme != "http") || parsed.Hostname() == "" || parsed.User != nil {
		return "", fault.New(fault.Invalid, "poster_link_invalid").Because(err)
	}
	return link, nil
}

// draw lays out first, then paints: measuring needs no page.
func draw(contents []content, options Options) ([]byte, error) {
	sheets, ok := sheetsOf(options.Piece)
	if !ok {
		return nil, fault.New(fault.Invalid, "poster_piece_unknown")
	}
	pen := newPen(sheets.paper)
	describe(pen.pdf, contents, options.Made)
	cards := make([][]block, len(contents))
	for i, c := range contents {
		cards[i] = arrange(pen, sheets.measures, c)
	}
	for page := range slices.Chunk(cards, len(sheets.corners)) {
		pen.pdf.AddPage()
		for i, card := range page {
			pen.x, pen.y = sheets.corners[i].x, sheets.corners[i].y
			for _, b := range card {
				b.paint(b.top)
			}
		}
		pen.x, pen.y = 0, 0
		if len(sheets.corners) > 1 {
			pen.cutMarks(sheets.paper)
		}
	}
	var out bytes.Buffer
	if err := pen.pdf.Output(&out); err != nil {
		return nil, fault.New(fault.Internal, "internal").Because(err)
	}
	return out.Bytes(), nil
}

// describe writes what a reader of the file sees about it. Dates are given, never taken from the clock.
func describe(pdf *fpdf.Fpdf, contents []content, made time.Time) {
	if made.IsZero() {
		made = time.Unix(0, 0)
	}
	first := contents[0]
	title := language.Vietnamese.Text("poster.invitation") + " – " + first.office
	if alone := !slices.ContainsFunc(contents, func(c content) bool { return c.counter != first.counter }); alone && first.counter != "" {
		title += " – " + first.counter
	}
	pdf.SetTitle(title, true)
	pdf.SetAuthor(first.office, true)
	pdf.SetCreator("Hailong", true)
	pdf.SetLang(string(language.Vietnamese))
	pdf.SetCreationDate(made.UTC())
	pdf.SetModificationDate(made.UTC())
	pdf.SetCatalogSort(true)
}

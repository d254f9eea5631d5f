package documents

import (
	"net/url"
	"strconv"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// shownAtMost is how many papers a page lists.
const shownAtMost = 200

// registerPage is the register of papers of one unit and year.
type registerPage struct {
	unitChoice
	Year      int
	Years     []choice
	Documents []row
	Next      string
}

// firstYear is the earliest one that can be asked for; no paper is older than this product.
const firstYear = 2024

func (p pages) register(v *web.Visit) error {
	chosen, err := chooseUnit(v, v.Account.GetUnitId())
	if err != nil {
		return err
	}
	now := v.Today().Start().Year()
	page := registerPage{unitChoice: chosen, Year: now}
	if asked, err := strconv.Atoi(v.Value("year")); err == nil && asked >= firstYear && asked <= now {
		page.Year = asked
	}
	for year := now; year >= max(firstYear, now-10); year-- {
		page.Years = append(page.Years, choice{strconv.Itoa(year), strconv.Itoa(year), year == page.Year})
	}
	if page.Unit == nil {
		return v.Render(p.Pages, "register", page)
	}
	list, err := v.Documents.ListDocuments(v.Context(), &pb.ListDocumentsRequest{
		UnitId: page.ID(), Year: int32(page.Year), PageSize: shownAtMost, PageToken: v.Value("after"), //nolint:gosec // a year
	})
	if err != nil {
		return err
	}
	page.Documents = rows(list.GetDocuments())
	if next := list.GetNextPageToken(); next != "" {
		page.Next = "/documents?" + url.Values{"unit": {page.ID()}, "year": {strconv.Itoa(page.Year)}, "after": {next}}.Encode()
	}
	return v.Render(p.Pages, "register", page)
}

// unitChoice is the part of a page in which the unit it is about is chosen: by its words, without a script.
type unitChoice struct {
	Unit    *pb.Unit // nil = none is chosen
	Query   string
	Found   []*pb.Unit
	Nothing bool // a search found nothing
	More    bool // and there is more than is shown
}

const foundAtMost = 20

// chooseUnit reads which unit the address names, by "unit", or by words in "q" that one unit alone has; first where it names none.
func chooseUnit(v *web.Visit, first string) (unitChoice, error) {
	c := unitChoice{Query: v.Value("q")}
	if runes := []rune(c.Query); len(runes) > 200 {
		c.Query = string(runes[:200])
	}
	id := v.Value("unit")
	if c.Query != "" {
		found, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{Query: c.Query, PageSize: foundAtMost})
		if err != nil {
			return c, err
		}
		c.Found, c.More = found.GetUnits(), found.GetNextPageToken() != ""
		c.Nothing = len(c.Found) == 0
		if len(c.Found) == 1 {
			id, c.Found, c.Query = c.Found[0].GetId(), nil, ""
		}
	}
	if id == "" {
		id = first
	}
	if id == "" {
		return c, nil
	}
	var err error
	c.Unit, err = v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
	return c, err
}

// ID is the unit's; "" = none.
func (c unitChoice) ID() string { return c.Unit.GetId() }

// Choice is the choice itself, for the part of a page that shows it.
func (c unitChoice) Choice() unitChoice { return c }

package register

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web"
)

// which is the register a page is about.
type which struct {
	Cover   *pb.Register // nil = no unit is chosen
	AsOf    string       // local day; "" = as it stands, or as sealed
	AsTyped string       // the day as somebody typed it
	Query   string       // words of a unit
	Found   []*pb.Unit
	Nothing bool
	More    bool
	Above   []*pb.Unit
	Problem string
}

const (
	foundAtMost = 20
	maxQuery    = 200
)

// choose reads which register the address names: "unit" and "year", or by "q", words that one unit alone has. Without either it is that of
// the account's own unit, or of the top of the tree.
func choose(v *web.Visit) (which, error) {
	w := which{Query: v.Value("q")}
	if runes := []rune(w.Query); len(runes) > maxQuery {
		w.Query = string(runes[:maxQuery])
	}
	id := v.Value("unit")
	if w.Query != "" {
		found, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{Query: w.Query, PageSize: foundAtMost})
		if err != nil {
			return w, err
		}
		w.Found, w.More = found.GetUnits(), found.GetNextPageToken() != ""
		if w.Nothing = len(w.Found) == 0; len(w.Found) == 1 {
			id, w.Found, w.Query = w.Found[0].GetId(), nil, ""
		}
	}
	if id == "" {
		id = v.Account.GetUnitId()
	}
	if id == "" {
		tops, err := v.Directory.ListUnits(v.Context(), &pb.ListUnitsRequest{PageSize: 1})
		if err != nil || len(tops.GetUnits()) == 0 {
			return w, err
		}
		id = tops.GetUnits()[0].GetId()
	}
	year, _ := strconv.Atoi(v.Value("year"))
	if year < 1900 || year > 2999 {
		year = 0 // the current one
	}
	unit, err := v.Directory.GetUnit(v.Context(), &pb.GetUnitRequest{UnitId: id})
	if err != nil {
		return w, err
	}
	if w.Above, err = v.Above(unit); err != nil {
		return w, err
	}
	if w.Cover, err = v.Registers.GetRegister(v.Context(), &pb.GetRegisterRequest{UnitId: id, Year: int32(year)}); err != nil { //nolint:gosec // bounded just here
		return w, err
	}
	if w.AsTyped = v.Value("as_of"); w.AsTyped != "" {
		day, ok := readDay(w.AsTyped)
		if !ok {
			w.Problem = v.Text("fault.register_day", "day", w.AsTyped)
		}
		w.AsOf = day
	}
	return w, nil
}

// readDay reads dd/MM/yyyy, as people write it, or yyyy-mm-dd, as browsers send it.
func readDay(text string) (string, bool) {
	if len(text) == 10 && text[2] == '/' && text[5] == '/' {
		text = text[6:] + "-" + text[3:5] + "-" + text[:2]
	}
	day, err := localday.Parse(text)
	return string(day), err == nil
}

// Link is an address of a page of this register with more values.
func (w which) Link(path string, pairs ...string) string {
	values := url.Values{}
	if w.Cover != nil {
		values.Set("unit", w.Cover.GetUnitId())
		values.Set("year", strconv.Itoa(int(w.Cover.GetYear())))
	}
	if w.AsOf != "" {
		values.Set("as_of", w.AsOf)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return path + "?" + values.Encode()
}

// Years are those one can go to.
func (w which) Years() []int32 {
	years := w.Cover.GetYears()
	if !slices.Contains(years, w.Cover.GetYear()) {
		years = append([]int32{w.Cover.GetYear()}, years...)
	}
	return years
}

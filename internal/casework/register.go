package casework

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/hailong-vn/hailong/internal/fault"
)

// Number is a case's place in the register (sổ tiếp nhận): without gaps by receiving unit and year, never used again.
type Number struct {
	Unit string `bson:"unit"` // id of the receiving unit
	Year int    `bson:"year"` // of the local day on which it was received
	N    int    `bson:"n"`    // from 1
}

func (n Number) valid() bool {
	return isID(n.Unit) && !strings.Contains(n.Unit, "/") && n.Year >= 1900 && n.Year <= 2999 && n.N >= 1
}

// String is unit/year/n, the number's identity.
func (n Number) String() string { return n.Unit + "/" + strconv.Itoa(n.Year) + "/" + strconv.Itoa(n.N) }

// Shown is the number as people read it, with the unit's official code or short name in the place of its id: "12/2026/PA-BĐ".
func (n Number) Shown(unit string) string {
	return strconv.Itoa(n.N) + "/" + strconv.Itoa(n.Year) + "/" + unit
}

// Next is the number after this one.
func (n Number) Next() Number { n.N++; return n }

// Compare orders by unit, year and number.
func (n Number) Compare(other Number) int {
	return cmp.Or(cmp.Compare(n.Unit, other.Unit), cmp.Compare(n.Year, other.Year), cmp.Compare(n.N, other.N))
}

// ParseNumber reads what String writes. Invalid "casework_number".
func ParseNumber(text string) (Number, error) {
	parts := strings.Split(text, "/")
	if len(parts) == 3 {
		year, err1 := strconv.Atoi(parts[1])
		last, err2 := strconv.Atoi(parts[2])
		if n := (Number{Unit: parts[0], Year: year, N: last}); err1 == nil && err2 == nil && n.valid() && n.String() == text {
			return n, nil
		}
	}
	return Number{}, fault.New(fault.Invalid, "casework_number")
}

// Column is one of the register's. Names are in the catalogue as "casework.register.<key>".
type Column struct {
	Key   string
	Under string // key of the heading it stands under with others; "" = none
}

// Columns are those of the nearest official form, the book for receiving citizens (Sổ tiếp công dân, Mẫu 03 of Thông tư
// 04/2021/TT-TTCP). There is no official form for opinions, so the office may print others.
func Columns() []Column {
	const handling = "handling"
	return []Column{
		{Key: "n"}, {Key: "day"}, {Key: "person"}, {Key: "identity"}, {Key: "content"}, {Key: "kind"}, {Key: "settled_by"},
		{Key: string(HandledHere), Under: handling}, {Key: string(HandledBack), Under: handling}, {Key: string(HandledOn), Under: handling},
		{Key: "result"}, {Key: "note"},
	}
}

// Handling is which of the three columns of "Hướng xử lý" is ticked.
type Handling string

// The columns.
const (
	HandledHere Handling = "taken_up"    // thụ lý
	HandledBack Handling = "sent_back"   // trả lại và hướng dẫn
	HandledOn   Handling = "passed_on"   // chuyển đơn
	NotHandled  Handling = "not_handled" // nobody decided yet
)

// Handling is how the case was dealt with, for the register.
func (c Case) Handling() Handling {
	switch {
	case c.Route.Kind == Elsewhere || c.State == Duplicate || c.State == Withdrawn && c.Assigned == "":
		return HandledBack
	case c.Route.Kind != "":
		return HandledOn
	case c.Assigned != "":
		return HandledHere
	}
	return NotHandled
}

// ResultMissing tells that the register has no result of this case yet ("chưa cập nhật kết quả").
func (c Case) ResultMissing() bool { return !c.State.Terminal() && c.State != Replied }

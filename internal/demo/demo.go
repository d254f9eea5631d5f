// Package demo is a province that does not exist: Tỉnh Minh Hoạ, plainly marked as sample data, with its units, counters,
// officials, procedures, accounts, and the ratings its citizens gave over the last fourteen months. Everything is made
// from a fixed seed, day by day: a later start makes the same history and the days since.
//
// Names of places are invented and are no official unit's; telephone numbers begin with 0000 and belong to nobody.
package demo

import (
	"github.com/hailong-vn/hailong/internal/localday"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// What the demonstration is called where it is stored.
const (
	Source         = "demo"    // the name under which its ratings are imported: they may be older than a device's or a browser's
	ProvinceID     = "minhhoa" // the top of its tree
	Months         = 14        // of history
	ConsentVersion = "demo-1"
)

// Unit is a unit of the tree. Its words hold always (ValidFrom is empty): the history reaches back from any day.
type Unit struct {
	ID        string
	ParentID  string // empty for the province
	Code      string
	Name      string
	Level     string // province, department, commune (xã and phường), office
	ValidFrom localday.Day
}

// Counter is where people are served.
type Counter struct{ ID, UnitID, Code, Name string }

// Official is a person who serves; none of them exists.
type Official struct{ ID, UnitID, Name, Position string }

// Procedure is a public service under a code of the demonstration's own.
type Procedure struct{ Code, Name, Field string }

// Account is a person who can sign in to the demonstration. The passwords are printed at start and are no secret.
type Account struct {
	Name     string
	Password string
	Role     pb.Role
	UnitID   string // top of the subtree; empty = everywhere
	Display  string // what colleagues call the person
	Official string // who that is among the officials; empty = none of them
}

// Accounts lists one account a role.
func Accounts() []Account {
	return []Account{
		{Name: "quantri", Password: "quantri-demo", Role: pb.Role_ROLE_ADMINISTRATOR, Display: "anh Quân"},
		{Name: "lanhdao", Password: "lanhdao-demo", Role: pb.Role_ROLE_LEADER, UnitID: ProvinceID, Display: "bà Minh"},
		{Name: "tiepnhan", Password: "tiepnhan-demo", Role: pb.Role_ROLE_OPERATOR, UnitID: ProvinceID, Display: "chị Lan"},
		{Name: "canbo", Password: "canbo-demo", Role: pb.Role_ROLE_OFFICIAL, UnitID: worstUnit, Official: officialID(worstUnit, 0)},
		{Name: "truongphong", Password: "truongphong-demo", Role: pb.Role_ROLE_HEAD, UnitID: worstUnit, Display: "ông Hải"},
		{Name: "thanhtra", Password: "thanhtra-demo", Role: pb.Role_ROLE_INSPECTOR, UnitID: ProvinceID, Display: "bà Thu"},
	}
}

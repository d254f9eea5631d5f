package identity

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Account is a person who can sign in, without what proves it.
type Account struct {
	ID         string
	Name       string
	Role       pb.Role
	UnitID     string // top of its subtree; "" = everywhere
	CreatedAt  time.Time
	DisabledAt time.Time // zero while it works
	MustChange bool      // its password was given for one use
	Display    string    // what colleagues call the person; "" = the name
	OfficialID string    // who that is among the officials of the directory; "" = none of them
	Heads      []string  // units the person heads, beside its own unit for a head of unit
}

// Called is what colleagues call the person.
func (a Account) Called() string { return cmp.Or(a.Display, a.Name) }

// HeadsUnits are all units the person heads.
func (a Account) HeadsUnits() []string { return headsUnits(a.Role, a.UnitID, a.Heads) }

func headsUnits(role pb.Role, unit string, heads []string) []string {
	heads = slices.Clone(heads)
	if role == pb.Role_ROLE_HEAD && unit != "" && !slices.Contains(heads, unit) {
		heads = append(heads, unit)
	}
	return heads
}

// Proto is the account as the contract has it.
func (a Account) Proto() *pb.Account {
	account := &pb.Account{Id: a.ID, Name: a.Name, Role: a.Role, UnitId: a.UnitID, CreatedAt: timestamppb.New(a.CreatedAt),
		DisplayName: a.Display, OfficialId: a.OfficialID, HeadsUnitIds: a.Heads}
	if !a.DisabledAt.IsZero() {
		account.DisabledAt = timestamppb.New(a.DisabledAt)
	}
	return account
}

// accountDoc is an account as it is kept.
type accountDoc struct {
	ID         string     `bson:"_id"` // UUIDv7
	Name       string     `bson:"name"`
	Folded     string     `bson:"folded"` // unique
	Role       string     `bson:"role"`   // the contract's name of it
	Unit       string     `bson:"unit"`
	CreatedAt  time.Time  `bson:"created_at"`
	CreatedBy  string     `bson:"created_by,omitempty"` // account id; empty: the program itself
	DisabledAt *time.Time `bson:"disabled_at,omitempty"`
	DisabledBy string     `bson:"disabled_by,omitempty"`
	Hash       string     `bson:"hash"`
	MustChange bool       `bson:"must_change,omitempty"`
	Display    string     `bson:"display,omitempty"`
	Official   string     `bson:"official,omitempty"`
	Heads      []string   `bson:"heads,omitempty"`
	// Generation grows whenever all sessions end at once: a session holds the one it was made under.
	Generation int64 `bson:"generation"`
	// Known are the addresses the account signed in from, the last first: what others try elsewhere does not keep the
	// person out there.
	Known []string `bson:"known,omitempty"`
}

// maxKnown bounds the addresses kept of an account.
const maxKnown = 16

// sessionDoc is a session as it is kept. Its token is not.
type sessionDoc struct {
	ID         string    `bson:"_id"` // SHA-256 of the token, in hexadecimal
	Account    string    `bson:"account"`
	Generation int64     `bson:"generation"`
	Address    string    `bson:"address,omitempty"`
	CreatedAt  time.Time `bson:"created_at"`
	UsedAt     time.Time `bson:"used_at"`    // coarse: written now and then
	ExpiresAt  time.Time `bson:"expires_at"` // the sooner of idle and absolute end
}

// Indexes of accounts.
const (
	byUnit     = "unit"
	byOfficial = "official"
	byHead     = "heads"
)

var (
	accountType = store.Define[accountDoc]("accounts",
		store.Index{Name: "name", Fields: []string{"folded"}, Unique: true},
		store.Index{Name: byUnit, Fields: []string{"unit", "role"}},
		store.Index{Name: byOfficial, Fields: []string{"official"}},
		store.Index{Name: byHead, Fields: []string{"heads"}, Multi: true})
	sessionType = store.Define[sessionDoc]("sessions", store.Index{Name: "expires", Fields: []string{"expires_at"}, Expire: true})
)

// Kinds lists the kinds of documents kept here.
func Kinds() []store.Kind { return []store.Kind{accountType.Kind, sessionType.Kind} }

func (d accountDoc) account() Account {
	account := Account{ID: d.ID, Name: d.Name, Role: pb.Role(pb.Role_value[d.Role]), UnitID: d.Unit,
		CreatedAt: d.CreatedAt.UTC(), MustChange: d.MustChange,
		Display: d.Display, OfficialID: d.Official, Heads: d.Heads}
	if d.DisabledAt != nil {
		account.DisabledAt = d.DisabledAt.UTC()
	}
	return account
}

// typed makes a fault of what the store answers.
func typed(doing string, err error) error {
	var known *fault.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, store.ErrUnavailable):
		return fault.New(fault.Unavailable, "store_unavailable").Because(fmt.Errorf("%s: %w", doing, err))
	case errors.Is(err, store.ErrInvalid): // only a cursor can be wrong here
		return fault.New(fault.Invalid, "account_page_invalid").Because(fmt.Errorf("%s: %w", doing, err))
	}
	return fmt.Errorf("%s: %w", doing, err)
}

package casework

import (
	"slices"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
)

// Role is what somebody is to a case.
type Role string

// The roles.
const (
	Operator      Role = "operator"
	Official      Role = "official"
	Head          Role = "head" // of a unit
	Leader        Role = "leader"
	Inspector     Role = "inspector"     // reads, never acts
	Administrator Role = "administrator" // keeps the system, never acts on cases
	Citizen       Role = "citizen"       // holds the case's code; the caller saw to that
	System        Role = "system"        // the clock itself
)

// Roles lists them.
func Roles() []Role {
	return []Role{Operator, Official, Head, Leader, Inspector, Administrator, Citizen, System}
}

// Person is somebody with an account, and the rights it has.
type Person struct {
	Account  string
	Official string // who that is among the officials of the directory; "" = none of them
	Role     Role
	Scope    string   // the unit whose subtree it works for; "" = everything
	Heads    []string // units it heads, those that were merged into one it heads among them
}

// Actor is who does something.
type Actor struct {
	Person
	For *StandIn // on whose behalf; nil = its own
}

// StandIn is somebody on leave, and the days for which another stands in. The other acts with the rights of the one on leave,
// while what either of them may not decide neither decides.
type StandIn struct {
	Person
	From, To localday.Day // inclusive
}

// TheSystem is the actor of what happens by itself.
func TheSystem() Actor { return Actor{Person: Person{Role: System}} }

// TheCitizen is the actor of what the holder of a case's code does.
func TheCitizen() Actor { return Actor{Person: Person{Role: Citizen}} }

// signs answers what the history keeps of an actor, and whose rights it has. Denied "casework_stand_in_over", Invalid
// "casework_stand_in_self", "casework_actor".
func (a Actor) signs(at time.Time) (Signature, Person, error) {
	s := Signature{Account: a.Account, Official: a.Official, Role: a.Role}
	if a.For == nil {
		if a.Account == "" && a.Role != Citizen && a.Role != System {
			return s, a.Person, fault.New(fault.Invalid, "casework_actor")
		}
		return s, a.Person, nil
	}
	if a.Account == "" || a.For.Account == "" || a.For.Role == Citizen || a.For.Role == System {
		return s, a.Person, fault.New(fault.Invalid, "casework_actor")
	}
	if a.Account == a.For.Account {
		return s, a.Person, fault.New(fault.Invalid, "casework_stand_in_self")
	}
	if day := dayOf(at); day < a.For.From || day > a.For.To {
		return s, a.Person, fault.New(fault.Denied, "casework_stand_in_over", "from", a.For.From, "to", a.For.To)
	}
	s.Role, s.For, s.ForOfficial = a.For.Role, a.For.Account, a.For.Official
	return s, a.For.Person, nil
}

// both are the persons whose bonds count.
func (a Actor) both() []Person {
	if a.For == nil {
		return []Person{a.Person}
	}
	return []Person{a.Person, a.For.Person}
}

// is tells whether a signature is of this person, by account or, where one person has two accounts, by who it is.
func (p Person) is(s Signature) bool {
	return p.Account != "" && (p.Account == s.Account || p.Account == s.For) ||
		p.Official != "" && (p.Official == s.Official || p.Official == s.ForOfficial)
}

func (p Person) among(officials []string) bool {
	return p.Official != "" && slices.Contains(officials, p.Official)
}

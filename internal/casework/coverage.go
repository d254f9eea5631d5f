package casework

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hailong-vn/hailong/internal/localday"
)

// Scope is what a collective request for explanation, or a leader's note, is about: the dissatisfied ratings of a unit and those below it, within
// a period, of one reason or one official, or all where neither is named.
type Scope struct {
	Unit     string       `bson:"unit"`
	From     localday.Day `bson:"from"` // inclusive
	To       localday.Day `bson:"to"`   // inclusive
	Reason   string       `bson:"reason,omitempty"`
	Official string       `bson:"official,omitempty"`
}

func (s Scope) valid() bool {
	_, from := localday.Parse(string(s.From))
	_, to := localday.Parse(string(s.To))
	return isID(s.Unit) && from == nil && to == nil && s.From <= s.To && (s.Reason == "" || isID(s.Reason)) && (s.Official == "" || isID(s.Official))
}

// Traits are what of a rating decides which collective requests are about it.
type Traits struct {
	Unit     string       // as counted
	Day      localday.Day // as counted
	Official string       // rated; "" = none named
	Reasons  []string     // choices that were tapped, in any order
}

func (s Scope) holds(t Traits, within func(unit, scope string) bool) bool {
	return s.From <= t.Day && t.Day <= s.To && (s.Official == "" || s.Official == t.Official) &&
		(s.Reason == "" || slices.Contains(t.Reasons, s.Reason)) && (s.Unit == "" || within(t.Unit, s.Unit))
}

// Group is how many dissatisfied ratings (scores 1 and 2) have the same traits. Groups are disjoint: every dissatisfied rating of what is asked
// about is in exactly one, whatever else holds it. Two groups of the same traits are taken together.
type Group struct {
	Traits
	N int
}

// Held is a dissatisfied rating that some case or note names, with its traits. It is one of those a Group counts.
type Held struct {
	Rating string
	Traits
}

// Note is a leader's word that ratings are known and need no explanation, with a reason kept elsewhere: of single ratings or of a scope.
type Note struct {
	Ratings []string
	Scope   *Scope
}

// Coverage says how far dissatisfied ratings are answered. Each rating is counted once, under the best that holds of it:
// Answered, then InHand, Noted, SetAside. All = Answered + InHand + Noted + SetAside + Untouched.
type Coverage struct {
	All       int
	Answered  int // by an accepted explanation
	InHand    int // in a case or a collective request whose explanation is not accepted yet
	Noted     int // by a leader, with a reason
	SetAside  int // only in cases that were withdrawn or went out of scope
	Untouched int // nobody did anything: what a leader sees first
	// Strange are ratings that are held but whose group is not large enough for them; figures that are being counted anew show it for a
	// moment. They are not in All.
	Strange int
}

// Share is the coverage (tỷ lệ đã giải trình): answered of all; false where there are none.
func (c Coverage) Share() (float64, bool) {
	if c.All == 0 {
		return 0, false
	}
	return float64(c.Answered) / float64(c.All), true
}

// standing is how a rating stands; the larger is the better.
type standing int

const (
	untouched standing = iota
	setAside
	noted
	inHand
	answered
)

// Cover counts. groups are all dissatisfied ratings asked about; held are those that cases and notes name, within the same; cases are all
// cases and collective requests that may hold any of them, with those they were merged into; within is as in World. The cost is that of
// (groups + held) times the collective requests and notes of scopes; bare taps are never looked at one by one.
func Cover(groups []Group, held []Held, cases []Case, notes []Note, within func(unit, scope string) bool) Coverage {
	if within == nil {
		within = func(unit, scope string) bool { return unit == scope }
	}
	byID := make(map[string]Case, len(cases))
	for _, c := range cases {
		byID[c.ID] = c
	}
	ratings := map[string]standing{}
	type wide struct {
		Scope
		standing
	}
	var scopes []wide
	for _, c := range cases {
		s := stands(c, byID)
		for _, rating := range c.Attached {
			ratings[rating] = max(ratings[rating], s)
		}
		if c.Collective != nil {
			scopes = append(scopes, wide{*c.Collective, s})
		}
	}
	for _, n := range notes {
		for _, rating := range n.Ratings {
			ratings[rating] = max(ratings[rating], noted)
		}
		if n.Scope != nil {
			scopes = append(scopes, wide{*n.Scope, noted})
		}
	}
	best := func(t Traits, s standing) standing {
		for _, scope := range scopes {
			if scope.standing > s && scope.holds(t, within) {
				s = scope.standing
			}
		}
		return s
	}

	var out Coverage
	left := map[string]int{}
	traits := map[string]Traits{}
	for _, g := range groups {
		if g.N > 0 {
			key := g.key()
			left[key] += g.N
			traits[key] = g.Traits
			out.All += g.N
		}
	}
	var counts [answered + 1]int
	seen := map[string]bool{}
	for _, h := range held {
		if seen[h.Rating] {
			continue
		}
		seen[h.Rating] = true
		key := h.key()
		if left[key] == 0 {
			out.Strange++
			continue
		}
		left[key]--
		counts[best(h.Traits, ratings[h.Rating])]++
	}
	for key, n := range left {
		if n > 0 {
			counts[best(traits[key], untouched)] += n
		}
	}
	out.Answered, out.InHand, out.Noted, out.SetAside, out.Untouched = counts[answered], counts[inHand], counts[noted], counts[setAside], counts[untouched]
	return out
}

// key is the same for the same traits.
func (t Traits) key() string {
	reasons := slices.Clone(t.Reasons)
	slices.Sort(reasons)
	var b strings.Builder
	for _, part := range append([]string{t.Unit, string(t.Day), t.Official}, slices.Compact(reasons)...) {
		b.WriteString(strconv.Itoa(len(part)))
		b.WriteByte(':')
		b.WriteString(part)
	}
	return b.String()
}

// stands is how a case's ratings stand by it alone. A duplicate's stand as those of the case it was merged into.
func stands(c Case, byID map[string]Case) standing {
	for range len(byID) { // never longer, even in a cycle that no machine can have made
		into, ok := byID[c.MergedInto]
		if c.State != Duplicate || !ok {
			break
		}
		c = into
	}
	switch {
	case c.Answered():
		return answered
	case c.State == Withdrawn || c.Route.Kind != "":
		return setAside
	}
	return inHand
}

// Root is the case another was merged into in the end; itself where it was not. get answers a case's MergedInto, "" = none. The first of a
// cycle, which no machine can have made, is its least id.
func Root(id string, get func(id string) (mergedInto string)) string {
	path := []string{id}
	for {
		into := get(path[len(path)-1])
		if into == "" {
			return path[len(path)-1]
		}
		if at := slices.Index(path, into); at >= 0 {
			return slices.Min(path[at:])
		}
		path = append(path, into)
	}
}

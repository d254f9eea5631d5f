package coverage

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
)

// Pile is dissatisfied ratings of one unit that nobody touched: of one reason, of one official, or all of them.
type Pile struct {
	casework.Scope     // Unit, the first and last day there are any, and Reason or Official
	N              int // untouched ratings it would take; a rating with two reasons is in two piles
}

// Uncovered answers the largest piles of a unit's subtree, at most limit. Of officials with fewer than LeastShown ratings nothing is said,
// and they never cross with reasons. NotFound "unit_unknown"; Invalid "coverage_too_much".
func (c *Coverage) Uncovered(ctx context.Context, unit string, p Period, limit int) ([]Pile, error) {
	type at struct{ unit, reason, official string }
	piles := map[at]*Pile{}
	err := c.untouched(ctx, unit, p, func(d *digest, g *group, said, silent []string) {
		n := len(said) + len(silent)
		put := func(key at) {
			pile := piles[key]
			if pile == nil {
				pile = &Pile{Scope: casework.Scope{Unit: key.unit, From: d.Day, To: d.Day, Reason: key.reason, Official: key.official}}
				piles[key] = pile
			}
			pile.N += n
			pile.From, pile.To = min(pile.From, d.Day), max(pile.To, d.Day)
		}
		put(at{unit: d.Unit})
		for _, reason := range g.Reasons {
			put(at{unit: d.Unit, reason: reason})
		}
		if g.Official != "" {
			put(at{unit: d.Unit, official: g.Official})
		}
	})
	if err != nil {
		return nil, told(err)
	}
	out := make([]Pile, 0, len(piles))
	for _, pile := range piles {
		if pile.Official == "" || pile.N >= LeastShown {
			out = append(out, *pile)
		}
	}
	slices.SortFunc(out, func(a, b Pile) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Official, b.Official))
	})
	return out[:min(len(out), limit)], nil
}

// untouched gives, group by group, the ids of ratings that no case, request or note touches.
func (c *Coverage) untouched(ctx context.Context, root string, p Period, use func(d *digest, g *group, said, silent []string)) error {
	q, err := c.ask(ctx, root, p)
	if err != nil {
		return err
	}
	h := c.holdings
	h.lock.RLock()
	scopes := h.scopes(p)
	claims := make(map[string]claim, len(q.leaves))
	need := map[string][]leaf{}
	count := 0
	for id, leaves := range q.leaves {
		k := h.claim(id, p, scopes, q.within)
		claims[id] = k
		for _, l := range leaves {
			if !slices.ContainsFunc(k.wide, func(s casework.Scope) bool {
				return s.Reason == "" && s.Official == "" && s.From <= l.key.Day && l.key.Day <= s.To
			}) {
				need[id] = append(need[id], l)
				count++
			}
		}
	}
	h.lock.RUnlock()
	if count > MaxLeaves {
		return tooMuch(count)
	}
	digests, err := c.read(ctx, need)
	if err != nil {
		return err
	}
	for _, id := range sortedKeys(digests) {
		k := claims[id]
		for _, d := range digests[id] {
			held := k.held[d.Day]
			for _, f := range d.Former {
				if slices.Contains(held, f.Was) {
					held = append(held[:len(held):len(held)], f.Is)
				}
			}
			for i := range d.Groups {
				g := &d.Groups[i]
				if slices.ContainsFunc(k.wide, func(s casework.Scope) bool { return takes(s, d.Day, g) }) {
					continue
				}
				if said, silent := without(g.Said, held), without(g.Bare, held); len(said)+len(silent) > 0 {
					use(d, g, said, silent)
				}
			}
		}
	}
	return nil
}

// takes tells whether a scope, of which it is known that the unit is within, is about a group.
func takes(s casework.Scope, day localday.Day, g *group) bool {
	return s.From <= day && day <= s.To && (s.Official == "" || s.Official == g.Official) && (s.Reason == "" || slices.Contains(g.Reasons, s.Reason))
}

func without(ids, held []string) []string {
	if len(held) == 0 {
		return ids
	}
	var out []string
	for _, id := range ids {
		if !slices.Contains(held, id) {
			out = append(out, id)
		}
	}
	return out
}

// Untouched is a rating that nobody touched.
type Untouched struct {
	Rated
	Record string // its RecordID
	Said   bool   // something is kept apart from it: words, or who to call
	order  string
}

// Ratings lists untouched ratings: those beside which something was said first, then the newest days. after is what the page before
// ended with, "" at first; it tells nothing of the rating. NotFound "unit_unknown"; Invalid "coverage_too_much", "coverage_page_token".
func (c *Coverage) Ratings(ctx context.Context, unit string, p Period, after string, limit int) (page []Untouched, next string, err error) {
	if after != "" {
		raw, err := base64.RawURLEncoding.DecodeString(after)
		if err != nil || len(raw) == 0 || len(raw) > 200 {
			return nil, "", fault.New(fault.Invalid, "coverage_page_token")
		}
		after = string(raw)
	}
	var all []Untouched
	err = c.untouched(ctx, unit, p, func(d *digest, _ *group, said, silent []string) {
		for _, id := range said {
			all = append(all, untouchedOf(d, id, true))
		}
		for _, id := range silent {
			all = append(all, untouchedOf(d, id, false))
		}
	})
	if err != nil {
		return nil, "", told(err)
	}
	all = slices.DeleteFunc(all, func(u Untouched) bool { return u.order <= after })
	slices.SortFunc(all, func(a, b Untouched) int { return strings.Compare(a.order, b.order) })
	if len(all) > limit {
		all = all[:limit]
		next = base64.RawURLEncoding.EncodeToString([]byte(all[limit-1].order))
	}
	return all, next, nil
}

func untouchedOf(d *digest, id string, said bool) Untouched {
	record := rating.RecordID(d.Home, d.Unit, id)
	u := Untouched{Rated: Rated{ID: id, Unit: d.Unit, Day: d.Day}, Record: record, Said: said}
	sum := sha256.Sum256([]byte(record))
	silence := "1"
	if said {
		silence = "0"
	}
	u.order = silence + backwards(d.Day) + d.Unit + "/" + hex.EncodeToString(sum[:8])
	return u
}

// backwards is a text that sorts days newest first.
func backwards(day localday.Day) string {
	out := []byte(day)
	for i, b := range out {
		if '0' <= b && b <= '9' {
			out[i] = '9' - b + '0'
		}
	}
	return string(out)
}

// Find answers the dissatisfied ratings of a unit's subtree for whose RecordID want says true, touched or not.
func (c *Coverage) Find(ctx context.Context, unit string, p Period, want func(recordID string) bool) ([]Rated, error) {
	q, err := c.ask(ctx, unit, p)
	if err != nil {
		return nil, told(err)
	}
	digests, err := c.read(ctx, q.leaves)
	if err != nil {
		return nil, told(err)
	}
	var found []Rated
	for _, id := range sortedKeys(digests) {
		for _, d := range digests[id] {
			for i := range d.Groups {
				for _, ids := range [][]string{d.Groups[i].Said, d.Groups[i].Bare} {
					for _, id := range ids {
						if want(rating.RecordID(d.Home, d.Unit, id)) {
							found = append(found, Rated{ID: id, Unit: d.Unit, Day: d.Day})
						}
					}
				}
			}
		}
	}
	return found, nil
}

// Count is how many dissatisfied ratings a scope is about.
func (c *Coverage) Count(ctx context.Context, s casework.Scope) (int, error) {
	q, err := c.ask(ctx, s.Unit, Period{s.From, s.To})
	if err != nil {
		return 0, told(err)
	}
	n := 0
	if s.Reason == "" && s.Official == "" {
		for _, leaves := range q.leaves {
			for _, l := range leaves {
				n += l.n
			}
		}
		return n, nil
	}
	digests, err := c.read(ctx, q.leaves)
	if err != nil {
		return 0, told(err)
	}
	for _, list := range digests {
		for _, d := range list {
			for i := range d.Groups {
				if takes(s, d.Day, &d.Groups[i]) {
					n += d.Groups[i].n()
				}
			}
		}
	}
	return n, nil
}

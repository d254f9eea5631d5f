package directory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/searchtext"
	"github.com/hailong-vn/hailong/internal/unit"
)

// snapshot is the whole directory at one revision. It is never changed.
type snapshot struct {
	revision       int64
	tree           *unit.Tree
	begins, ends   time.Time // of the local day the tree is read on
	counters       shelf[Counter]
	officials      shelf[Official]
	procedures     shelf[Procedure]
	questionnaires map[string]*questionnaire.Questionnaire // by key
	listed         []*questionnaire.Questionnaire          // by id and version
}

func emptySnapshot(now time.Time) (*snapshot, error) {
	day, _ := localday.Of(now)
	tree, err := unit.Build(nil, day)
	s := &snapshot{
		tree:       tree,
		counters:   shelf[Counter]{key: func(c Counter) (string, string) { return c.ID, join(c.UnitID, c.Code, c.ID) }},
		officials:  shelf[Official]{key: func(o Official) (string, string) { return o.ID, join(o.UnitID, searchtext.Fold(o.Name), o.ID) }},
		procedures: shelf[Procedure]{key: func(p Procedure) (string, string) { return p.Code, p.Code }},
	}
	s.on(day)
	return s, err
}

// join makes a key that sorts by its parts.
func join(parts ...string) string { return strings.Join(parts, "\x00") }

func (s *snapshot) on(day localday.Day) { s.begins, s.ends = day.Start(), day.Add(1).Start() }

// turned is the same snapshot on another day.
func (s *snapshot) turned(now time.Time) *snapshot {
	next := *s
	day, _ := localday.Of(now)
	next.tree = s.tree.As(day)
	next.on(day)
	return &next
}

// with is the snapshot after a change.
func (s *snapshot) with(c change, revision int64, now time.Time) (*snapshot, error) {
	next := *s
	next.revision = revision
	day, _ := localday.Of(now)
	next.on(day)
	if len(c.units) > 0 {
		changed := make(map[string]bool, len(c.units))
		for _, u := range c.units {
			changed[u.ID] = true
		}
		units := slices.Clone(c.units)
		for _, id := range s.tree.IDs() {
			if u, ok := s.tree.Get(id); ok && !changed[id] {
				units = append(units, u)
			}
		}
		tree, err := unit.Build(units, day)
		if err != nil {
			return nil, fmt.Errorf("units of revision %d: %w", revision, err)
		}
		next.tree = tree
	} else {
		next.tree = s.tree.As(day)
	}
	next.counters = s.counters.with(c.counters)
	next.officials = s.officials.with(c.officials)
	next.procedures = s.procedures.with(c.procedures)
	if len(c.questionnaires) > 0 {
		next.questionnaires = maps.Clone(s.questionnaires)
		if next.questionnaires == nil {
			next.questionnaires = map[string]*questionnaire.Questionnaire{}
		}
		for _, publication := range c.questionnaires {
			q, err := questionnaire.Parse([]byte(publication.YAML))
			if err != nil {
				return nil, fmt.Errorf("published questionnaire %s: %w", publication.ID, err)
			}
			next.questionnaires[q.Key()] = q
		}
		next.listed = slices.SortedFunc(maps.Values(next.questionnaires), func(a, b *questionnaire.Questionnaire) int {
			return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Version, b.Version))
		})
	}
	return &next, nil
}

// shelf is documents of a kind by id, and in the order they are listed.
type shelf[T any] struct {
	key  func(T) (id, order string)
	byID map[string]T
	list []shelved[T]
}

type shelved[T any] struct {
	order string
	value T
}

func (s shelf[T]) get(id string) (T, bool) {
	value, ok := s.byID[id]
	return value, ok
}

// under is the part of the shelf whose order begins with a key.
func (s shelf[T]) under(key string) shelf[T] {
	prefix := join(key, "")
	from, _ := slices.BinarySearchFunc(s.list, prefix, func(held shelved[T], prefix string) int { return cmp.Compare(held.order, prefix) })
	s.list = s.list[from:]
	if end := slices.IndexFunc(s.list, func(held shelved[T]) bool { return !strings.HasPrefix(held.order, prefix) }); end >= 0 {
		s.list = s.list[:end]
	}
	return s
}

func (s shelf[T]) with(values []T) shelf[T] {
	if len(values) == 0 {
		return s
	}
	s.byID = maps.Clone(s.byID)
	if s.byID == nil {
		s.byID = make(map[string]T, len(values))
	}
	list := slices.Clone(s.list)
	for _, value := range values {
		id, order := s.key(value)
		if old, ok := s.byID[id]; ok {
			_, was := s.key(old)
			list = slices.DeleteFunc(list, func(held shelved[T]) bool { return held.order == was })
		}
		s.byID[id] = value
		list = append(list, shelved[T]{order, value})
	}
	slices.SortFunc(list, func(a, b shelved[T]) int { return cmp.Compare(a.order, b.order) })
	s.list = list
	return s
}

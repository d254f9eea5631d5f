package directory

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/unit"
)

// Page says how much of a list to answer, and from where.
type Page struct {
	Size  int    // at most so many; 0 = 100, at most 1,000
	Token string // the last page's next token; "" = from the beginning
}

const (
	defaultPage = 100
	maxPage     = 1000
	maxToken    = 1000
	maxSearched = 1000 // units a search answers over all pages
)

// open answers the size and the key after which to go on.
func (p Page) open() (size int, after string, err error) {
	if p.Size < 0 || p.Size > maxPage {
		return 0, "", fault.New(fault.Invalid, "directory_page_size", "limit", maxPage)
	}
	key, err := base64.RawURLEncoding.DecodeString(p.Token)
	if err != nil || len(p.Token) > maxToken {
		return 0, "", fault.New(fault.Invalid, "directory_page_token")
	}
	return cmp.Or(p.Size, defaultPage), string(key), nil
}

func token(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// UnitFilter says which units to list. Empty fields filter nothing.
type UnitFilter struct {
	Within   string       // only root and what is counted below it as today, or was there on At
	ParentID string       // only direct children
	Query    string       // words of name or code, best first; otherwise units come by code and name
	Level    string       // only this level
	At       localday.Day // as the tree stood then; "" = today. A search finds ended units too.
}

// ListUnits lists or searches units.
func (d *Directory) ListUnits(filter UnitFilter, page Page) ([]unit.Unit, string, error) {
	size, after, err := page.open()
	if err != nil {
		return nil, "", err
	}
	tree := d.Tree()
	at := cmp.Or(filter.At, tree.Today())
	if _, err := localday.Parse(string(at)); err != nil {
		return nil, "", fault.New(fault.Invalid, "directory_day_invalid", "day", clip(string(at)))
	}
	keep := func(u unit.Unit) bool {
		era := u.Near(at)
		return (filter.Level == "" || era.Level == filter.Level) && (filter.ParentID == "" || era.ParentID == filter.ParentID) &&
			(filter.Within == "" || tree.Within(u.ID, filter.Within))
	}
	if filter.Query != "" {
		return searchUnits(tree, filter.Query, keep, size, after)
	}
	type row struct {
		key string
		u   unit.Unit
	}
	var rows []row
	for _, id := range tree.On(at).List("") {
		u, _ := tree.Get(id)
		if era := u.Near(at); keep(u) {
			if key := join(era.Code, era.Folded, u.ID); key > after {
				rows = append(rows, row{key, u})
			}
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.key, b.key) })
	next := ""
	if len(rows) > size {
		rows = rows[:size]
		next = token(rows[size-1].key)
	}
	units := make([]unit.Unit, len(rows))
	for i, row := range rows {
		units[i] = row.u
	}
	return units, next, nil
}

// searchUnits pages by place: what a search finds has no order of its own to go on from.
func searchUnits(tree *unit.Tree, query string, keep func(unit.Unit) bool, size int, after string) ([]unit.Unit, string, error) {
	from := 0
	if after != "" {
		n, err := strconv.Atoi(after)
		if err != nil || n < 0 {
			return nil, "", fault.New(fault.Invalid, "directory_page_token")
		}
		from = n
	}
	found := slices.DeleteFunc(tree.Search(query, tree.Len()), func(u unit.Unit) bool { return !keep(u) })
	found = found[:min(len(found), maxSearched)]
	found = found[min(from, len(found)):]
	if len(found) > size {
		return found[:size], token(strconv.Itoa(from + size)), nil
	}
	return found, "", nil
}

// ListCounters lists the counters of a unit's subtree as today ("" = all), by unit and code.
func (d *Directory) ListCounters(within string, page Page) ([]Counter, string, error) {
	s := d.today()
	return pageOf(s.counters, page, func(c Counter) bool { return s.tree.Within(c.UnitID, within) })
}

// ListCountersOf lists the counters of one unit itself, by code.
func (d *Directory) ListCountersOf(unitID string, page Page) ([]Counter, string, error) {
	return pageOf(d.current.Load().counters.under(unitID), page, func(Counter) bool { return true })
}

// CountersOf are all counters of one unit itself, by code.
func (d *Directory) CountersOf(unitID string) []Counter {
	held := d.current.Load().counters.under(unitID).list
	counters := make([]Counter, len(held))
	for i, one := range held {
		counters[i] = one.value
	}
	return counters
}

// ListOfficialsOf lists the officials of one unit itself, by name.
func (d *Directory) ListOfficialsOf(unitID string, page Page) ([]Official, string, error) {
	return pageOf(d.current.Load().officials.under(unitID), page, func(Official) bool { return true })
}

// OfficialsOf are all officials of one unit itself, by name.
func (d *Directory) OfficialsOf(unitID string) []Official {
	held := d.current.Load().officials.under(unitID).list
	officials := make([]Official, len(held))
	for i, one := range held {
		officials[i] = one.value
	}
	return officials
}

// ListOfficials lists the officials of a unit's subtree as today ("" = all), by unit and name.
func (d *Directory) ListOfficials(within string, page Page) ([]Official, string, error) {
	s := d.today()
	return pageOf(s.officials, page, func(o Official) bool { return s.tree.Within(o.UnitID, within) })
}

// ListProcedures lists procedures by code.
func (d *Directory) ListProcedures(page Page) ([]Procedure, string, error) {
	return pageOf(d.current.Load().procedures, page, func(Procedure) bool { return true })
}

// ListQuestionnaires lists published versions by id and version.
func (d *Directory) ListQuestionnaires(page Page) ([]*questionnaire.Questionnaire, string, error) {
	size, after, err := page.open()
	if err != nil {
		return nil, "", err
	}
	list := d.Questionnaires()
	if after != "" {
		id, versionText, _ := strings.Cut(after, "\x00")
		version, err := strconv.ParseInt(versionText, 10, 32)
		if err != nil {
			return nil, "", fault.New(fault.Invalid, "directory_page_token")
		}
		start := slices.IndexFunc(list, func(q *questionnaire.Questionnaire) bool {
			return q.ID > id || q.ID == id && q.Version > int32(version)
		})
		if start < 0 {
			return nil, "", nil
		}
		list = list[start:]
	}
	if len(list) <= size {
		return list, "", nil
	}
	last := list[size-1]
	return list[:size:size], token(join(last.ID, strconv.Itoa(int(last.Version)))), nil
}

func pageOf[T any](s shelf[T], page Page, keep func(T) bool) ([]T, string, error) {
	size, after, err := page.open()
	if err != nil {
		return nil, "", err
	}
	start, found := slices.BinarySearchFunc(s.list, after, func(held shelved[T], key string) int { return cmp.Compare(held.order, key) })
	if found {
		start++
	}
	var values []T
	last := ""
	for _, held := range s.list[start:] {
		if !keep(held.value) {
			continue
		}
		if len(values) == size {
			return values, token(last), nil
		}
		values, last = append(values, held.value), held.order
	}
	return values, "", nil
}

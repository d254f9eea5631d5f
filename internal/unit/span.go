package unit

import "github.com/hailong-vn/hailong/internal/localday"

// span is a run of days: from inclusive, "" = always; to exclusive, "" = for ever.
type span struct{ from, to localday.Day }

func (e Era) span() span { return span{e.ValidFrom, e.ValidTo} }

func (u *Unit) span() span { return span{u.Start(), u.End()} }

func (s span) holds(day localday.Day) bool { return s.from <= day && (s.to == "" || day < s.to) }

// meet is the days that both spans hold; false where there are none.
func (s span) meet(other span) (span, bool) {
	both := span{max(s.from, other.from), s.to}
	if s.to == "" || other.to != "" && other.to < s.to {
		both.to = other.to
	}
	return both, both.to == "" || both.from < both.to
}

// covers tells whether s holds every day of other.
func (s span) covers(other span) bool {
	return s.from <= other.from && (s.to == "" || other.to != "" && other.to <= s.to)
}

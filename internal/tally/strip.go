package tally

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"time"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// StripKey names a strip: one unit, year and questionnaire version.
type StripKey struct {
	Year          int
	Unit          string
	Questionnaire string
	QVersion      int32
}

// ID is the strip's document id, year first: a year's strips of all units are one range.
func (k StripKey) ID() string {
	return strconv.Itoa(k.Year) + "/" + k.Unit + "/" + k.Questionnaire + "@" + strconv.Itoa(int(k.QVersion))
}

// SlotKey is one day (0 = 1 January) in one channel.
type SlotKey struct {
	Day     int
	Channel pb.Channel
}

func (k SlotKey) compare(other SlotKey) int {
	if k.Day != other.Day {
		return k.Day - other.Day
	}
	return int(k.Channel) - int(other.Channel)
}

// Slot is a day's counts in one channel. Its version is the sum over the day's hour cells, Epoch and Seen each for itself:
// whenever a cell of the leaf rises, either the sum of epochs grows, or it stays and the sum of Seen grows.
type Slot struct {
	Version
	Overall Counts
	Flagged uint32 // ratings in Overall that have a score and carry a doubt
}

// rises tells whether s takes the place of other: by version, and where versions are equal (two folds of the same records
// are, and then are the same) by content, so that joining does not depend on the order.
func (s Slot) rises(other Slot) bool {
	if s.Version != other.Version {
		return other.Less(s.Version)
	}
	if c := slices.Compare(s.Overall[:], other.Overall[:]); c != 0 {
		return c > 0
	}
	return s.Flagged > other.Flagged
}

// Strip is a unit's year: what ranks, trends and control charts read. It is held as it is stored, packed (see
// pack.go), and read straight off the bytes: to rank 3,321 units nothing is unpacked. A Strip is a value that
// does not change; the zero Strip with a Key has no slots.
type Strip struct {
	Key    StripKey
	slots  []byte // packed days; nil = none
	months []byte // packed sums of whole months, made from slots
}

// NewStrip packs slots. An error means a day outside the year or a negative channel.
func NewStrip(key StripKey, slots map[SlotKey]Slot) (Strip, error) {
	starts := monthStarts(key.Year)
	sorted := make([]entry, 0, len(slots))
	for at, slot := range slots {
		if at.Day < 0 || at.Day >= starts[12] || at.Channel < 0 {
			return Strip{}, fmt.Errorf("strip %s: no slot for day %d, channel %d", key.ID(), at.Day, at.Channel)
		}
		sorted = append(sorted, entry{at, slot})
	}
	slices.SortFunc(sorted, func(a, b entry) int { return a.compare(b.SlotKey) })
	return packStrip(key, sorted), nil
}

// Strip is the strip that holds only this leaf's day, to be joined into the unit's year.
func (l Leaf) Strip() Strip {
	at, slot := l.Slot()
	return packStrip(l.StripKey(), []entry{{at, slot}})
}

// Join answers the strip in which each slot is the later of the two: commutative, associative and idempotent, so
// writers need not agree on an order and may write again. Only strips of one Key can be joined; joined to another's it is s.
func (s Strip) Join(other Strip) Strip {
	if s.Key != other.Key || len(other.slots) == 0 {
		return s
	}
	if len(s.slots) == 0 {
		return other
	}
	merged := make([]entry, 0, 64)
	next, stop := iter.Pull(other.entries())
	defer stop()
	theirs, more := next()
	for ours := range s.entries() {
		for more && theirs.compare(ours.SlotKey) < 0 {
			merged = append(merged, theirs)
			theirs, more = next()
		}
		if more && theirs.SlotKey == ours.SlotKey {
			if theirs.rises(ours.Slot) {
				ours = theirs
			}
			theirs, more = next()
		}
		merged = append(merged, ours)
	}
	for more {
		merged = append(merged, theirs)
		theirs, more = next()
	}
	return packStrip(s.Key, merged)
}

// Slots reads the slots in order of day and channel.
func (s Strip) Slots() iter.Seq2[SlotKey, Slot] {
	return func(yield func(SlotKey, Slot) bool) {
		for e := range s.entries() {
			if !yield(e.SlotKey, e.Slot) {
				return
			}
		}
	}
}

// SlotsBetween is Slots of the days fromDay to toDay, 0 = 1 January, both inclusive; other days are not unpacked.
func (s Strip) SlotsBetween(fromDay, toDay int) iter.Seq2[SlotKey, Slot] {
	return func(yield func(SlotKey, Slot) bool) {
		s.days(fromDay, toDay, func(e *entry) bool { return yield(e.SlotKey, e.Slot) })
	}
}

// Slot finds one slot.
func (s Strip) Slot(at SlotKey) (Slot, bool) {
	var found Slot
	ok := false
	s.days(at.Day, at.Day, func(e *entry) bool {
		if e.Channel == at.Channel {
			found, ok = e.Slot, true
		}
		return !ok
	})
	return found, ok
}

// Equal tells whether both strips hold the same slots.
func (s Strip) Equal(other Strip) bool {
	return s.Key == other.Key && string(s.slots) == string(other.slots)
}

// Sum adds up the days fromDay to toDay (0 = 1 January, both inclusive, cut to the year) of the channels
// named, of all where none is: the counts, and how many of the scored ratings carry a doubt.
func (s Strip) Sum(fromDay, toDay int, channels ...pb.Channel) (counts Counts, flagged uint32) {
	s.Each(fromDay, toDay, func(channel pb.Channel, part Counts, doubts uint32) {
		if len(channels) == 0 || slices.Contains(channels, channel) {
			for i, n := range part {
				counts[i] += n
			}
			flagged += doubts
		}
	})
	return counts, flagged
}

// Each gives the days fromDay to toDay (0 = 1 January, both inclusive, cut to the year) to add in parts: a whole month in
// one channel by its stored sum, other days one by one. To sum channels apart in one reading, add by channel.
func (s Strip) Each(fromDay, toDay int, add func(channel pb.Channel, counts Counts, flagged uint32)) {
	if len(s.slots) == 0 {
		return
	}
	starts := monthStarts(s.Key.Year)
	fromDay, toDay = max(fromDay, 0), min(toDay, starts[12]-1)
	var whole [12]bool
	for month := range whole {
		first, last := starts[month], starts[month+1]-1
		switch {
		case toDay < first || last < fromDay:
		case fromDay <= first && last <= toDay:
			whole[month] = true
		default:
			s.days(max(first, fromDay), min(last, toDay), func(e *entry) bool {
				add(e.Channel, e.Overall, e.Flagged)
				return true
			})
		}
	}
	r := reader{bytes: s.months[headSize : len(s.months)-tailSize]}
	var sum monthSum
	for r.month(&sum) {
		if whole[sum.month] {
			add(sum.channel, sum.counts, sum.flagged)
		}
	}
}

// monthStarts are the days of the year on which its months begin; [12] is the year's length.
func monthStarts(year int) [13]int {
	starts := [13]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365}
	if time.Date(year, time.February, 29, 0, 0, 0, 0, time.UTC).Month() == time.February {
		for i := 2; i < 13; i++ {
			starts[i]++
		}
	}
	return starts
}

// maxChannel bounds what unpacking believes: an enum's number.
const maxChannel = math.MaxInt32

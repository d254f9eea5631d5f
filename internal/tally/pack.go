package tally

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"iter"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// How a strip is packed. Both parts begin with a version byte and end with a CRC-32C (little endian) over all
// before it; numbers are unsigned varints unless it says byte.
//
//	slots  := version(byte) length{12} section{12} crc     a section a month, its length in bytes
//	section:= (step channel counts)*                        step: days since the last slot's, at first since the month's first
//	counts := mask(byte) seen [epoch] n...                  mask bits 0-5: Overall, 6: Flagged, 7: Epoch is there and not 0
//	months := version(byte) (month(byte) channel mask n...)* crc   mask as above, without bit 7
//
// Slots stand in order of day and channel, and zeros are not written, so equal strips are equal bytes.
const (
	packVersion = 1
	headSize    = 1
	tailSize    = crc32.Size
	flaggedBit  = 1 << 6
	epochBit    = 1 << 7
)

var errPacked = errors.New("tally: packed strip is damaged")

// entry is a slot with its place.
type entry struct {
	SlotKey
	Slot
}

// monthSum is a month's sum in one channel.
type monthSum struct {
	month   int
	channel pb.Channel
	counts  Counts
	flagged uint32
}

// packStrip packs entries, which are sorted, distinct and within the year.
func packStrip(key StripKey, entries []entry) Strip {
	if len(entries) == 0 {
		return Strip{Key: key}
	}
	starts := monthStarts(key.Year)
	var sections [12][]byte
	var sums []monthSum
	for month := range sections {
		first := len(sums)
		last := starts[month]
		for len(entries) > 0 && entries[0].Day < starts[month+1] {
			e := &entries[0]
			sections[month] = appendEntry(sections[month], e, e.Day-last)
			sums = addTo(sums, first, monthSum{month: month, channel: e.Channel, counts: e.Overall, flagged: e.Flagged})
			last = e.Day
			entries = entries[1:]
		}
	}
	strip := Strip{Key: key, slots: []byte{packVersion}, months: []byte{packVersion}}
	for _, section := range sections {
		strip.slots = binary.AppendUvarint(strip.slots, uint64(len(section)))
	}
	for _, section := range sections {
		strip.slots = append(strip.slots, section...)
	}
	for i := range sums {
		strip.months = append(strip.months, byte(sums[i].month))
		strip.months = binary.AppendUvarint(strip.months, uint64(sums[i].channel))
		strip.months = append(strip.months, mask(&sums[i].counts, sums[i].flagged))
		strip.months = appendCounts(strip.months, &sums[i].counts, sums[i].flagged)
	}
	strip.slots, strip.months = seal(strip.slots), seal(strip.months)
	return strip
}

// addTo adds to the channel's sum among sums[first:], which are kept in the order of channels.
func addTo(sums []monthSum, first int, part monthSum) []monthSum {
	at := first
	for at < len(sums) && sums[at].channel < part.channel {
		at++
	}
	if at == len(sums) || sums[at].channel != part.channel {
		sums = append(sums, monthSum{})
		copy(sums[at+1:], sums[at:])
		sums[at] = part
		return sums
	}
	sums[at].counts = sums[at].counts.Plus(part.counts)
	sums[at].flagged += part.flagged
	return sums
}

func appendEntry(b []byte, e *entry, step int) []byte {
	b = binary.AppendUvarint(b, uint64(step))
	b = binary.AppendUvarint(b, uint64(e.Channel))
	m := mask(&e.Overall, e.Flagged)
	if e.Epoch != 0 {
		m |= epochBit
	}
	b = append(b, m)
	b = binary.AppendUvarint(b, uint64(e.Seen))
	if e.Epoch != 0 {
		b = binary.AppendUvarint(b, uint64(e.Epoch))
	}
	return appendCounts(b, &e.Overall, e.Flagged)
}

func mask(counts *Counts, flagged uint32) (m byte) {
	for i, n := range counts {
		if n != 0 {
			m |= 1 << i
		}
	}
	if flagged != 0 {
		m |= flaggedBit
	}
	return m
}

func appendCounts(b []byte, counts *Counts, flagged uint32) []byte {
	for _, n := range counts {
		if n != 0 {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}
	if flagged != 0 {
		b = binary.AppendUvarint(b, uint64(flagged))
	}
	return b
}

func seal(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// unseal checks version and checksum.
func unseal(b []byte) error {
	if len(b) < headSize+tailSize || b[0] != packVersion {
		return errPacked
	}
	body, tail := b[:len(b)-tailSize], b[len(b)-tailSize:]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(tail) {
		return errPacked
	}
	return nil
}

// unpackStrip takes stored bytes for a strip. The checksum finds damage; what it cannot find (bytes that were
// never a strip but are sealed as one) Check does, and reading such a strip ends early but does no harm.
func unpackStrip(key StripKey, slots, months []byte) (Strip, error) {
	if len(slots) == 0 && len(months) == 0 {
		return Strip{Key: key}, nil
	}
	if err := unseal(slots); err != nil {
		return Strip{}, err
	}
	if err := unseal(months); err != nil {
		return Strip{}, err
	}
	return Strip{Key: key, slots: slots, months: months}, nil
}

// Check unpacks the whole strip and packs it again: an error means that the stored bytes, though their checksum is
// right, are not those of a strip or that its month sums are not the sums of its days. For the verifier.
func (s Strip) Check() error {
	if len(s.slots) == 0 {
		return nil
	}
	var entries []entry
	for e := range s.entries() {
		entries = append(entries, e)
	}
	again := packStrip(s.Key, entries)
	if string(again.slots) != string(s.slots) || string(again.months) != string(s.months) {
		return errPacked
	}
	return nil
}

// entries reads all slots in order.
func (s Strip) entries() iter.Seq[entry] {
	return func(yield func(entry) bool) {
		s.days(0, 366, func(e *entry) bool { return yield(*e) })
	}
}

// days reads the slots of the days from to to, skipping months outside. The entry is used again for the next.
func (s Strip) days(from, to int, each func(*entry) bool) {
	if len(s.slots) == 0 {
		return
	}
	starts := monthStarts(s.Key.Year)
	r := reader{bytes: s.slots[headSize : len(s.slots)-tailSize]}
	var lengths [12]uint32
	for month := range lengths {
		lengths[month] = r.number()
	}
	for month, length := range lengths {
		section, ok := r.take(length)
		if !ok {
			return
		}
		if length == 0 || to < starts[month] || starts[month+1] <= from {
			continue
		}
		e := entry{SlotKey: SlotKey{Day: starts[month], Channel: -1}}
		for section.entry(&e, starts[month+1]) && e.Day <= to {
			if e.Day >= from && !each(&e) {
				return
			}
		}
		if section.bad {
			return
		}
	}
}

package analysis

import (
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"
	"unique"

	"github.com/hailong-vn/hailong/internal/tally"
)

// digest is what hours and reasons need of one leaf, in a few hundred bytes. To read the leaf itself from a store takes some fifty times
// as long. A digest does not change.
type digest struct {
	at tally.SlotKey
	// slot sums the leaf. Hour cells only rise, and with each of them the sums' version: so a strip whose slot has the same version
	// speaks of this very state of the leaf, and the digest is what reading the leaf again would give, or was a moment ago.
	slot    tally.Slot
	hours   string     // packed, see appendHour
	answers []answered // by name
}

// answered is how many ratings took a choice, "question/choice", or answered a question by a score, "question".
type answered struct {
	what unique.Handle[string]
	n    uint32
}

// digestOf makes a leaf's digest.
func digestOf(leaf tally.Leaf) *digest {
	d := &digest{}
	d.at, d.slot = leaf.Slot()
	answers := map[string]uint32{}
	packed := make([]byte, 0, 64)
	for _, hour := range slices.Sorted(maps.Keys(leaf.Hours)) {
		cell := leaf.Hours[hour]
		packed = appendHour(packed, hour, cell.Overall, cell.Flagged.N())
		for choice, n := range cell.Choices {
			answers[choice] += n
		}
		for question, counts := range cell.Questions {
			answers[question] += counts.N()
		}
	}
	d.hours = string(packed)
	d.answers = make([]answered, 0, len(answers))
	for _, what := range slices.Sorted(maps.Keys(answers)) {
		d.answers = append(d.answers, answered{unique.Make(what), answers[what]})
	}
	return d
}

// flaggedBit says that an hour's packed counts end with how many of them are flagged; bits 0 to 5 which scores are counted.
const flaggedBit = 1 << 6

// appendHour packs an hour: hour(byte) mask(byte) n..., numbers as unsigned varints, zeros left out.
func appendHour(packed []byte, hour int, counts tally.Counts, flagged uint32) []byte {
	mask := byte(0)
	for score, n := range counts {
		if n != 0 {
			mask |= 1 << score
		}
	}
	if flagged != 0 {
		mask |= flaggedBit
	}
	packed = append(packed, byte(hour), mask)
	for _, n := range append(counts[:], flagged) {
		if n != 0 {
			packed = binary.AppendUvarint(packed, uint64(n))
		}
	}
	return packed
}

// addHours adds the hours of the day to others.
func (d *digest) addHours(day *[24]sum) {
	for at := 0; at < len(d.hours); {
		to, mask := &day[d.hours[at]], d.hours[at+1]
		at += 2
		for ; mask != 0; mask &= mask - 1 {
			n := uint32(0)
			for shift := 0; ; shift += 7 {
				b := d.hours[at]
				at++
				n |= uint32(b&0x7f) << shift
				if b < 0x80 {
					break
				}
			}
			if score := bits.TrailingZeros8(mask); score < len(to.counts) {
				to.counts[score] += n
			} else {
				to.flagged += n
			}
		}
	}
}

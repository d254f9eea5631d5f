package tally

import pb "github.com/hailong-vn/hailong/proto/hailong/v1"

// reader takes packed numbers off bytes. After anything that cannot be it is bad, and reads nothing more. It moves an index
// and not the slice: storing a pointer for each number would cost more than reading it.
type reader struct {
	bytes []byte
	at    int
	bad   bool
}

func (r *reader) done() bool { return r.at >= len(r.bytes) }

func (r *reader) fail() { r.at, r.bad = len(r.bytes), true }

// number reads a varint of at most 32 bits.
func (r *reader) number() uint32 {
	if r.at < len(r.bytes) && r.bytes[r.at] < 0x80 {
		n := r.bytes[r.at]
		r.at++
		return uint32(n)
	}
	return r.long()
}

func (r *reader) long() uint32 {
	var n uint64
	for shift := 0; shift < 35 && r.at < len(r.bytes); shift += 7 {
		b := r.bytes[r.at]
		r.at++
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if n > 1<<32-1 {
				break
			}
			return uint32(n)
		}
	}
	r.fail()
	return 0
}

func (r *reader) byte() byte {
	if r.done() {
		r.fail()
		return 0
	}
	b := r.bytes[r.at]
	r.at++
	return b
}

func (r *reader) take(length uint32) (reader, bool) {
	if r.bad || uint64(length) > uint64(len(r.bytes)-r.at) {
		r.fail()
		return reader{}, false
	}
	end := r.at + int(length)
	part := reader{bytes: r.bytes[r.at:end:end]}
	r.at = end
	return part, true
}

// entry reads the slot after e, which must stand before day end, and answers false where there is none.
func (r *reader) entry(e *entry, end int) bool {
	if r.done() {
		return false
	}
	step, channel, m := r.number(), r.number(), r.byte()
	if step > 366 || e.Day+int(step) >= end || channel > maxChannel || step == 0 && pb.Channel(channel) <= e.Channel {
		r.fail()
		return false
	}
	e.Day += int(step)
	e.Channel = pb.Channel(channel)
	e.Seen, e.Epoch = r.number(), 0
	if m&epochBit != 0 {
		e.Epoch = r.number()
	}
	r.counts(m, &e.Overall, &e.Flagged)
	return !r.bad
}

// month reads the next month sum and answers false where there is none.
func (r *reader) month(sum *monthSum) bool {
	if r.done() {
		return false
	}
	month, channel, m := r.byte(), r.number(), r.byte()
	if month > 11 || channel > maxChannel {
		r.fail()
		return false
	}
	sum.month, sum.channel = int(month), pb.Channel(channel)
	r.counts(m, &sum.counts, &sum.flagged)
	return !r.bad
}

func (r *reader) counts(m byte, counts *Counts, flagged *uint32) {
	for i := range counts {
		counts[i] = 0
		if m&(1<<i) != 0 {
			counts[i] = r.number()
		}
	}
	*flagged = 0
	if m&flaggedBit != 0 {
		*flagged = r.number()
	}
}

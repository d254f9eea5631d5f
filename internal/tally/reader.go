package tally

import pb "github.com/hailong-vn/hailong/proto/hailong/v1"

// reader takes packed numbers off bytes. After anything that cannot be it is bad, and reads nothing more.
type reader struct {
	bytes []byte
	bad   bool
}

// number reads a varint of at most 32 bits.
func (r *reader) number() uint32 {
	if len(r.bytes) > 0 && r.bytes[0] < 0x80 {
		n := uint32(r.bytes[0])
		r.bytes = r.bytes[1:]
		return n
	}
	var n uint64
	for i, b := range r.bytes {
		if i == 5 {
			break
		}
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if n > 1<<32-1 {
				break
			}
			r.bytes = r.bytes[i+1:]
			return uint32(n)
		}
	}
	r.fail()
	return 0
}

func (r *reader) byte() byte {
	if len(r.bytes) == 0 {
		r.fail()
		return 0
	}
	b := r.bytes[0]
	r.bytes = r.bytes[1:]
	return b
}

func (r *reader) take(length uint32) (reader, bool) {
	if r.bad || uint64(length) > uint64(len(r.bytes)) {
		r.fail()
		return reader{}, false
	}
	part := reader{bytes: r.bytes[:length:length]}
	r.bytes = r.bytes[length:]
	return part, true
}

func (r *reader) fail() { r.bytes, r.bad = nil, true }

// entry reads the slot after e, which must stand before day end, and answers false where there is none.
func (r *reader) entry(e *entry, end int) bool {
	if len(r.bytes) == 0 {
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
	if len(r.bytes) == 0 {
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

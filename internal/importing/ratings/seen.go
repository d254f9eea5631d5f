package ratingimport

// seen remembers what rows came to, by a 64-bit hash, in open addressing: 8 or 16 bytes a slot and nothing for the collector
// to follow. Beyond its bound it remembers nothing new and says so. That two different rows of a million share a hash has a
// chance of 1 in 30 million.
type seen struct {
	keys         []uint64
	values       []uint64 // nil = only keys are remembered
	count, bound int
	full         bool // something could not be remembered
}

func newSeen(bound int, values bool) *seen {
	s := &seen{keys: make([]uint64, 1024), bound: bound}
	if values {
		s.values = make([]uint64, len(s.keys))
	}
	return s
}

// put remembers value under key unless there is one already, and answers what was there.
func (s *seen) put(key, value uint64) (before uint64, found bool) {
	if key == 0 {
		key = 1 // 0 marks a free slot
	}
	if slot := s.slot(key); s.keys[slot] == key {
		return s.value(slot), true
	}
	if s.count >= s.bound {
		s.full = true
		return 0, false
	}
	if s.count*2 >= len(s.keys) {
		s.grow()
	}
	slot := s.slot(key)
	s.set(slot, key, value)
	s.count++
	return 0, false
}

func (s *seen) value(slot int) uint64 {
	if s.values == nil {
		return 0
	}
	return s.values[slot]
}

func (s *seen) set(slot int, key, value uint64) {
	s.keys[slot] = key
	if s.values != nil {
		s.values[slot] = value
	}
}

func (s *seen) slot(key uint64) int {
	mask := len(s.keys) - 1
	slot := int(key*0x9e3779b97f4a7c15>>32) & mask //nolint:gosec // 32 bits
	for s.keys[slot] != 0 && s.keys[slot] != key {
		slot = (slot + 1) & mask
	}
	return slot
}

func (s *seen) grow() {
	old := seen{keys: s.keys, values: s.values}
	s.keys = make([]uint64, 2*len(old.keys))
	if old.values != nil {
		s.values = make([]uint64, len(s.keys))
	}
	for i, key := range old.keys {
		if key != 0 {
			s.set(s.slot(key), key, old.value(i))
		}
	}
}

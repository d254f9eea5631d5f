package device

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/seal"
)

// chain is a machine's chain, to be copied.
type chain struct {
	key   ed25519.PrivateKey
	id    string
	next  uint64
	head  seal.Head
	given [][]byte
	from  seal.Head // before the first given

	skipped uint64 // sequences it gave up
	anew    int    // how often it lost its end
}

// lose takes the last ratings away.
func (c *chain) lose(n int) {
	c.given = c.given[:len(c.given)-n]
	c.next -= uint64(n)
	c.head = seal.Chain(seal.Head{}, c.given)
	c.from = c.head
	c.anew++
}

func (c *chain) first() int { return int(c.next) - 1 - len(c.given) }

func newChain(id string, key ed25519.PrivateKey) *chain { return &chain{key: key, id: id, next: 1} }

func (c *chain) copy() *chain {
	other := *c
	other.given = slices.Clone(c.given)
	return &other
}

// send seals n ratings by the name of a machine and hands them to the devices as intake does.
func (c *chain) send(t interface{ Fatal(...any) }, h *house, d *Devices, machine string, n int) {
	items := make([][]byte, n)
	sequences := make([]uint64, n)
	for i := range items {
		sequences[i] = c.next + uint64(i)
		items[i] = fmt.Appendf(nil, "%s%d %d", machine, c.anew, sequences[i])
	}
	s := seal.Sign(c.key, c.id, c.next, c.head, items)
	c.next, c.head, c.given = c.next+uint64(n), seal.Head(s.GetChainHead()), append(c.given, items...)
	if err := d.VerifySeal(h.t.Context(), c.id, s, items); err != nil {
		t.Fatal(err)
	}
	if err := d.Received(h.t.Context(), c.id, sequences, s); err != nil {
		t.Fatal(err)
	}
}

// again sends what was sent before, from a sequence on, cut anew.
func (c *chain) again(t interface{ Fatal(...any) }, h *house, d *Devices, from, n int) {
	begin := seal.Head{}
	if c.skipped > 0 {
		begin = c.from
	}
	before := from - c.first()
	items := c.given[before : before+n]
	s := seal.Sign(c.key, c.id, uint64(from)+1, seal.Chain(begin, c.given[:before]), items)
	var sequences []uint64
	for i := range items {
		sequences = append(sequences, uint64(from+i)+1)
	}
	if err := d.VerifySeal(h.t.Context(), c.id, s, items); err != nil {
		t.Fatal(err)
	}
	if err := d.Received(h.t.Context(), c.id, sequences, s); err != nil {
		t.Fatal(err)
	}
}

func (h *house) cloned(t interface{ Fatal(...any) }, d *Devices, id string) bool {
	known, err := d.Known(h.t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return !known.ClonedSince.IsZero() && slices.Contains(known.CloneSigns, SignForked)
}

// One machine's batches, whatever their size, sent again in any pieces, to any process, never look like two.
func TestOneChainNeverForks(t *testing.T) {
	h := newHouse(t)
	processes := []*Devices{h.process(), h.process()}
	rapid.Check(t, func(t *rapid.T) {
		device, key := h.enrolled(processes[0], 1)
		c := newChain(device.ID, key)
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			d := processes[rapid.IntRange(0, 1).Draw(t, "process")]
			if have := len(c.given); have > 0 && rapid.Bool().Draw(t, "again") {
				from := rapid.IntRange(0, have-1).Draw(t, "from")
				c.again(t, h, d, from, rapid.IntRange(1, have-from).Draw(t, "items"))
				continue
			}
			c.send(t, h, d, "a", rapid.IntRange(1, 30).Draw(t, "items"))
		}
		if h.cloned(t, processes[0], device.ID) {
			t.Fatal("one chain is said to be forked")
		}
	})
}

// A machine that lost the end of its journal gives sequences anew, or goes on after what the server holds: it is one machine.
func TestALostEndIsNoCopy(t *testing.T) {
	h := newHouse(t)
	processes := []*Devices{h.process(), h.process()}
	rapid.Check(t, func(t *rapid.T) {
		device, key := h.enrolled(processes[0], 1)
		c := newChain(device.ID, key)
		send := func(n int) {
			for range n {
				d := processes[rapid.IntRange(0, 1).Draw(t, "process")]
				if c.send(t, h, d, "a", rapid.IntRange(1, 9).Draw(t, "items")); rapid.Bool().Draw(t, "again") {
					from := rapid.IntRange(c.first(), int(c.next)-2).Draw(t, "from")
					c.again(t, h, d, from, int(c.next)-1-from)
				}
			}
		}
		send(rapid.IntRange(1, 6).Draw(t, "batches before"))
		through := c.next - 1
		c.lose(rapid.IntRange(1, len(c.given)).Draw(t, "lost"))
		if rapid.Bool().Draw(t, "told what the server holds") {
			c.next, c.skipped = through+1, through
			c.given = nil // before the hole nothing is sent again
		}
		send(rapid.IntRange(1, 6).Draw(t, "batches after"))
		if h.cloned(t, processes[0], device.ID) {
			t.Fatal("one machine is taken for two")
		}
	})
}

// Two machines that go on from one disk, at any time, are noticed while both send.
func TestForksAreNoticed(t *testing.T) {
	h := newHouse(t)
	processes := []*Devices{h.process(), h.process()}
	rapid.Check(t, func(t *rapid.T) {
		device, key := h.enrolled(processes[0], 1)
		a := newChain(device.ID, key)
		send := func(c *chain, machine string) {
			c.send(t, h, processes[rapid.IntRange(0, 1).Draw(t, "process")], machine, rapid.IntRange(1, 4).Draw(t, "items"))
		}
		for range rapid.IntRange(0, 4).Draw(t, "batches before") {
			send(a, "a")
		}
		b := a.copy()
		for range rapid.IntRange(0, 15).Draw(t, "batches of the original alone") {
			send(a, "a")
		}
		for ahead := a.next; b.next < ahead; {
			send(b, "b")
		}
		for i := 0; !h.cloned(t, processes[0], device.ID); i++ {
			if i == 20 {
				t.Fatal("two machines have been sending for long and nobody noticed")
			}
			send(a, "a")
			send(b, "b")
		}
	})
}

func TestAForkIsKeptUntilEnrolledAnew(t *testing.T) {
	onStores(t, func(t *testing.T, h *house) {
		d := h.process()
		device, key := h.enrolled(d, 1)
		a := newChain(device.ID, key)
		a.send(t, h, d, "a", 5)
		b := a.copy()
		h.clock.add(time.Minute)
		a.send(t, h, d, "a", 1)
		if h.cloned(t, d, device.ID) {
			t.Fatal("noticed before it happened")
		}
		h.clock.add(time.Minute)
		b.send(t, h, d, "b", 1)
		parted := h.clock.Now()
		if h.cloned(t, d, device.ID) {
			t.Fatal("noticed though it may have lost the end of its journal")
		}
		h.clock.add(time.Minute)
		a.send(t, h, d, "a", 1)
		if known, err := d.Known(t.Context(), device.ID); err != nil || !known.ClonedSince.Equal(parted) || !cmp.Equal(known.CloneSigns, []string{SignForked}) {
			t.Fatalf("since %v by %v, %v", known.ClonedSince, known.CloneSigns, err)
		}
		if through, err := d.StoredThrough(t.Context(), device.ID); through != 7 || err != nil {
			t.Errorf("stored through %d, %v", through, err)
		}
		_, code, err := d.RenewCode(t.Context(), "", device.ID)
		if err != nil {
			t.Fatal(err)
		}
		public, other := testKey(2)
		if _, err := d.Enroll(t.Context(), code.Text, public, "10.0.0.1"); err != nil {
			t.Fatal(err)
		}
		// Another machine begins where this one was, with a chain of its own; so does one that goes on with its chain.
		fresh := newChain(device.ID, other)
		fresh.next = 8
		fresh.send(t, h, d, "c", 2)
		fresh.send(t, h, d, "c", 2)
		if h.cloned(t, d, device.ID) {
			t.Error("a machine enrolled anew is taken for a copy")
		}
	})
}

// A copy that is far behind meets the original's path before long, and what is remembered stays small.
func TestPlacesAreThinnedEvenly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all places
		last := uint64(0)
		for range rapid.IntRange(1, 400).Draw(t, "batches") {
			last += rapid.Uint64Range(1, 5).Draw(t, "items")
			p, ok := placeOf(last, make([]byte, 32))
			if !ok {
				t.Fatal("no place")
			}
			all, _ = all.with(p)
		}
		if len(all) > maxPlaces || all[len(all)-1].sequence != last {
			t.Fatalf("%d places up to %d of %d", len(all), all[len(all)-1].sequence, last)
		}
		widest := uint64(0)
		for i := 1; i < len(all); i++ {
			widest = max(widest, all[i].sequence-all[i-1].sequence)
		}
		if limit := max(10, last/10); widest > limit {
			t.Fatalf("%d sequences between two places of %d", widest, last)
		}
		if !cmp.Equal(readPlaces(all.pack()), all, cmp.AllowUnexported(place{})) {
			t.Fatal("not kept as they were")
		}
	})
}

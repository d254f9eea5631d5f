package device

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// said is a heartbeat as it arrives.
type said struct {
	at             time.Duration
	start, machine string
}

// life is what one machine says in a while: it restarts now and then, and the last heartbeat of a start may arrive late.
func life(t *rapid.T, name string, from, to time.Duration) []said {
	var all []said
	at := from
	for n := 0; at < to; n++ {
		start := fmt.Sprintf("%s%d", name, n)
		beats := rapid.IntRange(1, 12).Draw(t, "beats")
		for i := range beats {
			arrives := at
			if i == beats-1 {
				arrives += rapid.SampledFrom([]time.Duration{0, 0, time.Second, 20 * time.Second, 5 * time.Minute}).Draw(t, "late")
			}
			all = append(all, said{arrives, start, name})
			at += time.Duration(rapid.IntRange(40, 70).Draw(t, "until the next")) * time.Second
		}
		at += time.Duration(rapid.IntRange(-39, 300).Draw(t, "restarts in")) * time.Second
	}
	return all
}

// hears takes heartbeats in by several processes, whose clocks differ, and answers when it was noticed that there are two; -1 = never.
func hears(t *rapid.T, all []said) time.Duration {
	slices.SortStableFunc(all, func(a, b said) int { return int(a.at - b.at) })
	processes, off := make([]sighting, 3), make([]time.Duration, 3)
	for i := range off {
		off[i] = time.Duration(rapid.IntRange(-5, 5).Draw(t, "clock")) * time.Second
	}
	var doc healthDoc
	for _, s := range all {
		i := rapid.IntRange(0, len(processes)-1).Draw(t, "process")
		now := at.Add(s.at + off[i])
		last, pending, due := processes[i].note(now, nil, Beat{StartID: s.start, MachineID: s.machine}, 1)
		if !due {
			continue
		}
		doc.take(now, last, pending)
		if _, _, found := copies(doc.Starts); found {
			return s.at
		}
	}
	return -1
}

// One machine is never taken for two, however it restarts, whatever arrives late, whichever process hears it.
func TestRestartsAreNoCopies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if at := hears(t, life(t, "a", 0, 90*time.Minute)); at >= 0 {
			t.Fatalf("one machine is taken for two after %v", at)
		}
	})
}

// Two machines that both go on are always told, within minutes, though the original had restarted often before.
func TestCopiesAreNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begins := time.Duration(rapid.IntRange(0, 3600).Draw(t, "the copy begins")) * time.Second
		all := life(t, "a", 0, begins)
		for _, s := range all { // the last start of the original goes on
			begins = max(begins, s.at)
		}
		for _, start := range []string{fmt.Sprint("a", len(all)), "b"} {
			for at := begins; at < begins+15*time.Minute; at += time.Duration(rapid.IntRange(5, 90).Draw(t, "until the next")) * time.Second {
				all = append(all, said{at, start, ""})
			}
		}
		if noticed := hears(t, all); noticed < begins+turnApart || noticed > begins+8*time.Minute {
			t.Fatalf("the copy began at %v and was noticed at %v", begins, noticed)
		}
	})
}

func TestACopyIsKeptUntilEnrolledAnew(t *testing.T) {
	onStores(t, func(t *testing.T, h *house) {
		here, there := h.process(), h.process()
		device, key := h.enrolled(here, 1)
		cloned := func(d *Devices, start, machine string) bool {
			h.clock.add(45 * time.Second)
			return h.beat(d, device.ID, Beat{StartID: start, MachineID: machine})
		}
		told := 0
		for i := range 8 {
			for d, start := range map[*Devices]string{here: "a", there: "b"} {
				if cloned(d, start, "m"+start) {
					told++
				}
			}
			if i == 0 && told > 0 {
				t.Error("told before it can be known")
			}
		}
		stands, err := there.Get(t.Context(), device.ID)
		if err != nil || told < 2 || stands.ClonedSince.Before(at.Add(45*time.Second)) || stands.ClonedSince.After(at.Add(90*time.Second)) ||
			!cmp.Equal(stands.CloneSigns, []string{SignOtherMachine}) {
			t.Fatalf("told %d times; kept since %v with %v, %v", told, stands.ClonedSince, stands.CloneSigns, err)
		}
		if troubles := stands.Proto(0).GetReport().GetTroubles(); !cmp.Equal(troubles, []string{SignOtherMachine}) {
			t.Errorf("shown with %v", troubles)
		}
		_, code, err := here.RenewCode(t.Context(), "", device.ID)
		if err != nil {
			t.Fatal(err)
		}
		if stands, _ = here.Get(t.Context(), device.ID); stands.ClonedSince.IsZero() {
			t.Error("a code alone clears it")
		}
		public, _ := testKey(2)
		if _, err := here.Enroll(t.Context(), code.Text, public, "10.0.0.1"); err != nil {
			t.Fatal(err)
		}
		nonce := here.CreateNonce(device.ID)
		if _, _, err := here.CreateToken(t.Context(), device.ID, nonce, sign(key, nonce)); err == nil {
			t.Error("the copy still proves itself")
		}
		// What is still on its way from before counts no more.
		there.touch(t.Context(), device.ID, nil, Beat{StartID: "b"}, 1)
		for range 6 {
			if cloned(here, "a", "ma") || cloned(there, "a", "ma") {
				t.Error("told after it was enrolled anew")
			}
		}
		if stands, err = here.Get(t.Context(), device.ID); err != nil || !stands.ClonedSince.IsZero() || len(stands.CloneSigns) != 0 {
			t.Errorf("after enrolling anew: since %v with %v, %v", stands.ClonedSince, stands.CloneSigns, err)
		}
	})
}

func TestStartsAreBounded(t *testing.T) {
	var starts []start
	for i := range 100 {
		starts, _ = hear(starts, hearing{start: fmt.Sprint(i % 30), at: at.Add(time.Duration(i) * time.Minute)})
		if len(starts) > maxStarts || len(starts[len(starts)-1].Heard) > maxHeard {
			t.Fatalf("after %d: %+v", i, starts)
		}
	}
}

// What a process heard is not lost where the store fails once, and it goes on being bounded.
func TestWhatWasHeardWaitsForTheStore(t *testing.T) {
	h := newHouse(t)
	engine := failing{Engine: h.engine, documents: &failingDocuments{}}
	d := (&house{t: t, engine: engine, bus: h.bus, clock: h.clock, keys: h.keys}).process()
	device, _ := h.make(d)
	engine.documents.fail.Store(true)
	for i := range 40 {
		h.clock.add(time.Minute)
		d.touch(t.Context(), device.ID, nil, Beat{StartID: []string{"a", "b"}[i%2]}, 0)
	}
	engine.documents.fail.Store(false)
	h.clock.add(time.Minute)
	d.touch(t.Context(), device.ID, nil, Beat{StartID: "a"}, 0)
	if known, err := d.Known(t.Context(), device.ID); err != nil || known.ClonedSince.IsZero() {
		t.Errorf("what was heard while the store was away is lost: %+v, %v", known, err)
	}
	if n := len(d.seen.by[device.ID].pending); n > maxPending {
		t.Errorf("%d hearings wait", n)
	}
}

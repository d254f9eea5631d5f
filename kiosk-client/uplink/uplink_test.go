package uplink_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, path string) *uplink.Device {
	t.Helper()
	d, err := uplink.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func ratings(from, n int) []uplink.Item {
	items := make([]uplink.Item, n)
	for i := range items {
		items[i].Rating = &pb.Rating{Id: fmt.Sprint("rating ", from+i), UnitId: "U", OverallScore: 4}
		if i%2 == 1 {
			items[i].Private = &pb.Private{Comment: "Rất hài lòng"}
		}
	}
	return items
}

func seal(t *testing.T, d *uplink.Device, items []uplink.Item) uplink.Batch {
	t.Helper()
	batch, err := d.Seal(items)
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func submit(t *testing.T, u *uplink.Uplink, batch uplink.Batch) {
	t.Helper()
	outcomes, err := u.Submit(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	for i, outcome := range outcomes {
		got := &pb.Rating{}
		if err := proto.Unmarshal(batch.Items[i].GetRating(), got); err != nil || outcome.GetRatingId() != got.GetId() {
			t.Errorf("outcome %d is of %q, want %q, %v", i, outcome.GetRatingId(), got.GetId(), err)
		}
	}
}

func through(t *testing.T, o *office, id string) uint64 {
	t.Helper()
	n, err := o.devices.StoredThrough(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestADeviceEnrolsSealsAndSends(t *testing.T) {
	o := newOffice(t)
	id, code := o.make()
	path := filepath.Join(t.TempDir(), "device.json")
	d := open(t, path)
	if _, err := d.Seal(ratings(1, 1)); !errors.Is(err, uplink.ErrNotEnrolled) {
		t.Errorf("sealed before it was enrolled: %v", err)
	}
	u := uplink.New(d, o.connection, o.clock)
	if err := u.Enroll(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	if d.ID() != id || d.Name() != "Kiosk 1" || d.NextSequence() != 1 {
		t.Errorf("enrolled as %v", d)
	}
	first := seal(t, d, ratings(1, 3))
	// The power is cut, and the program starts again; the journal kept the batch.
	d = open(t, path)
	u = uplink.New(d, o.connection, o.clock)
	second := seal(t, d, ratings(4, 2))
	submit(t, u, second)
	if through(t, o, id) != 0 {
		t.Error("a gap is not seen")
	}
	submit(t, u, first)
	submit(t, u, first)
	if got := through(t, o, id); got != 5 {
		t.Errorf("stored through %d", got)
	}
	if outcomes, err := u.Submit(t.Context(), seal(t, d, nil)); len(outcomes) != 0 || err != nil {
		t.Errorf("nothing was sent: %v, %v", outcomes, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("left beside it: %v, %v", files, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if printed := fmt.Sprintf("%v %+v %s %#v", d, d, d, d); strings.Contains(printed, "key") || len(printed) > 400 {
		t.Errorf("prints %s, and its file is %s", printed, data)
	}
}

func TestTheTokenIsFetchedWhenItIsNeeded(t *testing.T) {
	o := newOffice(t)
	_, code := o.make()
	d := open(t, "")
	u := uplink.New(d, o.connection, o.clock)
	if err := u.Enroll(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	fetched := func() int {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.tokens
	}
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			if _, err := u.Heartbeat(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if fetched() != 1 {
		t.Errorf("fetched %d tokens", fetched())
	}
	o.mu.Lock()
	o.now = o.now.Add(55 * time.Minute)
	o.mu.Unlock()
	submit(t, u, seal(t, d, ratings(1, 1)))
	if fetched() != 2 {
		t.Errorf("fetched %d tokens", fetched())
	}
	o.mu.Lock()
	o.refuse = 1
	o.mu.Unlock()
	submit(t, u, seal(t, d, ratings(2, 1)))
	if fetched() != 3 {
		t.Errorf("fetched %d tokens after one was refused", fetched())
	}
	o.mu.Lock()
	o.refuse = 2
	o.mu.Unlock()
	if _, err := u.Submit(t.Context(), seal(t, d, ratings(3, 1))); status.Code(err) != codes.Unauthenticated {
		t.Errorf("refused twice: %v", err)
	}
}

func TestABatchTooLargeIsHalvedUntilTheCulpritStandsAlone(t *testing.T) {
	o := newOffice(t)
	id, code := o.make()
	d := open(t, "")
	u := uplink.New(d, o.connection, o.clock)
	if err := u.Enroll(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	submit(t, u, seal(t, d, ratings(1, 500)))
	if through(t, o, id) != 500 || len(o.batches) < 4 {
		t.Errorf("stored through %d in %d batches", through(t, o, id), len(o.batches))
	}
	submit(t, u, seal(t, d, ratings(501, 1500)))
	items := ratings(2001, 10)
	items[6].Rating.DossierCode = strings.Repeat("x", messageLimit)
	batch := seal(t, d, items)
	outcomes, err := u.Submit(t.Context(), batch)
	if status.Code(err) != codes.ResourceExhausted || len(outcomes) != 6 {
		t.Errorf("%d outcomes before the culprit, %v", len(outcomes), err)
	}
	if got := through(t, o, id); got != 2006 {
		t.Errorf("stored through %d", got)
	}
}

func TestALostAnswerIsAskedForAgain(t *testing.T) {
	o := newOffice(t)
	id, code := o.make()
	path := filepath.Join(t.TempDir(), "device.json")
	o.lost = true
	if err := uplink.New(open(t, path), o.connection, o.clock).Enroll(t.Context(), code); err == nil {
		t.Fatal("the answer was not lost")
	}
	d := open(t, path) // and the program starts again
	if err := uplink.New(d, o.connection, o.clock).Enroll(t.Context(), code); err != nil || d.ID() != id {
		t.Errorf("the same code again: %v, %v", d, err)
	}
}

func TestReenrolment(t *testing.T) {
	o := newOffice(t)
	id, code := o.make()
	path := filepath.Join(t.TempDir(), "device.json")
	d := open(t, path)
	u := uplink.New(d, o.connection, o.clock)
	if err := u.Enroll(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	submit(t, u, seal(t, d, ratings(1, 2)))
	waiting := seal(t, d, ratings(3, 2))
	renew := func() string {
		_, code, err := o.devices.RenewCode(t.Context(), "", id)
		if err != nil {
			t.Fatal(err)
		}
		return code.Text
	}
	t.Run("keeps the chain, and what waited is sealed with the new key", func(t *testing.T) {
		if err := u.Enroll(t.Context(), renew()); err != nil {
			t.Fatal(err)
		}
		submit(t, u, waiting)
		submit(t, u, seal(t, d, ratings(5, 1)))
		if got := through(t, o, id); got != 5 {
			t.Errorf("stored through %d", got)
		}
	})
	t.Run("of a device that lost its file goes on after what is stored", func(t *testing.T) {
		d := open(t, "")
		u := uplink.New(d, o.connection, o.clock)
		if err := u.Enroll(t.Context(), renew()); err != nil {
			t.Fatal(err)
		}
		if d.ID() != id || d.NextSequence() != 6 {
			t.Errorf("goes on as %v at %d", d, d.NextSequence())
		}
		submit(t, u, seal(t, d, ratings(6, 1)))
		if got := through(t, o, id); got != 6 {
			t.Errorf("stored through %d", got)
		}
	})
	t.Run("a wrong code changes nothing", func(t *testing.T) {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := u.Enroll(t.Context(), "7F3K-9QWD-XM2P"); status.Code(err) != codes.Unauthenticated {
			t.Error(err)
		}
		if d.ID() != id || d.NextSequence() != 6 {
			t.Errorf("now %v at %d; was %s", d, d.NextSequence(), before)
		}
	})
	t.Run("as another device begins another chain", func(t *testing.T) {
		other, code := o.make()
		if err := u.Enroll(t.Context(), code); err != nil {
			t.Fatal(err)
		}
		if d.ID() != other || d.NextSequence() != 1 {
			t.Errorf("now %v at %d", d, d.NextSequence())
		}
		submit(t, u, seal(t, d, ratings(1, 1)))
	})
}

func TestSequencesAreNeverGivenTwice(t *testing.T) {
	o := newOffice(t)
	_, code := o.make()
	d := open(t, filepath.Join(t.TempDir(), "device.json"))
	if err := uplink.New(d, o.connection, o.clock).Enroll(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	given := map[uint64]bool{}
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 5 {
				batch, err := d.Seal(ratings(1, 3))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for i := range batch.Items {
					if s := batch.First + uint64(i); given[s] {
						t.Errorf("%d was given twice", s)
					} else {
						given[s] = true
					}
				}
				mu.Unlock()
			}
		})
	}
	callers.Wait()
	if d.NextSequence() != 121 {
		t.Errorf("next is %d", d.NextSequence())
	}
}

// What cannot be kept is not sealed: the sequence would be given again after a power cut.
func TestNothingIsSealedThatCannotBeKept(t *testing.T) {
	o := newOffice(t)
	_, code := o.make()
	folder := filepath.Join(t.TempDir(), "below")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	d := open(t, filepath.Join(folder, "device.json"))
	if err := uplink.New(d, o.connection, o.clock).Enroll(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Seal(ratings(1, 1)); err == nil || d.NextSequence() != 1 {
		t.Errorf("sealed: %v, next %d", err, d.NextSequence())
	}
}

func TestADamagedFileIsNotTaken(t *testing.T) {
	o := newOffice(t)
	_, code := o.make()
	path := filepath.Join(t.TempDir(), "device.json")
	d := open(t, path)
	if err := uplink.New(d, o.connection, o.clock).Enroll(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"empty": "", "cut": string(good[:len(good)/2]), "two": string(good) + string(good), "null": "null", "other": `{"device_id":"x"}`,
		"sequence zero": strings.Replace(string(good), `"next_sequence": 1`, `"next_sequence": 0`, 1),
		"unknown field": strings.Replace(string(good), `"next_sequence"`, `"next"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := uplink.Open(path); err == nil {
				t.Error("taken")
			}
			kept, err := os.ReadFile(path)
			if err != nil || !cmp.Equal(string(kept), data) {
				t.Errorf("changed: %s, %v", kept, err)
			}
		})
	}
}

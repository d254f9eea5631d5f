package uplink_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestMain(m *testing.M) {
	if os.Getenv(childFolder) != "" {
		fmt.Fprintln(os.Stderr, beKilled())
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// open opens a journal that is not synced; folder "" = in memory.
func open(t *testing.T, o *office, folder string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), folder, journal.Options{Volatile: true, Clock: o.manual})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func reopen(t *testing.T, o *office, j *journal.Journal) *journal.Journal {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, o, j.Folder())
}

func ratings(from, n int) []journal.Item {
	items := make([]journal.Item, n)
	for i := range items {
		items[i].Rating = &pb.Rating{Id: uuid.Must(uuid.NewV7()).String(), UnitId: "U", OverallScore: 4}
		if i%2 == 1 {
			items[i].Private = &pb.Private{Comment: "Rất hài lòng"}
		}
	}
	return items
}

func seal(t *testing.T, d *journal.Journal, items []journal.Item) journal.Batch {
	t.Helper()
	batch, err := d.Append(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func submit(t *testing.T, u *uplink.Calls, batch journal.Batch) {
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
	path := t.TempDir()
	d := open(t, o, path)
	if _, err := d.Append(t.Context(), ratings(1, 1)); !errors.Is(err, journal.ErrNotEnrolled) {
		t.Errorf("sealed before it was enrolled: %v", err)
	}
	u := uplink.NewCalls(d, o.connection, o.manual)
	if err := u.Enroll(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	if d.ID() != id || d.Name() != "Kiosk 1" || d.NextSequence() != 1 {
		t.Errorf("enrolled as %v", d)
	}
	first := seal(t, d, ratings(1, 3))
	// The power is cut, and the program starts again; the journal kept the batch.
	d = reopen(t, o, d)
	u = uplink.NewCalls(d, o.connection, o.manual)
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
	if printed := fmt.Sprintf("%v %+v %s %#v", d, d, d, d); strings.Contains(printed, "key") || len(printed) > 400 {
		t.Errorf("prints %s", printed)
	}
}

func TestTheTokenIsFetchedWhenItIsNeeded(t *testing.T) {
	o := newOffice(t)
	_, code := o.make()
	d := open(t, o, "")
	u := uplink.NewCalls(d, o.connection, o.manual)
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
	o.manual.Pass(55 * time.Minute)
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
	d := open(t, o, "")
	u := uplink.NewCalls(d, o.connection, o.manual)
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
	path := t.TempDir()
	o.lost = true
	d := open(t, o, path)
	if err := uplink.NewCalls(d, o.connection, o.manual).Enroll(t.Context(), code); err == nil {
		t.Fatal("the answer was not lost")
	}
	d = reopen(t, o, d) // and the program starts again
	if err := uplink.NewCalls(d, o.connection, o.manual).Enroll(t.Context(), code); err != nil || d.ID() != id {
		t.Errorf("the same code again: %v, %v", d, err)
	}
}

func TestReenrolment(t *testing.T) {
	o := newOffice(t)
	id, code := o.make()
	path := t.TempDir()
	d := open(t, o, path)
	u := uplink.NewCalls(d, o.connection, o.manual)
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
		d := open(t, o, "")
		u := uplink.NewCalls(d, o.connection, o.manual)
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
		if err := u.Enroll(t.Context(), "7F3K-9QWD-XM2P"); status.Code(err) != codes.Unauthenticated {
			t.Error(err)
		}
		if d.ID() != id || d.NextSequence() != 6 {
			t.Errorf("now %v at %d", d, d.NextSequence())
		}
	})
	t.Run("as another device begins another chain", func(t *testing.T) {
		other, code := o.make()
		if err := u.Enroll(t.Context(), code); err != nil {
			t.Fatal(err)
		}
		if d.ID() != other || d.NextSequence() != 6 { // nothing was acknowledged to the journal itself
			t.Errorf("now %v at %d", d, d.NextSequence())
		}
		batch, err := d.Pending(t.Context(), 0, 100, 1<<20)
		if err != nil || len(batch.Items) != 5 {
			t.Fatalf("%d wait, %v", len(batch.Items), err)
		}
		submit(t, u, batch)
	})
}

func TestSequencesAreNeverGivenTwice(t *testing.T) {
	o := newOffice(t)
	_, code := o.make()
	d := open(t, o, t.TempDir())
	if err := uplink.NewCalls(d, o.connection, o.manual).Enroll(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	given := map[uint64]bool{}
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 5 {
				batch, err := d.Append(t.Context(), ratings(1, 3))
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

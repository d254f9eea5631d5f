package uplink_test

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/kiosk-client/clock"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	"github.com/hailong-vn/hailong/kiosk-client/uplink"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// kiosk is a device whose uplink runs. Its time and the office's are those of a bubble, so that nothing waits in earnest.
type kiosk struct {
	t       *testing.T
	office  *office
	folder  string
	machine string
	clock   *shifted
	journal *journal.Journal
	up      *uplink.Uplink
	halt    func()
	given   []string // ids of what was sealed
}

// shifted is a clock that can be set wrong.
type shifted struct {
	clock.Clock
	mu  sync.Mutex
	off time.Duration
}

func (s *shifted) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Clock.Now().Add(s.off)
}

func (s *shifted) shift(off time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.off = off
}

// inBubble runs a test with a live office and an enrolled kiosk.
func inBubble(t *testing.T, test func(t *testing.T, o *office, k *kiosk)) {
	t.Helper()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		o := liveOffice(t)
		_, code := o.make()
		k := &kiosk{t: t, office: o, folder: folder, machine: "m1"}
		k.start()
		if err := k.up.Enroll(t.Context(), "", code); err != nil {
			t.Fatal(err)
		}
		test(t, o, k)
		k.halt()
	})
}

// start is a start of the program.
func (k *kiosk) start() {
	k.t.Helper()
	k.clock = &shifted{Clock: clock.Of(nil)}
	var err error
	if k.journal, err = journal.Open(k.t.Context(), k.folder, journal.Options{Volatile: true, Clock: k.clock}); err != nil {
		k.t.Fatal(err)
	}
	if k.up, err = uplink.New(k.t.Context(), uplink.Options{Journal: k.journal, Server: "http://127.0.0.1:9", Version: "1.2", MachineID: k.machine,
		Clock: k.clock, Random: func() float64 { return 0.5 }, Dial: k.office.dial(), BatchItems: 10}); err != nil {
		k.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(k.t.Context())
	var running sync.WaitGroup
	up, j := k.up, k.journal
	running.Go(func() { _ = up.Run(ctx) })
	k.halt = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		if err := j.Close(); err != nil {
			k.t.Error(err)
		}
	})
}

// give rates n times.
func (k *kiosk) give(n int) {
	k.t.Helper()
	for range n {
		id, err := k.journal.Begin(k.t.Context(), journal.Start{UnitID: "U", QuestionnaireID: "kiosk", QuestionnaireVersion: 1, Language: "vi", Answers: journal.Answers{OverallScore: 4}})
		if err == nil {
			err = k.journal.Confirm(k.t.Context(), id, &pb.Private{Comment: "Cảm ơn"})
		}
		if err == nil {
			err = k.journal.Seal(k.t.Context(), id)
		}
		if err != nil {
			k.t.Fatal(err)
		}
		k.given = append(k.given, id)
	}
	k.up.Wake()
}

// until waits, at most some hours of the bubble.
func (k *kiosk) until(what string, holds func() bool) {
	k.t.Helper()
	for range 4000 {
		synctest.Wait()
		if holds() {
			return
		}
		time.Sleep(3 * time.Second)
	}
	k.t.Fatalf("never: %s; %+v", what, k.up.State())
}

// arrived waits until the queue is empty, and compares journal and store: nothing lost, nothing doubled.
func (k *kiosk) arrived() {
	k.t.Helper()
	k.until("everything arrived", func() bool { return k.up.State().Queue == 0 })
	stored := k.office.ratings()
	if len(stored) != len(k.given) {
		k.t.Errorf("%d are stored of %d given", len(stored), len(k.given))
	}
	for _, id := range k.given {
		if stored[id] == nil {
			k.t.Errorf("lost: %s", id)
		}
	}
	if through, err := k.office.devices.StoredThrough(k.t.Context(), k.journal.ID()); err != nil || through != k.journal.NextSequence()-1 {
		k.t.Errorf("stored through %d of %d, %v", through, k.journal.NextSequence()-1, err)
	}
}

func TestTheQueueDrainsInOrderAndSurvivesWhatHappens(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, k *kiosk) {
		k.give(1)
		k.arrived()
		if state := k.up.State(); !state.Connected || !state.Enrolled || state.Trouble != "" || state.DeviceName != "Kiosk 1" || state.LastContact.IsZero() {
			t.Errorf("state %+v", state)
		}
		// Half a day without the server.
		o.stop()
		k.give(120)
		k.until("said to be unreachable", func() bool { return k.up.State().Trouble == uplink.TroubleUnreachable })
		if state := k.up.State(); state.Connected || state.Queue != 120 {
			t.Errorf("offline: %+v", state)
		}
		time.Sleep(12 * time.Hour)
		o.start()
		k.arrived()
		// Acknowledgements are lost: the stream breaks after items were stored, again and again.
		for _, at := range []int{1, 7, 10, 11} {
			fail := at
			o.mu.Lock()
			o.judged = 0
			o.after = func(n int) error {
				if n == fail {
					return status.Error(codes.Unavailable, "the line went dead")
				}
				return nil
			}
			o.mu.Unlock()
			k.give(25)
			k.arrived()
		}
		// The server restarts in mid-stream.
		o.mu.Lock()
		o.judged, o.after = 0, nil
		o.mu.Unlock()
		k.give(200)
		o.stop()
		o.start()
		k.arrived()
		// The device restarts in mid-stream.
		k.give(200)
		k.halt()
		k.start()
		k.arrived()
		// A token ends.
		time.Sleep(3 * time.Hour)
		o.mu.Lock()
		o.refuse = 1
		o.mu.Unlock()
		k.give(3)
		k.arrived()
		last := uint64(0)
		o.mu.Lock()
		defer o.mu.Unlock()
		for _, batch := range o.batches {
			if batch[0] > last+1 {
				t.Errorf("%d came after %d", batch[0], last)
			}
			last = max(last, batch[len(batch)-1])
		}
	})
}

func TestAServerRestoredFromYesterdaysBackupGetsTheRestAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, k *kiosk) {
		k.give(30)
		k.arrived()
		yesterday := o.backup()
		k.give(45)
		k.arrived()
		o.restore(yesterday)
		if len(o.ratings()) != 30 {
			t.Fatalf("restored with %d", len(o.ratings()))
		}
		k.until("sent again", func() bool { return len(o.ratings()) == 75 })
		k.give(5)
		k.arrived()
	})
}

func TestWhatTheServerCannotKeepIsHeldAndTheRestGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, k *kiosk) {
		var refused string
		full := true
		o.mu.Lock()
		o.judge = func(r *pb.Rating) *pb.ItemOutcome { // with o.mu held
			switch {
			case r.GetDeviceSequence() == 4 && full:
				refused = r.GetId()
				return &pb.ItemOutcome{RatingId: r.GetId(), Outcome: pb.Outcome_OUTCOME_REJECTED, ReasonCode: "unit_unknown"}
			case r.GetDeviceSequence() == 6:
				o.stored[r.GetId()] = []byte("in quarantine")
				return &pb.ItemOutcome{RatingId: r.GetId(), Outcome: pb.Outcome_OUTCOME_CONFLICT, QuarantineId: "q", ReasonCode: "rating_conflict"}
			}
			return nil
		}
		o.mu.Unlock()
		k.give(10)
		k.until("the rest arrived", func() bool { return len(o.ratings()) == 9 && k.up.State().Queue == 1 })
		if o.ratings()[refused] != nil {
			t.Error("the refused one is stored")
		}
		o.mu.Lock()
		full = false
		o.mu.Unlock()
		k.until("tried again", func() bool { return o.ratings()[refused] != nil })
		k.arrived()
	})
}

func TestARatingTooLargeStandsAloneAndIsHeld(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, k *kiosk) {
		k.give(15)
		large := []journal.Item{{Rating: &pb.Rating{Id: "019a0000-0000-7000-8000-000000000001", UnitId: "U", DossierCode: strings.Repeat("x", messageLimit)}}}
		if _, err := k.journal.Append(t.Context(), large); err != nil {
			t.Fatal(err)
		}
		k.give(60)
		k.until("the rest arrived", func() bool { return len(o.ratings()) == 75 && k.up.State().Queue == 1 })
		if status, _ := k.journal.Status(t.Context()); status.Held != 1 {
			t.Errorf("status %+v", status)
		}
	})
}

func TestHeartbeatsTellHowTheDeviceIs(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, k *kiosk) {
		k.give(2)
		k.arrived()
		k.up.SetScreen(pb.ScreenState_SCREEN_STATE_IDLE)
		time.Sleep(3 * time.Minute)
		beats := func() []*pb.SendHeartbeatRequest {
			o.mu.Lock()
			defer o.mu.Unlock()
			return append([]*pb.SendHeartbeatRequest{}, o.beats...)
		}
		got := beats()
		if len(got) < 3 || len(got) > 8 {
			t.Fatalf("%d heartbeats in three minutes", len(got))
		}
		last := got[len(got)-1]
		if last.GetVersion() != "1.2" || last.GetMachineId() != "m1" || last.GetBootId() != k.clock.BootID() || last.GetQueueDepth() != 0 ||
			last.GetHighestSequence() != 2 || last.GetScreenState() != pb.ScreenState_SCREEN_STATE_IDLE || len(last.GetDays()) != 1 || last.GetDays()[0].GetCount() != 2 ||
			last.GetFreeBytes() == 0 || last.GetLastTouch() == nil || last.GetDeviceTime() == nil || len(last.GetTroubles()) != 0 {
			t.Errorf("told %v", last)
		}
		k.clock.shift(-26 * time.Hour)
		k.until("the wrong clock is said", func() bool { return k.up.State().Trouble == uplink.TroubleClock })
		if state := k.up.State(); state.Skew.Round(time.Minute) != -26*time.Hour || !state.Connected {
			t.Errorf("state %+v", state)
		}
		k.until("told to the server", func() bool {
			got := beats()
			last := got[len(got)-1].GetTroubles()
			return len(last) == 1 && last[0] == "clock_jumped"
		})
		k.give(1) // and ratings go on
		k.arrived()
		o.mu.Lock()
		o.cloned = true
		o.mu.Unlock()
		k.until("the clone is said", func() bool { return k.up.State().Trouble == uplink.TroubleCloned })
		k.give(1)
		k.arrived()
	})
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTheConfigurationIsPushedKeptAndUsedWithoutTheServer(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, k *kiosk) {
		if k.up.Configuration() != nil {
			t.Error("a configuration from nowhere")
		}
		o.photos = map[string][]byte{"lan": picture(t), "minh": []byte("<html>no photo</html>")}
		first := &pb.Configuration{Version: "1", DeviceId: k.journal.ID(), DeviceName: "Kiosk sảnh", Places: []*pb.ConfiguredPlace{{UnitId: "U"}},
			Officials: []*pb.ConfiguredOfficial{{Id: "lan", Name: "Trần Thị Lan", PhotoVersion: "a"}, {Id: "minh", PhotoVersion: "b"}, {Id: "hoa"}}}
		changed := k.up.Changed()
		o.configure(first)
		k.until("the configuration came", func() bool { return k.up.Configuration().GetVersion() == "1" })
		select {
		case <-changed:
		default:
			t.Error("nobody was told")
		}
		k.until("the photo came", func() bool { _, ok := k.up.Photo("lan"); return ok })
		for _, id := range []string{"minh", "hoa", "nobody"} {
			if _, ok := k.up.Photo(id); ok {
				t.Errorf("%s has a photo", id)
			}
		}
		if k.up.State().DeviceName != "Kiosk sảnh" || k.journal.Name() != "Kiosk sảnh" {
			t.Errorf("called %q", k.up.State().DeviceName)
		}
		o.stop()
		k.halt()
		k.start()
		if got := k.up.Configuration(); !proto.Equal(got, first) {
			t.Errorf("kept %v", got)
		}
		if data, ok := k.up.Photo("lan"); !ok || !bytes.Equal(data, o.photos["lan"]) {
			t.Error("the photo is gone")
		}
		o.start()
		second := proto.CloneOf(first)
		second.Version, second.Officials = "2", second.GetOfficials()[1:]
		o.configure(second)
		other := proto.CloneOf(second)
		other.Version, other.DeviceId = "3", "another"
		k.until("the second came", func() bool { return k.up.Configuration().GetVersion() == "2" })
		o.configure(other)
		time.Sleep(5 * time.Minute)
		if _, ok := k.up.Photo("lan"); ok || k.up.Configuration().GetVersion() != "2" {
			t.Errorf("works by %v", k.up.Configuration())
		}
	})
}

func TestEnrolment(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, k *kiosk) {
		k.give(4)
		k.arrived()
		id := k.journal.ID()
		renew := func() string {
			_, code, err := o.devices.RenewCode(t.Context(), "", id)
			if err != nil {
				t.Fatal(err)
			}
			return code.Text
		}
		wrong := func(code string) {
			t.Helper()
			if err := k.up.Enroll(t.Context(), "", code); status.Code(err) != codes.Unauthenticated {
				t.Errorf("enrolled with a wrong code: %v", err)
			}
			if k.journal.ID() != id {
				t.Error("another device now")
			}
		}
		wrong("7F3K-9QWD-XM2P")
		k.give(1)
		k.arrived() // a wrong code changes nothing

		// Another machine takes the device's place: this one is known no more.
		code := renew()
		spare := open(t, o, "")
		if err := uplink.NewCalls(spare, o.connection, o.manual).Enroll(t.Context(), code); err != nil {
			t.Fatal(err)
		}
		wrong(code) // it is used
		k.give(3)
		k.until("said to be unknown", func() bool { return k.up.State().Trouble == uplink.TroubleUnauthenticated })
		o.mu.Lock()
		o.lost = true
		o.mu.Unlock()
		if err := k.up.Enroll(t.Context(), "", renew()); err != nil { // the first answer is lost, and asked for again
			t.Fatal(err)
		}
		k.arrived()
		if k.journal.ID() != id {
			t.Error("not the same device")
		}
		if _, err := o.devices.Revoke(t.Context(), "", id); err != nil {
			t.Fatal(err)
		}
		k.give(2)
		k.until("said to be revoked", func() bool { return k.up.State().Trouble == uplink.TroubleRevoked })
		other, code := o.make()
		if err := k.up.Enroll(t.Context(), "", code); err != nil {
			t.Fatal(err)
		}
		k.arrived()
		if k.journal.ID() != other || k.journal.NextSequence() != 3 {
			t.Errorf("now %s at %d", k.journal.ID(), k.journal.NextSequence())
		}
	})
}

func TestACopyOfTheDiskCollectsAndSendsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, o *office, k *kiosk) {
		k.give(2)
		k.arrived()
		k.halt()
		k.machine = "m2"
		k.start()
		if state := k.up.State(); state.Trouble != uplink.TroubleCopied || state.Connected || !state.Enrolled {
			t.Errorf("state %+v", state)
		}
		k.give(3)
		time.Sleep(time.Hour)
		if len(o.ratings()) != 2 || k.up.State().Queue != 3 {
			t.Errorf("%d stored; %+v", len(o.ratings()), k.up.State())
		}
		_, code := o.make()
		if err := k.up.Enroll(t.Context(), "", code); err != nil {
			t.Fatal(err)
		}
		k.arrived()
		if state := k.up.State(); state.Trouble != "" || !state.Connected {
			t.Errorf("state %+v", state)
		}
	})
}

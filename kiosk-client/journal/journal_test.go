package journal

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/seal"
	"github.com/hailong-vn/hailong/kiosk-client/clock"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

var morning = time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC) // 8 o'clock in Vietnam

func openIn(t testing.TB, folder string, c clock.Clock) *Journal {
	t.Helper()
	j, err := Open(t.Context(), folder, Options{Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

func enrol(t testing.TB, j *Journal, id string) {
	t.Helper()
	public, err := j.Enrolling(t.Context(), "https://hailong.example.vn")
	if err == nil {
		_, err = j.Enrolled(t.Context(), Identity{DeviceID: id, Name: "Kiosk 1"}, public)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func start(score int32) Start {
	return Start{UnitID: "unit", CounterID: "counter", QuestionnaireID: "kiosk", QuestionnaireVersion: 1, Language: "vi", Answers: Answers{OverallScore: score}}
}

func begin(t testing.TB, j *Journal, score int32) string {
	t.Helper()
	id, err := j.Begin(t.Context(), start(score))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func pending(t testing.TB, j *Journal) []*pb.Rating {
	t.Helper()
	batch, err := j.Pending(t.Context(), 0, 1000, 1<<20)
	ok(t, err)
	who, _ := j.Identity()
	if len(batch.Items) > 0 {
		request, err := j.Request(batch)
		ok(t, err)
		ok(t, seal.Verify(who.Key.Public().(ed25519.PublicKey), request.GetSeal(), batch.Bytes()))
	}
	out := make([]*pb.Rating, len(batch.Items))
	for i, item := range batch.Items {
		out[i] = &pb.Rating{}
		ok(t, proto.Unmarshal(item.GetRating(), out[i]))
		var want []byte
		if item.GetPrivate() != nil {
			want, err = rating.Commitment(item.GetPrivate())
			ok(t, err)
		}
		if string(want) != string(out[i].GetPrivateCommitment()) || out[i].GetDeviceSequence() != batch.First+uint64(i) || out[i].GetDeviceId() != who.DeviceID {
			t.Fatalf("item %d is sealed as %v", i, out[i])
		}
	}
	return out
}

func TestARatingFromTheFirstTouchToTheQueue(t *testing.T) {
	c := clock.NewManual(morning)
	folder := filepath.Join(t.TempDir(), "state")
	j := openIn(t, folder, c)
	if _, err := j.Begin(t.Context(), start(4)); !errors.Is(err, ErrNotEnrolled) {
		t.Fatalf("begun before it was enrolled: %v", err)
	}
	enrol(t, j, "k1")
	c.Pass(time.Minute)
	id := begin(t, j, 2)
	c.Pass(3 * time.Second)
	ok(t, j.Change(t.Context(), id, Answers{OverallScore: 4, Answers: []*pb.Answer{{QuestionId: "attitude", Score: 5}}}))
	c.Pass(4 * time.Second)
	ok(t, j.Confirm(t.Context(), id, &pb.Private{Comment: "Chị Lan rất tận tình"}))
	c.Pass(30 * time.Second) // nobody touches it any more
	if status, err := j.Status(t.Context()); err != nil || status.Open != 1 || status.Queue != 0 {
		t.Errorf("before the seal: %+v, %v", status, err)
	}
	ok(t, j.Seal(t.Context(), id))
	ok(t, j.Seal(t.Context(), id))
	if err := j.Change(t.Context(), id, Answers{OverallScore: 1}); !errors.Is(err, ErrUnknown) {
		t.Errorf("changed after the seal: %v", err)
	}
	if err := j.Seal(t.Context(), "never"); !errors.Is(err, ErrUnknown) {
		t.Errorf("sealed what was never begun: %v", err)
	}
	second := begin(t, j, 5)
	ok(t, j.Seal(t.Context(), second))
	got := pending(t, j)
	if len(got) != 2 {
		t.Fatalf("%d ratings wait", len(got))
	}
	first := got[0]
	if first.GetId() != id || first.GetOverallScore() != 4 || first.GetChanges() != 1 || len(first.GetAnswers()) != 1 ||
		!first.GetOccurredAt().AsTime().Equal(morning.Add(time.Minute)) || first.GetSinceBoot().AsDuration() != time.Minute ||
		first.GetTaken().AsDuration() != 7*time.Second || first.GetBootId() != c.BootID() || first.SincePrevious != nil ||
		first.GetChannel() != pb.Channel_CHANNEL_KIOSK || first.GetDeviceSequence() != 1 || len(first.GetPrivateCommitment()) != 32 {
		t.Errorf("sealed as %v", first)
	}
	if got[1].GetSincePrevious().AsDuration() != 37*time.Second || got[1].GetChanges() != 0 || got[1].GetPrivateCommitment() != nil {
		t.Errorf("the second is sealed as %v", got[1])
	}
	status, err := j.Status(t.Context())
	if err != nil || status.Queue != 2 || status.HighestSequence != 2 || status.Open != 0 || len(status.Days) != 1 || status.Days[0] != (DayCount{"2026-11-23", 2}) ||
		!status.LastTouch.Equal(c.Now()) || len(status.Troubles) != 0 {
		t.Errorf("status %+v, %v", status, err)
	}
	files, err := os.ReadDir(folder)
	ok(t, err)
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %v, %v", f.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, %v", info.Mode(), err)
	}
	if _, err := Open(t.Context(), folder, Options{}); !errors.Is(err, ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
}

func TestWhatWasLeftOpenIsSealedByTheNextStart(t *testing.T) {
	c := clock.NewManual(morning)
	folder := t.TempDir()
	j := openIn(t, folder, c)
	enrol(t, j, "k1")
	one, two := begin(t, j, 1), begin(t, j, 2)
	ok(t, j.Close())
	c.Restart()
	c.Set(morning.AddDate(-1, 0, 0)) // and the clock has lost its battery
	j = openIn(t, folder, c)
	got := pending(t, j)
	if len(got) != 2 || got[0].GetId() != one || got[1].GetId() != two || got[0].GetBootId() == c.BootID() {
		t.Fatalf("%v wait", got)
	}
	if err := j.Confirm(t.Context(), one, &pb.Private{Comment: "x"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("confirmed after the start: %v", err)
	}
	ok(t, j.Close())
	if got := pending(t, openIn(t, folder, c)); len(got) != 2 {
		t.Errorf("sealed again: %v", got)
	}
}

func TestAMemoryJournalServes(t *testing.T) {
	j, err := Open(t.Context(), "", Options{Volatile: true})
	ok(t, err)
	defer func() { ok(t, j.Close()) }()
	enrol(t, j, "k1")
	ok(t, j.Seal(t.Context(), begin(t, j, 3)))
	ok(t, j.KeepConfiguration(t.Context(), &pb.Configuration{Version: "7"}))
	if got, err := j.Configuration(t.Context()); err != nil || got.GetVersion() != "7" || len(pending(t, j)) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

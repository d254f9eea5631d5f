package journal

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/kiosk-client/clock"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// loose opens a journal that is not synced: what is tried here does not depend on it.
func loose(t *testing.T, folder string, c clock.Clock) *Journal {
	t.Helper()
	j, err := Open(t.Context(), folder, Options{Clock: c, Volatile: true})
	ok(t, err)
	t.Cleanup(func() { ok(t, j.Close()) })
	return j
}

// long is how often something is tried: more where HAILONG_LONG asks for it.
func long(short, much int) int {
	if os.Getenv("HAILONG_LONG") != "" {
		return much
	}
	return short
}

// row is a sealed rating as it stands in the journal.
type row struct {
	sequence uint64
	id       string
	rating   []byte
}

func rowsOf(t fatal, j *Journal) (rows []row) {
	if err := j.view(context.Background(), func(ctx context.Context, c *conn) error {
		rows = nil
		return c.rows(ctx, func(scan func(...any) error) error {
			var r row
			err := scan(&r.sequence, &r.id, &r.rating)
			rows = append(rows, r)
			return err
		}, "SELECT sequence, id, rating FROM ratings ORDER BY sequence")
	}); err != nil {
		t.Fatal(err)
	}
	return rows
}

// fatal is a test of either kind.
type fatal interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

// template is a closed journal of 400 ratings, of which 120 have arrived, with a configuration and a rating left open.
func template(t *testing.T, c clock.Clock) (folder string, rows []row, open string) {
	t.Helper()
	folder = filepath.Join(t.TempDir(), "state")
	j, err := Open(t.Context(), folder, Options{Clock: c, Volatile: true})
	ok(t, err)
	enrol(t, j, "k1")
	fill(t, j, 400)
	ok(t, j.Acknowledge(t.Context(), 1, 120, c.Now()))
	ok(t, j.KeepConfiguration(t.Context(), &pb.Configuration{Version: "1", DeviceId: "k1"}))
	open = begin(t, j, 2)
	rows = rowsOf(t, j)
	ok(t, j.Close())
	return folder, rows, open
}

// copied is a copy of a folder that nobody has open.
func copied(t fatal, from, to string) {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
}

// checkSalvaged makes sure of what holds after any damage; it answers how many ratings are left.
func checkSalvaged(t fatal, j *Journal, before []row) int {
	if who, enrolled := j.Identity(); !enrolled || who.DeviceID != "k1" {
		t.Fatalf("it has forgotten who it is: %v", who)
	}
	was := map[uint64]row{}
	for _, r := range before {
		was[r.sequence] = r
	}
	after, kept := rowsOf(t, j), 0
	for _, r := range after {
		old, known := was[r.sequence]
		switch {
		case known && !bytes.Equal(old.rating, r.rating):
			t.Fatalf("sequence %d is another rating now", r.sequence)
		case known:
			kept++
		case r.sequence <= before[len(before)-1].sequence:
			t.Fatalf("sequence %d is given again", r.sequence)
		}
	}
	// The queue is what is there and has not arrived, and drains.
	status, err := j.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	waiting := 0
	for _, r := range after {
		if r.sequence > status.AcknowledgedThrough {
			waiting++
		}
	}
	if status.Queue != uint64(waiting) {
		t.Fatalf("%d are said to wait, %d do: %+v", status.Queue, waiting, status)
	}
	drained := 0
	for {
		batch, err := j.Pending(context.Background(), 0, 50, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch.Items) == 0 {
			break
		}
		r := &pb.Rating{}
		if err := proto.Unmarshal(batch.Items[0].GetRating(), r); err != nil || r.GetDeviceSequence() != batch.First {
			t.Fatalf("batch from %d begins with %d, %v", batch.First, r.GetDeviceSequence(), err)
		}
		drained += len(batch.Items)
		if err := j.Acknowledge(context.Background(), batch.First, batch.Last(), j.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if after, err := j.Status(context.Background()); err != nil || drained != waiting || after.Queue != 0 {
		t.Fatalf("%d of %d drained, %+v, %v", drained, waiting, after, err)
	}
	return kept
}

func TestADamagedFileIsSetAsideAndWhatIsSoundIsKept(t *testing.T) {
	c := clock.NewManual(morning)
	folder, before, open := template(t, c)
	const page = 4096
	tail := func(data []byte, n int) []byte { return data[len(data)-n:] }
	for _, test := range []struct {
		name   string
		least  int // ratings that must be kept
		damage func(data []byte) []byte
	}{
		{"truncated by a page", 350, func(d []byte) []byte { return d[:len(d)-page] }},
		{"truncated in the middle of a page", 350, func(d []byte) []byte { return d[:len(d)-page/2] }},
		{"cut in half", 100, func(d []byte) []byte { return d[:len(d)/2] }},
		{"torn last page", 350, func(d []byte) []byte { copy(tail(d, page/2), bytes.Repeat([]byte{0xa5}, page/2)); return d }},
		{"zeroed tail", 250, func(d []byte) []byte { clear(tail(d, 5*page)); return d }},
		{"a page in the middle", 300, func(d []byte) []byte { clear(d[len(d)/2/page*page:][:page]); return d }},
		{"the first page", 0, func(d []byte) []byte { clear(d[:page]); return d }},
		{"another file's content", 0, func(d []byte) []byte { return bytes.Repeat([]byte("không phải"), len(d)/10) }},
		{"empty", 0, func([]byte) []byte { return nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			here := filepath.Join(t.TempDir(), "state")
			copied(t, folder, here)
			path := filepath.Join(here, fileName)
			data, err := os.ReadFile(path)
			ok(t, err)
			data = test.damage(data)
			ok(t, os.WriteFile(path, data, 0o600))
			c.Restart()
			j := loose(t, here, c)
			if kept := checkSalvaged(t, j, before); kept < test.least {
				t.Errorf("%d of %d kept, at least %d are sound", kept, len(before), test.least)
			}
			status, err := j.Status(t.Context())
			if err != nil || !slices.Contains(status.Troubles, "journal_damaged") {
				t.Errorf("nothing is said: %+v, %v", status, err)
			}
			if _, err := os.Stat(filepath.Join(here, "journal-damaged-1.db")); err != nil {
				t.Errorf("what was damaged is not set aside: %v", err)
			}
			id := begin(t, j, 5)
			ok(t, j.Seal(t.Context(), id))
			if test.least > 300 && !slices.ContainsFunc(rowsOf(t, j), func(r row) bool { return r.id == open }) {
				t.Error("the open rating is lost")
			}
			ok(t, j.Close())
			c.Restart()
			j = loose(t, here, c) // and it is sound from here on
			if _, err := os.Stat(filepath.Join(here, "journal-damaged-2.db")); err == nil {
				t.Error("damaged again")
			}
			if rows := rowsOf(t, j); rows[len(rows)-1].id != id {
				t.Error("the new rating is lost")
			}
			c.Pass(8 * 24 * 3600e9)
			if status, _ := j.Status(t.Context()); len(status.Troubles) != 0 {
				t.Errorf("still told after a week: %+v", status)
			}
		})
	}
}

// Wherever the damage is: the device goes on, and no sequence is given twice.
func TestAnyDamage(t *testing.T) {
	c := clock.NewManual(morning)
	folder, before, _ := template(t, c)
	whole, err := os.ReadFile(filepath.Join(folder, fileName))
	ok(t, err)
	rounds := long(12, 100)
	rapid.Check(t, func(rt *rapid.T) {
		if rounds--; rounds < 0 {
			return
		}
		here := filepath.Join(t.TempDir(), "state")
		copied(rt, folder, here)
		data := bytes.Clone(whole)
		for range rapid.IntRange(1, 3).Draw(rt, "places") {
			at := rapid.IntRange(0, len(data)-1).Draw(rt, "at")
			n := min(rapid.SampledFrom([]int{1, 100, 4096, 20_000}).Draw(rt, "bytes"), len(data)-at)
			switch rapid.SampledFrom([]string{"zero", "noise", "cut"}).Draw(rt, "how") {
			case "zero":
				clear(data[at : at+n])
			case "noise":
				for i := range n {
					data[at+i] ^= byte(37*i + 11)
				}
			case "cut":
				data = data[:max(at, 1)]
			}
		}
		if err := os.WriteFile(filepath.Join(here, fileName), data, 0o600); err != nil {
			rt.Fatal(err)
		}
		c.Restart()
		j, err := Open(context.Background(), here, Options{Clock: c, Volatile: true})
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = j.Close() }()
		id, err := j.Begin(context.Background(), start(3))
		if err == nil {
			err = j.Seal(context.Background(), id)
		}
		if err != nil {
			rt.Fatal(err)
		}
		if next := j.NextSequence(); next <= before[len(before)-1].sequence+1 {
			rt.Fatalf("goes on at %d after %d", next, before[len(before)-1].sequence)
		}
	})
}

func TestADamageFoundWhileItRunsIsMended(t *testing.T) {
	c := clock.NewManual(morning)
	folder, _, _ := template(t, c)
	j := loose(t, folder, c)
	before := rowsOf(t, j)
	open := begin(t, j, 1)
	ok(t, j.view(t.Context(), func(ctx context.Context, cn *conn) error {
		_, err := cn.exec(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
		return err
	}))
	path := filepath.Join(folder, fileName)
	data, err := os.ReadFile(path)
	ok(t, err)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	ok(t, err)
	for at := len(data) / 8; at < len(data); at += 40_000 { // many pages of what is not in its cache
		_, err := file.WriteAt(bytes.Repeat([]byte{0x5a}, 4096), int64(at/4096*4096))
		ok(t, err)
	}
	ok(t, file.Close())
	ok(t, j.Change(t.Context(), open, Answers{OverallScore: 2}))
	checkSalvaged(t, j, before)
	if _, err := os.Stat(filepath.Join(folder, "journal-damaged-1.db")); err != nil {
		t.Fatal("nothing was found")
	}
	ok(t, j.Seal(t.Context(), open))
	if j.NextSequence() != before[len(before)-1].sequence+2 {
		t.Errorf("goes on at %d: what is in memory was known", j.NextSequence())
	}
}

func TestARestoreThatWasCutOffIsFinished(t *testing.T) {
	c := clock.NewManual(morning)
	folder, before, _ := template(t, c)
	salvaged := filepath.Join(t.TempDir(), "state")
	copied(t, folder, salvaged)
	// The new file is whole, and the power is cut before and in the middle of the change of places.
	ok(t, os.Rename(filepath.Join(salvaged, fileName), filepath.Join(salvaged, salvagedName)))
	for name, half := range map[string]bool{"before": false, "in the middle": true} {
		t.Run(name, func(t *testing.T) {
			here := filepath.Join(t.TempDir(), "state")
			copied(t, salvaged, here)
			ok(t, os.WriteFile(filepath.Join(here, fileName+"-wal"), []byte("damaged log"), 0o600))
			if !half {
				ok(t, os.WriteFile(filepath.Join(here, fileName), []byte("damaged"), 0o600))
			}
			c.Restart()
			j := loose(t, here, c)
			if kept := checkSalvaged(t, j, before); kept != len(before) {
				t.Errorf("%d kept", kept)
			}
			if data, err := os.ReadFile(filepath.Join(here, "journal-damaged-1.db-wal")); err != nil || string(data) != "damaged log" {
				t.Errorf("set aside: %q, %v", data, err)
			}
		})
	}
}

func TestWhoTheDeviceIsSurvivesTheLossOfTheFile(t *testing.T) {
	c := clock.NewManual(morning)
	folder, before, _ := template(t, c)
	ok(t, os.Remove(filepath.Join(folder, fileName)))
	c.Restart()
	j := loose(t, folder, c)
	if who, enrolled := j.Identity(); !enrolled || who.DeviceID != "k1" || len(who.Key) == 0 {
		t.Fatalf("now %v", who)
	}
	ok(t, j.Seal(t.Context(), begin(t, j, 3)))
	if rows := rowsOf(t, j); len(rows) != 1 || rows[0].sequence <= before[len(before)-1].sequence {
		t.Errorf("goes on with %v", rows)
	}
}

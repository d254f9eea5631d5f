package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// BenchmarkTouch compares a touch, durable, with what the disk needs for one sync of as many bytes appended to a file; both in turn,
// so that they have the same neighbours. Run it with -benchtime=2000x.
func BenchmarkTouch(b *testing.B) {
	folder := b.TempDir()
	j := openIn(b, filepath.Join(folder, "state"), nil)
	enrol(b, j, "k1")
	raw, err := os.OpenFile(filepath.Join(folder, "raw"), os.O_CREATE|os.O_WRONLY, 0o600)
	ok(b, err)
	defer func() { _ = raw.Close() }()
	frame := bytes.Repeat([]byte("hailong"), 4120/7+1)[:4120] // a page of the write-ahead log and its header
	touches, syncs := make([]time.Duration, 0, b.N), make([]time.Duration, 0, b.N)
	id := ""
	touch := func() {
		at := time.Now()
		id = begin(b, j, 4)
		touches = append(touches, time.Since(at))
	}
	appendRaw := func() {
		at := time.Now()
		_, err := raw.Write(frame)
		ok(b, errors.Join(err, raw.Sync()))
		syncs = append(syncs, time.Since(at))
	}
	for n := 0; b.Loop(); n++ {
		if n%2 == 0 { // whoever comes second finds a disk that has just been synced
			touch()
			appendRaw()
		} else {
			appendRaw()
			touch()
		}
		ok(b, j.Seal(b.Context(), id)) // as it goes on at a counter; not measured
	}
	b.ReportMetric(0, "ns/op")
	for name, of := range map[string][]time.Duration{"touch": touches, "fsync": syncs} {
		slices.Sort(of)
		b.ReportMetric(float64(of[len(of)/2].Microseconds()), name+"-p50-µs")
		b.ReportMetric(float64(of[len(of)*99/100].Microseconds()), name+"-p99-µs")
	}
	b.ReportMetric(float64((touches[len(touches)*99/100] - syncs[len(syncs)*99/100]).Microseconds()), "difference-p99-µs")
}

// BenchmarkDrain reads and acknowledges a queue of 100,000 without a network, and tells how much memory that took.
func BenchmarkDrain(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		j := openIn(b, b.TempDir(), nil)
		enrol(b, j, "k1")
		fill(b, j, 100_000)
		runtime.GC()
		var before, peak, now runtime.MemStats
		runtime.ReadMemStats(&before)
		b.StartTimer()
		items := 0
		for at := uint64(0); ; {
			batch, err := j.Pending(b.Context(), at, 500, 512<<10)
			ok(b, err)
			if len(batch.Items) == 0 {
				break
			}
			items += len(batch.Items)
			at = batch.Last()
			ok(b, j.Acknowledge(b.Context(), batch.First, at, time.Time{}))
			if items%10_000 == 0 {
				runtime.ReadMemStats(&now)
				peak.HeapInuse = max(peak.HeapInuse, now.HeapInuse)
			}
		}
		b.StopTimer()
		if status, err := j.Status(b.Context()); err != nil || items != 100_000 || status.Queue != 0 {
			b.Fatalf("%d drained, %+v, %v", items, status, err)
		}
		b.ReportMetric(float64(int64(peak.HeapInuse)-int64(before.HeapInuse))/(1<<20), "MB-more") //nolint:gosec // far below
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds(), "ratings/s")
}

// fill queues n ratings.
func fill(t testing.TB, j *Journal, n int) {
	t.Helper()
	for at := 0; at < n; at += 1000 {
		items := make([]Item, min(1000, n-at))
		for i := range items {
			items[i] = Item{Rating: &pb.Rating{Id: uuid.Must(uuid.NewV7()).String(), UnitId: "unit", CounterId: "counter", OfficialId: "official", QuestionnaireId: "kiosk",
				QuestionnaireVersion: 1, OverallScore: 4, Language: "vi", TicketCode: fmt.Sprint(at + i)}}
			if i%10 == 0 {
				items[i].Private = &pb.Private{Comment: "Làm việc nhanh, nhiệt tình"}
			}
		}
		_, err := j.Append(t.Context(), items)
		ok(t, err)
	}
}

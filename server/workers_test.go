package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/status"

	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Three workers fold the same cells beside two servers, one worker is killed in the middle, and at no moment does a figure go
// backwards; in the end all are what was sent, counted two ways.
func TestManyWorkers(t *testing.T) {
	config := onMongoDB(t)
	config.Worker = "off"
	writing, reading := start(t, config), start(t, config)
	admin := writing.admin()
	top := writing.unit(admin, "", "Tỉnh Thử")
	units := make([]string, 13) // the first is hot, the others are cold
	for i := range units {
		units[i] = writing.unit(admin, top, fmt.Sprint("Xã ", i))
	}
	for _, unit := range units { // the other server hears of them
		eventually(t, "the other server knows "+unit, func() bool {
			_, err := reading.directory().GetUnit(admin, &pb.GetUnitRequest{UnitId: unit})
			return err == nil
		})
	}
	program := filepath.Join(build(t, "../analytics/hailong-analytics"), "hailong-analytics")
	var workers []*process
	for range 3 {
		workers = append(workers, launch(t, true, nil, program, "-mongodb", config.MongoDB, "-redis", config.Redis, "-http", "127.0.0.1:0"))
	}

	j := newJournal()
	ratings := int64(6_000)
	if testing.Short() {
		ratings = 2_000
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var readers, writers sync.WaitGroup
	var killed atomic.Bool
	for _, unit := range append([]string{top}, units[:4]...) {
		readers.Go(func() { readForward(admin, reading, unit, ctx.Done()) })
	}
	for client := range 4 {
		writers.Go(func() {
			for i := client; ctx.Err() == nil && (j.count.Load() < ratings || !killed.Load()); i++ {
				unit, batch := units[0], 1+i%40
				if i%5 == 0 {
					unit = units[1+i/5%(len(units)-1)]
				}
				if j.count.Load() >= ratings {
					batch = 1 // a trickle, until every worker had its share
				}
				response, err := writing.ratings().SubmitRatings(admin, &pb.SubmitRatingsRequest{Items: j.write(t, unit, batch)})
				if err != nil {
					t.Errorf("sending while a worker is killed: %v", err)
					return
				}
				for _, outcome := range response.GetOutcomes() {
					if err := j.acknowledge(outcome); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	eventually(t, "half of the ratings are stored", func() bool { return j.count.Load() >= ratings/2 })
	eventually(t, "every worker folds", func() bool {
		return !slices.ContainsFunc(workers, func(p *process) bool { return foldedBy(t, p) == 0 })
	})
	workers[0].kill()
	killed.Store(true)
	writers.Wait()

	total := uint32(0)
	for unit, n := range j.counts() {
		reading.summary(admin, unit, n)
		total += n
	}
	summary := reading.summary(admin, top, total)
	stop()
	readers.Wait()
	var sent [5]uint32
	for i := range total {
		sent[i%5]++ // as the journal deals scores out
	}
	if got := summary.GetPooled().GetCounts(); !slices.Equal(got, sent[:]) {
		t.Errorf("counts %v, want %v", got, sent)
	}
	for _, p := range workers[1:] {
		if err := p.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if status := p.wait(t); status != 0 {
			t.Errorf("asked to stop, a worker ended with %d\n%s", status, p.log.String())
		}
	}
	t.Setenv("HAILONG_CONTACT_KEY", config.ContactKey)
	var found, said terminalText
	at := &terminal{Language: language.English, stdout: &found, stderr: &said}
	if err := at.dispatch(t.Context(), []string{"reconcile", "-mongodb", config.MongoDB, "-redis", config.Redis}); err != nil {
		t.Errorf("reconcile: %v\n%s%s", err, found.String(), said.String())
	}
	if want := "of " + language.English.Number(float64(total), 0) + " records"; !strings.Contains(said.String(), want) {
		t.Errorf("reconcile said %s, want %q", said.String(), want)
	}
	t.Logf("%d ratings of %d units; %s", total, len(j.counts()), said.String())
}

// readForward reads a unit's figures again and again: n grows or stands, and the counts are those of n.
func readForward(ctx context.Context, s *running, unit string, done <-chan struct{}) {
	last, reads := uint32(0), 0
	for reading := true; reading; reads++ {
		summary, err := s.analytics().GetUnitSummary(ctx, &pb.GetUnitSummaryRequest{UnitId: unit})
		if err != nil {
			s.t.Errorf("reading while workers fold: %v", status.Convert(err))
			return
		}
		n, counted := summary.GetPooled().GetN(), uint32(0)
		for _, count := range summary.GetPooled().GetCounts() {
			counted += count
		}
		if n < last || n >= 5 && counted != n {
			s.t.Errorf("%s: n %d after %d, counts %v", unit, n, last, summary.GetPooled().GetCounts())
		}
		last = n
		select {
		case <-done:
			reading = false
		case <-time.After(5 * time.Millisecond):
		}
	}
	if reads < 5 {
		s.t.Errorf("%s was read only %d times", unit, reads)
	}
}

// eventually waits for what must come, on a busy machine too.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

var foldsOf = regexp.MustCompile(`(?m)^hailong_fold_seconds_count (\d+)`)

// foldedBy is how many times a worker has folded, by its own metrics.
func foldedBy(t *testing.T, p *process) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.ready.HTTP+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := foldsOf.FindSubmatch(text)
	if found == nil {
		return 0
	}
	count, _ := strconv.Atoi(string(found[1]))
	return count
}

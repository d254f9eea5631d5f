package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
)

func TestMain(m *testing.M) {
	if place := os.Getenv(doomed); place != "" {
		fmt.Fprintln(os.Stderr, workUntilKilled(place))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// onEngines runs a test on both engines.
func onEngines(t *testing.T, test func(t *testing.T, engine store.Engine)) {
	t.Run("sqlite", func(t *testing.T) {
		engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = engine.Close() })
		test(t, engine)
	})
	t.Run("mongodb", func(t *testing.T) {
		engine, err := mongodb.Open(t.Context(), testengine.WithDatabase(testengine.MongoDB(t)), mongodb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = engine.Close() })
		test(t, engine)
	})
}

// clock is a clock that people move, beside time going on.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	c.ahead += d
	c.mu.Unlock()
}

// process opens a runner as one process would.
func process(t *testing.T, engine store.Engine, now func() time.Time, kinds map[string]Work) *Runner {
	t.Helper()
	r, err := Open(t.Context(), engine, Options{Kinds: kinds, Every: 10 * time.Millisecond, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func begin(t *testing.T, r *Runner, kind string) Job {
	t.Helper()
	j, err := r.Start(t.Context(), New{Kind: kind, Subject: "tệp.csv", Input: []byte("dữ liệu"), By: By{Name: "an", Language: "vi"}})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// until waits until a job is as wanted.
func until(t *testing.T, r *Runner, id string, what string, fits func(Job) bool) Job {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		j, err := r.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if fits(j) {
			return j
		}
		if time.Now().After(deadline) {
			t.Fatalf("the job is not %s: %+v", what, j)
		}
	}
}

func in(state State) func(Job) bool { return func(j Job) bool { return j.State == state } }

func kept(t *testing.T, engine store.Engine, j Job) bool {
	t.Helper()
	blob, err := engine.Blobs().Open(t.Context(), j.Input)
	if errors.Is(err, store.ErrNotFound) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	return blob.Close() == nil
}

func TestHowAJobEnds(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		for _, c := range []struct {
			name   string
			work   Work
			state  State
			report string
		}{
			{"done", func(ctx context.Context, run *Run) error {
				input, err := run.Input(ctx)
				run.Progress(7, 7)
				run.Report([]Line{Says("job.check_only"), {Row: 3, Words: string(input)}}, 0)
				return err
			}, Done, "job.check_only; 3 dữ liệu"},
			{"a fault is told", func(context.Context, *Run) error { return fault.New(fault.Invalid, "job_month_invalid", "month", "13") }, Failed, "fault.job_month_invalid"},
			{"what is ours is not", func(context.Context, *Run) error { return errors.New("mật khẩu của kho: 123") }, Failed, "fault.internal"},
			{"panic", func(_ context.Context, run *Run) error {
				run.Report([]Line{Says("job.check_only")}, 0)
				panic("mật khẩu của kho: 123")
			}, Failed, "fault.internal; job.check_only"},
		} {
			t.Run(c.name, func(t *testing.T) {
				r := process(t, engine, nil, map[string]Work{"w": c.work})
				j := until(t, r, begin(t, r, "w").ID, "ended", func(j Job) bool { return j.State.Ended() })
				var report []string
				for _, line := range j.Report {
					report = append(report, strings.TrimSpace(line.Key+strings.TrimLeft(fmt.Sprint(line.Row, " ", line.Words), "0 ")))
				}
				if j.State != c.state || strings.Join(report, "; ") != c.report || j.EndedAt.IsZero() || j.Subject != "tệp.csv" {
					t.Errorf("%+v, report %q", j, report)
				}
				r.Close()
				if kept(t, engine, j) {
					t.Error("what it worked on was not removed")
				}
			})
		}
	})
}

// steps is work of n steps that waits for leave before each.
func steps(n int64, leave <-chan struct{}) Work {
	return func(ctx context.Context, run *Run) error {
		for i := range n {
			select {
			case <-leave:
			case <-ctx.Done():
				return ctx.Err()
			}
			run.Progress(i+1, n)
		}
		return nil
	}
}

func TestProgressIsSeenAndStoppedByAnotherProcess(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		leave := make(chan struct{})
		kinds := map[string]Work{"w": steps(100, leave)}
		here, there := process(t, engine, nil, kinds), process(t, engine, nil, kinds)
		j := begin(t, here, "w")
		for range 3 {
			leave <- struct{}{}
		}
		until(t, there, j.ID, "at 3 of 100", func(j Job) bool { return j.Done == 3 && j.Total == 100 })
		if asked, err := there.Cancel(t.Context(), j.ID); err != nil || asked.State != Running {
			t.Errorf("asked: %+v, %v", asked, err)
		}
		ended := until(t, there, j.ID, "cancelled", in(Cancelled))
		if again, err := here.Cancel(t.Context(), j.ID); err != nil || again.State != Cancelled || !again.EndedAt.Equal(ended.EndedAt) {
			t.Errorf("cancelled again: %+v, %v", again, err)
		}
		if _, err := here.Cancel(t.Context(), "none"); !fault.Is(err, fault.NotFound) {
			t.Errorf("no job: %v", err)
		}
	})
}

func TestNoMoreThanSoManyAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		leave := make(chan struct{})
		r := process(t, engine, nil, map[string]Work{"w": steps(1, leave)})
		first := begin(t, r, "w")
		begin(t, r, "w")
		_, err := r.Start(t.Context(), New{Kind: "w"})
		if fault.Of(err).Reason != "job_too_many" || fault.Of(err).Code != fault.Exhausted {
			t.Errorf("a third: %v", err)
		}
		if text := language.Vietnamese.Text("fault.job_too_many", fault.Of(err).Args...); !strings.Contains(text, "2") {
			t.Errorf("words: %s", text)
		}
		if _, err := r.Cancel(t.Context(), first.ID); err != nil {
			t.Fatal(err)
		}
		until(t, r, first.ID, "cancelled", in(Cancelled))
		for {
			if _, err = r.Start(t.Context(), New{Kind: "w"}); !fault.Is(err, fault.Exhausted) { // the place is given back a moment later
				break
			}
		}
		if err != nil {
			t.Error(err)
		}
	})
}

func TestStoppedServerGoesOn(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		leave := make(chan struct{})
		first := process(t, engine, nil, map[string]Work{"w": steps(2, leave)})
		j := begin(t, first, "w")
		leave <- struct{}{}
		first.Close()
		second := process(t, engine, nil, map[string]Work{"w": steps(2, leave)})
		if stopped, err := second.Get(t.Context(), j.ID); err != nil || stopped.State != Interrupted || stopped.Done != 1 || !kept(t, engine, j) {
			t.Errorf("stopped: %+v, %v", stopped, err)
		}
		if _, err := first.Start(t.Context(), New{Kind: "w"}); fault.Of(err).Reason != "job_stopping" {
			t.Errorf("a job of a process that stops: %v", err)
		}
		if err := second.takeUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		leave <- struct{}{}
		leave <- struct{}{}
		until(t, second, j.ID, "done", in(Done))
	})
}

// A process that is gone gives no sign: its job is shown as interrupted, taken up by another a few times, and then given up.
func TestKilledProcess(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		var now clock
		work := map[string]Work{"w": func(ctx context.Context, _ *Run) error { <-ctx.Done(); return ctx.Err() }}
		// Its signs come once an hour: as far as others see, it is gone.
		gone, err := Open(t.Context(), engine, Options{Kinds: work, Every: time.Hour, Now: now.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(gone.Close)
		j := begin(t, gone, "w")
		for attempt := 2; attempt <= 3; attempt++ {
			now.move(31 * time.Second)
			other, err := Open(t.Context(), engine, Options{Kinds: work, Every: time.Hour, Now: now.Now})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(other.Close)
			if seen, err := other.Get(t.Context(), j.ID); err != nil || seen.State != Interrupted {
				t.Errorf("attempt %d: %+v, %v", attempt, seen, err)
			}
			if err := other.takeUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			if seen, err := other.Get(t.Context(), j.ID); err != nil || seen.State != Running || seen.Attempts != attempt {
				t.Errorf("taken up: %+v, %v", seen, err)
			}
		}
		now.move(31 * time.Second)
		last := process(t, engine, now.Now, work)
		for range 2 {
			if err := last.takeUp(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if seen, err := last.Get(t.Context(), j.ID); err != nil || seen.State != Interrupted || seen.Attempts != 3 || !kept(t, engine, j) {
			t.Errorf("given up: %+v, %v", seen, err)
		}
		if seen, err := last.Cancel(t.Context(), j.ID); err != nil || seen.State != Cancelled || kept(t, engine, j) {
			t.Errorf("cancelled: %+v, %v", seen, err)
		}
	})
}

// A process that only was slow finds that another took its job up, and lets it alone.
func TestSlowProcessLetsGo(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		var now clock
		ended := make(chan error, 1)
		slow := process(t, engine, now.Now, map[string]Work{"w": func(ctx context.Context, run *Run) error {
			run.Progress(1, 2)
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return ctx.Err()
		}})
		leave := make(chan struct{})
		quick := process(t, engine, now.Now, map[string]Work{"w": steps(9, leave)})
		j := begin(t, slow, "w")
		for taken := false; !taken; {
			now.move(40 * time.Second) // until the other sees no sign of it
			if err := quick.takeUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			quick.mu.Lock()
			taken = quick.running[j.ID] != nil
			quick.mu.Unlock()
		}
		if cause := <-ended; !errors.Is(cause, errTaken) {
			t.Errorf("it ended by %v", cause)
		}
		for range 9 {
			leave <- struct{}{}
		}
		until(t, quick, j.ID, "done", func(j Job) bool { return j.State == Done && j.Done == 9 })
	})
}

func TestReportIsBounded(t *testing.T) {
	run := newRun(Job{}, nil)
	lines := make([]Line, MaxLines+5)
	for i := range lines {
		lines[i] = Line{Words: strings.Repeat("ạ", 1000), Args: []any{"n", i, "e", errors.New(strings.Repeat("x", 1000))}}
	}
	run.Report(lines, 2)
	var j Job
	run.fill(&j)
	if len(j.Report) != MaxLines || j.More != 7 {
		t.Errorf("%d lines and %d more", len(j.Report), j.More)
	}
	if line := j.Report[3]; len(line.Words) > maxText+3 || !strings.HasSuffix(line.Words, "ạ…") || line.Args[1] != int64(3) || len(line.Args[3].(string)) > maxText+3 {
		t.Errorf("%+v", line)
	}
}

func TestListIsPaged(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		r := process(t, engine, nil, map[string]Work{"w": func(context.Context, *Run) error { return nil }})
		var want []string
		for range 5 {
			var j Job
			for { // a place is given back a moment after the end
				var err error
				if j, err = r.Start(t.Context(), New{Kind: "w"}); err == nil {
					break
				}
				if !fault.Is(err, fault.Exhausted) {
					t.Fatal(err)
				}
			}
			until(t, r, j.ID, "done", in(Done))
			want = append([]string{j.ID}, want...)
			time.Sleep(2 * time.Millisecond) // of another millisecond
		}
		var got []string
		for after, pages := store.Cursor(""), 0; pages == 0 || after != ""; pages++ {
			jobs, next, err := r.List(t.Context(), 2, after)
			if err != nil || pages > 5 {
				t.Fatal(pages, err)
			}
			for _, j := range jobs {
				got = append(got, j.ID)
			}
			after = next
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if _, _, err := r.List(t.Context(), 2, "nonsense"); !fault.Is(err, fault.Invalid) {
			t.Errorf("a page that is none: %v", err)
		}
	})
}

func TestWhatIsKeptForAWhile(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		var now clock
		fails := map[string]Work{"good": func(context.Context, *Run) error { return nil }, "bad": func(context.Context, *Run) error { return errors.New("no") }}
		r := process(t, engine, now.Now, fails)
		start := func(kind string, keep time.Duration) Job {
			t.Helper()
			j, err := r.Start(t.Context(), New{Kind: kind, Input: []byte("dữ liệu"), By: By{Account: "a-an", Name: "an"}, Keep: keep})
			if err != nil {
				t.Fatal(err)
			}
			return until(t, r, j.ID, "ended", func(j Job) bool { return j.State.Ended() })
		}
		j := start("good", time.Hour)
		for _, c := range []struct {
			name, id, account, reason string
		}{
			{"by its owner", j.ID, "a-an", ""},
			{"by another", j.ID, "a-ba", "job_kept_for_another"},
			{"by nobody", j.ID, "", "job_kept_for_another"},
			{"not to be kept", start("good", 0).ID, "a-an", "job_keeps_nothing"},
			{"failed", start("bad", time.Hour).ID, "a-an", "job_keeps_nothing"},
			{"no such job", "none", "a-an", "job_unknown"},
		} {
			input, err := r.Kept(t.Context(), c.id, c.account)
			if c.reason == "" && (err != nil || string(input) != "dữ liệu") || c.reason != "" && (err == nil || fault.Of(err).Reason != c.reason) {
				t.Errorf("%s: %q, %v", c.name, input, err)
			}
		}
		now.move(59 * time.Minute)
		if err := r.expire(t.Context()); err != nil || !kept(t, engine, j) {
			t.Errorf("removed too early: %v", err)
		}
		now.move(2 * time.Minute)
		if _, err := r.Kept(t.Context(), j.ID, "a-an"); err == nil || fault.Of(err).Reason != "job_input_gone" {
			t.Errorf("after its time, before it is removed: %v", err)
		}
		for range 2 { // another process may have been faster
			if err := r.expire(t.Context()); err != nil || kept(t, engine, j) {
				t.Errorf("not removed: %v", err)
			}
		}
		if _, err := r.Kept(t.Context(), j.ID, "a-an"); err == nil || fault.Of(err).Reason != "job_input_gone" {
			t.Errorf("after it was removed: %v", err)
		}
	})
}

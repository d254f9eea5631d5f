package simulate_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/kiosk-client/simulate"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

func vietnamese(key string, args ...any) string { return language.Vietnamese.Text(key, args...) }

func TestMain(m *testing.M) { webtest.Main(m) }

// at are options of a small simulation of a program's office without ratings.
func at(p *webtest.Program) simulate.Options {
	o := simulate.Defaults()
	o.Server, o.Account, o.Password, o.Unit = "http://"+p.GRPC, string(webtest.Administrator), webtest.Password, p.Empty
	o.Wait, o.Random = time.Minute, func() float64 { return 0 }
	return o
}

func counter(t *testing.T, p *webtest.Program, unit, code string) {
	t.Helper()
	if _, err := pb.NewDirectoryServiceClient(p.Conn(t, webtest.Administrator)).CreateCounter(t.Context(),
		&pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: unit, Code: code, Name: "Quầy " + code}}); err != nil {
		t.Fatal(err)
	}
}

// devices are those of the simulation, and how many of them may still send.
func devices(t *testing.T, p *webtest.Program) (all []*pb.Device, live int) {
	t.Helper()
	list, err := pb.NewDirectoryServiceClient(p.Conn(t, webtest.Administrator)).ListDevices(t.Context(), &pb.ListDevicesRequest{UnitId: p.Empty, PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list.GetDevices() {
		if strings.Contains(d.GetName(), "mô phỏng") {
			all = append(all, d)
			if d.GetRevokedAt() == nil {
				live++
			}
		}
	}
	return all, live
}

// stored counts the ratings the server holds of the unit, by its own list.
func stored(t *testing.T, p *webtest.Program) int {
	t.Helper()
	ratings := pb.NewRatingServiceClient(p.Conn(t, webtest.Administrator))
	ids := map[string]bool{}
	for page := ""; ; {
		list, err := ratings.ListRatings(t.Context(), &pb.ListRatingsRequest{UnitId: p.Empty, PageSize: 200, PageToken: page})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list.GetRatings() {
			if ids[one.GetId()] {
				t.Errorf("%s is listed twice", one.GetId())
			}
			ids[one.GetId()] = true
		}
		if page = list.GetNextPageToken(); page == "" {
			return len(ids)
		}
	}
}

// watched is an output that tells when something was written to it.
type watched struct {
	mu   sync.Mutex
	text bytes.Buffer
	on   map[string]func() // by the words that are waited for; each once
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.text.Write(b)
	for words, do := range w.on {
		if strings.Contains(string(b), words) {
			delete(w.on, words)
			do()
		}
	}
	return n, err
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// TestAgainstAServer plays again and again at one office; after each play its own count is exact.
func TestAgainstAServer(t *testing.T) {
	p := webtest.Start(t)
	t.Run("refusals", func(t *testing.T) { refusals(t, p) })
	counter(t, p, p.Empty, "1")
	counter(t, p, p.Empty, "2")
	t.Run("a morning of twenty kiosks", func(t *testing.T) {
		o := morning(p)
		o.Devices, o.Backlog, o.WrongClocks = 20, 300, 0.3
		play(t, p, o)
	})
	t.Run("journals on the disk, and older copies of them", func(t *testing.T) {
		o := morning(p)
		o.Devices, o.Duplicates, o.State = 3, 0.2, t.TempDir()
		play(t, p, o)
	})
	t.Run("codes in place of an account", func(t *testing.T) { codes(t, p) })
	t.Run("an interrupt", func(t *testing.T) { interrupted(t, p) })
	p.Figures(t, p.Empty, stored(t, p))
	t.Run("two interrupts", func(t *testing.T) { interruptedTwice(t, p) })
}

// morning is a part of a busy day in which everything goes wrong now and then.
func morning(p *webtest.Program) simulate.Options {
	o := at(p)
	o.Rate, o.DayLength, o.After = 200, 3*time.Second, 200
	o.Outage, o.OutageLength, o.Duplicates = 0.3, 150*time.Millisecond, 0.05
	return o
}

// play plays, and compares with the server's own count.
func play(t *testing.T, p *webtest.Program, o simulate.Options) {
	t.Helper()
	before := stored(t, p)
	made, _ := devices(t, p)
	figures := &watched{}
	o.Figures = figures
	summary, err := simulate.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v\n%s", summary, figures)
	switch {
	case !summary.Sound() || summary.Queued != 0 || summary.Compared != o.Devices:
		t.Errorf("%+v", summary)
	case summary.Duplicates == 0:
		t.Error("nothing was sent again")
	case int(summary.Sealed) != o.Backlog+o.After: //nolint:gosec // some hundreds
		t.Errorf("%d came of %d", summary.Sealed, o.Backlog+o.After)
	}
	if n := stored(t, p) - before; n != int(summary.Sealed) { //nolint:gosec // some hundreds
		t.Errorf("the server holds %d ratings of %d", n, summary.Sealed)
	}
	if all, live := devices(t, p); len(all) != len(made)+o.Devices || live != 0 {
		t.Errorf("%d devices, of which %d may still send", len(all)-len(made), live)
	}
	for _, word := range []string{fmt.Sprintf("/%d kết nối", o.Devices), "chờ", "phiếu/giây"} {
		if !strings.Contains(figures.String(), word) {
			t.Errorf("the figures do not tell %q", word)
		}
	}
}

// interrupted: one interrupt ends the coming of people, and what was given arrives. Devices that are kept go on in the next run.
func interrupted(t *testing.T, p *webtest.Program) {
	made, _ := devices(t, p)
	ctx, interrupt := context.WithCancel(t.Context())
	o := at(p)
	o.Devices, o.Rate, o.Keep, o.State = 2, 50, true, t.TempDir()
	o.Words = &watched{on: map[string]func(){vietnamese("kiosksim.playing"): interrupt}}
	summary, err := simulate.Run(ctx, o)
	if err != nil || !summary.Sound() || summary.Queued != 0 || summary.Compared != 2 {
		t.Fatalf("%+v, %v", summary, err)
	}
	if _, live := devices(t, p); live != 2 {
		t.Errorf("%d devices were kept", live)
	}
	o.Keep, o.Backlog, o.For, o.Words = false, 10, time.Millisecond, nil
	again, err := simulate.Run(t.Context(), o)
	if all, live := devices(t, p); err != nil || !again.Sound() || again.Sealed < 10 || len(all) != len(made)+2 || live != 0 {
		t.Errorf("%+v, %v, %d devices more", again, err, len(all)-len(made))
	}
}

// interruptedTwice: a second interrupt ends the waiting for queues that cannot become empty. It stops the program.
func interruptedTwice(t *testing.T, p *webtest.Program) {
	abort := make(chan struct{})
	ctx, interrupt := context.WithCancel(t.Context())
	o := at(p)
	o.Devices, o.Rate, o.Backlog, o.Abort = 2, 0, 20, abort
	words := &watched{on: map[string]func(){
		vietnamese("kiosksim.queueing", "ratings", 20): func() { p.Stop(t) },
		vietnamese("kiosksim.playing"):                 interrupt,
		vietnamese("kiosksim.settling"):                func() { close(abort) },
	}}
	o.Words = words
	summary, err := simulate.Run(ctx, o)
	if summary.Queued != 20 || summary.Compared != 0 || !summary.Sound() {
		t.Errorf("%+v, %v", summary, err)
	}
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(words.String(), vietnamese("kiosksim.not_revoked", "devices", 2)) {
		t.Errorf("that two devices may still send is not told: %v\n%s", err, words)
	}
}

func codes(t *testing.T, p *webtest.Program) {
	made, err := pb.NewDirectoryServiceClient(p.Conn(t, webtest.Administrator)).CreateDevice(t.Context(),
		&pb.CreateDeviceRequest{Name: "Kiosk thử", Bindings: []*pb.DeviceBinding{{UnitId: p.Empty}}})
	if err != nil {
		t.Fatal(err)
	}
	before := stored(t, p)
	o := at(p)
	o.Account, o.Password, o.Codes = "", "", []string{made.GetEnrollmentCode()}
	o.Backlog, o.Rate, o.For = 25, 0, time.Millisecond
	summary, err := simulate.Run(t.Context(), o)
	if err != nil || !summary.Sound() || summary.Sealed != 25 || summary.Compared != 1 || stored(t, p) != before+25 {
		t.Errorf("%+v, %v", summary, err)
	}
	if _, err := simulate.Run(t.Context(), o); err == nil {
		t.Error("a used code enrols")
	}
}

func refusals(t *testing.T, p *webtest.Program) {
	for name, c := range map[string]struct {
		flags  string
		reason string
	}{
		"another machine":            {"-devices 1", "kiosksim_really"},
		"another machine, in plain":  {"-really", "kioskuplink_server_plain"},
		"no devices":                 {"-devices 0", "kiosksim_flag"},
		"too many":                   {"-devices 100000", "kiosksim_flag"},
		"a rate below nothing":       {"-rate -1", "kiosksim_flag"},
		"no number":                  {"-rate NaN", "kiosksim_flag"},
		"after less than nothing":    {"-after -1", "kiosksim_flag"},
		"always away":                {"-outage 1", "kiosksim_flag"},
		"nobody rates":               {"-share 0", "kiosksim_flag"},
		"no scores":                  {"-scores 0,0,0,0,0", "kiosksim_flag"},
		"a day of no length":         {"-day-length 0s", "kiosksim_flag"},
		"an office without counters": {"-unit " + p.Empty, "kiosksim_no_counter"},
	} {
		t.Run(name, func(t *testing.T) {
			o := at(p)
			o.Unit = ""
			if strings.HasPrefix(name, "another") {
				o.Server = "http://192.0.2.1:9090"
			}
			flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
			flags.SetOutput(io.Discard)
			o.Register(flags, language.Vietnamese)
			if err := flags.Parse(strings.Fields(c.flags)); err != nil {
				t.Fatal(err)
			}
			_, err := simulate.Run(t.Context(), o)
			var told *fault.Error
			if !errors.As(err, &told) || told.Reason != c.reason {
				t.Errorf("%v", err)
			}
			for _, in := range language.All {
				if words := in.Text("fault."+c.reason, told.Args...); strings.HasPrefix(words, "fault.") || strings.ContainsAny(words, "{}") {
					t.Errorf("it is said as %q", words)
				}
			}
		})
	}
	for _, wrong := range []string{"-scores 1,2", "-scores a,b,c,d,e", "-devices x"} {
		o := simulate.Defaults()
		flags := flag.NewFlagSet("simulate", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		o.Register(flags, language.Vietnamese)
		if flags.Parse(strings.Fields(wrong)) == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
	if _, live := devices(t, p); live != 0 {
		t.Errorf("%d devices are left", live)
	}
}

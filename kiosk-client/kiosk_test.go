//go:build unix

package kiosk_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	kiosk "github.com/hailong-vn/hailong/kiosk-client"
	"github.com/hailong-vn/hailong/kiosk-client/journal"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
	"github.com/hailong-vn/hailong/server/web/webtest"
)

// asKiosk makes this test program a kiosk: what is killed must be a process of its own.
const asKiosk = "HAILONG_TEST_AS_KIOSK"

func TestMain(m *testing.M) {
	if os.Getenv(asKiosk) != "" {
		os.Exit(kiosk.Main(os.Args[1:]))
	}
	webtest.Main(m)
}

// device is a kiosk that runs as a process.
type device struct {
	t       *testing.T
	state   string
	process *exec.Cmd
	screen  string
	client  http.Client
}

func (d *device) start(flags ...string) {
	d.t.Helper()
	program, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	d.process = exec.CommandContext(context.Background(), program, append([]string{"serve", "-state", d.state, "-screen", "127.0.0.1:0"}, flags...)...) //nolint:gosec // this very program
	d.process.Env = append(os.Environ(), asKiosk+"=1")
	d.process.Stderr = io.Discard
	out, err := d.process.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.process.Start(); err != nil {
		d.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var ready struct{ Screen string }
	if err != nil || json.Unmarshal(line, &ready) != nil {
		d.t.Fatalf("the kiosk does not start: %q %v", line, err)
	}
	d.screen = strings.TrimSuffix(ready.Screen, "/")
}

// kill ends it as a power cut would.
func (d *device) kill() {
	_ = d.process.Process.Kill()
	_ = d.process.Wait()
}

// shown is a screen as the browser has it.
type shown struct {
	state, tab, revision string
	actions              []string
}

var (
	stateOf  = regexp.MustCompile(`data-state="([a-z_]+)" data-revision="(\d+)" data-tab="([^"]+)"`)
	actionOf = regexp.MustCompile(`name="do" value="([^"]+)"`)
)

func (d *device) answered(response *http.Response, err error) (shown, error) {
	if err != nil {
		return shown{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return shown{}, err
	}
	found := stateOf.FindSubmatch(body)
	if response.StatusCode != http.StatusOK || found == nil {
		return shown{}, fmt.Errorf("%s: %.300s", response.Status, body)
	}
	is := shown{state: string(found[1]), revision: string(found[2]), tab: string(found[3])}
	for _, action := range actionOf.FindAllSubmatch(body, -1) {
		is.actions = append(is.actions, string(action[1]))
	}
	return is, nil
}

func (d *device) look() (shown, error) {
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.screen+"/", http.NoBody)
	if err != nil {
		return shown{}, err
	}
	return d.answered(d.client.Do(request)) //nolint:bodyclose // answered closes it
}

func (d *device) do(on shown, action string) (shown, error) {
	form := url.Values{"tab": {on.tab}, "revision": {on.revision}, "do": {action}}
	request, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.screen+"/do", strings.NewReader(form.Encode()))
	if err != nil {
		return shown{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", d.screen)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return d.answered(d.client.Do(request)) //nolint:bodyclose // answered closes it
}

// eventually waits for what must come.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("%s: not after a minute", what)
}

// TestPowerCutsLoseNothing: a person's touches and a power cut at any moment, again and again. What the screen answered to the first touch of
// a face is a rating, for good; in the end the server has exactly the ratings that the journal gave numbers to.
// There are ten cuts, with HAILONG_LONG two hundred.
func TestPowerCutsLoseNothing(t *testing.T) {
	cuts := 10
	if os.Getenv("HAILONG_LONG") != "" {
		cuts = 200
	}
	p := webtest.Start(t)
	directory := pb.NewDirectoryServiceClient(p.Conn(t, webtest.Administrator))
	counter, err := directory.CreateCounter(t.Context(), &pb.CreateCounterRequest{Counter: &pb.Counter{UnitId: p.Empty, Code: "1", Name: "Quầy 1: Hộ tịch"}})
	if err != nil {
		t.Fatal(err)
	}
	made, err := directory.CreateDevice(t.Context(), &pb.CreateDeviceRequest{Name: "Kiosk sảnh chính", Bindings: []*pb.DeviceBinding{{UnitId: p.Empty, CounterId: counter.GetId()}}})
	if err != nil {
		t.Fatal(err)
	}
	d := &device{t: t, state: t.TempDir(), client: http.Client{Timeout: 30 * time.Second}}
	d.start("-server", "http://"+p.GRPC, "-code", made.GetEnrollmentCode())
	defer func() { d.kill() }()
	eventually(t, "enrolled", func() bool {
		is, err := d.look()
		if err == nil && is.state == "ready" {
			is, err = d.do(is, "next")
		}
		return err == nil && is.state == "idle"
	})

	random := rand.New(rand.NewPCG(1, uint64(cuts))) //nolint:gosec // a test's dice
	answered, tried := 0, 0
	give := func() error { // one person's touches, until one is not answered
		is, err := d.look()
		for steps := 0; err == nil && steps < 12; steps++ {
			if is.state == "ask" {
				tried++
				if is, err = d.do(is, "pick:"+strconv.Itoa(1+random.IntN(5))); err == nil && is.state != "ask" {
					answered++
				} else if err == nil {
					return fmt.Errorf("a touch of a face shows %+v", is)
				}
				continue
			}
			action := "start"
			if is.state != "idle" {
				action = is.actions[random.IntN(len(is.actions))]
				if action == "again" || action == "staff" || action == "back" || strings.Contains(action, ":1") { // a change of mind is no new rating
					action = "done"
				}
			}
			was := is.state
			if is, err = d.do(is, action); err == nil && was != "idle" && is.state == "idle" {
				return nil
			}
		}
		return err
	}
	for range cuts {
		if err := give(); err != nil {
			t.Fatal(err)
		}
		cut := make(chan struct{})
		go func(after time.Duration) {
			defer close(cut)
			time.Sleep(after) // the moment of the cut is what is tried, and no outcome waits for it
			_ = d.process.Process.Signal(syscall.SIGKILL)
		}(time.Duration(random.IntN(120)) * time.Millisecond)
		for give() == nil {
		}
		<-cut
		d.kill()
		d.start()
	}
	if err := give(); err != nil {
		t.Fatal(err)
	}
	highest := func() uint64 {
		known, err := directory.GetDevice(t.Context(), &pb.GetDeviceRequest{DeviceId: made.GetDevice().GetId()})
		if err != nil {
			t.Fatal(err)
		}
		if known.GetMissing() > 0 {
			return 0
		}
		return known.GetStoredThrough()
	}
	eventually(t, fmt.Sprintf("the server holds at least %d ratings without a gap", answered), func() bool { return highest() >= uint64(answered) })
	if err := d.process.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := d.process.Wait(); err != nil {
		t.Errorf("the kiosk stopped with %v", err)
	}
	kept, err := journal.Open(t.Context(), d.state, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	is, err := kept.Status(t.Context())
	if err = errors.Join(err, kept.Close()); err != nil {
		t.Fatal(err)
	}
	d.start() // what the last start sealed is sent too
	eventually(t, fmt.Sprintf("the server holds all %d", is.HighestSequence), func() bool { return highest() == is.HighestSequence })
	ratings := pb.NewRatingServiceClient(p.Conn(t, webtest.Administrator))
	stored := map[string]bool{}
	for page := ""; ; {
		list, err := ratings.ListRatings(t.Context(), &pb.ListRatingsRequest{UnitId: p.Empty, PageSize: 200, PageToken: page})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list.GetRatings() {
			if stored[one.GetId()] {
				t.Errorf("%s is there twice", one.GetId())
			}
			stored[one.GetId()] = true
		}
		if page = list.GetNextPageToken(); page == "" {
			break
		}
	}
	if n := uint64(len(stored)); n != is.HighestSequence || n < uint64(answered) || n > uint64(tried) {
		t.Errorf("%d faces were touched, %d touches answered; the journal gave %d numbers and the server has %d ratings", tried, answered, is.HighestSequence, n)
	}
	t.Logf("%d power cuts: %d faces touched, %d answered, %d stored", cuts, tried, answered, len(stored))
}

// TestCommandsAtTheDevice: enrolled at the terminal, by a code that works once.
func TestCommandsAtTheDevice(t *testing.T) {
	p := webtest.Shared(t)
	directory := pb.NewDirectoryServiceClient(p.Conn(t, webtest.Administrator))
	made, err := directory.CreateDevice(t.Context(), &pb.CreateDeviceRequest{Name: "Kiosk sảnh phụ", Bindings: []*pb.DeviceBinding{{UnitId: p.Ward}}})
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	run := func(args ...string) (int, string) {
		command := exec.CommandContext(t.Context(), program, args...) //nolint:gosec // this very program
		command.Env = append(os.Environ(), asKiosk+"=1", "HAILONG_LANGUAGE=vi")
		out, err := command.CombinedOutput()
		if _, exit := err.(*exec.ExitError); err != nil && !exit { //nolint:errorlint // as exec answers it
			t.Fatal(err)
		}
		return command.ProcessState.ExitCode(), string(out)
	}
	server := []string{"-state", state, "-server", "http://" + p.GRPC}
	for name, c := range map[string]struct {
		args []string
		exit int
		says string
	}{
		"a wrong code":                 {append([]string{"enroll", "AAAA-AAAA-AAAA"}, server...), 1, "Mã"},
		"no code":                      {append([]string{"enroll"}, server...), 2, "-server"},
		"a command that is not there":  {[]string{"sing"}, 2, "hailong-kiosk serve"},
		"help":                         {[]string{"help"}, 0, "hailong-kiosk serve"},
		"a server that is not there":   {[]string{"enroll", "AAAA-AAAA-AAAA", "-state", state, "-server", "http://127.0.0.1:1"}, 1, ""},
		"plain to another machine":     {[]string{"enroll", "AAAA-AAAA-AAAA", "-state", state, "-server", "http://192.0.2.1:1"}, 1, "http"},
		"status without a state":       {[]string{"status", "-state", state + "/nothing"}, 1, "Không có thư mục"},
		"a certificate that is no one": {[]string{"enroll", "AAAA-AAAA-AAAA", "-state", state, "-ca", program, "-server", "https://127.0.0.1:1"}, 1, "-ca"},
	} {
		t.Run(name, func(t *testing.T) {
			if exit, said := run(c.args...); exit != c.exit || !strings.Contains(said, c.says) {
				t.Errorf("it ends with %d and says %q", exit, said)
			}
		})
	}
	if exit, said := run(append([]string{"enroll", made.GetEnrollmentCode()}, server...)...); exit != 0 || !strings.Contains(said, "Kiosk sảnh phụ") {
		t.Fatalf("it ends with %d and says %q", exit, said)
	}
	if exit, said := run("status", "-state", state); exit != 0 || !strings.Contains(said, made.GetDevice().GetId()) {
		t.Errorf("it ends with %d and says %q", exit, said)
	}
	if exit, said := run(append([]string{"enroll", made.GetEnrollmentCode()}, server...)...); exit != 1 {
		t.Errorf("a used code ends with %d and says %q", exit, said)
	}
	if _, err := directory.GetDevice(t.Context(), &pb.GetDeviceRequest{DeviceId: "khong-co"}); status.Code(err) != codes.NotFound {
		t.Errorf("a device that is not there: %v", err)
	}
	_, token := run("hook", "-state", state)
	_, address := run("hook", "1", "-state", state)
	if len(strings.TrimSpace(token)) < 16 || !strings.HasPrefix(address, "/call/1?key=") || strings.Contains(address, strings.TrimSpace(token)) {
		t.Errorf("the token is %q and a counter's address %q", token, address)
	}
}

package testengine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// keeper runs a server as its child until its own standard input ends, which happens when Server.Kill closes it and
// also when the test process dies in whatever way; then it kills the server (SIGKILL) and, where asked, removes its
// folder. A parent-death signal would follow the thread that started the server, not the process.
const keeper = `trap '' HUP INT QUIT TERM
sweep=$1 log=$2
shift 2
"$@" </dev/null >>"$log" 2>&1 &
pid=$!
echo $pid
exec >/dev/null
cat >/dev/null
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
if [ -n "$sweep" ]; then rm -rf "$sweep"; fi
`

// Server is one server process of a test. Its address and files stay the same over Kill and Start.
type Server struct {
	Addr string // 127.0.0.1:port

	command []string
	folder  string
	sweep   string // a folder the keeper removes in the end: for servers that no test's cleanup ends
	ready   func(ctx context.Context, addr string) error

	mu   sync.Mutex
	cmd  *exec.Cmd
	hold io.Closer // the keeper's standard input
	pid  int
}

// startLimit is how long a server may take until it answers, on a busy machine.
const startLimit = 60 * time.Second

// Start starts the server and waits until it answers. It is for use after Kill or Stop.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return errors.New("testengine: the server is running")
	}
	cmd := exec.Command("sh", append([]string{"-c", keeper, "keeper", s.sweep, s.logFile()}, s.command...)...)
	stdin, hold, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = stdin.Close() }()
	cmd.Stdin = stdin
	out, err := cmd.StdoutPipe()
	if err != nil {
		_ = hold.Close()
		return err
	}
	if err := cmd.Start(); err != nil {
		_ = hold.Close()
		return err
	}
	s.cmd, s.hold = cmd, hold
	if _, err := fmt.Fscan(out, &s.pid); err != nil {
		s.kill()
		return fmt.Errorf("testengine: the server's process id: %w", err)
	}
	if err := s.wait(); err != nil {
		s.kill()
		return fmt.Errorf("%s does not start: %w\n%s", filepath.Base(s.command[0]), err, s.logEnd())
	}
	return nil
}

// wait polls until the server answers, is gone, or takes too long.
func (s *Server) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	return poll(ctx, func() (bool, error) {
		if syscall.Kill(s.pid, 0) != nil {
			return false, errors.New("the process ended")
		}
		return s.ready(ctx, s.Addr) == nil, nil
	})
}

// Kill ends the server with SIGKILL, as a power cut would end the process, and waits for its end.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kill()
}

func (s *Server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.hold.Close()
	_ = s.cmd.Wait()
	s.cmd, s.hold = nil, nil
}

// Stop asks the server to end (SIGTERM) and waits for its end.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	_ = syscall.Kill(s.pid, syscall.SIGTERM)
	_ = poll(ctx, func() (bool, error) { return syscall.Kill(s.pid, 0) != nil, nil })
	s.kill()
}

// Freeze stops the server's process where it stands (SIGSTOP): connections stay open and nothing answers. It returns when every thread
// stands still, which on a busy machine takes a moment.
func (s *Server) Freeze() error {
	if err := syscall.Kill(s.pid, syscall.SIGSTOP); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	return poll(ctx, func() (bool, error) { return s.stands(), nil })
}

// stands tells whether no thread of the process runs, as far as the system tells.
func (s *Server) stands() bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", s.pid))
	if err != nil || len(threads) == 0 {
		return true // there is no such folder on this system
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // it ended
		}
		_, after, _ := strings.Cut(string(text), ") ") // the name before may hold anything
		if !strings.HasPrefix(after, "T") {
			return false
		}
	}
	return true
}

// Thaw lets a frozen server go on.
func (s *Server) Thaw() error { return syscall.Kill(s.pid, syscall.SIGCONT) }

func (s *Server) logFile() string { return filepath.Join(s.folder, "log") }

// logEnd is the end of what the server said, for the reason of a failure.
func (s *Server) logEnd() string {
	text, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-2000):]))
}

// poll asks until the answer is true, an error, or ctx ends.
func poll(ctx context.Context, ask func() (bool, error)) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if done, err := ask(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// freeAddr answers an address of this machine that nobody listens on now.
func freeAddr() (addr, port string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	port = strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	return "127.0.0.1:" + port, port, l.Close()
}

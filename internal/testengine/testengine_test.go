package testengine_test

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/testengine"
)

func TestRedis(t *testing.T) {
	s := testengine.StartRedis(t)
	if got := ask(t, s.Addr, "SET a 1"); got != "+OK" {
		t.Fatalf("SET was answered %q", got)
	}
	for _, end := range []struct {
		name string
		do   func()
	}{{"kill", s.Kill}, {"stop", s.Stop}} {
		t.Run(end.name, func(t *testing.T) {
			end.do()
			if conn, err := net.Dial("tcp", s.Addr); err == nil {
				_ = conn.Close()
				t.Fatal("the server still answers")
			}
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			if got := ask(t, s.Addr, "GET a"); got != "$-1" {
				t.Errorf("GET was answered %q: the server should be empty", got)
			}
		})
	}
}

func TestMongoDBIsShared(t *testing.T) {
	uri, database := testengine.MongoDB(t)
	again, other := testengine.MongoDB(t)
	if uri != again {
		t.Error("two sets were started")
	}
	if database == other {
		t.Error("two tests share a database")
	}
}

func TestReplicaSetChoosesAnother(t *testing.T) {
	if testing.Short() {
		t.Skip("three nodes take seconds; run without -short")
	}
	set := testengine.StartMongoDB(t, 3)
	first, err := set.Primary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first.Kill()
	second, err := set.Primary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Fatal("the killed node is primary")
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
}

// TestServersGoWithTheProcess runs this test binary again, kills it, and looks for what it started.
func TestServersGoWithTheProcess(t *testing.T) {
	testengine.Require(t, testengine.NameMongoDB)
	if os.Getenv("HAILONG_TEST_MONGODB_URI") != "" {
		t.Skip("HAILONG_TEST_MONGODB_URI names a server that is not ours to start and to end")
	}
	child := exec.Command(os.Args[0], "-test.run=^TestChild$")
	child.Env = append(os.Environ(), "HAILONG_TESTENGINE_CHILD=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(line, "@")
	addr, _, _ := strings.Cut(rest, "/")
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatalf("the child's server: %v", err)
	}
	_ = conn.Close()
	if err := child.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		_ = conn.Close()
		if time.Now().After(end) {
			t.Fatalf("the server at %s outlived its test process", addr)
		}
	}
}

// TestChild is the other process of TestServersGoWithTheProcess.
func TestChild(t *testing.T) {
	if os.Getenv("HAILONG_TESTENGINE_CHILD") == "" {
		t.Skip("runs only as the child of TestServersGoWithTheProcess")
	}
	uri, _ := testengine.MongoDB(t)
	if _, err := os.Stdout.WriteString(uri + "\n"); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Minute)
}

func ask(t *testing.T, addr, command string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(command + "\r\n")); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(line, "\r\n")
}

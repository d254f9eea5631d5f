// Package webtest runs the whole program with a small known province, for tests of its pages:
//
//	func TestMain(m *testing.M) { webtest.Main(m) }
//
//	func TestOverview(t *testing.T) {
//		program := webtest.Shared(t)
//		page := browser.Open(t).Page(t, browser.Options{})
//		program.SignInPage(t, page, webtest.Leader)
//		page.Go(program.HTTP + "/units/" + program.Top)
//	}
//
// Tests that change nothing share one program; others Start their own. Tests of a page are an external package
// (package overview_test), because this one imports the server.
package webtest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/hailong-vn/hailong/internal/testengine"
	"github.com/hailong-vn/hailong/internal/testengine/browser"
	"github.com/hailong-vn/hailong/server"
)

// Program is a program that runs, with its province.
type Program struct {
	HTTP string // such as "http://127.0.0.1:41234"; the same after Restart
	GRPC string // host:port; the same after Restart

	Province
	Engine *testengine.ReplicaSet // of OwnMongoDB; nil otherwise

	config   server.Config
	log      lines
	cancel   context.CancelFunc // nil while stopped
	done     chan error
	mu       sync.Mutex
	sessions map[Who]string
	conns    map[Who]*grpc.ClientConn
}

// Option changes what Start starts.
type Option func(*settings)

type settings struct {
	config             server.Config
	bare               bool
	mongodb, ownServer bool
}

// MongoDB keeps the data in a database of the test's own on a real MongoDB, with a Redis of the test's own.
func MongoDB() Option { return func(s *settings) { s.mongodb = true } }

// OwnMongoDB is MongoDB with a server of the test's own, which EngineDown ends and EngineUp starts again.
func OwnMongoDB() Option { return func(s *settings) { s.mongodb, s.ownServer = true, true } }

// Bare leaves the program as after its first start: the administrator, no unit.
func Bare() Option { return func(s *settings) { s.bare = true } }

// Change sets what the others do not: a clock, the smallest cell, the demonstration.
func Change(change func(*server.Config)) Option { return func(s *settings) { change(&s.config) } }

// Start starts a program on free ports in a folder of the test's own, fills in the province and waits until its figures
// hold every rating. It ends with the test.
func Start(t testing.TB, options ...Option) *Program {
	t.Helper()
	p := start(t, t.TempDir(), options)
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Errorf("the program stopped with %v", err)
		}
		if t.Failed() {
			t.Log(p.Log())
		}
	})
	return p
}

// shared is the one program of a test package, kept from its first use until Main ends it.
var shared struct {
	sync.Mutex
	ready   bool // Main runs
	program *Program
	folder  string
}

// Shared answers a program that all tests of the package share: they only read, and sign in and out. The package needs a
// TestMain that calls Main.
func Shared(t testing.TB) *Program {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.ready {
		t.Fatal("webtest.Shared needs: func TestMain(m *testing.M) { webtest.Main(m) }")
	}
	if shared.program == nil {
		folder, err := os.MkdirTemp("", "hailong-webtest-")
		if err != nil {
			t.Fatal(err)
		}
		shared.folder = folder
		shared.program = start(t, folder, nil)
	}
	return shared.program
}

// Main runs the tests of a package, then ends the shared program and the browser, and fails where a goroutine is left.
func Main(m *testing.M) {
	shared.Lock()
	shared.ready = true
	shared.Unlock()
	browser.Main(m, endShared)
}

func endShared() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.folder == "" {
		return nil
	}
	var err error
	if shared.program != nil {
		err = shared.program.stop()
	}
	return errors.Join(err, os.RemoveAll(shared.folder))
}

func start(t testing.TB, folder string, options []Option) *Program {
	t.Helper()
	s := settings{config: server.Config{GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: folder, AdminPassword: Password, Worker: "auto"}}
	for _, option := range options {
		option(&s)
	}
	p := &Program{sessions: map[Who]string{}, conns: map[Who]*grpc.ClientConn{}}
	if s.mongodb {
		if s.ownServer {
			p.Engine = testengine.StartMongoDB(t, 1)
			s.config.MongoDB = testengine.WithDatabase(p.Engine.URI, "hailong")
		} else {
			s.config.MongoDB = testengine.WithDatabase(testengine.MongoDB(t))
		}
		s.config.Redis = "redis://" + testengine.StartRedis(t).Addr + "/0"
		s.config.Worker, s.config.ContactKey = "on", strings.Repeat("5a", 32)
	}
	s.config.Stderr = &p.log
	s.config.Logger = slog.New(slog.NewTextHandler(&p.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	p.config = s.config
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	if s.bare {
		return p
	}
	if err := p.fill(context.Background()); err != nil {
		_ = p.stop()
		t.Fatalf("the province is not made: %v\n%s", err, p.Log())
	}
	return p
}

// run starts the program and waits for the line that says where it listens.
func (p *Program) run() error {
	reader, writer := io.Pipe()
	config := p.config
	config.Stdout = writer
	ctx, cancel := context.WithCancel(context.Background())
	done, line := make(chan error, 1), make(chan []byte, 1)
	go func() {
		err := server.Run(ctx, config)
		_ = writer.Close()
		done <- err
	}()
	go func() {
		text, _ := bufio.NewReader(reader).ReadBytes('\n')
		line <- text
		_, _ = io.Copy(io.Discard, reader)
	}()
	var text []byte
	select {
	case text = <-line:
	case <-time.After(startLimit):
	}
	var ready struct{ GRPC, HTTP string }
	if err := json.Unmarshal(text, &ready); err != nil {
		cancel()
		return fmt.Errorf("the program does not start: %w\n%s", errors.Join(err, <-done), p.Log())
	}
	p.GRPC, p.HTTP = ready.GRPC, ready.HTTP
	p.cancel, p.done = cancel, done
	return nil
}

// startLimit is how long a program may take to start on a busy machine.
const startLimit = 2 * time.Minute

// Stop ends the program in an orderly way and keeps its data.
func (p *Program) Stop(t testing.TB) {
	t.Helper()
	if err := p.stop(); err != nil {
		t.Fatalf("the program stopped with %v", err)
	}
}

func (p *Program) stop() error {
	if p.cancel == nil {
		return nil
	}
	p.mu.Lock()
	for _, conn := range p.conns {
		_ = conn.Close()
	}
	clear(p.conns)
	p.mu.Unlock()
	p.cancel()
	err := <-p.done
	p.cancel = nil
	return err
}

// Restart starts the program again on the same data and addresses, stopping it before where it runs. Sessions go on.
func (p *Program) Restart(t testing.TB) {
	t.Helper()
	p.Stop(t)
	p.config.GRPC, p.config.HTTP = p.GRPC, strings.TrimPrefix(p.HTTP, "http://")
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
}

// EngineDown ends the MongoDB of OwnMongoDB, as a power cut would.
func (p *Program) EngineDown(t testing.TB) {
	t.Helper()
	if p.Engine == nil {
		t.Fatal("EngineDown needs webtest.OwnMongoDB")
	}
	p.Engine.Nodes[0].Kill()
}

// EngineUp starts it again and waits until it can be written to.
func (p *Program) EngineUp(t testing.TB) {
	t.Helper()
	if err := p.Engine.Nodes[0].Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Engine.Primary(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// Log is what the program has told people and its log so far.
func (p *Program) Log() string { return p.log.String() }

// lines is a text that several goroutines write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

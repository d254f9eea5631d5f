package testengine

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"testing"
	"time"
)

// Redis starts a redis-server of the test's own, empty, and answers its address (host:port). It takes a few milliseconds.
func Redis(t testing.TB) (addr string) {
	t.Helper()
	return StartRedis(t).Addr
}

// StartRedis is Redis for tests that kill, stop or restart the server. It keeps nothing on disk: after a restart it is empty.
func StartRedis(t testing.TB) *Server {
	t.Helper()
	path := find(t, NameRedis, redisPath)
	folder := t.TempDir()
	addr, port, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		Addr: addr, folder: folder, ready: redisReady,
		command: []string{path, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", folder},
	}
	t.Cleanup(s.Kill)
	if err := s.Start(); err != nil {
		unavailable(t, NameRedis, err.Error())
	}
	return s
}

// redisReady asks PING.
func redisReady(ctx context.Context, addr string) error {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && answer != "+PONG\r\n" {
		err = fmt.Errorf("PING was answered %q", answer)
	}
	return err
}

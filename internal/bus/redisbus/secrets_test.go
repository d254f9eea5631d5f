package redisbus

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/bus"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/testengine"
)

func isInvalid(err error, reason string) bool {
	return fault.Is(err, fault.Invalid) && fault.Of(err).Reason == reason
}

// loud collects what is logged.
type loud struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *loud) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *loud) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestURLs(t *testing.T) {
	const secret = "s3cret"
	for name, test := range map[string]struct {
		url  string
		good bool
	}{
		"plain":              {"redis://127.0.0.1:1", true},
		"with a database":    {"redis://127.0.0.1:1/3", true},
		"with a password":    {"redis://:" + secret + "@127.0.0.1:1", true},
		"with a user":        {"redis://user:" + secret + "@127.0.0.1:1/0?pool_size=5", true},
		"TLS":                {"rediss://user:" + secret + "@127.0.0.1:1", true},
		"socket":             {"unix:///run/redis/redis.sock?db=1", true},
		"IPv6":               {"redis://[::1]:1", true},
		"empty":              {"", false},
		"a host":             {"127.0.0.1:6379", false},
		"http":               {"http://" + secret + "@127.0.0.1", false},
		"unescaped password": {"redis://user:pa#" + secret + "@host:6379", false},
		"slash in password":  {"redis://user:pa/" + secret + "@host:6379", false},
		"control characters": {"redis://user:" + secret + "\n@host", false},
		"database of words":  {"redis://user:x@host/" + secret, false},
		"unknown option":     {"redis://host?password=" + secret, false},
		"bad option":         {"redis://host?pool_size=" + secret, false},
		"socket without":     {"unix://", false},
	} {
		t.Run(name, func(t *testing.T) {
			var log loud
			b, err := Open(test.url, Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Timeout: 50 * time.Millisecond})
			if !test.good {
				if !isInvalid(err, "redis_url") || strings.Contains(err.Error(), secret) {
					t.Errorf("refused with %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			err = b.Ping(t.Context())
			if !errors.Is(err, bus.ErrUnavailable) || strings.Contains(err.Error(), secret) {
				t.Errorf("ping: %v", err)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log says: %s", log.String())
			}
		})
	}
}

func TestPasswords(t *testing.T) {
	addr := testengine.Redis(t)
	const secret, wrong = "đúng-mật-khẩu", "wr0ng-one"
	keeper := opened(t, "redis://"+addr, Options{Timeout: generous})
	if err := keeper.client.ConfigSet(t.Context(), "requirepass", secret).Err(); err != nil {
		t.Fatal(err)
	}
	var log loud
	b := opened(t, "redis://:"+wrong+"@"+addr, Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Timeout: generous})
	err := b.Ping(t.Context())
	if !errors.Is(err, bus.ErrUnavailable) || strings.Contains(err.Error(), wrong) {
		t.Errorf("ping with a wrong password: %v", err)
	}
	if n := allowed(b, "k", 20); n != 5 {
		t.Errorf("%d allowed with a wrong password, want 5", n)
	}
	publish(b, "x")
	eventually(t, "the log knows", func() bool { return strings.Contains(log.String(), "WRONGPASS") })
	if strings.Contains(log.String(), wrong) {
		t.Errorf("the log says: %s", log.String())
	}
	right := opened(t, "redis://:"+url.QueryEscape(secret)+"@"+addr, Options{Timeout: generous})
	if err := right.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheLogIsNotFlooded(t *testing.T) {
	server := testengine.StartRedis(t)
	server.Kill()
	var log loud
	b := opened(t, "redis://"+server.Addr, Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Timeout: 50 * time.Millisecond})
	for range 30 {
		_, _ = b.UseOnce(context.Background(), "n", time.Minute)
		b.Allow(context.Background(), "k", hourly, 1)
		_ = b.Publish(context.Background(), "t", nil)
	}
	if lines := strings.Count(log.String(), "\n"); lines == 0 || lines > 8 {
		t.Errorf("%d lines:\n%s", lines, log.String())
	}
	if b.Stats().Failures < 30 {
		t.Errorf("%d failures counted", b.Stats().Failures)
	}
}

func TestReasonsHaveWords(t *testing.T) {
	for _, reason := range []string{"redis_url", "redis_prefix", "bus_unavailable"} {
		for _, spoken := range language.All {
			if text := spoken.Text("fault." + reason); text == "fault."+reason {
				t.Errorf("%s has no words in %s", reason, spoken)
			}
		}
	}
}

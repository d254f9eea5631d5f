//go:build unix

package overview_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/demo"
	"github.com/hailong-vn/hailong/server"
)

// pageLimit is within which the server is to answer 99 of 100 views of a page on the demonstration.
const pageLimit = 30 * time.Millisecond

// BenchmarkOverview views a province's page of the demonstration as its leader, one view after the other, while ratings come in, one
// about every second. A view is from the request's first byte to the page's last.
func BenchmarkOverview(b *testing.B) {
	warm, views := 20, 200
	if testing.Short() {
		warm, views = 5, 30
	}
	program := runDemo(b)
	rest(b)
	view := func(path string) (time.Duration, int) {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, program.http+path, http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		request.AddCookie(&http.Cookie{Name: "hailong_session", Value: program.token}) //nolint:gosec // a request's cookie, in a test
		start := time.Now()
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		took := time.Since(start)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("<svg")) {
			b.Fatalf("%s: %d %v\n%s", path, response.StatusCode, err, body[:min(len(body), 2000)])
		}
		return took, len(body)
	}
	year := time.Now().AddDate(-1, 0, 1).Format(time.DateOnly)
	for _, c := range []struct{ name, path string }{
		{"thirty days", "/units/" + demo.ProvinceID},
		{"a year", "/units/" + demo.ProvinceID + "?from=" + year},
		{"follow-ups, for comparison", "/follow-ups?unit=" + demo.ProvinceID},
	} {
		b.Run(c.name, func(b *testing.B) {
			var times []time.Duration
			for b.Loop() {
				first, size := view(c.path)
				for range warm {
					view(c.path)
				}
				before := processor(b)
				for range views {
					took, _ := view(c.path)
					times = append(times, took)
				}
				b.ReportMetric(milliseconds(processor(b)-before)/float64(views), "processor-ms/view")
				b.ReportMetric(milliseconds(first), "first-ms")
				b.ReportMetric(float64(size)/1000, "page-kB")
			}
			slices.Sort(times)
			b.ReportMetric(milliseconds(times[len(times)/2]), "p50-ms")
			b.ReportMetric(milliseconds(times[len(times)*99/100]), "p99-ms")
			b.ReportMetric(milliseconds(pageLimit), "p99-limit-ms")
			if load, err := os.ReadFile("/proc/loadavg"); err == nil { // what else the machine does weighs on every figure here
				var one float64
				if _, err := fmt.Sscan(strings.Fields(string(load))[0], &one); err == nil {
					b.ReportMetric(one, "load")
				}
			}
		})
	}
}

// rest waits until the ratings that the demonstration began with are counted: the few that come every second cost little.
func rest(b *testing.B) {
	b.Helper()
	for range 120 {
		before := processor(b)
		time.Sleep(time.Second)
		if processor(b)-before < 200*time.Millisecond {
			return
		}
	}
	b.Fatal("it does not come to rest")
}

// processor is the time that this process had of all processors: server, browser's side and the counting of new ratings. Unlike the time
// of a view it hardly depends on what else the machine does.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// demonstration is a program that runs with demonstration data, and a leader's session.
type demonstration struct{ http, token string }

func runDemo(b *testing.B) demonstration {
	b.Helper()
	reader, writer := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := server.Run(ctx, server.Config{
			GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: b.TempDir(), Demo: true, DemoLive: true, AdminPassword: "mật khẩu để thử",
			Stdout: writer, Stderr: io.Discard, Logger: slog.New(slog.DiscardHandler),
		})
		_ = writer.CloseWithError(io.EOF)
		done <- err
	}()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	line, err := bufio.NewReader(reader).ReadBytes('\n')
	var ready struct {
		HTTP     string
		Accounts []struct{ Name, Password, Role string }
	}
	if err != nil || json.Unmarshal(line, &ready) != nil {
		b.Fatalf("the program did not start: %v %s", err, line)
	}
	for _, account := range ready.Accounts {
		if account.Role != "leader" {
			continue
		}
		asked, err := json.Marshal(map[string]string{"name": account.Name, "password": account.Password})
		if err != nil {
			b.Fatal(err)
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, ready.HTTP+"/v1/sessions", bytes.NewReader(asked))
		if err != nil {
			b.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		var session struct{ Token string }
		err = json.NewDecoder(response.Body).Decode(&session)
		_ = response.Body.Close()
		if err != nil || session.Token == "" {
			b.Fatalf("the leader could not sign in: %d %v", response.StatusCode, err)
		}
		waitForFigures(b, demonstration{ready.HTTP, session.Token})
		return demonstration{ready.HTTP, session.Token}
	}
	b.Fatal("the demonstration has no leader")
	return demonstration{}
}

// waitForFigures waits until what the demonstration was filled with is counted: until hardly anything is due, thrice in a row.
func waitForFigures(b *testing.B, program demonstration) {
	b.Helper()
	quiet := 0
	for deadline := time.Now().Add(10 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Second) {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, program.http+"/metrics", http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			b.Fatal(err)
		}
		due := -1.0
		for line := range strings.Lines(string(body)) {
			if value, ok := strings.CutPrefix(line, "hailong_cells_due "); ok {
				if _, err := fmt.Sscan(value, &due); err != nil {
					b.Fatal(err)
				}
			}
		}
		if due < 0 {
			b.Fatal("the program does not say how many cells are due")
		}
		if quiet++; due > 5 {
			quiet = 0
		}
		if quiet == 3 {
			time.Sleep(10 * time.Second) // facets are counted a little later
			return
		}
	}
	b.Fatal("the figures did not settle within ten minutes")
}

// Command hailong-analytics keeps figures on MongoDB and Redis, beside any number of copies of itself. When embedded,
// hailong-server does the same in its own process.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/hailong-vn/hailong/analytics"
	"github.com/hailong-vn/hailong/internal/bus/redisbus"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
)

// Config is what an installation can set.
type Config struct {
	MongoDB string    // URI with a database name
	Redis   string    // URL
	HTTP    string    // address of /healthz, /readyz and /metrics
	Stdout  io.Writer // the one line of JSON for programs
	Stderr  io.Writer // the log
}

func main() {
	config := Config{Stdout: os.Stdout, Stderr: os.Stderr}
	flag.StringVar(&config.MongoDB, "mongodb", os.Getenv("HAILONG_MONGODB_URI"), "MongoDB URI (HAILONG_MONGODB_URI)")
	flag.StringVar(&config.Redis, "redis", os.Getenv("HAILONG_REDIS_URL"), "Redis URL (HAILONG_REDIS_URL)")
	flag.StringVar(&config.HTTP, "http", environment("HAILONG_ANALYTICS_HTTP_ADDR", "127.0.0.1:8081"), "health and metrics (HAILONG_ANALYTICS_HTTP_ADDR)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := Run(ctx, config); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "hailong-analytics:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to be undone
	}
}

func environment(name, fallback string) string {
	if value, ok := os.LookupEnv(name); ok {
		return value
	}
	return fallback
}

// Run keeps figures until ctx ends.
func Run(ctx context.Context, config Config) (err error) {
	if config.MongoDB == "" || config.Redis == "" {
		return errors.New("-mongodb and -redis are required; without them hailong-server keeps the figures itself")
	}
	logger := slog.New(slog.NewTextHandler(config.Stderr, nil))
	engine, err := mongodb.Open(ctx, config.MongoDB, mongodb.Options{Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	hints, err := redisbus.Open(config.Redis, redisbus.Options{Log: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hints.Close()) }()

	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	worker, err := analytics.New(analytics.Config{
		Engine: engine, Hints: hints, Feed: hints, Logger: logger, Metrics: analytics.Measured(registry),
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if engine.Ping(r.Context()) != nil {
			http.Error(w, "store unavailable", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp", config.HTTP)
	if err != nil {
		return err
	}
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	line, err := json.Marshal(map[string]string{"http": "http://" + listener.Addr().String()})
	if err != nil {
		return err
	}
	if _, err := config.Stdout.Write(append(line, '\n')); err != nil {
		return err
	}
	group, running := errgroup.WithContext(ctx)
	group.Go(func() error {
		if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error { return worker.Run(running) })
	group.Go(func() error {
		<-running.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return web.Shutdown(stop)
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Package server is hailong-server: gRPC and JSON for machines, and the wiring of everything behind them.
package server

import (
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"strconv"
	"time"
)

// Config is what an installation can set. Every setting has a useful zero or default value.
type Config struct {
	GRPC    string // address of gRPC; port 0 = any free one
	HTTP    string // address of JSON, /healthz, /readyz, /metrics
	Data    string // folder of the embedded store, keys and exports
	MongoDB string // URI with a database name; "" = embedded
	Redis   string // URL; "" = in process

	TLSCert string // PEM files; both or neither. Read again when they change.
	TLSKey  string

	AdminPassword string // of the first administrator; "" = a one-time password is printed once
	ContactKey    string // seals contacts: 32 bytes in hex or base64; "" = a key file in Data (embedded only)

	Demo     bool // fill an empty store with a fictional province
	DemoLive bool // keep demonstration ratings coming

	MinCell uint   // figures of fewer ratings are suppressed
	Worker  string // "auto": in process when embedded; "on", "off"

	Clock  func() time.Time // nil = time.Now
	Stdout io.Writer        // the one line of JSON for programs; nil = os.Stdout
	Stderr io.Writer        // words for people; nil = os.Stderr
	Logger *slog.Logger     // nil = text on Stderr
}

// Register declares the settings as flags, each with its environment variable as default.
func (c *Config) Register(flags *flag.FlagSet) {
	c.registerStore(flags)
	text := func(p *string, name, env, fallback, usage string) {
		flags.StringVar(p, name, environment(env, fallback), usage+" ("+env+")")
	}
	text(&c.GRPC, "grpc", "HAILONG_GRPC_ADDR", "127.0.0.1:9090", "address of gRPC")
	text(&c.HTTP, "http", "HAILONG_HTTP_ADDR", "127.0.0.1:8080", "address of JSON, health and metrics")
	text(&c.TLSCert, "tls-cert", "HAILONG_TLS_CERT", "", "PEM certificate chain; read again on renewal")
	text(&c.TLSKey, "tls-key", "HAILONG_TLS_KEY", "", "PEM private key")
	text(&c.Worker, "worker", "HAILONG_WORKER", "auto", "fold figures in this process: auto (when embedded), on, off")
	flags.BoolVar(&c.Demo, "demo", environment("HAILONG_DEMO", "") != "", "fill an empty store with a fictional province (HAILONG_DEMO)")
	flags.BoolVar(&c.DemoLive, "demo-live", environment("HAILONG_DEMO_LIVE", "") != "", "keep demonstration ratings coming (HAILONG_DEMO_LIVE)")
	minCell, err := strconv.ParseUint(environment("HAILONG_MIN_CELL", "5"), 10, 16)
	if err != nil {
		minCell = 5
	}
	flags.UintVar(&c.MinCell, "min-cell", uint(minCell), "figures of fewer ratings are suppressed (HAILONG_MIN_CELL)")
	c.AdminPassword = os.Getenv("HAILONG_ADMIN_PASSWORD")
}

// registerStore declares only where the data is: what commands at the machine need.
func (c *Config) registerStore(flags *flag.FlagSet) {
	text := func(p *string, name, env, fallback, usage string) {
		flags.StringVar(p, name, environment(env, fallback), usage+" ("+env+")")
	}
	text(&c.Data, "data", "HAILONG_DATA_DIR", "./data", "folder of the embedded store and of keys")
	text(&c.MongoDB, "mongodb", "HAILONG_MONGODB_URI", "", "MongoDB URI with a database name; empty = embedded")
	text(&c.Redis, "redis", "HAILONG_REDIS_URL", "", "Redis URL; empty = in process")
	c.ContactKey = os.Getenv("HAILONG_CONTACT_KEY")
}

func environment(name, fallback string) string {
	if value, ok := os.LookupEnv(name); ok {
		return value
	}
	return fallback
}

// complete fills in what a test or a main may leave out and refuses what cannot be.
func (c Config) complete() (Config, error) {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Stdout == nil {
		c.Stdout = os.Stdout
	}
	if c.Stderr == nil {
		c.Stderr = os.Stderr
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(c.Stderr, nil))
	}
	if c.Data == "" {
		c.Data = "./data"
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return c, errors.New("-tls-cert and -tls-key belong together")
	}
	switch c.Worker {
	case "":
		c.Worker = "auto"
	case "auto", "on", "off":
	default:
		return c, errors.New("-worker is auto, on or off")
	}
	return c, nil
}

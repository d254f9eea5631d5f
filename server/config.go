// Package server is hailong-server: gRPC and JSON for machines, and the wiring of everything behind them.
package server

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
)

// Config is what an installation can set. Every setting has a useful zero or default value.
type Config struct {
	GRPC    string // address of gRPC; port 0 = any free one
	HTTP    string // address of pages, JSON, /healthz, /readyz, /metrics
	Data    string // folder of the embedded store, keys and exports
	MongoDB string // URI with a database name; "" = embedded
	Redis   string // URL; "" = in process

	TLSCert string // PEM files; both or neither. Read again when they change.
	TLSKey  string

	// TrustedProxies are the networks ("10.0.0.0/8, 127.0.0.1") whose X-Forwarded-For is believed: reverse proxies and load
	// balancers in front. Without it all citizens behind one proxy share one address's limits.
	TrustedProxies string

	PublicURL    string // how citizens reach the pages, such as "https://danhgia.tinh.gov.vn", for posters; "" = as whoever prints them does
	EmbedOrigins string // web origins, with commas, whose pages may hold the citizens' form in a frame; "" = none

	SMTP            string // server of e-mail, "smtp://user:password@mail.example.vn:587"; "" = no e-mail is sent
	SMTPFrom        string // its sender, "Một cửa <motcua@example.vn>"
	WebhookNetworks string // networks inside that webhooks may lead to, with commas; "" = none

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

	problem error // a setting of the environment that cannot be read
}

// defaultMinCell is how many ratings a figure needs to be shown: with fewer, who was served on a quiet day could be
// told from it. An office may ask for more.
const defaultMinCell = 5

// Register declares the settings as flags, each with its environment variable as default.
func (c *Config) Register(flags *flag.FlagSet, in language.Language) {
	c.registerStore(flags, in)
	text := textFlag(flags, in)
	text(&c.GRPC, "grpc", "HAILONG_GRPC_ADDR", "127.0.0.1:9090")
	text(&c.HTTP, "http", "HAILONG_HTTP_ADDR", "127.0.0.1:8080")
	text(&c.TLSCert, "tls-cert", "HAILONG_TLS_CERT", "")
	text(&c.TLSKey, "tls-key", "HAILONG_TLS_KEY", "")
	text(&c.Worker, "worker", "HAILONG_WORKER", "auto")
	text(&c.TrustedProxies, "trusted-proxies", "HAILONG_TRUSTED_PROXIES", "")
	text(&c.PublicURL, "public-url", "HAILONG_PUBLIC_URL", "")
	text(&c.EmbedOrigins, "embed-origins", "HAILONG_EMBED_ORIGINS", "")
	text(&c.SMTPFrom, "smtp-from", "HAILONG_SMTP_FROM", "")
	text(&c.WebhookNetworks, "webhook-networks", "HAILONG_WEBHOOK_NETWORKS", "")
	flags.BoolVar(&c.Demo, "demo", c.switchedOn("HAILONG_DEMO"), usage(in, "demo", "HAILONG_DEMO"))
	flags.BoolVar(&c.DemoLive, "demo-live", c.switchedOn("HAILONG_DEMO_LIVE"), usage(in, "demo-live", "HAILONG_DEMO_LIVE"))
	c.registerFigures(flags, in)
	c.AdminPassword = os.Getenv("HAILONG_ADMIN_PASSWORD")
	c.SMTP = os.Getenv("HAILONG_SMTP_URL") // holds a password, which a flag would show to everybody on the machine
}

// registerStore declares only where the data is: what commands at the machine need.
func (c *Config) registerStore(flags *flag.FlagSet, in language.Language) {
	text := textFlag(flags, in)
	text(&c.Data, "data", "HAILONG_DATA_DIR", "./data")
	text(&c.MongoDB, "mongodb", "HAILONG_MONGODB_URI", "")
	text(&c.Redis, "redis", "HAILONG_REDIS_URL", "")
	c.ContactKey = os.Getenv("HAILONG_CONTACT_KEY")
}

func (c *Config) registerFigures(flags *flag.FlagSet, in language.Language) {
	flags.UintVar(&c.MinCell, "min-cell", defaultMinCell, usage(in, "min-cell", "HAILONG_MIN_CELL"))
	if given := os.Getenv("HAILONG_MIN_CELL"); given != "" {
		if err := flags.Set("min-cell", given); err != nil {
			c.problem = fmt.Errorf("HAILONG_MIN_CELL: %w", err)
		}
	}
}

func textFlag(flags *flag.FlagSet, in language.Language) func(p *string, name, env, fallback string) {
	return func(p *string, name, env, fallback string) {
		flags.StringVar(p, name, environment(env, fallback), usage(in, name, env))
	}
}

func usage(in language.Language, name, env string) string {
	return in.Text("flag."+name) + " (" + env + ")"
}

func (c *Config) switchedOn(env string) bool {
	on, err := strconv.ParseBool(environment(env, "false"))
	if err != nil {
		c.problem = fmt.Errorf("%s: %w", env, err)
	}
	return on
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
	if c.problem != nil {
		return c, c.problem
	}
	if c.MinCell == 0 {
		c.MinCell = defaultMinCell
	}
	if c.Data == "" {
		c.Data = "./data"
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return c, errors.New("-tls-cert and -tls-key belong together")
	}
	if public, err := origins("-public-url", strings.TrimRight(c.PublicURL, "/")); err != nil || len(public) > 1 {
		return c, fmt.Errorf("-public-url: %q is no address such as https://danhgia.tinh.gov.vn", c.PublicURL)
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	if _, err := origins("-embed-origins", c.EmbedOrigins); err != nil {
		return c, err
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

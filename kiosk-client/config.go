// Package kiosk is hailong-kiosk: the wiring of a device's journal, its way to the server and its screen, and the commands at the
// device. Each of them is a folder: journal, uplink, screen, keyboard, clock, simulate.
package kiosk

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/hailong-vn/hailong/internal/language"
)

// Config is what an office can set on a device. Everything else comes from the server (Configuration) or is made on the device.
type Config struct {
	State      string // folder of everything the device keeps
	Screen     string // address of the screen, on this machine only; port 0 = any free one
	Server     string // https://host:port of the server's gRPC; "" = the one it was enrolled at, or the set-up screen asks
	AllowPlain bool   // http:// to other machines too
	CA         string // PEM file of whom the server's certificate is believed from, beside the machine's own; "" = those alone
	Hook       string // second address, in the office's network, for queue systems and officials' buttons; "" = none
	Code       string // enrols with it at the start, where the device is not enrolled; "" = the set-up screen does

	Stdout io.Writer    // the one line of JSON for programs; nil = os.Stdout
	Stderr io.Writer    // words for people; nil = os.Stderr
	Logger *slog.Logger // nil = text on Stderr
}

// Register declares the settings as flags, each with its environment variable as default.
func (c *Config) Register(flags *flag.FlagSet, in language.Language) {
	c.registerState(flags, in)
	text := textFlag(flags, in)
	text(&c.Screen, "screen", "HAILONG_KIOSK_SCREEN_ADDR", "127.0.0.1:8070")
	text(&c.Hook, "hook", "HAILONG_KIOSK_HOOK_ADDR", "")
	text(&c.Code, "code", "HAILONG_KIOSK_CODE", "")
	c.registerServer(flags, in)
}

func (c *Config) registerState(flags *flag.FlagSet, in language.Language) {
	textFlag(flags, in)(&c.State, "state", "HAILONG_KIOSK_STATE_DIR", "./kiosk")
}

func (c *Config) registerServer(flags *flag.FlagSet, in language.Language) {
	text := textFlag(flags, in)
	text(&c.Server, "server", "HAILONG_KIOSK_SERVER", "")
	text(&c.CA, "ca", "HAILONG_KIOSK_CA", "")
	flags.BoolVar(&c.AllowPlain, "allow-plain", os.Getenv("HAILONG_KIOSK_ALLOW_PLAIN") == "true", usage(in, "allow-plain", "HAILONG_KIOSK_ALLOW_PLAIN"))
}

func textFlag(flags *flag.FlagSet, in language.Language) func(p *string, name, env, fallback string) {
	return func(p *string, name, env, fallback string) {
		if value, set := os.LookupEnv(env); set {
			fallback = value
		}
		flags.StringVar(p, name, fallback, usage(in, name, env))
	}
}

func usage(in language.Language, name, env string) string {
	return in.Text("kioskcommand.flag."+name) + " (" + env + ")"
}

// complete fills in what may be left out.
func (c Config) complete() Config {
	if c.State == "" {
		c.State = "kiosk"
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
	return c
}

// roots are whose certificates are believed; nil = the machine's.
func (c Config) roots() (*x509.CertPool, error) {
	if c.CA == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CA)
	if err != nil {
		return nil, fmt.Errorf("-ca: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("-ca: no certificate in " + c.CA)
	}
	return pool, nil
}

package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate reads a certificate from files and reads it again when they change, so that a renewal needs no
// restart. A renewal that cannot be read leaves the old one in use and is logged.
type certificate struct {
	certFile, keyFile string
	clock             func() time.Time
	logger            *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamp   string
	looked  time.Time
}

// lookEvery is how often the files are looked at, at most.
const lookEvery = time.Second

func loadCertificate(certFile, keyFile string, clock func() time.Time, logger *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, clock: clock, logger: logger}
	stamp, err := c.stamps()
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	c.current, c.stamp, c.looked = &pair, stamp, clock()
	return c, nil
}

func (c *certificate) stamps() (string, error) {
	stamp := ""
	for _, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return "", fmt.Errorf("read certificate: %w", err)
		}
		stamp += fmt.Sprintf("%d/%d;", info.ModTime().UnixNano(), info.Size())
	}
	return stamp, nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.clock(); now.Sub(c.looked) >= lookEvery {
		c.looked = now
		c.renew()
	}
	return c.current, nil
}

func (c *certificate) renew() {
	stamp, err := c.stamps()
	if err != nil {
		c.logger.Warn("certificate files cannot be read; the old certificate stays in use", "error", err)
		return
	}
	if stamp == c.stamp {
		return
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil { // half-written: the next look finds it whole
		c.logger.Warn("renewed certificate cannot be used yet; the old one stays in use", "error", err)
		return
	}
	c.current, c.stamp = &pair, stamp
	c.logger.Info("certificate renewed")
}

func (c *certificate) config() *tls.Config {
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}
}

// Package testengine starts the real servers that tests and benches run against: mongod as a replica set with
// authorization on, redis-server, and a browser's path. Nothing here is a fake, and nothing of the product imports it.
//
// Servers listen on 127.0.0.1 on free ports, keep their files in temporary folders, and go with the test process
// however it ends.
package testengine

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Names that Require and the environment variable HAILONG_REQUIRE know.
const (
	NameMongoDB  = "mongodb"
	NameRedis    = "redis"
	NameChromium = "chromium"
)

// Require skips the test, with a reason, where the named engine is not to be had on this machine; where
// HAILONG_REQUIRE (a list with commas) names the engine, the test fails instead.
func Require(t testing.TB, name string) {
	t.Helper()
	switch name {
	case NameMongoDB:
		if os.Getenv(envMongoDB) == "" {
			find(t, name, mongodPath)
		}
	case NameRedis:
		find(t, name, redisPath)
	case NameChromium:
		find(t, name, chromiumPath)
	default:
		t.Fatalf("testengine: no engine is called %q", name)
	}
}

// Chromium answers the path of a browser that chromedp can drive.
func Chromium(t testing.TB) string {
	t.Helper()
	return find(t, NameChromium, chromiumPath)
}

func find(t testing.TB, name string, path func() (string, string)) string {
	t.Helper()
	found, missing := path()
	if found == "" {
		unavailable(t, name, missing)
	}
	return found
}

// unavailable ends the test: skipped, or failed where the engine is required.
func unavailable(t testing.TB, name, reason string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("HAILONG_REQUIRE"), ","), name) {
		t.Fatalf("%s is required by HAILONG_REQUIRE: %s", name, reason)
	}
	t.Skipf("not run against %s: %s", name, reason)
}

func redisPath() (string, string) {
	return onPath("redis-server is not on PATH; install Debian's redis-server", "redis-server")
}

func chromiumPath() (string, string) {
	return onPath("no chromium on PATH; install Debian's chromium", "chromium", "chromium-browser", "google-chrome")
}

// onPath answers the first of names found on PATH, or the reason given.
func onPath(missing string, names ...string) (string, string) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, ""
		}
	}
	return "", missing
}

// root answers the repository's folder: the nearest one above with a go.mod.
func root() (string, bool) {
	dir, err := os.Getwd()
	if err != nil {
		return "", false
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

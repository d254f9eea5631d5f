//go:build unix

package kiosk_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/hailong-vn/hailong/server/web/webtest"
)

// TestSimulateAtTheTerminal: what it says, and what it ends with.
func TestSimulateAtTheTerminal(t *testing.T) {
	p := webtest.Shared(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := func(password, args string) *exec.Cmd {
		c := exec.CommandContext(context.WithoutCancel(t.Context()), program, append([]string{"simulate"}, strings.Fields(args)...)...) //nolint:gosec // this very program
		c.Env = append(os.Environ(), asKiosk+"=1", "HAILONG_LANGUAGE=vi", "HAILONG_KIOSK_SIM_PASSWORD="+password)
		return c
	}
	here := "-server http://" + p.GRPC + " -account " + string(webtest.Administrator) + " -unit " + p.WardOffice + " -devices 2 "
	for name, c := range map[string]struct {
		password, args string
		exit           int
		says           string
	}{
		"ends by itself":      {webtest.Password, here + "-rate 100 -outage 0 -after 20 -backlog 30", 0, "2 kiosk: 50 phiếu đã chốt = 50 máy chủ đã nhận + 0 còn chờ."},
		"a wrong password":    {"đoán", here, 1, "mật khẩu"},
		"no password":         {"", here, 1, "HAILONG_KIOSK_SIM_PASSWORD"},
		"another machine":     {webtest.Password, "-server https://192.0.2.1:9090", 1, "-really"},
		"a server not there":  {webtest.Password, "-server http://127.0.0.1:1", 1, "máy chủ"},
		"a flag out of range": {webtest.Password, here + "-outage 2", 1, "-outage"},
		"words for scores":    {webtest.Password, here + "-scores nhiều", 2, "-scores"},
		"no such flag":        {webtest.Password, here + "-no-such", 2, "-duplicates"},
		"help":                {webtest.Password, "-h", 0, "-day-length"},
	} {
		t.Run(name, func(t *testing.T) {
			run := command(c.password, c.args)
			out, _ := run.CombinedOutput() // the exit status tells
			if exit := run.ProcessState.ExitCode(); exit != c.exit || !strings.Contains(string(out), c.says) {
				t.Errorf("it ends with %d and says %q", exit, out)
			}
		})
	}
	t.Run("an interrupt", func(t *testing.T) {
		run := command(webtest.Password, here+"-rate 50")
		var out bytes.Buffer
		run.Stdout = &out
		words, err := run.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		said := ""
		for piece := make([]byte, 1000); !strings.Contains(said, "Ctrl+C"); {
			n, err := words.Read(piece)
			if said += string(piece[:n]); err != nil {
				t.Fatalf("%q, %v", said, err)
			}
		}
		if err := run.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		rest, _ := io.ReadAll(words) // until it ends
		if err := run.Wait(); err != nil || !strings.Contains(out.String(), "2/2 kiosk với máy chủ: mất 0, trùng 0.") {
			t.Errorf("%v\n%s%s\n%s", err, said, rest, &out)
		}
	})
}

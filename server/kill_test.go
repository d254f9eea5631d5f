package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestKilled(t *testing.T) {
	program := filepath.Join(build(t, "./hailong-server"), "hailong-server")
	t.Run("while importing", func(t *testing.T) { testKilledImport(t, program) })
	t.Run("while serving", func(t *testing.T) { testKilledServer(t, program) })
}

const importMapping = `
source: phieu-2026
time: {column: time, formats: ["dd/MM/yyyy HH:mm:ss"]}
constants: {channel: paper, questionnaire: kiosk@1, language: vi}
columns: {unit: unit}
overall:
  column: answer
  labels: {Rất hài lòng: 5, Hài lòng: 4, Bình thường: 3, Không hài lòng: 2, Rất không hài lòng: 1}
  ignore: [Không trả lời]
  ignored: not_asked
comment: [{column: comment}]
identity: line
`

// importFile writes a file to be imported and answers what it holds by unit: counts of scores 1 to 5. One line in a hundred
// cannot be read, one in fifty gives no answer.
func importFile(t *testing.T, path string, rows int) (counts map[string][]uint32, unreadable int) {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 11)) //nolint:gosec // no secret
	labels := []string{"Rất không hài lòng", "Không hài lòng", "Bình thường", "Hài lòng", "rất hài lòng"}
	counts = map[string][]uint32{}
	var text bytes.Buffer
	text.WriteString("time,unit,answer,comment\n")
	for i := range rows {
		unit, score := fmt.Sprintf("KILL-%d", random.IntN(8)), random.IntN(5)
		at := time.Date(2026, time.Month(3+random.IntN(2)), 1+random.IntN(28), 7+random.IntN(10), random.IntN(60), random.IntN(60), 0, time.UTC)
		label, comment := labels[score], ""
		if i%10 == 0 {
			comment = fmt.Sprintf("\"Lời góp ý %d,\nhai dòng\"", i)
		}
		switch {
		case i%100 == 7:
			label, unreadable = "không có nhãn này", unreadable+1
		case i%50 == 3:
			label = "Không trả lời"
		default:
			if counts[unit] == nil {
				counts[unit] = make([]uint32, 5)
			}
			counts[unit][score]++
		}
		fmt.Fprintf(&text, "%s,%s,%s,%s\n", at.Format("02/01/2006 15:04:05"), unit, label, comment)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return counts, unreadable
}

var importDone = regexp.MustCompile(`Rows: (\d+)\. Stored: (\d+), there before: (\d+), conflicts: (\d+), rejected: (\d+), left out: (\d+), errors: (\d+)`)

func testKilledImport(t *testing.T, program string) {
	rows := 20_000
	if testing.Short() {
		rows = 6_000
	}
	folder := t.TempDir()
	file, mapping := filepath.Join(folder, "phieu.csv"), filepath.Join(folder, "mapping.yaml")
	counts, unreadable := importFile(t, file, rows)
	if err := os.WriteFile(mapping, []byte(importMapping), 0o600); err != nil {
		t.Fatal(err)
	}
	killed, clean := filepath.Join(folder, "killed"), filepath.Join(folder, "clean")
	for _, data := range []string{killed, clean} {
		s := start(t, Config{Data: data})
		ctx := s.admin()
		for i := range 8 {
			id := fmt.Sprintf("KILL-%d", i)
			if _, err := s.directory().CreateUnit(ctx, &pb.CreateUnitRequest{Unit: &pb.Unit{Id: id, Name: "Xã " + id, Level: "commune"}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
	}
	run := func(data string) *process {
		return launch(t, false, nil, program, "import", "ratings", file, "-mapping", mapping, "-data", data)
	}
	// complete lets an import finish and answers what it said: rows, stored, duplicate, conflict, rejected, skipped, errors.
	complete := func(p *process) (said [7]int) {
		t.Helper()
		if status := p.wait(t); status != 1 { // some lines cannot be read
			t.Fatalf("the import ended with %d\n%s", status, p.log.String())
		}
		found := importDone.FindStringSubmatch(p.log.String())
		if found == nil {
			t.Fatalf("the import said\n%s", p.log.String())
		}
		for i := range said {
			said[i], _ = strconv.Atoi(found[i+1])
		}
		return said
	}
	kills := 0
	var p *process
	for line := 0; kills < 5; kills++ {
		p = run(killed)
		if !untilLine(p, folder, line+rand.IntN(rows/4)) { //nolint:gosec // no secret
			break // it was done before it could be killed
		}
		p.kill()
		line = lineReached(folder)
		if kills == 2 { // another store under the same file must not go on where the killed one stood
			want := [7]int{rows, rows - unreadable, 0, 0, 0, 0, unreadable}
			if said := complete(run(clean)); said != want {
				t.Errorf("the clean import said %v, want %v", said, want)
			}
		}
	}
	if kills < 3 {
		t.Fatalf("killed only %d times", kills)
	}
	complete(run(killed))
	t.Logf("killed %d times", kills)

	s, other := start(t, Config{Data: killed}), start(t, Config{Data: clean})
	ctx, otherCtx := s.admin(), other.admin()
	for unit, want := range counts {
		total := uint32(0)
		for _, n := range want {
			total += n
		}
		once, clean := yearSummary(ctx, s, unit, total), yearSummary(otherCtx, other, unit, total)
		if !slices.Equal(once.GetCounts(), want) || !slices.Equal(clean.GetCounts(), want) {
			t.Errorf("%s: %v after kills, %v clean, %v counted by hand", unit, once.GetCounts(), clean.GetCounts(), want)
		}
	}
	// Beside the serving process, the whole file again.
	want := [7]int{rows, 0, rows - unreadable, 0, 0, 0, unreadable}
	if said := complete(run(killed)); said != want {
		t.Errorf("again: %v, want %v", said, want)
	}
}

// yearSummary waits until 2026's figures of a unit hold n ratings.
func yearSummary(ctx context.Context, s *running, unit string, n uint32) *pb.Distribution {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		summary, err := s.analytics().GetUnitSummary(ctx, &pb.GetUnitSummaryRequest{UnitId: unit, From: "2026-01-01", To: "2026-12-31"})
		if err != nil {
			s.t.Fatal(err)
		}
		if got := summary.GetPooled().GetN(); got == n {
			return summary.GetPooled()
		} else if got > n || time.Now().After(deadline) {
			s.t.Fatalf("%s has %d ratings, want %d", unit, got, n)
		}
	}
}

// lineReached is the line up to which an import into any store has come, by its state.
func lineReached(folder string) (line int) {
	names, _ := filepath.Glob(filepath.Join(folder, "phieu.csv*.state.json"))
	for _, name := range names {
		var state struct{ Line int }
		if text, err := os.ReadFile(name); err == nil && json.Unmarshal(text, &state) == nil {
			line = max(line, state.Line)
		}
	}
	return line
}

// untilLine waits until an import has come to a line; false where it ended before.
func untilLine(p *process, folder string, line int) bool {
	for deadline := time.After(2 * time.Minute); lineReached(folder) <= line; {
		select {
		case <-p.ended:
			return false
		case <-deadline:
			return false
		case <-time.After(time.Millisecond):
		}
	}
	return true
}

// testKilledServer kills a server while clients send; whatever it acknowledged is there when it comes back.
func testKilledServer(t *testing.T, program string) {
	data := t.TempDir()
	serve := func() *process {
		return launch(t, true, nil, program, "-data", data, "-grpc", "127.0.0.1:0", "-http", "127.0.0.1:0")
	}
	p := serve()
	s := p.connect(t)
	ctx := s.admin()
	units := []string{s.unit(ctx, "", "Xã Một"), s.unit(ctx, "", "Xã Hai"), s.unit(ctx, "", "Xã Ba")}
	j := newJournal()
	const rounds = 3
	for range rounds {
		var clients sync.WaitGroup
		for client := range 4 {
			clients.Go(func() {
				if err := sendUntilKilled(ctx, s, j, units, 1+client*7, client == 3); err != nil {
					t.Error(err)
				}
			})
		}
		target := j.count.Load() + 200 + rand.Int64N(400) //nolint:gosec // no secret
		for deadline := time.Now().Add(time.Minute); j.count.Load() < target && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		p.kill()
		clients.Wait()
		p = serve()
		s = p.connect(t) // the sessions of before still hold: they are in the store
		resend(ctx, s, j)
	}
	for unit, n := range j.counts() {
		s.summary(ctx, unit, n)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := p.wait(t); status != 0 {
		t.Errorf("asked to stop, the server ended with %d\n%s", status, p.log.String())
	}
	reconciled := launch(t, false, nil, program, "reconcile", "-data", data)
	if status := reconciled.wait(t); status != 0 {
		t.Errorf("reconcile: %d\n%s", status, reconciled.log.String())
	}
	t.Logf("killed %d times over %d ratings", rounds, len(j.sent))
}

package ratingimport

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// engineShelf is a Submitter over a real engine: what intake does, without its judgement.
type engineShelf struct {
	engine store.Engine
	pause  time.Duration
}

func (s engineShelf) Submit(ctx context.Context, items []*pb.SealedRating) ([]*pb.ItemOutcome, error) {
	time.Sleep(s.pause)
	records := make([]rating.Record, len(items))
	outcomes := make([]*pb.ItemOutcome, len(items))
	for i, item := range items {
		r := &pb.Rating{}
		if err := proto.Unmarshal(item.GetRating(), r); err != nil {
			return nil, err
		}
		outcomes[i] = &pb.ItemOutcome{RatingId: r.GetId()}
		records[i] = rating.NewRecord("home", r, item.GetRating(), rating.Sender{Source: "test"}, time.Unix(2_000_000_000, 0))
	}
	appended, err := s.engine.Ratings().Append(ctx, records)
	if err != nil {
		return nil, err
	}
	for i, a := range appended {
		switch {
		case a.Stored:
			outcomes[i].Outcome = pb.Outcome_OUTCOME_STORED
		case bytes.Equal(a.Existing.Bytes, items[i].GetRating()):
			outcomes[i].Outcome = pb.Outcome_OUTCOME_DUPLICATE
		default:
			outcomes[i].Outcome = pb.Outcome_OUTCOME_CONFLICT
		}
	}
	return outcomes, nil
}

const childFolder = "HAILONG_IMPORT_CHILD"

// importInto imports in.csv of a folder into the engine of the folder.
func importInto(ctx context.Context, folder, engineFolder string, pause time.Duration) (Summary, error) {
	m, err := ParseMapping([]byte(simple))
	if err != nil {
		return Summary{}, err
	}
	engine, err := sqlite.Open(ctx, engineFolder, sqlite.Options{})
	if err != nil {
		return Summary{}, err
	}
	defer func() { _ = engine.Close() }()
	return Run(ctx, Source{Path: filepath.Join(folder, "in.csv")}, m, engineShelf{engine, pause}, Options{
		StatePath: filepath.Join(folder, "state.json"), ErrorsPath: filepath.Join(folder, "errors.csv"), BatchSize: 50, SaltKey: []byte("key"),
	})
}

// TestKilledChild is the process that is killed; without its folder it does nothing.
func TestKilledChild(t *testing.T) {
	folder := os.Getenv(childFolder)
	if folder == "" {
		return
	}
	if _, err := importInto(t.Context(), folder, filepath.Join(folder, "data"), 15*time.Millisecond); err != nil {
		t.Fatal(err)
	}
}

// An import that is killed again and again and then let finish stores what one clean import stores: the same records,
// byte for byte, the same summary and the same errors file.
func TestKilledImportEqualsACleanOne(t *testing.T) {
	folder := t.TempDir()
	const rows = 6000
	var text bytes.Buffer
	text.WriteString("t,u,s,c\n")
	bad := 0
	for i := range rows {
		score := fmt.Sprint(1 + i%5)
		if i%97 == 0 {
			score, bad = "lạ", bad+1
		}
		fmt.Fprintf(&text, "2026-0%d-1%d 0%d:%02d,UNIT%d,%s,\"lời %d\nhai dòng\"\n", 1+i%9, i%10, i%8, i%60, i%7, score, i)
	}
	if err := os.WriteFile(filepath.Join(folder, "in.csv"), text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	kills := 0
	for last := int64(0); kills < 3; kills++ {
		child := exec.Command(os.Args[0], "-test.run=^TestKilledChild$") //nolint:gosec // ourselves
		child.Env = append(os.Environ(), childFolder+"="+folder)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		deadline := time.Now().Add(30 * time.Second)
		for line := last; line < last+700; line = lineReached(folder) {
			if time.Now().After(deadline) {
				t.Fatal("the child does not get on")
			}
			time.Sleep(2 * time.Millisecond)
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the child ended before it was killed")
		}
		last = lineReached(folder)
	}
	killed, err := importInto(t.Context(), folder, filepath.Join(folder, "data"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if killed.ResumedAt < 2000 {
		t.Errorf("went on at line %d only", killed.ResumedAt)
	}
	errors := errorLines(t, filepath.Join(folder, "errors.csv"))
	clean, err := importInto(t.Context(), folder, filepath.Join(folder, "clean"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if clean.Stored != int64(rows-bad) || clean.Errors != int64(bad) {
		t.Errorf("clean: %+v", clean)
	}
	if killed.Rows != clean.Rows || killed.Scores != clean.Scores || killed.Errors != clean.Errors || killed.Stored+killed.Duplicate != clean.Stored {
		t.Errorf("killed %+v\nclean %+v", killed, clean)
	}
	if cleanErrors := errorLines(t, filepath.Join(folder, "errors.csv")); fmt.Sprint(errors) != fmt.Sprint(cleanErrors) || len(errors) != bad {
		t.Errorf("%d errors after kills, %d clean", len(errors), len(cleanErrors))
	}
	a, b := scan(t, filepath.Join(folder, "data")), scan(t, filepath.Join(folder, "clean"))
	if len(a) != rows-bad || len(b) != len(a) {
		t.Fatalf("%d records after kills, %d clean", len(a), len(b))
	}
	for id, bytes := range b {
		if a[id] != bytes {
			t.Fatalf("%s differs", id)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "state.json")); !os.IsNotExist(err) {
		t.Errorf("the state stays after a good end: %v", err)
	}
}

func lineReached(folder string) int64 {
	var s state
	text, err := os.ReadFile(filepath.Join(folder, "state.json")) //nolint:gosec // the test's own folder
	if err != nil || json.Unmarshal(text, &s) != nil {
		return 0
	}
	return s.Line
}

func scan(t *testing.T, folder string) map[string]string {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), folder, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = engine.Close() }()
	records := map[string]string{}
	for r, err := range engine.Ratings().Scan(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		records[r.ID] = string(r.Bytes)
	}
	return records
}

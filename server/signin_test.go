package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestSignInIsLockedOutAfterManyWrongPasswords(t *testing.T) {
	began, ahead := time.Now(), atomic.Int64{} // a clock that stands still, so that no budget refills meanwhile
	s := start(t, Config{Worker: "off", Clock: func() time.Time { return began.Add(time.Duration(ahead.Load())) }})
	try := func(name, password string) error {
		_, err := s.identity().CreateSession(t.Context(), &pb.CreateSessionRequest{Name: name, Password: password})
		return err
	}
	for i := range 10 {
		wantRefused(t, try("admin", fmt.Sprint("đoán lần ", i)), codes.Unauthenticated, "sign_in_wrong")
	}
	wantRefused(t, try("admin", adminPassword), codes.ResourceExhausted, "sign_in_too_often")
	if code, answer := s.json("POST", "/v1/sessions", "", `{"name":"ADMIN","password":"`+adminPassword+`"}`); code != http.StatusTooManyRequests {
		t.Errorf("over JSON, from the same address: %d %v", code, answer)
	}
	wantRefused(t, try("người khác", "đoán"), codes.Unauthenticated, "sign_in_wrong") // others are not locked out
	ahead.Store(int64(2 * time.Minute))
	if err := try("admin", adminPassword); err != nil {
		t.Errorf("two minutes later: %v", err)
	}
	if testing.Short() {
		return // what follows hashes seventy passwords
	}
	refused := 0
	for i := range 70 { // whatever the name, from one address
		if status.Code(try(fmt.Sprint("tên ", i), "đoán")) == codes.ResourceExhausted {
			refused++
		}
	}
	if refused < 5 {
		t.Errorf("of 70 names tried from one address %d were refused", refused)
	}
}

func TestOneTimePasswordIsForChangingIt(t *testing.T) {
	s, told := startWithoutPassword(t)
	shown := regexp.MustCompile(`: ([a-z2-9]{4}(?:-[a-z2-9]{4}){3})\.`).FindStringSubmatch(told())
	if shown == nil {
		t.Fatalf("no one-time password in %q", told())
	}
	found := shown[1]
	ctx := s.signIn("admin", found)
	_, units := s.directory().ListUnits(ctx, &pb.ListUnitsRequest{})
	_, create := s.directory().CreateUnit(ctx, &pb.CreateUnitRequest{Unit: &pb.Unit{Name: "Tỉnh", Level: "province"}})
	_, figures := s.analytics().GetUnitSummary(ctx, &pb.GetUnitSummaryRequest{UnitId: "x"})
	_, accounts := s.identity().ListAccounts(ctx, &pb.ListAccountsRequest{})
	_, submit := s.ratings().SubmitRatings(ctx, &pb.SubmitRatingsRequest{})
	for _, err := range []error{units, create, figures, accounts, submit} {
		wantRefused(t, err, codes.PermissionDenied, "password_must_change")
	}
	change := func(current, wanted string) error {
		_, err := s.identity().ChangePassword(ctx, &pb.ChangePasswordRequest{CurrentPassword: current, NewPassword: wanted})
		return err
	}
	wantRefused(t, change("không phải thế", adminPassword), codes.PermissionDenied, "password_wrong")
	wantRefused(t, change(found, found), codes.InvalidArgument, "password_same")
	other := s.signIn("admin", found)
	if err := change(found, adminPassword); err != nil {
		t.Fatal(err)
	}
	if _, err := s.directory().ListUnits(ctx, &pb.ListUnitsRequest{}); err != nil {
		t.Errorf("after the change: %v", err)
	}
	_, err := s.directory().ListUnits(other, &pb.ListUnitsRequest{})
	wantRefused(t, err, codes.Unauthenticated, "session_ended")
	_, err = s.identity().CreateSession(t.Context(), &pb.CreateSessionRequest{Name: "admin", Password: found})
	wantRefused(t, err, codes.Unauthenticated, "sign_in_wrong")
	s.admin()
	if count := strings.Count(told(), found); count != 1 {
		t.Errorf("the one-time password was shown %d times", count)
	}
}

// terminalText is what a person would have read.
type terminalText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *terminalText) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *terminalText) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// startWithoutPassword runs a server that was given no password for its first administrator.
func startWithoutPassword(t *testing.T) (s *running, told func() string) {
	t.Helper()
	reader, writer := io.Pipe()
	words := &terminalText{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		err := Run(ctx, Config{GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: t.TempDir(), Worker: "off", Stdout: writer, Stderr: words})
		done <- err
		_ = writer.CloseWithError(fmt.Errorf("the server ended: %w", err))
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server stopped with %v", err)
		}
	})
	line, err := bufio.NewReader(reader).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var ready struct{ GRPC, HTTP string }
	if err := json.Unmarshal(line, &ready); err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(ready.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &running{t: t, grpc: ready.GRPC, http: ready.HTTP, conn: conn}, words.String
}

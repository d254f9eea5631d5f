package server

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// What an administrator does most is done at the machine too, beside a server that runs on the same data.
func TestAdministeringAtTheMachine(t *testing.T) {
	folder := t.TempDir()
	s := start(t, Config{Data: folder})
	admin := s.admin()
	unit := s.unit(admin, "", "Phường Bến Trăng")
	run := func(args ...string) (string, error) {
		t.Helper()
		var out, said bytes.Buffer
		at := &terminal{Language: language.English, stdout: &out, stderr: &said}
		err := at.dispatch(t.Context(), append(args, "-data", folder))
		return strings.TrimSpace(out.String()), err
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := run(args...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return out
	}
	counter := must("create", "counter", "ben trang", "1", "Quầy 1: Hộ tịch")
	if listed := must("list", "counters", unit); !strings.Contains(listed, counter) || !strings.Contains(listed, "Quầy 1: Hộ tịch") {
		t.Errorf("the counters are %q", listed)
	}
	made := must("create", "device", "Kiosk 1", "BEN TRANG", "-counters", counter)
	// The id may hold what looks like a code.
	code, id := regexp.MustCompile(`code [0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}`).FindString(made), regexp.MustCompile(`[0-9a-f-]{36}`).FindString(made)
	if code == "" || id == "" {
		t.Fatalf("the device was made with %q", made)
	}
	if renewed := must("renew", "code", id); strings.Contains(renewed, code) || !strings.Contains(renewed, id) {
		t.Errorf("renewed to %q after %q", renewed, made)
	}
	must("revoke", "device", id)
	if listed := must("list", "devices"); !strings.Contains(listed, "Revoked") || !strings.Contains(listed, "Kiosk 1") {
		t.Errorf("the devices are %q", listed)
	}
	password := lastWord(must("create", "account", "lan", "leader", "-unit", "ben trang"))
	session := s.signIn("lan", password)
	_, err := s.directory().ListUnits(session, &pb.ListUnitsRequest{})
	wantRefused(t, err, codes.PermissionDenied, "password_must_change")
	must("disable", "account", "lan")
	if listed := must("list", "accounts"); !strings.Contains(listed, "Disabled") {
		t.Errorf("the accounts are %q", listed)
	}
	if again := lastWord(must("enable", "account", "lan")); again == password || again == "" {
		t.Errorf("enabled with %q", again)
	}
	must("close", "counter", counter)
	if listed := must("list", "counters", unit); strings.Contains(listed, counter) {
		t.Errorf("the counters are %q", listed)
	}
	file := filepath.Join(folder, "form.yaml")
	if err := os.WriteFile(file, []byte("id: kiosk\nversion: 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args   []string
		reason string
	}{
		"a unit that is not there":          {[]string{"create", "counter", "Xã Không Có", "1", "Quầy"}, "unit_unknown"},
		"a counter of nowhere":              {[]string{"close", "counter", "khong-co"}, "directory_counter_missing"},
		"a device at a closed counter":      {[]string{"create", "device", "Kiosk 2", unit, "-counters", counter}, "directory_counter_closed"},
		"an account with a role of its own": {[]string{"create", "account", "mai", "king"}, "account_role_unknown"},
		"an account that works already":     {[]string{"enable", "account", "lan"}, "account_enabled"},
		"a name in use":                     {[]string{"create", "account", "lan", "leader"}, "account_name_taken"},
		"a form that is wrong":              {[]string{"publish", "questionnaire", file}, "questionnaire_number_invalid"},
		"a form that is not there":          {[]string{"publish", "questionnaire", file + ".txt"}, "file_unreadable"},
	} {
		if _, err := run(c.args...); err == nil || fault.Of(err).Reason != c.reason {
			t.Errorf("%s: %v, want %s", name, err, c.reason)
		}
	}
	if _, err := run("create", "counter", "too few"); err == nil {
		t.Error("two words are missing and nothing is said")
	}
}

func lastWord(text string) string {
	words := strings.Fields(text)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

package server

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Whatever the contract can do is done at the machine too, judged and audited like any other call.
func TestAnyCallAtTheMachine(t *testing.T) {
	folder := t.TempDir()
	s := start(t, Config{Data: folder})
	admin := s.admin()
	call := func(args ...string) (string, error) {
		t.Helper()
		var out, said bytes.Buffer
		at := &terminal{Language: language.Vietnamese, stdout: &out, stderr: &said}
		err := at.dispatch(t.Context(), append(append([]string{"call"}, args...), "-data", folder))
		return out.String(), err
	}
	file := filepath.Join(folder, "call.json")
	if err := os.WriteFile(file, []byte(`{"unit": {"name": "Phường Bến Khoai", "level": "commune", "code": "01"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := call("CreateUnit", "@"+file)
	if err != nil {
		t.Fatal(err)
	}
	var made pb.Unit
	if err := protojson.Unmarshal([]byte(out), &made); err != nil || made.GetName() != "Phường Bến Khoai" {
		t.Fatalf("made %q: %v", out, err)
	}
	if out, err = call("ListUnits", `{"query": "ben khoai"}`); err != nil || !strings.Contains(out, made.GetId()) {
		t.Errorf("the server's own units are %q: %v", out, err)
	}
	if out, err = call("ListUnits"); err != nil || !strings.Contains(out, made.GetId()) {
		t.Errorf("without a request: %q: %v", out, err)
	}
	audited, err := s.operations().ListAudit(admin, &pb.ListAuditRequest{})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, entry := range audited.GetEntries() {
		found = found || entry.GetAction() == "CreateUnit"
	}
	if !found {
		t.Error("what was done at the machine is not in the audit")
	}
	for name, c := range map[string]struct {
		args   []string
		reason string
	}{
		"a call that is not there":  {[]string{"DropEverything"}, "call_unknown"},
		"no JSON":                   {[]string{"ListUnits", "{"}, "call_json_invalid"},
		"a field that is not there": {[]string{"ListUnits", `{"colour": "red"}`}, "call_json_invalid"},
		"against the rules":         {[]string{"GetUnit", `{"unit_id": ""}`}, "request_invalid"},
		"a unit that is not there":  {[]string{"GetUnit", `{"unit_id": "khong-co"}`}, "unit_unknown"},
		"a file that is not there":  {[]string{"GetUnit", "@" + file + ".not"}, "file_unreadable"},
		"what has a verb":           {[]string{"StartImport"}, "call_has_verb"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call(c.args...)
			var known *fault.Error
			if !errors.As(err, &known) || known.Reason != c.reason {
				t.Errorf("%v, want %s", err, c.reason)
			}
		})
	}
}

package secret_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
)

func openStore(t *testing.T) store.Engine {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine
}

func key(first byte) []byte {
	k := bytes.Repeat([]byte{7}, 32)
	k[0] = first
	return k
}

func load(t *testing.T, engine store.Engine, source secret.Source) secret.Keys {
	t.Helper()
	keys, err := secret.Load(t.Context(), engine, source)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func wantReason(t *testing.T, err error, reason string) {
	t.Helper()
	if err == nil || fault.Of(err).Reason != reason {
		t.Fatalf("got %v, want %s", err, reason)
	}
	for _, l := range language.All {
		if key := "fault." + reason; l.Text(key) == key {
			t.Errorf("%s has no words for %s", l, reason)
		}
	}
}

func TestWhatIsSealedOpensForTheSameThingOnly(t *testing.T) {
	keys := load(t, openStore(t), secret.Source{Text: hex.EncodeToString(key(1))})
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		aad := rapid.SliceOf(rapid.Byte()).Draw(t, "aad")
		sealed, err := keys.Seal(plain, aad)
		if err != nil {
			t.Fatal(err)
		}
		again, err := keys.Seal(plain, aad)
		if err != nil || bytes.Equal(sealed, again) {
			t.Fatal("sealed twice the same", err)
		}
		if len(sealed) != len(plain)+33 {
			t.Fatalf("%d bytes longer", len(sealed)-len(plain))
		}
		if got, err := keys.Open(sealed, aad); err != nil || !bytes.Equal(got, plain) {
			t.Fatal(got, err)
		}
		if _, err := keys.Open(sealed, append(aad, 0)); err == nil {
			t.Fatal("opened for something else")
		}
		changed := bytes.Clone(sealed)
		changed[rapid.IntRange(0, len(changed)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := keys.Open(changed, aad); !fault.Is(err, fault.Internal) {
			t.Fatal("opened though it was changed", err)
		}
		if _, err := keys.Open(sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "cut")], aad); err == nil {
			t.Fatal("opened though it was cut")
		}
	})
	if _, err := (secret.Keys{}).Seal(nil, nil); err == nil {
		t.Error("the zero Keys seals")
	}
	if _, err := (secret.Keys{}).Open(bytes.Repeat([]byte{1}, 64), nil); err == nil {
		t.Error("the zero Keys opens")
	}
	if _, err := (secret.Keys{}).Signer("x"); err == nil {
		t.Error("the zero Keys signs")
	}
}

func TestKeysRotate(t *testing.T) {
	engine := openStore(t)
	old, fresh := hex.EncodeToString(key(1)), base64.StdEncoding.EncodeToString(key(2))
	sealedOld, err := load(t, engine, secret.Source{Text: old}).Seal([]byte("0912 345 678"), nil)
	if err != nil {
		t.Fatal(err)
	}
	both := load(t, engine, secret.Source{Text: "# since November\n" + fresh + "\n\n  " + old + "\r\n"})
	sealedNew, err := both.Seal([]byte("0987 654 321"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, sealed := range [][]byte{sealedOld, sealedNew} {
		if _, err := both.Open(sealed, nil); err != nil {
			t.Error(err)
		}
	}
	_, err = secret.Load(t.Context(), engine, secret.Source{Text: old})
	wantReason(t, err, "key_lost")
	_, err = secret.Load(t.Context(), engine, secret.Source{Text: fresh})
	wantReason(t, err, "key_lost")
	only := load(t, engine, secret.Source{Text: fresh, ForgetLost: true})
	if _, err := only.Open(sealedOld, nil); err == nil {
		t.Error("opened with a key that was forgotten")
	}
	if _, err := only.Open(sealedNew, nil); err != nil {
		t.Error(err)
	}
	load(t, engine, secret.Source{Text: fresh})
}

func TestWhereKeysComeFrom(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := hex.EncodeToString(key(1))
	for name, source := range map[string]secret.Source{
		"hexadecimal":     {Text: good},
		"capitals":        {Text: strings.ToUpper(good)},
		"base64":          {Text: base64.StdEncoding.EncodeToString(key(1))},
		"base64 for URLs": {Text: base64.RawURLEncoding.EncodeToString(key(1))},
		"a file":          {File: file("good", good+"\n")},
		"text goes first": {Text: good, File: file("ignored", "x")},
	} {
		t.Run(name, func(t *testing.T) {
			sealed, err := load(t, openStore(t), source).Seal([]byte("x"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := load(t, openStore(t), secret.Source{Text: good}).Open(sealed, nil); err != nil {
				t.Error("it is another key: ", err)
			}
		})
	}
	for name, test := range map[string]struct {
		source secret.Source
		reason string
	}{
		"nothing":               {secret.Source{}, "key_missing"},
		"no such file":          {secret.Source{File: filepath.Join(folder, "none")}, "key_unreadable"},
		"a folder":              {secret.Source{File: folder}, "key_unreadable"},
		"an empty file":         {secret.Source{File: file("empty", "")}, "key_malformed"},
		"only a comment":        {secret.Source{File: file("comment", "# key\n")}, "key_malformed"},
		"31 bytes":              {secret.Source{Text: good[2:]}, "key_malformed"},
		"33 bytes":              {secret.Source{Text: good + "00"}, "key_malformed"},
		"a password":            {secret.Source{Text: "mật khẩu"}, "key_malformed"},
		"zeros":                 {secret.Source{Text: strings.Repeat("0", 64)}, "key_malformed"},
		"a good and a bad line": {secret.Source{Text: good + "\n" + good[1:]}, "key_malformed"},
		"a large file":          {secret.Source{File: file("large", strings.Repeat("0", 1<<20))}, "key_malformed"},
		"no place for a file":   {secret.Source{Folder: filepath.Join(file("plain", ""), "below")}, "key_unreadable"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := secret.Load(t.Context(), openStore(t), test.source)
			wantReason(t, err, test.reason)
			if strings.Contains(err.Error(), good[4:60]) {
				t.Errorf("the error tells the key: %v", err)
			}
		})
	}
}

func TestAFileIsMadeOnceForItsOwnerAlone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	engines := []store.Engine{openStore(t), openStore(t), openStore(t), openStore(t)}
	sealed := make([][]byte, len(engines))
	var callers sync.WaitGroup
	for i, engine := range engines {
		callers.Go(func() {
			keys, err := secret.Load(t.Context(), engine, secret.Source{Folder: folder})
			if err != nil {
				t.Error(err)
				return
			}
			if sealed[i], err = keys.Seal([]byte("x"), nil); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	keys := load(t, engines[0], secret.Source{Folder: folder})
	for _, s := range sealed {
		if _, err := keys.Open(s, nil); err != nil {
			t.Errorf("two processes made two keys: %v", err)
		}
	}
	info, err := os.Stat(filepath.Join(folder, secret.FileName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 1 {
		t.Errorf("left in the folder: %v, %v", files, err)
	}
	if err := os.Remove(filepath.Join(folder, secret.FileName)); err != nil {
		t.Fatal(err)
	}
	_, err = secret.Load(t.Context(), engines[0], secret.Source{Folder: folder})
	wantReason(t, err, "key_lost")
}

func TestAllProcessesSignWithOneKey(t *testing.T) {
	engine := openStore(t)
	source := secret.Source{Text: hex.EncodeToString(key(1))}
	sums := make([][]byte, 8)
	var callers sync.WaitGroup
	for i := range sums {
		callers.Go(func() {
			keys, err := secret.Load(t.Context(), engine, source)
			if err != nil {
				t.Error(err)
				return
			}
			signer, err := keys.Signer("test")
			if err != nil {
				t.Error(err)
				return
			}
			sums[i] = signer.Sum([]byte("x"))
		})
	}
	callers.Wait()
	keys := load(t, engine, source)
	signer, err := keys.Signer("test")
	if err != nil {
		t.Fatal(err)
	}
	for _, sum := range sums {
		if !signer.Proves([]byte("x"), sum) {
			t.Error("another key")
		}
	}
	other, err := keys.Signer("other")
	if err != nil {
		t.Fatal(err)
	}
	if other.Proves([]byte("x"), sums[0]) || signer.Proves([]byte("y"), sums[0]) || signer.Proves([]byte("x"), nil) {
		t.Error("proves what it should not")
	}
	elsewhere, err := load(t, openStore(t), source).Signer("test")
	if err != nil {
		t.Fatal(err)
	}
	if elsewhere.Proves([]byte("x"), sums[0]) {
		t.Error("two stores share a key")
	}
}

func TestKeysCannotBePrinted(t *testing.T) {
	keys := load(t, openStore(t), secret.Source{Text: hex.EncodeToString(key(1))})
	signer, err := keys.Signer("test")
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Keys   secret.Keys
		signer secret.Signer
		keys   *secret.Keys
		hidden secret.Keys
	}
	var log bytes.Buffer
	h := holder{keys, signer, &keys, keys}
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "keys", keys, "signer", signer, "holder", h, "pointer", &keys)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "keys", keys, "signer", signer, "holder", h, "pointer", &keys)
	out := log.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, what := range []any{keys, &keys, signer, &signer} {
			out += fmt.Sprintf(verb, what)
		}
		out += fmt.Sprintf(verb, h)
	}
	encoded, err := json.Marshal(map[string]any{"keys": keys, "holder": h})
	if err != nil {
		t.Fatal(err)
	}
	out += string(encoded)
	// A key of 32 bytes in any print-out is a long run of hexadecimal digits, or of numbers.
	if found := regexp.MustCompile(`[0-9a-fA-F]{33,}|(\d+[ ,]+){9,}|(0x[0-9a-f]+, ){4,}|\x07{4,}`).FindString(out); found != "" {
		t.Errorf("printed: %q", found)
	}
	if !strings.Contains(out, "[redacted]") {
		t.Error("nothing was printed at all")
	}
}

// A store that is away must not look like a lost key.
func TestAStoreThatIsAway(t *testing.T) {
	engine := openStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := secret.Load(ctx, engine, secret.Source{Text: hex.EncodeToString(key(1))})
	if err == nil || fault.Of(err).Reason == "key_lost" {
		t.Errorf("got %v", err)
	}
}

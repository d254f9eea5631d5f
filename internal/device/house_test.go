package device

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a clock that stands until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.mu.Unlock()
}

// house is a store and a bus, over which tests open one or more processes.
type house struct {
	t      testing.TB
	engine store.Engine
	bus    *local.Bus
	clock  *clock
	keys   secret.Keys
}

func newHouse(t testing.TB) *house {
	t.Helper()
	clock := &clock{now: at}
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return houseOn(t, engine, clock)
}

func houseOn(t testing.TB, engine store.Engine, clock *clock) *house {
	t.Helper()
	h := &house{t: t, clock: clock, engine: engine, bus: local.New(local.Options{Now: clock.Now})}
	t.Cleanup(func() {
		if err := errors.Join(h.bus.Close(), engine.Close()); err != nil {
			t.Error(err)
		}
	})
	var err error
	if h.keys, err = secret.Load(t.Context(), engine, secret.Source{Folder: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	return h
}

// onStores runs a test on the embedded store and on a real MongoDB.
func onStores(t *testing.T, test func(t *testing.T, h *house)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newHouse(t)) })
	t.Run("mongodb", func(t *testing.T) {
		engine, err := mongodb.Open(t.Context(), testengine.WithDatabase(testengine.MongoDB(t)), mongodb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		test(t, houseOn(t, engine, &clock{now: at}))
	})
}

// beat sends a heartbeat and answers whether the device is told of another machine.
func (h *house) beat(d *Devices, id string, beat Beat) (cloned bool) {
	h.t.Helper()
	_, cloned, err := d.Heartbeat(h.t.Context(), id, beat)
	if err != nil {
		h.t.Fatal(err)
	}
	return cloned
}

// process opens devices as one more process would.
func (h *house) process(change ...func(*Options)) *Devices {
	h.t.Helper()
	options := Options{Keys: h.keys, Limits: h.bus, Nonces: h.bus, Feed: h.bus, Now: h.clock.Now}
	for _, c := range change {
		c(&options)
	}
	d, err := Open(h.t.Context(), h.engine, options)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(d.Close)
	return d
}

func testKey(seed byte) (ed25519.PublicKey, ed25519.PrivateKey) {
	s := make([]byte, ed25519.SeedSize)
	s[0] = seed
	key := ed25519.NewKeyFromSeed(s)
	return key.Public().(ed25519.PublicKey), key
}

// make makes a device bound to unit U, counter C.
func (h *house) make(d *Devices) (Device, Code) {
	h.t.Helper()
	device, code, err := d.Create(h.t.Context(), "admin", "Kiosk 1, sảnh chính", []Binding{{UnitID: "U", CounterID: "C"}})
	if err != nil {
		h.t.Fatal(err)
	}
	return device, code
}

// enrolled makes a device and binds a key.
func (h *house) enrolled(d *Devices, seed byte) (Device, ed25519.PrivateKey) {
	h.t.Helper()
	_, code := h.make(d)
	public, private := testKey(seed)
	device, err := d.Enroll(h.t.Context(), code.Text, public, "10.0.0.1")
	if err != nil {
		h.t.Fatal(err)
	}
	return device, private
}

func sign(key ed25519.PrivateKey, nonce []byte) []byte {
	return ed25519.Sign(key, append([]byte("hailong.v1.DeviceToken\x00"), nonce...))
}

func (h *house) token(d *Devices, id string, key ed25519.PrivateKey) string {
	h.t.Helper()
	nonce := d.CreateNonce(id)
	token, _, err := d.CreateToken(h.t.Context(), id, nonce, sign(key, nonce))
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

func wantFault(t *testing.T, err error, code fault.Code, reason string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s: %s", code, reason)
	}
	if got := fault.Of(err); got.Code != code || got.Reason != reason {
		t.Fatalf("got %v, want %s: %s", err, code, reason)
	}
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

func TestEveryReasonHasWords(t *testing.T) {
	reason := regexp.MustCompile(`fault\.New\(fault\.\w+, "(\w+)"`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range reason.FindAllSubmatch(data, -1) {
			found++
			for _, l := range language.All {
				if key := "fault." + string(match[1]); l.Text(key) == key {
					t.Errorf("%s: %s has no words for %s", file, l, key)
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("found only %d reasons", found)
	}
}

// benchHouse is a house with one process.
type benchHouse struct {
	*house
	d *Devices
}

func newBenchHouse(b *testing.B) benchHouse {
	h := newHouse(b)
	return benchHouse{h, h.process()}
}

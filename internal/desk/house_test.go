package desk_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/desk"
	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/hailong-vn/hailong/internal/testengine.(*Server).Start.func1"))
}

const (
	stored    = pb.Outcome_OUTCOME_STORED
	duplicate = pb.Outcome_OUTCOME_DUPLICATE
	conflict  = pb.Outcome_OUTCOME_CONFLICT
	rejected  = pb.Outcome_OUTCOME_REJECTED
)

var (
	lan = desk.Typist{ID: "a-lan", Name: "lan"}
	ba  = desk.Typist{ID: "a-ba", Name: "ba"}
)

// house is a store with an office "U" in a commune "X", and the desk of one process.
type house struct {
	*desk.Desk
	t         testing.TB
	engine    store.Engine
	directory *directory.Directory
	keys      secret.Keys
	salts     secret.Signer
	intake    *dying
	mu        sync.Mutex
	now       time.Time
}

func onEngines(t *testing.T, test func(t *testing.T, h *house)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newHouse(t)) })
	t.Run("mongodb", func(t *testing.T) {
		uri, database := testengine.MongoDB(t)
		engine, err := mongodb.Open(t.Context(), uri, mongodb.Options{Database: database})
		if err != nil {
			t.Fatal(err)
		}
		test(t, houseOn(t, engine))
	})
}

func newHouse(t testing.TB) *house {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return houseOn(t, engine)
}

func houseOn(t testing.TB, engine store.Engine) *house {
	t.Helper()
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{t: t, engine: engine, now: time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC)} // 15:00 in Vietnam
	d, err := directory.Open(t.Context(), engine, directory.Options{Now: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	h.directory = d
	if err := d.PublishBuiltIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, u := range []struct{ id, above string }{{"X", ""}, {"U", "X"}, {"V", "X"}} {
		if _, err := d.CreateUnit(t.Context(), u.id, "", unit.Words{Code: u.id, Name: "Đơn vị " + u.id, Level: "office", ParentID: u.above}); err != nil {
			t.Fatal(err)
		}
	}
	if h.keys, err = secret.Load(t.Context(), engine, secret.Source{Text: strings.Repeat("5a", 32)}); err != nil {
		t.Fatal(err)
	}
	salts, err := h.keys.Signer("private-salt")
	if err != nil {
		t.Fatal(err)
	}
	in, err := intake.New(t.Context(), intake.Config{Engine: engine, Directory: d, Hints: deaf{}, Contacts: h.keys, Salts: salts, Clock: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	h.intake = &dying{Service: in}
	h.salts = salts
	h.Desk, err = desk.Open(t.Context(), mortal{engine, h.intake}, desk.Options{Intake: h.intake, Directory: d, Salts: salts, Now: h.clock})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

type deaf struct{}

func (deaf) Touched(context.Context, []string) {}

// dying is an intake that a process dies in, before or after the rating is stored.
type dying struct {
	*intake.Service
	mu            sync.Mutex
	before, after int // calls that die
	point         int // where it dies: 1 is before the next write, 2 after it, and so on; 0 = nowhere
}

// step dies where the process is to die.
func (d *dying) step() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.point > 0 {
		if d.point--; d.point == 0 {
			return errDied
		}
	}
	return nil
}

// dieAt sets where the process dies, and answers whether it lived until now.
func (d *dying) dieAt(point int) (lives bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	lives = d.point > 0
	d.point = point
	return lives
}

// mortal is an engine whose writes of documents a process dies before or after.
type mortal struct {
	store.Engine
	*dying
}

func (m mortal) Documents(ctx context.Context, kind store.Kind) (store.Documents, error) {
	documents, err := m.Engine.Documents(ctx, kind)
	return mortalDocuments{documents, m.dying}, err
}

type mortalDocuments struct {
	store.Documents
	*dying
}

func (m mortalDocuments) Insert(ctx context.Context, bodies ...[]byte) ([]error, error) {
	if err := m.step(); err != nil {
		return nil, err
	}
	errs, err := m.Documents.Insert(ctx, bodies...)
	return errs, errors.Join(err, m.step())
}

func (m mortalDocuments) Replace(ctx context.Context, body []byte, version store.Version) (store.Version, error) {
	if err := m.step(); err != nil {
		return 0, err
	}
	next, err := m.Documents.Replace(ctx, body, version)
	if died := m.step(); died != nil {
		return 0, died
	}
	return next, err
}

func (m mortalDocuments) Delete(ctx context.Context, id string, version store.Version) error {
	if err := m.step(); err != nil {
		return err
	}
	err := m.Documents.Delete(ctx, id, version)
	if died := m.step(); died != nil {
		return died
	}
	return err
}

var errDied = errors.New("the process died")

func (d *dying) dies(times *int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	*times--
	return *times >= 0
}

func (d *dying) Create(ctx context.Context, caller identity.Caller, r *pb.Rating, private *pb.Private, in language.Language) (*pb.ItemOutcome, error) {
	if d.dies(&d.before) {
		return nil, errDied
	}
	if d.dies(&d.after) {
		_, err := d.Service.Create(ctx, caller, r, nil, in) // the comment is written after the rating
		return nil, errors.Join(err, errDied)
	}
	if err := d.step(); err != nil {
		return nil, err
	}
	outcome, err := d.Service.Create(ctx, caller, r, private, in)
	return outcome, errors.Join(err, d.step())
}

// pile opens a batch of "U".
func (h *house) pile(change ...func(*pb.OpenBatchRequest)) string {
	h.t.Helper()
	asked := &pb.OpenBatchRequest{UnitId: "U", QuestionnaireId: "kiosk"}
	for _, c := range change {
		c(asked)
	}
	batch, err := h.OpenBatch(h.t.Context(), lan, asked)
	if err != nil {
		h.t.Fatal(err)
	}
	return batch.Proto("").GetId()
}

// slip is a slip with an overall score.
func slip(batch, number string, score int32) *pb.EnterSlipRequest {
	return &pb.EnterSlipRequest{BatchId: batch, Number: number, OverallScore: score}
}

func (h *house) enter(by desk.Typist, asked *pb.EnterSlipRequest) desk.Entered {
	h.t.Helper()
	entered, err := h.Enter(h.t.Context(), by, asked, language.English)
	if err != nil {
		h.t.Fatal(err)
	}
	return entered
}

func wantOutcome(t testing.TB, got desk.Entered, want pb.Outcome) {
	t.Helper()
	if got.Outcome != want {
		t.Fatalf("outcome %v (%v), want %v", got.Outcome, got.Why, want)
	}
}

// standing are the ratings of the store that no other corrects, by slip number.
func (h *house) standing() map[string][]*pb.Rating {
	h.t.Helper()
	revised, all := map[string]bool{}, []*pb.Rating{}
	for record, err := range h.engine.Ratings().Scan(context.Background(), "", "") {
		if err != nil {
			h.t.Fatal(err)
		}
		if record.Kind != rating.KindRating {
			continue
		}
		var r pb.Rating
		if err := proto.Unmarshal(record.Bytes, &r); err != nil {
			h.t.Fatal(err)
		}
		revised[r.GetRevises()] = true
		all = append(all, &r)
	}
	bySlip := map[string][]*pb.Rating{}
	for _, r := range all {
		if !revised[r.GetId()] {
			bySlip[r.GetSlipNumber()] = append(bySlip[r.GetSlipNumber()], r)
		}
	}
	return bySlip
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

func TestEveryReasonHasWords(t *testing.T) {
	reason := regexp.MustCompile(`fault\.New\(fault\.\w+, "(\w+)"`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		data, err := os.ReadFile(file) //nolint:gosec // our own sources
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
	if found < 15 {
		t.Errorf("found only %d reasons", found)
	}
}

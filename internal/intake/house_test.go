package intake_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/tally"
	"github.com/hailong-vn/hailong/internal/testengine"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	kiosk = pb.Channel_CHANNEL_KIOSK
	web   = pb.Channel_CHANNEL_WEB
	today = localday.Day("2026-11-23")
)

// house is an intake on an engine, with a clock to be set and an engine that can be told to fail.
type house struct {
	testing.TB
	engine *failing
	intake *intake.Service
	now    *time.Time
}

func onEngines(t *testing.T, test func(t *testing.T, h *house)) {
	t.Run("sqlite", func(t *testing.T) {
		engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		test(t, newHouse(t, engine))
	})
	t.Run("mongodb", func(t *testing.T) {
		engine, err := mongodb.Open(t.Context(), testengine.WithDatabase(testengine.MongoDB(t)), mongodb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		test(t, newHouse(t, engine))
	})
}

func newHouse(t testing.TB, engine store.Engine) *house {
	t.Helper()
	h := &house{TB: t, engine: &failing{Engine: engine}, now: new(today.Start().Add(15 * time.Hour))}
	t.Cleanup(func() { h.check(engine.Close()) })
	ctx := t.Context()
	keys, err := secret.Load(ctx, engine, secret.Source{Text: strings.Repeat("5a", 32)})
	h.check(err)
	salts, err := keys.Signer("private-salt")
	h.check(err)
	d, err := directory.Open(ctx, engine, directory.Options{Now: h.clock})
	h.check(err)
	h.check(d.PublishBuiltIn(ctx))
	h.intake, err = intake.New(ctx, intake.Config{
		Engine: h.engine, Directory: d, Devices: devices{}, Hints: deaf{}, Contacts: keys, Salts: salts, Clock: h.clock,
		Logger: slog.New(slog.DiscardHandler), MinimumInterval: interval,
	})
	h.check(err)
	for _, u := range [][3]string{{"p", "", "province"}, {"a", "p", "commune"}, {"b", "p", "commune"}} {
		_, err := d.CreateUnit(ctx, u[0], "", unit.Words{ParentID: u[1], Level: u[2], Name: "Xã " + u[0], Code: u[0]})
		h.check(err)
	}
	return h
}

func (h *house) clock() time.Time { return *h.now }

func (h *house) check(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) at(t testing.TB) *house {
	copied := *h
	copied.TB = t
	return &copied
}

// devices believes every device that is not called "stranger".
type devices struct{}

func (devices) Allowed(_ context.Context, deviceID, _, _ string, _ time.Time) (bool, error) {
	return deviceID != "stranger", nil
}
func (devices) VerifySeal(context.Context, string, *pb.BatchSeal, [][]byte) error { return nil }
func (devices) Received(context.Context, string, []uint64, *pb.BatchSeal) error   { return nil }

// interval is the setting of the devices: "slow" has its own, "unset" none.
func interval(_ context.Context, deviceID string) time.Duration {
	return map[string]time.Duration{"slow": time.Minute, "quick": time.Second}[deviceID]
}

type deaf struct{}

func (deaf) Touched(context.Context, []string) {}

var errCut = errors.New("the power was cut")

// failing is an engine whose next appends fail before anything is stored.
type failing struct {
	store.Engine
	appends int
}

func (f *failing) Ratings() store.Ratings { return failingRatings{f.Engine.Ratings(), f} }

type failingRatings struct {
	store.Ratings
	f *failing
}

func (r failingRatings) Append(ctx context.Context, records []rating.Record) ([]store.Appended, error) {
	if r.f.appends > 0 {
		r.f.appends--
		return nil, errors.Join(store.ErrUnavailable, errCut)
	}
	return r.Ratings.Append(ctx, records)
}

func device(id string) identity.Caller {
	return identity.Caller{Kind: identity.CallerDevice, DeviceID: id}
}

func administrator() identity.Caller {
	return identity.Caller{Kind: identity.CallerAccount, Role: pb.Role_ROLE_ADMINISTRATOR, AccountID: "admin"}
}

// given is a kiosk's rating in unit a, today at nine.
func given(ticket string, changes ...func(*pb.Rating)) *pb.Rating {
	r := &pb.Rating{
		Id: uuid.Must(uuid.NewV7()).String(), UnitId: "a", Channel: kiosk, QuestionnaireId: "kiosk", QuestionnaireVersion: 1, OverallScore: 5,
		OccurredAt: timestamppb.New(today.Start().Add(9 * time.Hour)), TicketCode: ticket,
	}
	for _, change := range changes {
		change(r)
	}
	return r
}

func revising(old *pb.Rating) func(*pb.Rating) {
	return func(r *pb.Rating) { r.UnitId, r.Revises, r.RevisionReason = old.GetUnitId(), old.GetId(), "gõ nhầm" }
}

// send submits ratings in one call; from a device they carry its name.
func (h *house) send(caller identity.Caller, ratings ...*pb.Rating) ([]*pb.ItemOutcome, error) {
	h.Helper()
	return h.submit(caller, intake.Batch{Language: language.English}, ratings...)
}

func (h *house) submit(caller identity.Caller, batch intake.Batch, ratings ...*pb.Rating) ([]*pb.ItemOutcome, error) {
	h.Helper()
	for _, r := range ratings {
		r.DeviceId = caller.DeviceID
		bytes, err := proto.Marshal(r)
		h.check(err)
		batch.Items = append(batch.Items, &pb.SealedRating{Rating: bytes})
	}
	return h.intake.Submit(context.Background(), caller, batch)
}

// sent submits ratings in one call that must be answered by these outcomes, one for all or one each.
func (h *house) sent(caller identity.Caller, want pb.Outcome, ratings ...*pb.Rating) []*pb.ItemOutcome {
	h.Helper()
	outcomes, err := h.send(caller, ratings...)
	h.check(err)
	for i, outcome := range outcomes {
		if outcome.GetOutcome() != want {
			h.Fatalf("item %d: %v", i, outcome)
		}
	}
	return outcomes
}

// record is what the store keeps of a rating.
func (h *house) record(r *pb.Rating) rating.Record {
	h.Helper()
	record, err := h.engine.Ratings().Get(context.Background(), rating.RecordID("a", r.GetUnitId(), r.GetId()))
	if errors.Is(err, store.ErrNotFound) {
		record, err = h.engine.Ratings().Get(context.Background(), rating.RecordID("p", r.GetUnitId(), r.GetId()))
	}
	h.check(err)
	return record
}

// flagged checks which of some stored ratings repeat a ticket.
func (h *house) flagged(repeats bool, ratings ...*pb.Rating) {
	h.Helper()
	for i, r := range ratings {
		if record := h.record(r); record.Repeats() != repeats {
			h.Errorf("rating %d of ticket %q has the flags %v", i, r.GetTicketCode(), record.Flags)
		}
	}
}

// counted folds all that is stored for a day, holds it against the engine's own count, and answers how many ratings count.
func (h *house) counted(day localday.Day) (counts, seen uint32) {
	h.Helper()
	from, to := string(day)+"/", string(day)+"0"
	again := map[string]tally.Counts{}
	for scores, err := range h.engine.Ratings().CountAgain(context.Background(), from, to) {
		h.check(err)
		again[scores.Cell] = scores.Overall
	}
	for cell, err := range h.engine.Ratings().CellCounts(context.Background(), from, to) {
		h.check(err)
		records, err := h.engine.Ratings().Cell(context.Background(), cell.Cell)
		h.check(err)
		folded, err := tally.Fold(1, cell.Cell, records)
		h.check(err)
		if folded.Cell.Overall != again[cell.Cell] {
			h.Fatalf("%s: folded %v, counted again %v", cell.Cell, folded.Cell.Overall, again[cell.Cell])
		}
		counts, seen = counts+folded.Cell.Overall.N(), seen+folded.Cell.Seen
	}
	return counts, seen
}

func flagsOf(r rating.Record) string { return strings.Join(slices.Sorted(slices.Values(r.Flags)), " ") }

package ratinglist_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/intake"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/ratinglist"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	kiosk = pb.Channel_CHANNEL_KIOSK
	web   = pb.Channel_CHANNEL_WEB
	paper = pb.Channel_CHANNEL_PAPER
)

const (
	today     = localday.Day("2026-11-22")
	yesterday = localday.Day("2026-11-21")
)

func noon() time.Time { return today.Start().Add(12 * time.Hour) }

// house is a list over ratings that intake stored.
type house struct {
	*testing.T
	engine    store.Engine
	directory *directory.Directory
	intake    *intake.Service
	keys      secret.Keys
	list      *ratinglist.List
}

// hints leads nowhere: the list reads no figure.
type hints struct{}

func (hints) Touched(context.Context, []string) {}

func onEngines(t *testing.T, test func(h *house)) {
	t.Run("sqlite", func(t *testing.T) {
		engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		test(newHouse(t, engine))
	})
	t.Run("mongodb", func(t *testing.T) {
		engine, err := mongodb.Open(t.Context(), testengine.WithDatabase(testengine.MongoDB(t)), mongodb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		test(newHouse(t, engine))
	})
}

func newHouse(t *testing.T, engine store.Engine) *house {
	t.Helper()
	h := &house{T: t, engine: engine}
	t.Cleanup(func() { h.check(engine.Close()) })
	ctx := t.Context()
	var err error
	h.keys, err = secret.Load(ctx, engine, secret.Source{Text: strings.Repeat("5a", 32)})
	h.check(err)
	salts, err := h.keys.Signer("private-salt")
	h.check(err)
	h.directory, err = directory.Open(ctx, engine, directory.Options{Now: noon})
	h.check(err)
	h.check(h.directory.PublishBuiltIn(ctx))
	h.intake, err = intake.New(ctx, intake.Config{
		Engine: engine, Directory: h.directory, Hints: hints{}, Contacts: h.keys, Salts: salts, Clock: noon, Logger: slog.New(slog.DiscardHandler),
	})
	h.check(err)
	h.unit("p", "", "province", "Tỉnh Thử")
	h.unit("a", "p", "commune", "Xã An")
	h.unit("a1", "a", "office", "Một cửa xã An")
	h.unit("b", "p", "commune", "Xã Bình")
	h.list = h.limited(ratinglist.Limits{})
	return h
}

func (h *house) check(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) limited(limits ratinglist.Limits) *ratinglist.List {
	h.Helper()
	list, err := ratinglist.New(ratinglist.Options{
		Ratings: h.engine.Ratings(), Directory: h.directory, Comments: h.intake, Keys: h.keys, Limits: limits, Now: noon,
		Logger: slog.New(slog.DiscardHandler),
	})
	h.check(err)
	return list
}

func (h *house) unit(id, parent, level, name string) {
	h.Helper()
	_, err := h.directory.CreateUnit(h.Context(), id, "", unit.Words{ParentID: parent, Level: level, Name: name, Code: id})
	h.check(err)
}

// given is a rating on its way in.
type given struct {
	unit, comment string
	day           localday.Day
	hour          int
	channel       pb.Channel
	score         int32
	choices       []string
	revises       string
	contact       *pb.Contact
}

// give stores a rating and answers its id.
func (h *house) give(g given) string {
	h.Helper()
	if g.day == "" {
		g.day = today
	}
	if g.channel == 0 {
		g.channel = paper
	}
	if g.score == 0 {
		g.score = 5
	}
	r := &pb.Rating{
		Id: uuid.Must(uuid.NewV7()).String(), UnitId: g.unit, Channel: g.channel, QuestionnaireId: "kiosk", QuestionnaireVersion: 1,
		OverallScore: g.score, OccurredAt: timestamppb.New(g.day.Start().Add(time.Duration(g.hour)*time.Hour + 17*time.Minute)),
	}
	if len(g.choices) > 0 {
		r.Answers = append(r.Answers, &pb.Answer{QuestionId: "reasons", ChoiceIds: g.choices})
	}
	if g.revises != "" {
		r.Revises, r.RevisionReason = g.revises, "gõ nhầm"
	}
	var private *pb.Private
	if g.comment != "" || g.contact != nil {
		private = &pb.Private{Comment: g.comment, Contact: g.contact}
		if g.contact != nil {
			private.ConsentVersion = "1"
		}
	}
	outcome, err := h.intake.Create(h.Context(), identity.System(), r, private, language.Vietnamese)
	h.check(err)
	if outcome.GetOutcome() != pb.Outcome_OUTCOME_STORED {
		h.Fatalf("%v", outcome)
	}
	return r.GetId()
}

// doubt puts an annotation beside a rating.
func (h *house) doubt(unitID, id, why string) {
	h.Helper()
	about, err := h.engine.Ratings().Get(h.Context(), rating.RecordID(h.directory.Tree().Home(unitID), unitID, id))
	h.check(err)
	_, err = h.engine.Ratings().Append(h.Context(), []rating.Record{{
		ID: rating.RecordID(h.directory.Tree().Home(unitID), unitID, uuid.NewString()), Kind: rating.KindAnnotation, Cell: about.Cell,
		Counted: about.Counted, ReceivedAt: noon(), OccurredAt: noon(), About: id, Doubt: why,
	}})
	h.check(err)
}

// leader is a caller of a unit who may read everything in it.
func leader(unitID string) identity.Caller {
	return identity.Caller{Kind: identity.CallerAccount, Role: pb.Role_ROLE_LEADER, AccountID: "leader of " + unitID, UnitID: unitID}
}

// page reads one page as a leader of everything.
func (h *house) page(list *ratinglist.List, request *pb.ListRatingsRequest) *pb.ListRatingsResponse {
	h.Helper()
	page, err := list.Page(h.Context(), leader(""), request, language.English)
	h.check(err)
	return page
}

// all reads every page, and checks that the order holds and no rating comes twice. between runs after each page.
func (h *house) all(list *ratinglist.List, caller identity.Caller, request *pb.ListRatingsRequest, between func()) (ids []string, pages int) {
	h.Helper()
	seen, last := map[string]bool{}, "9999"
	request.PageToken = ""
	for {
		page, err := list.Page(h.Context(), caller, request, language.English)
		h.check(err)
		if pages++; pages > 1000 {
			h.Fatal("the pages do not end")
		}
		if size := int(request.GetPageSize()); size > 0 && len(page.GetRatings()) > size {
			h.Errorf("a page of %d, asked for %d", len(page.GetRatings()), size)
		}
		for _, r := range page.GetRatings() {
			at := fmt.Sprintf("%s/%02d", r.GetDay(), r.GetHour())
			if at > last {
				h.Errorf("%s comes after %s", at, last)
			}
			last = at
			if seen[r.GetId()] {
				h.Errorf("%s comes twice", r.GetId())
			}
			seen[r.GetId()] = true
			ids = append(ids, r.GetId())
		}
		if page.GetNextPageToken() == "" {
			return ids, pages
		}
		request.PageToken = page.GetNextPageToken()
		if between != nil {
			between()
		}
	}
}

package opener_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/bus/local"
	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/office"
	"github.com/hailong-vn/hailong/internal/casework/opener"
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
	kiosk = pb.Channel_CHANNEL_KIOSK
	web   = pb.Channel_CHANNEL_WEB
	paper = pb.Channel_CHANNEL_PAPER
	phone = pb.Channel_CHANNEL_HOTLINE
)

// book is where cases are opened here: it keeps them by id, and fails when told to.
type book struct {
	mu    sync.Mutex
	cases map[string]opener.Wanted
	fail  error
}

func (b *book) Open(_ context.Context, w opener.Wanted) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	if was, ok := b.cases[w.ID]; ok && was.Rating != w.Rating {
		return fault.New(fault.Exists, "case_exists")
	}
	b.cases[w.ID] = w
	return nil
}

func (b *book) failing(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = err
}

// said are the words of all cases, sorted.
func (b *book) said() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var words []string
	for _, w := range b.cases {
		words = append(words, w.Words)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func (b *book) only(t testing.TB) opener.Wanted {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.cases) != 1 {
		t.Fatalf("%d cases", len(b.cases))
	}
	for _, w := range b.cases {
		return w
	}
	return opener.Wanted{}
}

// house is an intake with an office on an engine, and a clock to be set.
type house struct {
	testing.TB
	engine    store.Engine
	directory *directory.Directory
	intake    *intake.Service
	office    *office.Office
	book      *book
	mu        sync.Mutex
	now       time.Time
	accepted  func(context.Context, []rating.Record)
}

func onEngines(t *testing.T, test func(t *testing.T, h *house)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newHouse(t, nil)) })
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
	ctx := t.Context()
	h := &house{TB: t, engine: engine, book: &book{cases: map[string]opener.Wanted{}}, now: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}
	var err error
	if engine == nil {
		h.engine, err = sqlite.Open(ctx, t.TempDir(), sqlite.Options{})
		h.check(err)
	}
	t.Cleanup(func() { h.check(h.engine.Close()) })
	keys, err := secret.Load(ctx, h.engine, secret.Source{Text: strings.Repeat("5a", 32)})
	h.check(err)
	salts, err := keys.Signer("private-salt")
	h.check(err)
	h.directory, err = directory.Open(ctx, h.engine, directory.Options{Now: h.clock})
	h.check(err)
	h.check(h.directory.PublishBuiltIn(ctx))
	for _, u := range [][3]string{{"p", "", "province"}, {"a", "p", "commune"}, {"b", "p", "commune"}} {
		_, err := h.directory.CreateUnit(ctx, u[0], "", unit.Words{ParentID: u[1], Level: u[2], Name: "Xã " + u[0], Code: u[0]})
		h.check(err)
	}
	_, err = h.directory.CreateOfficial(ctx, directory.Official{ID: "o1", UnitID: "a", Name: "Nguyễn Thị Lan"})
	h.check(err)
	_, err = h.directory.CreateProcedure(ctx, directory.Procedure{Code: "1.000894", Name: "Đăng ký kết hôn"})
	h.check(err)
	h.intake, err = intake.New(ctx, intake.Config{
		Engine: h.engine, Directory: h.directory, Hints: deaf{}, Contacts: keys, Salts: salts, Clock: h.clock, Logger: slog.New(slog.DiscardHandler),
		Accepted: func(ctx context.Context, records []rating.Record) {
			if h.accepted != nil {
				h.accepted(ctx, records)
			}
		},
	})
	h.check(err)
	feed := local.New(local.Options{})
	t.Cleanup(func() { h.check(feed.Close()) })
	h.office, err = office.Open(ctx, h.engine, office.Options{Feed: feed, Tree: h.directory.Tree, Now: h.clock, PollEvery: time.Hour})
	h.check(err)
	t.Cleanup(h.office.Close)
	return h
}

type deaf struct{}

func (deaf) Touched(context.Context, []string) {}

func (h *house) check(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *house) opener() *opener.Opener {
	h.Helper()
	o, err := opener.Open(h.Context(), opener.Config{
		Engine: h.engine, Privates: h.intake, Rules: h.office, Directory: h.directory, Cases: h.book, Now: h.clock,
	})
	h.check(err)
	return o
}

// sweep lets its time come and sweeps.
func (h *house) sweep(o *opener.Opener) {
	h.Helper()
	h.pass(time.Minute)
	h.check(o.Sweep(h.Context()))
}

// give stores a rating of a score with words and changes, and answers it.
func (h *house) give(channel pb.Channel, score int32, words string, changes ...func(*pb.Rating, *pb.Private)) *pb.Rating {
	h.Helper()
	r := &pb.Rating{
		Id: uuid.Must(uuid.NewV7()).String(), UnitId: "a", Channel: channel, QuestionnaireId: "kiosk", QuestionnaireVersion: 1, Language: "vi",
		OccurredAt: timestamppb.New(h.clock()), OverallScore: score, Answers: []*pb.Answer{{QuestionId: "overall", Score: score}},
	}
	private := &pb.Private{Comment: words}
	for _, change := range changes {
		change(r, private)
	}
	h.submit(r, private, intake.Batch{})
	return r
}

func (h *house) submit(r *pb.Rating, private *pb.Private, batch intake.Batch) {
	h.Helper()
	sealed := &pb.SealedRating{}
	if rating.HasPrivate(private) {
		private.Salt = []byte("0123456789abcdef")
		commitment, err := rating.Commitment(private)
		h.check(err)
		r.PrivateCommitment, sealed.Private = commitment, private
	}
	var err error
	sealed.Rating, err = proto.Marshal(r)
	h.check(err)
	batch.Items, batch.Language = []*pb.SealedRating{sealed}, language.English
	outcomes, err := h.intake.Submit(h.Context(), identity.System(), batch)
	h.check(err)
	if outcome := outcomes[0].GetOutcome(); outcome != pb.Outcome_OUTCOME_STORED && outcome != pb.Outcome_OUTCOME_DUPLICATE {
		h.Fatalf("%v", outcomes[0])
	}
}

func callBack(_ *pb.Rating, p *pb.Private) {
	p.Contact = &pb.Contact{Name: "Trần Văn Bình", Phone: "0912345678", CallBack: true}
	p.ConsentVersion = "1"
}

func contact(_ *pb.Rating, p *pb.Private) {
	p.Contact, p.ConsentVersion = &pb.Contact{Phone: "0912345678"}, "1"
}

func revising(old *pb.Rating) func(*pb.Rating, *pb.Private) {
	return func(r *pb.Rating, _ *pb.Private) { r.Revises, r.RevisionReason = old.GetId(), "gõ nhầm" }
}

func TestWhichRatingsBecomeCases(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		o := h.opener()
		h.give(kiosk, 1, "một")
		h.give(kiosk, 2, "hai")
		h.give(kiosk, 3, "ba")
		h.give(kiosk, 5, "năm")
		h.give(kiosk, 1, "")
		h.give(kiosk, 1, "", contact) // nobody asked to be called
		h.give(paper, 1, "giấy")
		h.give(phone, 1, "gọi")
		again := func(r *pb.Rating, _ *pb.Private) { r.TicketCode = "A12" }
		h.give(web, 1, "vé", again)
		h.give(web, 1, "vé-lần-hai", again)
		h.sweep(o)
		if said := h.book.said(); said != "giấy gọi hai một vé" {
			t.Fatalf("cases of %q", said)
		}
		h.sweep(o) // some minutes are looked at twice
		h.sweep(h.opener())
		if said := h.book.said(); said != "giấy gọi hai một vé" {
			t.Errorf("swept again, cases of %q", said)
		}
		for _, w := range h.book.cases {
			want := map[string]casework.Source{"giấy": casework.FromSlip, "gọi": casework.FromCall, "vé": casework.FromWeb}[w.Words]
			if want == "" {
				want = casework.FromRating
			}
			if w.Source != want || w.About != "a" || w.Receiving != "a" || w.Contact != nil || w.WithCode {
				t.Errorf("%+v", w)
			}
			if id, err := uuid.Parse(w.ID); err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 {
				t.Errorf("%s is no UUIDv7", w.ID)
			}
		}
	})
}

func TestWhatACaseIsOpenedWith(t *testing.T) {
	h := newHouse(t, nil)
	o := h.opener()
	rule := office.DefaultOpening()
	rule.Register = "p"
	_, err := h.office.SaveOpening(t.Context(), "p", &rule, "", office.By{})
	h.check(err)
	h.pass(time.Second)
	r := h.give(kiosk, 2, "Chị Lan nói <b>to</b>", callBack, func(r *pb.Rating, _ *pb.Private) {
		r.OfficialId, r.ProcedureCode, r.DossierCode = "o1", "1.000894", "H01.2026.7"
		r.Answers = append(r.Answers, &pb.Answer{QuestionId: "reasons", ChoiceIds: []string{"waiting", "attitude"}})
	})
	h.sweep(o)
	w := h.book.only(t)
	if w.Receiving != "p" || w.About != "a" || w.Official != "o1" || !strings.HasSuffix(w.Rating, "/a/"+r.GetId()) || w.Procedure != "1.000894" || w.Dossier != "H01.2026.7" || w.Words != "Chị Lan nói <b>to</b>" {
		t.Errorf("%+v", w)
	}
	if w.Contact.GetPhone() != "0912345678" || !w.WithCode {
		t.Errorf("who asked to be called is %v", w.Contact)
	}
	if w.Title != "Đánh giá “Không hài lòng”: Thái độ phục vụ; Chờ lâu – Đăng ký kết hôn" {
		t.Errorf("its title is %q", w.Title)
	}
}

// TestOneOpinionIsOneCase: however often a rating was corrected.
func TestOneOpinionIsOneCase(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		o := h.opener()
		first := h.give(paper, 1, "một")
		second := h.give(paper, 2, "một-sửa", revising(first))
		h.sweep(o)
		if w := h.book.only(t); w.Words != "một-sửa" || !strings.HasSuffix(w.Rating, second.GetId()) {
			t.Fatalf("the correction counts: %+v", w)
		}
		h.give(paper, 1, "một-sửa-nữa", revising(second))
		h.sweep(o)
		h.sweep(h.opener())
		h.book.only(t)
		satisfied := h.give(paper, 5, "năm")
		h.give(paper, 1, "hóa-ra-một", revising(satisfied))
		dissatisfied := h.give(paper, 1, "hai-thật-ra-là-năm")
		h.give(paper, 5, "", revising(dissatisfied))
		h.sweep(h.opener())
		if said := h.book.said(); said != "hóa-ra-một một-sửa" {
			t.Errorf("cases of %q", said)
		}
	})
}

// TestTheRuleThatStoodDecides: a rating is judged by the rule of its time, whenever somebody comes to it.
func TestTheRuleThatStoodDecides(t *testing.T) {
	h := newHouse(t, nil)
	o := h.opener()
	h.give(kiosk, 1, "")
	h.give(kiosk, 1, "trước")
	h.pass(time.Second)
	for _, rule := range []office.Opening{
		{Scores: []int32{1, 2, 3}, Channels: []pb.Channel{kiosk}, With: office.Anything, EraseContacts: 1, Copied: 1},
		{With: office.Either, EraseContacts: 1, Copied: 1}, // nothing becomes a case
	} {
		_, err := h.office.SaveOpening(t.Context(), "a", &rule, "", office.By{})
		h.check(err)
		h.pass(time.Second)
		h.give(kiosk, 3, fmt.Sprintf("%d-mức", len(rule.Scores)))
		h.pass(time.Second)
	}
	h.sweep(o)
	if said := h.book.said(); said != "3-mức trước" {
		t.Fatalf("cases of %q", said)
	}
	t.Run("the past is opened again by wish only", func(t *testing.T) {
		rule := office.DefaultOpening()
		rule.With = office.Anything
		_, err := h.office.SaveOpening(t.Context(), "a", &rule, "", office.By{})
		h.check(err)
		h.submit(&pb.Rating{
			Id: uuid.Must(uuid.NewV7()).String(), UnitId: "b", Channel: paper, QuestionnaireId: "kiosk", QuestionnaireVersion: 1, OverallScore: 1, Language: "vi",
			OccurredAt: timestamppb.New(h.clock()), Answers: []*pb.Answer{{QuestionId: "overall", Score: 1}},
		}, &pb.Private{Comment: "nhập"}, intake.Batch{Source: "tệp cũ"})
		h.sweep(o)
		if said := h.book.said(); said != "3-mức trước" {
			t.Fatalf("by itself, cases of %q", said)
		}
		var told int
		n, err := h.opener().Backfill(t.Context(), "a", "2026-11-23", "2026-11-23", func(_, cases int) { told = cases })
		if err != nil || n != 2 || told != 2 || len(h.book.cases) != 3 { // the bare tap and what was said are dissatisfied; 3 was open before
			t.Errorf("%d and %d ratings are cases, %d cases, %v", n, told, len(h.book.cases), err)
		}
		if n, err = o.Backfill(t.Context(), "", "2026-11-22", "2026-11-23", nil); err != nil || n != 3 {
			t.Errorf("of all units %d, %v", n, err)
		}
		if n, err = o.Backfill(t.Context(), "", "2026-11-24", "2026-11-30", nil); err != nil || n != 0 {
			t.Errorf("of a week without ratings %d, %v", n, err)
		}
	})
}

// TestNothingIsMissed: what the quick way loses a sweep finds, whatever happened in between.
func TestNothingIsMissed(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		h.give(kiosk, 1, "trước-khi-có")
		h.pass(time.Hour)
		first := h.opener()
		h.give(kiosk, 1, "một")
		h.book.failing(fault.New(fault.Unavailable, "away"))
		h.pass(time.Minute)
		if err := first.Sweep(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("a book that is away: %v", err)
		}
		h.pass(72 * time.Hour) // nobody swept for days
		h.give(kiosk, 1, "hai")
		h.book.failing(nil)
		h.sweep(h.opener())
		if said := h.book.said(); said != "hai một" {
			t.Fatalf("cases of %q", said)
		}
		t.Run("words that come after their rating", func(t *testing.T) {
			private := &pb.Private{Comment: "đến-sau", Salt: []byte("0123456789abcdef")}
			commitment, err := rating.Commitment(private)
			h.check(err)
			r := &pb.Rating{
				Id: uuid.Must(uuid.NewV7()).String(), UnitId: "a", Channel: web, QuestionnaireId: "kiosk", QuestionnaireVersion: 1, OverallScore: 1, Language: "vi",
				OccurredAt: timestamppb.New(h.clock()), Answers: []*pb.Answer{{QuestionId: "overall", Score: 1}}, PrivateCommitment: commitment,
			}
			h.submit(r, nil, intake.Batch{}) // as a power cut between the two leaves it
			h.sweep(h.opener())
			h.pass(10 * time.Hour)
			h.sweep(h.opener())
			h.submit(r, private, intake.Batch{})
			h.sweep(h.opener())
			if said := h.book.said(); said != "hai một đến-sau" {
				t.Errorf("cases of %q", said)
			}
		})
		t.Run("one that cannot be opened does not keep the others waiting", func(t *testing.T) {
			h.give(kiosk, 1, "không-mở-được")
			h.book.failing(fault.New(fault.Invalid, "casework_opening"))
			h.sweep(h.opener())
			h.pass(time.Hour)
			h.sweep(h.opener())
			h.book.failing(nil)
			h.give(kiosk, 1, "ba")
			h.sweep(h.opener())
			if said := h.book.said(); said != "ba hai một đến-sau" {
				t.Errorf("cases of %q", said)
			}
		})
	})
}

// TestOneProcessSweepsAtATime: the others find that it is not their time.
func TestOneProcessSweepsAtATime(t *testing.T) {
	h := newHouse(t, nil)
	a, b := h.opener(), h.opener()
	h.give(kiosk, 1, "một")
	h.book.failing(errors.New("broken"))
	h.pass(time.Minute)
	if err := a.Sweep(t.Context()); err == nil {
		t.Fatal("it failed and did not say so")
	}
	h.book.failing(nil)
	h.check(b.Sweep(t.Context())) // at once: a's time was given back
	h.book.only(t)
	h.give(kiosk, 1, "hai")
	h.check(a.Sweep(t.Context())) // b did just now
	h.book.only(t)
	h.pass(time.Minute)
	h.check(a.Sweep(t.Context()))
	if said := h.book.said(); said != "hai một" {
		t.Errorf("cases of %q", said)
	}
	t.Run("a clock that was far ahead does not stop it", func(t *testing.T) {
		h.pass(1000 * time.Hour)
		h.check(a.Sweep(t.Context()))
		h.pass(-1000 * time.Hour)
		h.give(kiosk, 1, "ba")
		h.check(b.Sweep(t.Context()))
		if said := h.book.said(); said != "ba hai một" {
			t.Errorf("cases of %q", said)
		}
	})
}

// TestACaseIsThereAMomentAfterItsRating: without waiting for a sweep.
func TestACaseIsThereAMomentAfterItsRating(t *testing.T) {
	h := newHouse(t, nil)
	o := h.opener()
	h.accepted = o.Accepted
	h.check(o.Sweep(t.Context())) // no other comes before a minute of a clock that stands still
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { o.Run(ctx) })
	defer running.Wait()
	defer stop()
	h.give(kiosk, 4, "bốn")
	h.give(kiosk, 1, "một", callBack)
	for h.book.said() != "một" {
		select {
		case <-t.Context().Done():
			t.Fatal("it never came")
		case <-time.After(time.Millisecond):
		}
	}
}

// Package intake judges ratings and stores them. Its promise: what is acknowledged (STORED, DUPLICATE) is durable and
// counted once; what is not accepted is durable in quarantine before the answer; one bad item never fails its
// batch and never disappears.
package intake

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/directory"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/questionnaire"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/unit"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// Limits of one call and one item.
const (
	MaxItems     = 1000     // items a call
	MaxItemBytes = 64 << 10 // an encoded Rating; a real one has 200 to 2,000 bytes
)

// Directory is what intake asks of the directory.
type Directory interface {
	Tree() *unit.Tree
	Questionnaire(id string, version int32) (*questionnaire.Questionnaire, bool)
	Counter(id string) (directory.Counter, bool)
	Official(id string) (directory.Official, bool)
}

// Devices is what intake asks of the devices.
type Devices interface {
	// Allowed tells whether the device was bound to the unit and counter at a time.
	Allowed(ctx context.Context, deviceID, unitID, counterID string, at time.Time) (bool, error)
	// VerifySeal checks a batch's signature and chain; the fault says what is wrong.
	VerifySeal(ctx context.Context, deviceID string, seal *pb.BatchSeal, items [][]byte) error
	// Received keeps, durably, that these sequences arrived, and the link after a verified batch.
	Received(ctx context.Context, deviceID string, sequences []uint64, seal *pb.BatchSeal) error
}

// Hinter is told which cells were touched. A lost hint costs one sweep, so it answers nothing.
type Hinter interface {
	Touched(ctx context.Context, cells []string)
}

// Config is what intake works with.
type Config struct {
	Engine     store.Engine
	Directory  Directory
	Devices    Devices
	Hints      Hinter
	Contacts   secret.Keys   // seals contacts
	Salts      secret.Signer // derives salts for callers who send none
	Clock      func() time.Time
	Logger     *slog.Logger
	Quarantine int // items a sender may have waiting; 0 = 1,000
	// MinimumInterval is the device's setting of that name, asked at most once a call; nil, or an answer of 0 = DefaultInterval.
	MinimumInterval func(ctx context.Context, deviceID string) time.Duration
	// Accepted is told of ratings that were acknowledged, once they and what is private beside them are durable, before the sender is
	// answered. It must not block. What it misses is found by Ratings.Recent and PrivatesSince. nil = nobody.
	Accepted func(ctx context.Context, records []rating.Record)
}

// Service is the one way in for ratings. Its methods may be called by many goroutines.
type Service struct {
	Config
	privates   store.Docs[Private]
	quarantine store.Docs[Quarantined]
	tickets    store.Docs[Ticket]
	validator  protovalidate.Validator
}

// Kinds lists the kinds of documents intake keeps.
func Kinds() []store.Kind { return []store.Kind{privates.Kind, quarantines.Kind, tickets.Kind} }

// New opens intake on an engine.
func New(ctx context.Context, config Config) (*Service, error) {
	if config.Quarantine == 0 {
		config.Quarantine = 1_000
	}
	s := &Service{Config: config}
	var err error
	if s.privates, err = privates.Open(ctx, config.Engine); err != nil {
		return nil, err
	}
	if s.quarantine, err = quarantines.Open(ctx, config.Engine); err != nil {
		return nil, err
	}
	if s.tickets, err = tickets.Open(ctx, config.Engine); err != nil {
		return nil, err
	}
	s.validator, err = protovalidate.New(protovalidate.WithMessages(&pb.Rating{}, &pb.Private{}), protovalidate.WithDisableLazy())
	return s, err
}

// Batch is one call's items.
type Batch struct {
	Items    []*pb.SealedRating
	Seal     *pb.BatchSeal
	Source   string            // an import's name; only for CallerSystem
	Language language.Language // of the reasons
	Released bool              // from quarantine: its seal was judged when it came, and it stays there if refused again
	Vouched  bool              // an administrator stands for what the items cannot prove: seal and binding
	// After is closed when what came before on the same way is settled. Items that hang on it wait for that; nil = they need not.
	After <-chan struct{}
}

// Submit judges and stores a batch; the answer has one outcome an item, in order. A fault concerns the whole call, of
// which nothing is known to be stored: too many items, or the store is unavailable.
func (s *Service) Submit(ctx context.Context, caller identity.Caller, batch Batch) ([]*pb.ItemOutcome, error) {
	if len(batch.Items) > MaxItems {
		return nil, fault.New(fault.Invalid, "batch_too_large", "items", len(batch.Items), "limit", MaxItems)
	}
	if !caller.May(identity.SubmitRatings) && !caller.May(identity.RecordRatings) && !caller.May(identity.GiveRating) {
		return nil, caller.Check(identity.RecordRatings)
	}
	items, err := s.judge(ctx, caller, batch)
	if err != nil {
		return nil, err
	}
	if err := batch.await(ctx, items); err != nil {
		return nil, err
	}
	if err := s.store(ctx, items, false); err != nil {
		return nil, err
	}
	if err := s.storeCorrections(ctx, items); err != nil {
		return nil, err
	}
	if err := s.storePrivates(ctx, items); err != nil {
		return nil, err
	}
	if err := s.putInQuarantine(ctx, caller, batch, items); err != nil {
		return nil, err
	}
	if err := s.recordSequences(ctx, caller, batch, items); err != nil {
		return nil, err
	}
	s.hint(ctx, items)
	s.accepted(ctx, items)
	return outcomes(items, batch.Language), nil
}

func (s *Service) accepted(ctx context.Context, items []*item) {
	if s.Accepted == nil {
		return
	}
	var records []rating.Record
	for _, it := range items {
		if it.acknowledged() {
			records = append(records, it.record)
		}
	}
	if len(records) > 0 {
		s.Accepted(ctx, records)
	}
}

// await waits for what came before where an item hangs on it: a correction on what it corrects, a ticket on who had it first.
func (b Batch) await(ctx context.Context, items []*item) error {
	if b.After == nil || !slices.ContainsFunc(items, func(it *item) bool { return it.rating.GetRevises() != "" || it.rating.GetTicketCode() != "" }) {
		return nil
	}
	select {
	case <-b.After:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// store appends the items that were judged good: the corrections, or the others.
func (s *Service) store(ctx context.Context, items []*item, corrections bool) error {
	var whose []*item
	for _, it := range items {
		if it.outcome == pb.Outcome_OUTCOME_UNSPECIFIED && (it.record.Revises != "") == corrections {
			whose = append(whose, it)
		}
	}
	if len(whose) == 0 {
		return nil
	}
	if err := s.claimTickets(ctx, whose); err != nil {
		return err
	}
	records := make([]rating.Record, len(whose))
	for i, it := range whose {
		records[i] = it.record
	}
	appended, err := s.Engine.Ratings().Append(ctx, records)
	if err != nil {
		return unavailable(err)
	}
	for i, a := range appended {
		switch {
		case a.Stored:
			whose[i].outcome = pb.Outcome_OUTCOME_STORED
		case sameContent(whose[i], a.Existing):
			whose[i].outcome = pb.Outcome_OUTCOME_DUPLICATE
		default:
			whose[i].refuse(pb.Outcome_OUTCOME_CONFLICT, fault.New(fault.Exists, "rating_conflict"))
		}
	}
	return nil
}

// sameContent is equality of the decoded messages: other bytes may say the same.
func sameContent(it *item, existing *rating.Record) bool {
	if existing == nil || existing.Kind != rating.KindRating {
		return false
	}
	if bytes.Equal(existing.Bytes, it.sealed.GetRating()) {
		return true
	}
	var stored pb.Rating
	return proto.Unmarshal(existing.Bytes, &stored) == nil && proto.Equal(&stored, it.rating)
}

// storeCorrections gives each correction the place of its original, which may be in the same batch, and stores it. A correction of
// a correction needs its original first, hence the rounds.
func (s *Service) storeCorrections(ctx context.Context, items []*item) error {
	for {
		waiting, ready := 0, 0
		for _, it := range items {
			if it.outcome != pb.Outcome_OUTCOME_UNSPECIFIED {
				continue
			}
			waiting++
			original, err := s.Engine.Ratings().Get(ctx, it.sibling(it.record.Revises))
			switch {
			case err == nil && original.Kind != rating.KindRating:
				it.reject(fault.New(fault.Invalid, "revises_unknown", "id", it.record.Revises))
			case err == nil && (original.Counted.Channel != it.record.Counted.Channel ||
				original.Counted.Questionnaire != it.record.Counted.Questionnaire || original.Counted.Version != it.record.Counted.Version):
				it.reject(fault.New(fault.Invalid, "revises_other_form", "id", it.record.Revises))
			case err == nil:
				it.record.Recount(original.Counted)
				if err := it.inheritTicket(&original); err != nil {
					return unavailable(err)
				}
				it.ready = true
				ready++
			case !isNotFound(err):
				return unavailable(err)
			}
		}
		if waiting == 0 {
			return nil
		}
		if ready == 0 {
			for _, it := range items {
				if it.outcome == pb.Outcome_OUTCOME_UNSPECIFIED {
					it.reject(fault.New(fault.Invalid, "revises_unknown", "id", it.record.Revises))
				}
			}
			return nil
		}
		var round []*item
		for _, it := range items {
			if it.outcome == pb.Outcome_OUTCOME_UNSPECIFIED && it.ready {
				round = append(round, it)
			}
		}
		if err := s.store(ctx, round, true); err != nil {
			return err
		}
	}
}

func (s *Service) hint(ctx context.Context, items []*item) {
	touched := map[string]bool{}
	var cells []string
	for _, it := range items {
		if it.outcome == pb.Outcome_OUTCOME_STORED && !touched[it.record.Cell] {
			touched[it.record.Cell] = true
			cells = append(cells, it.record.Cell)
		}
	}
	if len(cells) > 0 {
		s.Hints.Touched(ctx, cells)
	}
}

func outcomes(items []*item, in language.Language) []*pb.ItemOutcome {
	answers := make([]*pb.ItemOutcome, len(items))
	for i, it := range items {
		answers[i] = &pb.ItemOutcome{RatingId: it.rating.GetId(), Outcome: it.outcome, QuarantineId: it.quarantineID}
		if it.why != nil {
			answers[i].ReasonCode = it.why.Reason
			answers[i].Reason = in.Text("fault."+it.why.Reason, it.why.Args...)
		}
	}
	return answers
}

func unavailable(err error) error {
	return fault.New(fault.Unavailable, "store_unavailable").Because(fmt.Errorf("intake: %w", err))
}

package intake

import (
	"context"
	"crypto/subtle"
	"errors"
	"math"
	"strings"
	"sync"
	"time"

	"buf.build/go/protovalidate"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/seal"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// item is one item on its way through a call.
type item struct {
	sealed       *pb.SealedRating
	rating       *pb.Rating // decoded; nil where that failed
	record       rating.Record
	ready        bool // a correction whose original was found
	inherited    bool // a correction that names its original's ticket
	sequence     uint64
	outcome      pb.Outcome
	why          *fault.Error
	quarantineID string
}

func (it *item) acknowledged() bool {
	return it.outcome == pb.Outcome_OUTCOME_STORED || it.outcome == pb.Outcome_OUTCOME_DUPLICATE
}

func (it *item) refuse(outcome pb.Outcome, why *fault.Error) { it.outcome, it.why = outcome, why }

func (it *item) reject(why *fault.Error) { it.refuse(pb.Outcome_OUTCOME_REJECTED, why) }

// judge decides of each item, alone, whether it can be stored. It fails only where something needed for judging
// cannot be asked now.
func (s *Service) judge(ctx context.Context, caller identity.Caller, batch Batch) ([]*item, error) {
	received := s.Clock()
	sealFault := s.judgeSeal(ctx, caller, batch)
	if undecided(sealFault) {
		return nil, sealFault
	}
	least := sync.OnceValue(func() time.Duration { return s.minimumInterval(ctx, caller.DeviceID) })
	items := make([]*item, len(batch.Items))
	for i, sealed := range batch.Items {
		it := &item{sealed: sealed}
		items[i] = it
		if err := s.decode(it); err != nil {
			it.reject(err)
		} else if err := s.judgeItem(ctx, caller, batch, it, received); undecided(err) {
			return nil, err
		} else if err != nil {
			it.reject(err)
		} else if tooSoon(it.rating, least) {
			it.record.Flags = append(it.record.Flags, rating.FlagTooSoon)
		}
		switch {
		case sealFault != nil:
			it.reject(sealFault)
		case batch.Seal != nil && caller.Kind == identity.CallerDevice:
			it.sequence = batch.Seal.GetFirstSequence() + uint64(i)
			// What could not be read stands where the seal puts it.
			if err := seal.VerifySequence(batch.Seal, i, it.rating.GetDeviceSequence()); err != nil && it.rating != nil {
				it.reject(fault.Of(err))
				it.sequence = 0 // of which of the two it is, nothing is known: the gap stays to be seen
			}
		}
	}
	return items, nil
}

// undecided tells a judgement that could not be made from one that went against the item.
func undecided(why *fault.Error) bool {
	return why != nil && (why.Code == fault.Unavailable || why.Code == fault.Internal)
}

// judgeSeal checks a device's seal. Without a good one nothing in the batch is proven, so every item is rejected.
func (s *Service) judgeSeal(ctx context.Context, caller identity.Caller, batch Batch) *fault.Error {
	if caller.Kind != identity.CallerDevice || batch.Released {
		return nil
	}
	bytes := make([][]byte, len(batch.Items))
	for i, sealed := range batch.Items {
		bytes[i] = sealed.GetRating()
	}
	if err := s.Devices.VerifySeal(ctx, caller.DeviceID, batch.Seal, bytes); err != nil {
		return fault.Of(err)
	}
	return nil
}

// decode reads the item and checks what can be checked without looking around.
func (s *Service) decode(it *item) *fault.Error {
	if len(it.sealed.GetRating()) > MaxItemBytes {
		return fault.New(fault.Invalid, "rating_too_large", "bytes", len(it.sealed.GetRating()), "limit", MaxItemBytes)
	}
	if len(it.sealed.ProtoReflect().GetUnknown()) > 0 || len(it.sealed.GetRating()) == 0 {
		return fault.New(fault.Invalid, "rating_unreadable")
	}
	var r pb.Rating
	if err := proto.Unmarshal(it.sealed.GetRating(), &r); err != nil {
		return fault.New(fault.Invalid, "rating_unreadable").Because(err)
	}
	it.rating = &r
	if err := s.validator.Validate(&r); err != nil {
		return invalid("", err)
	}
	if id, err := uuid.Parse(r.GetId()); err != nil || id.String() != r.GetId() {
		return fault.New(fault.Invalid, "rating_invalid", "field", "id", "rule", "lower-case UUID")
	}
	if r.GetDeviceSequence() > math.MaxInt64 {
		return fault.New(fault.Invalid, "rating_invalid", "field", "device_sequence", "rule", "≤ 2^63-1")
	}
	if !r.GetOccurredAt().IsValid() {
		return fault.New(fault.Invalid, "rating_invalid", "field", "occurred_at", "rule", "timestamp")
	}
	return s.decodePrivate(it)
}

func (s *Service) decodePrivate(it *item) *fault.Error {
	private := it.sealed.GetPrivate()
	if private == nil || !rating.HasPrivate(private) {
		return nil
	}
	if err := s.validator.Validate(private); err != nil {
		return invalid("private.", err)
	}
	if len(it.rating.GetPrivateCommitment()) == 0 {
		return fault.New(fault.Invalid, "commitment_missing")
	}
	commitment, err := rating.Commitment(private)
	if err != nil {
		return fault.New(fault.Invalid, "rating_unreadable").Because(err)
	}
	if subtle.ConstantTimeCompare(commitment, it.rating.GetPrivateCommitment()) != 1 {
		return fault.New(fault.Invalid, "commitment_wrong")
	}
	return nil
}

// invalid names the first field that broke a rule of the contract.
func invalid(prefix string, err error) *fault.Error {
	var violations *protovalidate.ValidationError
	if errors.As(err, &violations) && len(violations.Violations) > 0 {
		first := violations.Violations[0]
		field := protovalidate.FieldPathString(first.Proto.GetField())
		if field == "" { // a rule of the whole message is named after the field it is about: "rating.revision_reason"
			_, field, _ = strings.Cut(first.Proto.GetRuleId(), ".")
		}
		// The rule is kept by its id too: whoever reads of it in quarantine may read another language.
		return fault.New(fault.Invalid, "rating_invalid", "field", prefix+field, "rule", first.Proto.GetMessage(),
			"rule_id", first.Proto.GetRuleId(), "rule_value", first.RuleValue.Interface()).Because(err)
	}
	return fault.New(fault.Internal, "internal").Because(err)
}

// judgeItem checks the item against what is known of units, questionnaires, devices and the caller.
func (s *Service) judgeItem(ctx context.Context, caller identity.Caller, batch Batch, it *item, received time.Time) *fault.Error {
	r := it.rating
	tree := s.Directory.Tree()
	if _, ok := tree.Get(r.GetUnitId()); !ok {
		return fault.New(fault.NotFound, "unit_unknown", "unit", r.GetUnitId())
	}
	if counter, ok := s.Directory.Counter(r.GetCounterId()); r.GetCounterId() != "" && (!ok || counter.UnitID != r.GetUnitId()) {
		return fault.New(fault.NotFound, "counter_unknown", "counter", r.GetCounterId())
	}
	if _, ok := s.Directory.Official(r.GetOfficialId()); r.GetOfficialId() != "" && !ok {
		return fault.New(fault.NotFound, "official_unknown", "official", r.GetOfficialId())
	}
	form, ok := s.Directory.Questionnaire(r.GetQuestionnaireId(), r.GetQuestionnaireVersion())
	if !ok {
		return fault.New(fault.NotFound, "questionnaire_unknown", "questionnaire", r.GetQuestionnaireId(), "version", r.GetQuestionnaireVersion())
	}
	if err := form.Check(r); err != nil {
		return fault.Of(err)
	}
	sender := rating.Sender{Device: caller.DeviceID, Account: caller.AccountID, Source: batch.Source}
	it.record = rating.NewRecord(tree.Home(r.GetUnitId()), r, it.sealed.GetRating(), sender, received)
	it.record.Score = form.OverallOf(r)
	if counter, ok := s.Directory.Counter(r.GetCounterId()); ok && !batch.Released && !counter.ServesOn(it.record.Counted.Day) {
		return fault.New(fault.Invalid, "counter_closed", "counter", counter.Name)
	}
	return s.judgeSender(ctx, caller, batch, it)
}

// judgeSender checks that this caller may send this rating.
func (s *Service) judgeSender(ctx context.Context, caller identity.Caller, batch Batch, it *item) *fault.Error {
	r := it.rating
	switch caller.Kind {
	case identity.CallerSystem:
		return nil
	case identity.CallerDevice:
		return s.judgeDevice(ctx, caller, batch, it)
	case identity.CallerAnonymous:
		if r.GetChannel() != pb.Channel_CHANNEL_WEB {
			return fault.New(fault.Denied, "channel_denied")
		}
	case identity.CallerAccount:
		if !caller.May(identity.RecordRatings) {
			return fault.New(fault.Denied, "action_denied")
		}
		if !s.Directory.Tree().Within(r.GetUnitId(), identity.Scope(caller)) {
			return fault.New(fault.Denied, "unit_out_of_scope", "unit", r.GetUnitId())
		}
		if r.GetChannel() == pb.Channel_CHANNEL_KIOSK && caller.Role != pb.Role_ROLE_ADMINISTRATOR {
			return fault.New(fault.Denied, "channel_denied")
		}
		if r.GetRecordedBy() != "" && r.GetRecordedBy() != caller.AccountID {
			return fault.New(fault.Denied, "recorded_by_other")
		}
	}
	if r.GetDeviceId() != "" || r.GetDeviceSequence() != 0 {
		return fault.New(fault.Denied, "device_other")
	}
	if caller.Kind == identity.CallerAnonymous && (r.GetRevises() != "" || r.GetRecordedBy() != "") {
		return fault.New(fault.Denied, "action_denied")
	}
	return nil
}

func (s *Service) judgeDevice(ctx context.Context, caller identity.Caller, batch Batch, it *item) *fault.Error {
	if batch.Vouched {
		return nil
	}
	r := it.rating
	if r.GetDeviceId() != caller.DeviceID {
		return fault.New(fault.Denied, "device_other")
	}
	if r.GetChannel() != pb.Channel_CHANNEL_KIOSK {
		return fault.New(fault.Denied, "channel_denied")
	}
	at := r.GetOccurredAt().AsTime()
	if it.record.Counted.Fallback {
		at = it.record.ReceivedAt
	}
	allowed, err := s.Devices.Allowed(ctx, caller.DeviceID, r.GetUnitId(), r.GetCounterId(), at)
	if err != nil {
		return fault.Of(err)
	}
	if !allowed {
		return fault.New(fault.Denied, "device_not_bound", "unit", r.GetUnitId())
	}
	return nil
}

// recordSequences keeps which of a device's sequences arrived. What is in quarantine has arrived too; what found no room
// there has not, and the device keeps it.
func (s *Service) recordSequences(ctx context.Context, caller identity.Caller, batch Batch, items []*item) error {
	if caller.Kind != identity.CallerDevice {
		return nil
	}
	var sequences []uint64
	for _, it := range items {
		switch {
		case batch.Released && it.acknowledged(): // it may not have been counted when it came, for want of a seal
			sequences = append(sequences, it.rating.GetDeviceSequence())
		case it.sequence != 0 && !it.lost():
			sequences = append(sequences, it.sequence)
		}
	}
	if len(sequences) == 0 {
		return nil
	}
	if err := s.Devices.Received(ctx, caller.DeviceID, sequences, batch.Seal); err != nil {
		return unavailable(err)
	}
	return nil
}

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }

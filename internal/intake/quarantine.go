package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/identity"
	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/rating"
	"github.com/hailong-vn/hailong/internal/seal"
	"github.com/hailong-vn/hailong/internal/store"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

const (
	inlineBytes     = 1 << 20  // how large an item may be to stand in its document; larger ones are blobs
	quarantineBytes = 64 << 20 // how much a sender may have waiting, beside the number of items
)

// Quarantined is an item that was not accepted, with all that is needed to judge it again.
type Quarantined struct {
	ID         string          `bson:"_id"` // hash of sender, item and reason: the same item again is the same document
	Sender     string          `bson:"sender"`
	Caller     identity.Caller `bson:"caller"`
	Source     string          `bson:"source,omitempty"`
	Rating     string          `bson:"rating,omitempty"` // id, where it could be read
	Unit       string          `bson:"unit,omitempty"`
	Outcome    pb.Outcome      `bson:"outcome"`
	Reason     string          `bson:"reason"`
	Args       []string        `bson:"args,omitempty"`
	Item       []byte          `bson:"item,omitempty"` // an encoded SealedRating
	Blob       string          `bson:"blob,omitempty"` // where a large item is kept
	Size       int             `bson:"size"`
	ReceivedAt time.Time       `bson:"received_at"`
	Waiting    bool            `bson:"waiting,omitempty"` // absent once released or discarded
	ReleasedAt time.Time       `bson:"released_at,omitempty"`
	ReleasedBy string          `bson:"released_by,omitempty"`

	DiscardedAt   time.Time `bson:"discarded_at,omitempty"`
	DiscardedBy   string    `bson:"discarded_by,omitempty"`
	DiscardReason string    `bson:"discard_reason,omitempty"`
}

var quarantines = store.Define[Quarantined]("quarantine",
	store.Index{Name: "waiting", Fields: []string{"waiting", "received_at"}},
	store.Index{Name: "sender", Fields: []string{"sender", "waiting", "received_at"}},
	store.Index{Name: "sent", Fields: []string{"sender", "received_at"}},
	store.Index{Name: "received", Fields: []string{"received_at"}},
)

// lost tells that a refused item found no room in quarantine: its sender must keep it.
func (it *item) lost() bool {
	refused := it.outcome == pb.Outcome_OUTCOME_CONFLICT || it.outcome == pb.Outcome_OUTCOME_REJECTED
	return refused && it.quarantineID == ""
}

func senderOf(caller identity.Caller, source string) string {
	switch {
	case caller.DeviceID != "":
		return "device/" + caller.DeviceID
	case caller.AccountID != "":
		return "account/" + caller.AccountID
	case source != "":
		return "import/" + source
	}
	return "web"
}

// putInQuarantine makes refused items durable before the answer. Above the sender's cap an item is answered
// without a quarantine id and with the reason quarantine_full: it is not kept here.
func (s *Service) putInQuarantine(ctx context.Context, caller identity.Caller, batch Batch, items []*item) error {
	var refused []*item
	for _, it := range items {
		if it.outcome == pb.Outcome_OUTCOME_CONFLICT || it.outcome == pb.Outcome_OUTCOME_REJECTED {
			refused = append(refused, it)
		}
	}
	if len(refused) == 0 || batch.Released {
		return nil
	}
	sender := senderOf(caller, batch.Source)
	room, err := s.room(ctx, sender, len(refused))
	if err != nil {
		return unavailable(err)
	}
	var values []Quarantined
	var whose []*item
	for _, it := range refused {
		value, err := s.quarantined(ctx, caller, batch.Source, sender, it)
		if err != nil {
			return unavailable(err)
		}
		values, whose = append(values, value), append(whose, it)
	}
	if len(values) > room { // what stands there already needs no room
		kept := values[:0]
		keptWhose := whose[:0]
		for i, value := range values {
			_, _, err := s.quarantine.Get(ctx, value.ID)
			if err != nil && !isNotFound(err) {
				return unavailable(err)
			}
			if err == nil || room > 0 {
				if err != nil {
					room--
				}
				kept, keptWhose = append(kept, value), append(keptWhose, whose[i])
				continue
			}
			whose[i].why = fault.New(fault.Exhausted, "quarantine_full", "limit", s.Quarantine)
		}
		values, whose = kept, keptWhose
	}
	errs, err := s.quarantine.InsertAll(ctx, values)
	if err != nil {
		return unavailable(err)
	}
	for i, err := range errs {
		if err != nil && !errors.Is(err, store.ErrExists) {
			return unavailable(err)
		}
		whose[i].quarantineID = values[i].ID
	}
	return nil
}

// room is how many more items a sender may have waiting; it reads no further than it must.
func (s *Service) room(ctx context.Context, sender string, need int) (int, error) {
	waiting, size := 0, 0
	query := store.Query{Index: "sender", Equal: []any{sender, true}, Limit: s.Quarantine}
	for doc, err := range s.quarantine.Find(ctx, query) {
		if err != nil {
			return 0, err
		}
		waiting++
		if size += doc.Value.Size; size > quarantineBytes {
			return 0, nil
		}
	}
	return min(max(s.Quarantine-waiting, 0), need), nil
}

func (s *Service) quarantined(ctx context.Context, caller identity.Caller, source, sender string, it *item) (Quarantined, error) {
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(it.sealed)
	if err != nil {
		return Quarantined{}, fmt.Errorf("encode item: %w", err)
	}
	sum := sha256.Sum256(append([]byte(sender+"\x00"+it.why.Reason+"\x00"), encoded...))
	value := Quarantined{
		ID: hex.EncodeToString(sum[:16]), Sender: sender, Caller: caller, Source: source,
		Rating: it.rating.GetId(), Unit: it.rating.GetUnitId(), Outcome: it.outcome, Reason: it.why.Reason,
		Size: len(encoded), ReceivedAt: store.Milliseconds(s.Clock()), Waiting: true,
	}
	value.Caller.Address = "" // a citizen's address is not kept
	for _, arg := range it.why.Args {
		value.Args = append(value.Args, fmt.Sprint(arg))
	}
	if len(encoded) <= inlineBytes {
		value.Item = encoded
		return value, nil
	}
	value.Blob = "quarantine/" + value.ID
	_, err = s.Engine.Blobs().Put(ctx, value.Blob, bytes.NewReader(encoded))
	if err != nil && !errors.Is(err, store.ErrExists) {
		return value, fmt.Errorf("keep large item: %w", err)
	}
	return value, nil
}

// QuarantineQuery says which quarantined items to list.
type QuarantineQuery struct {
	Device   string // only of this device
	Released bool   // released items too
	After    store.Cursor
	Limit    int
}

// Waiting is one page of quarantine, newest first, as far as the caller may see it; a page may hold fewer than Limit items
// and still have a next one.
func (s *Service) Waiting(ctx context.Context, caller identity.Caller, ask QuarantineQuery) ([]Quarantined, store.Cursor, error) {
	query := store.Query{Index: "waiting", Equal: []any{true}, After: ask.After, Desc: true}
	switch {
	case ask.Device != "" && ask.Released:
		query.Index, query.Equal = "sent", []any{"device/" + ask.Device}
	case ask.Device != "":
		query.Index, query.Equal = "sender", []any{"device/" + ask.Device, true}
	case ask.Released:
		query.Index, query.Equal = "received", nil
	}
	items, next, err := s.quarantine.Page(ctx, query, ask.Limit)
	if err != nil {
		return nil, "", unavailable(err)
	}
	visible := items[:0]
	for _, item := range items {
		if s.mayRelease(caller, item) {
			visible = append(visible, item)
		}
	}
	return visible, next, nil
}

// ReasonArgs are the reason's names and values, for its words.
func (q Quarantined) ReasonArgs() []any {
	args := make([]any, len(q.Args))
	for i, arg := range q.Args {
		args[i] = arg
	}
	return args
}

// Release judges a quarantined item again, as if its sender sent it now, and stores it under the same id where it can be
// stored. With vouch the administrator stands for what the item cannot prove: seal and binding.
func (s *Service) Release(ctx context.Context, by identity.Caller, id string, vouch bool, in language.Language) (*pb.ItemOutcome, error) {
	if err := by.Check(identity.ManageQuarantine); err != nil {
		return nil, err
	}
	value, err := s.Quarantined(ctx, by, id)
	if err != nil {
		return nil, err
	}
	if !value.DiscardedAt.IsZero() {
		return nil, fault.New(fault.Invalid, "quarantine_discarded")
	}
	sealed, err := s.quarantinedItem(ctx, value)
	if err != nil {
		return nil, err
	}
	batch := Batch{Items: []*pb.SealedRating{sealed}, Source: value.Source, Language: in, Released: true, Vouched: vouch}
	if value.Caller.Kind == identity.CallerDevice && !vouch && unproven(value.Reason) {
		return nil, fault.New(fault.Invalid, "quarantine_needs_vouch")
	}
	outcomes, err := s.Submit(ctx, value.Caller, batch)
	if err != nil {
		return nil, err
	}
	outcome := outcomes[0]
	outcome.QuarantineId = id
	if outcome.GetOutcome() != pb.Outcome_OUTCOME_STORED && outcome.GetOutcome() != pb.Outcome_OUTCOME_DUPLICATE {
		return outcome, nil
	}
	_, err = s.quarantine.Update(ctx, id, func(q *Quarantined) (bool, error) {
		if !q.Waiting {
			return false, nil
		}
		q.Waiting, q.ReleasedAt, q.ReleasedBy = false, store.Milliseconds(s.Clock()), by.AccountID
		return true, nil
	})
	if err != nil {
		return nil, unavailable(err)
	}
	s.Logger.InfoContext(ctx, "quarantined item released", "id", id, "rating", value.Rating, "by", by.AccountID, "vouched", vouch)
	return outcome, nil
}

// Quarantined answers an item, waiting or not. NotFound "quarantine_unknown".
func (s *Service) Quarantined(ctx context.Context, by identity.Caller, id string) (Quarantined, error) {
	if err := by.Check(identity.ManageQuarantine); err != nil {
		return Quarantined{}, err
	}
	value, _, err := s.quarantine.Get(ctx, id)
	if isNotFound(err) || errors.Is(err, store.ErrInvalid) || err == nil && !s.mayRelease(by, value) {
		return Quarantined{}, fault.New(fault.NotFound, "quarantine_unknown", "id", id)
	}
	if err != nil {
		return Quarantined{}, unavailable(err)
	}
	return value, nil
}

// Read answers what can be read of an item: its rating, nil where that cannot be read, and whether a comment or contact is
// kept with it.
func (s *Service) Read(ctx context.Context, value Quarantined) (r *pb.Rating, private bool, err error) {
	sealed, err := s.quarantinedItem(ctx, value)
	if fault.Is(err, fault.Invalid) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	r = &pb.Rating{}
	if proto.Unmarshal(sealed.GetRating(), r) != nil || r.GetId() == "" {
		r = nil
	}
	return r, rating.HasPrivate(sealed.GetPrivate()), nil
}

// Discard sets an item aside for good: it is kept, waits no longer, and its sender has room for another. NotFound
// "quarantine_unknown"; Invalid "quarantine_released". Discarded again, it stays as it was.
func (s *Service) Discard(ctx context.Context, by identity.Caller, id, reason string) (Quarantined, error) {
	if _, err := s.Quarantined(ctx, by, id); err != nil {
		return Quarantined{}, err
	}
	value, err := s.quarantine.Update(ctx, id, func(q *Quarantined) (bool, error) {
		switch {
		case !q.DiscardedAt.IsZero():
			return false, nil
		case !q.Waiting:
			return false, fault.New(fault.Invalid, "quarantine_released")
		}
		q.Waiting, q.DiscardedAt, q.DiscardedBy, q.DiscardReason = false, store.Milliseconds(s.Clock()), by.AccountID, reason
		return true, nil
	})
	if err != nil {
		if fault.Is(err, fault.Invalid) {
			return Quarantined{}, err
		}
		return Quarantined{}, unavailable(err)
	}
	s.Logger.InfoContext(ctx, "quarantined item discarded", "id", id, "rating", value.Rating, "by", by.AccountID)
	return value, nil
}

// unproven are the reasons an administrator must vouch for, beyond asking to judge again.
func unproven(reason string) bool {
	switch reason {
	case seal.Missing, seal.Forged, seal.WrongCount, seal.ChainBroken, seal.WrongSequence, seal.SignedByOther, "device_not_bound", "device_other":
		return true
	}
	return false
}

func (s *Service) mayRelease(by identity.Caller, value Quarantined) bool {
	return identity.Scope(by) == "" || value.Unit != "" && s.Directory.Tree().Within(value.Unit, identity.Scope(by))
}

func (s *Service) quarantinedItem(ctx context.Context, value Quarantined) (*pb.SealedRating, error) {
	encoded := value.Item
	if value.Blob != "" {
		blob, err := s.Engine.Blobs().Open(ctx, value.Blob)
		if err != nil {
			return nil, unavailable(err)
		}
		defer func() { _ = blob.Close() }()
		if encoded, err = io.ReadAll(blob); err != nil {
			return nil, unavailable(err)
		}
	}
	var sealed pb.SealedRating
	if err := proto.Unmarshal(encoded, &sealed); err != nil {
		return nil, fault.New(fault.Invalid, "rating_unreadable").Because(err)
	}
	return &sealed, nil
}

package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/hailong-vn/hailong/internal/rating"
	pb "github.com/hailong-vn/hailong/proto/hailong/v1"
)

// session is a rating being given: one row, written anew whole with each touch.
type session struct {
	n       int64      // its row
	rating  *pb.Rating // as it stands; what sealing fills in is missing
	private *pb.Private
	since   time.Duration // of the first touch, since the start
	last    time.Duration // of the last touch
}

// kept is how a session is kept.
type kept struct {
	Rating  []byte        `json:"rating"`
	Private []byte        `json:"private,omitempty"`
	Since   time.Duration `json:"since"`
	Last    time.Duration `json:"last"`
}

func (s *session) encode() ([]byte, error) {
	encoded, err := proto.Marshal(s.rating)
	if err != nil {
		return nil, err
	}
	k := kept{Rating: encoded, Since: s.since, Last: s.last}
	if s.private != nil {
		if k.Private, err = proto.Marshal(s.private); err != nil {
			return nil, err
		}
	}
	return json.Marshal(k)
}

func decodeSession(n int64, value []byte) (*session, error) {
	var k kept
	s := &session{n: n, rating: &pb.Rating{}}
	if json.Unmarshal(value, &k) != nil || proto.Unmarshal(k.Rating, s.rating) != nil || s.rating.GetId() == "" {
		return nil, fmt.Errorf("session %d: %w", n, errDamaged)
	}
	if k.Private != nil {
		s.private = &pb.Private{}
		if proto.Unmarshal(k.Private, s.private) != nil {
			return nil, fmt.Errorf("session %d: %w", n, errDamaged)
		}
	}
	s.since, s.last = k.Since, k.Last
	return s, nil
}

// Begin keeps the first touch of a rating, and answers the rating's id (UUIDv7): from here on the rating counts. ErrNotEnrolled, ErrFull.
func (j *Journal) Begin(ctx context.Context, start Start) (string, error) {
	j.turn.Lock()
	defer j.turn.Unlock()
	if j.state().identity.DeviceID == "" {
		return "", ErrNotEnrolled
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("begin rating: %w", err)
	}
	at, since := j.clock.Now(), j.clock.SinceStart()
	s := &session{since: since, last: since, rating: &pb.Rating{
		Id: id.String(), UnitId: start.UnitID, CounterId: start.CounterID, OfficialId: start.OfficialID, ProcedureCode: start.ProcedureCode,
		DossierCode: start.DossierCode, TicketCode: start.TicketCode, Channel: pb.Channel_CHANNEL_KIOSK,
		QuestionnaireId: start.QuestionnaireID, QuestionnaireVersion: start.QuestionnaireVersion, Language: start.Language,
		OverallScore: start.Answers.OverallScore, Answers: start.Answers.Answers,
		OccurredAt: timestamppb.New(at), BootId: j.clock.BootID(), SinceBoot: durationpb.New(since),
	}}
	if j.begun >= 0 {
		s.rating.SincePrevious = durationpb.New(max(0, since-j.begun))
	}
	value, err := s.encode()
	if err != nil {
		return "", fmt.Errorf("begin rating: %w", err)
	}
	if s.rating = proto.CloneOf(s.rating); s.rating.GetId() == "" { // the answers stay the caller's
		return "", fmt.Errorf("begin rating: %w", errDamaged)
	}
	if err := j.update(ctx, func(ctx context.Context, c *conn, _ *state) error {
		result, err := c.exec(ctx, "INSERT INTO sessions (value) VALUES (?)", value)
		if err != nil {
			return err
		}
		s.n, err = result.LastInsertId()
		return err
	}); err != nil {
		return "", j.wrap("begin rating", err)
	}
	j.begun = since
	j.open[s.rating.GetId()] = s
	j.openCount.Store(int64(len(j.open)))
	j.touched(at)
	return s.rating.GetId(), nil
}

func (j *Journal) touched(at time.Time) {
	j.mu.Lock()
	j.lastTouch = at
	j.mu.Unlock()
}

// Change keeps what is answered now in place of what was. Choosing another overall score counts as a change of mind. ErrUnknown,
// ErrFull; after an error what was kept before stands.
func (j *Journal) Change(ctx context.Context, ratingID string, answers Answers) error {
	return j.again(ctx, "change rating", ratingID, func(s *session) {
		if answers.OverallScore != s.rating.GetOverallScore() {
			s.rating.Changes++
		}
		s.rating.OverallScore, s.rating.Answers = answers.OverallScore, cloneAnswers(answers.Answers)
	})
}

func cloneAnswers(answers []*pb.Answer) []*pb.Answer {
	clones := make([]*pb.Answer, len(answers))
	for i, a := range answers {
		clones[i] = proto.CloneOf(a)
	}
	return clones
}

// Confirm keeps what the person wrote and pressed "send" for, in place of what was confirmed before. Nil takes it back. ErrUnknown, ErrFull.
func (j *Journal) Confirm(ctx context.Context, ratingID string, private *pb.Private) error {
	return j.again(ctx, "confirm rating", ratingID, func(s *session) { s.private = proto.CloneOf(private) })
}

// again writes an open session anew.
func (j *Journal) again(ctx context.Context, doing, ratingID string, change func(*session)) error {
	j.turn.Lock()
	defer j.turn.Unlock()
	before := j.open[ratingID]
	if before == nil {
		return fmt.Errorf("%s %s: %w", doing, ratingID, ErrUnknown)
	}
	s := *before
	s.rating = proto.CloneOf(before.rating)
	change(&s)
	if s.rating.GetBootId() == j.clock.BootID() { // one begun before the last start cannot be touched; only sealed
		s.last = max(s.last, j.clock.SinceStart())
	}
	value, err := s.encode()
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if err := j.update(ctx, func(ctx context.Context, c *conn, _ *state) error {
		// An insert where the row was lost with a damaged file.
		_, err := c.exec(ctx, "INSERT INTO sessions (n, value) VALUES (?, ?) ON CONFLICT (n) DO UPDATE SET value = excluded.value", s.n, value)
		return err
	}); err != nil {
		return j.wrap(doing, err)
	}
	j.open[ratingID] = &s
	j.touched(j.clock.Now())
	return nil
}

// Seal ends a rating: it gets its sequence and its place in the chain, and waits to be sent. Sealing twice is no error.
// ErrUnknown for one that was never begun; ErrFull, after which it may be tried again.
func (j *Journal) Seal(ctx context.Context, ratingID string) error {
	j.turn.Lock()
	defer j.turn.Unlock()
	s := j.open[ratingID]
	if s == nil {
		return j.sealedAlready(ctx, ratingID)
	}
	if err := j.update(ctx, func(ctx context.Context, c *conn, next *state) error { return sealSession(ctx, c, next, s) }); err != nil {
		return j.wrap("seal rating", err)
	}
	delete(j.open, ratingID)
	j.openCount.Store(int64(len(j.open)))
	return nil
}

// sealSession turns a session's row into a sealed rating.
func sealSession(ctx context.Context, c *conn, next *state, s *session) error {
	r := proto.CloneOf(s.rating)
	// To the last touch, and not to the end of waiting for another one.
	r.Taken = durationpb.New(max(0, s.last-s.since))
	if _, err := appendItems(ctx, c, next, []Item{{Rating: r, Private: s.private}}); err != nil {
		return err
	}
	_, err := c.exec(ctx, "DELETE FROM sessions WHERE n = ?", s.n)
	return err
}

func (j *Journal) sealedAlready(ctx context.Context, ratingID string) error {
	if j.db == nil {
		return ErrClosed
	}
	found := false
	err := j.db.write.rows(context.WithoutCancel(ctx), func(scan func(...any) error) error {
		found = true
		return nil
	}, "SELECT 1 FROM ratings WHERE id = ?", ratingID)
	if err == nil && !found {
		err = ErrUnknown
	}
	if err != nil {
		return fmt.Errorf("seal rating %s: %w", ratingID, err)
	}
	return nil
}

// sealLeft seals what an earlier start left open; what cannot be sealed now stays open. The caller holds turn.
func (j *Journal) sealLeft(ctx context.Context) error {
	if j.state().identity.DeviceID == "" {
		return nil
	}
	var errs []error
	for _, id := range slices.SortedFunc(maps.Keys(j.open), func(a, b string) int { return int(j.open[a].n - j.open[b].n) }) {
		s := j.open[id]
		if s.rating.GetBootId() == j.clock.BootID() {
			continue
		}
		if err := j.update(ctx, func(ctx context.Context, c *conn, next *state) error { return sealSession(ctx, c, next, s) }); err != nil {
			errs = append(errs, err)
			continue
		}
		delete(j.open, id)
		j.openCount.Store(int64(len(j.open)))
	}
	return errors.Join(errs...)
}

// readSessions reads what is open.
func readSessions(ctx context.Context, c *conn) (map[string]*session, error) {
	open := map[string]*session{}
	err := c.rows(ctx, func(scan func(...any) error) error {
		var n int64
		var value []byte
		if err := scan(&n, &value); err != nil {
			return err
		}
		s, err := decodeSession(n, value)
		if err == nil {
			open[s.rating.GetId()] = s
		}
		return err
	}, "SELECT n, value FROM sessions ORDER BY n")
	return open, err
}

// withSalt makes what a person wrote ready to be kept apart from the rating, and answers the commitment.
func withSalt(private *pb.Private, random func([]byte)) (*pb.Private, []byte, error) {
	if !rating.HasPrivate(private) {
		return nil, nil, nil
	}
	private = proto.CloneOf(private)
	if len(private.GetSalt()) == 0 {
		private.Salt = make([]byte, 16)
		random(private.Salt)
	}
	commitment, err := rating.Commitment(private)
	return private, commitment, err
}

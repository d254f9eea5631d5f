package analytics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hailong-vn/hailong/internal/store"
)

// epochState is the one document that says under which epoch cells are folded. It is raised by compare-and-swap, never lowered.
type epochState struct {
	ID       string    `bson:"_id"`
	Epoch    uint32    `bson:"epoch"`
	RaisedAt time.Time `bson:"raised_at"`
	Reason   string    `bson:"reason"` // for the administrator who asks why
}

// freshState is the one document that says how far figures are known to be complete, and when everything was last swept.
type freshState struct {
	ID           string    `bson:"_id"`
	FreshThrough time.Time `bson:"fresh_through"` // only ever later
	AllStarted   time.Time `bson:"all_started"`   // claimed by compare-and-swap: workers do not sweep everything at once
	AllAlive     time.Time `bson:"all_alive"`     // last sign of the worker that sweeps
	AllCompleted time.Time `bson:"all_completed"` // equal to or after AllStarted: it ended
	AllEpoch     uint32    `bson:"all_epoch"`     // the epoch under which the last one that ended left everything
}

var (
	epochKind = store.Define[epochState]("figures_epoch")
	freshKind = store.Define[freshState]("figures_freshness")
)

// onlyID is the id of the one document of each kind.
const onlyID = "figures"

// Kinds lists the kinds of documents this package keeps.
func Kinds() []store.Kind { return []store.Kind{epochKind.Kind, freshKind.Kind} }

// states are the two documents that workers share.
type states struct {
	epochs store.Docs[epochState]
	fresh  store.Docs[freshState]
}

func openStates(ctx context.Context, engine store.Engine) (states, error) {
	epochs, err := epochKind.Open(ctx, engine)
	if err != nil {
		return states{}, err
	}
	fresh, err := freshKind.Open(ctx, engine)
	return states{epochs: epochs, fresh: fresh}, err
}

// FreshReader answers a function that reads how far figures are known to be complete, for any process that shows them; zero
// before the first sweep ended.
func FreshReader(ctx context.Context, engine store.Engine) (func(context.Context) (time.Time, error), error) {
	states, err := openStates(ctx, engine)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (time.Time, error) {
		state, err := states.freshness(ctx)
		return state.FreshThrough, err
	}, nil
}

// firstEpoch holds where no document says otherwise.
const firstEpoch = 1

func (s states) epoch(ctx context.Context) (epochState, error) {
	state, _, err := s.epochs.Get(ctx, onlyID)
	if errors.Is(err, store.ErrNotFound) {
		return epochState{ID: onlyID, Epoch: firstEpoch}, nil
	}
	if err != nil {
		return epochState{}, fmt.Errorf("read the epoch: %w", err)
	}
	return state, nil
}

// raiseEpoch begins an epoch above the one given, unless somebody did so already, and answers the one that holds.
func (s states) raiseEpoch(ctx context.Context, above uint32, now time.Time, reason string) (uint32, error) {
	raised := epochState{ID: onlyID, Epoch: above + 1, RaisedAt: store.Milliseconds(now), Reason: reason}
	err := s.epochs.Insert(ctx, raised)
	if err == nil {
		return raised.Epoch, nil
	}
	if !errors.Is(err, store.ErrExists) {
		return 0, fmt.Errorf("raise the epoch: %w", err)
	}
	holds, err := s.epochs.Update(ctx, onlyID, func(state *epochState) (bool, error) {
		if state.Epoch > above {
			return false, nil
		}
		*state = raised
		return true, nil
	})
	if err != nil {
		return 0, fmt.Errorf("raise the epoch: %w", err)
	}
	return holds.Epoch, nil
}

func (s states) freshness(ctx context.Context) (freshState, error) {
	state, _, err := s.fresh.Get(ctx, onlyID)
	if errors.Is(err, store.ErrNotFound) {
		return freshState{ID: onlyID}, nil
	}
	return state, err
}

// changeFreshness changes the document, making it where it is missing. change answers false to leave it as it is.
func (s states) changeFreshness(ctx context.Context, change func(*freshState) bool) (freshState, error) {
	state := freshState{ID: onlyID}
	if _, _, err := s.fresh.Get(ctx, onlyID); errors.Is(err, store.ErrNotFound) {
		if !change(&state) {
			return state, nil
		}
		err := s.fresh.Insert(ctx, state)
		if !errors.Is(err, store.ErrExists) {
			return state, err
		}
	}
	return s.fresh.Update(ctx, onlyID, func(state *freshState) (bool, error) { return change(state), nil })
}

// freshThrough records that every rating accepted up to then is in the figures, and answers what is known now. What stands is
// only taken back where it lies further ahead than clocks may differ: then a clock was wrong, and so was the claim.
func (s states) freshThrough(ctx context.Context, through, ahead time.Time) (time.Time, error) {
	through = store.Milliseconds(through)
	state, err := s.changeFreshness(ctx, func(state *freshState) bool {
		if !through.After(state.FreshThrough) && !state.FreshThrough.After(ahead) {
			return false
		}
		state.FreshThrough = through
		return true
	})
	return state.FreshThrough, err
}

// claimAll claims the sweep of all cells where none was started since or none ended under this epoch, or where the one that
// was started has neither ended nor shown a sign of life since deadline. Whoever claims it sweeps; no leader is elected.
// Epochs are told apart by number, for two clocks, or one clock within a millisecond, cannot order them.
func (s states) claimAll(ctx context.Context, epoch uint32, now, since, deadline time.Time) (bool, error) {
	claimed := false
	_, err := s.changeFreshness(ctx, func(state *freshState) bool {
		underWay := state.AllCompleted.Before(state.AllStarted)
		dead := state.AllAlive.Before(deadline)
		claimed = underWay && dead || !underWay && (state.AllEpoch < epoch || state.AllStarted.Before(since))
		if claimed {
			state.AllStarted, state.AllAlive = store.Milliseconds(now), store.Milliseconds(now)
		}
		return claimed
	})
	return claimed && err == nil, err
}

// aliveAll says that the sweep claimed then goes on; false where somebody else claimed it meanwhile.
func (s states) aliveAll(ctx context.Context, started, now time.Time) (bool, error) {
	return s.changeClaimed(ctx, started, func(state *freshState) { state.AllAlive = store.Milliseconds(now) })
}

// completeAll says that the sweep claimed then ended, and under which epoch everything stands now.
func (s states) completeAll(ctx context.Context, epoch uint32, started, now time.Time) error {
	_, err := s.changeClaimed(ctx, started, func(state *freshState) {
		state.AllCompleted, state.AllEpoch = store.Milliseconds(now), max(state.AllEpoch, epoch)
	})
	return err
}

// abandonAll lets others go on at once with the sweep claimed then.
func (s states) abandonAll(ctx context.Context, started time.Time) error {
	_, err := s.changeClaimed(ctx, started, func(state *freshState) { state.AllAlive = time.Time{} })
	return err
}

func (s states) changeClaimed(ctx context.Context, started time.Time, change func(*freshState)) (bool, error) {
	ours := false
	_, err := s.changeFreshness(ctx, func(state *freshState) bool {
		if ours = state.AllStarted.Equal(store.Milliseconds(started)); ours {
			change(state)
		}
		return ours
	})
	return ours && err == nil, err
}

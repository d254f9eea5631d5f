package analysis

import (
	"context"
	"sync"
)

// together lets callers that ask for the same at the same time share one reading. Nobody is given a reading that began before
// the question came: who finds one under way waits for the next, which all who come until it begins share. So an answer is as
// new as if each had read for itself, and of any number of callers at once two read.
type together[T any] struct {
	lock  sync.Mutex
	turns map[string]*turn[T]
}

// turn is the reading under way and the one after it, of one thing.
type turn[T any] struct{ now, next *reading[T] }

type reading[T any] struct {
	done    chan struct{} // closed at the end; the rest may be looked at then
	value   T
	err     error
	aborted bool // its reader's context ended: others must read for themselves
}

// do answers what read answers to this caller or to one who asks for the same key. What it answers is shared: it must not be changed.
func (s *together[T]) do(ctx context.Context, key string, read func(context.Context) (T, error)) (T, error) {
	for {
		s.lock.Lock()
		if s.turns == nil {
			s.turns = map[string]*turn[T]{}
		}
		at := s.turns[key]
		if at == nil {
			at = &turn[T]{now: &reading[T]{done: make(chan struct{})}}
			s.turns[key] = at
			s.lock.Unlock()
			return s.read(ctx, key, at, at.now, read)
		}
		before, mine, first := at.now, at.next, false
		if mine == nil {
			mine, first = &reading[T]{done: make(chan struct{})}, true
			at.next = mine
		}
		s.lock.Unlock()
		if first {
			select {
			case <-before.done:
				s.lock.Lock()
				at.now, at.next = mine, nil
				s.lock.Unlock()
				return s.read(ctx, key, at, mine, read)
			case <-ctx.Done():
				s.giveUp(key, at, mine)
			}
		}
		select {
		case <-mine.done:
			if !mine.aborted {
				return mine.value, mine.err
			}
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			var none T
			return none, ctx.Err()
		}
	}
}

func (s *together[T]) read(ctx context.Context, key string, at *turn[T], mine *reading[T], read func(context.Context) (T, error)) (T, error) {
	mine.aborted = true // should read panic
	defer func() {
		s.lock.Lock()
		defer s.lock.Unlock()
		close(mine.done)
		if at.next == nil {
			delete(s.turns, key)
		}
	}()
	mine.value, mine.err = read(ctx)
	mine.aborted = mine.err != nil && ctx.Err() != nil
	return mine.value, mine.err
}

// giveUp ends a reading that has not begun.
func (s *together[T]) giveUp(key string, at *turn[T], mine *reading[T]) {
	s.lock.Lock()
	defer s.lock.Unlock()
	mine.aborted = true
	close(mine.done)
	at.next = nil
	select {
	case <-at.now.done:
		delete(s.turns, key)
	default:
	}
}

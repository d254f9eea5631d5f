package recent_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hailong-vn/hailong/internal/recent"
)

func TestAValueIsReadOnceUntilItExpiresOrIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		values := recent.New[string, int](5*time.Second, 10, time.Now)
		reads := 0
		get := func() int {
			got, err := values.Get(t.Context(), "a", func(context.Context) (int, error) { reads++; return reads, nil })
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if get(); get() != 1 {
			t.Error("read twice")
		}
		time.Sleep(5*time.Second - 1)
		if get() != 1 {
			t.Error("read again before it expired")
		}
		time.Sleep(time.Nanosecond)
		if get() != 2 {
			t.Error("not read again after it expired")
		}
		values.Forget("a")
		if get() != 3 {
			t.Error("not read again after it was forgotten")
		}
		values.ForgetWhere(func(v int) bool { return v == 7 })
		if get() != 3 {
			t.Error("forgotten though it did not match")
		}
		values.ForgetWhere(func(v int) bool { return v == 3 })
		if get() != 4 {
			t.Error("not forgotten though it matched")
		}
		values.ForgetAll()
		if get() != 5 {
			t.Error("not forgotten with all")
		}
	})
}

// What a load read before the change must not be remembered after it.
func TestALoadUnderWayIsForgottenToo(t *testing.T) {
	for name, forget := range map[string]func(*recent.Values[string, int]){
		"by key":   func(v *recent.Values[string, int]) { v.Forget("a") },
		"by value": func(v *recent.Values[string, int]) { v.ForgetWhere(func(int) bool { return false }) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				values := recent.New[string, int](time.Hour, 10, time.Now)
				release := make(chan struct{})
				go func() {
					got, err := values.Get(t.Context(), "a", func(context.Context) (int, error) { <-release; return 1, nil })
					if got != 1 || err != nil {
						t.Errorf("the first caller got %d, %v", got, err)
					}
				}()
				synctest.Wait()
				forget(values)
				for range 2 {
					if got, _ := values.Get(t.Context(), "a", func(context.Context) (int, error) { return 2, nil }); got != 2 {
						t.Errorf("after forgetting got %d, want what is read now", got)
					}
				}
				close(release)
				synctest.Wait()
				if got, _ := values.Get(t.Context(), "a", func(context.Context) (int, error) { return 3, nil }); got != 2 {
					t.Errorf("the old load came back: %d", got)
				}
			})
		})
	}
}

func TestErrorsAreNotRemembered(t *testing.T) {
	values := recent.New[string, int](time.Hour, 10, time.Now)
	down := errors.New("down")
	if _, err := values.Get(t.Context(), "a", func(context.Context) (int, error) { return 0, down }); !errors.Is(err, down) {
		t.Error(err)
	}
	if got, err := values.Get(t.Context(), "a", func(context.Context) (int, error) { return 1, nil }); got != 1 || err != nil {
		t.Error(got, err)
	}
}

func TestACallerThatLeavesDoesNotSpoilTheOthersLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		values := recent.New[string, int](time.Hour, 10, time.Now)
		ctx, leave := context.WithCancel(t.Context())
		release := make(chan struct{})
		go func() {
			_, _ = values.Get(ctx, "a", func(ctx context.Context) (int, error) { <-release; return 1, ctx.Err() })
		}()
		synctest.Wait()
		waiting, give := context.WithCancel(t.Context())
		var left, stayed atomic.Int32
		go func() {
			if _, err := values.Get(waiting, "a", nil); errors.Is(err, context.Canceled) {
				left.Add(1)
			}
		}()
		go func() {
			if got, err := values.Get(t.Context(), "a", nil); got == 1 && err == nil {
				stayed.Add(1)
			}
		}()
		synctest.Wait()
		give()
		leave()
		synctest.Wait()
		close(release)
		synctest.Wait()
		if left.Load() != 1 || stayed.Load() != 1 {
			t.Errorf("left %d, stayed %d", left.Load(), stayed.Load())
		}
	})
}

func TestItNeverGrowsBeyondItsBound(t *testing.T) {
	values := recent.New[int, int](time.Hour, 100, time.Now)
	var callers sync.WaitGroup
	for caller := range 4 {
		callers.Go(func() {
			for i := range 2000 {
				key := caller*2000 + i
				got, err := values.Get(t.Context(), key, func(context.Context) (int, error) { return key, nil })
				if got != key || err != nil {
					t.Errorf("got %d, %v for %d", got, err, key)
				}
			}
		})
	}
	callers.Wait()
	kept := 0
	values.ForgetWhere(func(int) bool { kept++; return false })
	if kept > 100 {
		t.Errorf("%d values are kept, want at most 100", kept)
	}
}

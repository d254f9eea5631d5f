package analysis

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestWhoComesWhileOneReadsSharesTheNextReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared together[int32]
		var begun atomic.Int32
		hold := make(chan struct{})
		read := func(context.Context) (int32, error) {
			n := begun.Add(1)
			<-hold
			return n, nil
		}
		got := make(chan int32, 10)
		ask := func() {
			n, err := shared.do(t.Context(), "key", read)
			if err != nil {
				t.Error(err)
			}
			got <- n
		}
		go ask()
		synctest.Wait() // the first reads
		for range 3 {
			go ask()
		}
		synctest.Wait() // three wait for the next
		if n := begun.Load(); n != 1 {
			t.Fatalf("%d readings began at once", n)
		}
		hold <- struct{}{}
		if n := <-got; n != 1 {
			t.Errorf("the first was answered reading %d", n)
		}
		synctest.Wait()
		go ask() // while the second is read
		synctest.Wait()
		hold <- struct{}{}
		for range 3 {
			if n := <-got; n != 2 {
				t.Errorf("who waited was answered reading %d", n)
			}
		}
		hold <- struct{}{}
		if n := <-got; n != 3 {
			t.Errorf("who came later was answered reading %d", n)
		}
		synctest.Wait()
		if len(shared.turns) != 0 {
			t.Error("something is left of it")
		}
	})
}

func TestWhoSharesAReadingDoesNotDependOnItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared together[string]
		hold := make(chan struct{})
		slow := func(ctx context.Context) (string, error) {
			select {
			case <-hold:
				return "slow", nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		quick := func(context.Context) (string, error) { return "quick", nil }
		type answer struct {
			text string
			err  error
		}
		got := make(chan answer, 10)
		ask := func(ctx context.Context, read func(context.Context) (string, error)) {
			text, err := shared.do(ctx, "key", read)
			got <- answer{text, err}
		}
		first, endFirst := context.WithCancel(t.Context())
		second, endSecond := context.WithCancel(t.Context())
		go ask(first, slow)
		synctest.Wait()
		go ask(second, slow) // is to read next
		synctest.Wait()
		go ask(t.Context(), quick) // shares that
		synctest.Wait()
		endSecond()
		if a := <-got; !errors.Is(a.err, context.Canceled) {
			t.Errorf("who was called off before reading was answered %v", a)
		}
		synctest.Wait() // the third is to read next by now
		endFirst()
		if a := <-got; !errors.Is(a.err, context.Canceled) {
			t.Errorf("who was called off while reading was answered %v", a)
		}
		if a := <-got; a != (answer{"quick", nil}) {
			t.Errorf("who waited was answered %v", a)
		}
		synctest.Wait()

		// A reader who is called off while others wait for this very reading: they read for themselves.
		third, endThird := context.WithCancel(t.Context())
		go ask(t.Context(), slow)
		synctest.Wait()
		go ask(third, slow)
		synctest.Wait()
		go ask(t.Context(), quick)
		synctest.Wait()
		hold <- struct{}{}
		if a := <-got; a.text != "slow" {
			t.Errorf("the first was answered %v", a)
		}
		synctest.Wait() // the second reads, the third waits for it
		endThird()
		if a := <-got; !errors.Is(a.err, context.Canceled) {
			t.Errorf("the second was answered %v", a)
		}
		if a := <-got; a != (answer{"quick", nil}) {
			t.Errorf("the third was answered %v", a)
		}
		synctest.Wait()
		if len(shared.turns) != 0 {
			t.Error("something is left of it")
		}
	})
}

func TestAFailedReadingIsToldToAllWhoShareIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shared together[int]
		broken := errors.New("broken")
		hold := make(chan struct{})
		read := func(context.Context) (int, error) { <-hold; return 0, broken }
		got := make(chan error, 10)
		for range 3 {
			go func() { _, err := shared.do(t.Context(), "key", read); got <- err }()
		}
		synctest.Wait()
		close(hold)
		for range 3 {
			if err := <-got; !errors.Is(err, broken) {
				t.Error(err)
			}
		}
	})
}

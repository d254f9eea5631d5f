package notice

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
)

func down(Mail) error { return &failure{outcome: OutcomeUnreachable, down: true} }

func TestTwoWorkersSendOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		box := &mailbox{}
		first := open(t, engine, func(o *Options) { o.Mailer = box })
		second := open(t, engine, func(o *Options) { o.Mailer = box })
		var all []Message
		for i := range 30 {
			account := fmt.Sprint("a", i)
			first.subscribe(t, account, account+"@xa.gov.vn", language.English)
			all = append(all, accepted(account))
		}
		first.tell(t, all...)
		var workers sync.WaitGroup
		for _, h := range []house{first, second} {
			workers.Go(func() { h.Deliver(t.Context()) })
		}
		workers.Wait()
		seen := map[string]int{}
		for _, m := range box.mails() {
			seen[m.To]++
		}
		if len(seen) != 30 || len(box.mails()) != 30 {
			t.Errorf("%d mails to %d people", len(box.mails()), len(seen))
		}
	})
}

func TestAWorkerThatDiedHoldsNothingUp(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		box := &mailbox{}
		h := open(t, engine, func(o *Options) { o.Mailer = box })
		h.subscribe(t, "lan", "lan@xa.gov.vn", language.Vietnamese)
		h.tell(t, accepted("lan"))
		d := h.sent(t, "email")[0]
		// As far as a worker comes that is killed while it sends: it claimed, and perhaps sent.
		if _, err := h.deliveries.Update(t.Context(), d.ID, func(d *Delivery) (bool, error) {
			d.Attempts, d.NextAt = 1, start.Add(lease)
			return true, nil
		}); err != nil {
			t.Fatal(err)
		}
		h.Deliver(t.Context())
		if n := len(box.mails()); n != 0 {
			t.Fatalf("%d mails while another worker may be at it", n)
		}
		h.clock.pass(lease)
		h.Deliver(t.Context())
		if n := len(box.mails()); n != 1 || box.mails()[0].ID != d.PublicID() {
			t.Errorf("%d mails", n)
		}
	})
}

func TestTheProgramEndsWhileItSends(t *testing.T) {
	box := &mailbox{}
	h := open(t, onSQLite(t), func(o *Options) { o.Mailer = box })
	h.subscribe(t, "lan", "lan@xa.gov.vn", language.Vietnamese)
	h.tell(t, accepted("lan"))
	ctx, end := context.WithCancel(t.Context())
	box.failing(func(Mail) error {
		end()
		return context.Canceled
	})
	h.Deliver(ctx)
	d := h.sent(t, "email")[0]
	if d.State != Waiting || d.Attempts != 0 || d.NextAt.After(start) {
		t.Errorf("it is %+v", d)
	}
	box.failing(nil)
	h.Deliver(t.Context())
	if n := len(box.mails()); n != 1 {
		t.Errorf("%d mails", n)
	}
}

func TestADayWithoutMailLosesNothing(t *testing.T) {
	box := &mailbox{}
	h := open(t, onSQLite(t), func(o *Options) { o.Mailer = box })
	tries := 0
	box.failing(func(m Mail) error {
		tries++
		return down(m)
	})
	for i := range 5 {
		account := fmt.Sprint("a", i)
		h.subscribe(t, account, account+"@xa.gov.vn", language.Vietnamese)
	}
	for minute := 0; minute < 24*60; minute += 10 {
		if minute%60 == 0 && minute < 20*60 {
			for i := range 5 {
				m := accepted(fmt.Sprint("a", i))
				m.ID, m.At = fmt.Sprint("case/c", minute), h.clock.now()
				h.tell(t, m)
			}
		}
		h.Deliver(t.Context())
		h.clock.pass(10 * time.Minute)
	}
	if tries == 0 || tries > 24*6 {
		t.Errorf("the server that is down was asked %d times", tries)
	}
	box.failing(nil)
	for range 8 * 6 { // the longest pause, and some
		h.clock.pass(10 * time.Minute)
		h.Deliver(t.Context())
	}
	ids := map[string]bool{}
	for _, m := range box.mails() {
		ids[m.ID] = true
	}
	if len(box.mails()) != 100 || len(ids) != 100 {
		t.Errorf("of 100 mails %d came, %d different ones", len(box.mails()), len(ids))
	}
	log := h.sent(t, "email")
	if last := log[len(log)-1]; last.State != Sent || last.Log[0].Outcome != OutcomeUnreachable || last.Log[len(last.Log)-1].Outcome != OutcomeSent {
		t.Errorf("its log is %+v", last)
	}
}

func TestOneThatIsRefusedHoldsUpNobody(t *testing.T) {
	box := &mailbox{}
	h := open(t, onSQLite(t), func(o *Options) { o.Mailer = box })
	box.failing(func(m Mail) error {
		switch m.To {
		case "bad@xa.gov.vn":
			return &failure{outcome: OutcomeRefused, status: 550, final: true}
		case "grey@xa.gov.vn":
			return &failure{outcome: OutcomeStatus, status: 451}
		}
		return nil
	})
	for _, account := range []string{"bad", "grey", "good"} {
		h.subscribe(t, account, account+"@xa.gov.vn", language.Vietnamese)
		h.tell(t, accepted(account))
	}
	h.Deliver(t.Context())
	if n := len(box.mails()); n != 1 {
		t.Errorf("%d mails", n)
	}
	state := func(account string) Delivery {
		for _, d := range h.sent(t, "email") {
			if d.Account == account {
				return d
			}
		}
		t.Fatalf("nothing for %s", account)
		return Delivery{}
	}
	if d := state("bad"); d.State != GivenUp || d.Log[0].Status != 550 {
		t.Errorf("refused for good: %+v", d)
	}
	if d := state("grey"); d.State != Waiting || d.Attempts != 1 || !d.NextAt.After(start) {
		t.Errorf("refused for now: %+v", d)
	}
	t.Run("until it is given up, and retried by hand", func(t *testing.T) {
		for range 2 * maxAttempts {
			h.clock.pass(longest * 2)
			h.Deliver(t.Context())
			if state("grey").State != Waiting {
				break
			}
			if d := state("grey"); h.clock.now().After(d.ExpiresAt) {
				t.Fatalf("not given up in its life: %+v", d)
			}
		}
		d := state("grey")
		if d.State != GivenUp || d.Attempts != maxAttempts || len(d.Log) != maxLog {
			t.Fatalf("%+v", d)
		}
		if _, err := h.Retry(t.Context(), state("good").ID); reason(err) != "notice_delivery_sent" {
			t.Errorf("one that was sent: %v", err)
		}
		if _, err := h.Retry(t.Context(), "none"); reason(err) != "notice_delivery_unknown" {
			t.Errorf("none: %v", err)
		}
		box.failing(nil)
		if again, err := h.Retry(t.Context(), d.ID); err != nil || again.State != Waiting || again.Attempts != 0 {
			t.Errorf("%+v, %v", again, err)
		}
		h.Deliver(t.Context())
		if d := state("grey"); d.State != Sent {
			t.Errorf("%+v", d)
		}
	})
}

func TestWhoNoLongerWantsMailGetsNone(t *testing.T) {
	gone := map[string]bool{}
	box := &mailbox{}
	h := open(t, onSQLite(t), func(o *Options) {
		o.Mailer = box
		o.Recipient = func(_ context.Context, account string) (string, bool, error) {
			return "bà " + account, !gone[account], nil
		}
	})
	for account, change := range map[string]func(account string) error{
		"stays": func(string) error { return nil },
		"chose otherwise": func(account string) error {
			_, err := h.Choose(t.Context(), account, language.Vietnamese, nil, false)
			return err
		},
		"took the address back": func(account string) error {
			_, err := h.RemoveAddress(t.Context(), account)
			return err
		},
		"left the office": func(account string) error {
			gone[account] = true
			return nil
		},
	} {
		h.subscribe(t, account, "x@xa.gov.vn", language.Vietnamese)
		h.tell(t, accepted(account))
		if err := change(account); err != nil {
			t.Fatal(err)
		}
	}
	h.Deliver(t.Context())
	states := map[State]int{}
	for _, d := range h.sent(t, "email") {
		states[d.State]++
	}
	if states[Sent] != 1 || states[Dropped] != 3 || len(box.mails()) != 1 {
		t.Errorf("%v, %d mails", states, len(box.mails()))
	}
}

func TestWhatAMailSays(t *testing.T) {
	box := &mailbox{}
	h := open(t, onSQLite(t), func(o *Options) {
		o.Mailer = box
		o.Recipient = func(context.Context, string) (string, bool, error) { return "<b>Lan</b> & Minh", true, nil }
	})
	h.subscribe(t, "lan", "lan@xa.gov.vn", language.Vietnamese)
	m := accepted("lan")
	m.Args["title"] = "<img src=x onerror=alert(1)>\r\nBcc: x@y.vn"
	h.tell(t, m)
	h.Deliver(t.Context())
	got := box.mails()[0]
	for _, want := range []string{"Kính gửi <b>Lan</b> & Minh,", "Hạn: 30/11/2026.", "https://hailong.example.vn/cases/c1", "https://hailong.example.vn/notices/settings", "Lúc 23/11/2026 09:00."} {
		if !strings.Contains(got.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, got.Text)
		}
	}
	for _, want := range []string{`<html lang="vi">`, "&lt;b&gt;Lan&lt;/b&gt; &amp; Minh", "&lt;img src=x", `<a href="https://hailong.example.vn/cases/c1">`} {
		if !strings.Contains(got.HTML, want) {
			t.Errorf("the page lacks %q:\n%s", want, got.HTML)
		}
	}
	if strings.Contains(got.HTML, "<img") || strings.Contains(got.Subject, "\n") {
		t.Errorf("%q\n%s", got.Subject, got.HTML)
	}
}

func TestPausesGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		attempts, random := rapid.IntRange(0, 1000).Draw(t, "attempts"), rapid.Float64Range(0, 1).Draw(t, "random")
		wait := pause(attempts, random)
		if wait < firstPause*8/10 || wait > longest*12/10 {
			t.Fatalf("%d attempts: %v", attempts, wait)
		}
		if attempts < 11 && attempts > 0 && pause(attempts+1, 0) < pause(attempts, 0) {
			t.Fatalf("%d attempts wait longer than one more", attempts)
		}
	})
	total := time.Duration(0)
	for attempts := 1; attempts < maxAttempts; attempts++ {
		total += pause(attempts, 0)
	}
	if total < 5*24*time.Hour || total*12/8 > deliveryLives {
		t.Errorf("given up after %v", total)
	}
}

func TestRunSendsWhatIsToldMeanwhile(t *testing.T) {
	box := &mailbox{}
	h := open(t, onSQLite(t), func(o *Options) { o.Mailer, o.Every = box, time.Hour })
	h.subscribe(t, "lan", "lan@xa.gov.vn", language.Vietnamese)
	arrived := make(chan struct{}, 10)
	box.failing(func(Mail) error {
		arrived <- struct{}{}
		return nil
	})
	ctx, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	for i := range 3 {
		m := accepted("lan")
		m.ID = fmt.Sprint("m", i)
		h.tell(t, m)
		select {
		case <-arrived:
		case <-time.After(30 * time.Second):
			t.Fatal("nothing left the house")
		}
	}
	end()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

package notice

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
)

func TestWeeks(t *testing.T) {
	for name, c := range map[string]struct{ at, week, since string }{
		"Monday, seven":            {"2026-11-23T07:00:00+07:00", "2026-W48", "2026-11-23T07:00:00+07:00"},
		"Monday, before seven":     {"2026-11-23T06:59:59+07:00", "2026-W47", "2026-11-16T07:00:00+07:00"},
		"Sunday night":             {"2026-11-29T23:59:59+07:00", "2026-W48", "2026-11-23T07:00:00+07:00"},
		"Monday, in UTC a Sunday":  {"2026-11-22T23:30:00Z", "2026-W47", "2026-11-16T07:00:00+07:00"},
		"the first days of a year": {"2027-01-01T12:00:00+07:00", "2026-W53", "2026-12-28T07:00:00+07:00"},
	} {
		t.Run(name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.at)
			if err != nil {
				t.Fatal(err)
			}
			if week, since := weekOf(at); week != c.week || since.Format(time.RFC3339) != c.since {
				t.Errorf("%s since %s", week, since.Format(time.RFC3339))
			}
		})
	}
}

func TestOneDigestAWeek(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		var mu sync.Mutex
		fails := map[string]bool{}
		digest := func(_ context.Context, account string) (DigestContent, bool, error) {
			mu.Lock()
			defer mu.Unlock()
			if fails[account] {
				return DigestContent{}, false, errors.New("not now")
			}
			return DigestContent{
				Link: "/leader", Unit: "xa", Lines: []Line{{Key: "notice.case.accept.subject", Args: map[string]string{"number": "7/2026"}, Link: "/cases/c1"}},
			}, account != "nothing", nil
		}
		box := &mailbox{}
		process := func() house {
			h := open(t, engine, func(o *Options) { o.Mailer, o.Digest = box, digest })
			h.clock.at = start.AddDate(0, 0, -3) // the Friday before
			return h
		}
		first, second := process(), process()
		for _, account := range []string{"lan", "minh", "nothing"} {
			first.subscribe(t, account, account+"@xa.gov.vn", language.Vietnamese)
		}
		both := func() {
			t.Helper()
			var workers sync.WaitGroup
			for _, h := range []house{first, second} {
				workers.Go(func() {
					for range 2 {
						if err := h.Digests(t.Context()); err != nil && !strings.Contains(err.Error(), "not now") {
							t.Error(err)
						}
					}
				})
			}
			workers.Wait()
			first.Deliver(t.Context())
		}
		both()
		if n := len(first.list(t, "lan")); n != 0 {
			t.Fatalf("chosen on Friday, %d came at once", n)
		}
		first.clock.pass(3 * 24 * time.Hour)
		second.clock.pass(3 * 24 * time.Hour)
		fails["minh"] = true
		both()
		if len(first.list(t, "lan")) != 1 || len(first.list(t, "minh")) != 0 || len(first.list(t, "nothing")) != 0 {
			t.Errorf("lan has %d, minh %d, nothing %d", len(first.list(t, "lan")), len(first.list(t, "minh")), len(first.list(t, "nothing")))
		}
		mu.Lock()
		delete(fails, "minh")
		mu.Unlock()
		both()
		both()
		for _, account := range []string{"lan", "minh"} {
			list := first.list(t, account)
			if len(list) != 1 || list[0].Topic != "digest.weekly" || len(list[0].Lines) != 1 {
				t.Fatalf("%s has %+v", account, list)
			}
			if line := first.Line(language.English, "xa", list[0].Lines[0]); line != "Accepted: case 7/2026" {
				t.Errorf("its line is %q", line)
			}
		}
		mails := box.mails()
		if len(mails) != 2 || !strings.Contains(mails[0].Text, "- Giải trình phản ánh số 7/2026 được chấp nhận\nhttps://hailong.example.vn/cases/c1") {
			t.Errorf("%d mails: %+v", len(mails), mails)
		}
		t.Run("killed before it was told", func(t *testing.T) {
			_, since := weekOf(start.AddDate(0, 0, 7))
			later := open(t, engine, func(o *Options) { o.Digest = digest })
			later.clock.at = since
			if _, err := later.compose(t.Context(), idOf("2026-W49", "lan"), "lan"); err != nil {
				t.Fatal(err)
			}
			if err := later.Digests(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := len(later.list(t, "lan")); n != 2 {
				t.Errorf("%d", n)
			}
		})
	})
}

package remedy_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/remedy"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
)

// now is already the next day in Vietnam.
var now = time.Date(2026, 3, 2, 18, 30, 0, 0, time.UTC)

func onEngines(t *testing.T, test func(t *testing.T, engine store.Engine)) {
	t.Run("sqlite", func(t *testing.T) {
		engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = engine.Close() })
		test(t, engine)
	})
	t.Run("mongodb", func(t *testing.T) {
		engine, err := mongodb.Open(t.Context(), testengine.WithDatabase(testengine.MongoDB(t)), mongodb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = engine.Close() })
		test(t, engine)
	})
}

func open(t *testing.T, engine store.Engine) (*remedy.Remedies, func(time.Duration)) {
	t.Helper()
	var mu sync.Mutex
	at := now
	remedies, err := remedy.Open(t.Context(), engine, remedy.Options{Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return at
	}})
	if err != nil {
		t.Fatal(err)
	}
	return remedies, func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(d)
	}
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Reason
}

func texts(list []remedy.Remedy) string {
	var all []string
	for _, r := range list {
		all = append(all, r.Text)
	}
	return strings.Join(all, " ")
}

func TestPublishJudges(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		remedies, _ := open(t, engine)
		for _, c := range []struct{ name, text, day, reason string }{
			{"today", "Thêm ghế chờ", "", ""},
			{"today in Vietnam, yesterday in UTC", "Thêm ghế chờ", "2026-03-03", ""},
			{"tomorrow", "Thêm ghế chờ", "2026-03-04", "remedy_day_ahead"},
			{"400 days ago", "Thêm ghế chờ", "2025-01-27", ""},
			{"401 days ago", "Thêm ghế chờ", "2025-01-26", "remedy_day_old"},
			{"no day", "Thêm ghế chờ", "2026-02-30", "remedy_day_invalid"},
			{"nothing", " \r\n ", "", "remedy_text_missing"},
			{"500 letters", strings.Repeat("ễ", 500), "", ""},
			{"500 letters decomposed", strings.Repeat("e\u0302\u0303", 500), "", ""},
			{"501 letters", strings.Repeat("ễ", 501), "", "remedy_text_long"},
			{"a control character", "Thêm\x00ghế", "", "remedy_text_unreadable"},
			{"text that turns the line round", "Thêm\u202eghế", "", "remedy_text_unreadable"},
			{"two lines", "Thêm ghế\r\nThêm quạt", "", ""},
		} {
			t.Run(c.name, func(t *testing.T) {
				r, err := remedies.Publish(t.Context(), remedy.Draft{Unit: "xa", Text: c.text, DoneOn: c.day, By: "lan"})
				if reason(err) != c.reason {
					t.Fatalf("%v, want %q", err, c.reason)
				}
				if err != nil {
					return
				}
				kept, err := remedies.Get(t.Context(), r.ID)
				if err != nil || kept.Text != r.Text || strings.ContainsAny(kept.Text, "\r\u0302") || !kept.PublishedAt.Equal(now) {
					t.Errorf("kept %+v, %v", kept, err)
				}
			})
		}
	})
}

func TestCitizensSeeTheLastThreeThatStand(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		remedies, pass := open(t, engine)
		publish := func(unit, text string, above ...string) remedy.Remedy {
			pass(time.Minute)
			r, err := remedies.Publish(t.Context(), remedy.Draft{Unit: unit, Ancestors: above, Text: text, By: "lan"})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		latest := func(want string, units ...string) {
			t.Helper()
			pass(time.Minute)
			list, err := remedies.Latest(t.Context(), units...)
			if err != nil || texts(list) != want {
				t.Errorf("%v shows %q, %v; want %q", units, texts(list), err, want)
			}
		}
		latest("", "mot-cua", "xa", "tinh")
		publish("tinh", "a")
		b := publish("mot-cua", "b", "xa", "tinh")
		publish("xa-khac", "c", "tinh")
		publish("xa", "d", "tinh")
		publish("mot-cua", "e", "xa", "tinh")
		latest("e d b", "mot-cua", "xa", "tinh")
		latest("c a", "xa-khac", "tinh")
		if _, err := remedies.Withdraw(t.Context(), b.ID, "ghi nhầm", "lan"); err != nil {
			t.Fatal(err)
		}
		latest("e d a", "mot-cua", "xa", "tinh")

		t.Run("the list is newest first, page by page, withdrawn ones too", func(t *testing.T) {
			for _, c := range []struct{ unit, want string }{{"", "e d c b a"}, {"tinh", "e d c b a"}, {"xa", "e d b"}, {"mot-cua", "e b"}, {"khac", ""}} {
				var all []remedy.Remedy
				for after := store.Cursor(""); ; {
					page, next, err := remedies.List(t.Context(), c.unit, after, 2)
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, page...)
					if after = next; next == "" {
						break
					}
				}
				if texts(all) != c.want {
					t.Errorf("%q lists %q, want %q", c.unit, texts(all), c.want)
				}
			}
			if _, _, err := remedies.List(t.Context(), "", "không phải", 2); reason(err) != "remedy_page_token" {
				t.Errorf("a page that is none: %v", err)
			}
		})
		t.Run("who published it is not told to citizens", func(t *testing.T) {
			if seen := publish("xa", "f").ForCitizens(); seen.GetPublishedBy() != "" || seen.GetText() != "f" || seen.GetDoneOn() != "2026-03-03" {
				t.Errorf("%v", seen)
			}
		})
	})
}

func TestWithdraw(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		remedies, _ := open(t, engine)
		publish := func() string {
			r, err := remedies.Publish(t.Context(), remedy.Draft{Unit: "xa", Text: "Thêm ghế", By: "lan"})
			if err != nil {
				t.Fatal(err)
			}
			return r.ID
		}
		id := publish()
		for _, c := range []struct{ name, id, why, by, reason string }{
			{"without reason", id, " ", "lan", "remedy_reason_missing"},
			{"with an endless one", id, strings.Repeat("a", 501), "lan", "remedy_reason_long"},
			{"what is not there", "0198f6c0-0000-7000-8000-000000000000", "nhầm", "lan", "remedy_unknown"},
			{"what is no id", "\x00", "nhầm", "lan", "remedy_unknown"},
			{"with a reason", id, "nhầm", "lan", ""},
			{"the same again", id, "nhầm", "lan", ""},
			{"by another", id, "nhầm", "hà", "remedy_withdrawn"},
		} {
			if r, err := remedies.Withdraw(t.Context(), c.id, c.why, c.by); reason(err) != c.reason || err == nil && (r.Stands || r.Withdrawal != c.why) {
				t.Errorf("%s: %+v, %v, want %q", c.name, r, err, c.reason)
			}
		}
		t.Run("of many at once one wins", func(t *testing.T) {
			id := publish()
			results := make([]string, 8)
			var group sync.WaitGroup
			for i := range results {
				group.Go(func() {
					_, err := remedies.Withdraw(context.Background(), id, "nhầm", fmt.Sprint("người ", i))
					results[i] = reason(err)
				})
			}
			group.Wait()
			if won := len(slices.DeleteFunc(results, func(r string) bool { return r != "" })); won != 1 {
				t.Errorf("%d won: %q", won, results)
			}
		})
	})
}

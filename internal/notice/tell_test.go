package notice

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
)

func TestToldManyTimesFoundOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		box := &mailbox{}
		h := open(t, engine, func(o *Options) { o.Mailer = box })
		h.subscribe(t, "lan", "lan@xa.gov.vn", language.Vietnamese)
		var tellers sync.WaitGroup
		for range 50 {
			tellers.Go(func() {
				if err := h.Tell(t.Context(), []Message{accepted("lan"), accepted("minh"), accepted("lan")}); err != nil {
					t.Error(err)
				}
			})
		}
		tellers.Wait()
		for _, account := range []string{"lan", "minh"} {
			if n := len(h.list(t, account)); n != 1 {
				t.Errorf("%s finds it %d times", account, n)
			}
		}
		notice := h.list(t, "lan")[0]
		if !notice.At.Equal(start) || notice.Link != "/cases/c1" || !notice.Unread {
			t.Errorf("it is %+v", notice)
		}
		if n := len(h.sent(t, "email")); n != 1 {
			t.Errorf("%d mails are to leave", n)
		}
		h.Deliver(t.Context())
		h.tell(t, accepted("lan"))
		h.Deliver(t.Context())
		if n := len(box.mails()); n != 1 {
			t.Errorf("%d mails", n)
		}
		t.Run("read, and told once more", func(t *testing.T) {
			if _, err := h.Read(t.Context(), "lan", notice.ID); err != nil {
				t.Fatal(err)
			}
			h.tell(t, accepted("lan"))
			if n, _, err := h.Unread(t.Context(), "lan"); n != 0 || err != nil {
				t.Errorf("%d are unread again, %v", n, err)
			}
		})
	})
}

func TestReading(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		h := open(t, engine, nil)
		var all []Message
		for i := range 120 {
			all = append(all, Message{ID: fmt.Sprint("m/", i), Account: "lan", Topic: "case.open", Unit: "xa", At: start.Add(time.Duration(i) * time.Second)})
		}
		all = append(all, Message{ID: "m/1", Account: "minh", Topic: "case.open", Unit: "xa", At: start})
		h.tell(t, all...)
		want := func(account string, count int, more bool) {
			t.Helper()
			if n, m, err := h.Unread(t.Context(), account); n != count || m != more || err != nil {
				t.Errorf("%s has %d unread (more: %v), %v; want %d (%v)", account, n, m, err, count, more)
			}
		}
		want("lan", 99, true)
		want("minh", 1, false)
		want("nobody", 0, false)
		page, next, err := h.List(t.Context(), "lan", false, "", 100)
		if err != nil || len(page) != 100 || page[0].ID != "m/119/lan" || next == "" {
			t.Fatalf("the first page has %d, %v", len(page), err)
		}
		rest, next, err := h.List(t.Context(), "lan", false, next, 100)
		if err != nil || len(rest) != 20 || next != "" || rest[19].ID != "m/0/lan" {
			t.Errorf("the second page has %d, %v", len(rest), err)
		}
		if _, _, err := h.List(t.Context(), "lan", false, "không phải", 100); reason(err) != "notice_page_token" {
			t.Errorf("a page that is none: %v", err)
		}
		if _, err := h.Read(t.Context(), "minh", "m/1/lan"); reason(err) != "notice_unknown" {
			t.Errorf("somebody else's: %v", err)
		}
		if _, err := h.Read(t.Context(), "minh", ""); reason(err) != "notice_unknown" {
			t.Errorf("none: %v", err)
		}
		h.clock.pass(time.Hour)
		first, err := h.Read(t.Context(), "lan", "m/119/lan")
		if err != nil || !first.ReadAt.Equal(start.Add(time.Hour)) {
			t.Errorf("read at %v, %v", first.ReadAt, err)
		}
		h.clock.pass(time.Hour)
		if again, err := h.Read(t.Context(), "lan", "m/119/lan"); err != nil || !again.ReadAt.Equal(first.ReadAt) {
			t.Errorf("read again at %v, %v", again.ReadAt, err)
		}
		want("lan", 99, true)
		if n, err := h.ReadAll(t.Context(), "lan", start.Add(110*time.Second)); n != 111 || err != nil {
			t.Errorf("%d were marked, %v", n, err)
		}
		want("lan", 8, false)
		want("minh", 1, false)
		if unread, _, err := h.List(t.Context(), "lan", true, "", 100); err != nil || len(unread) != 8 || unread[0].ID != "m/118/lan" {
			t.Errorf("unread are %d, %v", len(unread), err)
		}
	})
}

func TestMessagesThatCannotBe(t *testing.T) {
	h := open(t, onSQLite(t), nil)
	for name, change := range map[string]func(*Message){
		"no id":               func(m *Message) { m.ID = "" },
		"a long id":           func(m *Message) { m.ID = strings.Repeat("x", 201) },
		"a topic of markup":   func(m *Message) { m.Topic = "<b>" },
		"no topic":            func(m *Message) { m.Topic = "" },
		"a link elsewhere":    func(m *Message) { m.Link = "https://elsewhere.example" },
		"a link to a host":    func(m *Message) { m.Link = "//elsewhere.example" },
		"a link that turns":   func(m *Message) { m.Link = "/\\elsewhere.example" },
		"a link of two lines": func(m *Message) { m.Link = "/cases\r\nX: y" },
		"an odd argument":     func(m *Message) { m.Args["$set"] = "x" },
	} {
		t.Run(name, func(t *testing.T) {
			m := accepted("lan")
			change(&m)
			if err := h.Tell(t.Context(), []Message{accepted("minh"), m}); reason(err) != "notice_message" {
				t.Errorf("%v", err)
			}
		})
	}
	if n := len(h.list(t, "minh")); n != 0 {
		t.Errorf("half of what could not be told was told: %d", n)
	}
	t.Run("what happened more than a year ago", func(t *testing.T) {
		m := accepted("lan")
		m.At = start.AddDate(-1, 0, -1)
		h.tell(t, m)
		if n := len(h.list(t, "lan")); n != 0 {
			t.Errorf("%d", n)
		}
	})
	t.Run("two long ids that begin alike", func(t *testing.T) {
		for _, end := range []string{"a", "b"} {
			m := accepted("lan-" + strings.Repeat("x", 100))
			m.ID = strings.Repeat("c", 190) + end
			h.tell(t, m)
		}
		if n := len(h.list(t, "lan-"+strings.Repeat("x", 100))); n != 2 {
			t.Errorf("%d", n)
		}
	})
}

func TestWhatWordsHoldIsTamed(t *testing.T) {
	h := open(t, onSQLite(t), nil)
	for name, c := range map[string]struct{ given, want string }{
		"vietnamese":         {"Chờ lâu ở quầy 2 – bà Đặng Thị Hường", "Chờ lâu ở quầy 2 – bà Đặng Thị Hường"},
		"decomposed":         {"Cho\u031b\u0300", "Chờ"},
		"two lines":          {"một\r\nBcc: x@y.vn\thai", "một  Bcc: x@y.vn hai"},
		"turned round":       {"một\u202ehai\u0000\u200b", "mộthai"},
		"not UTF-8":          {"một\xff", "một"},
		"a name of a value":  {"{number}", "{number}"},
		"markup stays words": {"<script>alert(1)</script>", "<script>alert(1)</script>"},
	} {
		t.Run(name, func(t *testing.T) {
			m := accepted("lan")
			m.ID, m.Args["title"] = name, c.given
			h.tell(t, m)
			var got string
			for _, one := range h.list(t, "lan") {
				if one.ID == name+"/lan" {
					got = one.Args["title"]
					if words := h.Words(language.Vietnamese, one); !strings.Contains(words.Text, c.want) {
						t.Errorf("it says %q", words.Text)
					}
				}
			}
			if got != c.want {
				t.Errorf("kept %q, want %q", got, c.want)
			}
		})
	}
	m := accepted("minh")
	m.Args["title"] = strings.Repeat("ễ", 5000)
	h.tell(t, m)
	if n := len(h.list(t, "minh")[0].Args["title"]); n > maxArg+3 {
		t.Errorf("%d bytes were kept", n)
	}
}

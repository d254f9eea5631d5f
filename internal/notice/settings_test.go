package notice

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/hailong-vn/hailong/internal/language"
	"github.com/hailong-vn/hailong/internal/store"
)

var sixDigits = regexp.MustCompile(`(?m)^    (\d{6})$`)

func codeOf(t *testing.T, m Mail) string {
	t.Helper()
	found := sixDigits.FindStringSubmatch(m.Text)
	if found == nil {
		t.Fatalf("no code in %q", m.Text)
	}
	return found[1]
}

func TestAnAddressIsConfirmedByACode(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		box := &mailbox{}
		h := open(t, engine, func(o *Options) { o.Mailer = box })
		if _, err := h.SetAddress(t.Context(), "lan", " lan@xa.gov.vn "); err != nil {
			t.Fatal(err)
		}
		settings, err := h.Settings(t.Context(), "lan")
		if err != nil || settings.Pending != "lan@xa.gov.vn" || settings.Address != "" {
			t.Fatalf("%+v, %v", settings, err)
		}
		h.Deliver(t.Context())
		h.Deliver(t.Context())
		if len(box.mails()) != 1 || box.mails()[0].To != "lan@xa.gov.vn" {
			t.Fatalf("mails: %v", box.mails())
		}
		code := codeOf(t, box.mails()[0])
		doc, _, err := h.settings.Get(t.Context(), "lan")
		if err != nil {
			t.Fatal(err)
		}
		kept, err := bson.Marshal(doc)
		if err != nil || bytes.Contains(kept, []byte("lan@xa")) || bytes.Contains(kept, []byte(code)) {
			t.Errorf("the store tells the address or the code, %v", err)
		}
		if _, err := h.Confirm(t.Context(), "minh", code); reason(err) != "notice_code_over" {
			t.Errorf("somebody else's code: %v", err)
		}
		settings, err = h.Confirm(t.Context(), "lan", code[:3]+" "+code[3:])
		if err != nil || settings.Address != "lan@xa.gov.vn" || settings.Pending != "" {
			t.Fatalf("%+v, %v", settings, err)
		}
		if _, err := h.Confirm(t.Context(), "lan", code); reason(err) != "notice_code_over" {
			t.Errorf("the code again: %v", err)
		}
		t.Run("the address before stays until then", func(t *testing.T) {
			h.clock.pass(2 * time.Hour)
			settings, err := h.SetAddress(t.Context(), "lan", "khac@xa.gov.vn")
			if err != nil || settings.Address != "lan@xa.gov.vn" || settings.Pending != "khac@xa.gov.vn" {
				t.Errorf("%+v, %v", settings, err)
			}
			settings, err = h.RemoveAddress(t.Context(), "lan")
			if err != nil || settings.Address+settings.Pending != "" {
				t.Errorf("%+v, %v", settings, err)
			}
			h.Deliver(t.Context()) // nobody waits for this code any more
			if n := len(box.mails()); n != 1 {
				t.Errorf("%d mails", n)
			}
		})
	})
}

func TestCodesCannotBeGuessed(t *testing.T) {
	h := open(t, onSQLite(t), func(o *Options) { o.Mailer = &mailbox{} })
	if _, err := h.SetAddress(t.Context(), "lan", "lan@xa.gov.vn"); err != nil {
		t.Fatal(err)
	}
	doc, _, err := h.settings.Get(t.Context(), "lan")
	if err != nil {
		t.Fatal(err)
	}
	right := h.code("lan", "lan@xa.gov.vn", doc.Made)
	wrong := "000000"
	if right == wrong {
		wrong = "000001"
	}
	var mu sync.Mutex
	reasons := map[string]int{}
	var guessers sync.WaitGroup
	for range 20 {
		guessers.Go(func() {
			_, err := h.Confirm(t.Context(), "lan", wrong)
			mu.Lock()
			defer mu.Unlock()
			reasons[reason(err)]++
		})
	}
	guessers.Wait()
	if reasons["notice_code_wrong"] != maxWrong || reasons["notice_code_over"] != 20-maxWrong {
		t.Errorf("%v", reasons)
	}
	if _, err := h.Confirm(t.Context(), "lan", right); reason(err) != "notice_code_over" {
		t.Errorf("the right code after too many wrong ones: %v", err)
	}
	h.clock.pass(time.Minute)
	if _, err := h.SetAddress(t.Context(), "lan", "lan@xa.gov.vn"); err != nil {
		t.Fatal(err)
	}
	if doc, _, err = h.settings.Get(t.Context(), "lan"); err != nil {
		t.Fatal(err)
	}
	h.clock.pass(codeLives + time.Second)
	if _, err := h.Confirm(t.Context(), "lan", h.code("lan", "lan@xa.gov.vn", doc.Made)); reason(err) != "notice_code_over" {
		t.Errorf("a code of an hour ago: %v", err)
	}
	t.Run("nor are strangers bothered", func(t *testing.T) {
		last := ""
		for _, account := range []string{"a", "b", "c", "d", "e"} {
			_, err := h.SetAddress(t.Context(), account, "Nguoi.La@xa.gov.vn")
			last = reason(err)
		}
		if last != "notice_codes_many" {
			t.Errorf("five codes to one address: %q", last)
		}
	})
}

func TestWhatCanBeChosen(t *testing.T) {
	h := open(t, onSQLite(t), nil)
	if _, err := h.SetAddress(t.Context(), "lan", "lan@xa.gov.vn"); reason(err) != "notice_mail_off" {
		t.Errorf("without a server of e-mail: %v", err)
	}
	h.Mailer = &mailbox{}
	for _, address := range []string{
		"", "lan", "lan@", "@xa.gov.vn", "lan@xa", "lan@xa.gov.vn\r\nBcc: x@y.vn", "lan@xa.gov.vn, x@y.vn", "Lan <lan@xa.gov.vn>", "\"lan x\"@xa.gov.vn", "lan@[127.0.0.1]",
		"lan..x@xa.gov.vn", ".lan@xa.gov.vn", "lan@-xa.gov.vn", "đặng@xa.gov.vn", strings.Repeat("x", 65) + "@xa.gov.vn", "lan@" + strings.Repeat("xa.", 90) + "vn",
	} {
		if _, err := h.SetAddress(t.Context(), "lan", address); reason(err) != "notice_address" {
			t.Errorf("%q: %v", address, err)
		}
	}
	if _, err := h.Choose(t.Context(), "lan", "fr", nil, false); reason(err) != "notice_language" {
		t.Errorf("%v", err)
	}
	if _, err := h.Choose(t.Context(), "lan", language.English, []Group{"everything"}, false); reason(err) != "notice_group" {
		t.Errorf("%v", err)
	}
	settings, err := h.Choose(t.Context(), "lan", language.English, []Group{Late, Tasks, Late}, true)
	if err != nil || settings.Language != language.English || len(settings.Groups) != 2 || !settings.Digest {
		t.Errorf("%+v, %v", settings, err)
	}
	if settings.Wants("case.open") {
		t.Error("mail without an address")
	}
	settings.Address = "lan@xa.gov.vn"
	if !settings.Wants("case.open") || !settings.Wants("clock.remind_after") || settings.Wants("case.satisfied") || !settings.Wants(digestTopic) {
		t.Errorf("it wants something else: %+v", settings)
	}
}

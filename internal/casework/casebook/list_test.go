package casebook_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/localday"
	"github.com/hailong-vn/hailong/internal/store"
)

// all reads every page of a list.
func (h *house) all(b *casebook.Book, f casebook.Filter, limit int) []casebook.Kept {
	h.t.Helper()
	var out []casebook.Kept
	after := store.Cursor("")
	for range 200 {
		page, err := b.List(context.Background(), f, after, limit)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(page.Cases) > limit {
			h.t.Fatalf("a page of %d, asked for %d", len(page.Cases), limit)
		}
		out = append(out, page.Cases...)
		if after = page.Next; after == "" {
			return out
		}
	}
	h.t.Fatal("a list without end")
	return nil
}

func titles(list []casebook.Kept) []string {
	var out []string
	for _, k := range list {
		out = append(out, k.Title)
	}
	return out
}

func TestLists(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ctx, b := t.Context(), h.open()
		named := func(title string, change ...func(*casebook.New)) func(*casebook.New) {
			return func(n *casebook.New) {
				n.Title = title
				for _, c := range change {
					c(n)
				}
			}
		}
		closed := h.apply(b, h.explained(b, named("a closed", func(n *casebook.New) { n.Officials = []string{"o-about"} })), event(casework.Accept), deputy())
		closed = h.apply(b, closed, event(casework.Reply), operator())
		h.apply(b, closed, casework.Event{Name: casework.Satisfied}, casework.TheCitizen())
		h.days(1)
		h.opened(b, named("b received"))
		asked := h.opened(b, named("c asked", func(n *casebook.New) { n.Source = casework.FromLetter }))
		asked = h.apply(b, asked, casework.Event{Name: casework.RequestExplanation, Unit: office, Officials: []string{"o-hoa"}}, deputy())
		h.days(1)
		h.explained(b, named("d explained"))
		elsewhere, err := b.Open(ctx, opinion(named("e elsewhere", func(n *casebook.New) { n.Receiving = other })), actor("mai", "", casework.Operator, other))
		if err != nil {
			t.Fatal(err)
		}
		numbered, err := b.Get(ctx, asked.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name   string
			filter casebook.Filter
			want   []string
		}{
			{"all, the newest first", casebook.Filter{}, []string{"e elsewhere", "d explained", "c asked", "b received", "a closed"}},
			{"of a commune", casebook.Filter{Unit: commune}, []string{"d explained", "c asked", "b received", "a closed"}},
			{"of an office that is in charge", casebook.Filter{Unit: office}, []string{"d explained", "c asked", "a closed"}},
			{"open, the most urgent first", casebook.Filter{Unit: commune, Waiting: true}, []string{"b received", "d explained", "c asked"}},
			{"in two states", casebook.Filter{States: []casework.State{casework.Explained, casework.ExplanationRequested}}, []string{"d explained", "c asked"}},
			{"ended", casebook.Filter{States: []casework.State{casework.Closed}}, []string{"a closed"}},
			{"ended or new", casebook.Filter{States: []casework.State{casework.Closed, casework.Received}}, []string{"e elsewhere", "b received", "a closed"}},
			{"without a result", casebook.Filter{Unit: commune, ResultMissing: true}, []string{"b received", "d explained", "c asked"}},
			{"none late", casebook.Filter{Unit: commune, Late: true}, nil},
			{"by a letter", casebook.Filter{Source: casework.FromLetter}, []string{"c asked"}},
			{"from a day", casebook.Filter{From: "2026-11-25"}, []string{"e elsewhere", "d explained"}},
			{"between days", casebook.Filter{From: "2026-11-23", To: "2026-11-24"}, []string{"c asked", "b received", "a closed"}},
			{"open and of a day", casebook.Filter{Waiting: true, To: "2026-11-24"}, []string{"b received", "c asked"}},
			{"about an official", casebook.Filter{Official: "o-about"}, []string{"a closed"}},
			{"an official is asked", casebook.Filter{Asked: "o-hoa", Waiting: true}, []string{"c asked"}},
			{"a unit is in charge", casebook.Filter{Assigned: office}, []string{"d explained", "c asked", "a closed"}},
			{"by number", casebook.Filter{Number: numbered.Number}, []string{"c asked"}},
			{"by a number elsewhere", casebook.Filter{Number: numbered.Number, Unit: other}, nil},
			{"a contradiction", casebook.Filter{Waiting: true, States: []casework.State{casework.Closed}}, nil},
			{"an unknown unit", casebook.Filter{Unit: "X"}, nil},
		} {
			for _, limit := range []int{1, 2, 50} {
				if diff := cmp.Diff(c.want, titles(h.all(b, c.filter, limit))); diff != "" {
					t.Errorf("%s, %d a page: %s", c.name, limit, diff)
				}
			}
		}
		h.days(10)
		if diff := cmp.Diff([]string{"b received", "d explained", "c asked"}, titles(h.all(b, casebook.Filter{Unit: commune, Late: true}, 2))); diff != "" {
			t.Errorf("late: %s", diff)
		}
		page, err := b.List(ctx, casebook.Filter{}, "", 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []store.Cursor{"x", "e30", page.Next + "x"} {
			if _, err := b.List(ctx, casebook.Filter{}, bad, 1); fault.Of(err).Reason != "casebook_page" {
				t.Errorf("page %q: %v", bad, err)
			}
		}
		if _, err := b.List(ctx, casebook.Filter{Waiting: true}, page.Next, 1); fault.Of(err).Reason != "casebook_page" {
			t.Errorf("a page of another list: %v", err)
		}
		_ = elsewhere
	})
}

// TestWhatWaitsComesInOrder reads what waits in pages of every size, after events that moved due days away from where cases stand in the index.
func TestWhatWaitsComesInOrder(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		b := h.open()
		script := []step{{event(casework.Assign), operator()}, {event(casework.RequestExplanation), deputy()}, {event(casework.Submit), writer()}, {event(casework.Accept), deputy()}, {event(casework.Reply), operator()}}
		var list []casebook.Kept
		for i := range 24 {
			list = append(list, h.opened(b))
			for n := range list { // each day some go on, in no order
				if at := int(list[n].Version) - 1; (i*7+n*5)%3 == 0 && at < len(script) {
					list[n] = h.apply(b, list[n], script[at].event, script[at].by)
				}
			}
			if i%2 == 1 {
				h.days(1)
			}
		}
		h.days(4)
		today, _ := localday.Of(h.clock())
		for _, f := range []casebook.Filter{{Waiting: true}, {Unit: commune, Waiting: true}, {ResultMissing: true}, {Late: true}, {States: []casework.State{casework.Explained}}, {Unit: office, Waiting: true, Source: casework.FromCall}} {
			want := map[string]bool{}
			for _, k := range list {
				in := f.Unit != office || k.Assigned == office
				in = in && (!f.ResultMissing || k.ResultMissing()) && (!f.Late || k.Late(today)) && (f.States == nil || k.State == f.States[0])
				if in {
					want[k.ID] = true
				}
			}
			if len(want) < 3 {
				t.Fatalf("%+v tries nothing: %d cases", f, len(want))
			}
			limits := []int{1, 2, 3, 7, 100}
			if h.engine.Name() != "sqlite" {
				limits = limits[2:4] // its cursors are tried; the order is the same code
			}
			for _, limit := range limits {
				got := map[string]bool{}
				var due localday.Day
				for _, k := range h.all(b, f, limit) {
					if got[k.ID] || !want[k.ID] || k.Due < due {
						t.Errorf("%+v, %d a page: %s due %s after %s, twice %v, wanted %v", f, limit, k.State, k.Due, due, got[k.ID], want[k.ID])
					}
					got[k.ID], due = true, k.Due
				}
				if len(got) != len(want) {
					t.Errorf("%+v, %d a page: %d of %d", f, limit, len(got), len(want))
				}
			}
		}
	})
}

func TestSearch(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ctx, b := t.Context(), h.open()
		road := h.opened(b, func(n *casebook.New) {
			n.Title, n.Words = "Đường hẻm 12 ngập nước", norm.NFD.String("Nước ngập vào nhà tôi ở Thạch Hà")
		})
		h.pass(time.Second)
		fee := h.opened(b, func(n *casebook.New) {
			n.Title, n.Words, n.Contact = norm.NFD.String("Lệ phí đất đai"), "Thu thừa hai trăm nghìn", &casebook.Contact{Phone: "0912 345 678"}
		})
		if _, err := b.Say(ctx, fee.ID, "Gọi lại: đường vào nhà cũng ngập", "lan"); err != nil {
			t.Fatal(err)
		}
		h.pass(time.Second)
		far, err := b.Open(ctx, opinion(func(n *casebook.New) { n.Receiving, n.Title, n.Words = other, "Đường làng", "" }), actor("mai", "", casework.Operator, other))
		if err != nil {
			t.Fatal(err)
		}
		for _, unitID := range []string{"", province} { // by the index of words, and by walking through the cases
			for text, want := range map[string][]string{
				"duong": {far.ID, fee.ID, road.ID}, "ĐƯỜNG": {far.ID, fee.ID, road.ID}, norm.NFD.String("đường"): {far.ID, fee.ID, road.ID},
				"thach ha": {road.ID}, "ngap nuoc": {road.ID}, "le phi": {fee.ID}, "hai trăm": {fee.ID}, "duong, lang!": {far.ID}, "khong co gi": nil, "!?": nil,
			} {
				for _, limit := range []int{1, 10} {
					var ids []string
					for _, k := range h.all(b, casebook.Filter{Unit: unitID, Text: text}, limit) {
						ids = append(ids, k.ID)
					}
					if diff := cmp.Diff(want, ids); diff != "" {
						t.Errorf("%q in %q: %s", text, unitID, diff)
					}
				}
			}
		}
		if got := h.all(b, casebook.Filter{Unit: commune, Text: "duong"}, 10); len(got) != 2 {
			t.Errorf("of the commune: %v", titles(got))
		}
		if got := h.all(b, casebook.Filter{Text: "thu thua", Phone: "5678"}, 10); len(got) != 1 {
			t.Errorf("by words and number: %v", titles(got))
		}
		// what was erased is found no more, while the title is
		if n, err := b.EraseWords(ctx, road.ID, ""); err != nil || n != 1 {
			t.Fatalf("erased %d, %v", n, err)
		}
		if got := h.all(b, casebook.Filter{Text: "thach ha"}, 10); len(got) != 0 {
			t.Errorf("erased words are found: %v", titles(got))
		}
		if got := h.all(b, casebook.Filter{Text: "hem ngap"}, 10); len(got) != 1 {
			t.Errorf("the title is not: %v", titles(got))
		}
		said, err := b.Words(ctx, road.ID)
		if err != nil || len(said) != 1 || said[0].Text != "" || said[0].ErasedAt.IsZero() {
			t.Errorf("after erasing: %+v %v", said, err)
		}
		if _, err := b.Say(ctx, road.ID, "  ", "lan"); fault.Of(err).Reason != "casebook_words_empty" {
			t.Errorf("nothing was said: %v", err)
		}
	})
}

func TestTelephoneNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"0912345678": "0912345678", "0912 345 678": "0912345678", "0912.345.678": "0912345678", "(0912) 345-678": "0912345678",
		"+84912345678": "0912345678", "+84 (0) 912 345 678": "0912345678", "84912345678": "0912345678", "0084 912 345 678": "0912345678",
		"912345678": "0912345678", "０９１２３４５６７８": "0912345678", "ĐT: 0912 345 678": "0912345678", "0912 345 678 (chị Mai)": "0912345678",
		"0169 345 6789": "0393456789", "+84 120 345 6789": "0703456789", "024 3825 1234": "02438251234", "02438251234 máy lẻ 12": "02438251234",
		"0234.3825.123": "02343825123", "19001234": "19001234", "1800 1091": "18001091", "+1 202 555 0100": "+12025550100", "0081 3 1234 5678": "+81312345678",
		"": "", "123": "", "abc": "", "0912": "", "09123456789012": "", "+": "",
	} {
		got, ok := casebook.NormalPhone(text)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q: %q %v, want %q", text, got, ok, want)
		}
	}
}

func TestContacts(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ctx, b := t.Context(), h.open()
		kept := casebook.Contact{Name: "Nguyễn Thị Mai", Phone: "+84 912.345.678 / 024 3825 1234", Email: "mai@example.vn", Address: "Thôn 3", CallBack: true}
		k := h.opened(b, func(n *casebook.New) { n.Contact = &kept })
		h.opened(b, func(n *casebook.New) { n.Contact = &casebook.Contact{Phone: "0987 111 222"} })
		for _, phone := range []string{"0912345678", "0912 345 678", "(091) 2345678", "84912345678", "912345678", "02438251234", "5678", "1234", "+84-912-345-678", "0912.345.678"} {
			if got := h.all(b, casebook.Filter{Phone: phone}, 10); len(got) != 1 || got[0].ID != k.ID {
				t.Errorf("%q finds %v", phone, titles(got))
			}
		}
		for _, phone := range []string{"0912345679", "8765"} {
			if got := h.all(b, casebook.Filter{Phone: phone}, 10); len(got) != 0 {
				t.Errorf("%q finds %v", phone, titles(got))
			}
		}
		if got := h.all(b, casebook.Filter{Phone: "0912345678", Unit: other}, 10); len(got) != 0 {
			t.Errorf("found outside of the scope: %v", titles(got))
		}
		if _, err := b.List(ctx, casebook.Filter{Phone: "678"}, "", 1); fault.Of(err).Reason != "casebook_phone" {
			t.Errorf("three digits: %v", err)
		}
		if got, there, err := b.Contact(ctx, k.ID); err != nil || !there || got != kept {
			t.Errorf("contact: %+v %v %v", got, there, err)
		}
		// nothing of it stands in the store in clear
		docs, err := h.engine.Documents(ctx, contactsOf(t))
		if err != nil {
			t.Fatal(err)
		}
		for item, err := range docs.Find(ctx, store.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"Mai", "912", "5678", "example", "Thôn"} {
				if strings.Contains(string(item.Body), secret) {
					t.Errorf("%q stands in the store", secret)
				}
			}
		}
		k = h.apply(b, k, casework.Event{Name: casework.Withdraw, Reason: "Xong rồi"}, operator())
		for i, want := range []bool{true, true, false} {
			if err := b.Sweep(ctx); err != nil {
				t.Fatal(err)
			}
			if _, there, err := b.Contact(ctx, k.ID); err != nil || there != want {
				t.Errorf("round %d: there is %v, %v", i, there, err)
			}
			h.days(200)
		}
		if got := h.all(b, casebook.Filter{Phone: "0912345678"}, 10); len(got) != 0 {
			t.Error("an erased number is found")
		}
		open := h.all(b, casebook.Filter{Phone: "0987111222"}, 10)
		if len(open) != 1 {
			t.Fatalf("the contact of a case that goes on is gone: %v", open)
		}
		for _, want := range []bool{true, false} {
			if erased, err := b.EraseContact(ctx, open[0].ID); err != nil || erased != want {
				t.Errorf("erased %v %v", erased, err)
			}
		}
	})
}

func contactsOf(t *testing.T) store.Kind {
	kinds := casebook.Kinds()
	i := slices.IndexFunc(kinds, func(k store.Kind) bool { return k.Name == "case_contacts" })
	if i < 0 {
		t.Fatal("no such kind")
	}
	return kinds[i]
}

package hotline_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/hotline"
	"github.com/hailong-vn/hailong/internal/store"
)

func everything(hotline.Call) bool { return true }

func TestCallIsWrittenDownAsItGoesOn(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		draft := begun(func(d *hotline.Draft) { d.Caller.Phone = "0912 34" })
		first := h.save(lan, draft, 0)
		if !first.Open || !first.StartedAt.Equal(h.clock()) || first.Direction != hotline.In || first.NumberIndex != "" {
			t.Fatalf("begun as %+v", first)
		}
		h.pass(time.Second)
		draft.Caller.Phone, draft.Kind, draft.Summary = "0912345678", hotline.Complaint, "Chờ từ sáng, không ai gọi tới lượt  \n"
		second := h.save(lan, draft, first.Version)
		if second.Version == first.Version || second.NumberIndex == "" || strings.HasSuffix(second.Summary, " ") {
			t.Fatalf("saved as %+v", second)
		}
		if again := h.save(lan, draft, first.Version); again.Version != second.Version {
			t.Error("an answer that was lost could not be asked for again")
		}
		who, err := h.Who(second)
		if err != nil || who.Phone != "0912 345 678" || h.LastFour(second) != "5678" {
			t.Errorf("called by %+v, %v", who, err)
		}

		left, err := h.Unfinished(t.Context(), lan.Account, 10)
		if err != nil || len(left) != 1 || left[0].ID != draft.ID || left[0].Version != second.Version {
			t.Fatalf("left open: %v, %v", left, err)
		}
		if others, err := h.Unfinished(t.Context(), ba.Account, 10); err != nil || len(others) != 0 {
			t.Errorf("somebody else is shown %v, %v", others, err)
		}
		h.pass(time.Minute)
		done, err := h.Finish(t.Context(), lan, draft, second.Version, hotline.Finished{Case: "case-1"})
		if err != nil || done.Open || done.Result != hotline.CaseOpened || done.Case != "case-1" || done.Lasted() != time.Minute+time.Second {
			t.Fatalf("finished as %+v, %v", done, err)
		}
		h.pass(time.Hour)
		draft.Result = ""
		again, err := h.Finish(t.Context(), lan, draft, second.Version, hotline.Finished{Case: "case-1"})
		if err != nil || again.Version != done.Version || !again.EndedAt.Equal(done.EndedAt) {
			t.Errorf("finished twice: %+v, %v", again, err)
		}
		draft.Summary = "Khác"
		_, err = h.Save(t.Context(), lan, draft, done.Version)
		wantFault(t, err, fault.Stale, "hotline_call_finished")
		if standing := staleCall(t, err); standing.Summary != done.Summary {
			t.Errorf("told %+v", standing)
		}
		of, _, err := h.List(t.Context(), hotline.Filter{Case: "case-1"}, "", 10)
		if err != nil || len(of) != 1 {
			t.Errorf("calls of the case: %v, %v", of, err)
		}
	})
}

func TestTwoTabs(t *testing.T) {
	h := newHouse(t)
	draft := begun()
	first := h.save(lan, draft, 0)
	draft.Summary = "Tab một"
	h.save(lan, draft, first.Version)
	draft.Summary = "Tab hai"
	_, err := h.Save(t.Context(), lan, draft, first.Version)
	wantFault(t, err, fault.Stale, "hotline_call_changed")
	standing := staleCall(t, err)
	if standing.Summary != "Tab một" {
		t.Fatalf("told %+v", standing)
	}
	if now := h.save(lan, draft, standing.Version); now.Summary != "Tab hai" {
		t.Errorf("saved %+v", now)
	}

	_, err = h.Save(t.Context(), ba, draft, standing.Version)
	wantFault(t, err, fault.NotFound, "hotline_call_unknown")
	other := begun()
	h.save(lan, other, 0)
	if left, err := h.Unfinished(t.Context(), lan.Account, 10); err != nil || len(left) != 2 {
		t.Errorf("two calls in two tabs: %v, %v", left, err)
	}
}

func TestBegunTwiceAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		draft := begun(func(d *hotline.Draft) { d.Summary = "Một" })
		var all sync.WaitGroup
		versions := make([]store.Version, 8)
		errs := make([]error, len(versions))
		for i := range versions {
			all.Go(func() {
				c, err := h.Save(t.Context(), lan, draft, 0)
				versions[i], errs[i] = c.Version, err
			})
		}
		all.Wait()
		for i := range versions {
			if errs[i] != nil || versions[i] != versions[0] {
				t.Errorf("%d: %v, %v", i, versions[i], errs[i])
			}
		}
	})
}

func TestCorrected(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		call := h.finish(lan, begun(func(d *hotline.Draft) { d.Kind, d.Summary = hotline.Question, "Hỏi lệ phí" }))
		wrong := call.Written
		wrong.Kind, wrong.Summary = hotline.Complaint, "Phản ánh thu sai lệ phí"
		for name, c := range map[string]struct {
			reason string
			code   fault.Code
			want   string
			seen   store.Version
		}{
			"no reason": {" ", fault.Invalid, "hotline_reason_missing", call.Version},
			"stale":     {"Nghe lại", fault.Stale, "hotline_call_changed", call.Version + 99},
		} {
			_, err := h.Correct(t.Context(), ba, call.ID, c.seen, wrong, nil, c.reason)
			t.Run(name, func(t *testing.T) { wantFault(t, err, c.code, c.want) })
		}
		got, err := h.Correct(t.Context(), ba, call.ID, call.Version, wrong, &hotline.Caller{Phone: "024 3825 1234"}, "Nghe lại băng ghi âm")
		if err != nil || got.Summary != wrong.Summary || len(got.History) != 1 || got.History[0].Before != call.Written || got.History[0].ByName != ba.Name || !got.History[0].Caller {
			t.Fatalf("corrected to %+v, %v", got, err)
		}
		stored, err := h.Get(t.Context(), call.ID)
		if err != nil || stored.Summary != wrong.Summary || !stored.EndedAt.Equal(call.EndedAt) || stored.Operator != lan.Account {
			t.Errorf("stands as %+v, %v", stored, err)
		}
		open := h.save(lan, begun(), 0)
		_, err = h.Correct(t.Context(), lan, open.ID, open.Version, wrong, nil, "vội")
		wantFault(t, err, fault.Stale, "hotline_call_open")
	})
}

func TestRefused(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		name   string
		draft  hotline.Draft
		finish bool
		code   fault.Code
		reason string
	}{
		{"an id of another kind", hotline.Draft{ID: "one", Unit: "U"}, false, fault.Invalid, "hotline_call_id"},
		{"a long summary", begun(func(d *hotline.Draft) { d.Summary = strings.Repeat("đ", hotline.MaxSummary+1) }), false, fault.Invalid, "hotline_summary_long"},
		{"a long result", begun(func(d *hotline.Draft) { d.Result = strings.Repeat("đ", hotline.MaxResult+1) }), false, fault.Invalid, "hotline_result_long"},
		{"a long name", begun(func(d *hotline.Draft) { d.Caller.Name = strings.Repeat("đ", hotline.MaxName+1) }), false, fault.Invalid, "hotline_caller_long"},
		{"an unknown kind", begun(func(d *hotline.Draft) { d.Kind = "gossip" }), false, fault.Invalid, "hotline_kind_unknown"},
		{"an unknown unit", begun(func(d *hotline.Draft) { d.About = "nowhere" }), false, fault.NotFound, "unit_unknown"},
		{"a day that is none", begun(func(d *hotline.Draft) { d.CallBackOn = "2026-02-30" }), false, fault.Invalid, "day_invalid"},
		{"no kind at the end", begun(), true, fault.Invalid, "hotline_kind_missing"},
		{"nobody praised", begun(func(d *hotline.Draft) { d.Kind = hotline.Praise }), true, fault.Invalid, "hotline_praise_nobody"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := h.Save(t.Context(), lan, c.draft, 0)
			if c.finish {
				_, err = h.Finish(t.Context(), lan, c.draft, 0, hotline.Finished{})
			}
			wantFault(t, err, c.code, c.reason)
		})
	}
	_, err := h.Save(t.Context(), lan, begun(), 7)
	wantFault(t, err, fault.NotFound, "hotline_call_unknown")
}

func TestCallerIsKnownAgain(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		for _, phone := range []string{"0912345678", "+84 912.345.678", "(84) 912-345-678"} {
			h.finish(lan, begun(func(d *hotline.Draft) { d.Kind, d.Caller.Phone = hotline.Question, phone }))
			h.pass(time.Minute)
		}
		h.finish(ba, begun(func(d *hotline.Draft) { d.Kind, d.Caller.Phone = hotline.Question, "02438255678" }))
		for _, c := range []struct {
			text  string
			found int
			exact bool
		}{
			{"0912 345 678", 3, true}, {"０９１２３４５６７８", 3, true}, {"5678", 4, false}, {"0000", 0, false}, {"0987654321", 0, true},
		} {
			calls, exact, err := h.FindCaller(t.Context(), c.text, 10)
			if err != nil || len(calls) != c.found || exact != c.exact {
				t.Errorf("%q: %d calls, exact %t, %v; want %d, %t", c.text, len(calls), exact, err, c.found, c.exact)
			}
			for i := 1; i < len(calls); i++ {
				if calls[i].StartedAt.After(calls[i-1].StartedAt) {
					t.Errorf("%q: not newest first", c.text)
				}
			}
		}
		_, _, err := h.FindCaller(t.Context(), "56", 10)
		wantFault(t, err, fault.Invalid, "hotline_number_short")
		_, _, err = h.FindCaller(t.Context(), "chị Lan ở xóm trên", 10)
		wantFault(t, err, fault.Invalid, "telephone_invalid")

		calls, _, err := h.FindCaller(t.Context(), "0912345678", 1)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := h.EraseCaller(t.Context(), calls[0].ID); err != nil {
				t.Fatal(err)
			}
		}
		erased, err := h.Get(t.Context(), calls[0].ID)
		if err != nil || !erased.Erased || erased.Sealed != nil || erased.NumberIndex != "" || erased.LastFourIndex != "" {
			t.Errorf("erased to %+v, %v", erased, err)
		}
		if left, _, err := h.FindCaller(t.Context(), "0912345678", 10); err != nil || len(left) != 2 {
			t.Errorf("found %d, %v", len(left), err)
		}
	})
}

// The store tells nobody's number.
func TestNumberIsNotReadable(t *testing.T) {
	h := newHouse(t)
	call := h.finish(lan, begun(func(d *hotline.Draft) {
		d.Kind, d.Caller = hotline.Question, hotline.Caller{Name: "Nguyễn Thị Bưởi", Phone: "0912345678"}
	}))
	documents, err := h.engine.Documents(t.Context(), hotline.Kinds()[0])
	if err != nil {
		t.Fatal(err)
	}
	item, err := documents.Get(t.Context(), call.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, readable := range []string{"912345678", "345 678", "5678", "Bưởi"} {
		if bytes.Contains(item.Body, []byte(readable)) {
			t.Errorf("%q can be read", readable)
		}
	}
	moved := call
	moved.ID = begun().ID
	if who, err := h.Who(moved); err == nil {
		t.Errorf("moved to another call it reads %+v", who)
	}
}

func TestListed(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		kinds := hotline.CallKinds()
		for i := range 12 {
			by, of := lan, "U"
			if i%2 == 1 {
				by, of = ba, "V"
			}
			h.finish(by, begun(func(d *hotline.Draft) { d.Kind, d.Unit, d.About = kinds[i%len(kinds)], of, of }))
			h.pass(8 * time.Hour)
		}
		for _, c := range []struct {
			name   string
			filter hotline.Filter
			want   int
		}{
			{"all", hotline.Filter{}, 12}, {"a commune", hotline.Filter{Within: "X"}, 12}, {"an office", hotline.Filter{Within: "V"}, 6},
			{"a kind", hotline.Filter{Within: "U", Kind: hotline.Complaint}, 2}, {"a kind the office had not", hotline.Filter{Within: "V", Kind: hotline.Complaint}, 0},
			{"an operator", hotline.Filter{Operator: ba.Account}, 6}, {"an operator and a kind", hotline.Filter{Operator: ba.Account, Kind: hotline.Rating}, 2},
			{"a day", hotline.Filter{From: "2026-03-11", To: "2026-03-11"}, 3}, {"from a day", hotline.Filter{From: "2026-03-13"}, 4},
			{"what is shown", hotline.Filter{Show: func(c hotline.Call) bool { return c.Unit == "V" }}, 6},
		} {
			t.Run(c.name, func(t *testing.T) {
				seen := map[string]bool{}
				for after := store.Cursor(""); ; {
					calls, next, err := h.List(t.Context(), c.filter, after, 5)
					if err != nil {
						t.Fatal(err)
					}
					for _, call := range calls {
						seen[call.ID] = true
					}
					if after = next; next == "" {
						break
					}
				}
				if len(seen) != c.want {
					t.Errorf("%d calls, want %d", len(seen), c.want)
				}
			})
		}
		_, _, err := h.List(t.Context(), hotline.Filter{}, "not a cursor", 5)
		wantFault(t, err, fault.Invalid, "hotline_page_invalid")

		praise, _, err := h.ListPraise(t.Context(), "", "X", everything, "", 10)
		if err != nil || len(praise) != 2 {
			t.Errorf("praise: %v, %v", praise, err)
		}
	})
}

func TestPraiseIsTheOfficials(t *testing.T) {
	h := newHouse(t)
	draft := begun(func(d *hotline.Draft) {
		d.Kind, d.Official, d.Summary = hotline.Praise, "o-hoa", "Hướng dẫn tận tình"
	})
	open := h.save(lan, draft, 0)
	if early, _, err := h.ListPraise(t.Context(), "o-hoa", "", everything, "", 10); err != nil || len(early) != 0 {
		t.Errorf("while the call goes on: %v, %v", early, err)
	}
	if _, err := h.Finish(t.Context(), lan, draft, open.Version, hotline.Finished{}); err != nil {
		t.Fatal(err)
	}
	for of, want := range map[string]int{"o-hoa": 1, "o-other": 0} {
		praise, _, err := h.ListPraise(t.Context(), of, "", everything, "", 10)
		if err != nil || len(praise) != want {
			t.Errorf("%s: %v, %v", of, praise, err)
		}
		if want == 1 && (praise[0].Text != draft.Summary || praise[0].On != "2026-03-10") {
			t.Errorf("praised: %+v", praise[0])
		}
	}
}

func TestCallBacks(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		later := h.finish(lan, begun(func(d *hotline.Draft) { d.Kind, d.CallBackOn = hotline.Question, "2026-03-12" }))
		sooner := h.finish(lan, begun(func(d *hotline.Draft) { d.Kind, d.CallBackOn, d.Unit = hotline.Question, "2026-03-11", "V" }))
		waiting := func(within string) []string {
			t.Helper()
			calls, _, err := h.CallBacks(t.Context(), within, everything, "", 10)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, c := range calls {
				ids = append(ids, c.ID)
			}
			return ids
		}
		if got := waiting("X"); len(got) != 2 || got[0] != sooner.ID {
			t.Fatalf("waiting: %v", got)
		}
		if got := waiting("U"); len(got) != 1 || got[0] != later.ID || later.Result != hotline.WillCall {
			t.Fatalf("waiting at U: %v, %q", got, later.Result)
		}
		for range 2 { // the same attempt is told once
			c, err := h.CalledBack(t.Context(), ba, sooner.ID, false, hotline.NoAnswer, "out-1")
			if err != nil || len(c.CalledBack) != 1 || !c.Waits() {
				t.Fatalf("tried: %+v, %v", c, err)
			}
		}
		if c, err := h.CalledBack(t.Context(), ba, sooner.ID, true, "", "out-2"); err != nil || len(c.CalledBack) != 2 || c.Waits() {
			t.Fatalf("reached: %+v, %v", c, err)
		}
		_, err := h.CalledBack(t.Context(), ba, sooner.ID, true, "", "out-3")
		wantFault(t, err, fault.Stale, "hotline_called_back")
		if got := waiting(""); len(got) != 1 || got[0] != later.ID {
			t.Errorf("waiting then: %v", got)
		}

		for i, reached := range []bool{false, true} {
			if err := h.CallRatingBack(t.Context(), ba, "U/r-1", reached, "", []string{"out-4", "out-5"}[i]); err != nil {
				t.Fatal(err)
			}
			called, err := h.RatingCalled(t.Context(), "U/r-1")
			if err != nil || len(called.Attempts) != i+1 || called.Reached() != reached {
				t.Errorf("called: %+v, %v", called, err)
			}
		}
		wantFault(t, h.CallRatingBack(t.Context(), ba, "U/r-1", true, "", "out-6"), fault.Stale, "hotline_called_back")
	})
}

func TestSnippets(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		for _, s := range []struct{ unit, key, text string }{{"X", "gio", "Giờ làm việc 7h30–16h30"}, {"U", "GIỜ", "Giờ của U"}, {"U", "pb", "Xin cho biết phòng ban"}, {"V", "v", "Chỉ V"}} {
			if _, err := h.SetSnippet(t.Context(), lan, s.unit, s.key, s.text); err != nil {
				t.Fatal(err)
			}
		}
		list, err := h.Snippets(t.Context(), "U")
		if err != nil || len(list) != 2 || list[0].Text != "Giờ của U" || list[1].Key != "pb" {
			t.Fatalf("%+v, %v", list, err)
		}
		if err := h.RemoveSnippet(t.Context(), "U", "gio"); err != nil {
			t.Fatal(err)
		}
		if list, err = h.Snippets(t.Context(), "U"); err != nil || list[0].Text != "Giờ làm việc 7h30–16h30" {
			t.Errorf("%+v, %v", list, err)
		}
		wantFault(t, h.RemoveSnippet(t.Context(), "U", "gio"), fault.NotFound, "hotline_snippet_unknown")
		_, err = h.SetSnippet(t.Context(), lan, "U", "a/b", "x")
		wantFault(t, err, fault.Invalid, "hotline_snippet_key")
		_, err = h.SetSnippet(t.Context(), lan, "U", "a", " ")
		wantFault(t, err, fault.Invalid, "hotline_snippet_text")
	})
}

func TestHook(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		hook, token, err := h.CreateHook(t.Context(), lan, "U", "Tổng đài U")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(hook.Hash, token) || !strings.HasPrefix(token, hotline.HookPrefix) {
			t.Fatal("the token stands in the store")
		}
		if known, err := h.AuthenticateHook(t.Context(), token); err != nil || known.ID != hook.ID {
			t.Fatalf("%+v, %v", known, err)
		}
		for _, wrong := range []string{"", token[:len(token)-1], token + "x", hotline.HookPrefix, strings.Repeat("a", 10_000)} {
			_, err := h.AuthenticateHook(t.Context(), wrong)
			wantFault(t, err, fault.Unauthenticated, "hotline_hook_refused")
		}
		for range 2 {
			if err := h.RevokeHook(t.Context(), hook.ID); err != nil {
				t.Fatal(err)
			}
		}
		_, err = h.AuthenticateHook(t.Context(), token)
		wantFault(t, err, fault.Unauthenticated, "hotline_hook_refused")
		_, _, err = h.CreateHook(t.Context(), lan, "U", "  ")
		wantFault(t, err, fault.Invalid, "hotline_hook_name")
	})
}

func TestRinging(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		hook, _, err := h.CreateHook(t.Context(), lan, "U", "Tổng đài U")
		if err != nil {
			t.Fatal(err)
		}
		anybody := func(string) bool { return true }
		rings := func(account, scope string) []hotline.Ring {
			t.Helper()
			list, err := h.Rings(t.Context(), account, scope)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		ctx := t.Context()
		heard := h.Watch(ctx)
		if err := h.Sit(t.Context(), lan.Account, "101"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Ringing(t.Context(), hook, "+84912345678", "101", "", anybody); err != nil {
			t.Fatal(err)
		}
		<-heard // hangs where nobody is told
		if got := rings(lan.Account, "U"); len(got) != 1 || got[0].Number != "0912 345 678" || got[0].Line != "101" {
			t.Errorf("rings: %+v", got)
		}
		if got := rings(ba.Account, "U"); len(got) != 0 {
			t.Errorf("rings elsewhere: %+v", got)
		}
		if _, err := h.Ringing(t.Context(), hook, "anonymous", "999", "", anybody); err != nil {
			t.Fatal(err)
		}
		for scope, want := range map[string]int{"": 1, "X": 1, "U": 1, "V": 0} {
			if got := rings(ba.Account, scope); len(got) != want || want == 1 && got[0].Number != "" {
				t.Errorf("of nobody's line at %q: %+v", scope, got)
			}
		}
		if _, err := h.Ringing(t.Context(), hook, "0987654321", "", ba.Account, anybody); err != nil {
			t.Fatal(err)
		}
		if got := rings(ba.Account, "V"); len(got) != 1 {
			t.Errorf("by name: %+v", got)
		}
		if _, err := h.Ringing(t.Context(), hook, "0987654321", "", "a-far", func(string) bool { return false }); err != nil {
			t.Fatal(err)
		}
		if got := rings("a-far", "V"); len(got) != 0 {
			t.Errorf("a hook rings at an account it may not: %+v", got)
		}
		h.pass(3 * time.Minute)
		if got := rings(lan.Account, "U"); len(got) != 0 {
			t.Errorf("still rings: %+v", got)
		}
		_, err = h.Ringing(t.Context(), hook, "1", "<script>", "", anybody)
		wantFault(t, err, fault.Invalid, "hotline_line")
		for _, line := range []string{"102", ""} {
			if err := h.Sit(t.Context(), lan.Account, line); err != nil {
				t.Fatal(err)
			}
			if at, err := h.Seat(t.Context(), lan.Account); err != nil || at != line {
				t.Errorf("sits at %q, %v", at, err)
			}
		}
	})
}

// A process that dies after any of its writes leaves a call that can be finished.
func TestNothingIsLostOverADeath(t *testing.T) {
	h := newHouse(t)
	draft := begun(func(d *hotline.Draft) {
		d.Summary, d.Kind, d.Caller.Phone = "Chờ lâu", hotline.Complaint, "0912345678"
	})
	first := h.save(lan, draft, 0)
	// Another process, which knows nothing of the first.
	other := houseOn(t, keep{h.engine})
	left, err := other.Unfinished(t.Context(), lan.Account, 10)
	if err != nil || len(left) != 1 || left[0].Summary != "Chờ lâu" {
		t.Fatalf("%+v, %v", left, err)
	}
	if who, err := other.Who(left[0]); err != nil || who.Phone != "0912 345 678" {
		t.Errorf("%+v, %v", who, err)
	}
	if _, err := other.Finish(t.Context(), lan, draft, first.Version, hotline.Finished{Case: "c"}); err != nil {
		t.Fatal(err)
	}
	var stale *hotline.StaleCall
	if _, err := h.Finish(t.Context(), lan, draft, first.Version, hotline.Finished{Case: "c"}); errors.As(err, &stale) {
		t.Errorf("the same again is no conflict: %v", err)
	}
}

// keep is an engine that somebody else closes.
type keep struct{ store.Engine }

func (keep) Close() error { return nil }

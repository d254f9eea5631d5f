package register_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.uber.org/goleak"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/casework/register"
	"github.com/hailong-vn/hailong/internal/deadline"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/officehours"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
	"github.com/hailong-vn/hailong/internal/unit"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/hailong-vn/hailong/internal/testengine.(*Server).Start.func1"))
}

// house is a store with a commune and its office, the book of cases of one process, and the registers.
type house struct {
	*register.Registers
	t      testing.TB
	engine store.Engine
	book   *casebook.Book
	mu     sync.Mutex
	now    time.Time
}

func onEngines(t *testing.T, test func(t *testing.T, h *house)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newHouse(t)) })
	t.Run("mongodb", func(t *testing.T) {
		uri, database := testengine.MongoDB(t)
		engine, err := mongodb.Open(t.Context(), uri, mongodb.Options{Database: database})
		if err != nil {
			t.Fatal(err)
		}
		test(t, houseOn(t, engine))
	})
}

func newHouse(t testing.TB) *house {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return houseOn(t, engine)
}

func houseOn(t testing.TB, engine store.Engine) *house {
	t.Helper()
	t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	h := &house{t: t, engine: engine, now: time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC)}
	commune := unit.Unit{ID: "xa", Home: "xa", Eras: []unit.Era{{Words: unit.Words{Code: "xa", Name: "Xã Một", Level: "commune"}}}}
	office := unit.Unit{ID: "mot-cua", Home: "xa", Eras: []unit.Era{{Words: unit.Words{Code: "mc", Name: "Bộ phận một cửa", Level: "office", ParentID: "xa"}}}}
	tree, err := unit.Build([]unit.Unit{commune, office}, "2026-01-01")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := secret.Load(t.Context(), engine, secret.Source{Text: strings.Repeat("5a", 32)})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := deadline.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	h.book, err = casebook.Open(t.Context(), engine, casebook.Options{
		Keys: keys, Tree: func() *unit.Tree { return tree }, Now: h.clock,
		Rules: func(string) deadline.Rules { return rules }, Hours: func(string) officehours.Hours { return officehours.Hours{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	if h.Registers, err = register.Open(t.Context(), engine, register.Options{Book: h.book, Now: h.clock}); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// on sets the clock to nine in the morning of a local day.
func (h *house) on(day string) {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		h.t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = at.Add(2 * time.Hour)
}

var (
	operator = casework.Actor{Person: casework.Person{Account: "a-op", Role: casework.Operator}}
	leader   = casework.Actor{Person: casework.Person{Account: "a-lead", Role: casework.Leader}}
	head     = casework.Actor{Person: casework.Person{Account: "a-head", Role: casework.Head, Scope: "mot-cua", Heads: []string{"mot-cua"}}}
	lan      = register.Sealer{Account: "a-lead", Name: "Lan"}
)

func (h *house) open(title string) casebook.Kept {
	h.t.Helper()
	kept, err := h.book.Open(h.t.Context(), casebook.New{
		ID: uuid.Must(uuid.NewV7()).String(), Source: casework.FromCall, Receiving: "xa", About: "mot-cua", Title: title, WithCode: true,
		Words: "chờ lâu quá", Contact: &casebook.Contact{Name: "Bà Tư", Phone: "0912345678"},
	}, operator)
	if err != nil {
		h.t.Fatal(err)
	}
	return kept
}

func (h *house) apply(id string, by casework.Actor, event casework.Event) casebook.Kept {
	h.t.Helper()
	kept, err := h.book.Apply(h.t.Context(), id, 0, event, "", by)
	if err != nil {
		h.t.Fatalf("%s: %v", event.Name, err)
	}
	return kept
}

// answer brings a case to its reply.
func (h *house) answer(id string) casebook.Kept {
	h.apply(id, operator, casework.Event{Name: casework.Assign, Unit: "mot-cua"})
	h.apply(id, leader, casework.Event{Name: casework.RequestExplanation})
	h.apply(id, head, casework.Event{Name: casework.Submit, Explanation: &casework.Explanation{
		Cause: "overload", Analysis: "Hôm đó chỉ có một người trực quầy vì hai người nghỉ ốm.", Remedy: "Đã bố trí người thay.", Together: true,
		Apology: casework.Apologised, Finding: casework.Upheld,
	}})
	h.apply(id, leader, casework.Event{Name: casework.Accept, Finding: casework.Upheld})
	return h.apply(id, operator, casework.Event{Name: casework.Reply, Text: "Xin lỗi ông bà, đã bố trí thêm người."})
}

func (h *house) rows(asked register.Asked) []register.Line {
	h.t.Helper()
	asked.Unit, asked.Year = "xa", 2026
	return collect(h.t, h.Rows(h.t.Context(), asked))
}

func collect[T any](t testing.TB, all iter.Seq2[T, error]) []T {
	t.Helper()
	var list []T
	for one, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, one)
	}
	return list
}

func numbers(lines []register.Line) string {
	var list []string
	for _, line := range lines {
		text := fmt.Sprint(line.N)
		if line.Gap() {
			text += "?"
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

func TestRows(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		first := h.open("Chờ quá lâu")
		h.on("2026-03-11")
		second := h.open("Thái độ")
		h.on("2026-03-12")
		h.answer(first.ID)
		h.on("2026-03-13")
		h.apply(second.ID, leader, casework.Event{Name: casework.PutOutOfScope, Route: casework.Route{Kind: casework.Complaint, To: "Thanh tra huyện"}, Reason: "là khiếu nại"})
		h.apply(second.ID, operator, casework.Event{Name: casework.HandOver, Document: "12/PC-UBND ngày 13/03/2026"})

		rows := h.rows(register.Asked{})
		want := register.Row{
			N: 1, Case: first.ID, Received: "2026-03-10", Content: "Chờ quá lâu", Source: casework.FromCall, Kind: register.Opinion, People: 1, Person: true, SettledBy: "mot-cua",
			Handling: casework.HandledHere,
			Result:   register.Result{State: casework.Replied, Finding: casework.Upheld, On: "2026-03-12", Text: "Xin lỗi ông bà, đã bố trí thêm người.", Unit: "mot-cua"},
		}
		if len(rows) != 2 || rows[0].Row != want {
			t.Fatalf("%+v\nwant %+v", rows, want)
		}
		if r := rows[1]; r.Kind != "complaint" || r.PassedTo != "Thanh tra huyện" || r.PassedBy != "12/PC-UBND ngày 13/03/2026" || r.Handling != casework.HandledOn || !r.Missing() {
			t.Errorf("the one that was passed on: %+v", r)
		}
		t.Run("as on a day", func(t *testing.T) {
			if got := h.rows(register.Asked{AsOf: "2026-03-10"}); numbers(got) != "1" || got[0].Result.State != casework.Received || got[0].SettledBy != "" || !got[0].Missing() {
				t.Errorf("on the first day: %+v", got)
			}
			if got := h.rows(register.Asked{AsOf: "2026-03-12"}); numbers(got) != "1 2" || got[0].Row != want || got[1].Kind != register.Opinion {
				t.Errorf("on the third: %+v", got)
			}
		})
		t.Run("what lacks a result", func(t *testing.T) {
			missing, complete, err := h.Missing(t.Context(), "xa", 2026)
			if err != nil || !complete || !slices.Equal(missing, []int{2}) {
				t.Errorf("%v %v %v", missing, complete, err)
			}
		})
		t.Run("how far it goes", func(t *testing.T) {
			last, err := h.Last(t.Context(), "xa", 2026)
			years, err2 := h.Years(t.Context(), "xa")
			if last != 2 || err != nil || err2 != nil || !slices.Equal(years, []int{2026}) {
				t.Errorf("%d %v, %v %v", last, err, years, err2)
			}
			if last, err := h.Last(t.Context(), "xa", 2025); last != 0 || err != nil {
				t.Errorf("another year: %d %v", last, err)
			}
			if _, err := h.Row(t.Context(), "xa", 2026, 3); !fault.Is(err, fault.NotFound) {
				t.Errorf("a number that is not there: %v", err)
			}
		})
	})
}

func TestPagesAndGaps(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		for i := range 12 {
			h.open(fmt.Sprint("việc ", i+1))
		}
		h.alter("cases", 5, nil)
		h.alter("cases", 9, nil)
		h.alter("cases", 10, nil)
		for _, test := range []struct {
			from, limit int
			want        string
		}{
			{1, 0, "1 2 3 4 5? 6 7 8 9? 10? 11 12"}, {1, 4, "1 2 3 4"}, {5, 4, "5? 6 7 8"}, {9, 2, "9? 10?"}, {9, 3, "9? 10? 11"}, {11, 4, "11 12"}, {12, 1, "12"}, {13, 4, ""},
		} {
			if got := numbers(h.rows(register.Asked{From: test.from, Limit: test.limit})); got != test.want {
				t.Errorf("from %d, %d: %s, want %s", test.from, test.limit, got, test.want)
			}
		}
		found, err := h.Verify(t.Context(), "xa", 2026)
		if err != nil || found.Intact() || !slices.Equal(found.Gaps, []int{5, 9, 10}) || found.Seal != nil {
			t.Errorf("%+v %v", found, err)
		}
		t.Run("are sealed only with a reason", func(t *testing.T) {
			h.on("2027-01-05")
			if _, err := h.Close(t.Context(), "xa", 2026, lan, ""); reason(err) != "register_gaps" || fmt.Sprint(fault.Of(err).Args) != "[n 3 first 5]" {
				t.Errorf("without: %v", err)
			}
			seal, err := h.Close(t.Context(), "xa", 2026, lan, "mất điện giữa lúc ghi")
			if err != nil || !slices.Equal(seal.Gaps, []int{5, 9, 10}) || seal.GapReason != "mất điện giữa lúc ghi" || seal.Rows != 12 {
				t.Errorf("with: %+v %v", seal, err)
			}
			if found, err := h.Verify(t.Context(), "xa", 2026); err != nil || !found.Intact() {
				t.Errorf("%+v %v", found, err)
			}
		})
	})
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Reason
}

func TestSeal(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		done, open := h.open("đã xong"), h.open("còn mở")
		h.answer(done.ID)
		h.apply(done.ID, casework.TheCitizen(), casework.Event{Name: casework.Satisfied})
		for _, test := range []struct{ name, day, want string }{
			{"while the year runs", "2026-12-31", "register_year_runs"},
		} {
			h.on(test.day)
			if _, err := h.Close(t.Context(), "xa", 2026, lan, ""); reason(err) != test.want {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		h.on("2027-01-01")
		h.mu.Lock()
		h.now = h.now.Add(-9*time.Hour + 30*time.Minute) // half past midnight: something of the year may still be on its way
		h.mu.Unlock()
		if _, err := h.Close(t.Context(), "xa", 2026, lan, ""); reason(err) != "register_year_runs" {
			t.Errorf("in the first hour: %v", err)
		}
		h.on("2027-01-04")
		if _, err := h.Close(t.Context(), "xa", 2025, lan, ""); reason(err) != "register_empty" {
			t.Errorf("an empty year: %v", err)
		}
		h.apply(open.ID, operator, casework.Event{Name: casework.Assign, Unit: "mot-cua"}) // on the day itself: it belongs to the annex
		seal, err := h.Close(t.Context(), "xa", 2026, lan, "")
		if err != nil || seal.AsOf != "2027-01-03" || seal.Rows != 2 || len(seal.Head) != 64 || seal.By != lan {
			t.Fatalf("%+v %v", seal, err)
		}
		h.on("2027-02-01")
		if again, err := h.Close(t.Context(), "xa", 2026, register.Sealer{Account: "b", Name: "Ba"}, ""); err != nil || again.Head != seal.Head || again.By != lan {
			t.Errorf("sealed again: %+v %v", again, err)
		}
		other, err := register.Open(t.Context(), h.engine, register.Options{Book: h.book, Now: h.clock})
		if err != nil {
			t.Fatal(err)
		}
		if read, there, err := other.Seal(t.Context(), "xa", 2026); err != nil || !there || read.Head != seal.Head {
			t.Errorf("another process reads %+v %v %v", read, there, err)
		}
		before := h.rows(register.Asked{})
		if before[1].Result.State != casework.Received || before[1].Later == nil || before[1].Later.State != casework.Assigned {
			t.Errorf("what was done on the day of the seal: %+v", before[1])
		}
		t.Run("rows never change, the annex does", func(t *testing.T) {
			h.apply(open.ID, leader, casework.Event{Name: casework.RequestExplanation})
			after := h.rows(register.Asked{})
			if len(after) != 2 || after[0].Row != before[0].Row || after[1].Row != before[1].Row {
				t.Errorf("%+v\nbefore %+v", after, before)
			}
			annex := collect(t, h.Annex(t.Context(), register.Asked{Unit: "xa", Year: 2026}))
			if len(annex) != 1 || annex[0].N != 2 || annex[0].Later.State != casework.ExplanationRequested {
				t.Errorf("annex %+v", annex)
			}
			if found, err := h.Verify(t.Context(), "xa", 2026); err != nil || !found.Intact() || found.Head != seal.Head || found.Rows != 2 {
				t.Errorf("%+v %v", found, err)
			}
		})
		t.Run("the engine refuses to change what was sealed", func(t *testing.T) {
			for _, kind := range register.Kinds() {
				documents, err := h.engine.Documents(t.Context(), kind)
				if err != nil {
					t.Fatal(err)
				}
				for item, err := range documents.Find(t.Context(), store.Query{}) {
					if err != nil {
						t.Fatal(err)
					}
					if err := documents.Delete(t.Context(), item.ID, item.Version); err == nil {
						t.Errorf("%s was removed from %s", item.ID, kind.Name)
					}
					if _, err := documents.Replace(t.Context(), item.Body, item.Version); err == nil {
						t.Errorf("%s was replaced in %s", item.ID, kind.Name)
					}
				}
			}
		})
	})
}

// Several processes seal at once, and one of them dies on the way: there is one seal, of one of them.
func TestManySealAtOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		for i := range 8 {
			h.open(fmt.Sprint("việc ", i))
		}
		h.on("2027-03-01")
		var group sync.WaitGroup
		heads := make([]string, 6)
		for i := range heads {
			group.Go(func() {
				ctx := t.Context()
				if i == 0 { // it is cut off
					cut, cancel := context.WithTimeout(ctx, time.Millisecond)
					defer cancel()
					ctx = cut
				}
				r, err := register.Open(t.Context(), h.engine, register.Options{Book: h.book, Now: h.clock})
				if err != nil {
					t.Error(err)
					return
				}
				seal, err := r.Close(ctx, "xa", 2026, register.Sealer{Account: fmt.Sprint("a-", i)}, "")
				if err != nil && i > 0 {
					t.Error(err)
				}
				heads[i] = seal.Head + " " + seal.By.Account
			})
		}
		group.Wait()
		for _, head := range heads[2:] {
			if head != heads[1] {
				t.Fatalf("%q and %q", head, heads[1])
			}
		}
		if found, err := h.Verify(t.Context(), "xa", 2026); err != nil || !found.Intact() {
			t.Errorf("%+v %v", found, err)
		}
	})
}

func TestTamperingIsFound(t *testing.T) {
	for _, test := range []struct {
		name  string
		alter func(h *house)
		first int
		how   string
	}{
		{"a case's title", func(h *house) { h.alter("cases", 2, func(d bson.M) { d["title"] = "khác" }) }, 2, register.CaseDiffers},
		{"a case is gone", func(h *house) { h.alter("cases", 3, nil) }, 3, register.CaseDiffers},
		{"the last case is gone", func(h *house) { h.alter("cases", 4, nil) }, 4, register.CaseDiffers},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t)
			for i := range 4 {
				h.open(fmt.Sprint("việc ", i))
			}
			h.on("2027-01-05")
			if _, err := h.Close(t.Context(), "xa", 2026, lan, ""); err != nil {
				t.Fatal(err)
			}
			test.alter(h)
			found, err := h.Verify(t.Context(), "xa", 2026)
			if err != nil || found.Intact() || found.First != test.first || found.How != test.how {
				t.Errorf("%+v %v", found, err)
			}
		})
	}
}

// alter changes the case of a number behind the product's back, or removes it (nil).
func (h *house) alter(kind string, n int, change func(bson.M)) {
	h.t.Helper()
	kinds := casebook.Kinds()
	i := slices.IndexFunc(kinds, func(k store.Kind) bool { return k.Name == kind })
	documents, err := h.engine.Documents(h.t.Context(), kinds[i])
	if err != nil {
		h.t.Fatal(err)
	}
	for item, err := range documents.Find(h.t.Context(), store.Query{Index: "number", Equal: []any{"xa", 2026, n}}) {
		if err != nil {
			h.t.Fatal(err)
		}
		if change == nil {
			err = documents.Delete(h.t.Context(), item.ID, item.Version)
		} else {
			var d bson.M
			if err = bson.Unmarshal(item.Body, &d); err == nil {
				change(d)
				var body []byte
				if body, err = bson.Marshal(d); err == nil {
					_, err = documents.Replace(h.t.Context(), body, item.Version)
				}
			}
		}
		if err != nil {
			h.t.Fatal(err)
		}
		return
	}
	h.t.Fatalf("no case has number %d", n)
}

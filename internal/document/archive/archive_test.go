package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hailong-vn/hailong/internal/document"
	"github.com/hailong-vn/hailong/internal/document/archive"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/secret"
	"github.com/hailong-vn/hailong/internal/store"
	"github.com/hailong-vn/hailong/internal/store/mongodb"
	"github.com/hailong-vn/hailong/internal/store/sqlite"
	"github.com/hailong-vn/hailong/internal/testengine"
)

// now is already the first day of the next year in Vietnam.
var now = time.Date(2026, 12, 31, 18, 30, 0, 0, time.UTC)

var lan = archive.Person{Account: "1", Name: "lan"}

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

func open(t *testing.T, engine store.Engine) *archive.Archive {
	t.Helper()
	keys, err := secret.Load(t.Context(), engine, secret.Source{Text: strings.Repeat("5a", 32)})
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64 // the clock goes on
	a, err := archive.Open(t.Context(), engine, archive.Options{Keys: keys, Now: func() time.Time { return now.Add(time.Duration(calls.Add(1)) * time.Second) }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Reason
}

// wanted is a notice of a result that names the citizen.
func wanted(t *testing.T, a *archive.Archive) archive.New {
	t.Helper()
	template, err := a.Template(t.Context(), []string{"xa", "tinh"}, document.ResultNotice)
	if err != nil {
		t.Fatal(err)
	}
	return archive.New{
		ID: uuid.NewString(), Unit: "xa", Kind: document.ResultNotice, Case: "case", Values: document.Samples(nil), Signer: document.SampleSigner(), Template: template, By: lan,
	}
}

func issue(t *testing.T, a *archive.Archive, n archive.New) archive.Document {
	t.Helper()
	d, err := a.Issue(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFiftyAtOnceAreNumberedWithoutGaps(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		one, other := open(t, engine), open(t, engine) // two processes of one store
		const n = 50
		asked := make([]archive.New, n)
		for i := range asked {
			asked[i] = wanted(t, one)
			asked[i].Values = map[string]string{"issuer": "UBND", "organ": "UBND", "place": "A", "case_title": "b", "reply": fmt.Sprint("c", i)}
		}
		errs := make([]error, n)
		var group sync.WaitGroup
		for i := range asked {
			group.Go(func() {
				a := one
				if i%2 == 1 {
					a = other
				}
				_, errs[i] = a.Issue(t.Context(), asked[i])
				if i%5 == 0 { // the answer was lost, and the client asks again
					_, errs[i] = a.Issue(t.Context(), asked[i])
				}
			})
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		var numbers []int
		for after := store.Cursor(""); ; {
			page, next, err := one.OfUnit(t.Context(), "xa", 2027, after, 20)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range page {
				numbers = append(numbers, d.N)
			}
			if after = next; next == "" {
				break
			}
		}
		for i, got := range numbers {
			if got != i+1 {
				t.Fatalf("numbers %v", numbers)
			}
		}
		if len(numbers) != n {
			t.Errorf("%d numbers", len(numbers))
		}
	})
}

func TestIssuedPaper(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		a := open(t, engine)
		asked := wanted(t, a)
		d := issue(t, a, asked)
		if d.Number != "1/TB-UBND" || d.Day != "2027-01-01" || d.Year != 2027 || !d.Personal() {
			t.Errorf("%+v", d)
		}
		kept, err := a.Get(t.Context(), d.ID)
		if err != nil || kept.Number != d.Number || kept.Values["reply"] != asked.Values["reply"] || kept.Values["citizen_name"] != "" || kept.Signer.Name != "Nguyễn Văn Mẫu" {
			t.Errorf("%+v, %v", kept, err)
		}
		t.Run("its files", func(t *testing.T) {
			for _, format := range document.Formats() {
				data, file, err := a.Open(t.Context(), kept, format)
				if err != nil || file.Size != len(data) || len(file.SHA256) != 64 {
					t.Fatalf("%+v, %v", file, err)
				}
				again, same, err := open(t, engine).Open(t.Context(), kept, format)
				if err != nil || !bytes.Equal(again, data) || same != file {
					t.Errorf("another file the second time: %v", err)
				}
				// What lies in the store tells nobody who the citizen is, not even by the file's own form.
				blob, err := engine.Blobs().Open(t.Context(), file.Blob)
				if err != nil {
					t.Fatal(err)
				}
				raw, err := io.ReadAll(blob)
				_ = blob.Close()
				if err != nil || bytes.Contains(raw, data[:16]) {
					t.Errorf("the file lies open in the store, %v", err)
				}
			}
		})
		t.Run("the citizen", func(t *testing.T) {
			values, err := a.Citizen(kept)
			if err != nil || values["citizen_name"] != "Trần Thị Mẫu" {
				t.Errorf("%v, %v", values, err)
			}
			if strings.Contains(fmt.Sprintf("%+v", kept), "Trần Thị") {
				t.Error("the record holds the name")
			}
		})
		t.Run("the same again", func(t *testing.T) {
			if again := issue(t, a, asked); again.Number != d.Number || again.N != 1 {
				t.Errorf("%+v", again)
			}
		})
		t.Run("refused", func(t *testing.T) {
			for name, c := range map[string]struct {
				change func(*archive.New)
				reason string
			}{
				"the same id for something else": {func(n *archive.New) { n.ID = asked.ID; n.Values["reply"] = "khác" }, "document_id_taken"},
				"no id":                          {func(n *archive.New) { n.ID = "1" }, "document_id"},
				"no case":                        {func(n *archive.New) { n.Case = "" }, "document_subject"},
				"a case and an action":           {func(n *archive.New) { n.Action = "x" }, "document_subject"},
				"what is required":               {func(n *archive.New) { n.Values["reply"] = " " }, "document_value_missing"},
				"no signer":                      {func(n *archive.New) { n.Signer.Name = "" }, "document_signer_missing"},
				"replaces one that stands":       {func(n *archive.New) { n.Replaces = asked.ID }, "document_replaces_standing"},
				"replaces nothing":               {func(n *archive.New) { n.Replaces = uuid.NewString() }, "document_unknown"},
			} {
				n := wanted(t, a)
				c.change(&n)
				if _, err := a.Issue(t.Context(), n); reason(err) != c.reason {
					t.Errorf("%s: %v", name, err)
				}
			}
			if next := issue(t, a, wanted(t, a)); next.N != 2 {
				t.Errorf("what was refused took a number: %d", next.N)
			}
		})
	})
}

func TestCancelledAndIssuedAgain(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		a := open(t, engine)
		first := issue(t, a, wanted(t, a))
		for _, c := range []struct {
			name, why string
			by        archive.Person
			reason    string
		}{
			{"without a reason", " ", lan, "document_reason_missing"},
			{"with an endless one", strings.Repeat("a", 501), lan, "document_reason_long"},
			{"with a reason", "sai tên", lan, ""},
			{"the same again", "sai tên", lan, ""},
			{"by another", "sai tên", archive.Person{Account: "2", Name: "hà"}, "document_cancelled"},
		} {
			if d, err := a.Cancel(t.Context(), first.ID, c.why, c.by); reason(err) != c.reason || err == nil && d.Cancelled.Reason != c.why {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		n := wanted(t, a)
		n.Replaces = first.ID
		second := issue(t, a, n)
		if second.N != 2 || second.Replaces != first.ID {
			t.Errorf("%+v", second)
		}
		of, _, err := a.OfCase(t.Context(), "case", "", 10)
		if err != nil || len(of) != 2 || of[0].Cancelled == nil || of[1].Cancelled != nil || of[0].Number != first.Number {
			t.Errorf("%+v, %v", of, err)
		}
		if _, _, err := a.OfCase(t.Context(), "case", "không phải", 10); reason(err) != "document_page_token" {
			t.Errorf("%v", err)
		}
		if _, err := a.Cancel(t.Context(), uuid.NewString(), "a", lan); reason(err) != "document_unknown" {
			t.Errorf("%v", err)
		}
		last, ok, err := a.Last(t.Context(), "xa")
		if err != nil || !ok || last.Unit != "xa" {
			t.Errorf("%+v %v %v", last, ok, err)
		}
		if _, ok, err := a.Last(t.Context(), "khac"); ok || err != nil {
			t.Errorf("%v %v", ok, err)
		}
	})
}

// dying is an engine whose power goes at a step of writing files: what was done before is there, the rest is not.
type dying struct {
	store.Engine
	blobs *dyingBlobs
}

func (d dying) Blobs() store.Blobs { return d.blobs }

type dyingBlobs struct {
	store.Blobs
	dead  atomic.Bool
	after bool // the blob is written, and nothing after it
}

var errDead = fmt.Errorf("%w: power cut", store.ErrUnavailable)

func (d *dyingBlobs) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	if !d.dead.Load() {
		return d.Blobs.Put(ctx, name, r)
	}
	if d.after {
		_, _ = d.Blobs.Put(ctx, name, r)
	}
	return 0, errDead
}

func TestPowerCutBetweenNumberAndFiles(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprint("blob written: ", after), func(t *testing.T) {
				blobs := &dyingBlobs{Blobs: engine.Blobs(), after: after}
				a := open(t, dying{engine, blobs})
				n := wanted(t, a)
				n.Case = fmt.Sprint("case", after)
				blobs.dead.Store(true)
				d := issue(t, a, n) // the number is taken: the paper is issued
				if _, _, err := a.Open(t.Context(), d, document.PDF); reason(err) != "document_unavailable" {
					t.Errorf("without a store: %v", err)
				}
				blobs.dead.Store(false)
				restarted := open(t, engine)
				if again := issue(t, restarted, n); again.Number != d.Number {
					t.Errorf("%s, then %s", d.Number, again.Number)
				}
				for _, format := range document.Formats() {
					data, file, err := restarted.Open(t.Context(), d, format)
					if err != nil || len(data) == 0 {
						t.Errorf("%+v, %v", file, err)
					}
				}
			})
		}
	})
}

func TestAlteredFileIsNotHandedOut(t *testing.T) {
	onEngines(t, func(t *testing.T, engine store.Engine) {
		a := open(t, engine)
		n := wanted(t, a)
		n.Kind = document.CorrectionOrder
		var err error
		if n.Template, err = a.Template(t.Context(), nil, n.Kind); err != nil {
			t.Fatal(err)
		}
		d := issue(t, a, n)
		if d.Personal() {
			t.Error("a paper that names nobody is said to")
		}
		_, file, err := a.Open(t.Context(), d, document.DOCX)
		if err != nil {
			t.Fatal(err)
		}
		if err := engine.Blobs().Remove(t.Context(), file.Blob); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Blobs().Put(t.Context(), file.Blob, strings.NewReader("khác")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := a.Open(t.Context(), d, document.DOCX); !fault.Is(err, fault.Internal) {
			t.Errorf("%v", err)
		}
	})
}

func TestTemplatesAreInherited(t *testing.T) {
	const kind = document.Apology
	text := func(words string) string { return "series: TXL\nbody:\n  - text: " + words + "\n" }
	onEngines(t, func(t *testing.T, engine store.Engine) {
		a := open(t, engine)
		save := func(unit, source string, seen int) (archive.Version, error) {
			return a.Save(t.Context(), archive.Change{Unit: unit, Kind: kind, Source: source, Seen: seen, Note: "vì sao", By: lan})
		}
		holds := func(name, want string, units ...string) {
			t.Helper()
			v, err := a.Template(t.Context(), units, kind)
			if err != nil || !strings.Contains(v.Source, want) {
				t.Errorf("%s: %q, %v", name, v.Source, err)
			}
		}
		must := func(unit, source string, seen int) {
			t.Helper()
			if v, err := save(unit, source, seen); err != nil || v.Version != seen+1 {
				t.Errorf("%+v, %v", v, err)
			}
		}
		holds("the product's", "THƯ XIN LỖI", "xa", "tinh")
		must("tinh", text("của tỉnh"), 0)
		holds("inherited", "của tỉnh", "xa", "tinh")
		holds("of another", "THƯ XIN LỖI", "xa-khac")
		must("", text("của chung"), 0)
		holds("of everybody", "của chung", "xa-khac")
		must("xa", text("của xã"), 0)
		holds("its own", "của xã", "xa", "tinh")
		must("xa", text("của xã hai"), 1)
		if v, err := save("xa", text("của xã hai"), 1); err != nil || v.Version != 2 {
			t.Errorf("the same again: %+v, %v", v, err)
		}
		if _, err := save("xa", text("khác"), 1); reason(err) != "document_template_changed" {
			t.Errorf("over another's: %v", err)
		}
		if _, err := save("xa", "series: BC\nbody:\n  - text: \"{{.x}}\"\n", 2); reason(err) != "document_template_unknown_field" {
			t.Errorf("one that is wrong: %v", err)
		}
		must("xa", "", 2)
		holds("inherited again", "của tỉnh", "xa", "tinh")
		list, _, err := a.Versions(t.Context(), "xa", kind, "", 10)
		if err != nil || len(list) != 3 || list[0].Version != 3 || list[2].Version != 1 || list[2].Note != "vì sao" {
			t.Errorf("%+v, %v", list, err)
		}
		if v, err := a.VersionOf(t.Context(), "xa", kind, 1); err != nil || !strings.Contains(v.Source, "của xã") {
			t.Errorf("%+v, %v", v, err)
		}
		if _, err := a.VersionOf(t.Context(), "xa", kind, 9); reason(err) != "document_template_unknown" {
			t.Errorf("%v", err)
		}
		t.Run("of many at once one wins", func(t *testing.T) {
			results := make([]string, 8)
			var group sync.WaitGroup
			for i := range results {
				group.Go(func() {
					_, err := save("moi", text(fmt.Sprint("người ", i)), 0)
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

package casebook_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hailong-vn/hailong/internal/casework"
	"github.com/hailong-vn/hailong/internal/casework/casebook"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/store"
)

// archive is a zip of parts by name.
func archive(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		part, err := w.Create(parts[i])
		if err == nil {
			_, err = part.Write([]byte(parts[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func picture(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// endless gives zeros after a head, and counts what was taken.
type endless struct {
	head  []byte
	taken int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.head)
	e.head = e.head[n:]
	if n == 0 {
		n = len(p)
	}
	e.taken += n
	return n, nil
}

const types = `<Types><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`

func TestAttachments(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ctx, b := t.Context(), h.open()
		k := h.apply(b, h.opened(b), casework.Event{Name: casework.RequestExplanation, Unit: office}, deputy())
		word := archive(t, "[Content_Types].xml", types, "word/document.xml", "<w/>")
		for _, c := range []struct{ name, file, content, want string }{
			{"a document", "báo cáo.docx", string(word), ""},
			{"a sheet", "bảng.XLSX", string(archive(t, "[Content_Types].xml", "<Types/>", "xl/workbook.xml", "<x/>")), ""},
			{"a page", "phiếu.pdf", "%PDF-1.7\n%âãÏÓ\n1 0 obj\n", ""},
			{"a picture", "ảnh.png", string(picture(t)), ""},
			{"a program", "virus.exe", "MZ\x90\x00", "casework_attachment_type"},
			{"a program called a document", "báo cáo.docx", "MZ\x90\x00\x03\x00\x00\x00", "casebook_file_disguised"},
			{"a program called a picture", "ảnh.png", "\x7fELF\x02\x01\x01\x00", "casebook_file_disguised"},
			{"a script called a page", "phiếu.pdf", "#!/bin/sh\nrm -rf /\n", "casebook_file_disguised"},
			{"a page of the web called a page", "phiếu.pdf", "<html><script>alert(1)</script>", "casebook_file_disguised"},
			{"half a picture", "ảnh.png", string(picture(t)[:20]), "casebook_file_damaged"},
			{"a picture of another kind", "ảnh.jpg", string(picture(t)), "casebook_file_disguised"},
			{"any archive called a document", "báo cáo.docx", string(archive(t, "a.txt", "a")), "casebook_file_disguised"},
			{"a sheet called a document", "báo cáo.docx", string(archive(t, "[Content_Types].xml", "<Types/>", "xl/workbook.xml", "<x/>")), "casebook_file_disguised"},
			{"a document with macros", "báo cáo.docx", string(archive(t, "[Content_Types].xml", types, "word/document.xml", "<w/>", "word/vbaProject.bin", "x")), "casebook_file_macros"},
			{"a document that says it has macros", "báo cáo.docx", string(archive(t, "[Content_Types].xml", strings.ReplaceAll(types, "document.main", "document.macroEnabled.main"), "word/document.xml", "<w/>")), "casebook_file_macros"},
			{"a document with a program inside", "báo cáo.docx", string(archive(t, "[Content_Types].xml", types, "word/document.xml", "<w/>", "word/embeddings/setup.exe", "MZ")), "casebook_file_disguised"},
			{"a document with an object inside", "báo cáo.docx", string(archive(t, "[Content_Types].xml", types, "word/document.xml", "<w/>", "word/embeddings/oleObject1.bin", "x")), "casebook_file_disguised"},
			{"a document that leads out", "báo cáo.docx", string(archive(t, "[Content_Types].xml", types, "word/document.xml", "<w/>", "../../etc/passwd", "x")), "casebook_file_disguised"},
			{"half a document", "báo cáo.docx", string(word[:len(word)-30]), "casebook_file_damaged"},
			{"nothing", "ảnh.png", "", "casework_attachment_size"},
			{"a name that leads out", "../ảnh.png", string(picture(t)), "casework_attachment_name"},
			{"no name", "", "x", "casework_attachment_name"},
			{"a name with a line break", "ả\nnh.png", string(picture(t)), "casework_attachment_name"},
			{"two endings", "ảnh.png.exe", string(picture(t)), "casework_attachment_type"},
		} {
			a, err := b.Attach(ctx, k.ID, c.file, strings.NewReader(c.content), "hoa")
			if c.want != "" {
				if err == nil || fault.Of(err).Reason != c.want {
					t.Errorf("%s: %v, want %s", c.name, err, c.want)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			known, r, err := b.OpenAttachment(ctx, k.ID, a.ID)
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if diff := cmp.Diff(a, known); err != nil || diff != "" || string(content) != c.content {
				t.Errorf("%s comes back otherwise: %v %s", c.name, err, diff)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
		big := &endless{head: []byte("%PDF-1.7\n")}
		if _, err := b.Attach(ctx, k.ID, "lớn.pdf", big, "hoa"); fault.Of(err).Reason != "casework_attachment_size" || big.taken > casework.MaxAttachmentSize+(1<<20) {
			t.Errorf("fifty megabytes and more: %v after %d bytes", err, big.taken)
		}
		early := &endless{head: []byte("MZ\x90\x00")}
		if _, err := b.Attach(ctx, k.ID, "lớn.pdf", early, "hoa"); fault.Of(err).Reason != "casebook_file_disguised" || early.taken > 4096 {
			t.Errorf("a large program: %v after %d bytes", err, early.taken)
		}
		if _, err := b.Attach(ctx, k.ID, "dở.pdf", io.MultiReader(strings.NewReader("%PDF-1.7\n"), broken{}), "hoa"); !errors.Is(err, errBroken) {
			t.Errorf("a line that breaks: %v", err)
		}
		if _, err := b.Attach(ctx, newID(), "ảnh.png", bytes.NewReader(picture(t)), "hoa"); fault.Of(err).Reason != "casebook_unknown" {
			t.Errorf("beside no case: %v", err)
		}
		if n := count(t, h.engine, "case_files"); n != 4 {
			t.Errorf("%d files are kept", n)
		}
	})
}

var errBroken = errors.New("the line broke")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

func count(t testing.TB, engine store.Engine, kind string) int {
	t.Helper()
	n := 0
	for _, k := range casebook.Kinds() {
		if k.Name != kind {
			continue
		}
		docs, err := engine.Documents(context.Background(), k)
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range docs.Find(context.Background(), store.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	return n
}

func TestFilesThatNothingNames(t *testing.T) {
	h := newHouse(t)
	ctx, b := t.Context(), h.open()
	k := h.apply(b, h.opened(b), casework.Event{Name: casework.RequestExplanation, Unit: office}, deputy())
	add := func() casework.Attachment {
		a, err := b.Attach(ctx, k.ID, "ảnh.png", bytes.NewReader(picture(t)), "hoa")
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	named, drafted, loose, gone := add(), add(), add(), add()
	evidence, err := b.AttachTo(ctx, newID(), "ảnh.png", bytes.NewReader(picture(t)), "hoa")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.HoldAttachments(ctx, k.ID, []casework.Attachment{evidence}); fault.Of(err).Reason != "casebook_file_unknown" {
		t.Errorf("another's file is held: %v", err)
	}
	if err := b.RemoveAttachment(ctx, k.ID, gone.ID); err != nil {
		t.Fatal(err)
	}
	lied := named
	lied.Type, lied.Name, lied.Size = "application/pdf", "khác.pdf", 1
	submit := event(casework.Submit)
	submit.Explanation.Attachments = []casework.Attachment{lied}
	k = h.apply(b, k, submit, writer())
	if diff := cmp.Diff([]casework.Attachment{named}, k.Explanations()[0].Attachments); diff != "" {
		t.Errorf("what is said of a file goes before what is known: %s", diff)
	}
	if err := b.RemoveAttachment(ctx, k.ID, named.ID); fault.Of(err).Reason != "casebook_file_named" {
		t.Errorf("a file of an explanation is removed: %v", err)
	}
	stranger := event(casework.Submit)
	stranger.Explanation.Attachments = []casework.Attachment{{ID: newID(), Name: "a.pdf", Type: "application/pdf", Size: 1}}
	if _, err := b.Apply(ctx, k.ID, 0, stranger, "", writer()); fault.Of(err).Reason != "casebook_file_unknown" {
		t.Errorf("a file nobody attached: %v", err)
	}
	h.pass(time.Minute)
	if err := b.Sweep(ctx); err != nil { // which gives up the draft of what was handed in
		t.Fatal(err)
	}
	draft := explanation("đang viết")
	draft.Attachments = []casework.Attachment{drafted}
	if _, err := b.SaveDraft(ctx, k.ID, "hoa", 0, *draft); err != nil {
		t.Fatal(err)
	}
	h.days(31)
	if err := b.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		file casework.Attachment
		want bool
	}{{"of an explanation", named, true}, {"of a draft", drafted, true}, {"named nowhere", loose, false}, {"removed", gone, false}} {
		_, r, err := b.OpenAttachment(ctx, k.ID, c.file.ID)
		if (err == nil) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			_ = r.Close()
		}
	}
}

func TestDrafts(t *testing.T) {
	onEngines(t, func(t *testing.T, h *house) {
		ctx, b := t.Context(), h.open()
		k := h.opened(b)
		if _, there, err := b.Draft(ctx, k.ID, "hoa"); err != nil || there {
			t.Fatalf("a draft before it was begun: %v", err)
		}
		first, err := b.SaveDraft(ctx, k.ID, "hoa", 0, *explanation("một"))
		if err != nil {
			t.Fatal(err)
		}
		second, err := b.SaveDraft(ctx, k.ID, "hoa", first, *explanation("hai"))
		if err != nil {
			t.Fatal(err)
		}
		for name, seen := range map[string]store.Version{"from before": first, "another beginning": 0} {
			_, err := b.SaveDraft(ctx, k.ID, "hoa", seen, *explanation("ba"))
			var changed *casebook.DraftChangedError
			if !errors.As(err, &changed) || fault.Of(err).Code != fault.Stale || changed.Now.Analysis != "hai" || changed.Now.Version != second {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := b.SaveDraft(ctx, k.ID, "minh", 0, casework.Explanation{}); err != nil {
			t.Errorf("another's draft, empty: %v", err)
		}
		if got, there, err := b.Draft(ctx, k.ID, "hoa"); err != nil || !there || got.Analysis != "hai" || !got.SavedAt.Equal(h.clock()) {
			t.Errorf("the draft: %+v %v", got, err)
		}
		for name, fails := range map[string]struct {
			id, text, want string
		}{"too large": {k.ID, strings.Repeat("x", 300<<10), "casebook_draft_large"}, "of no case": {newID(), "x", "casebook_unknown"}} {
			if _, err := b.SaveDraft(ctx, fails.id, "lan", 0, *explanation(fails.text)); err == nil || fault.Of(err).Reason != fails.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		for range 2 {
			if err := b.DropDraft(ctx, k.ID, "hoa"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.SaveDraft(ctx, k.ID, "hoa", second, *explanation("bốn")); fault.Of(err).Reason != "casebook_draft_changed" {
			t.Errorf("a draft that is gone: %v", err)
		}
	})
}

func TestCopies(t *testing.T) {
	h := newHouse(t)
	ctx, b := t.Context(), h.open()
	first := h.explained(b)
	second := h.explained(b)
	h.pass(time.Minute)
	if err := b.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	text := second.Explanations()[0].Text()
	copied, found, err := b.Alike(ctx, second.ID, office, "hoa", text)
	if err != nil || !found || copied.Case != first.ID || copied.Share != 1 || copied.Entry != 3 {
		t.Errorf("a copy: %+v %v %v", copied, found, err)
	}
	if copied, found, err := b.Alike(ctx, second.ID, culture, "khac", text); err != nil || found {
		t.Errorf("of others: %+v %v", copied, err)
	}
	if copied, _, err := b.Alike(ctx, second.ID, office, "", "Máy in hỏng nên không in được phiếu hẹn, đã sửa ngay trong buổi sáng."); err != nil || copied.Share >= casework.LikeEnough {
		t.Errorf("of something else: %+v %v", copied, err)
	}
}

func TestOrphansAreCleared(t *testing.T) {
	h := newHouse(t)
	ctx, b := t.Context(), h.open()
	h.opened(b, func(n *casebook.New) { n.Contact = &casebook.Contact{Phone: "0912345678"} })
	// openings that come as far as what is kept apart, and then lose their case
	lost := &house{t: t, engine: caseless{h.engine}, now: start, hours: h.hours, keys: h.keys, rules: h.rules, tree: h.tree}
	for range 3 {
		if _, err := lost.open().Open(ctx, opinion(func(n *casebook.New) { n.Contact = &casebook.Contact{Phone: "0912345678"} }), operator()); err == nil {
			t.Fatal("the case is there")
		}
	}
	for i, want := range []int{4, 1, 1} {
		if err := b.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if words, contacts := count(t, h.engine, "case_words"), count(t, h.engine, "case_contacts"); words != want || contacts != want {
			t.Errorf("day %d: %d words and %d contacts, want %d", i, words, contacts, want)
		}
		h.days(2)
	}
	if got := h.all(b, casebook.Filter{Phone: "0912345678"}, 10); len(got) != 1 {
		t.Errorf("%d cases of the number", len(got))
	}
}

// caseless loses every case.
type caseless struct{ store.Engine }

func (c caseless) Documents(ctx context.Context, kind store.Kind) (store.Documents, error) {
	d, err := c.Engine.Documents(ctx, kind)
	if kind.Name == "cases" {
		d = caselessDocuments{d}
	}
	return d, err
}

type caselessDocuments struct{ store.Documents }

func (caselessDocuments) Insert(context.Context, ...[]byte) ([]error, error) {
	return nil, store.ErrUnavailable
}

package document_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/hailong-vn/hailong/internal/document"
	"github.com/hailong-vn/hailong/internal/fault"
	"github.com/hailong-vn/hailong/internal/language"
)

var made = time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)

var issued = document.Number{N: 12, Day: "2026-02-03"}

func builtIn(t testing.TB, kind document.Kind) *document.Template {
	t.Helper()
	source, err := document.BuiltIn(kind)
	if err != nil {
		t.Fatal(err)
	}
	read, err := document.ReadTemplate(source)
	if err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	return read
}

func fill(t testing.TB, template *document.Template, values map[string]string, number document.Number) document.Paper {
	t.Helper()
	paper, err := template.Fill(values, document.SampleSigner(), number)
	if err != nil {
		t.Fatal(err)
	}
	return paper
}

func draw(t testing.TB, paper document.Paper, format document.Format) []byte {
	t.Helper()
	data, err := paper.Draw(context.Background(), format, made)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// textOf reads a file's text as another program does: of a PDF by pdftotext, of a DOCX from its XML.
func textOf(t testing.TB, data []byte, format document.Format) string {
	t.Helper()
	if format == document.DOCX {
		return wordText(t, data)
	}
	path, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Skip("pdftotext (poppler-utils) is not installed: what it would read in the document is not checked")
	}
	file := filepath.Join(t.TempDir(), "paper.pdf")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "-raw", "-enc", "UTF-8", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// wordText checks that every part is well-formed and answers the text of headers and body.
func wordText(t testing.TB, data []byte) string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	found := map[string]bool{}
	for _, file := range archive.File {
		found[file.Name] = true
		part, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		decoder := xml.NewDecoder(part)
		for within := ""; ; {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", file.Name, err)
			}
			switch token := token.(type) {
			case xml.StartElement:
				within = token.Name.Local
			case xml.EndElement:
				within = ""
				if token.Name.Local == "p" {
					text.WriteByte('\n')
				}
			case xml.CharData:
				if within == "t" {
					text.Write(token)
				}
			}
		}
		if err := part.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"[Content_Types].xml", "_rels/.rels", "word/document.xml", "word/styles.xml", "word/_rels/document.xml.rels"} {
		if !found[name] {
			t.Errorf("no part %s", name)
		}
	}
	return text.String()
}

func unspaced(text string) string { return strings.Join(strings.Fields(text), "") }

func contains(t testing.TB, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(unspaced(text), unspaced(want)) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

func TestEveryTemplateInBothFormats(t *testing.T) {
	for _, kind := range document.Kinds() {
		template := builtIn(t, kind)
		values := document.Samples(template.Own)
		for _, format := range document.Formats() {
			t.Run(string(kind)+"/"+string(format), func(t *testing.T) {
				paper := fill(t, template, values, issued)
				data := draw(t, paper, format)
				if again := draw(t, paper, format); !bytes.Equal(data, again) {
					t.Error("the same paper is another file the second time")
				}
				if folder := os.Getenv("HAILONG_PAPERS"); folder != "" { // to be looked at by people
					_ = os.WriteFile(filepath.Join(folder, string(kind)+"."+string(format)), data, 0o600)
				}
				text := textOf(t, data, format)
				if !norm.NFC.IsNormalString(text) {
					t.Error("the text is not in NFC")
				}
				contains(t, text, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "ỦY BAN NHÂN DÂN XÃ ĐỒI NẮNG", "Số: 12/"+paper.Symbol,
					"Đồi Nắng, ngày 03 tháng 02 năm 2026", "Kính gửi:", "KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH", "Nguyễn Văn Mẫu", "Nơi nhận:", "Lưu: VT.")
				if strings.Contains(text, "DỰ THẢO") || strings.Contains(text, "{{") || strings.Contains(text, "<no value>") {
					t.Errorf("it is not as it is to be signed:\n%s", text)
				}
				for _, name := range template.Required {
					// A cell's lines stand between those of its neighbours.
					contains(t, strings.ToLower(text), strings.ToLower(string([]rune(values[name])[:min(20, utf8.RuneCountInString(values[name]))])))
				}
			})
		}
	}
}

func TestDraft(t *testing.T) {
	template := builtIn(t, document.ExplanationReport)
	for _, format := range document.Formats() {
		t.Run(string(format), func(t *testing.T) {
			paper := fill(t, template, map[string]string{"issuer": "UBND xã Đồi Nắng", "organ": "UBND"}, document.Number{})
			text := textOf(t, draw(t, paper, format), format)
			contains(t, text, "BẢN DỰ THẢO", "/BC-UBND", "ngày … tháng … năm …", "…………")
			if strings.Contains(unspaced(text), "12/BC") {
				t.Error("a draft has a number")
			}
		})
	}
	_, err := template.Fill(map[string]string{"issuer": "UBND xã Đồi Nắng"}, document.SampleSigner(), issued)
	if fault.Of(err).Reason != "document_value_missing" {
		t.Errorf("issued with what is required missing: %v", err)
	}
	_, err = template.Fill(document.Samples(nil), document.Signer{Name: "A"}, issued)
	if fault.Of(err).Reason != "document_signer_missing" {
		t.Errorf("issued without a position: %v", err)
	}
}

// Whatever people type: everything stands in both files, well-formed, and nothing of it is taken for a part of the template.
func TestHostileText(t *testing.T) {
	for name, c := range map[string]struct{ typed, pdf, docx string }{
		"markup":       {`<w:p/>&amp;<script>alert(1)</script> "a" 'b'`, `<w:p/>&amp;<script>alert(1)</script> "a" 'b'`, `<w:p/>&amp;<script>alert(1)</script> "a" 'b'`},
		"template":     {"{{.signer}} {{if}} {{end}}", "{{.signer}} {{if}} {{end}}", "{{.signer}} {{if}} {{end}}"},
		"control":      {"a\x00b\x1b[31mc\u202ed\ufeff\ufffee\x7f", "ab[31mcde", "ab[31mcde"},
		"decomposed":   {norm.NFD.String("Đường Nguyễn Ẫm ữ"), "Đường Nguyễn Ẫm ữ", "Đường Nguyễn Ẫm ữ"},
		"not UTF-8":    {"a\xff\xfeb", "a?b", "a?b"},
		"emoji":        {"vui 😀 nhé 漢字", "vui ? nhé ?", "vui 😀 nhé 漢字"},
		"parentheses":  {`(a\) \\ %s %d`, `(a\) \\ %s %d`, `(a\) \\ %s %d`},
		"many lines":   {"một\r\nhai\rba\u2028bốn", "một hai ba bốn", "một hai ba bốn"},
		"other spaces": {"a\u00a0b\u2003c\td", "a b c d", "a b c d"},
	} {
		t.Run(name, func(t *testing.T) {
			values := document.Samples(nil)
			values["analysis"], values["case_title"], values["to"] = c.typed, c.typed, c.typed
			for _, kind := range []document.Kind{document.ExplanationReport, document.CorrectionOrder} {
				paper := fill(t, builtIn(t, kind), values, issued)
				contains(t, textOf(t, draw(t, paper, document.DOCX), document.DOCX), c.docx)
				contains(t, textOf(t, draw(t, paper, document.PDF), document.PDF), c.pdf)
			}
		})
	}
}

func TestLongTextGoesOverPages(t *testing.T) {
	var long strings.Builder
	for i := range 120 {
		long.WriteString("Câu thứ " + language.Vietnamese.Number(float64(i+1), 0) + " nói về việc tiếp nhận hồ sơ tại Bộ phận Một cửa, người dân phải đi lại nhiều lần.\n")
	}
	for name, c := range map[string]struct {
		kind  document.Kind
		field string
	}{"text": {document.ExplanationReport, "analysis"}, "table": {document.CorrectionOrder, "action_product"}} {
		t.Run(name, func(t *testing.T) {
			values := document.Samples(nil)
			values[c.field] = long.String()
			paper := fill(t, builtIn(t, c.kind), values, issued)
			data := draw(t, paper, document.PDF)
			pages := bytes.Count(data, []byte("/Type /Page\n"))
			if pages < 3 {
				t.Fatalf("%d pages", pages)
			}
			text := textOf(t, data, document.PDF)
			sheets := strings.Split(strings.TrimSuffix(text, "\f"), "\f")
			if len(sheets) != pages {
				t.Fatalf("%d pages are read, there are %d", len(sheets), pages)
			}
			for i, sheet := range sheets {
				numbered := strings.HasPrefix(strings.TrimSpace(sheet), language.Vietnamese.Number(float64(i+1), 0)+"\n") ||
					strings.HasSuffix(strings.TrimSpace(sheet), "\n"+language.Vietnamese.Number(float64(i+1), 0))
				if numbered != (i > 0) {
					t.Errorf("page %d is numbered: %v", i+1, numbered)
				}
				if c.kind == document.CorrectionOrder && i < len(sheets)-2 {
					contains(t, sheet, "Nội dung công việc")
				}
			}
			contains(t, text, "Câu thứ 1 nói", "Câu thứ 60 nói", "Câu thứ 120 nói")
			last := sheets[len(sheets)-1]
			contains(t, last, "PHÓ CHỦ TỊCH", "Nguyễn Văn Mẫu", "./.")
			contains(t, textOf(t, draw(t, paper, document.DOCX), document.DOCX), "Câu thứ 1 nói", "Câu thứ 120 nói")
		})
	}
}

// Any text in any field draws, and nothing is lost that the fonts have.
func TestAnyText(t *testing.T) {
	templates := map[document.Kind]*document.Template{}
	for _, kind := range document.Kinds() {
		templates[kind] = builtIn(t, kind)
	}
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(document.Kinds()).Draw(t, "kind")
		values := map[string]string{}
		for _, f := range templates[kind].Used {
			values[f.Name] = rapid.OneOf(rapid.Just(""), rapid.StringN(0, 30, 90), rapid.StringMatching(`[A-Zđễ ]{1,60}`)).Draw(t, f.Name)
		}
		paper, err := templates[kind].Fill(values, document.Signer{Name: "A", Position: "B"}, document.Number{})
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range document.Formats() {
			if _, err := paper.Draw(context.Background(), format, made); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestLimits(t *testing.T) {
	template := builtIn(t, document.ResultNotice)
	long := strings.Repeat("ễ", document.MaxValue)
	for name, c := range map[string]struct {
		change func(map[string]string)
		reason string
	}{
		"a value":  {func(v map[string]string) { v["reply"] = long + "a" }, "document_value_long"},
		"at most":  {func(v map[string]string) { v["reply"] = long }, ""},
		"the head": {func(v map[string]string) { v["issuer"] = strings.Repeat("Ủy ban ", 300) }, "document_head_long"},
		"all": {func(v map[string]string) {
			for _, f := range []string{"reply", "remedy", "analysis", "legal_basis", "copies", "responsible"} {
				v[f] = long
			}
		}, "document_values_long"},
	} {
		values := document.Samples(nil)
		c.change(values)
		_, err := template.Fill(values, document.SampleSigner(), issued)
		if got := reason(err); got != c.reason {
			t.Errorf("%s: %v, want %q", name, err, c.reason)
		}
	}
	t.Run("a template that repeats", func(t *testing.T) {
		var source strings.Builder
		source.WriteString("series: BC\nbody:\n  - text: \"")
		source.WriteString(strings.Repeat("{{.reply}}", 6000))
		source.WriteString("\"\n")
		template, err := document.ReadTemplate([]byte(source.String()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = template.Fill(map[string]string{"reply": long}, document.SampleSigner(), issued); reason(err) != "document_text_long" {
			t.Errorf("%v", err)
		}
	})
	t.Run("pages", func(t *testing.T) {
		values := document.Samples(nil)
		values["reply"] = strings.Repeat("a\n", document.MaxValue/2-1)
		paper := fill(t, template, values, issued)
		if _, err := paper.Draw(context.Background(), document.PDF, made); reason(err) != "document_pages" {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := paper.Draw(ctx, document.PDF, made); !errors.Is(err, context.Canceled) {
			t.Errorf("whoever asked has gone: %v", err)
		}
	})
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Reason
}
